"""Resolution that a file does not state, found with the models that explain the curve best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...simulate.quick_models.quick import fit_cost_class
from ..evidence.settings import EVIDENCE
from ..ledger import read_spent_time
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
    deadline = read_spent_time() + task.budget.limit_by(budget).seconds
    trials: list[Resolved] = []

    def attempt(relative: float, absolute: float, start: dict[str, Any]) -> None:
        if read_spent_time() > deadline or relative > STRATEGY.most_relative_dq:
            return
        supposed, curve, points = Supposed(relative, absolute), task.curve, None
        if relative or absolute:
            curve = supposed.apply_to(curve)
            points = min(PROBLEM.finest, STRATEGY.finest[fit_cost_class(task.name)])
        local = curves_of(task, points, data=(curve, task.dintensity))
        local.deadline = deadline
        minimum = refine(local, start, steps=STRATEGY.coarse.steps)
        if minimum is not None:
            trials.append(Resolved(supposed, minimum.parameters, minimum.chisq))

    attempt(0.0, 0.0, task.starts[0])
    if not trials:
        return None
    unsmeared = trials[0]
    for relative in STRATEGY.relative_dq:
        attempt(relative, 0.0, unsmeared.parameters)
    for absolute in STRATEGY.absolute_dq:
        attempt(0.0, absolute, unsmeared.parameters)
    best = min(trials, key=lambda trial: trial.chisq)
    if unsmeared.chisq - best.chisq < _SEEN * _compute_needed_fall(best, task):
        return None
    for factor in STRATEGY.dq_factors:
        old_chisq = np.inf
        while best.chisq < old_chisq * (1 - OPTIMIZE.same_minimum):
            old_chisq = best.chisq
            for step in (factor, 1 / factor):
                attempt(step * best.supposed.relative, step * best.supposed.absolute, best.parameters)
            best = min(trials, key=lambda trial: trial.chisq)
    if unsmeared.chisq - best.chisq < _compute_needed_fall(best, task):
        return None
    return replace(best, supposed=replace(best.supposed, error=_error(best, trials)))


def _compute_needed_fall(resolved: Resolved, task: Task) -> float:
    """Return the fall of χ² needed; above n at best, uncertainties are too small by its root."""
    return max(resolved.chisq / len(task.curve), 1.0) * EVIDENCE.strong


def _error(resolved: Resolved, trials: Sequence[Resolved]) -> float:
    """Relative error of the width from the rise of χ² next to it, with all parameters following."""
    # Rises of less than 1 are those of fits that ended a little early.
    near_trials = [
        (abs(np.log(_width(trial) / _width(resolved))), trial.chisq - resolved.chisq)
        for trial in trials
        if _width(trial) not in (0.0, _width(resolved))
        and (trial.supposed.relative > 0) == (resolved.supposed.relative > 0)
    ]
    return float(min([1.0, *(off / np.sqrt(rise) for off, rise in near_trials if rise >= 1)]))


def _width(resolved: Resolved) -> float:
    return resolved.supposed.relative or resolved.supposed.absolute
