"""The wide log-q grid that clean curves are stored on, and interpolation on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Cells per decade: 1.2 % steps, finer than any resolution in the measurement model but synchrotron SAXS.
PER_DECADE = 200
WIDE_MIN = 3e-5
N_WIDE = 1001
WIDE_Q = WIDE_MIN * 10 ** (np.arange(N_WIDE) / PER_DECADE)
WIDE_MAX = float(WIDE_Q[-1])
LN_STEP = float(np.log(10) / PER_DECADE)


def position(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractional index of q (Å⁻¹) on the wide grid, clipped to it."""
    return np.clip(np.log(q / WIDE_MIN) / LN_STEP, 0.0, N_WIDE - 1.0)


#: Points of Lagrange's interpolation: six follow fringes to about q R = 60 at 1.2 % steps, four to 30.
N_LAGRANGE = 6


def lagrange_weights(
    q: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Lagrange interpolation from the wide grid, polynomial in ln q.

    Parameters
    ----------
    q : (...) float array
        Å⁻¹.

    Returns
    -------
    first : (...) int array
        Index of the first of the neighbouring grid points used.
    weights : (..., N_LAGRANGE) float array
        Their weights, which sum to one.
    """
    where = position(q)
    first = np.clip(np.floor(where).astype(np.intp) - (N_LAGRANGE // 2 - 1), 0, N_WIDE - N_LAGRANGE)
    t = where - first
    weights = np.ones((*t.shape, N_LAGRANGE))
    for j in range(N_LAGRANGE):
        for k in range(N_LAGRANGE):
            if k != j:
                weights[..., j] *= (t - k) / (j - k)
    return first, weights
