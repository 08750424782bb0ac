"""How well a fit determines its parameters: errors and correlations from the slopes of its residuals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.settings import OPTIMIZE


def errors_of(slopes: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Standard deviations from derivatives of the residuals, (JᵀJ)⁻¹; NaN where nothing moves.

    Parameters
    ----------
    slopes : mapping of str to (n,) float array
        By parameter, per unit of it.
    """
    jacobian = np.stack(list(slopes.values()), axis=1)
    scale = np.linalg.norm(jacobian, axis=0)
    scale = np.where(scale > 0, scale, np.nan)
    moving = np.isfinite(scale)
    found = np.full(scale.size, np.nan)
    unit = jacobian[:, moving] / scale[moving]
    found[moving] = np.sqrt(np.diag(np.linalg.pinv(unit.T @ unit, hermitian=True))) / scale[moving]
    return dict(zip(slopes, map(float, found), strict=True))


def correlations(slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation coefficients of the parameters of a least-squares fit.

    The covariance is (JᵀJ)⁻¹ (Press et al., Numerical Recipes, 3rd ed. 2007, 15.4). Columns are scaled first:
    an sld of 4 and a background of 1e-4 have nothing to do with each other's rounding.

    Parameters
    ----------
    slopes : (n, k) float array
        J.

    Returns
    -------
    (k, k) float array
        A parameter without effect is correlated with none.
    """
    length = np.linalg.norm(slopes, axis=0)
    seen = length > 0
    unit = slopes[:, seen] / length[seen]
    found = np.eye(length.size)
    if not seen.any() or not np.all(np.isfinite(unit)):
        return found
    _, singular, rows = np.linalg.svd(unit, full_matrices=False)
    rows = rows[: singular.size] / np.maximum(singular, 1e-9 * singular[0])[:, None]
    covariance = rows.T @ rows
    error = np.sqrt(np.diag(covariance))
    found[np.ix_(seen, seen)] = covariance / np.outer(error, error)
    return np.asarray(np.clip(found, -1.0, 1.0))


def strong_pairs(slopes: Mapping[str, NDArray[np.float64]]) -> dict[tuple[str, str], float]:
    """Pairs of fitted parameters with |r| of at least 0.95, the strongest first.

    Parameters
    ----------
    slopes : mapping of str to (n,) float array
        Derivatives of the residuals by each of them.
    """
    r = correlations(np.stack(list(slopes.values()), axis=1))
    found = {
        (a, b): float(r[i, j])
        for i, a in enumerate(slopes)
        for j, b in enumerate(slopes)
        if i < j and abs(r[i, j]) >= OPTIMIZE.strong
    }
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))
