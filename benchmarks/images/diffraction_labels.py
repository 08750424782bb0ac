"""Tags learned from labelled diffraction images, 7,264 with the frequencies of a real beam time: contestants.

``python -m benchmarks images/diffraction_labels --work W`` writes the table beside this file; what is in W is
not computed again. 85 % of the images are learned from, with 15 % of these calibration and thresholds of
every contestant are found, by the same functions; the others are judged, as drawn and at given numbers of
photons.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.domains.diffraction import LABELS
from sasnet_plugin.kinds.diffraction import DIFFRACTION
from sasnet_plugin.predict.arithmetic import sigmoid
from sasnet_plugin.predict.calibration import calibrate
from sasnet_plugin.predict.decoding import Choice, decode
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.predict.tags import TagsFinding
from sasnet_plugin.simulate.diffraction.measurement import WINDOW
from sasnet_plugin.types import Image

from ..asked import parser_of
from .diffraction_contestants import Sets, following, installed, own, pictures, pixel_network, trees
from .diffraction_images import TESTS, TRAINING, kept, sets
from .diffraction_tags import calibration_error

HEAD = DIFFRACTION.heads[0]
#: Of the labelled images, for calibration and thresholds.
HELD_OUT = 0.15
NUMBERS = (100, 300, 1000, 3000)
#: Of networks on pixels, with all labels.
EPOCHS = {"residual": 22, "plain": 15}
#: Of the table; the marks are on the last but one.
SHOWN = "1e4"
RESIDUAL, OURS, ALONE = "residual network", "following the labels", "following the labels alone"
#: Probability and verdict of each tag, (n, labels) each.
Verdict = tuple[np.ndarray, np.ndarray]


def parts(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the first so many training images, those that are fitted and those held out."""
    fitted = number - round(HELD_OUT * number)
    return np.arange(fitted), np.arange(fitted, number)


def verdicts(said: dict[str, Any], logits: np.ndarray) -> Verdict:
    """By a calibration, as the product decodes tags: a tag with its parent, Empty alone."""
    return read([row[0] for row in decode((HEAD,), {HEAD.name: logits}, {HEAD.name: said}, Choice(1))])


def read(found: list[TagsFinding | None]) -> Verdict:
    """Findings as arrays; nothing is there where nothing was said."""
    p = [[one.probability.get(name, 0.0) for name in LABELS] if one else [0.0] * len(LABELS) for one in found]
    there = [[bool(one) and name in one.present for name in LABELS] for one in found]
    return np.array(p), np.array(there)


def scores(truth: np.ndarray, verdict: Verdict) -> np.ndarray:
    """Precision, recall, F1, average precision, calibration error by tag, (labels, 5); NaN of tags that none
    has.
    """
    from sklearn.metrics import average_precision_score, precision_recall_fscore_support

    p, there = verdict
    found = np.full((len(LABELS), 5), np.nan)
    for k in np.flatnonzero(truth.any(axis=0)):
        three = precision_recall_fscore_support(truth[:, k], there[:, k], average="binary", zero_division=0)
        ap = average_precision_score(truth[:, k], p[:, k])
        found[k] = *three[:3], ap, calibration_error(p[:, k], truth[:, k])
    return found


def threshold(p: np.ndarray, truth: np.ndarray) -> float:
    """The probability from which on F1 is largest, the middle of all as good within a hundredth."""
    levels = np.linspace(0.02, 0.98, 97)
    said = p[:, None] >= levels
    f1 = 2 * (said & truth[:, None]).sum(axis=0) / np.maximum(said.sum(axis=0) + truth.sum(), 1)
    return float(np.median(levels[f1 >= f1.max() - 0.01])) if truth.any() else 0.5


def difference(truth: np.ndarray, one: Verdict, two: Verdict, draws: int = 300) -> tuple[float, float]:
    """Macro-F1 of one less that of two, and its standard deviation over images drawn again."""

    def macro(rows: np.ndarray) -> float:
        y = truth[rows]
        f1 = [2 * (v[1][rows] & y).sum(0) / np.maximum(v[1][rows].sum(0) + y.sum(0), 1) for v in (one, two)]
        there = y.any(axis=0)
        return float(f1[0][there].mean() - f1[1][there].mean())

    rng, number = np.random.default_rng(0), len(truth)
    again = [macro(rng.integers(number, size=number)) for _ in range(draws)]
    return macro(np.arange(number)), float(np.std(again))


