"""Whether more clean curves, more steps or a larger network would still help on the realistic protocol."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.simulate.labelled import Examples
from sasnet_plugin.types import SasnetError
from sasnet_plugin.zoo import open_folder

from ..tables import markdown, percent
from .ours import from_run, from_zoo, rounds
from .protocol_b import scores

#: Width of stem, stages and dense part; "base" is what the model zoo holds.
SIZES: dict[str, dict[str, Any]] = {
    "half": {"stem": 16, "stages": ((32, 1), (64, 2), (128, 1)), "dense": 256},
    "base": {},
    "double": {"stem": 64, "stages": ((128, 1), (256, 2), (512, 1)), "dense": 1024},
}
_SHARD = re.compile(r"(.+)-(\d{4})\.h5$")


@dataclass(frozen=True)
class Trial:
    """One training run of the learning curve."""

    share: float  #: Of the clean curves of each model.
    steps: int
    size: str  #: Key of ``SIZES``.

    @property
    def name(self) -> str:
        """For folders and files."""
        return f"{self.size}-{self.steps}-{self.share:g}"


def trials(steps: Sequence[int]) -> list[Trial]:
    """An eighth, a quarter, half and all of the curves; all of them with other numbers of steps and sizes."""
    longest = max(steps)
    found = [Trial(share, longest, "base") for share in (0.125, 0.25, 0.5, 1.0)]
    found += [Trial(1.0, count, "base") for count in sorted(steps) if count != longest]
    return found + [Trial(1.0, longest, size) for size in SIZES if size != "base"]


def share_of(shards: Path, target: Path, share: float) -> dict[str, int]:
    """A folder with links to the first rounds of shards of every model: about `share` of its curves.

    Parameters
    ----------
    shards, target : Path
    share : float
        0..1; of every model at least one shard is kept.

    Returns
    -------
    dict of str to int
        Shards kept of each model.
    """
    rounds: dict[str, list[Path]] = {}
    for path in sorted(shards.glob("*.h5")):
        match = _SHARD.match(path.name)
        if match:
            rounds.setdefault(match[1], []).append(path)
    if not rounds:
        raise SasnetError(f"{shards}: no shards here; make them with 'sasnet simulate --out {shards}'.")
    target.mkdir(parents=True, exist_ok=True)
    kept = {}
    for model, paths in rounds.items():
        chosen = paths[: max(1, round(share * len(paths)))]
        kept[model] = len(chosen)
        for path in chosen:
            link = target / path.name
            if not link.exists():
                os.symlink(path.resolve(), link)
    return kept


def run_trial(
    trial: Trial,
    shards: Path,
    work: Path,
    test: Examples,
    *,
    batch: int,
    workers: int,
    say: Callable[[str], None],
) -> dict[str, float]:
    """Train and score one trial, or read what an earlier run kept."""
    from sasnet_plugin.kinds.sas1d import SAS1D
    from sasnet_plugin.simulate.library import Library
    from sasnet_plugin.train.loop import TrainConfig, train

    folder = work / trial.name
    result = folder / "result.json"
    if result.exists():
        found: dict[str, float] = json.loads(result.read_text(encoding="utf-8"))
        return found | {"steps": steps_run(folder / "run")}
    data = work / f"shards-{trial.share:g}"
    share_of(shards, data, trial.share)
    library = Library(data)
    # Training ends with a whole round of steps.
    save_every = -(-trial.steps // -(-trial.steps // 500))
    config = TrainConfig(steps=trial.steps, batch=batch, workers=workers, save_every=save_every)
    train(
        data,
        folder / "run",
        config,
        domain=SAS1D,
        net=SIZES[trial.size],
        progress=lambda step, loss: say(f"{trial.name}: step {step}, loss {loss:.3f}"),
    )
    answer = from_run(folder / "run", test, library.forms)
    found = scores(answer.probability, test, None, (answer.extra or {})["factor"])
    sizes = library.sizes().values()
    found |= {"parameters": answer.parameters, "curves": float(np.median(list(sizes)))}
    temporary = result.with_suffix(".tmp")
    temporary.write_text(json.dumps({**asdict(trial), **found}), encoding="utf-8")
    os.replace(temporary, result)
    return found | {"steps": steps_run(folder / "run")}


def steps_run(run: Path) -> int:
    """Steps that a training run made, from its log."""
    settings = json.loads((run / "settings.json").read_text(encoding="utf-8"))
    rounds = len((run / "log.csv").read_text(encoding="utf-8").split()) - 1
    return rounds * int(settings["train"]["save_every"])


def finished(run: Path, shards: Path, test: Examples) -> tuple[Trial, dict[str, float]]:
    """A training run of all curves, scored as the trials are."""
    from sasnet_plugin.simulate.library import Library

    library = Library(shards)
    answer = from_run(run, test, library.forms)
    found = scores(answer.probability, test, None, (answer.extra or {})["factor"])
    sizes = list(library.sizes().values())
    steps = steps_run(run)
    found |= {"parameters": answer.parameters, "curves": float(np.median(sizes)), "steps": steps}
    return Trial(1.0, steps, "base"), found


def released(folders: Sequence[Path], test: Examples, forms: Sequence[str]) -> str:
    """Packaged networks on the same curves, by the batches that they have seen, in Markdown.

    Parameters
    ----------
    folders : sequence of Path
        With ``model.onnx`` and ``manifest.json``, as in the model zoo and its history.
    test : Examples
    forms : sequence of str
        Form models of the test set, in its order.
    """
    rows = []
    for model in (open_folder(folder, {}) for folder in folders):
        answer = from_zoo(test, forms, model)
        found = scores(answer.probability, test, None, (answer.extra or {})["factor"])
        right = answer.probability[np.arange(len(test)), test.form]
        rows.append(
            (sum(rounds(model.manifest.metrics)), found, float(-np.log(np.maximum(right, 1e-12)).mean()))
        )
    header = ["batches of 512", "top-1 / %", "top-5 / %", "mean -ln p of the true model", "ECE"]
    lines = [
        [f"{seen:,}", percent(found["top1"]), percent(found["top5"]), f"{loss:.3f}", f"{found['ece']:.3f}"]
        for seen, found, loss in sorted(rows, key=lambda row: row[0])
    ]
    return markdown(header, lines)


def table(rows: Sequence[tuple[Trial, dict[str, float]]]) -> str:
    """The learning curve in Markdown."""
    header = ["network", "clean curves a model (median)", "steps", "parameters", "top-1 / %", "top-5 / %"]
    header += ["structure factor / %"]
    lines = [
        [
            trial.size,
            f"{found['curves']:.0f}",
            f"{found['steps']:,.0f}",
            f"{found['parameters']:,.0f}",
            percent(found["top1"]),
            percent(found["top5"]),
            percent(found["structure_factor_overall"]),
        ]
        for trial, found in rows
    ]
    return markdown(header, lines)
