"""Does a fit that is told nothing succeed more often than fits that are told the model?

``python -m benchmarks fitting/fitting --work W`` draws curves under the realistic protocol, over all form
models, and lets each contestant fit each of them: sasnet (model unknown, its five best guesses), and with the
true model given Levenberg-Marquardt from sasmodels' default values, Nelder-Mead from ten random starts, and
differential evolution. A fit succeeds when its reduced χ² is at most 1.1 times the truth's own. Every answer
is kept in ``W`` as it comes, so a killed run goes on; ``--write`` puts the table into
``benchmarks/fitting/fitting.md``.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from ..asked import parser_of
from ..kept import Here, kept, run
from .report import table
from .sampled import sampling_of
from .task import CONTESTANTS, LIMIT, PATIENCE, STARTS, SUCCESS, Problem, problem
from .varied import choose_free, set_ranges


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """One contestant's answer to one problem, as JSON has it."""
    given = problem(index, seed)
    began = time.process_time()
    answer = (
        _sasnet(given)
        if contestant == "sasnet"
        else _told(contestant, given, np.random.default_rng([seed, index, 1]))
    )
    found = {
        "index": index, "model": given.name, "points": len(given.curve), "truth": given.truth,
        "seconds": time.process_time() - began, **answer,
    }  # fmt: skip
    found["success"] = bool(found["reduced_chisq"] <= SUCCESS * given.truth)
    return found


def _sasnet(given: Problem) -> dict[str, Any]:
    """The product's own chain with its default options: 60 s of two processes."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.predict.class_prior import UNIFORM

    # Problems are drawn so: every form model as often as every other.
    result = fit_with(Here(), given.curve, FitOptions(time_limit=LIMIT, prior=UNIFORM))
    if result.best is None:
        return {"reduced_chisq": float("inf"), "best": None, "weight_of_truth": 0.0, "weight_of_alike": 0.0}
    least = min(f.reduced_chisq for f in result.fits)
    return {
        "reduced_chisq": least,
        "best": result.best.name,
        "ranking": [[f.name, f.weight, f.reduced_chisq, f.seconds] for f in result.fits],
        "weight_of_truth": sum(f.weight for f in result.fits if f.model == given.form),
        "weight_of_alike": sum(f.weight for f in result.fits if f.name in _alike(result, given.form)),
        "values": {k: [p.value, p.error] for k, p in result.best.parameters.items() if not p.fixed},
    }


def _alike(result: Any, form: str) -> set[str]:
    """Fits of the true form, of its group, and those that this curve cannot tell from its best."""
    from sasnet_plugin.fitting.evidence.weights import alike
    from sasnet_plugin.predict import open_classifier

    group = next((g.members for g in open_classifier().manifest.groups if form in g.members), (form,))
    found = {f.name for f in result.fits if f.model in group}
    true = [f for f in result.fits if f.model == form]
    if true:
        best = min(true, key=lambda f: f.chisq)
        found |= set(alike([best, *(f for f in result.fits if f is not best)]))
    return found


def _told(contestant: str, given: Problem, rng: np.random.Generator) -> dict[str, Any]:
    """bumps' fitter with the true model, polydisperse where the truth is."""
    from bumps.fitproblem import FitProblem

    from sasnet_plugin.fitting.problem.experiment import experiment, silent
    from sasnet_plugin.fitting.problem.resolution import apply_sampling
    from sasnet_plugin.fitting.settings import PROBLEM
    from sasnet_plugin.simulate.quick_models.cost_classes import cost_class

    start: dict[str, Any] = {"radius_effective_mode": 1} if given.factor else {}
    for key in given.parameters:
        if key.endswith("_pd"):
            # As many points as sasnet's own fits have: expensive models could not be fitted with 35.
            start |= {key: 0.1, f"{key}_n": PROBLEM.width_points[cost_class(given.form)]}
    fitness = experiment(given.curve, given.dintensity, given.name, start)
    # As many points of q as the truth's fringes need: sasmodels' own would alias them for everyone.
    true = experiment(given.curve, given.dintensity, given.name, _truth(given))
    finest = {"fast": PROBLEM.sharpest, "medium": 2 * PROBLEM.fine, "slow": PROBLEM.fine}[
        cost_class(given.form)
    ]
    apply_sampling(fitness, given.curve, sampling_of(true, given.curve, finest))
    # Where the intensity lies is no secret: the data themselves say it.
    theory = np.asarray(fitness.theory())
    if np.all(np.isfinite(theory)) and theory.max() > 0:
        fitness.model.scale.value = float(np.max(given.curve.intensity) / np.max(theory))
    fitness.model.background.value = float(max(np.min(given.curve.intensity), 0.0))
    fitness.update()
    # What it takes to find the truth's sampling is not the contestant's doing.
    began = time.process_time()
    deadline = began + PATIENCE[contestant]
    free, _ = choose_free(fitness, frozenset())
    set_ranges(fitness, free)
    if contestant == "de":
        # A population is drawn between limits, and sasmodels gives these two none.
        scale, background = fitness.model.scale, fitness.model.background
        scale.range(0.0, 10 * scale.value)
        background.range(-background.value, 2 * background.value or float(np.median(given.dintensity)))
    problem_ = FitProblem(fitness)
    origin = problem_.getp().copy()
    starts = [origin]
    if contestant == "amoeba":
        starts += [origin * np.exp(rng.normal(0, 0.7, origin.size)) for _ in range(STARTS - 1)]
    for point in starts:
        problem_.setp(point)
        np.random.seed(int(rng.integers(2**31)))  # noqa: NPY002  bumps draws from the global state
        with silent():
            steps = _fit(contestant, problem_, fitness, deadline)
        if time.process_time() > deadline:
            break
    least, seconds = float(fitness.best[0]), time.process_time() - began
    reduced = least / max(len(given.curve) - len(free), 1)
    late = seconds > PATIENCE[contestant]
    return {"reduced_chisq": reduced, "seconds": seconds, "steps": steps, "late": late}