def contestants(every: Sets, work: Path, options: argparse.Namespace) -> dict[str, Callable[[int], Any]]:
    """By name, what gives logits of held-out and test images from so many labels."""
    training, file = every[TRAINING], work / f"set-{options.seed}-{TRAINING}.npz"

    def on(kind: Callable[[dict[str, np.ndarray]], np.ndarray], run: Callable[..., Any], number: int) -> Any:
        fitted, held = parts(number)
        x, y = kind(training), training["tags"]
        return run(x[fitted], y[fitted], [x[held], *(kind(every[name]) for name in TESTS)])

    def longer(epochs: int, number: int) -> int:
        # Few images are seen more often: their steps would be too few else.
        return round(epochs * (len(training["tags"]) / number) ** 0.4)

    def pixels(name: str, number: int) -> dict[str, np.ndarray]:
        held = parts(number)[1]
        other = pictures(training)[held], training["tags"][held]
        logits, losses = on(
            pictures, partial(pixel_network, name, epochs=longer(EPOCHS[name], number), held=other), number
        )
        return {**named(logits), "losses": losses}

    def named(logits: list[np.ndarray]) -> dict[str, np.ndarray]:
        return dict(zip(("held", *TESTS), logits, strict=True))

    def features(some: dict[str, np.ndarray]) -> np.ndarray:
        return some["features"]

    def follows(scenes: int, number: int) -> dict[str, np.ndarray]:
        rows, held = parts(number)
        predictor, said = following(
            work,
            file,
            training["tags"],
            rows,
            scenes,
            f"{OURS}-{options.seed}-{scenes}-{number}".replace(" ", "-"),
        )
        inputs = [training["features"][held], *(every[name]["features"] for name in TESTS)]
        return {**named([installed(one, predictor) for one in inputs]), "said": np.array(said)}

    def as_is(number: int) -> dict[str, np.ndarray]:
        inputs = [training["features"][parts(number)[1]], *(every[name]["features"] for name in TESTS)]
        return named([installed(one, open_predictor(DIFFRACTION.name)) for one in inputs])

    return {
        RESIDUAL: partial(pixels, "residual"),
        "plain network": partial(pixels, "plain"),
        "boosted trees on harmonics": lambda number: named(on(features, trees, number)),
        "own network from scratch": lambda number: named(
            on(features, partial(own, epochs=longer(options.own, number)), number)
        ),
        "installed network": as_is,
        OURS: partial(follows, 2000),
        ALONE: partial(follows, 0),
    }


def classified(every: Sets, work: Path, seed: int) -> dict[str, np.ndarray]:
    """Probabilities and verdicts of `sasnet classify`, refusals included, by test."""

    def ask() -> Mapping[str, np.ndarray]:
        found = {}
        for name in TESTS:
            both = zip(every[name]["counts"], every[name]["mask"], strict=True)
            images = [Image(counts.astype(float), mask, WINDOW) for counts, mask in both]
            answers = open_predictor(DIFFRACTION.name).answers(images)
            p, there = read([answer.finding(TagsFinding) for answer in answers])
            found |= {f"{name} p": p, f"{name} there": there}
            found[f"{name} refused"] = np.array([not answer.known for answer in answers])
        return found

    return kept(work / f"classified-{seed}.npz", ask)


def main() -> None:
    """Make the sets, ask all contestants, write the table."""
    parser = parser_of(
        __doc__, work=True, write=False, seed=7, own=(40, "Epochs of the domain's network from scratch.")
    )
    parser.add_argument("--only", nargs="*", help="Contestants; default: all, and the table.")
    parser.add_argument("--full", action="store_true", help="With all labels alone.")
    options = parser.parse_args()
    work: Path = options.work
    every = sets(work, options.seed)
    full = len(every[TRAINING]["tags"])
    found: dict[tuple[str, int], dict[str, np.ndarray]] = {}
    runs = contestants(every, work, options)
    for number in (full,) if options.full else (full, *NUMBERS):
        for name in options.only or runs:
            if number == full or name not in ("plain network", "installed network"):
                path = work / f"{name.replace(' ', '-')}-{options.seed}-{number}.npz"
                found[name, number] = kept(path, partial(timed, runs[name], number))
    if options.only is None:
        text = written(every, found, classified(every, work, options.seed), full)
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
        print(text)


def timed(run: Callable[[int], dict[str, np.ndarray]], number: int) -> dict[str, np.ndarray]:
    """What a contestant gives, with the seconds that it took on one core."""
    began = time.process_time()
    return {**run(number), "seconds": np.array(time.process_time() - began)}


def judged(
    every: Sets, found: Mapping[tuple[str, int], dict[str, np.ndarray]]
) -> dict[tuple[str, int], dict[str, Verdict]]:
    """Verdicts by test, calibrated on the images held out of so many labels."""
    verdict = {}
    for (name, number), logits in found.items():
        truth = every[TRAINING]["tags"][parts(number)[1]]
        said = calibrate(HEAD, {HEAD.name: logits["held"]}, {HEAD.name: truth}, {HEAD.name: HEAD})
        # The product's thresholds begin at 0.2; a tag that a contestant is never so sure of has one here too.
        p = sigmoid(np.array(said["slope"]) * logits["held"] + np.array(said["offset"]))
        said["threshold"] = [threshold(p[:, k], truth[:, k] > 0.5) for k in range(len(LABELS))]
        verdict[name, number] = {test: verdicts(said, logits[test]) for test in TESTS}
    return verdict


