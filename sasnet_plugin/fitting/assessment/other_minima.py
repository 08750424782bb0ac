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
from ..problem.free_parameters import near_in_size
from ..problem.model_curves import ModelCurves
from ..result.components import is_amplitude
from ..result.covariance import errors_of
from ..settings import ASSESSMENT
from ..start_values.other_minima import Others, others_of
from .held import Held


def spread_over_minima(asked: Held, deadline: float) -> dict[str, float]:
    """What adds to the errors of a fit, a standard deviation, for other minima that are as good."""
    # Each is weighted by its likelihood, as `over_kinds` weights kinds of size distribution. Empty for a
    # model without any, where what they differ by is known, and of an expensive one.
    fit = asked.fits[0]
    others = others_of(fit.model)
    if others is None or not set(others.sizes) <= asked.slopes.keys() or _is_told(others, asked):
        return {}
    start = starting_values(fit)
    total, apart = 1.0, dict.fromkeys(filterfalse(is_amplitude, asked.slopes), 0.0)
    for other, weight in _as_good(asked, others, start, deadline):
        total += weight
        for name in apart:
            apart[name] += weight * float(other.get(name, 0.0) - start[name]) ** 2
    return {name: float(np.sqrt(one / total)) for name, one in apart.items()}


def _is_told(others: Others, asked: Held) -> bool:
    """Whether a user has said anything of what minima differ by, or of how widely it is spread."""
    return any(name.removesuffix("_pd") in others.sizes for name in asked.given)


def _as_good(
    asked: Held, others: Others, start: dict[str, Any], deadline: float
) -> list[tuple[dict[str, Any], float]]:
    """Parameters of other minima, one of each, and their likelihood over that of the fit."""
    fit, curve = asked.fits[0], asked.curves[0]
    fixed = asked.given | {name for name, p in fit.parameters.items() if p.fixed}
    local = ModelCurves(curve, asked.dintensities[0], fit.name, fixed=fixed, per_decade=fit.per_decade)
    local.deadline = deadline
    # Of independent noise of the stated size; an error that neighbours share makes less of a difference.
    size = others.sizes[0]
    wider = max(1.0, float(fit.parameters[size].error or 0.0) / errors_of(asked.slopes)[size])
    kept, found = [start], []
    with suppress(TimeUpError):
        least = float(np.sum(local.solved(start)[0] ** 2))
        for there in _minima(local, others.starts(start, curve.q)):
            risen = max(there.chisq - least, 0.0) / wider**2
            known = any(near_in_size(others.sizes, there.parameters, one) for one in kept)
            if risen < ASSESSMENT.significant**2 and not known:
                kept.append(there.parameters)
                found.append((there.parameters, float(np.exp(-risen / 2))))
    return found


def _minima(local: ModelCurves, starts: Iterator[dict[str, Any]]) -> Iterator[LocalMinimum]:
    """Yield the minimum near each start, until the time is up."""
    for start in starts:
        there = refine(local, start)
        if there is None:
            continue
        yield there
        if there.cut:
            return
