"""The best candidate by amoeba, differential evolution or DREAM: bumps' fitters, driven within a time."""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ...digits import significant
from ...types import Curve, SasnetError
from ...wording import option
from ..ledger import read_spent_time
from ..pool import answers
from ..problem.experiment import TimeUpError, rebuilt, silent
from ..result.model_fit import ModelFit, Posterior
from ..settings import EFFORT, OPTIMIZE, PROBLEM
from ..task import MORE_TIME, UNLIMITED, Budget, Counting, Method
from .bumps_fit import fitter_for, fitter_in_words

if TYPE_CHECKING:
    from ...simulate.bank import Bank

_NAMES = {"amoeba": "The amoeba", "de": "Differential evolution", "dream": "DREAM"}


@dataclass(frozen=True)
class Refinement:
    """A fit to treat by another method."""

    curve: Curve
    dintensity: NDArray[np.float64]
    fit: ModelFit
    method: Method
    until: float  #: Time of day (``time.time()``) at which it has to end.
    seed: int

    @property
    def name(self) -> str:
        return self.fit.name


@contextlib.contextmanager
def quiet(seed: int) -> Iterator[None]:
    """Silent, and seeded: bumps draws from numpy's global state."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    _seed_compiled()(seed)
    try:
        with silent():
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


@lru_cache(maxsize=1)
def _seed_compiled() -> Callable[[int], object]:
    """Seeds the generator of compiled functions, which has a state of its own."""
    # Where numba is installed, as with SasView, bumps' steps are compiled and draw from that one.
    try:
        numba: Any = importlib.import_module("numba")
    except ImportError:
        return lambda seed: None

    def seed_generator(seed: int) -> None:
        np.random.seed(seed)  # noqa: NPY002

    return cast("Callable[[int], object]", numba.njit(seed_generator))


class _Clock:
    """Says when the time is up, and remembers that it was."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.late = False

    def __call__(self) -> bool:
        self.late = self.late or time.time() > self.until
        return self.late

    @property
    def remaining(self) -> float:
        """Seconds."""
        return self.until - time.time()


def _run(problem: Any, clock: _Clock, fitter: str, **options: Any) -> Any:
    """One of bumps' fitters, run until it ends or the time is up; None where it did not begin."""
    from bumps.fitters import FITTERS, FitDriver

    def values(points: Any) -> list[float]:
        chisqs = []
        for point in points:
            if clock():  # a generation of a slow model takes longer than the time that is left
                raise TimeUpError
            chisqs.append(problem.nllf(point))
        return chisqs

    chosen = next(f for f in FITTERS if f.id == fitter)
    driver = FitDriver(
        fitclass=chosen, problem=problem, monitors=[], abort_test=clock, mapper=values, **options
    )
    driver.clip()
    try:
        driver.fit()
    except TimeUpError:
        clock.late = True
    return driver.fitter


def minimise(problem: Any, fitness: Any, job: Refinement) -> bool:
    """Run amoeba or de; the best point is the experiment's own. Whether it was cut short."""
    clock = _Clock(job.until)
    if job.method.name == "de":
        _set_missing_limits(fitness, job.fit)
        problem.model_reset()
    _run(problem, clock, job.method.name)
    return clock.late


def _set_missing_limits(fitness: Any, fit: ModelFit) -> None:
    """Limits where there are none: a population is drawn between limits."""
    for name in fit.free:
        p = fit.parameters[name]
        if np.isfinite(p.low) and np.isfinite(p.high):
            continue
        reach = 10 * (abs(p.value) or float(np.median(fitness.dIq)))
        getattr(fitness.model, name).range(max(p.low, p.value - reach), min(p.high, p.value + reach))


