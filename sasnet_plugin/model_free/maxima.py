"""Maxima of a curve: where they are, how wide, and 2π/q of them; and the dimensionless Kratky plot's."""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, median
from .results import Guinier, Kratky, Peak, Refused


class MaximumSettings(NamedTuple):
    """What a maximum is."""

    points: int = 400  #: Most that are looked at; of more, neighbours are averaged.
    #: Neighbours averaged in turn: sharp maxima are seen by few, broad ones in noise by many.
    averaged: tuple[int, ...] = (1, 5, 15)
    above: float = 8.0  #: Standard deviations that it stands above both minima.
    rise: float = 0.05  #: And how much of its intensity.
    sharp: float = 0.25  #: Largest error of the position over the width.
    most: int = 8  #: Maxima that are given.
    #: Width over q below which it is no fringe of a single body: fringes of spheres have a third at first.
    narrow: float = 0.12
    kratky: tuple[float, float] = (1.0, 5.0)  #: q Rg between which the Kratky plot's maximum is looked for.


SETTINGS = MaximumSettings()
#: A parabola of as many points has one to spare.
_POINTS = 4


def peaks(
    q: Floats, intensity: Floats, sigma: Floats, settings: MaximumSettings = SETTINGS
) -> tuple[Peak, ...]:
    """Find maxima by rising q; arguments as `guinier.guinier`."""
    together = -(-q.size // settings.points)
    q, intensity, sigma = (average_neighbours(x, together) for x in (q, intensity, sigma))
    sigma = sigma / np.sqrt(together) * roughness(intensity / sigma)
    found_peaks: list[Peak] = []
    for number in takewhile(lambda number: 5 * number <= q.size, settings.averaged):
        smooth, noise = _running(intensity, number), sigma / np.sqrt(number)
        for low, top, right in _tops(smooth, noise, settings):
            peak = _peak(q, intensity, sigma, smooth, (low, top, right), settings)
            if peak is not None and _is_new(peak, found_peaks):
                found_peaks.append(peak)
    return tuple(sorted(found_peaks, key=lambda one_peak: one_peak.q)[: settings.most])


def _is_new(peak: Peak, found_peaks: list[Peak]) -> bool:
    return all(
        abs(peak.q - earlier_peak.q) > 0.5 * (peak.width + earlier_peak.width) for earlier_peak in found_peaks
    )


def average_neighbours(x: Floats, together: int) -> Floats:
    """Means of neighbours; what is left at the end is left out."""
    return x[: x.size // together * together].reshape(-1, together).mean(axis=1)


def roughness(relative: Floats) -> float:
    """Noise over the stated errors where that is more, from the median of second differences."""
    if relative.size < 8:
        return 1.0
    return max(median(np.abs(np.diff(relative, 2))) / (0.6745 * np.sqrt(6)), 1.0)


def _running(x: Floats, number: int) -> Floats:
    if number == 1:
        return x
    padded = np.pad(x, number // 2, mode="edge")
    mean: Floats = np.convolve(padded, np.full(number, 1 / number), mode="valid")
    return mean


def _tops(smooth: Floats, noise: Floats, settings: MaximumSettings) -> list[tuple[int, int, int]]:
    """Minimum, maximum, minimum, where each step is significant."""
    tops: list[list[int]] = []
    low = high = 0
    rising = False
    values, least = smooth.tolist(), (settings.above * noise).tolist()
    minimum = 0
    for k, value in enumerate(values):
        if rising:
            if value > values[high]:
                high = k
            elif values[high] - value > max(least[high], settings.rise * values[high]):
                tops.append([minimum, high, k])
                rising, low = False, k
        elif value < values[low]:
            low = k
        elif value - values[low] > max(least[k], settings.rise * value):
            if tops:
                tops[-1][2] = low
            rising, minimum, high = True, low, k
    if tops:
        tops[-1][2] = max(low, tops[-1][2])
    return [(a, b, c) for a, b, c in tops if a < b < c]


def _peak(
    q: Floats, intensity: Floats, sigma: Floats, smooth: Floats, place: tuple[int, int, int],
    settings: MaximumSettings,
) -> Peak | None:  # fmt: skip
    """Position by a parabola through what lies above half of its height."""
    lower, top, right = place
    low, high, width = _upper_half(q, smooth, place)
    low, high = max(min(low, top - 2), 0), min(max(high, top + 2), q.size - 1)
    part = slice(low, high + 1)
    # All of it may lie at one q that stands there several times.
    vertex = _vertex((q[part] - q[top]) / width, intensity[part], sigma[part]) if width else None
    if vertex is None:
        return None
    position, error = float(q[top]) + width * vertex[0], width * vertex[1]
    if not q[lower] < position < q[right] or error > settings.sharp * width:
        return None
    below = bool(np.max(smooth[: top + 1]) > 1.05 * smooth[top])
    return Peak(
        position, error, 2 * np.pi / position, 2 * np.pi / position * error / position, width,
        float(smooth[top]),
        below and width / position > settings.narrow,
    )  # fmt: skip


def _upper_half(q: Floats, smooth: Floats, place: tuple[int, int, int]) -> tuple[int, int, float]:
    """First and last point above half of a maximum's height, and its full width there."""
    lower, top, right = place
    half = 0.5 * (smooth[top] + max(smooth[lower], smooth[right]))
    low, high = top, top
    while low > lower and smooth[low - 1] > half:
        low -= 1
    while high < right and smooth[high + 1] > half:
        high += 1
    ends = _crossing(q, smooth, low - 1, low, half), _crossing(q, smooth, high + 1, high, half)
    return low, high, ends[1] - ends[0]


def _vertex(x: Floats, y: Floats, sigma: Floats) -> tuple[float, float] | None:
    """Where a parabola through points is highest, with its error; None where that is not near 0."""
    if x.size < _POINTS:
        return None
    columns = np.stack([np.ones_like(x), x, x**2], axis=1)
    weight = sigma**-2
    normal = columns.T @ (weight[:, None] * columns)
    try:
        covariance = np.linalg.inv(normal)
    except np.linalg.LinAlgError:
        return None
    a, b, c = (float(coefficient) for coefficient in covariance @ (columns.T @ (weight * y)))
    if c >= 0 or abs(b / (2 * c)) > 1:
        return None
    residual = y - columns @ np.array([a, b, c])
    reduced = float(np.sum(weight * residual**2)) / max(x.size - 3, 1)
    slope = np.array([0.0, -1 / (2 * c), b / (2 * c**2)])
    return -b / (2 * c), float(np.sqrt(slope @ covariance @ slope * max(reduced, 1.0)))


def _crossing(q: Floats, smooth: Floats, outside: int, inside: int, half: float) -> float:
    if not 0 <= outside < q.size or smooth[outside] >= smooth[inside]:
        return float(q[inside])
    share = (smooth[inside] - half) / (smooth[inside] - smooth[outside])
    return float(q[inside] + min(max(share, 0.0), 1.0) * (q[outside] - q[inside]))


def kratky(q: Floats, intensity: Floats, sigma: Floats, guinier: Guinier | Refused) -> Kratky | Refused:
    """Return (q Rg)² I / I(0) (D. Durand et al., J. Struct. Biol. 169 (2010) 45) by `guinier`."""
    if not isinstance(guinier, Guinier):
        return Refused("there is no Guinier region")
    x = q * guinier.rg
    scale = x**2 / guinier.i0
    y, dy = scale * (intensity - guinier.background), scale * sigma
    low, high = SETTINGS.kratky
    bins = np.linspace(low, high, 33)
    place = np.digitize(x, bins) - 1
    inside = (place >= 0) & (place < bins.size - 1)
    weight = dy[inside] ** -2
    total = np.bincount(place[inside], weight, bins.size - 1)
    is_filled = total > 0
    mean = np.bincount(place[inside], weight * y[inside], bins.size - 1)[is_filled] / total[is_filled]
    mean_x = np.bincount(place[inside], weight * x[inside], bins.size - 1)[is_filled] / total[is_filled]
    error = total[is_filled] ** -0.5
    top = int(np.argmax(mean)) if mean.size else 0
    if not 0 < top < mean.size - 2:
        return Kratky(x, y, dy, None, None)
    fall, rise = mean[top] - mean[top:].min(), mean[top] - mean[0]
    # A chain's noise has a maximum, too.
    if fall <= max(3 * error[top], 0.1 * mean[top]) or rise < 3 * error[top]:
        return Kratky(x, y, dy, None, None)
    return Kratky(x, y, dy, float(mean_x[top]) + _shift(mean_x, mean, top), float(mean[top]))


def _shift(positions: Floats, mean: Floats, top: int) -> float:
    """Shift from the highest mean to the top of a parabola through its neighbours."""
    around = slice(max(top - 2, 0), top + 3)
    if mean[around].size <= 3:
        return 0.0
    c, b, _ = np.polyfit(positions[around] - positions[top], mean[around], 2)
    return float(np.clip(-b / (2 * c), -0.3, 0.3)) if c < 0 else 0.0
