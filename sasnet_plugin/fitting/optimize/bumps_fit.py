"""The reported fit: Bumps, from where the search has ended, on the problem that is exported.

The search (`local_search`) finds starting values with scale and background solved for. What is reported is
where Bumps' fitter ends from there: its values, its χ² and its covariance.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ...types import Curve
from ..ledger import read_counted_time
from ..problem.experiment import TimeUpError, rebuilt, silent, starting_values
from ..problem.free_parameters import moving
from ..problem.model_curves import ModelCurves
from ..problem.sums import all_exact, components_of, own_cost
from ..result.components import Component
from ..result.covariance import errors_of
from ..result.model_fit import ModelFit, Parameter
from ..settings import OPTIMIZE
from ..task import UNLIMITED, Budget
from .finish import strong_pairs

if TYPE_CHECKING:
    from ...simulate.bank import Bank

#: Bumps 1.0.5's Levenberg-Marquardt ends far from the minimum where one parameter alone is free.
_FITTER, _FITTER_OF_ONE = "lm", "amoeba"


def fitter_for(free: int) -> str:
    """Bumps' name of the fitter for so many free parameters."""
    return _FITTER_OF_ONE if free == 1 else _FITTER


@cache
def fitter_in_words(fitter: str) -> str:
    """Program, version and fitter, such as ``bumps 1.0.5, lm``."""
    return f"bumps {version('bumps')}, {fitter}"


@dataclass(frozen=True)
class Reported:
    """A fit that is to be reported."""

    curve: Curve
    dintensity: Floats  #: Shape (n,).
    fit: ModelFit
    #: It is fitted however short the time is: what is reported does not depend on how busy a machine is.
    assured: bool = True

    @property
    def name(self) -> str:
        return self.fit.name


@dataclass(frozen=True)
class BumpsMinimum:
    """Where Bumps has ended."""

    values: Mapping[str, float]  #: Of the free parameters, in the order of the columns.
    #: Shape (n, k). Of the residuals, per unit of each parameter (`bumps.lsqerror.jacobian`).
    jacobian: Floats
    covariance: Floats  #: Shape (k, k). Bumps' own, from this Jacobian.
    chisq: float
    start_chisq: float
    fitter: str

    @property
    def keeps_start(self) -> bool:
        """Whether Bumps' χ² was higher than where it began, so that the start stands."""
        return self.chisq > self.start_chisq * (1 + OPTIMIZE.bumps_tolerance)


def run_bumps(problem: Any, fitter: str, **options: float) -> None:
    """Run a Bumps fitter from the problem's point and leave the problem at the end. Raises TimeUpError when
    an experiment's time is up.
    """
    from bumps.fitters import FITTERS, FitDriver

    chosen = next(fitter_class for fitter_class in FITTERS if fitter_class.id == fitter)
    driver = FitDriver(fitclass=chosen, problem=problem, monitors=[], **options)
    with silent():
        driver.clip()
        driver.fit()


def is_affordable(name: str, experiments: Sequence[Any], free: int, seconds: float) -> bool:
    """Whether so many evaluations suffice for the fewest that Bumps takes; else none need be spent."""
    # Two Jacobians and the covariance's: from a minimum `lm` stops after these.
    states = [experiment.model.state() for experiment in experiments]
    if all(all_exact(name, state) for state in states):
        return True
    once = [
        own_cost(name, state, experiment.resolution.q_calc)
        for experiment, state in zip(experiments, states, strict=True)
    ]
    return 3 * (free + 1) * sum(once) <= seconds


def minimise_by_bumps(problem: Any, names: Mapping[int, Any]) -> BumpsMinimum:
    """Fit a problem from its point, never to a higher χ², and leave it at the minimum. Raises TimeUpError."""
    # `names` are by the ``id()`` of each free parameter.
    from bumps import lsqerror

    start = np.array(problem.getp(), dtype=float)
    chisq = chisq_of(problem.residuals())
    fitter = fitter_for(start.size)
    run_bumps(problem, fitter)
    after = chisq_of(problem.residuals())
    if not after <= chisq * (1 + OPTIMIZE.bumps_tolerance):
        problem.setp(start)
    with silent():
        jacobian = np.asarray(lsqerror.jacobian(problem), dtype=float)
    keys = [names[id(p)] for p in problem._parameters]
    values = dict(zip(keys, map(float, problem.getp()), strict=True))
    return BumpsMinimum(values, jacobian, covariance_of(jacobian), after, chisq, fitter)