def sample(problem: Any, job: Refinement) -> tuple[Posterior | None, bool]:
    """DREAM's samples of the posterior, and whether it was cut short (J. A. Vrugt et al., 2009)."""
    clock = _Clock(job.until)
    method = job.method
    begin, seconds_each = _beginning(problem)
    # bumps sets memory aside for every draw: not for many more than the time allows.
    draws = min(method.samples, max(int(3 * clock.remaining / seconds_each), OPTIMIZE.kept_draws // 10))
    thin = -(-draws // OPTIMIZE.kept_draws)
    fitter = _run(
        problem, clock, "dream", samples=draws, burn=method.burn, thin=thin, init=begin,
        outliers="iqr", trim=False,
    )  # fmt: skip
    late = clock.late or draws < method.samples
    state = getattr(fitter, "state", None)
    if state is None or state.generation < PROBLEM.fewest_points:
        return None, late
    state.mark_outliers()
    _, chains = state.traces(portion=1.0)
    # Of all steps bumps keeps the last ones. A run that was cut short has burnt in for half of it at most.
    steps = int(state.generation)
    burnt = min(method.burn + 1, steps // 2)
    chains = np.asarray(chains)[max(0, (burnt - steps) // thin + len(chains)) :]
    if len(chains) < PROBLEM.fewest_points:
        return None, late
    order = list(map(list(problem.labels()).index, job.fit.free))
    return posterior_of(job.fit.free, chains[:, :, order], np.random.default_rng(job.seed)), late


@dataclass(frozen=True)
class Refined:
    """The fit afterwards, and what to say of it."""

    fit: ModelFit
    notes: tuple[str, ...]


def refine_best(
    pool: Counting,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fit: ModelFit,
    method: Method,
    seconds: float,
    rng: np.random.Generator,
) -> tuple[ModelFit, list[str]]:
    """Refine the best fit by a method other than lm in a process killed when time is up."""
    until = time.time() + EFFORT.planned * seconds
    job = Refinement(curve, dintensity, fit, method, until, int(rng.integers(2**32)))
    ((_, answer),) = answers(pool, refine, [job], seconds)
    if isinstance(answer, SasnetError):
        return fit, [f"{method.name} was ended, so nothing of it was used: {answer}"]
    return answer.fit, list(answer.notes)


def refine(job: Refinement, bank: Bank | None = None, budget: Budget = UNLIMITED) -> Refined:
    """Run the method; its values replace those of the fit where their χ² is smaller."""
    # Work for a pool, which needs no bank. It has its own time: it ends soon after ``job.until``, but not
    # where a model does not return.
    spent_time = read_spent_time()
    if not job.fit.free:
        return Refined(job.fit, (f"{job.name}: no parameter is free, so {job.method.name} was not run.",))
    seconds_left = max(job.until - time.time(), 0.1)
    problem, fitness = rebuilt(job.curve, job.dintensity, job.fit, seconds=seconds_left, bounded=False)
    old_chisq = float(np.sum(fitness.residuals() ** 2))
    name = _NAMES[job.method.name]
    with quiet(job.seed):
        if job.method.name == "dream":
            posterior, late = sample(problem, job)
        else:
            posterior, late = None, minimise(problem, fitness, job)
        refined_fit = _from_best(job, old_chisq, fitness.best, OPTIMIZE.least_share * seconds_left)
    notes = [f"{name} was cut short by the time limit; {MORE_TIME}."] if late else []
    notes += (
        _describe_posterior(posterior)
        if job.method.name == "dream"
        else [_describe_gain(name, old_chisq, refined_fit)]
    )
    seconds = job.fit.seconds + read_spent_time() - spent_time
    return Refined(replace(refined_fit or job.fit, posterior=posterior, seconds=seconds), tuple(notes))


def _describe_gain(name: str, old_chisq: float, fit: ModelFit | None) -> str:
    """What a method that looks for the minimum has brought."""
    if fit is None:
        return f"{name} found no better fit than Levenberg-Marquardt."
    return f"{name} brought χ² of {fit.name} from {significant(old_chisq, 5)} to {significant(fit.chisq, 5)}."


def _describe_posterior(posterior: Posterior | None) -> list[str]:
    if posterior is None:
        return ["DREAM had no time for samples, so there are no credible intervals."]
    if not posterior.converged:
        return [
            f"DREAM has not converged (Gelman-Rubin R {posterior.gelman_rubin:.2f}): its intervals may"
            f" still change; increase {option('burn')} and {option('samples')}."
        ]
    return []


def _from_best(
    job: Refinement, old_chisq: float, best: tuple[float, dict[str, Any]], seconds: float
) -> ModelFit | None:
    """The best point seen, a few steps of Levenberg-Marquardt further, with the errors there."""
    # A gain that makes no difference is no reason for other values than Levenberg-Marquardt's: None.
    if best[0] >= old_chisq * (1 - OPTIMIZE.enough):
        return None
    start = dict(job.fit.parameters)
    for name in job.fit.free:
        p = start[name]
        start[name] = replace(p, value=float(np.clip(best[1][name], p.low, p.high)))
    at_best = replace(job.fit, parameters=start)
    problem, fitness = rebuilt(job.curve, job.dintensity, at_best, seconds=seconds)
    fitness.residuals()  # so that the start is the best seen, if the time is up at once
    deviations = run_lm(problem, fitness, steps=OPTIMIZE.steps)
    theory = np.asarray(fitness.theory(), dtype=float)
    chisq = float(np.sum(((job.curve.intensity - theory) / job.dintensity) ** 2))
    for name in job.fit.free:
        value, error = float(getattr(fitness.model, name).value), deviations[name]
        start[name] = replace(start[name], value=value, error=error if np.isfinite(error) else None)
    count, points = len(job.fit.free), len(job.curve)
    return replace(
        job.fit,
        parameters=start,
        chisq=chisq,
        reduced_chisq=chisq / max(points - count, 1),
        bic=chisq + count * float(np.log(points)),
        theory=theory,
        fitter=fitter_in_words(f"{job.method.name}, then {fitter_for(count)}"),
    )


def run_lm(problem: Any, fitness: Any, **options: float) -> dict[str, float]:
    """Run Bumps' Levenberg-Marquardt from an experiment and leave it at the best point; its simplex if one
    parameter is free (`bumps_fit.fitter_for`).
    """
    # Takes Bumps' ``steps``, ``ftol``, ``xtol``; returns standard deviations, NaN if time was up.
    from bumps.fitters import fit

    names = [p.name for p in problem._parameters]
    with silent():
        try:
            deviations = np.asarray(fit(problem, method=fitter_for(len(names)), **options).dx)
        except TimeUpError:
            deviations = np.full(len(names), np.nan)
    fitness.deadline = np.inf
    if fitness.best[0] < float(np.sum(fitness.residuals() ** 2)):
        for name, value in fitness.best[1].items():
            getattr(fitness.model, name).value = value
        fitness.update()
    return {name: float(error) for name, error in zip(names, deviations, strict=True)}


def _beginning(problem: Any) -> tuple[str, float]:
    """How bumps begins chains, and the seconds of an evaluation."""
    try:
        # Chains that begin where the curvature of χ² puts them need little burn-in.
        begin = "cov" if np.all(np.isfinite(problem.cov(problem.getp()))) else "eps"
        start = time.perf_counter()
        problem.nllf(problem.getp())
        return begin, time.perf_counter() - start
    except (np.linalg.LinAlgError, TimeUpError):
        return "eps", 1e-3


#: Samples of a posterior that are kept: enough for a corner plot, few enough to send and store.
KEPT = 2000
#: Probability inside one standard deviation of a normal distribution.
_ONE_SIGMA = 0.682689492137


def posterior_of(names: Sequence[str], chains: NDArray[np.float64], rng: np.random.Generator) -> Posterior:
    """Summarise chains (steps, chains, k) after burn-in; `rng` picks the samples that are kept."""
    flat = chains.reshape(-1, chains.shape[-1])
    inner, outer = (
        np.quantile(flat, [(1 - part) / 2, (1 + part) / 2], axis=0) for part in (_ONE_SIGMA, 0.95)
    )
    samples_kept = flat
    if len(flat) > KEPT:
        samples_kept = flat[np.sort(rng.choice(len(flat), KEPT, replace=False))]
    return Posterior(
        tuple(names),
        samples_kept.copy(),
        {name: (float(low), float(high)) for name, low, high in zip(names, *inner, strict=True)},
        {name: (float(low), float(high)) for name, low, high in zip(names, *outer, strict=True)},
        float(np.max(split_r(chains))),
        len(flat),
    )


def split_r(chains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Gelman and Rubin's R (k,) of chains (steps, chains, k), each split in halves to detect drift;
    infinite below four steps or without motion.
    """
    # A. Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), equations 11.1 to 11.4.
    half = len(chains) // 2
    if half < 2:
        return np.full(chains.shape[-1], np.inf)
    pieces = np.concatenate([chains[:half], chains[-half:]], axis=1)
    within = np.mean(np.var(pieces, axis=0, ddof=1), axis=0)
    between = np.var(np.mean(pieces, axis=0), axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r_hat = np.sqrt((half - 1) / half + between / within)
    return np.asarray(np.where(within > 0, r_hat, np.inf))
