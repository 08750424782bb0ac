"""The reported fit of one curve or several: Bumps, from where the search has ended, on the exported problem.

The search (`local_search`) finds starting values with scale and background solved for. What is reported is
where Bumps' fitter ends from there: its values, its χ² and its covariance.

Several curves have one experiment each; what all have in common is one parameter of the first, which the
others refer to. Scales that belong together are a common one, times a factor, times a calibration whose prior
is normal about 1; backgrounds of settings have a normal prior about 0.
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
from ...data.sample.kind import CALIBRATION
from ...data.sample.sample import Sample
from ...types import Curve
from ..ledger import read_counted_time, read_spent_time
from ..problem.experiment import TimeUpError, experiment_of, rebuilt, silent, starting_values
from ..problem.free_parameters import moving
from ..problem.model_curves import ModelCurves
from ..problem.sums import all_exact, components_of, own_cost
from ..result.components import Component
from ..result.fit_warning import FitWarning
from ..result.model_fit import ModelFit, Parameter
from ..result.reported_values import errors_of
from ..result.residuals import standardise_runs
from ..result.sample_result import JointFit, Key
from ..settings import OPTIMIZE, PROBLEM
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
    #: In a batch it may end some seconds after the limit, so that few rows depend on how busy a machine is.
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
        return self.chisq > self.start_chisq * (1 + PROBLEM.rounding)


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
    states = [experiment.model.state() for experiment in experiments]
    if all(all_exact(name, state) for state in states):
        return True
    once = [
        own_cost(name, state, experiment.resolution.q_calc)
        for experiment, state in zip(experiments, states, strict=True)
    ]
    return count_evaluations(free) * sum(once) <= seconds


def count_evaluations(free: int) -> int:
    # Two Jacobians and the covariance's: from a minimum `lm` stops after these.
    return 3 * (free + 1)


def minimise_by_bumps(problem: Any, names: Mapping[int, Any]) -> BumpsMinimum:
    """Fit a problem from its point, never to a higher χ², and leave it at the minimum. Raises TimeUpError."""
    # `names` are by the ``id()`` of each free parameter.
    chisq, after, fitter = _descend(problem, problem)
    return _describe_minimum(problem, names, after, chisq, fitter)


def _describe_minimum(
    problem: Any, names: Mapping[int, Any], after: float, chisq: float, fitter: str
) -> BumpsMinimum:
    from bumps import lsqerror

    with silent():
        jacobian = np.asarray(lsqerror.jacobian(problem), dtype=float)
    keys = [names[id(p)] for p in problem._parameters]
    values = dict(zip(keys, map(float, problem.getp()), strict=True))
    return BumpsMinimum(values, jacobian, covariance_of(jacobian), after, chisq, fitter)


def _descend(problem: Any, fit_problem: Any) -> tuple[float, float, str]:
    """Run the fitter, back to the start from a higher χ²; χ² before and after, and the fitter."""
    # `problem` has the residuals that count, with priors that those of Bumps' own leave out.
    start = np.array(problem.getp(), dtype=float)
    chisq, fitter = chisq_of(problem.residuals()), fitter_for(start.size)
    run_bumps(fit_problem, fitter)
    after = chisq_of(problem.residuals())
    if not after <= chisq * (1 + PROBLEM.rounding):
        problem.setp(start)
    return chisq, after, fitter


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
    try:
        minimum = _minimise_by_corrected_curves(task, problem, fitness, budget.seconds)
        if minimum is None and is_affordable(fit.name, [fitness], len(fit.free), budget.seconds):
            minimum = minimise_by_bumps(problem, _name_free(fit, fitness))
    except TimeUpError:
        return warn_without_bumps(fit)
    if minimum is None:
        return warn_without_bumps(fit)
    with silent():
        theory = np.asarray(fitness.theory(), dtype=float)
    return replace(
        _update_fit(task, minimum, theory), seconds=fit.seconds + read_counted_time() - counted_time
    )


#: Times that the difference of two curves is calculated anew, as Bumps moves away from where it was.
_CORRECTIONS = 3


def _minimise_by_corrected_curves(
    task: Reported, problem: Any, fitness: Any, seconds: float
) -> BumpsMinimum | None:
    """As `minimise_by_bumps`; None where sasmodels' own curves are as quick, or the two minima differ."""
    # On quick curves corrected to sasmodels' own, which have the last word: a derivative of the former
    # is as good as one of sasmodels' own, at a fraction of the price.
    fit = task.fit
    if not _is_quicker(fit, fitness):
        return None
    quick_problem, quick = rebuilt(task.curve, task.dintensity, fit, seconds=seconds, quick=True)
    start, chisq = np.array(problem.getp(), dtype=float), chisq_of(problem.residuals())
    fitter = fitter_for(start.size)
    for _ in range(_CORRECTIONS):
        _correct(quick, fitness)
        run_bumps(quick_problem, fitter)
        problem.setp(quick_problem.getp())
        after = chisq_of(problem.residuals())
        if abs(after - chisq_of(quick_problem.residuals())) <= OPTIMIZE.enough * after:
            break
    else:
        after = np.inf
    if after > chisq:  # no lower than where it began
        problem.setp(start)
        quick_problem.setp(start)
    if not after <= chisq * (1 + OPTIMIZE.enough):
        return None
    return _describe_minimum(quick_problem, _name_free(fit, quick), min(after, chisq), chisq, fitter)


