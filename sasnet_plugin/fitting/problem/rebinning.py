"""A curve in fewer points, even in ln q, and the weighted least squares of a scale and a background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.types import Curve

Array = NDArray[np.float64]


def coarsened(curve: Curve, dintensity: Array) -> tuple[Curve, Array]:
    """A copy of at most 80 points, weighted means over cells even in ln q.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Positive.

    Returns
    -------
    curve : Curve
    dintensity : (m,) float array
        With a per cent of I added, by which the mean of a bent curve may be off.
    """
    if len(curve) <= PROBLEM.worth_coarsening * PROBLEM.coarse_points:
        return curve, dintensity
    total, average = cells(curve.q, dintensity, PROBLEM.coarse_points)

    def mean(column: Array | None) -> Array | None:
        return None if column is None else average(column)

    q, intensity = average(curve.q), average(curve.intensity)
    # Within a cell a curve bends: a per cent of I is what the mean can be off by.
    error = np.hypot(1 / np.sqrt(total), PROBLEM.bent * np.abs(intensity))
    dq, dxl, dxw = (mean(column) for column in (curve.dq, curve.dxl, curve.dxw))
    found = replace(curve, q=q, intensity=intensity, dintensity=error, dq=dq, dxl=dxl, dxw=dxw)
    return found, error


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
    alone, and uncertainties in proportion to I, a point in a deep minimum would outweigh the rest of its
    cell, and no average of the model is like that. A point far less certain than the others still counts
    for nothing.
    """
    log_q = np.log(q)
    edges = np.linspace(log_q[0], log_q[-1] + 1e-9, count + 1)
    cell = np.searchsorted(edges, log_q, side="right") - 1
    points = np.bincount(cell, minlength=count)
    order, first = np.lexsort((dintensity, cell)), np.cumsum(points) - points
    sizes, low, high = dintensity[order], first + (points - 1) // 2, first + points // 2
    last = dintensity.size - 1
    middle = 0.5 * (sizes[np.clip(low, 0, last)] + sizes[np.clip(high, 0, last)])
    weight = 1 / (dintensity**2 + (PROBLEM.even_weights * middle[cell]) ** 2)
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
