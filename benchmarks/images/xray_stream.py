"""Labels that come in: the X-ray network retrained on images of other code, and what it forgets of its own.

``python -m benchmarks images/xray_stream --work W`` writes the tables beside this file; what has been
computed is kept in W. Labelled images of ``xray_second_domain.py`` come at once, or in ten batches, after
each of which the network is trained by `sasnet train --labels --start-from` the one before. It is judged on
other images of that domain, and on simulated ones of its own, none of which any training has seen.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.predict.predictor import Predictor
from sasnet_plugin.train.gated_fit import Settings
from sasnet_plugin.train.recorded import LEAST
from sasnet_plugin.zoo import ZooModel, open_model

from ..asked import parser_of
from .xray_contestants import installed
from .xray_labelled import labelled_files, retrained, second_frames
from .xray_tags import SHOTS, XRAY_TAGS, first_domain, kept, of_set, precision, second_domain

BATCHES, PER_BATCH = 10, 30
SETS = {"second": (second_domain, 104), "test": (first_domain, 102)}


def judged(model: ZooModel, sets: dict[str, Any]) -> dict[str, np.ndarray]:
    """Mean average precision, per cent, on both domains."""
    predictor = Predictor.of(model)
    return {
        name: np.array(100 * np.nanmean(precision(one["truth"], installed(one, predictor))))
        for name, one in sets.items()
    }


def at_once(sets: dict[str, Any], work: Path, scenes: int) -> list[dict[str, np.ndarray]]:
    """After so many labels as `SHOTS` says, each time from the installed network."""
    files, truth = labelled_files(work / "labelled", max(SHOTS)), second_frames(max(SHOTS), 103)[1]
    found = []
    for n in SHOTS:
        name = f"at_once_{scenes}_{n}"
        found.append(
            kept(
                work / f"{name}.npz",
                lambda n=n, name=name: judged(
                    retrained(open_model(XRAY_TAGS.name), files[:n], truth[:n], work, name, scenes), sets
                ),
            )
        )
    return found


def in_batches(
    sets: dict[str, Any], work: Path, scenes: int, *, all_so_far: bool
) -> list[dict[str, np.ndarray]]:
    """After each batch, from the network before it, by the labels so far or those of the batch alone."""
    files, truth = labelled_files(work / "labelled", max(SHOTS)), second_frames(max(SHOTS), 103)[1]
    model, found = open_model(XRAY_TAGS.name), []
    for batch in range(BATCHES):
        name = f"batch_{'all' if all_so_far else 'own'}_{scenes}_{batch}"
        last = PER_BATCH * (batch + 1)
        some = slice(0 if all_so_far else last - PER_BATCH, last)
        model = retrained(model, files[some], truth[some], work, name, scenes)
        found.append(judged(model, sets))
    return found


def stacked(found: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One array of each kind."""
    return {name: np.array([float(one[name]) for one in found]) for name in found[0]}


def table(before: dict[str, np.ndarray], once: dict[int, Any], batches: dict[str, Any], scenes: int) -> str:
    """The page in Markdown."""
    first, second = float(before["test"]), float(before["second"])
    lines = [
        "# Labels that come in",
        "",
        f"Mean average precision, per cent, of the installed X-ray network on 600 images of"
        f" `xray_second_domain.py`, and on 600 simulated ones of its own, after `sasnet train --labels"
        f" --start-from` with {scenes:,} simulated scenes replayed and with none. Without labels"
        f" {second:.1f} and {first:.1f}; of fewer than {LEAST} labels the command takes nothing.",
        "",
        f"| labelled images | {' | '.join(f'{n} replayed' for n in once)} | "
        + " | ".join(f"forgotten, {n} replayed" for n in once)
        + " |",
        "|" + "---|" * (2 * len(once) + 1),
    ]
    for row, n in enumerate(SHOTS):
        cells = [f"{float(one[row]['second']):.1f}" for one in once.values()]
        cells += [f"{first - float(one[row]['test']):.1f}" for one in once.values()]
        lines.append(f"| {n} | {' | '.join(cells)} |")
    lines += [
        "",
        "## In ten batches",
        "",
        f"The same {BATCHES * PER_BATCH} images, {PER_BATCH} after {PER_BATCH}; each training begins with the"
        " network that the one before has made. It is given all labels so far, as by the page of `sasnet"
        " tag`, or those of its batch alone.",
        "",
        "| batch | all labels so far | forgotten | the batch's labels alone | forgotten |",
        "|---|---|---|---|---|",
    ]
    for batch in range(BATCHES):
        cells = [f"{one['second'][batch]:.1f} | {first - one['test'][batch]:.1f}" for one in batches.values()]
        lines.append(f"| {batch + 1} | {' | '.join(cells)} |")
    told = []
    for name, one in batches.items():
        path = np.append(second, one["second"])
        told.append(
            f"{name}: higher than before in {int((np.diff(path) > 0).sum())} of {BATCHES} batches, than two"
            f" before in {int((path[2:] > path[:-2]).sum())} of {BATCHES - 1}, at most"
            f" {max(first - one['test'].min(), 0.0):.1f} points forgotten"
        )
    return "\n".join([*lines, "", "; ".join(told).capitalize() + ".", ""])


def main() -> None:
    """Train, judge, write the tables."""
    parser = parser_of(__doc__, write=False, test=600, replay=Settings().scenes)
    parser.add_argument("--work", type=Path, default=Path("xray_work"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    sets = {
        name: kept(
            work / f"set_{name}_{options.test}.npz",
            lambda make=make, seed=seed: of_set(*make(options.test, seed)),
        )
        for name, (make, seed) in SETS.items()
    }
    sets = {name: {k: v.astype(np.float32) for k, v in one.items()} for name, one in sets.items()}
    before = kept(work / "before.npz", lambda: judged(open_model(XRAY_TAGS.name), sets))
    once = {scenes: at_once(sets, work, scenes) for scenes in (options.replay, 0)}
    batches = {
        words: kept(
            work / f"batches_{all_so_far}_{options.replay}.npz",
            lambda all_so_far=all_so_far: stacked(
                in_batches(sets, work, options.replay, all_so_far=all_so_far)
            ),
        )
        for words, all_so_far in (("all labels so far", True), ("the batch's alone", False))
    }
    text = table(before, once, batches, options.replay)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