def _name_free(fit: ModelFit, fitness: Any) -> dict[int, str]:
    return {id(getattr(fitness.model, name)): name for name in fit.free}


def _is_quicker(fit: ModelFit, fitness: Any) -> bool:
    # Of quick curves and a few of sasmodels' own, against these alone.
    values, q, count = fitness.model.state(), fitness.resolution.q_calc, count_evaluations(len(fit.free))
    if all_exact(fit.name, values):
        return False
    own, quick = (own_cost(fit.name, values, q, quick=quick) for quick in (False, True))
    return _CORRECTIONS * count * quick + (1 + _CORRECTIONS) * own < count * own


def _correct(quick: Any, fitness: Any) -> None:
    # At the present values the quick curve becomes sasmodels' own.
    quick.correction = None
    quick.update()
    with silent():
        quick.theory()
        difference = fitness.Iq_calc - quick.Iq_calc
    quick.correction = np.where(np.isfinite(difference), difference, 0.0)
    quick.update()


def warn_without_bumps(fit: ModelFit) -> ModelFit:
    """The fit as the search has left it, with a warning that it is."""
    return replace(fit, warnings=(*fit.warnings, _LATE))


_LATE = FitWarning(
    "Bumps had no time to finish this fit; its values come from the search for starting values."
)


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
    notes = (FitWarning(_describe_kept_start(minimum.fitter)),) if minimum.keeps_start else ()
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


@dataclass(frozen=True)
class ReportedJoint:
    """A joint fit that is to be reported."""

    sample: Sample
    dintensities: tuple[Floats, ...]  #: Shape (n_i,).
    fit: JointFit
    assured: bool = True  #: As of `bumps_fit.Reported`.

    @property
    def name(self) -> str:
        return self.fit.name

    @property
    def has_ties(self) -> bool:
        """Whether a formula of the user binds a parameter to a fitted one, which this problem cannot hold."""
        free = {
            name for part in (self.fit.parameters, *self.fit.own) for name, p in part.items() if not p.fixed
        }
        return any(tie.names & free for tie in self.sample.ties.values())


class JointProblem:
    """A joint fit as Bumps has it; residuals raise `TimeUpError` after `seconds` of evaluations."""

    def __init__(self, asked: ReportedJoint, seconds: float = np.inf) -> None:
        from bumps.names import FitProblem

        self.fit, self.sample = asked.fit, asked.sample
        curves = zip(asked.sample.curves, asked.dintensities, strict=True)
        self.experiments = [
            experiment_of(curve, dintensity, self.fit.make_curve_fit(i))
            for i, (curve, dintensity) in enumerate(curves)
        ]
        for experiment in self.experiments:
            experiment.deadline = read_spent_time() + seconds
        #: What Bumps varies, by what it stands for; of a scale with a factor its calibration.
        self.varied: dict[Key, Any] = {}
        self._share()
        self._calibrate()
        self.problem = FitProblem(self.experiments, name=self.fit.name)

    @property
    def models(self) -> list[Any]:
        return [experiment.model for experiment in self.experiments]

    @property
    def factors(self) -> tuple[float, ...] | None:
        """Factors of the scales to a common one, unless a user has given scales."""
        are_given = any(curve_parameters["scale"].fixed for curve_parameters in self.fit.own)
        return None if are_given else self.fit.factors

    def _share(self) -> None:
        for name, p in self.fit.parameters.items():
            if not p.fixed and name != "scale":
                self.varied[name, None] = getattr(self.models[0], name)
                for model in self.models[1:]:
                    setattr(model, name, self.varied[name, None])
        for i, curve_parameters in enumerate(self.fit.own):
            for name, p in curve_parameters.items():
                if not p.fixed:
                    self.varied[name, i] = getattr(self.models[i], name)

    def _calibrate(self) -> None:
        """Scales about a common one, and backgrounds about none."""
        from bumps.names import Parameter as Varied

        if self.factors is None:
            return
        common = Varied(self.fit.common, name="common scale").range(0, np.inf)
        self.varied["scale", None] = common
        for i, (model, factor) in enumerate(zip(self.models, self.factors, strict=True)):
            off = self.fit.own[i]["scale"].value / (factor * self.fit.common)
            calibration = Varied(off, name=f"calibration {i + 1}")
            calibration.dev(CALIBRATION, mean=1.0)
            self.varied["scale", i] = calibration
            model.scale = factor * common * calibration
            if np.isfinite(self.fit.background_deviation):
                model.background.dev(self.fit.background_deviation, mean=0.0)

    def residuals(self) -> Floats:
        """(n + 2 m,) of all points, of calibrations and of backgrounds, as `LeastSquaresProblem` has them."""
        residuals = np.asarray(self.problem.residuals(), dtype=float).ravel()
        if self.factors is None:
            return residuals
        curves = range(len(self.models))
        off = [(self.varied["scale", i].value - 1) / CALIBRATION for i in curves]
        level = [model.background.value / self.fit.background_deviation for model in self.models]
        return np.concatenate([residuals, off, level])

    # What `bumps.lsqerror.jacobian` asks of a problem, whose own residuals leave priors out.
    def getp(self) -> Floats:
        return np.asarray(self.problem.getp(), dtype=float)

    def setp(self, values: Floats) -> None:
        self.problem.setp(values)

    def bounds(self) -> Any:
        return self.problem.bounds()

    def keys(self) -> list[Key]:
        key_of = {id(p): key for key, p in self.varied.items()}
        return [key_of[id(p)] for p in self.problem._parameters]

    def columns(self) -> tuple[dict[Key, Floats], dict[Key, float]]:
        """Slopes (n + 2 m,) of the residuals by each parameter, and standard deviations."""
        # By the scale of each curve and the common one, which are what is reported, instead of calibrations.
        from bumps import lsqerror

        with silent():
            slopes = np.asarray(lsqerror.jacobian(self), dtype=float).T
        slopes_by_key = dict(zip(self.keys(), slopes, strict=True))
        if self.factors is not None:
            slopes_by_key = self._differentiate_by_scales(slopes_by_key, self.factors)
        covariance = covariance_of(np.stack(list(slopes_by_key.values()), axis=1))
        return slopes_by_key, dict(zip(slopes_by_key, map(float, np.sqrt(np.diag(covariance))), strict=True))

    def _differentiate_by_scales(
        self, slopes: dict[Key, Floats], factors: Sequence[float]
    ) -> dict[Key, Floats]:
        """Convert slopes from (common, calibrations) to (scales, common) by the chain rule."""
        common = float(self.varied["scale", None].value)
        scaled_slopes, of_common = dict(slopes), slopes["scale", None]
        for i, factor in enumerate(factors):
            of_calibration = slopes["scale", i]
            scaled_slopes["scale", i] = of_calibration / (factor * common)
            of_common = of_common - of_calibration * float(self.varied["scale", i].value) / common
        return scaled_slopes | {("scale", None): of_common}


