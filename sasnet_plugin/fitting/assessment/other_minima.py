"""Errors that hold another minimum of a model, where it is as good.

The curvature of χ² at one of them says nothing of the other (`start_values.other_minima`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import filterfalse
from typing import Any

import numpy as np

from ..optimize.local_search import LocalMinimum, refine
from ..problem.experiment import TimeUpError, starting_values
from ..problem.free_parameters import are_near_in_size
from ..problem.model_curves import ModelCurves
from ..result.components import is_amplitude
from ..result.covariance import errors_of
from ..settings import ASSESSMENT
from ..start_values.other_minima import Others, others_of
from .held import Held


def spread_over_minima(task: Held, deadline: float) -> dict[str, float]:
    """What adds to the errors of a fit, a standard deviation, for other minima that are as good."""
    # Each is weighted by its likelihood, as `over_kinds` weights kinds of size distribution. Empty for a
    # model without any, where what they differ by is known, and of an expensive one.
    fit = task.fits[0]
    rest = others_of(fit.model)
    if rest is None or not set(rest.sizes) <= task.slopes.keys() or _is_told(rest, task):
        return {}
    start = starting_values(fit)
    total, apart = 1.0, dict.fromkeys(filterfalse(is_amplitude, task.slopes), 0.0)
    for other_start, weight in _as_good(task, rest, start, deadline):
        total += weight
        for name in apart:
            apart[name] += weight * float(other_start.get(name, 0.0) - start[name]) ** 2
    return {name: float(np.sqrt(variance / total)) for name, variance in apart.items()}


def _is_told(rest: Others, task: Held) -> bool:
    """Whether a user has said anything of what minima differ by, or of how widely it is spread."""
    return any(name.removesuffix("_pd") in rest.sizes for name in task.given)


def _as_good(
    task: Held, rivals: Others, start: dict[str, Any], deadline: float
) -> list[tuple[dict[str, Any], float]]:
    """Parameters of other minima, one of each, and their likelihood over that of the fit."""
    fit, curve = task.fits[0], task.curves[0]
    fixed = task.given | {name for name, p in fit.parameters.items() if p.fixed}
    local = ModelCurves(curve, task.dintensities[0], fit.name, fixed=fixed, per_decade=fit.per_decade)
    local.deadline = deadline
    # Of independent noise of the stated size; an error that neighbours share makes less of a difference.
    size = rivals.sizes[0]
    wider = max(1.0, float(fit.parameters[size].error or 0.0) / errors_of(task.slopes)[size])
    starts, minima = [start], []
    with suppress(TimeUpError):
        least = float(np.sum(local.solve(start)[0] ** 2))
        for minimum in _minima(local, rivals.starts(start, curve.q)):
            risen = max(minimum.chisq - least, 0.0) / wider**2
            is_known = any(
                are_near_in_size(rivals.sizes, minimum.parameters, known_start) for known_start in starts
            )
            if risen < ASSESSMENT.significant**2 and not is_known:
                starts.append(minimum.parameters)
                minima.append((minimum.parameters, float(np.exp(-risen / 2))))
    return minima


def _minima(local: ModelCurves, starts: Iterator[dict[str, Any]]) -> Iterator[LocalMinimum]:
    """Yield the minimum near each start, until the time is up."""
    for start in starts:
        minimum = refine(local, start)
        if minimum is None:
            continue
        yield minimum
        if minimum.cut:
            return