def written(
    every: Sets,
    found: Mapping[tuple[str, int], dict[str, np.ndarray]],
    classified: Mapping[str, np.ndarray],
    full: int,
) -> str:
    """The page."""
    truth = every["drawn"]["tags"] > 0.5
    verdict = judged(every, found)
    rows = {name: verdict[name, number] for name, number in found if number == full}
    # As the product leaves it, nothing chosen afterwards.
    left = open_predictor(DIFFRACTION.name).manifest.calibration[HEAD.name]
    for name in (OURS, ALONE):
        rows[f"{name}, own thresholds"] = {test: verdicts(left, found[name, full][test]) for test in TESTS}
    as_classified = {test: (classified[f"{test} p"], classified[f"{test} there"]) for test in TESTS}
    rows["`sasnet classify`, own thresholds"] = as_classified
    losses = found[RESIDUAL, full]["losses"]
    refused = ", ".join(f"{classified[f'{test} refused'].mean():.1%} ({test})" for test in TESTS)
    lines = [
        "# Tags learned from labelled diffraction images",
        "",
        f"{full + len(truth):,} simulated images with kinds as frequent as among those of helium droplets;"
        f" {len(truth):,} are judged. Photons within the window are drawn between 10² and 10⁷ in training"
        " and in the first column. Means over the eleven tags; seconds of one core. Of the training images"
        f" {HELD_OUT:.0%} calibrate every contestant and choose its thresholds, but of the last three rows,"
        f" which are as the commands leave them; `sasnet classify` refuses {refused}. The residual network"
        f" learned for {losses.size} epochs, in the last of which its loss on held-out images fell by"
        f" {1 - losses[-1] / losses[-2]:.1%}. Only what begins with the installed network has learned from"
        " other simulated images before.",
        "",
        "| contestant | F1, "
        + " | F1, ".join(TESTS)
        + " | average precision, drawn | calibration error, drawn |"
        " worst tag's | seconds |",
        "|" + "---|" * (len(TESTS) + 5),
    ]
    for name, one in rows.items():
        table = {test: scores(truth, one[test]) for test in TESTS}
        cells = [f"{np.nanmean(table[test][:, 2]):.3f}" for test in TESTS]
        cells += [f"{np.nanmean(table['drawn'][:, column]):.3f}" for column in (3, 4)]
        cells.append(f"{np.nanmax(table['drawn'][:, 4]):.3f}")
        cells.append(f"{found[name, full]['seconds']:.0f}" if (name, full) in found else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    gains = [difference(truth, rows[OURS][test], rows[RESIDUAL][test]) for test in TESTS]
    told = " | ".join(f"{gain:+.3f} ± {spread:.3f}" for gain, spread in gains)
    nothing = np.zeros(truth.shape), np.zeros(truth.shape, dtype=bool)
    mean, spread = difference(truth, rows[OURS][SHOWN], nothing)
    lines += [
        f"| **{OURS} less {RESIDUAL}** | {told} | | | | |",
        "",
        "± one standard deviation over test images drawn again. Wanted: 0.05 above the residual network; at"
        f" 10⁴ photons 0.90, where {OURS} has {mean:.3f} ± {spread:.3f}; a calibration error of 0.03 of each"
        " tag. Alone: without simulated images beside the labelled ones (`--replay 0`).",
    ]
    lines += by_tag(truth, {name: rows[name] for name in (RESIDUAL, OURS)})
    for number in (*NUMBERS, full):
        logits = found[OURS, number]
        verdict[f"{OURS}, own thresholds", number] = {test: verdicts(left, logits[test]) for test in TESTS}
    lines += by_number(truth, verdict, full)
    return "\n".join(lines) + "\n"


def by_tag(truth: np.ndarray, rows: Mapping[str, dict[str, Verdict]]) -> list[str]:
    """Lines of the table of tags."""
    columns = [(name, test) for test in ("drawn", SHOWN) for name in rows]
    lines = [
        "",
        "## By tag",
        "",
        "Precision, recall, F1, average precision, calibration error.",
        "",
        f"| tag | test images | {' | '.join(f'{name}, {test}' for name, test in columns)} |",
        "|" + "---|" * (len(columns) + 2),
    ]
    tables = [scores(truth, rows[name][test]) for name, test in columns]
    for k, name in enumerate(LABELS):
        cells = (" ".join(f"{x:.2f}" for x in one[k, :4]) + f" {one[k, 4]:.3f}" for one in tables)
        lines.append(f"| {name} | {truth[:, k].sum()} | {' | '.join(cells)} |")
    return lines


def by_number(
    truth: np.ndarray, verdict: Mapping[tuple[str, int], dict[str, Verdict]], full: int
) -> list[str]:
    """Lines of the learning curve, of those that were asked with fewer labels."""
    numbers = (*NUMBERS, full)
    lines = [
        "",
        "## By number of labels",
        "",
        "Mean F1, as drawn; at 10⁴ photons. Of 1,000 labels 150 choose the thresholds, of which one or two"
        " have a rare tag; own thresholds are those of the installed network, found on its prior.",
        "",
        f"| contestant | {' | '.join(map(str, numbers))} |",
        "|" + "---|" * (len(numbers) + 1),
    ]
    for name in (name for name, number in verdict if number == NUMBERS[0]):
        two = [[verdict[name, number][test] for test in ("drawn", SHOWN)] for number in numbers]
        cells = ("; ".join(f"{np.nanmean(scores(truth, one)[:, 2]):.3f}" for one in both) for both in two)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines
