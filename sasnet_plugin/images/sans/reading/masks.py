"""Which pixels of a small-angle-scattering image count: beamstop and its shadow, dead and hot pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...reading.masks import hot_pixels, shadows, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats

    BoolArray = NDArray[np.bool_]

#: A beamstop's edge: inside, less than this share of what is just outside; within so many pixels; and no
#: larger than this share of the detector.
_DARK, _EDGE, _LARGEST = 0.35, 3, 0.3
#: Inside, less than this share of the darkest ring far from the beam.
_DARKEST = 0.7
#: Standard deviations by which the outside must be above the inside.
_CLEAR = 4.0


def beamstop(values: Floats, mask: BoolArray, apart: Floats, error: Floats | None) -> float:
    """Return the radius of the beamstop's shadow, pixels, 0 without one; `apart` is each pixel's distance
    from the beam, `error` None for counts.
    """
    # A beamstop ends within a pixel or two; a peak of the sample rises over the wider resolution.
    ring = np.round(apart).astype(int)
    last = int(_LARGEST * max(values.shape))
    inside = mask & (ring <= last)
    number = np.bincount(ring[inside], minlength=last + 1)
    total = np.bincount(ring[inside], values[inside], last + 1)
    noise = np.maximum(values, 1.0) if error is None else error**2
    variance = np.bincount(ring[inside], noise[inside], last + 1)
    far = np.flatnonzero((number >= 6) & (np.arange(last + 1) > last // 2))
    outside = float(np.min(total[far] / number[far])) if far.size else np.inf
    radius = 0.0
    for edge in range(1, last - _EDGE - 2):
        if _is_edge(edge, number, total, variance, outside):
            radius = float(edge + _EDGE)
    return radius


def _is_edge(
    edge: int, number: NDArray[Any], total: NDArray[Any], variance: NDArray[Any], outside: float
) -> bool:
    """Whether it is dark up to a ring and bright beyond; each ring has `number`, `total` and `variance`,
    `outside` is the least mean far away.
    """
    dark, bright = slice(0, edge + 1), slice(edge + _EDGE, edge + _EDGE + 3)
    inner, outer = number[dark].sum(), number[bright].sum()
    if inner < 3 or outer < 6:
        return False
    low, high = total[dark].sum() / inner, total[bright].sum() / outer
    clear = _CLEAR * np.sqrt(variance[dark].sum() / inner**2 + variance[bright].sum() / outer**2)
    # Behind it is less than anywhere: below the sample's peak there is at least its background.
    return bool(high > 0 and low < _DARK * high and high - low > clear and low < _DARKEST * outside)


def faulty(values: Floats, mask: BoolArray) -> tuple[BoolArray, BoolArray, list[str]]:
    """Find pixels in a shadow, dead or hot, with remarks."""
    if min(values.shape) <= 3:
        return np.zeros_like(mask), np.zeros_like(mask), []
    dark = shadows(values, mask)
    hot = hot_pixels(values, mask & ~dark)
    findings = (("In a shadow or dead and excluded", dark), ("Hot and excluded", hot))
    return dark, hot, [f"{text}: {share(part)}." for text, part in findings if np.any(part)]


def find_behind_beamstop(
    values: Floats, mask: BoolArray, apart: Floats, error: Floats | None
) -> tuple[BoolArray, list[str]]:
    """Pixels behind the beamstop, and a sentence that says so; see `beamstop`."""
    radius = beamstop(values, mask, apart, error)
    if not radius:
        return np.zeros_like(mask), []
    covered = mask & (apart <= radius)
    return covered, [f"A beamstop of radius {radius:.0f} pixels was found and excluded: {share(covered)}."]
