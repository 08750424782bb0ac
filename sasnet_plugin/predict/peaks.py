"""A distribution of angles in one sentence: how much lies at which angle, and how much is spread over all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..digits import NORMAL_90
from .arithmetic import Floats

#: A peak is one of its own where the minimum to the next is below this share of its height.
_SADDLE = 0.5
#: Least share of a peak that is named, and of the floor below all.
_LEAST = 0.05


@dataclass(frozen=True)
class Peak:
    """Angles about one."""

    angle: float  #: Mean, degrees.
    #: share, error: of all, above the floor, with one standard deviation.
    share: float
    error: float


def peaks(grid: Floats, p: Floats, p_low: Floats, p_high: Floats, period: float) -> list[Peak]:
    """Find peaks of a periodic distribution (angles in degrees, shares and 90 % band), the largest first."""
    # Each bin belongs to its peak by steepest ascent; one without a minimum before a higher one is part of
    # that.
    count = p.size
    smooth = (np.roll(p, 1) + 2 * p + np.roll(p, -1)) / 4
    floor = float(smooth.min())
    above = np.maximum(p - floor, 0.0)
    home = np.arange(count)
    for _ in range(count):
        around = np.stack([smooth[(home - 1) % count], smooth[home], smooth[(home + 1) % count]])
        moved = (home + np.argmax(around, axis=0) - 1) % count
        if np.array_equal(moved, home):
            break
        home = moved
    tops = sorted(set(home.tolist()), key=lambda top: -smooth[top])
    for top in tops[::-1]:  # the lowest first
        higher = [other for other in tops if smooth[other] > smooth[top] and np.any(home == other)]
        saddles = {other: _saddle(smooth, top, other) for other in higher}
        if not saddles:
            continue
        nearest = max(saddles, key=lambda other: saddles[other])
        if saddles[nearest] - floor > _SADDLE * (smooth[top] - floor) or above[home == top].sum() < _LEAST:
            home[home == top] = nearest
    found = []
    for top in sorted(set(home.tolist())):
        mine = home == top
        share = float(above[mine].sum())
        turn = 2 * np.pi * (grid[mine] - grid[top]) / period
        offset = np.angle(np.sum(above[mine] * np.exp(1j * turn))) * period / (2 * np.pi)
        spread = (p_high[mine] - p_low[mine]) / 2 / NORMAL_90
        found.append(Peak(float((grid[top] + offset) % period), share, float(np.sqrt(np.sum(spread**2)))))
    return sorted((peak for peak in found if peak.share >= _LEAST), key=lambda peak: -peak.share)


def _saddle(smooth: Floats, a: int, b: int) -> float:
    """The lowest value on the way from one bin to another, the shorter of the two ways."""
    low, high = sorted((a, b))
    return float(max(smooth[low : high + 1].min(), np.concatenate([smooth[high:], smooth[: low + 1]]).min()))


def in_words(found: list[Peak], period: float) -> str:
    """Say "70 % at 0°, 30 % at 30° (± 1 %)"; what lies at no peak is spread over all angles."""
    rest = 1 - sum(peak.share for peak in found)
    parts = [f"{100 * peak.share:.0f} % at {round(peak.angle, 0) % period:g}°" for peak in found]
    if rest >= _LEAST:
        parts.append(f"{100 * rest:.0f} % at every angle alike")
    error = max((peak.error for peak in found), default=0.0)
    return f"{', '.join(parts)} (± {max(100 * error, 1):.0f} %)." if found else ""
