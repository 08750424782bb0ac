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
from ..ledger import spent
from ..optimize.local_search import Code, code_of, decoded, projected
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


def errors_to_add(asked: Held, bank: Bank | None = None, budget: Budget = UNLIMITED) -> dict[str, float]:
    """What adds to the errors of a fit of one curve, for a pool."""
    # What it holds, where χ² is flat, and where another minimum is as good.
    deadline = spent() + budget.seconds
    found = errors_beside_held(asked, bank, budget)
    own = {name: p.error or 0.0 for name, p in asked.fits[0].parameters.items()}
    found = with_flat(found, own, _flat(asked, deadline))
    found = _with(found, errors_by_sizes_together(asked, deadline))
    return _with(found, spread_over_minima(asked, deadline))


def with_flat(
    found: Mapping[Any, float], own: Mapping[Any, float], flat: Mapping[Any, float]
) -> dict[Any, float]:
    """What adds to errors, with what adds for them to be as large as where χ² is flat."""
    more = {key: np.sqrt(max(error**2 - own[key] ** 2, 0.0)) for key, error in flat.items()}
    return _with(found, more)


def _with(found: Mapping[Any, float], more: Mapping[Any, float]) -> dict[Any, float]:
    """What adds to errors, with more of it that is independent."""
    return {**found, **{key: float(np.hypot(found.get(key, 0.0), one)) for key, one in more.items()}}


def _flat(asked: Held, deadline: float) -> dict[str, float]:
    """Errors of the shape parameters where χ² is flat; of those that there was time for."""
    if not asked.slopes:  # of an expensive model
        return {}
    fit, curve = asked.fits[0], asked.curves[0]
    local = ModelCurves(curve, asked.dintensities[0], asked.name, per_decade=fit.per_decade)
    names = [name for name in asked.slopes if name not in local.linear]
    if not names:
        return {}
    local.deadline = deadline
    start = starting_values(fit)
    codes = {name: _code(asked, local.info, name, start) for name in names}
    columns = {name: asked.slopes[name] * code.slope(code.first) for name, code in codes.items()}
    columns |= {name: column for name, column in asked.slopes.items() if name not in codes}
    errors = errors_of(columns)

    def residuals(at: Floats) -> Floats:
        return np.asarray(local.solved({**start, **decoded(codes, at)})[0])

    profile = Profile(residuals, list(codes.values()), projected(columns, codes))
    found = {}
    with suppress(TimeUpError):
        for name in filter(partial(_may_widen, fit), names):
            error = float(fit.parameters[name].error or 0.0)
            wider = error / codes[name].slope(codes[name].first) / errors[name]
            found[name] = profile.half(names.index(name), error, wider)
    return found


def _may_widen(fit: ModelFit, name: str) -> bool:
    """Whether a parameter has an error; that of a contrast, which follows others, is of a convention."""
    p = fit.parameters[name]
    return bool(p.error) and p.at_least is None and not is_amplitude(name)


def _code(asked: Held, info: Any, name: str, start: Mapping[str, Any]) -> Code:
    """Choose the code of a parameter as a search does, at the very value of the fit."""
    p = asked.fits[0].parameters[name]
    ranges = {name: (p.low, p.high)} if name in asked.given else {}
    code = code_of(info, name, start, ranges, float(asked.curves[0].q[0]))
    first = float(np.log(p.value)) if code.unit == 0 else p.value / code.unit
    return replace(code, first=first, low=min(code.low, first), high=max(code.high, first))
