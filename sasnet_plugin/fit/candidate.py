"""Fit one candidate model to one curve."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulate.bank import Bank
from ..simulate.clean import tier
from ..types import Curve, SasnetError
from .covariance import strong_pairs
from .problem import TimeUpError, choose_free, experiment, fittable, set_ranges, silent
from .result import ModelFit, Parameter
from .smearing import apply_sampling
from .starts import polished
from .widths import MOST, widths_of

#: Steps of bumps' LM on all points.
_STEPS = 40
#: Relative change of χ² and of the parameters at which it ends; bumps' own 1e-10 follows flat valleys on.
_ENOUGH = 1e-4
#: A width of so many standard deviations is there for sure.
_NEEDED = 4.0
FAR_OFF = "So much worse than others from every start that it was not fitted to the end."


@dataclass(frozen=True)
class Task:
    """A candidate to fit.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Positive.
    model : str
        Form model.
    structure_factor : str or None
    probability : float
        Of the network.
    fixed : dict
        Parameters that the user gives.
    ranges : dict
        Ranges that the user gives, (low, high) by name.
    seconds : float
        CPU time that it should take; a fit that needs more ends with the best point it has seen.
    starts : tuple of dict
        Parameters to start from instead of the bank's.
    bar : float
        The least reduced χ² of the candidates fitted so far.
    extra : dict, optional
        Parameters of one more start, besides the bank's.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    model: str
    structure_factor: str | None
    probability: float = 0.0
    fixed: dict[str, float] | None = None
    ranges: dict[str, tuple[float, float]] | None = None
    seconds: float = 8.0
    starts: tuple[dict[str, Any], ...] = ()
    bar: float = np.inf
    extra: dict[str, Any] | None = None

    def run(self, bank: Bank) -> ModelFit:
        """Fit it; see `fit_candidate`."""
        return fit_candidate(self, bank)

    def dispatched(self, reduced_chisq: float, seconds: float) -> Task:
        """The same, knowing the best fit so far and what time there is."""
        return replace(self, bar=reduced_chisq, seconds=min(seconds, self.seconds))

    @property
    def name(self) -> str:
        """sasmodels' name of the product or the form model."""
        return self.model if self.structure_factor is None else f"{self.model}@{self.structure_factor}"


def fit_candidate(task: Task, bank: Bank) -> ModelFit:
    """Polish the bank's nearest curves, then fit the best by bumps' Levenberg-Marquardt.

    Raises
    ------
    SasnetError
        No start gave a finite curve.
    """
    began = time.process_time()
    starts = polished(task, bank, began)
    if starts.hopeless:
        as_it_is = _unfitted(task, starts.found[0].parameters, starts.per_decade)
        return replace(_describe(task, as_it_is, time.process_time() - began), warnings=(FAR_OFF,))
    final: list[_Done] = []
    for start in starts.found[: 2 if tier(task.model) == "fast" else 1]:
        left = task.seconds - (time.process_time() - began)
        if final and left < 0:
            break
        done = _levenberg(task, start.parameters, starts.per_decade, max(left, 0.2 * task.seconds))
        if done is not None:
            final.append(done)
    if not final:
        raise SasnetError(
            f"{task.name}: no start gives a finite curve with a positive scale; it does not describe these"
            " data, or too much is fixed."
        )
    best = _without_needless(task, min(final, key=lambda d: d.bic), began)
    return _describe(task, best, time.process_time() - began)


@dataclass(frozen=True)
class _Done:
    parameters: dict[str, Any]
    fitness: Any
    free: list[str]
    errors: dict[str, float]
    chisq: float
    bic: float
    per_decade: int | None


def _levenberg(task: Task, start: dict[str, Any], per_decade: int | None, seconds: float) -> _Done | None:
    """Bumps' Levenberg-Marquardt from a start; None where it cannot begin there."""
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    fitness = _at(task, start, per_decade)
    fitness.deadline = time.process_time() + seconds
    try:
        free, same = choose_free(fitness, frozenset(task.fixed or ()))
    except ValueError:
        return None
    except TimeUpError:
        return _unfitted(task, start, per_decade)
    free = free[: max(1, len(task.curve) - 1)]
    if not free:
        return None  # nothing moves the curve: it has no value here
    _allow(task, fitness, free)
    problem = FitProblem(fitness)
    with silent():
        try:
            deviations = np.asarray(fit(problem, method="lm", steps=_STEPS, ftol=_ENOUGH, xtol=_ENOUGH).dx)
        except TimeUpError:
            deviations = np.full(len(free), np.nan)
    fitness.deadline = np.inf
    if fitness.best[0] < float(np.sum(fitness.residuals() ** 2)):
        for name, value in fitness.best[1].items():
            getattr(fitness.model, name).value = value
        fitness.update()
    # A size that the data cannot tell was chosen all the same: the model is no simpler for it. Contrast and
    # concentration are but other names of the scale.
    chosen = [n for n in same if "sld" not in n and n not in ("scale", "background", "volfraction")]
    errors = dict(zip([p.name for p in problem._parameters], deviations, strict=True))
    return _done(task, fitness, free, len(chosen), errors, per_decade)


