"""The most probable division of a curve into q ranges that each follow one simple law.

ln I is averaged in bins of ln q. Within a range it follows one of a few laws that are linear in their
coefficients, so that the evidence of every range under every law is a closed form of cumulative sums (D. J.
C. MacKay, Neural Comput. 4 (1992) 415). Dynamic programming then finds the division with the largest total
evidence (B. Jackson et al., IEEE Signal Process. Lett. 12 (2005) 105). A flat background adds to all laws;
its level is the one of the largest evidence.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats


class Law(StrEnum):
    """What a range follows; x is ln q."""

    FLAT = "flat"  #: ln I = a
    POWER = "power law"  #: ln I = a − p x
    GUINIER = "Guinier"  #: ln I = a − Rg² q²/3
    KNEE = "knee"  #: ln I = a − s x − Rg² q²/3 (B. Hammouda, J. Appl. Cryst. 43 (2010) 716)
    PEAK = "peak"  #: ln I = a − c (q − q₀)², q₀ inside
    BACKGROUND = "background"  #: The flat background alone.


class SegmentationSettings(NamedTuple):
    """What a range is."""

    per_decade: int = 20  #: Bins of a decade of q.
    most_bins: int = 160  #: More make wider bins.
    least: int = 3  #: Bins of a range.
    #: Standard deviation of ln I by which a sample departs from such a law in each bin: the laws are
    #: approximations. Read off ranges that were marked by hand, on half of the curves.
    accuracy: float = 0.07
    #: Smallest signal over its error, in a bin, that has a logarithm; and smallest share of a law in the
    #: intensity.
    signal: float = 2.0
    share: float = 0.02
    #: Levels of a flat background that are tried, over the lowest level of the upper half of the curve.
    backgrounds: tuple[float, ...] = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
    lowest_level: float = 0.15  #: Decades that this level is averaged over.
    #: Exponents that are possible, of power laws and of the part below a knee.
    exponents: tuple[float, float] = (-1.0, 6.0)
    below_knee: tuple[float, float] = (-0.5, 3.5)
    #: Smallest and largest q Rg at the end of a Guinier range and of a knee. Below, it is flat; beyond, the
    #: power law of the surface has begun (2.4 for a smooth surface).
    guinier_begin: float = 1.1  #: Largest q Rg at the begin of both; beyond, nothing of q → 0 is seen.
    guinier_end: tuple[float, float] = (0.8, 2.6)
    knee_end: tuple[float, float] = (0.8, 3.0)
    peak_curvature: float = 0.5  #: Least c q₀² of a peak.
    peak_drop: float = 0.5  #: By how much ln I falls from its maximum to both ends, at least.
    #: Prior widths of b q₀ and c q₀² of a peak, b = 2 c q₀.
    peak_prior: tuple[float, float] = (40.0, 20.0)


SETTINGS = SegmentationSettings()


class Bins(NamedTuple):
    """Averages of a curve over bins of ln q, by rising q."""

    x: Floats  #: (n,), ln q.
    y: Floats  #: (n,), ln I.
    error: Floats  #: (n,), standard deviation of ln I.
    points: NDArray[np.intp]  #: (n,), number of points.

    @property
    def q(self) -> Floats:
        return np.exp(self.x)


class Segment(NamedTuple):
    """Bins `first` to `last` - 1 follow one law."""

    law: Law
    first: int
    last: int
    gain: float  #: ln of its evidence and of the prior of its end.


class Segmentation(NamedTuple):
    """A divided curve."""

    bins: Bins
    background: float  #: Flat, in the unit of the intensity; 0 for none.
    segments: tuple[Segment, ...]
    lowest: float  #: Lowest level of the upper half of the curve.


def bin_curve(q: Floats, intensity: Floats, sigma: Floats, settings: SegmentationSettings = SETTINGS) -> Bins:
    """Average a curve, q ascending, over bins; those without a significant intensity are left out."""
    x = np.log(q)
    span = max(float(x[-1] - x[0]), 1e-9)
    count = min(max(math.ceil(span / math.log(10) * settings.per_decade), 4), settings.most_bins)
    place = np.minimum(((x - x[0]) / span * count).astype(np.intp), count - 1)
    first = np.flatnonzero(np.append(True, np.diff(place) > 0))
    points = np.diff(np.append(first, q.size))

    def average(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, first) / points)

    # Ratios to a line through the averages: a steep law within a bin would shift its average.
    center, level = average(x), average(intensity)
    level = np.maximum(level, 1e-12 * float(np.abs(intensity).max()))
    line = np.interp(x, center, np.log(level))
    if center.size > 1:  # beyond the outer averages, too
        for outer, inner, part in ((0, 1, x < center[0]), (-1, -2, x > center[-1])):
            slope = math.log(level[outer] / level[inner]) / float(center[outer] - center[inner])
            line[part] += slope * (x[part] - center[outer])
    reference = np.exp(line)
    ratio = average(intensity / reference)
    error = np.sqrt(average((sigma / reference) ** 2) / points)
    used = ratio > settings.signal * error
    return Bins(center[used], np.log(level[used] * ratio[used]), error[used] / ratio[used], points[used])


def divide(bins: Bins, settings: SegmentationSettings = SETTINGS) -> Segmentation | None:
    """Find the most probable division, each level of the background tried; None for too few bins."""
    if bins.x.size < 2 * settings.least:
        return None
    width = min(max(settings.least, round(settings.lowest_level * settings.per_decade)), bins.x.size // 2)
    means = np.convolve(bins.y[bins.x.size // 2 :], np.full(width, 1 / width), mode="valid")
    lowest = math.exp(float(means.min() if means.size else bins.y.min()))
    tried = [_divide(bins, share * lowest, lowest, settings) for share in settings.backgrounds]
    return max(tried, key=lambda one: one[0])[1]


def _divide(
    bins: Bins, background: float, lowest: float, settings: SegmentationSettings
) -> tuple[float, Segmentation]:
    """The largest ln evidence with a given background, and its division."""
    evidence = _evidence(bins, background, settings)
    laws, n = tuple(evidence), bins.x.size
    table = np.stack(list(evidence.values()))
    best_law, best = table.argmax(axis=0), table.max(axis=0) - math.log(n)
    total, begin = np.full(n + 1, -np.inf), np.zeros(n + 1, dtype=np.intp)
    total[0] = 0.0
    for end in range(1, n + 1):
        gains = total[:end] + best[:end, end]
        begin[end] = gains.argmax()
        total[end] = gains[begin[end]]
    segments: list[Segment] = []
    last = n
    while last > 0:
        first = int(begin[last])
        segments.append(Segment(laws[best_law[first, last]], first, last, float(best[first, last])))
        last = first
    return float(total[n]), Segmentation(bins, background, tuple(reversed(segments)), lowest)


def _evidence(bins: Bins, background: float, settings: SegmentationSettings) -> dict[Law, Floats]:
    """Return ln evidence (n + 1, n + 1) of each law for the bins from a row's number to before a column's.

    Gaussian in ln I: −χ²/2 − ln|N|/2 + k ln(2π)/2 − ln(prior volume), N the normal matrix of k coefficients.
    """
    # What does not depend on the division, the normalisation of the noise, is left out.
    n, q = bins.x.size, bins.q
    variance = bins.error**2 + settings.accuracy**2
    signal = np.exp(bins.y) - background
    is_seen = signal > settings.share * np.exp(bins.y)
    amplification = np.exp(bins.y) / np.where(is_seen, signal, np.inf)
    weight = np.where(
        is_seen & (variance * amplification**2 < 0.25),
        1 / (variance * np.maximum(amplification, 1.0) ** 2),
        0.0,
    )
    x = bins.x - bins.x.mean()
    functions = {
        "x": x,
        "q": q,
        "qq": q**2,
        "y": np.where(weight > 0, np.log(np.where(is_seen, signal, 1.0)) - bins.y.mean(), 0.0),
    }
    first, last = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")

    def total(values: Floats) -> Floats:
        sums = np.append(0.0, np.cumsum(values))
        return np.asarray(sums[None, :] - sums[:, None])

    usable = (last - first >= settings.least) & (np.rint(total((weight > 0).astype(float))) == last - first)
    sum_weight = np.where(usable, total(weight), 1.0)
    sums = {name: total(weight * values) for name, values in functions.items()}

    def covariance(one: str, other: str) -> Floats:
        return np.asarray(
            total(weight * functions[one] * functions[other]) - sums[one] * sums[other] / sum_weight
        )

    yy, half = covariance("y", "y"), 0.5 * math.log(2 * math.pi)
    level = half - 0.5 * np.log(sum_weight) - math.log(float(np.ptp(bins.y)) + 2.0)
    x_low, x_high = bins.x[np.minimum(first, n - 1)], bins.x[np.maximum(last - 1, 0)]
    high_q2 = np.exp(2 * x_high)

    def with_one(name: str) -> tuple[Floats, Floats]:
        ff, fy = covariance(name, name), covariance(name, "y")
        return fy / ff, level + half - 0.5 * (yy - fy**2 / ff) - 0.5 * np.log(ff)

    def with_two(one: str, other: str) -> tuple[Floats, Floats, Floats]:
        aa, ab, bb = covariance(one, one), covariance(one, other), covariance(other, other)
        ay, by = covariance(one, "y"), covariance(other, "y")
        determinant = aa * bb - ab**2
        a, b = (bb * ay - ab * by) / determinant, (aa * by - ab * ay) / determinant
        value = level + 2 * half - 0.5 * (yy - a * ay - b * by) - 0.5 * np.log(determinant)
        return a, b, np.where(last - first > settings.least, value, -np.inf)

    def between(value: Floats, ends: tuple[float, float] | tuple[Floats, Floats]) -> NDArray[np.bool_]:
        return np.asarray((value > ends[0]) & (value < ends[1]))

    with np.errstate(all="ignore"):
        slope, power = with_one("x")
        fall, guinier = with_one("qq")
        slope_below, fall_of_knee, knee = with_two("x", "qq")
        rise, bend, peak = with_two("q", "qq")
        top = -rise / (2 * bend)
        ratio = np.exp(x_low - x_high)
        drop = -bend * np.minimum(top - np.exp(x_low), np.exp(x_high) - top) ** 2
        inside = between(top, (np.exp(x_low), np.exp(x_high)))
        end, end_of_knee = np.sqrt(-3 * fall * high_q2), np.sqrt(-3 * fall_of_knee * high_q2)
        prior: dict[Law, float | Floats] = {
            Law.FLAT: 0.0,
            Law.POWER: -math.log(settings.exponents[1] - settings.exponents[0]),
            Law.GUINIER: -np.log(settings.guinier_end[1] ** 2 / 3 / high_q2),
            Law.KNEE: -math.log(settings.below_knee[1] - settings.below_knee[0])
            - np.log(settings.knee_end[1] ** 2 / 3 / high_q2),
            Law.PEAK: 3 * np.log(top) - math.log(math.prod(settings.peak_prior)),
        }
        allowed = {
            Law.FLAT: usable,
            Law.POWER: between(-slope, settings.exponents),
            Law.GUINIER: between(end, settings.guinier_end) & (end * ratio < settings.guinier_begin),
            Law.KNEE: between(end_of_knee, settings.knee_end)
            & (end_of_knee * ratio < settings.guinier_begin)
            & between(-slope_below, settings.below_knee),
            Law.PEAK: inside & (bend * top**2 < -settings.peak_curvature) & (drop > settings.peak_drop),
        }
        likelihood = (level - 0.5 * yy, power, guinier, knee, peak)
        evidence = {
            law: np.where(usable & allowed[law] & np.isfinite(value), value + prior[law], -np.inf)
            for law, value in zip(prior, likelihood, strict=True)
        }
    if background > 0:
        alone = total(-0.5 * (bins.y - math.log(background)) ** 2 / variance)
        evidence[Law.BACKGROUND] = np.where(last - first >= settings.least, alone, -np.inf)
    return evidence
