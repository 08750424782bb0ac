"""Reported joint fits: Bumps, from where the joint search has ended, on the problem that is exported.

One experiment for each curve; what all curves have in common is one parameter of the first, which the others
refer to. Scales that belong together are a common one, times a factor, times a calibration whose prior is
normal about 1; backgrounds of settings have a normal prior about 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ...data.sample.kind import CALIBRATION
from ...data.sample.sample import Sample
from ..ledger import read_spent_time
from ..problem.experiment import TimeUpError, experiment_of, silent
from ..problem.free_parameters import moving
from ..result.covariance import errors_of
from ..result.model_fit import Parameter
from ..result.residuals import standardise_runs
from ..result.sample_result import JointFit, Key
from ..settings import OPTIMIZE
from ..task import UNLIMITED, Budget
from .bumps_fit import chisq_of, covariance_of, fitter_for, fitter_in_words, is_affordable, run_bumps

if TYPE_CHECKING:
    from ...simulate.bank import Bank


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
        """(n + 2 m,) of all points, of calibrations and of backgrounds, as `Joint` has them."""
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


def fit_jointly_by_bumps(
    task: ReportedJoint, bank: Bank | None = None, budget: Budget = UNLIMITED
) -> JointFit:
    """The joint fit as Bumps has it; as it was where it has no time, or a formula binds what is fitted."""
    del bank
    if task.has_ties:
        return task.fit
    joint = JointProblem(task, budget.seconds)
    start = joint.getp()
    if not start.size or not is_affordable(task.name, joint.experiments, start.size, budget.seconds):
        return task.fit
    try:
        start_chisq = chisq_of(joint.residuals())
        run_bumps(joint.problem, fitter_for(start.size))
        after = chisq_of(joint.residuals())
        if not after <= start_chisq * (1 + OPTIMIZE.bumps_tolerance):
            joint.setp(start)
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
    # `errors_of` is of whatever names its columns have.
    slopes_by_key: Mapping[Any, Floats] = fit.derivatives
    base: Mapping[Any, float] = errors_of(moving(slopes_by_key))
    shared = any(error.relative > 0 for error in fit.shared_errors)

    def update_parameter(name: str, place: int | None, p: Parameter) -> Parameter:
        key = (name, place)
        if p.fixed or key not in joint.varied:
            return p
        value = float(getattr(joint.models[place or 0], name).value)
        if p.error is None:
            return replace(p, value=value)
        widened = max(p.error**2 - base.get(key, p.error) ** 2, 0.0)
        # Where neighbours share an error the search has weighed points by it: both values are as good.
        apart = (value - p.value) ** 2 if shared else 0.0
        return replace(p, value=value, error=float(np.sqrt(errors[key] ** 2 + widened + apart)))

    parameters = {name: update_parameter(name, None, p) for name, p in fit.parameters.items()}
    curve_parameters = tuple(
        {name: update_parameter(name, i, p) for name, p in part.items()} for i, part in enumerate(fit.own)
    )
    with silent():
        theories = tuple(np.asarray(part.theory(), dtype=float) for part in joint.experiments)
    points = list(zip(task.sample.curves, task.dintensities, theories, strict=True))
    old_chisq, after = total
    common = joint.varied.get(("scale", None))
    return replace(
        fit, parameters=parameters, own=curve_parameters, theories=theories,
        chisq=tuple(float(np.sum(((t - c.intensity) / d) ** 2)) for c, d, t in points),
        reduced_chisq=fit.reduced_chisq * after / fit.total if fit.total > 0 else fit.reduced_chisq,
        runs=tuple(standardise_runs(curve.intensity - theory) for curve, _, theory in points),
        derivatives={key: slopes[key] for key in fit.derivatives if key in slopes} or dict(slopes),
        common=fit.common if common is None else float(common.value),
        calibrations=_calibrations(fit, curve_parameters),
        fitter=fitter_in_words(fitter_for(len(joint.varied))),
    )  # fmt: skip


def _calibrations(
    fit: JointFit, own_curve_parameters: Sequence[Mapping[str, Parameter]]
) -> tuple[float, ...]:
    if not fit.calibrations or fit.factors is None:
        return fit.calibrations
    scales = [
        curve_parameters["scale"].value / factor
        for curve_parameters, factor in zip(own_curve_parameters, fit.factors, strict=True)
    ]
    middle = sorted(scales)[len(scales) // 2]
    return tuple(scale / middle for scale in scales)
