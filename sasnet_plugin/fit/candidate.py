"""Fit one candidate model to one curve: several starts on a coarse copy of the data, then on all of it."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulate.bank import Bank
from ..simulate.clean import PD_TYPES, tier
from ..types import Curve, SasnetError
from .linear import cells
from .problem import TimeUpError, choose_free, experiment, set_ranges, solve_linear
from .result import ModelFit, Parameter
from .seeds import Seed, binned, nearest

#: Points of the coarse copy, and LM steps on it and on all points.
_COARSE_POINTS, _COARSE_STEPS, _FINE_STEPS = 50, 15, 40
#: Starts on the coarse copy, and how many of them go on to all points.
STARTS, FINALISTS = {"fast": 6, "medium": 5, "slow": 3}, {"fast": 3, "medium": 2, "slow": 1}
_PD_POINTS = {"fast": 35, "medium": 21, "slow": 9}


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
    start : dict, optional
        sasmodels' parameters of one more start, tried besides the bank's.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    model: str
    structure_factor: str | None
    probability: float = 0.0
    fixed: dict[str, float] | None = None
    ranges: dict[str, tuple[float, float]] | None = None
    seconds: float = 20.0
    start: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """sasmodels' name of the product or the form model."""
        return self.model if self.structure_factor is None else f"{self.model}@{self.structure_factor}"


def fit_candidate(task: Task, bank: Bank) -> ModelFit:
    """Fit by bumps' Levenberg-Marquardt from the bank's nearest curves.

    Raises
    ------
    SasnetError
        No start gave a finite curve.
    """
    began = time.process_time()
    data = binned(task.curve, task.dintensity)
    speed = tier(task.model)
    page = bank.page(task.model)
    seeds = nearest(page, task.model, task.structure_factor, data, count=3 * STARTS[speed])
    seeds = _varied(seeds, STARTS[speed], distributions={"fast": 2, "medium": 1, "slow": 0}[speed])
    if task.start is not None:
        seeds = [Seed(dict(task.start), 0.0), *seeds]
    coarse, coarse_error = coarsened(task.curve, task.dintensity)
    first: list[_Done] = []
    for seed in seeds:
        start = _start(task, seed)
        left = 0.6 * task.seconds - (time.process_time() - began)
        if first and left < 0:
            break
        done = _levenberg(coarse, coarse_error, task, start, _COARSE_STEPS, max(left, 1.0))
        if done is not None:
            first.append(done)
    if not first:
        raise SasnetError(f"{task.name}: no start gives a finite curve here; fix fewer parameters.")
    first.sort(key=lambda d: d.bic)
    final: list[_Done] = []
    for done in first[: FINALISTS[speed]]:
        left = task.seconds - (time.process_time() - began)
        if final and left < 0:
            break
        again = _levenberg(
            task.curve, task.dintensity, task, done.parameters, _FINE_STEPS, max(left, 0.2 * task.seconds)
        )
        if again is not None:
            final.append(again)
    if not final:
        raise SasnetError(f"{task.name}: no start gives a finite curve here; fix fewer parameters.")
    best = min(final, key=lambda d: d.bic)
    return _describe(task, best, time.process_time() - began)


@dataclass(frozen=True)
class _Done:
    parameters: dict[str, Any]
    fitness: Any
    free: list[str]
    errors: dict[str, float]
    chisq: float
    bic: float


