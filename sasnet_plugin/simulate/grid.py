"""The wide log-q grid that clean curves are stored on, and interpolation on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Cells per decade: 0.29 % steps, finer than the resolution of synchrotron SAXS.
PER_DECADE = 800
WIDE_MIN = 3e-5
N_WIDE = 4001
WIDE_Q = WIDE_MIN * 10 ** (np.arange(N_WIDE) / PER_DECADE)
WIDE_MAX = float(WIDE_Q[-1])
LN_STEP = float(np.log(10) / PER_DECADE)
#: Clean curves are kept blurred by a Gaussian in ln q of this standard deviation, in cells: fringes finer
#: than the grid are averaged, not aliased. Pinhole smearing is narrowed by as much (variances add).
BLUR = 0.7


def blurred(log_i: NDArray[np.float64], per_cell: int) -> NDArray[np.float64]:
    """Average a curve over ``BLUR`` cells and keep one point a cell.

    Parameters
    ----------
    log_i : (per_cell (n - 1) + 1,) float array
        ln I at `per_cell` evenly spaced points in each cell of the grid.
    per_cell : int

    Returns
    -------
    (n,) float array
        ln of the averaged I. Beyond its ends the curve is continued as a power law.
    """
    reach = int(np.ceil(3.5 * BLUR * per_cell))
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (BLUR * per_cell)) ** 2)
    beyond = np.arange(1, reach + 1)
    last = min(per_cell, log_i.size - 1)
    head = log_i[0] + (log_i[0] - log_i[last]) / last * beyond[::-1]
    tail = log_i[-1] + (log_i[-1] - log_i[-1 - last]) / last * beyond
    top = log_i.max()
    padded = np.exp(np.concatenate((head, log_i, tail)) - top)
    return np.asarray(np.log(np.convolve(padded, weight / weight.sum(), "valid")[::per_cell]) + top)


def position(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractional index of q (Å⁻¹) on the wide grid, clipped to it."""
    return np.clip(np.log(q / WIDE_MIN) / LN_STEP, 0.0, N_WIDE - 1.0)


#: Points of Lagrange's interpolation: six follow fringes twice as fine as four do.
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
