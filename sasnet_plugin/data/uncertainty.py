"""Noise: its size where a file gives none, and curves in which it leaves nothing to be seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: No instrument is better than this, relative to the intensity.
RELATIVE_FLOOR = 2e-3
_HALF_WIDTH = 7
# The fourth difference of independent unit noise has variance 1 + 16 + 36 + 16 + 1.
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
_FOURTH_NORM = float(np.sqrt(np.sum(_FOURTH**2)))
# E|x| of a unit normal is sqrt(2/pi).
_MEAN_ABS = float(np.sqrt(np.pi / 2))


def estimate_dintensity(intensity: ArrayLike) -> NDArray[np.float64]:
    """Estimate one standard deviation of each intensity from its scatter about its neighbours.

    The fourth difference of neighbouring points removes any local cubic, so that what it leaves of a
    smooth curve is noise (J. von Neumann et al., Ann. Math. Statist. 12 (1941) 153, for the idea with
    the first difference). Its mean absolute value over 15 points gives the standard deviation.

    Parameters
    ----------
    intensity : (..., n) float array
        I(q) at ascending q, any unit.

    Returns
    -------
    dintensity : (..., n) float array
        In the unit of the intensity, at least 0.2 % of it, always positive.
    """
    values = np.asarray(intensity, dtype=np.float64)
    n = values.shape[-1]
    tiny = np.max(np.abs(values), axis=-1, keepdims=True) * 1e-12 + 1e-300
    if n < 6:
        return np.maximum(0.05 * np.abs(values), tiny)
    residual = sum(c * values[..., k : n - 4 + k] for k, c in enumerate(_FOURTH))
    residual = np.abs(residual) / _FOURTH_NORM
    pad = [(0, 0)] * (values.ndim - 1)
    padded = np.pad(residual, [*pad, (2 + _HALF_WIDTH, 2 + _HALF_WIDTH)], mode="edge")
    total = np.cumsum(np.pad(padded, [*pad, (1, 0)]), axis=-1)
    width = 2 * _HALF_WIDTH + 1
    mean_abs = (total[..., width:] - total[..., :-width]) / width
    # A running difference of a cumulative sum can leave rounding below zero.
    sigma = np.maximum(mean_abs, 0.0) * _MEAN_ABS
    return np.maximum(np.maximum(sigma, RELATIVE_FLOOR * np.abs(values)), tiny)


#: Below this reduced chi² a constant or a power law plus a constant explains the curve.
MAX_REDUCED_CHI2 = 1.5
_COARSE = np.arange(-1.0, 8.01, 0.25)


def is_uninformative(
    q: NDArray[np.float64], intensity: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether A q⁻ᵖ + B explains each curve with reduced chi² below 1.5.

    For each exponent p the best A and B follow from linear least squares; p is scanned from -1 to 8 and
    then refined by golden section for the curves on which that could decide.

    Parameters
    ----------
    q : (n,) float array
        Å⁻¹.
    intensity, sigma : (k, n) float arrays
        Measured intensities and their true standard deviation.
    """
    n = q.size
    weight = 1 / sigma**2
    log_q = np.log(q / np.sqrt(q[0] * q[-1]))
    limit = MAX_REDUCED_CHI2 * max(n - 3, 1)
    chi2 = _scanned(np.exp(-_COARSE[:, None] * log_q), intensity, weight)
    best = np.argmin(chi2, axis=1)
    value = chi2[np.arange(len(best)), best]
    answer = value < limit
    # A quarter step in p costs much where precision is high, so near misses are refined.
    open_rows = np.flatnonzero(~answer & (value < 1e4 * limit))
    if open_rows.size:
        rows, w = intensity[open_rows], weight[open_rows]
        low = _COARSE[best[open_rows]] - 0.25
        high = low + 0.5
        golden = (np.sqrt(5) - 1) / 2
        for _ in range(9):
            a, b = high - golden * (high - low), low + golden * (high - low)
            chi_a = chi2_of_basis(np.exp(-a[:, None] * log_q), rows, w)
            chi_b = chi2_of_basis(np.exp(-b[:, None] * log_q), rows, w)
            left = chi_a < chi_b
            high, low = np.where(left, b, high), np.where(left, low, a)
            value[open_rows] = np.minimum(value[open_rows], np.minimum(chi_a, chi_b))
        answer = value < limit
    return answer


def _scanned(
    basis: NDArray[np.float64], intensity: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(k, m) chi² of the best A·basis + B of each curve with each of m bases, by products of matrices.

    Intensities are measured from their weighted mean, so that little cancels.
    """
    w_sum = weight.sum(axis=1, keepdims=True)
    centred = intensity - np.sum(weight * intensity, axis=1, keepdims=True) / w_sum
    total = np.sum(weight * centred**2, axis=1, keepdims=True)
    square = weight @ (basis**2).T
    spread = square - (weight @ basis.T) ** 2 / w_sum
    explained = ((weight * centred) @ basis.T) ** 2
    # A flat basis explains nothing, and its spread is what rounding leaves.
    flat = spread <= 1e-12 * square
    return np.asarray(total - np.where(flat, 0.0, explained / np.where(flat, 1.0, spread)))


def chi2_of_basis(
    basis: NDArray[np.float64], intensity: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Chi² of the best A·basis + B, residuals formed point by point so that nothing cancels."""
    w_sum = weight.sum(axis=1)
    mean_b = np.sum(weight * basis, axis=1) / w_sum
    mean_i = np.sum(weight * intensity, axis=1) / w_sum
    centred = basis - mean_b[:, None]
    slope = np.sum(weight * centred * intensity, axis=1) / np.maximum(
        np.sum(weight * centred**2, axis=1), 1e-300
    )
    residual = intensity - mean_i[:, None] - slope[:, None] * centred
    return np.sum(weight * residual**2, axis=1)
