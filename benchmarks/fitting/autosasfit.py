"""autoSASfit's task with 200 problems: how often is a bad start, or none, led to the true parameters?

``python -m benchmarks fitting/autosasfit --work W`` draws the problems of `autosasfit_task`; with ``--seed 0
--per-model 5`` they are the very 20 that autoSASfit published 65, 70 and 50 % for. Its contestants are given
the true model, the contrast and the ranges, and twelve fits by Levenberg-Marquardt of 200 steps; sasnet is
given the curve alone. A parameter that no measurement with this noise could tell (`identifiable`) does not
count. Every answer is kept in ``W``; ``--write`` puts the tables into ``benchmarks/fitting/autosasfit.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from ..asked import parser_of
from ..kept import Here, Solver, run
from .autosasfit_report import report
from .autosasfit_task import REPORTED_SEED, SPECS, WITHIN, Problem, accepted, intensity, problem
from .identifiable import as_model, identifiable, least_errors
from .task import LIMIT

STARTS, STEPS, JITTER = 12, 200, 0.2
AMOEBA_STARTS = 3
Point = dict[str, float]
CONTESTANTS = {
    "sasnet": "sasnet, model and contrast unknown, no start",
    "lm": "LM from the bad start",
    "random": f"LM from it and {STARTS - 1} random starts",
    "lhs": f"LM from it and {STARTS - 1} of a Latin hypercube",
    "restart": f"LM from it, {STARTS - 1} times restarted near the best so far",
    "amoeba": f"bumps' amoeba with {AMOEBA_STARTS} starts of its own, the bad one first",
}


def solve(contestant: str, index: int, seed: int, *, per_model: int) -> dict[str, Any]:
    """One contestant's answer to one problem, as JSON has it."""
    given = problem(index, seed, per_model)
    truth = given.draft.truth
    errors = least_errors(partial(intensity, given.draft.model), truth, given.dintensity)
    known = identifiable(errors, WITHIN)
    began = time.process_time()
    tried, answer = _sasnet(given) if contestant == "sasnet" else (_told(contestant, given), {})
    seconds = time.process_time() - began

    def meets(names: tuple[str, ...], fits: list[tuple[Point, float]]) -> bool:
        return any(accepted(given, values, chisq, names) for values, chisq in fits)

    best = [min(tried, key=lambda one: one[1])] if tried else []
    every = tuple(truth)
    return {
        "index": index, "model": given.draft.model, "seconds": seconds, "truth": truth,
        "least_errors": {k: v if np.isfinite(v) else None for k, v in errors.items()}, "identifiable": known,
        # As autoSASfit counts: one of the fits met the truth; and as a user must: the one of least χ².
        "any_every": meets(every, tried), "every": meets(every, best),
        "any": meets(known, tried), "success": meets(known, best),
        "found": best[0][0] if best else None, "reduced_chisq": best[0][1] if best else None, **answer,
    }  # fmt: skip


def _sasnet(given: Problem) -> tuple[list[tuple[Point, float]], dict[str, Any]]:
    """`sasnet fit` of the curve with its default options; the answer is its best fit alone."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.evidence.weights import alike
    from sasnet_plugin.fitting.task import FitOptions

    result = fit_with(Here(), given.curve, FitOptions(time_limit=LIMIT))
    best = result.best
    if best is None:
        return [], {"best": None}
    facts = {
        "best": best.name,
        "ranking": [[f.name, f.weight, f.reduced_chisq] for f in result.fits],
        "alike": alike(result.fits),
        "values": {k: p.value for k, p in best.parameters.items()},
        "notes": list(result.notes),
    }
    own = next((f for f in result.fits if f.name == given.draft.model), None)
    if own is not None:  # to see whether the search or the choice went wrong
        facts["own"] = {k: p.value for k, p in own.parameters.items()}
    found = as_truth(given, best.name, facts["values"], best.theory)
    return ([] if found is None else [(found, best.reduced_chisq)]), facts


def as_truth(given: Problem, name: str, values: Point, theory: np.ndarray) -> Point | None:
    """A fit in the true model's parameters, with the true contrast; None where it is another body."""
    model = given.draft.model
    unit = {"scale": 1.0, "background": 0.0}

    def curve(sizes: Any) -> np.ndarray:
        return intensity(model, {**sizes, **unit})

    return as_model(name, values, theory, model, given.spec.sizes, curve, given.dintensity)


