"""Resolution that a file does not state, found with the models that explain the curve best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...simulate.quick_models.quick import fit_cost_class
from ..evidence.settings import EVIDENCE
from ..ledger import spent
from ..optimize.local_search import refine
from ..problem.model_curves import curves_of
from ..settings import OPTIMIZE, PROBLEM
from ..task import UNLIMITED, Budget, Task
from .hypothesis import Supposed
from .settings import STRATEGY

if TYPE_CHECKING:
    from ...simulate.bank import Bank

#: Share of the fall of χ² that one of the widths tried first has at least: smearing changes a curve as the
#: square of the width, so that two thirds of the right one leave (1 - 4/9)² of the misfit.
_SEEN = 0.5


@dataclass(frozen=True)
class Resolved:
    """A resolution, and a model's parameters and χ² with it."""

    supposed: Supposed  #: Of no width: what the file states.
    parameters: dict[str, Any]
    chisq: float


def resolution_of(task: Task, bank: Bank | None = None, budget: Budget = UNLIMITED) -> Resolved | None:
    """Estimate the resolution from a model that fits well without one; None if the curve needs none."""
    # Usual instruments' widths come first, then ever smaller changes with the model's parameters following.
    deadline = spent() + task.budget.within(budget).seconds
    tried: list[Resolved] = []

    def attempt(relative: float, absolute: float, start: dict[str, Any]) -> None:
        if spent() > deadline or relative > STRATEGY.most_relative_dq:
            return
        supposed, curve, points = Supposed(relative, absolute), task.curve, None
        if relative or absolute:
            curve = supposed.seen_with(curve)
            points = min(PROBLEM.finest, STRATEGY.finest[fit_cost_class(task.name)])
        local = curves_of(task, points, data=(curve, task.dintensity))
        local.deadline = deadline
        done = refine(local, start, steps=STRATEGY.coarse.steps)
        if done is not None:
            tried.append(Resolved(supposed, done.parameters, done.chisq))

    attempt(0.0, 0.0, task.starts[0])
    if not tried:
        return None
    without = tried[0]
    for relative in STRATEGY.relative_dq:
        attempt(relative, 0.0, without.parameters)
    for absolute in STRATEGY.absolute_dq:
        attempt(0.0, absolute, without.parameters)
    found = min(tried, key=lambda one: one.chisq)
    if without.chisq - found.chisq < _SEEN * _needed(found, task):
        return None
    for factor in STRATEGY.dq_factors:
        before = np.inf
        while found.chisq < before * (1 - OPTIMIZE.same_minimum):
            before = found.chisq
            for step in (factor, 1 / factor):
                attempt(step * found.supposed.relative, step * found.supposed.absolute, found.parameters)
            found = min(tried, key=lambda one: one.chisq)
    if without.chisq - found.chisq < _needed(found, task):
        return None
    return replace(found, supposed=replace(found.supposed, error=_error(found, tried)))


def _needed(found: Resolved, task: Task) -> float:
    """Return the fall of χ² needed; above n at best, uncertainties are too small by its root."""
    return max(found.chisq / len(task.curve), 1.0) * EVIDENCE.strong


def _error(found: Resolved, tried: Sequence[Resolved]) -> float:
    """Relative error of the width from the rise of χ² next to it, with all parameters following."""
    # Rises of less than 1 are those of fits that ended a little early.
    beside = [
        (abs(np.log(_width(one) / _width(found))), one.chisq - found.chisq)
        for one in tried
        if _width(one) not in (0.0, _width(found))
        and (one.supposed.relative > 0) == (found.supposed.relative > 0)
    ]
    return float(min([1.0, *(off / np.sqrt(rise) for off, rise in beside if rise >= 1)]))


def _width(one: Resolved) -> float:
    return one.supposed.relative or one.supposed.absolute
