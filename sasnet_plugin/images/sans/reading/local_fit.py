"""A profile's level and slope at each ring, from the counts of the rings around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from .polar import N_RINGS, RINGS

if TYPE_CHECKING:
    from ....arrays import Floats

#: Relative error that a ring has however many counts: of unknown efficiencies, and of a parabola's own.
#: Without it the few inner rings with most of the counts decide what the trend of all is.
_LEAST_ERROR = 0.03
#: Newton's steps from the smoothed rate on; more change nothing that the network could see.
_STEPS = 2
#: Added to the normal equations where hardly anything was counted; of a count, times the width's powers.
_RIDGE, _LEAST = 0.05, 1e-6


@dataclass(frozen=True)
class LocalFit:
    """ln I about each ring as a parabola in ln q."""

    #: level, slope: (N_RINGS,), ln I and d ln I/d ln q.
    level: Floats
    slope: Floats
    error: Floats  #: (N_RINGS,), one standard deviation of the level.


@lru_cache(maxsize=8)
def _kernels(width: float) -> Floats:
    """(5, N_RINGS, N_RINGS): Gaussian weights of rings about a ring times (Δ ln q / width)^k, k = 0 … 4."""
    apart = (np.log(RINGS)[None, :] - np.log(RINGS)[:, None]) / width
    return np.stack([np.exp(-0.5 * apart**2) * apart**k for k in range(5)])


def local_fit(counts: Floats, exposure: Floats, width: float) -> LocalFit:
    """Fit a parabola to counts of whole rings (N_RINGS,) about each, Gaussian weights of `width` in ln q."""
    # Local likelihood (Tibshirani & Hastie, J. Am. Stat. Assoc. 82 (1987) 559) of Poisson counts with
    # logarithmic link, so counts of 0 and 1 are used properly.
    kernels = _kernels(width)
    # Half a count over all that was seen nearby: an empty end is dark, not ln 0.
    level = np.log((kernels[0] @ counts + 0.5) / np.maximum(kernels[0] @ exposure, 1e-9))
    for _ in range(_STEPS):
        expected = exposure * np.exp(level)
        weight = expected / (1 + _LEAST_ERROR**2 * expected)
        moved = np.divide(counts - expected, expected, out=np.zeros(N_RINGS), where=expected > 1e-9)
        # One step must not leave what the logarithm is linear over.
        working = weight * (level + np.clip(moved, -1.5, 3.0))
        level, slope, variance = _solve_parabola(kernels @ weight, kernels[:3] @ working, level)
    error = np.sqrt(np.maximum(variance, 0.0))
    return LocalFit(level, slope / width, error)


def _solve_parabola(moments: Floats, right: Floats, previous: Floats) -> tuple[Floats, Floats, Floats]:
    """Solve the parabola's normal equations by cofactors: level, slope, and the level's variance."""
    # Where nothing was counted nearby the level stays as it was `before`.
    a, b, c = moments[0] + _LEAST, moments[1], moments[2]
    d, e, f = moments[2] + _RIDGE, moments[3], moments[4] + _RIDGE
    x, y, z = right[0] + _LEAST * previous, right[1], right[2]
    first, second, third = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * first + b * second + c * third
    level = (first * x + second * y + third * z) / determinant
    slope = (second * x + (a * f - c * c) * y + (b * c - a * e) * z) / determinant
    return level, slope, first / determinant


def local_mean(values: Floats, error: Floats, width: float) -> tuple[Floats, Floats]:
    """Average neighbouring rings (N_RINGS, columns) by inverse variance and Gaussian weights of `width` in ln
    q, with the error; 0 and infinite where nothing is known.
    """
    kernel, weight = _kernels(width)[0], error**-2.0
    total = kernel @ weight
    has_weight = total > 0
    mean = np.divide(kernel @ (weight * values), total, out=np.zeros_like(total), where=has_weight)
    spread = np.divide(np.sqrt(kernel**2 @ weight), total, out=np.full_like(total, np.inf), where=has_weight)
    return mean, spread
