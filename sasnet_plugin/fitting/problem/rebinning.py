"""A coarse copy of a curve, on which starts are polished."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.problem.least_squares import cells
from sasnet_plugin.types import Curve

#: Points at most.
COARSE_POINTS = 80


def coarsened(curve: Curve, dintensity: NDArray[np.float64]) -> tuple[Curve, NDArray[np.float64]]:
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
    if len(curve) <= 1.3 * COARSE_POINTS:
        return curve, dintensity
    total, average = cells(curve.q, dintensity, COARSE_POINTS)

    def mean(column: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if column is None else average(column)

    q, intensity = average(curve.q), average(curve.intensity)
    # Within a cell a curve bends: a per cent of I is what the mean can be off by.
    error = np.hypot(1 / np.sqrt(total), 0.01 * np.abs(intensity))
    found = replace(
        curve,
        q=q,
        intensity=intensity,
        dintensity=error,
        dq=mean(curve.dq),
        dxl=mean(curve.dxl),
        dxw=mean(curve.dxw),
    )
    return found, error
