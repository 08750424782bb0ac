"""Errors where χ² is flatter than its curvature at the minimum says.

A size that the data hardly show, or of which they show only a bound, has a χ² that rises less on one side
than a parabola does, or not at all: its error is half the distance at which χ² has risen by four, the others
following (`optimize.profile_likelihood`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ..ledger import read_spent_time
from ..optimize.least_squares_problem import Code, LeastSquaresProblem, code_of, project_out_others
from ..optimize.profile_likelihood import Profile
from ..problem.contrast_forms import ContrastForms
from ..problem.experiment import TimeUpError, starting_values
from ..problem.model_curves import ModelCurves
from ..result.components import is_amplitude
from ..result.covariance import errors_of
from ..result.sample_result import Key
from ..task import UNLIMITED, Budget
from .held import Held, errors_beside_held
from .other_minima import spread_over_minima
from .sizes_together import errors_by_sizes_together

if TYPE_CHECKING:
    from ...simulate.bank import Bank


#: Steps of several curves to the minimum of plain least squares: correlated errors may have moved the fit.
_STEPS = 6


def errors_to_add(task: Held, bank: Bank | None = None, budget: Budget = UNLIMITED) -> dict[Any, float]:
    """What adds to the errors of a fit, by name, of several curves by name and curve; for a pool."""
    # What it holds, where χ² is flat, and of one curve where another minimum is as good.
    deadline = read_spent_time() + budget.seconds
    added_errors = errors_beside_held(task, bank, budget)
    flat_errors = {
        key: float(np.sqrt(max(error**2 - task.error(key) ** 2, 0.0)))
        for key, error in _flat(task, deadline).items()
    }
    added_errors = _add_in_quadrature(added_errors, flat_errors)
    if task.plan is not None:
        return added_errors
    added_errors = _add_in_quadrature(added_errors, errors_by_sizes_together(task, deadline))
    return _add_in_quadrature(added_errors, spread_over_minima(task, deadline))


def _add_in_quadrature(
    added_errors: Mapping[Any, float], further_errors: Mapping[Any, float]
) -> dict[Any, float]:
    """What adds to errors, with more of it that is independent."""
    return {
        **added_errors,
        **{key: float(np.hypot(added_errors.get(key, 0.0), error)) for key, error in further_errors.items()},
    }


def _flat(task: Held, deadline: float) -> dict[Any, float]:
    """Errors of the shape parameters where χ² is flat; of those that there was time for."""
    problem = _make_problem(task, deadline)
    slopes = {key if isinstance(key, tuple) else (key, None): column for key, column in task.slopes.items()}
    flat_errors: dict[Any, float] = {}
    with suppress(TimeUpError):
        profile, errors = (_profile_one if task.plan is None else _profile_several)(task, problem, slopes)
        for i, (key, code) in enumerate(problem.codes.items()):
            name = key if task.plan is not None else key[0]
            error, error_alone = task.error(name), errors.get(key, 0.0)
            if error > 0 and error_alone > 0 and _may_widen(task, key):
                wider = error / code.slope(code.first) / error_alone
                flat_errors[name] = profile.half(i, error, wider)
    return flat_errors


def _make_problem(task: Held, deadline: float) -> LeastSquaresProblem:
    """The least-squares problem of the fit from where it has ended."""
    free = {name: (p.low, p.high) for name, p in task.fits[0].parameters.items() if not p.fixed}
    ranges = {name: free[name] for name in task.given & free.keys() - {"scale", "background"}}
    curves = [
        ModelCurves(
            curve, error, task.name, per_decade=fit.per_decade,
            ranges=None if task.plan is None else ranges,
        )
        for curve, error, fit in zip(task.curves, task.dintensities, task.fits, strict=True)
    ]  # fmt: skip
    for curve in curves:
        curve.deadline = deadline
    forms = None if task.plan is None else ContrastForms(curves)
    return LeastSquaresProblem(curves, list(map(starting_values, task.fits)), task.plan, forms=forms)


def _profile_one(
    task: Held, problem: LeastSquaresProblem, slopes: Mapping[Key, Floats]
) -> tuple[Profile, dict[Key, float]]:
    """χ² about the fit of one curve by its own slopes, and errors of what is varied, in codes."""
    local, start = problem.curves[0], problem.starts[0]
    problem.codes = {
        key: _code(task, local.info, key[0], start) for key in slopes if key[0] not in local.linear
    }
    columns = {key: slopes[key] * code.slope(code.first) for key, code in problem.codes.items()}
    columns |= {key: column for key, column in slopes.items() if key not in columns}
    projected = project_out_others(columns, problem.codes) if problem.codes else np.empty((0, 0))
    return Profile(problem.residuals, list(problem.codes.values()), projected), errors_of(columns)


def _profile_several(
    task: Held, problem: LeastSquaresProblem, slopes: Mapping[Key, Floats]
) -> tuple[Profile, dict[Key, float]]:
    """χ² about the minimum of plain least squares beside the fit of several curves, and errors there."""
    problem.run(_STEPS)
    x, codes = problem.best, problem.codes_at(problem.best)
    problem.codes = dict(zip(problem.codes, codes, strict=True))
    errors = errors_of(slopes)
    alone = {key: errors.get(key, 0.0) / code.slope(code.first) for key, code in problem.codes.items()}
    return Profile(problem.residuals, codes, problem.jacobian(x) if codes else np.empty((0, 0))), alone


def _may_widen(task: Held, key: Key) -> bool:
    """Whether a parameter is no length beyond the range, nor a contrast, whose error is of a convention."""
    return task.fits[key[1] or 0].parameters[key[0]].at_least is None and not is_amplitude(key[0])


def _code(task: Held, info: Any, name: str, start: Mapping[str, Any]) -> Code:
    """Choose the code of a parameter as a search does, at the very value of the fit."""
    p = task.fits[0].parameters[name]
    ranges = {name: (p.low, p.high)} if name in task.given else {}
    code = code_of(info, name, start, ranges, float(task.curves[0].q[0]))
    first = float(np.log(p.value)) if code.unit == 0 else p.value / code.unit
    return replace(code, first=first, low=min(code.low, first), high=max(code.high, first))
