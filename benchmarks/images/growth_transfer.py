"""Does a network for growing films learn faster when it begins with what one for rotations has learned?

``python -m benchmarks images/growth_transfer --pretrained RUN --films TRAIN --test TEST --work W`` trains the
network of gisas_growth from scratch and from the trunk of a finished run of gisas_hex (`sasnet train --domain
gisas_hex`), on a few films and on all, with the same batches in the same order. ``TRAIN`` and ``TEST`` come
from ``sasnet simulate --domain gisas_growth``, with different seeds. Runs are kept in ``W`` and go on when
they were killed; ``--write`` puts table and curves beside this file.
"""

from __future__ import annotations

import argparse
import csv
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="2")

from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.domains.gisas_growth import FILM
from sasnet_plugin.domains.simulator import HeldOut
from sasnet_plugin.kinds.gisas_growth import GISAS_GROWTH
from sasnet_plugin.simulate.dataset import Dataset
from sasnet_plugin.simulate.growth.simulator import SIMULATOR
from sasnet_plugin.simulate.stream import held_out
from sasnet_plugin.train.heads import losses
from sasnet_plugin.train.loop import TrainConfig, train
from sasnet_plugin.train.network import load

from ..asked import parser_of
from ..tables import markdown

#: Batches between two points of a curve, and of a run in all.
EVERY, STEPS = 50, 1200
BATCH = 128
#: Of the first so many shards, of 128 films each.
FEW = 2
TOLD = ("distance", "radius", "aspect")
STARTS = ("scratch", "pretrained")


def some(films: Path, shards: int | None, work: Path) -> Path:
    """A folder with the first shards of another; None: that folder itself."""
    if shards is None:
        return films
    folder = work / f"films-{shards}"
    folder.mkdir(parents=True, exist_ok=True)
    for path in [films / "settings.json", *sorted(films.glob("films-*.h5"))[:shards]]:
        if not (folder / path.name).exists():
            (folder / path.name).symlink_to(path.resolve())
    return folder


def trained(start: str, films: Path, name: str, options: argparse.Namespace) -> Path:
    """Folder of the finished run."""
    net = {"weights": str(options.pretrained)} if start == "pretrained" else {}
    config = TrainConfig(
        steps=options.steps, batch=BATCH, learning_rate=2e-3, save_every=EVERY, seed=options.seed
    )
    run = options.work / name
    train(films, run, config, net=net, domain=GISAS_GROWTH)
    return Path(run)


def curve(run: Path) -> tuple[np.ndarray, np.ndarray]:
    """Batches and the mean loss since the point before."""
    with (run / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return (np.arange(len(rows)) + 1.0) * EVERY, np.array([float(row["loss"]) for row in rows])


def judged(run: Path, held: HeldOut) -> dict[str, float]:
    """Loss on films that were never seen, and median relative errors."""
    net, _ = load(run, GISAS_GROWTH)
    features, true = held.inputs["features"], held.targets["quantities"]
    parts = [net(features[i : i + 250]) for i in range(0, len(features), 250)]
    outputs = {key: np.concatenate([np.asarray(part[key]) for part in parts]) for key in parts[0]}
    head = GISAS_GROWTH.heads[0]
    found = {"loss": float(np.asarray(losses(head, outputs, held.targets, GISAS_GROWTH.heads)))}
    for k, parameter in enumerate(FILM):
        if parameter.name in TOLD:
            said, exact = (
                np.array([parameter.value(float(x), 0.0)[0] for x in column])
                for column in (outputs["quantities"][:, k, 0], true[:, k])
            )
            found[parameter.name] = float(np.median(np.abs(said / exact - 1)))
    return found


def reached(other: tuple[np.ndarray, np.ndarray], level: float) -> str:
    """Batches after which a curve lies below a level, and stays there."""
    above = np.flatnonzero(other[1] > level)
    first = int(above[-1]) + 1 if above.size else 0
    return f"{other[0][first]:.0f}" if first < len(other[0]) else "never"


def main() -> None:
    """Train what is missing, print the table, and write it if asked to."""
    parser = parser_of(__doc__, work=True, steps=STEPS, seed=1)
    parser.add_argument("--pretrained", type=Path, required=True)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    options = parser.parse_args()
    held = held_out(
        GISAS_GROWTH,
        Dataset(options.test, SIMULATOR),
        np.random.default_rng(0),
        known=1500,
        others=0,
        exposure=1e6,
    )
    curves: dict[str, Any] = {}
    logs: dict[str, Path] = {}
    lines = []
    for shards in (FEW, None):
        films = some(options.films, shards, options.work)
        number = len(Dataset(films, SIMULATOR))
        for start in STARTS:
            name = f"{start}, {number:,} films"
            run = trained(start, films, f"{start}-{number}", options)
            curves[name], logs[name] = curve(run), run / "log.csv"
            found = judged(run, held)
            scratch = curves[f"scratch, {number:,} films"]
            lines.append(
                [
                    name,
                    *(f"{curves[name][1][at // EVERY - 1]:.2f}" for at in (EVERY, 200, options.steps)),
                    reached(curves[name], float(scratch[1][-1])),
                    f"{found['loss']:.2f}",
                    *(f"{100 * found[key]:.1f}" for key in TOLD),
                ]
            )
    header = [
        "start", f"loss after {EVERY} batches", "200", f"{options.steps}", "as good as scratch's end after",
        "loss of unseen films", *(f"{key}, %" for key in TOLD),
    ]  # fmt: skip
    text = markdown(header, lines)
    print(text)
    if options.write:
        from sasnet_plugin.report.images.canvas import save
        from sasnet_plugin.report.images.trends import learning_curves

        here = Path(__file__)
        save(
            learning_curves({k: (128 * x, y) for k, (x, y) in curves.items()}),
            here.with_suffix(".svg"),
            (7.0, 4.0),
        )
        here.with_suffix(".md").write_text(f"# Growth, pretrained\n\n{text}", encoding="utf-8")
