"""Errors of a joint fit that hold what it has fixed, and where χ² is flat, as those of a single fit do."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...simulate.bank import Bank
from ..assessment.flat import add_flatness
from ..assessment.held import Held, errors_beside_held, widen_errors
from ..ledger import Ledger, read_spent_time
from ..optimize.bumps_fit import ReportedJoint, refit_jointly_by_bumps
from ..optimize.profile_likelihood import Profile
from ..pool import answers
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import moving
from ..result.components import is_amplitude
from ..result.covariance import errors_of
from ..result.sample_result import JointFit, Key, SampleResult, select_alike
from ..settings import EFFORT
from ..task import UNLIMITED, Budget, FitOptions
from .joint_fit import BESIDE, JointTask, joint_of, make_restart_task
from .settings import STRATEGY


def widen_joint_errors(ledger: Ledger, result: SampleResult, options: FitOptions) -> SampleResult:
    """The first fit, and those that the curves do not tell from it, with errors of all that is unknown."""
    if not result.fits:
        return result
    result = refit_by_bumps(ledger, result)
    near = [result.fits[0], *select_alike(result.fits)]
    tasks = [make_error_task(result, fit, options) for fit in near]
    fits_by_name = {fit.name: fit for fit in near}
    for index, added_errors in answers(ledger, errors_to_add, tasks, BESIDE.seconds):
        if not isinstance(added_errors, Exception):
            fit = near[index]
            widened = widen_errors(fit.parameters_by_key(), added_errors)
            fits_by_name[fit.name] = fit.replace_parameters(widened)
    return replace(result, fits=tuple(fits_by_name.get(fit.name, fit) for fit in result.fits))


def refit_by_bumps(ledger: Ledger, result: SampleResult) -> SampleResult:
    """Fit what is reported by Bumps, with a note on what was not."""
    first = result.fits[0]
    near = {first.name, *(fit.name for fit in select_alike(result.fits))}
    places = [i for i, fit in enumerate(result.fits) if fit.name in near or not fit.lacking()]
    tasks = [ReportedJoint(result.sample, result.dintensities, result.fits[i]) for i in places]
    fits = list(result.fits)
    for index, fit in answers(ledger, refit_jointly_by_bumps, tasks, EFFORT.reported):
        if isinstance(fit, JointFit):
            fits[places[index]] = fit
    missing = [fits[i].name for i in places if not fits[i].fitter]
    notes = [*result.notes, *([f"{', '.join(missing)}: {_NOT_BY_BUMPS}"] if missing else [])]
    return replace(result, fits=tuple(fits), notes=tuple(notes))


_NOT_BY_BUMPS = (
    "Bumps did not refine this fit: the time was too short, or a tie determines a fitted parameter. Its"
    " values come from the search for starting values."
)


def make_error_task(result: SampleResult, fit: JointFit, options: FitOptions) -> Unknown:
    """A fit with what is to be known of its errors."""
    sample = result.sample
    given_names = frozenset({*options.fixed, *options.ranges, *sample.ties})
    curve_fits = tuple(fit.make_curve_fit(i) for i in range(len(sample.curves)))
    slopes: Mapping[Any, NDArray[np.float64]] = moving(fit.derivatives)
    fixed_task = Held(
        sample.curves, result.dintensities, curve_fits, slopes, given_names, STRATEGY.relative_dq[-1]
    )
    return Unknown(fixed_task, make_restart_task(sample, result.dintensities, options, fit))


#: Steps to the minimum of plain least squares: a fit may stand where slow errors have moved it.
_STEPS = 6


@dataclass(frozen=True)
class Unknown:
    """A joint fit of which it is asked how well it is known."""

    held: Held  #: The fit as each curve has it.
    task: JointTask  #: Begins where it has ended.

    @property
    def name(self) -> str:
        return self.held.name

    def error(self, key: Key) -> float:
        """Standard deviation of a parameter of the fit; 0 without one."""
        name, place = key
        p = self.held.fits[place or 0].parameters.get(name)
        return (p and p.error) or 0.0


def errors_to_add(task: Unknown, bank: Bank | None = None, budget: Budget = UNLIMITED) -> dict[Any, float]:
    """What adds to the errors of a joint fit: what it holds, and where χ² is flat; for a pool."""
    deadline = read_spent_time() + budget.seconds
    added_errors = errors_beside_held(task.held, bank, budget)
    flat = _flat(task, deadline)
    return add_flatness(added_errors, {key: task.error(key) for key in flat}, flat)


def _flat(task: Unknown, deadline: float) -> dict[Key, float]:
    """Errors of the shape where χ² is flat; of those that there was time for."""
    joint = joint_of(task.task)
    for curve in joint.curves:
        curve.deadline = deadline
    slopes: Mapping[Any, Floats] = task.held.slopes
    independent: Mapping[Any, float] = errors_of(slopes)
    flat_errors: dict[Key, float] = {}
    with suppress(TimeUpError):
        joint.run(_STEPS)
        if not joint.codes:
            return {}
        codes_here = joint.best
        profile = Profile(joint.residuals, joint.codes_at(codes_here), joint.jacobian(codes_here))
        for i, key in enumerate(joint.codes):
            error, error_alone = task.error(key), independent.get(key, 0.0)
            if error > 0 and error_alone > 0 and not is_amplitude(key[0]):
                flat_errors[key] = profile.half(i, error, error / error_alone)
    return flat_errors
