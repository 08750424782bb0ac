"""Weighted means and weighted least squares that starts and fits share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cells(q: Array, dintensity: Array, count: int) -> tuple[Array, Callable[[Array], Array]]:
    """Cells even in ln q, those without points left out.

    Parameters
    ----------
    q, dintensity : (n,) float arrays
        Å⁻¹, ascending; uncertainties, positive.
    count : int
        Cells, at most.

    Returns
    -------
    total : (m,) float array
        Sum of the weights 1/dintensity² in each cell.
    mean : callable
        From a column (n,) to its weighted means (m,).
    """
    log_q = np.log(q)
    edges = np.linspace(log_q[0], log_q[-1] + 1e-9, count + 1)
    cell = np.searchsorted(edges, log_q, side="right") - 1
    weight = 1 / dintensity**2
    total = np.asarray(np.bincount(cell, weight, count), dtype=np.float64)
    used = total > 0

    def mean(column: Array) -> Array:
        return np.asarray(np.bincount(cell, weight * column, count)[used] / total[used])

    return total[used], mean


def scale_and_background(
    curves: Array, weight: Array, intensity: Array, *, negative: bool = False
) -> tuple[Array, Array]:
    """Weighted least squares of scale × curve + background.

    Parameters
    ----------
    curves : (..., n) float array
    weight, intensity : (n,) float arrays
        One over the variance, and what is to be explained.
    negative : bool
        Whether the background may be negative, as where too much was subtracted.

    Returns
    -------
    scale, background : (...) float arrays
        Not finite where a curve is not.
    """
    sw, sy = weight.sum(), weight @ intensity
    sm, smm, smy = curves @ weight, curves**2 @ weight, curves @ (weight * intensity)
    with np.errstate(all="ignore"):
        determinant = smm * sw - sm**2
        scale, background = (smy * sw - sm * sy) / determinant, (smm * sy - sm * smy) / determinant
        if negative:
            return scale, background
        alone = ~(background >= 0)
        return np.where(alone, smy / smm, scale), np.where(alone, 0.0, background)