def coarsened(curve: Curve, dintensity: NDArray[np.float64]) -> tuple[Curve, NDArray[np.float64]]:
    """A copy of at most 50 points, weighted means over cells even in ln q."""
    if len(curve) <= 1.3 * _COARSE_POINTS:
        return curve, dintensity
    total, average = cells(curve.q, dintensity, _COARSE_POINTS)

    def mean(column: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if column is None else average(column)

    q, intensity = average(curve.q), average(curve.intensity)
    # Within a cell a curve bends: a per cent of I is what the mean can be off by.
    error = np.hypot(1 / np.sqrt(total), 0.01 * np.abs(intensity))
    found = replace(
        curve,
        q=q,
        intensity=intensity,
        dintensity=error,
        dq=mean(curve.dq),
        dxl=mean(curve.dxl),
        dxw=mean(curve.dxw),
    )
    return found, error


def _varied(seeds: list[Seed], count: int, *, distributions: int) -> list[Seed]:
    """The best seeds, but no more than half of them with size distributions where there are others.

    A second distribution multiplies the cost of a curve, so dear models go without.
    """
    spread = [s for s in seeds if 0 < sum(k.endswith("_pd") for k in s.parameters) <= distributions]
    plain = [s for s in seeds if not any(k.endswith("_pd") for k in s.parameters)]
    if not plain:
        plain = [replace(s, parameters=_without_spread(s.parameters)) for s in seeds]
    wanted = min(len(spread), count // 2)
    chosen = plain[: count - wanted] + spread[:wanted]
    return sorted(chosen, key=lambda s: s.badness)


def _without_spread(parameters: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in parameters.items() if "_pd" not in k}


def _start(task: Task, seed: Seed) -> dict[str, Any]:
    start: dict[str, Any] = seed.parameters | (task.fixed or {})
    for key in list(start):
        if key.endswith("_pd_type") and not isinstance(start[key], str):
            start[key] = PD_TYPES[int(start[key])]
    for key in [k for k in start if k.endswith("_pd")]:
        start[f"{key}_n"], start[f"{key}_nsigma"] = quadrature(
            task.model, start.get(f"{key}_type", "gaussian")
        )
    if task.structure_factor is not None:
        start["radius_effective_mode"] = 1
    return start


def quadrature(model: str, kind: str) -> tuple[int, float]:
    """Points and number of standard deviations of a size distribution in every fit of a model.

    Parameters
    ----------
    model : str
        Form model: the dearer it is, the fewer points.
    kind : str
        gaussian, lognormal or schulz.
    """
    return _PD_POINTS[tier(model)], 3.0 if kind == "gaussian" else 5.0


def _levenberg(
    curve: Curve,
    dintensity: NDArray[np.float64],
    task: Task,
    start: dict[str, Any],
    steps: int,
    seconds: float,
) -> _Done | None:
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    held = frozenset(task.fixed or ())
    fitness = experiment(curve, dintensity, task.name, start, seconds=seconds)
    try:
        if not {"scale", "background"} & held:
            solve_linear(fitness)
        free, _ = choose_free(fitness, held)
    except (ValueError, TimeUpError):
        return None
    free = free[: max(1, len(curve) - 1)]
    set_ranges(fitness, free)
    for name, (low, high) in (task.ranges or {}).items():
        if name in free:
            parameter = getattr(fitness.model, name)
            parameter.value = float(np.clip(parameter.value, low, high))
            parameter.range(low, high)
    problem = FitProblem(fitness)
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            deviations = np.asarray(fit(problem, method="lm", steps=steps).dx)
        except TimeUpError:
            deviations = np.full(len(free), np.nan)
    fitness.deadline = np.inf
    chisq = float(np.sum(fitness.residuals() ** 2))
    if fitness.best[0] < chisq:
        for name, value in fitness.best[1].items():
            getattr(fitness.model, name).value = value
        chisq = fitness.best[0]
    fitness.update()
    state = {k: v for k, v in fitness.model.state().items() if k in _shape(fitness)}
    bic = chisq + len(free) * float(np.log(len(curve)))
    errors = dict(zip([p.name for p in problem._parameters], deviations, strict=True))
    return _Done(state, fitness, free, errors, chisq, bic)


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
    degrees = max(len(task.curve) - len(done.free), 1)
    return ModelFit(
        task.model, task.structure_factor, parameters, spread, done.chisq, done.chisq / degrees, done.bic,
        task.probability, seconds, np.asarray(fitness.theory(), dtype=float),
    )  # fmt: skip