def _truth(given: Problem) -> dict[str, Any]:
    """The true parameters, with the scale and the background that fit best."""
    from sasnet_plugin.fitting.problem.free_parameters import completed
    from sasnet_plugin.fitting.problem.model_curves import ModelCurves
    from sasnet_plugin.fitting.settings import PROBLEM
    from sasnet_plugin.simulate.quick_models.cost_classes import cost_class

    mode = {"radius_effective_mode": 1} if given.factor else {}
    truth = completed(given.parameters, PROBLEM.width_points[cost_class(given.form)]) | mode
    local = ModelCurves(given.curve, given.dintensity, given.name, per_decade=PROBLEM.fine)
    _, scales, background = local.solved(truth)
    return truth | {"scale": float(scales[0]), "background": background}


def _fit(contestant: str, problem_: Any, fitness: Any, deadline: float) -> int:
    """Run bumps' fitter until it ends or has used its time; the experiment keeps the best that it sees.

    Returns the generations that differential evolution began.
    """
    from bumps.fitters import FITTERS, FitDriver

    from sasnet_plugin.fitting.problem.experiment import TimeUpError

    def late() -> bool:
        return time.process_time() > deadline

    def values(points: Any) -> list[float]:
        if late():  # DE asks for an end after a whole generation only, and that may take minutes
            raise TimeUpError
        steps[0] += 1
        return [np.inf if late() else problem_.nllf(point) for point in points]

    def in_time(*arguments: Any, **options: Any) -> float:
        if late():  # Nelder-Mead builds its first simplex without a look at the clock
            raise TimeUpError
        return float(nllf(*arguments, **options))

    steps = [0]
    nllf = type(problem_).nllf.__get__(problem_)
    if contestant == "amoeba":
        problem_.nllf = in_time
    chosen = next(f for f in FITTERS if f.id == contestant)
    # bumps takes an error in nllf for an impossible point, in residuals it lets it pass.
    fitness.deadline = deadline if contestant == "lm" else np.inf
    driver = FitDriver(fitclass=chosen, problem=problem_, monitors=[], abort_test=late, mapper=values)
    driver.clip()
    with contextlib.suppress(TimeUpError):
        driver.fit()
    return steps[0]


def main() -> None:
    """Run the contestants, print the table, and write it if asked to."""
    parser = parser_of(__doc__, work=True, count=300, seed=2026, workers=2)
    parser.add_argument("--contestants", nargs="*", default=list(CONTESTANTS), choices=list(CONTESTANTS))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    found = {
        key: run(solve, key, options.count, options.seed, options.work, options.workers)
        for key in options.contestants
    }
    sample = kept(options.work / f"de-uncut-{options.seed}.jsonl")  # of `uncut`
    again = kept(options.work / f"lm-again-{options.seed}.jsonl")  # of `again`
    report = table(found, options.seed, list(sample.values()), list(again.values()))
    print(report)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(f"# Fitting\n\n{report}", encoding="utf-8")