def refit_jointly_by_bumps(
    task: ReportedJoint, bank: Bank | None = None, budget: Budget = UNLIMITED
) -> JointFit:
    """The joint fit as Bumps has it; as it was where it has no time, or a formula binds what is fitted."""
    del bank
    if task.has_ties:
        return task.fit
    joint = JointProblem(task, budget.seconds)
    free = joint.getp().size
    if not free or not is_affordable(task.name, joint.experiments, free, budget.seconds):
        return task.fit
    try:
        start_chisq, after, _ = _descend(joint, joint.problem)
        slopes, errors = joint.columns()
    except TimeUpError:
        return task.fit
    return _update_joint_fit(task, joint, slopes, errors, (start_chisq, min(start_chisq, after)))


def _update_joint_fit(
    task: ReportedJoint,
    joint: JointProblem,
    slopes: Mapping[Key, Floats],
    errors: Mapping[Key, float],
    total: tuple[float, float],
) -> JointFit:
    fit = task.fit
    base = errors_of(moving(fit.derivatives))
    shared = any(error.relative > 0 for error in fit.shared_errors)

    def update_parameter(key: Key, p: Parameter) -> Parameter:
        if p.fixed or key not in joint.varied:
            return p
        value = float(getattr(joint.models[key[1] or 0], key[0]).value)
        if p.error is None:
            return replace(p, value=value)
        # Where neighbours share an error the search has weighed points by it: both values are as good.
        apart = value - p.value if shared else 0.0
        error = _widen_error(p, float(np.hypot(errors[key], apart)), base.get(key, p.error))
        return replace(p, value=value, error=error)

    moved = fit.replace_parameters(
        {key: update_parameter(key, p) for key, p in fit.parameters_by_key().items()}
    )
    with silent():
        theories = tuple(np.asarray(part.theory(), dtype=float) for part in joint.experiments)
    points = list(zip(task.sample.curves, task.dintensities, theories, strict=True))
    old_chisq, after = total
    common = joint.varied.get(("scale", None))
    return replace(
        moved, theories=theories,
        chisq=tuple(float(np.sum(((t - c.intensity) / d) ** 2)) for c, d, t in points),
        reduced_chisq=fit.reduced_chisq * after / fit.total if fit.total > 0 else fit.reduced_chisq,
        runs=tuple(standardise_runs(curve.intensity - theory) for curve, _, theory in points),
        derivatives={key: slopes[key] for key in fit.derivatives if key in slopes} or dict(slopes),
        common=fit.common if common is None else float(common.value),
        fitter=fitter_in_words(fitter_for(len(joint.varied))),
    )  # fmt: skip
