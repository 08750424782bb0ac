"""Whether stated uncertainties agree with the scatter of neighbouring points, which else replaces them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..noise import is_usable
from ..types import Curve

#: Scatter of neighbouring points over their stated uncertainties from which these are too small to be used,
#: or below whose inverse they are too large, if so large a share of the points agrees.
MISSTATED, _SHARE = 3.0, 0.2
#: Fourth differences in a window. Noise and no curvature makes them where so many are of another sign than
#: the one before (0.8 of noise, next to none of a smooth curve), and their mean over their median no larger
#: than this (1.2 of noise).
_WINDOW, SIGN_CHANGES, _MEAN = 21, 0.65, 2.0
#: Span of ln I from which on the noise's power of I is fitted, and the power below: counts.
_SPAN, _COUNTS = 1.0, 0.5
# The median of |x| of a unit normal.
_MEDIAN = 0.6745
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])


def is_stated(curve: Curve) -> bool:
    """Whether a curve's uncertainties are those of its file."""
    return curve.dintensity is not None and not curve.understated


def use_scatter(curve: Curve) -> Curve:
    """The curve with the scatter of its points in place of stated uncertainties that are far too small.

    The scatter is that of fourth differences over 21 points, where these are noise and no curvature.
    Elsewhere, as in fringes, it follows the power of the intensity, 0 to 1, that it has at the other points.
    Where the stated uncertainties are also too large at other q, they say nothing, and all are replaced.
    """
    stated = curve.dintensity
    if curve.understated or stated is None or len(curve) < 2 * _WINDOW or not is_usable(stated).all():
        return curve
    differences = np.convolve(curve.intensity, _FOURTH, "valid")
    changes = np.append(differences[1:] * differences[:-1] < 0, True)
    windows = np.lib.stride_tricks.sliding_window_view
    ratio = np.median(windows(_over(differences, stated), _WINDOW), axis=1) / _MEDIAN
    # Curvature makes the scatter seem larger, never smaller.
    known = (windows(changes, _WINDOW).mean(axis=1) >= SIGN_CHANGES) | (ratio < 1)
    if np.count_nonzero(known) < _WINDOW:
        return curve
    scatter = _extend(ratio, known, curve.intensity, stated)
    small = scatter > MISSTATED * stated
    if not _is_noise(small[2:-2], _over(differences, scatter), changes):
        return curve
    out_of_proportion = np.mean(scatter < stated / MISSTATED) >= _SHARE
    used = scatter if out_of_proportion else np.maximum(scatter, stated)
    return replace(curve, dintensity=used, understated=float(np.median((scatter / stated)[small])))


def _over(differences: NDArray[np.float64], sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fourth differences over what uncertainties (n,) make them, (n - 4,)."""
    return np.asarray(np.abs(differences) / np.sqrt(np.convolve(sigma**2, _FOURTH**2, "valid")))


def _is_noise(small: NDArray[np.bool_], over: NDArray[np.float64], changes: NDArray[np.bool_]) -> bool:
    """Whether fourth differences are larger than stated at enough points, and there are those of noise."""
    if np.mean(small) < _SHARE or np.mean(changes[small]) < SIGN_CHANGES:
        return False
    return bool(np.mean(over[small]) <= _MEAN * np.median(over[small]))


def _extend(
    ratio: NDArray[np.float64],
    known: NDArray[np.bool_],
    intensity: NDArray[np.float64],
    stated: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The standard deviation (n,) of each point's noise from windows in which it is known."""
    middle = slice(2 + _WINDOW // 2, intensity.size - 2 - _WINDOW // 2)
    padded = np.pad(np.abs(intensity), 2, mode="edge")
    level = np.lib.stride_tricks.sliding_window_view(padded, 5).mean(axis=1)
    log_level = np.log(np.maximum(level, 1e-300))
    x = log_level[middle][known]
    y = np.log(np.maximum(ratio, 1e-12) * stated[middle])[known]
    power = float(np.clip(np.polyfit(x, y, 1)[0], 0.0, 1.0)) if np.ptp(x) > _SPAN else _COUNTS
    # What is left of the power law is interpolated along q.
    places = np.arange(intensity.size)
    rest = np.interp(places, places[middle][known], y - power * x)
    return np.asarray(np.exp(rest + power * log_level))
