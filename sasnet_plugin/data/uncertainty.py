"""Curves in which noise leaves nothing to be seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Below this reduced chi² a constant or a power law plus a constant explains the curve.
MAX_REDUCED_CHI2 = 1.5
_COARSE = np.arange(-1.0, 8.01, 0.25)
#: Parabolas by which a minimum is refined.
_PARABOLAS = 4


def is_uninformative(
    q: NDArray[np.float64], intensity: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether A q⁻ᵖ + B explains each curve with reduced chi² below 1.5.

    For each exponent p the best A and B follow from linear least squares; p is scanned from -1 to 8 and
    then refined by parabolas for the curves on which that could decide.

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
        middle = np.clip(best[open_rows], 1, _COARSE.size - 2)
        three = np.arange(-1, 2) + middle[:, None]
        p, found = _COARSE[three], chi2[open_rows[:, None], three]
        for _ in range(_PARABOLAS):
            new = np.clip(_lowest(p, found), _COARSE[0] - 0.25, _COARSE[-1] + 0.25)
            there = chi2_of_basis(np.exp(-new[:, None] * log_q), rows, w)
            value[open_rows] = np.minimum(value[open_rows], there)
            worst = np.argmax(found, axis=1)[:, None]
            np.put_along_axis(p, worst, new[:, None], axis=1)
            np.put_along_axis(found, worst, there[:, None], axis=1)
        answer = value < limit
    return answer


def _lowest(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the parabola through three points of each row is lowest; the lowest point where it has no bottom.

    Parameters
    ----------
    x, y : (k, 3) float arrays
    """
    low = np.argmin(y, axis=1)[:, None]
    centre, least = np.take_along_axis(x, low, 1)[:, 0], np.take_along_axis(y, low, 1)[:, 0]
    # Divided differences (Newton).
    first = (y[:, 1] - y[:, 0]) / np.where(x[:, 1] != x[:, 0], x[:, 1] - x[:, 0], np.inf)
    second = (y[:, 2] - y[:, 1]) / np.where(x[:, 2] != x[:, 1], x[:, 2] - x[:, 1], np.inf)
    bend = (second - first) / np.where(x[:, 2] != x[:, 0], x[:, 2] - x[:, 0], np.inf)
    bottom = (x[:, 0] + x[:, 1]) / 2 - first / (2 * np.where(bend > 0, bend, np.inf))
    reach = np.ptp(x, axis=1)
    return np.where((bend > 0) & np.isfinite(least), np.clip(bottom, centre - reach, centre + reach), centre)


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
