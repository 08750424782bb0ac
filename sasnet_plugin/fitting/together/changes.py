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
    curve_values = [curve_parameters[name] for curve_parameters in fit.own]
    far = sorted(range(len(curve_values)), key=lambda i: curve_values[i].value)
    ends = (name, far[0]), (name, far[-1])
    difference = curve_values[far[-1]].value - curve_values[far[0]].value
    low, high = curve_values[far[0]].error, curve_values[far[-1]].error
    if low is None or high is None:
        return difference, float(np.inf)
    columns: dict[Any, Any] = dict(fit.derivatives)
    keys: list[Any] = independent(columns)
    common = 0.0
    if set(ends) <= set(keys):
        matrix = correlations({key: columns[key] for key in keys})
        common = float(matrix[keys.index(ends[0]), keys.index(ends[1])])
    return difference, float(np.sqrt(max(low**2 + high**2 - 2 * common * low * high, 0.0)))