def _told(contestant: str, given: Problem) -> list[tuple[Point, float]]:
    """bumps' fits with the true model: parameters and reduced χ² of each."""
    if contestant == "amoeba":
        np.random.seed(given.draft.seed % 2**32)  # noqa: NPY002  bumps draws from the global state
        return [_fit(given, given.draft.start, method="amoeba", starts=AMOEBA_STARTS, jump=0)]
    found: list[tuple[Point, float]] = []
    rng = np.random.default_rng(given.draft.seed)
    for start in _starts(contestant, given, rng, found):
        found.append(_fit(given, start, method="lm", steps=STEPS))
    return found


def _starts(
    contestant: str, given: Problem, rng: np.random.Generator, found: list[tuple[Point, float]]
) -> Iterator[Point]:
    spec = given.spec
    yield given.draft.start
    if contestant == "random":
        yield from (spec.drawn(rng) for _ in range(STARTS - 1))
    elif contestant == "lhs":
        yield from list(_hypercube(given, rng))[: STARTS - 1]
    elif contestant == "restart":
        for _ in range(STARTS - 1):
            best = min(found, key=lambda one: one[1])[0]
            yield {name: _jittered(given, name, value, rng) for name, value in best.items()}


def _hypercube(given: Problem, rng: np.random.Generator) -> Iterator[Point]:
    """Each parameter once in each twelfth of its range (McKay et al., Technometrics 21 (1979) 239)."""
    names = list(given.spec.bounds)
    share = (np.arange(STARTS)[:, None] + rng.random((STARTS, len(names)))) / STARTS
    for column in share.T:
        rng.shuffle(column)
    for row in share:
        yield {name: given.spec.between(name, value) for name, value in zip(names, row, strict=True)}


def _jittered(given: Problem, name: str, value: float, rng: np.random.Generator) -> float:
    step = rng.normal(0.0, JITTER)
    moved = value * np.exp(step) if name in ("scale", "background") else value * (1 + step)
    return float(np.clip(moved, *given.spec.bounds[name]))


def _fit(given: Problem, start: Point, **options: Any) -> tuple[Point, float]:
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    from sasnet_plugin.fitting.problem.experiment import experiment, silent

    fitness = experiment(given.curve, given.dintensity, given.draft.model, {**given.spec.fixed, **start})
    for name, bounds in given.spec.bounds.items():
        getattr(fitness.model, name).range(*bounds)
    with silent():
        fit(FitProblem(fitness), **options)
    values = {name: float(getattr(fitness.model, name).value) for name in given.spec.bounds}
    fitness.update()
    chisq = float(np.sum(fitness.residuals() ** 2))
    return values, chisq / (len(given.curve) - len(values))


def main() -> None:
    """Run the contestants, print the tables, and write them if asked to."""
    parser = parser_of(__doc__, work=True, seed=REPORTED_SEED, workers=2)
    parser.add_argument("--per-model", type=int, default=50, help="problems of each model")
    parser.add_argument("--count", type=int, help="only the first so many problems; models take turns")
    parser.add_argument("--contestants", nargs="*", default=list(CONTESTANTS), choices=list(CONTESTANTS))
    options = parser.parse_args()
    work = options.work / f"{options.per_model}-per-model"
    work.mkdir(parents=True, exist_ok=True)
    total = options.per_model * len(SPECS)
    count = min(options.count or total, total)
    solver: Solver = partial(solve, per_model=options.per_model)
    found = {
        CONTESTANTS[key]: run(solver, key, count, options.seed, work, options.workers)
        for key in options.contestants
    }
    text = report(found)
    print(text)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
