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
from ..simulate.kernel import load_model
from ..types import Curve, SasnetError
from .contrast import with_fixed
from .covariance import strong_pairs
from .linear import cells
from .plugins import page_of
from .polish import Polished, Polisher
from .problem import TimeUpError, choose_free, experiment, set_ranges
from .result import ModelFit, Parameter
from .seeds import Seed, binned, nearest
from .smearing import FINE, apply_sampling, sampling_needed

#: Points of the coarse copy that starts are polished on, and steps of bumps' LM on all points.
_COARSE_POINTS, _STEPS = 80, 40
#: Starts on the coarse copy; how many of them are followed further there; how many go on to all points.
STARTS = {"fast": 12, "medium": 6, "slow": 3}
_FOLLOWED, _FINALISTS = {"fast": 5, "medium": 3, "slow": 1}, {"fast": 3, "medium": 2, "slow": 1}
#: Points a decade at which starts are calculated; None: the measured ones, the rest costs too much.
_SAMPLING: dict[str, int | None] = {"fast": FINE, "medium": 100, "slow": None}
#: Widths of distributions that are tried on the best monodisperse fit, and the width that they start with.
_WIDTHS, _WIDTH = {"fast": 4, "medium": 2, "slow": 1}, 0.12
#: Points of a size distribution in the fit, and on the coarse copy.
_PD_POINTS, _PD_COARSE = {"fast": 35, "medium": 21, "slow": 9}, {"fast": 15, "medium": 9, "slow": 5}
#: A candidate whose starts are worse than the best fit so far by this factor is not followed any further.
_HOPELESS = 20.0


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
    seconds: float = 20.0
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
    speed = tier(task.model)
    best = _polished(task, bank, began)
    if not best:
        raise SasnetError(f"{task.name}: no start gives a finite curve here; fix fewer parameters.")
    final: list[_Done] = []
    for start in best[: 2 if speed == "fast" else 1]:
        left = task.seconds - (time.process_time() - began)
        if final and left < 0:
            break
        done = _levenberg(task, start.parameters, max(left, 0.2 * task.seconds))
        if done is not None:
            final.append(done)
    if not final:
        raise SasnetError(f"{task.name}: no start gives a finite curve here; fix fewer parameters.")
    return _describe(task, min(final, key=lambda d: d.bic), time.process_time() - began)


def _polished(task: Task, bank: Bank, began: float) -> list[Polished]:
    """The best starts, polished on a coarse copy of the data and then on all points."""
    speed = tier(task.model)
    coarse, coarse_error = coarsened(task.curve, task.dintensity)
    rough = _polisher(task, coarse, coarse_error, _SAMPLING[speed])
    points = len(coarse)

    def follow(
        polisher: Polisher, found: list[dict[str, Any]], share: float, *tolerances: float, steps: int
    ) -> list[Polished]:
        """Polish starts until a share of the time is spent; at least one is."""
        done: list[Polished] = []
        for start in found:
            left = share * task.seconds - (time.process_time() - began)
            if done and left < 0:
                break
            polisher.deadline = time.process_time() + max(left, 0.1 * task.seconds)
            one = polisher.polish(start, tolerances=tolerances, steps=steps)
            if one is not None:
                done.append(one)
        return _distinct(sorted(done, key=lambda d: _criterion(d, polisher, len(polisher.curve))))

    if task.starts:
        first = follow(rough, [_coarse_widths(task, s) for s in task.starts], 0.3, 0.02, 0.0, steps=12)
    else:
        data = binned(task.curve, task.dintensity)
        page = page_of(bank, task.model, 0.1 * task.seconds)
        seeds = nearest(page, task.model, task.structure_factor, data, count=3 * STARTS[speed])
        seeds = _varied(seeds, STARTS[speed], distributions={"fast": 2, "medium": 1, "slow": 0}[speed])
        if task.extra is not None:
            seeds = [Seed(dict(task.extra), 0.0), *seeds]
        starts = [_coarse_widths(task, _start(task, seed)) for seed in seeds]
        first = follow(rough, starts, 0.3, 0.1, steps=6)
        first = follow(rough, _values(first[: _FOLLOWED[speed]]), 0.5, 0.02, 0.0, steps=10)
    if not first:
        return []
    # Polishing on all points may still help much, but not by that much.
    hopeless = first[0].chisq / points > _HOPELESS * max(task.bar, 1.0)
    if not hopeless and not any(k.endswith("_pd") for k in first[0].parameters):
        first += follow(rough, _with_widths(task, first[0], speed), 0.6, 0.02, 0.0, steps=8)
        first.sort(key=lambda d: _criterion(d, rough, points))
    count = 1 if hopeless else _FINALISTS[speed]
    finalists = [_fine_widths(task, d.parameters) for d in first[:count]]
    sampling = None if hopeless else _sampling(task, finalists[0])
    fine = _polisher(task, task.curve, task.dintensity, sampling)
    return follow(fine, finalists, 0.8, 0.0, steps=5 if hopeless else 20)


