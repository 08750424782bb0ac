"""Errors of a joint fit that hold what it has fixed, and where χ² is flat, as those of a single fit do."""

from __future__ import annotations

from dataclasses import replace

from ..assessment.error_estimates import Held, errors_to_add, widen_errors
from ..ledger import Ledger
from ..optimize.bumps_fit import ReportedJoint, refit_jointly_by_bumps
from ..pool import answers
from ..problem.free_parameters import moving
from ..problem.shared_parameters import plan_of
from ..result.sample_result import JointFit, SampleResult, select_alike
from ..settings import EFFORT
from ..task import FitOptions
from .joint_fit import BESIDE, collect_fixed
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


def make_error_task(result: SampleResult, fit: JointFit, options: FitOptions) -> Held:
    """A fit with what is to be known of its errors."""
    sample = result.sample
    given_names = frozenset({*options.fixed, *options.ranges, *sample.ties})
    curve_fits = tuple(fit.make_curve_fit(i) for i in range(len(sample.curves)))
    plan = plan_of(sample, fit.model, fit.structure_factor, collect_fixed(options, fit.model))
    return Held(
        sample.curves, result.dintensities, curve_fits, moving(fit.derivatives), given_names,
        STRATEGY.relative_dq[-1], plan=plan,
    )  # fmt: skip
