"""Errors of a joint fit that hold what it holds, and where χ² is flat, as those of a single fit do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assessment.held import Held
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


def beside_held(ledger: Ledger, result: SampleResult, options: FitOptions) -> SampleResult:
    """The first fit, and those that the curves do not tell from it, with errors of all that is unknown."""
    if not result.fits:
        return result
    result = by_bumps(ledger, result)
    near = [result.fits[0], *not_distinguished(result.fits)]
    asked = [unknown(result, fit, options) for fit in near]
    done = {fit.name: fit for fit in near}
    for index, more in answers(ledger, errors_to_add, asked, BESIDE.seconds):
        if not isinstance(more, Exception):
            done[near[index].name] = _with(near[index], more)
    return replace(result, fits=tuple(done.get(fit.name, fit) for fit in result.fits))


def by_bumps(ledger: Ledger, result: SampleResult) -> SampleResult:
    """Fit what is reported by Bumps, with a note on what was not."""
    first = result.fits[0]
    near = {first.name, *(fit.name for fit in not_distinguished(result.fits))}
    places = [i for i, fit in enumerate(result.fits) if fit.name in near or not fit.lacking()]
    asked = [ReportedJoint(result.sample, result.dintensities, result.fits[i]) for i in places]
    fits = list(result.fits)
    for index, fit in answers(ledger, fit_jointly_by_bumps, asked, EFFORT.reported):
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
    given = frozenset({*options.fixed, *options.ranges, *sample.ties})
    each = tuple(fit.of_curve(i) for i in range(len(sample.curves)))
    slopes: Mapping[Any, NDArray[np.float64]] = moving(fit.derivatives)
    held = Held(sample.curves, result.dintensities, each, slopes, given, STRATEGY.relative_dq[-1])
    return Unknown(held, again(sample, result.dintensities, options, fit))


def _with(fit: JointFit, more: Mapping[Any, float]) -> JointFit:
    """A fit with these added to its errors, by name and place."""

    def wider(parameters: Mapping[str, Parameter], place: int | None) -> dict[str, Parameter]:
        found = {
            name: replace(p, error=float(np.hypot(p.error, more[name, place])))
            for name, p in parameters.items()
            if p.error is not None and np.isfinite(more.get((name, place), np.nan))
        }
        return {**parameters, **found}

    own = tuple(wider(one, i) for i, one in enumerate(fit.own))
    return replace(fit, parameters=wider(fit.parameters, None), own=own)
