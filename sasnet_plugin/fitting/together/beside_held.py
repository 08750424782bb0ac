"""Errors of a joint fit that hold what it holds, and where χ² is flat, as those of a single fit do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assessment.held import Held, widen_error
from ..ledger import Ledger
from ..pool import answers
from ..problem.free_parameters import moving
from ..result.model_fit import Parameter
from ..settings import EFFORT
from ..strategy.settings import STRATEGY
from ..task import FitOptions
from .bumps_joint import ReportedJoint, fit_jointly_by_bumps
from .flat import Unknown, errors_to_add
from .ranking import not_distinguished
from .result import JointFit, SampleResult
from .search import BESIDE, again


def widen_joint_errors(ledger: Ledger, result: SampleResult, options: FitOptions) -> SampleResult:
    """The first fit, and those that the curves do not tell from it, with errors of all that is unknown."""
    if not result.fits:
        return result
    result = refit_by_bumps(ledger, result)
    near = [result.fits[0], *not_distinguished(result.fits)]
    tasks = [unknown(result, fit, options) for fit in near]
    fits_by_name = {fit.name: fit for fit in near}
    for index, added_errors in answers(ledger, errors_to_add, tasks, BESIDE.seconds):
        if not isinstance(added_errors, Exception):
            fits_by_name[near[index].name] = _widen_fit(near[index], added_errors)
    return replace(result, fits=tuple(fits_by_name.get(fit.name, fit) for fit in result.fits))


def refit_by_bumps(ledger: Ledger, result: SampleResult) -> SampleResult:
    """Fit what is reported by Bumps, with a note on what was not."""
    first = result.fits[0]
    near = {first.name, *(fit.name for fit in not_distinguished(result.fits))}
    places = [i for i, fit in enumerate(result.fits) if fit.name in near or not fit.lacking()]
    tasks = [ReportedJoint(result.sample, result.dintensities, result.fits[i]) for i in places]
    fits = list(result.fits)
    for index, fit in answers(ledger, fit_jointly_by_bumps, tasks, EFFORT.reported):
        if isinstance(fit, JointFit):
            fits[places[index]] = fit
    missing = [fits[i].name for i in places if not fits[i].fitter]
    notes = [*result.notes, *([f"{', '.join(missing)}: {_NOT_BY_BUMPS}"] if missing else [])]
    return replace(result, fits=tuple(fits), notes=tuple(notes))


_NOT_BY_BUMPS = (
    "Bumps did not refine this fit: the time was too short, or a tie determines a fitted parameter. Its"
    " values come from the search for starting values."
)


def unknown(result: SampleResult, fit: JointFit, options: FitOptions) -> Unknown:
    """A fit with what is to be known of its errors."""
    sample = result.sample
    given_names = frozenset({*options.fixed, *options.ranges, *sample.ties})
    curve_fits = tuple(fit.make_curve_fit(i) for i in range(len(sample.curves)))
    slopes: Mapping[Any, NDArray[np.float64]] = moving(fit.derivatives)
    fixed_task = Held(
        sample.curves, result.dintensities, curve_fits, slopes, given_names, STRATEGY.relative_dq[-1]
    )
    return Unknown(fixed_task, again(sample, result.dintensities, options, fit))


def _widen_fit(fit: JointFit, added_errors: Mapping[Any, float]) -> JointFit:
    """A fit with these added to its errors, by name and place."""

    def wider(parameters: Mapping[str, Parameter], place: int | None) -> dict[str, Parameter]:
        widened = {
            name: widen_error(p, added_errors.get((name, place), 0.0)) for name, p in parameters.items()
        }
        return widened

    own_curve_parameters = tuple(wider(curve_parameters, i) for i, curve_parameters in enumerate(fit.own))
    return replace(fit, parameters=wider(fit.parameters, None), own=own_curve_parameters)
