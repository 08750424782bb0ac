"""How large the noise of a curve is where nothing states it."""

from __future__ import annotations

from collections.abc import Callable

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


def fill_dintensity(intensity: ArrayLike, stated: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The stated uncertainties (n,); from the scatter of the points where there is none, or no usable one."""
    if stated is None:
        return estimate_dintensity(intensity)
    good = is_usable(stated)
    return np.asarray(stated if good.all() else np.where(good, stated, estimate_dintensity(intensity)))


def is_usable(dintensity: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which uncertainties (n,) are positive numbers."""
    return np.asarray(np.isfinite(dintensity) & (dintensity > 0))


def estimate_dintensity(intensity: ArrayLike) -> NDArray[np.float64]:
    """Estimate one standard deviation of each intensity (..., n) from its scatter about its neighbours,
    positive and at least 0.2 % of it.

    The fourth difference removes any local cubic, which leaves noise of a smooth curve (J. von Neumann et
    al., Ann. Math. Statist. 12 (1941) 153, with the first difference). Its mean absolute value over 15 points
    gives the standard deviation.
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


def rounding_of(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of each q (n,) from the digits it is written with; 0 of evenly spaced points.

    What is rounded to a unit u is off by u/√12. Points at even distances are the exact centres of bins.
    """
    exact = np.zeros(q.size)
    steps = np.diff(q)
    if q.size < 3 or np.ptp(steps) <= 1e-6 * np.max(np.abs(steps)):
        return exact
    top = np.floor(np.log10(q)).astype(int)
    digits = _first(lambda n: _is_multiple(q, 10.0 ** (top - n + 1)))
    if digits is None:
        return exact
    lowest = int(np.min(top)) - digits + 1
    decimals = _first(lambda n: _is_multiple(q, 10.0 ** (-n)), -lowest)
    unit = 10.0 ** (top - digits + 1)
    return np.asarray((unit if decimals is None else np.maximum(unit, 10.0**-decimals)) / np.sqrt(12))


#: So many digits are more than any resolution shows; rounding of these changes nothing.
_DIGITS = 5


def _first(is_enough: Callable[[int], bool], most: int = _DIGITS) -> int | None:
    return next((n for n in range(1, most + 1) if is_enough(n)), None)


def _is_multiple(values: NDArray[np.float64], unit: NDArray[np.float64] | float) -> bool:
    counts = values / unit
    return bool(np.all(np.abs(counts - np.round(counts)) <= 1e-6))


def error_of_rounding(q: NDArray[np.float64], intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the rounding of q (n,) adds to the uncertainty of the intensity (n,), by the steeper slope."""
    rounding = rounding_of(q)
    if not np.any(rounding):
        return rounding
    steps = np.diff(q)
    slopes = np.abs(np.diff(intensity)) / np.where(steps > 0, steps, np.inf)
    return np.asarray(rounding * np.maximum(np.append(slopes, 0.0), np.append(0.0, slopes)))
