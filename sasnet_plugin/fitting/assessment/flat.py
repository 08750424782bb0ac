"""Errors where χ² is flatter than its curvature at the minimum says.

A size that the data hardly show, or of which they show only a bound, has a χ² that rises less on one side
than a parabola does, or not at all: its error is half the distance at which χ² has risen by four, the others
following (`optimize.profile_likelihood`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ..ledger import read_spent_time
from ..optimize.least_squares_problem import Code, code_of, decode, project_out_others
from ..optimize.profile_likelihood import Profile
from ..problem.experiment import TimeUpError, starting_values
from ..problem.model_curves import ModelCurves
from ..result.components import is_amplitude
from ..result.covariance import errors_of
from ..result.model_fit import ModelFit
from ..task import UNLIMITED, Budget
from .held import Held, errors_beside_held
from .other_minima import spread_over_minima
from .sizes_together import errors_by_sizes_together

if TYPE_CHECKING:
    from ...simulate.bank import Bank


def errors_to_add(task: Held, bank: Bank | None = None, budget: Budget = UNLIMITED) -> dict[str, float]:
    """What adds to the errors of a fit of one curve, for a pool."""
    # What it holds, where χ² is flat, and where another minimum is as good.
    deadline = read_spent_time() + budget.seconds
    added_errors = errors_beside_held(task, bank, budget)
    fitted_errors = {name: p.error or 0.0 for name, p in task.fits[0].parameters.items()}
    added_errors = add_flatness(added_errors, fitted_errors, _flat(task, deadline))
    added_errors = _add_in_quadrature(added_errors, errors_by_sizes_together(task, deadline))
    return _add_in_quadrature(added_errors, spread_over_minima(task, deadline))


def add_flatness(
    added_errors: Mapping[Any, float], fitted_errors: Mapping[Any, float], flat: Mapping[Any, float]
) -> dict[Any, float]:
    """What adds to errors, with what adds for them to be as large as where χ² is flat."""
    flat_errors = {key: np.sqrt(max(error**2 - fitted_errors[key] ** 2, 0.0)) for key, error in flat.items()}
    return _add_in_quadrature(added_errors, flat_errors)


def _add_in_quadrature(
    added_errors: Mapping[Any, float], further_errors: Mapping[Any, float]
) -> dict[Any, float]:
    """What adds to errors, with more of it that is independent."""
    return {
        **added_errors,
        **{key: float(np.hypot(added_errors.get(key, 0.0), error)) for key, error in further_errors.items()},
    }


def _flat(task: Held, deadline: float) -> dict[str, float]:
    """Errors of the shape parameters where χ² is flat; of those that there was time for."""
    if not task.slopes:  # of an expensive model
        return {}
    fit, curve = task.fits[0], task.curves[0]
    local = ModelCurves(curve, task.dintensities[0], task.name, per_decade=fit.per_decade)
    names = [name for name in task.slopes if name not in local.linear]
    if not names:
        return {}
    local.deadline = deadline
    start = starting_values(fit)
    codes = {name: _code(task, local.info, name, start) for name in names}
    columns = {name: task.slopes[name] * code.slope(code.first) for name, code in codes.items()}
    columns |= {name: column for name, column in task.slopes.items() if name not in codes}
    errors = errors_of(columns)

    def residuals(fallback_codes: Floats) -> Floats:
        return np.asarray(local.solve({**start, **decode(codes, fallback_codes)})[0])

    profile = Profile(residuals, list(codes.values()), project_out_others(columns, codes))
    flat_errors = {}
    with suppress(TimeUpError):
        for name in filter(partial(_may_widen, fit), names):
            error = float(fit.parameters[name].error or 0.0)
            wider = error / codes[name].slope(codes[name].first) / errors[name]
            flat_errors[name] = profile.half(names.index(name), error, wider)
    return flat_errors


def _may_widen(fit: ModelFit, name: str) -> bool:
    """Whether a parameter has an error; that of a contrast, which follows others, is of a convention."""
    p = fit.parameters[name]
    return bool(p.error) and p.at_least is None and not is_amplitude(name)


def _code(task: Held, info: Any, name: str, start: Mapping[str, Any]) -> Code:
    """Choose the code of a parameter as a search does, at the very value of the fit."""
    p = task.fits[0].parameters[name]
    ranges = {name: (p.low, p.high)} if name in task.given else {}
    code = code_of(info, name, start, ranges, float(task.curves[0].q[0]))
    first = float(np.log(p.value)) if code.unit == 0 else p.value / code.unit
    return replace(code, first=first, low=min(code.low, first), high=max(code.high, first))
