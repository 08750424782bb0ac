"""How well data determine parameters: the covariance of a least-squares fit from its slopes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from ...arrays import Floats

#: A parameter's name; of several curves also the place of the curve that has it of its own.
_Key = TypeVar("_Key")
#: Of the largest singular value: no direction of parameters is taken for better known than rounding allows.
_ROUNDING = 1e-9


def covariance(slopes: Mapping[Any, Floats]) -> Floats:
    """Return (JᵀJ)⁻¹ (Press et al., Numerical Recipes, 3rd ed. 2007, 15.4), NaN without effect."""
    # Columns (n,), per unit of each parameter, are scaled first: an sld of 4 and a background of 1e-4 must
    # not share rounding.
    jacobian = np.stack(list(slopes.values()), axis=1)
    length = np.linalg.norm(jacobian, axis=0)
    is_finite = np.isfinite(length) & (length > 0)
    matrix = np.full((length.size, length.size), np.nan)
    if is_finite.any():
        _, singular, rows = np.linalg.svd(jacobian[:, is_finite] / length[is_finite], full_matrices=False)
        rows = rows / np.maximum(singular, _ROUNDING * singular[0])[:, None]
        matrix[np.ix_(is_finite, is_finite)] = rows.T @ rows / np.outer(length[is_finite], length[is_finite])
    return matrix


def errors_of(slopes: Mapping[_Key, Floats]) -> dict[_Key, float]:
    """Standard deviations, NaN where nothing moves; none of nothing."""
    if not slopes:
        return {}
    return dict(zip(slopes, map(float, np.sqrt(np.diag(covariance(slopes)))), strict=True))


def correlations(slopes: Mapping[Any, Floats]) -> Floats:
    """Correlation coefficients of the parameters, (k, k); NaN for one without effect."""
    matrix = covariance(slopes)
    error = np.sqrt(np.diag(matrix))
    return np.asarray(np.clip(matrix / np.outer(error, error), -1.0, 1.0))
