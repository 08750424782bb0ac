"""How far a parameter that each curve has of its own differs between them, and how well that is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..problem.free_parameters import independent
from ..result.covariance import correlations
from .result import JointFit


def largest_change(fit: JointFit, name: str) -> tuple[float, float]:
    """Return the largest difference of an own parameter between two curves and its standard deviation
    (infinite if unknown). Errors common to the curves, as of a shared width, do not count.
    """
    own = [one[name] for one in fit.own]
    far = sorted(range(len(own)), key=lambda i: own[i].value)
    ends = (name, far[0]), (name, far[-1])
    difference = own[far[-1]].value - own[far[0]].value
    low, high = own[far[0]].error, own[far[-1]].error
    if low is None or high is None:
        return difference, float(np.inf)
    columns: dict[Any, Any] = dict(fit.derivatives)
    known: list[Any] = independent(columns)
    common = 0.0
    if set(ends) <= set(known):
        every = correlations({key: columns[key] for key in known})
        common = float(every[known.index(ends[0]), known.index(ends[1])])
    return difference, float(np.sqrt(max(low**2 + high**2 - 2 * common * low * high, 0.0)))
