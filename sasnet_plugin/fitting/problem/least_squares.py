"""Weighted means and weighted least squares that starts and fits share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: How even the weights of a cell's points are, see `cells`.
_EVEN = 3.0


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
        One over the variance of the mean intensity of each cell.
    mean : callable
        From a column (n,) to its means (m,).

    Notes
    -----
    A point's variance in the weights has nine times that of its cell's middle one added. With 1/dintensity²
    alone, and uncertainties in proportion to I, a point in a deep minimum would stand for the whole cell that
    a fringe crosses, and no average of the model is like that. A point far less certain than the others
    still counts for nothing.
    """
    log_q = np.log(q)
    edges = np.linspace(log_q[0], log_q[-1] + 1e-9, count + 1)
    cell = np.searchsorted(edges, log_q, side="right") - 1
    points = np.bincount(cell, minlength=count)
    order, first = np.lexsort((dintensity, cell)), np.cumsum(points) - points
    sizes, low, high = dintensity[order], first + (points - 1) // 2, first + points // 2
    last = dintensity.size - 1
    middle = 0.5 * (sizes[np.clip(low, 0, last)] + sizes[np.clip(high, 0, last)])
    weight = 1 / (dintensity**2 + (_EVEN * middle[cell]) ** 2)
    used = points > 0
    norm = np.bincount(cell, weight, count)[used]
    total = norm**2 / np.bincount(cell, (weight * dintensity) ** 2, count)[used]

    def mean(column: Array) -> Array:
        return np.asarray(np.bincount(cell, weight * column, count)[used] / norm)

    return np.asarray(total, dtype=np.float64), mean


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
