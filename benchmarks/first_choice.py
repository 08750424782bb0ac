"""Is the first answer of ``classify`` right, of curves whose model is known?

``python -m benchmarks first_choice --work W`` draws each model twice on three kinds of measurement, with the
prior of docs/prior.md and the background, noise and faults of the realistic protocol:

grid  a wide q range on the network's own grid, without smearing;
sans  the protocol's pinhole and time-of-flight SANS;
saxs  its laboratory and synchrotron SAXS and joined USAXS.

Each model is drawn as often, so the main figures are those of ``--prior uniform``; the default prior, which
takes usual models for likelier, is listed as well. Right is the true form factor, whatever the structure
factor. The expected calibration error (ECE) compares the probability of the first answer with the share that
is right, in ten classes of equal numbers. Few curves alone give an error, so the error of a calibrated
answer on as many curves is listed too.

Thirds 0 and 1 have fixed seeds; ``--third 2`` takes ``--seed``, to be chosen after the work. Answers are kept
in ``W`` as they come, so a killed run goes on. ``--write`` puts the table into
``benchmarks/first_choice.md``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .common import markdown, parser_of, percent, run, show
from .fitting.task import Problem, measurement

if TYPE_CHECKING:
    from sasnet_plugin.simulate.instrument import Setting

Rows = Sequence[dict[str, Any]]
#: Kinds of measurement, with the first words of the protocol's instruments that belong to them.
KINDS: dict[str, tuple[str, ...]] = {"grid": (), "sans": ("sans_",), "saxs": ("saxs_", "usaxs_")}
PRIORS = ("uniform", "common")
#: Seeds of the fixed thirds.
SEEDS = (890_101, 890_202)
#: Classes of equal numbers in the calibration error, and draws of a calibrated answer.
CLASSES, DRAWS = 10, 400


def draw_setting(kind: str, rng: np.random.Generator) -> Setting:
    """A setting of the protocol's instruments of a kind, or one on the network's own grid."""
    from sasnet_plugin.data.preprocess import N_GRID, Q_MAX, Q_MIN
    from sasnet_plugin.simulate.draws import loguniform
    from sasnet_plugin.simulate.grid import pinhole_matrix
    from sasnet_plugin.simulate.instrument import Setting, sample_setting

    if kind == "grid":
        grid = Q_MIN * (Q_MAX / Q_MIN) ** ((np.arange(N_GRID) + 0.5) / N_GRID)
        low, high = loguniform(5e-4, 5e-3, rng), rng.uniform(0.3, 1.0)
        q = grid[(grid > low) & (grid < high)]
        counts, sharp = loguniform(1e2, 1e5, rng), pinhole_matrix(q, np.zeros(q.size))
        return Setting("grid", q, None, None, counts, sharp, np.gradient(q))
    while True:
        setting = sample_setting(rng)
        if setting.instrument.startswith(KINDS[kind]):
            return setting


def draw_problem(kind: str, index: int, seed: int) -> Problem:
    """Curve number `index` of a kind; models take turns."""
    from sasnet_plugin.simulate.priors import form_models

    forms = form_models()
    rng = np.random.default_rng([seed, list(KINDS).index(kind), index])
    return measurement(
        forms[index % len(forms)], index, rng,
        draw_setting=lambda rng: draw_setting(kind, rng), truncated=False,
    )  # fmt: skip


def solve(kind: str, index: int, seed: int) -> dict[str, Any]:
    """The ranking of one curve under each prior."""
    from sasnet_plugin.predict import open_classifier

    problem = draw_problem(kind, index, seed)
    classifier = open_classifier()
    row: dict[str, Any] = {"index": index, "model": problem.name, "form": problem.form}
    for prior in PRIORS:
        began = time.process_time()
        (suggestion,) = classifier.suggest([problem.curve], prior=prior)
        row["seconds"] = time.process_time() - began
        row[prior] = [[guess.name, guess.probability] for guess in suggestion.models]
    row["success"] = row["uniform"][0][0] == problem.form
    return row


def calibration_error(probability: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Mean difference of stated probability and share that is right, over classes of equal numbers."""
    classes = np.array_split(np.argsort(probability, kind="stable"), CLASSES)
    return sum(
        abs(float(np.sum(probability[rows]) - np.sum(right[rows]))) / probability.size for rows in classes
    )


def figures(rows: Rows, prior: str) -> list[str]:
    """First place, first five, calibration error, and that of a calibrated answer on as many curves."""
    first = np.array([row[prior][0][0] == row["form"] for row in rows])
    in_five = [row["form"] in [name for name, _ in row[prior][:5]] for row in rows]
    probability = np.array([row[prior][0][1] for row in rows])
    rng = np.random.default_rng(0)
    chance = [calibration_error(probability, rng.random(first.size) < probability) for _ in range(DRAWS)]
    return [
        percent(float(first.mean())), percent(float(np.mean(in_five))),
        f"{calibration_error(probability, first):.3f}", f"{np.mean(chance):.3f}",
    ]  # fmt: skip


def main() -> None:
    """Classify, print the table, and write it if asked to."""
    parser = parser_of(
        __doc__, work=True, count=156, workers=1, third=(0, "0, 1 or 2"), seed=(0, "of the last third")
    )
    options = parser.parse_args()
    seed = (*SEEDS, options.seed)[options.third]
    lines = []
    for kind in KINDS:
        rows = run(solve, kind, options.count, seed, options.work, options.workers)
        seconds = float(np.median([row["seconds"] for row in rows]))
        lines += [[kind, prior, *figures(rows, prior), f"{1000 * seconds:.0f}"] for prior in PRIORS]
    header = ["kind", "prior", "first / %", "in five / %", "ECE", "ECE by chance", "CPU-ms, median"]
    page = (
        f"# First choice\n\n{options.count} curves of each kind, third {options.third}.\n\n"
        f"{markdown(header, lines, texts=2)}"
    )
    show(page, options.write, __file__)