def _without_needless(task: Task, done: _Done, began: float) -> _Done:
    """Without widths of distributions that the evidence is not for."""
    for name in widths_of(done.free):
        error, left = done.errors.get(name, np.nan), task.seconds - (time.process_time() - began)
        if not error > done.parameters.get(name, 0.0) / _NEEDED or left < 0:
            continue
        start = {k: v for k, v in done.parameters.items() if not k.startswith(name)}
        without = _levenberg(task, start, done.per_decade, left)
        if without is not None and without.bic < done.bic:
            done = without
    return done


def _unfitted(task: Task, start: dict[str, Any], per_decade: int | None) -> _Done:
    """A polished start as it stands: what the data could tell of its parameters is not known."""
    fitness = _at(task, start, per_decade)
    known = fitness.model.parameters()
    names = fittable(fitness.model.sasmodel.info, start)
    free = [n for n in names if n in known and n not in (task.fixed or ())][: max(1, len(task.curve) - 1)]
    _allow(task, fitness, free)
    return _done(task, fitness, free, 0, {}, per_decade)


def _at(task: Task, start: dict[str, Any], per_decade: int | None) -> Any:
    fitness = experiment(task.curve, task.dintensity, task.name, start)
    if per_decade is not None:
        apply_sampling(fitness, task.curve, per_decade)
    return fitness


def _allow(task: Task, fitness: Any, free: list[str]) -> None:
    """Ranges of the free parameters, the user's where there are any."""
    set_ranges(fitness, free)
    for name, (low, high) in (task.ranges or {}).items():
        if name in free:
            parameter = getattr(fitness.model, name)
            parameter.value = float(np.clip(parameter.value, low, high))
            parameter.range(low, high)
    fitness.update()


def _done(
    task: Task, fitness: Any, free: list[str], chosen: int, errors: dict[str, float], per_decade: int | None
) -> _Done:
    chisq = float(np.sum(fitness.residuals() ** 2))
    state = {k: v for k, v in fitness.model.state().items() if k in _shape(fitness)}
    bic = chisq + (len(free) + chosen) * float(np.log(len(task.curve)))
    return _Done(state, fitness, free, errors, chisq, bic, per_decade)


def _unit(text: str | None) -> str:
    """sasmodels writes "None" where a parameter has no unit."""
    return "" if text in (None, "None", "none") else str(text)


def _shape(fitness: Any) -> set[str]:
    """Names worth keeping: table parameters, and distributions of non-zero width."""
    info = fitness.model.sasmodel.info
    names = {p.name for p in info.parameters.call_parameters if p.type not in ("orientation", "magnetic")}
    for p in info.parameters.call_parameters:
        if p.polydisperse and getattr(fitness.model, f"{p.name}_pd").value > 0:
            names |= {f"{p.name}_pd", f"{p.name}_pd_n", f"{p.name}_pd_nsigma", f"{p.name}_pd_type"}
    return names


def _describe(task: Task, done: _Done, seconds: float) -> ModelFit:
    fitness, errors = done.fitness, done.errors
    units = {p.name: p.units for p in fitness.model.sasmodel.info.parameters.call_parameters}
    parameters = {}
    for name, value in done.parameters.items():
        if isinstance(value, str) or name.endswith(("_pd_n", "_pd_nsigma")):
            continue
        fitted = name in done.free
        low, high = getattr(fitness.model, name).bounds if fitted else (value, value)
        error = errors.get(name)
        parameters[name] = Parameter(
            float(value),
            float(error) if fitted and error is not None and np.isfinite(error) else None,
            _unit(units.get(name)),
            not fitted,
            float(low),
            float(high),
        )
    spread = {k.removesuffix("_pd_type"): v for k, v in done.parameters.items() if k.endswith("_pd_type")}
    points = [int(v) for k, v in done.parameters.items() if k.endswith("_pd_n")]
    degrees = max(len(task.curve) - len(done.free), 1)
    return ModelFit(
        task.model, task.structure_factor, parameters, spread, done.chisq, done.chisq / degrees, done.bic,
        task.probability, seconds, np.asarray(fitness.theory(), dtype=float),
        correlations=_correlations(task, done), per_decade=done.per_decade,
        pd_points=max(points, default=MOST[tier(task.model)]),
    )  # fmt: skip


def _correlations(task: Task, done: _Done) -> dict[tuple[str, str], float]:
    """Strong correlations of the fitted parameters; none where a curve is too dear for it."""
    if not any(np.isfinite(error) for error in done.errors.values()):
        return {}
    began = time.process_time()
    done.fitness.update()
    done.fitness.residuals()
    names = [name for name in done.free if name in done.parameters]  # a width of 0 is none
    cost = (time.process_time() - began) * (len(names) + 1)
    return strong_pairs(done.fitness, names) if cost < 0.1 * task.seconds else {}