def _polisher(task: Task, curve: Curve, dintensity: NDArray[np.float64], per_decade: int | None) -> Polisher:
    held = frozenset(task.fixed or ())
    return Polisher(curve, dintensity, task.name, held=held, ranges=task.ranges, per_decade=per_decade)


def _values(found: list[Polished]) -> list[dict[str, Any]]:
    return [one.parameters for one in found]


def _coarse_widths(task: Task, parameters: dict[str, Any]) -> dict[str, Any]:
    """The same with fewer points in its size distributions; two of them multiply the cost."""
    widths = [k for k in parameters if k.endswith("_pd_n")]
    count = _PD_COARSE[tier(task.model)] // max(len(widths), 1)
    return parameters | dict.fromkeys(widths, max(count, 5))


def _fine_widths(task: Task, parameters: dict[str, Any]) -> dict[str, Any]:
    """The same with as many points in its size distributions as fits have."""
    return parameters | {k: _PD_POINTS[tier(task.model)] for k in parameters if k.endswith("_pd_n")}


def _criterion(found: Polished, polisher: Polisher, points: int) -> float:
    return found.chisq + polisher.count(found.parameters) * float(np.log(points))


def _distinct(found: list[Polished]) -> list[Polished]:
    """One of those that ended in the same valley."""
    kept: list[Polished] = []
    for one in found:
        if all(abs(one.chisq / other.chisq - 1) > 1e-3 for other in kept):
            kept.append(one)
    return kept


def _with_widths(task: Task, best: Polished, speed: str) -> list[dict[str, Any]]:
    """The best monodisperse start with a distribution of each size in turn."""
    found = []
    for p in load_model(task.model).info.parameters.call_parameters:
        value = best.parameters.get(p.name)
        if p.polydisperse and p.type == "volume" and value is not None and p.name not in (task.fixed or {}):
            n, sigmas = _PD_COARSE[speed], quadrature(task.model, "gaussian")[1]
            width = {"": _WIDTH, "_n": n, "_nsigma": sigmas, "_type": "gaussian"}
            found.append(best.parameters | {f"{p.name}_pd{k}": v for k, v in width.items()})
    return found[: _WIDTHS[speed]]


def _sampling(task: Task, parameters: dict[str, Any]) -> int | None:
    """Points a decade for the fit of all points; slow models are calculated at the measured ones."""
    if tier(task.model) == "slow":
        return None
    fitness = experiment(task.curve, task.dintensity, task.name, parameters)
    return sampling_needed(fitness, task.curve)


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
    start: dict[str, Any] = with_fixed(seed.parameters, task.fixed or {})
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


def _levenberg(task: Task, start: dict[str, Any], seconds: float) -> _Done | None:
    curve, dintensity = task.curve, task.dintensity
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    held = frozenset(task.fixed or ())
    fitness = experiment(curve, dintensity, task.name, start, seconds=seconds)
    apply_sampling(fitness, curve, _sampling(task, start))
    try:
        free, same = choose_free(fitness, held)
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
            deviations = np.asarray(fit(problem, method="lm", steps=_STEPS).dx)
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
    # A size that the data cannot tell was chosen all the same: the model is no simpler for it.
    sizes = {p.name for p in fitness.model.sasmodel.info.parameters.call_parameters if p.type == "volume"}
    bic = chisq + (len(free) + len(sizes & set(same))) * float(np.log(len(curve)))
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
        correlations=_correlations(task, done),
    )  # fmt: skip


def _correlations(task: Task, done: _Done) -> dict[tuple[str, str], float]:
    """Strong correlations of the fitted parameters; none where a curve is too dear for it."""
    began = time.process_time()
    done.fitness.update()
    done.fitness.residuals()
    names = [name for name in done.free if name in done.parameters]  # a width of 0 is none
    cost = (time.process_time() - began) * (len(names) + 1)
    return strong_pairs(done.fitness, names) if cost < 0.1 * task.seconds else {}
