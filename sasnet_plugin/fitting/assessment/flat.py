"""Errors where χ² is flatter than its curvature at the minimum says.

A size that the data hardly show, or of which they show only a bound, has a χ² that rises less on one side
than a parabola does, or not at all. Along the line on which the other parameters follow, χ² must have risen
by four at two standard deviations (profile likelihood; D. M. Bates and D. G. Watts, Nonlinear Regression
Analysis, 1988, 6.1): where it has not, the error is half the distance at which it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ..ledger import spent
from ..optimize.local_search import Code, code_of, projected
from ..problem.experiment import TimeUpError, starting_values
from ..problem.model_curves import ModelCurves
from ..result.components import is_amplitude
from ..result.covariance import errors_of
from ..result.model_fit import ModelFit
from ..settings import ASSESSMENT
from ..task import UNLIMITED, Budget
from .held import Held, errors_beside_held

if TYPE_CHECKING:
    from ...simulate.bank import Bank


def errors_to_add(asked: Held, bank: Bank | None = None, budget: Budget = UNLIMITED) -> dict[str, float]:
    """What adds to the errors of a fit of one curve: what it holds, and where χ² is flat; for a pool."""
    deadline = spent() + budget.seconds
    found = errors_beside_held(asked, bank, budget)
    for name, error in _flat(asked, deadline).items():
        own = asked.fits[0].parameters[name].error or 0.0
        found[name] = float(np.hypot(found.get(name, 0.0), np.sqrt(max(error**2 - own**2, 0.0))))
    return found


@dataclass(frozen=True)
class _Profile:
    """χ² where one parameter is held elsewhere, and the others follow."""

    curves: ModelCurves
    start: Mapping[str, Any]
    codes: Mapping[str, Code]  #: Of what is not solved for.
    slopes: Floats  #: (n, k), of the residuals by each code at the minimum, what is linear projected out.

    def chisq(self, at: Floats) -> tuple[float, Floats]:
        """At such codes, (k,), and the residuals, (n,)."""
        values = {name: code.value(x) for (name, code), x in zip(self.codes.items(), at, strict=True)}
        residual, _, _ = self.curves.solved({**self.start, **values})
        return float(residual @ residual), residual

    def along(self, i: int, at: Floats, to: float, enough: float) -> tuple[float, Floats]:
        """χ² where parameter i has moved to a code, and codes of all there, from where they were.

        The others go on as they went; where that does not leave χ² low enough, with the slopes of the
        minimum, as long as these lead down.
        """
        others = np.delete(self.slopes, i, axis=1)
        step = -np.linalg.lstsq(others, self.slopes[:, i] * (to - at[i]), rcond=None)[0]
        moved = self._stepped(i, np.insert(np.delete(at, i), i, to), step)
        chisq, residual = self.chisq(moved)
        for _ in range(ASSESSMENT.flat_steps):
            if chisq <= enough:
                break
            step = -np.linalg.lstsq(others, residual, rcond=None)[0]
            nearer = self._stepped(i, moved, step)
            less, left = self.chisq(nearer)
            if less >= chisq:
                break
            moved, chisq, residual = nearer, less, left
        return chisq, moved

    def _stepped(self, i: int, at: Floats, step: NDArray[Any]) -> Floats:
        moved = at + np.insert(step, i, 0.0)
        return np.array([code.within(x) for code, x in zip(self.codes.values(), moved, strict=True)])


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
    found = {}
    with suppress(TimeUpError):
        profile = _Profile(local, start, codes, projected(columns, codes))
        least, _ = profile.chisq(np.array([code.first for code in codes.values()]))
        for name in filter(partial(_may_widen, fit), names):
            unit = float(fit.parameters[name].error or 0.0) / codes[name].slope(codes[name].first)
            wider = unit / errors[name]
            found[name] = max(_half(profile, name, side, least, wider) for side in (-unit, unit))
    return found


def _may_widen(fit: ModelFit, name: str) -> bool:
    """Whether a parameter has an error; that of a contrast, which follows others, is of a convention."""
    p = fit.parameters[name]
    return bool(p.error) and p.at_least is None and not is_amplitude(name)


def _code(asked: Held, info: Any, name: str, start: Mapping[str, Any]) -> Code:
    """As a search has it, at the very value of the fit."""
    p = asked.fits[0].parameters[name]
    ranges = {name: (p.low, p.high)} if name in asked.given else {}
    code = code_of(info, name, start, ranges, float(asked.curves[0].q[0]))
    first = float(np.log(p.value)) if code.unit == 0 else p.value / code.unit
    return replace(code, first=first, low=min(code.low, first), high=max(code.high, first))


def _half(profile: _Profile, name: str, unit: float, least: float, wider: float) -> float:
    """Half of how far off a parameter is, to one side, where χ² has risen as at two standard deviations.

    Parameters
    ----------
    unit : float
        The error in the parameter's code, with the sign of the side.
    wider : float
        The error over that of independent noise of the stated size.
    """
    code, i = profile.codes[name], list(profile.codes).index(name)
    at = np.array([one.first for one in profile.codes.values()])
    enough = least + (2 * ASSESSMENT.flat_rise * wider) ** 2
    before, risen, far = 0.0, 0.0, 2.0
    while far < ASSESSMENT.flat_far:
        chisq, at = profile.along(i, at, code.within(code.first + far * unit), enough)
        up = float(np.sqrt(max(chisq - least, 0.0))) / wider
        if up >= 2.0:
            far = before + (far - before) * (2.0 - risen) / (up - risen)
            break
        if not code.low < code.first + far * unit < code.high:
            break
        before, risen, far = far, up, 1.5 * far
    return abs(code.value(code.within(code.first + far * unit)) - code.value(code.first)) / 2