def chisq_of(residuals: Any) -> float:
    return float(np.sum(np.asarray(residuals, dtype=float) ** 2))


def covariance_of(jacobian: Floats) -> Floats:
    """Bumps' covariance (k, k) of what has a Jacobian (n, k)."""
    from bumps import lsqerror

    return np.asarray(lsqerror.jacobian_cov(jacobian), dtype=float)


def fit_by_bumps(task: Reported, bank: Bank | None = None, budget: Budget = UNLIMITED) -> ModelFit:
    """The fit as Bumps has it: values, χ², covariance and curve; work for a pool."""
    # Where Bumps ends at a higher χ², or has no time, the start stands and a warning says so.
    fit, counted_time = task.fit, read_counted_time()
    if not fit.free:
        return fit
    problem, fitness = rebuilt(task.curve, task.dintensity, fit, seconds=budget.seconds)
    if not is_affordable(fit.name, [fitness], len(fit.free), budget.seconds):
        return warn_without_bumps(fit)
    names = {id(getattr(fitness.model, name)): name for name in fit.free}
    try:
        minimum = minimise_by_bumps(problem, names)
    except TimeUpError:
        return warn_without_bumps(fit)
    with silent():
        theory = np.asarray(fitness.theory(), dtype=float)
    return replace(
        _update_fit(task, minimum, theory), seconds=fit.seconds + read_counted_time() - counted_time
    )


def warn_without_bumps(fit: ModelFit) -> ModelFit:
    """The fit as the search has left it, with a warning that it is."""
    return replace(fit, warnings=(*fit.warnings, _LATE))


_LATE = "Bumps had no time to finish this fit; its values come from the search for starting values."


def _update_fit(task: Reported, minimum: BumpsMinimum, theory: Floats) -> ModelFit:
    fit, points = task.fit, len(task.curve)
    chisq = float(np.sum(((theory - task.curve.intensity) / task.dintensity) ** 2))
    derivatives = dict(zip(minimum.values, minimum.jacobian.T, strict=True))
    slopes = {name: derivatives[name] for name in fit.free}
    errors = _errors(fit, minimum)
    parameters = {
        name: replace(p, value=minimum.values[name], error=errors[name]) if name in minimum.values else p
        for name, p in fit.parameters.items()
    }
    notes = (_describe_kept_start(minimum.fitter),) if minimum.keeps_start else ()
    moved = replace(
        fit, parameters=parameters, chisq=chisq, reduced_chisq=chisq / max(points - len(fit.free), 1),
        bic=fit.bic + chisq - fit.chisq, theory=theory, derivatives=slopes, correlations=strong_pairs(slopes),
        warnings=(*fit.warnings, *notes), fitter=fitter_in_words(minimum.fitter), start_chisq=fit.chisq,
    )  # fmt: skip
    return replace(moved, components=_components(task, moved)) if fit.components else moved


def _describe_kept_start(fitter: str) -> str:
    return f"Bumps' {fitter} ended at a higher χ² than it started from; the starting values are kept."


def _errors(fit: ModelFit, minimum: BumpsMinimum) -> dict[str, float | None]:
    """Bumps' standard deviations, widened by what widened those of the search."""
    # What was added before (sizes that the data do not show, a shared error) stays added in quadrature.
    deviations = np.sqrt(np.diag(minimum.covariance))
    base = errors_of(moving(fit.derivatives))
    return {
        name: _widen_error(fit.parameters[name], float(error), base.get(name))
        for name, error in zip(minimum.values, deviations, strict=True)
    }


def _widen_error(parameter: Parameter, error: float, base: float | None) -> float | None:
    if base is None or not np.isfinite(base):  # the search knew no slopes
        return error if np.isfinite(error) else parameter.error
    if parameter.error is None:  # not known for another reason
        return None
    return float(np.sqrt(error**2 + max(parameter.error**2 - base**2, 0.0)))


def _components(task: Reported, fit: ModelFit) -> tuple[Component, ...]:
    values = starting_values(fit)
    quick = all_exact(fit.name, values)
    local = ModelCurves(task.curve, task.dintensity, fit.name, per_decade=fit.per_decade, quick=quick)
    scales = np.array([values[name] for name in local.scales])
    with contextlib.suppress(TimeUpError):
        curves = scales[:, None] * local.intensity(values)
        parts = components_of(fit.name, task.curve.q, curves, scales)
        return tuple(replace(p, error=old.error) for p, old in zip(parts, fit.components, strict=True))
    return fit.components
