"""From a division of a curve into ranges to the regions with their values and errors.

Each range is fitted again, with the laws of its neighbours subtracted where these add: after a steep law a
flatter one begins that was there before. Within a range the curve departs from its law by a smooth process
whose size its own points say (M. C. Kennedy and A. O'Hagan, J. R. Stat. Soc. B 63 (2001) 425), so that errors
hold noise and shape. The levels that the ranges show are then fitted together by the unified equation, and
the answer is taken that makes the points of a range more probable, its error holding the other one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, median
from .maxima import roughness
from .region_results import (
    FlatBackground,
    FlatRegion,
    GuinierKnee,
    Level,
    PeakRegion,
    PowerLaw,
    Region,
    Regions,
)
from .segmentation import SETTINGS as DIVISION
from .segmentation import Bins, Law, Segment, Segmentation, bin_curve, divide
from .unified import LevelStart, UnifiedFit, fit_unified


class RegionSettings(NamedTuple):
    """How values are found."""

    rounds: int = 3  #: In which the laws of neighbours are subtracted from each other.
    #: Part of a neighbour's law that its extrapolation is wrong by; part of the intensity that a law has at
    #: least in a bin that counts.
    extrapolated: float = 0.1
    share: float = 0.2
    margin: int = 3  #: Bins at each end of a power law that may belong to its neighbour.
    #: Standard deviation of a flat background that no range shows, over the lowest level of the curve.
    background_error: float = 0.15
    level_accuracy: float = 0.01  #: Standard deviation of ln I by which the levels depart from the curve.
    least_exponent: float = 0.3  #: Of a power law that is a level's.
    #: known, loose: standard deviations that an Rg has at least, and the largest error of the exponent below
    #: it, of knees that are given.
    known: float = 2.0
    loose: float = 1.0
    dominates: float = 2 / 3  #: Part of the intensity that a law has in its range, next to a crossover.
    #: Of the departure from a law: its length in ln q, and its standard deviations, which are averaged over.
    length: float = 0.5
    departures: tuple[float, ...] = (0.0, 0.005, 0.015, 0.04, 0.1)
    #: q Rg at which a knee begins: there the slope has changed by 1/4.
    knee_begin: float = 0.6
    knee_end: float = 2.4  #: q Rg at which one between two power laws ends, as for a smooth surface.
    #: Largest q Rg used for Rg; mean and standard deviation of the next coefficient κ₄, that of (q Rg)⁴ in ln
    #: I: -1/126 for a sphere, 1/36 for a Gaussian coil.
    guinier_reach: float = 1.8
    kappa: tuple[float, float] = (0.007, 0.02)


SETTINGS = RegionSettings()


class _Fit(NamedTuple):
    """A law with its coefficients: ln A, and what `_columns` has."""

    segment: Segment
    theta: Floats
    covariance: Floats

    def intensity(self, x: Floats) -> Floats:
        columns = _columns(self.segment.law, x)
        return np.asarray(np.exp(np.clip(columns @ self.theta[: columns.shape[1]], -600.0, 600.0)))

    def slope(self, x: float) -> float:
        """d ln I / d ln q."""
        step = np.log(self.intensity(np.array([x - 0.01, x + 0.01])))
        return float(step[1] - step[0]) / 0.02


def _columns(law: Law, x: Floats) -> Floats:
    one = np.ones_like(x)
    columns = {
        Law.FLAT: (one,), Law.BACKGROUND: (one,), Law.POWER: (one, x), Law.GUINIER: (one, np.exp(2 * x)),
        Law.KNEE: (one, x, np.exp(2 * x)), Law.PEAK: (one, np.exp(x), np.exp(2 * x)),
    }[law]  # fmt: skip
    return np.stack(columns, axis=1)


def find_regions(q: Floats, intensity: Floats, sigma: Floats, *, slit: bool = False) -> Regions:
    """Find the regions of a curve.

    Parameters
    ----------
    q : (n,) array
        Å⁻¹, positive and ascending.
    intensity, sigma : (n,) array
        Intensity and one standard deviation of it; enlarged where neighbours scatter more.
    slit : bool
        Whether a slit has smeared the curve. It is not corrected for.

    Returns
    -------
    Regions
        By rising q, with errors of one standard deviation.
    """
    # Of logarithms: a steep curve is smoother in them.
    is_clear = intensity > 3 * sigma
    relative = (sigma / np.where(is_clear, intensity, 1.0))[is_clear]
    rough = roughness(np.log(intensity[is_clear]) / median(relative) if relative.size else relative)
    bins = bin_curve(q, intensity, sigma * rough)
    division = divide(bins)
    if division is None:
        return Regions((), (), slit)
    segments, adding = _find_sums(bins, division)
    fits, background = _fit_all(bins, segments, adding, division.background, division.lowest)
    unified = _fit_levels(bins, fits, background[0])
    regions: list[Region] = []
    local = bins.y.copy()
    for k, fit in enumerate(fits):
        total = _total(bins, fits, adding, k, background[0])
        local[fit.segment.first : fit.segment.last] = total[fit.segment.first : fit.segment.last]
        described = [region for region in _describe(bins, fits, k, background) if _is_known(region)]
        regions += described if unified is None else unified.average(described, k, total)
    if unified is not None:
        regions = unified.insert_knees(regions, local)
    levels = () if unified is None else unified.levels()
    regions += _hidden_background(bins, fits, background if unified is None else unified.background())
    return Regions(tuple(_name_background(regions)), levels, slit)


def _is_known(region: Region) -> bool:
    """Whether the points determine what makes the region one."""
    if not isinstance(region, GuinierKnee):
        return True
    return region.rg > SETTINGS.known * region.rg_error and region.exponent_error < SETTINGS.loose


def _total(bins: Bins, fits: Sequence[_Fit], adding: Sequence[bool], k: int, background: float) -> Floats:
    """(bins,) ln I of a range by its local law, with what is added to it."""
    if fits[k].segment.law is Law.BACKGROUND:
        return np.full(bins.x.size, math.log(background))
    total = fits[k].intensity(bins.x) + background
    if k > 0 and adding[k - 1]:
        total = total + fits[k - 1].intensity(bins.x)
    if k < len(adding) and adding[k]:
        total = total + fits[k + 1].intensity(bins.x)
    return np.asarray(np.log(total))


def _find_sums(bins: Bins, division: Segmentation) -> tuple[list[Segment], list[bool]]:
    """Find which neighbours add, and leave out ranges that the sum of their neighbours explains as well.

    Returns
    -------
    segments
        Ranges that are left.
    adding
        For each but the last, whether its law and the next one's add.
    """
    segments, background = list(division.segments), division.background
    k = 1
    while k < len(segments) - 1:
        low, middle, high = segments[k - 1 : k + 2]
        if middle.law is Law.BACKGROUND:
            k += 1
            continue
        gain, best = _best_sum(bins, low, high, background)
        if gain > middle.gain:
            segments[k : k + 2] = [best]
        else:
            k += 1
    adding = []
    for k in range(len(segments) - 1):
        gain, best = _best_sum(bins, segments[k], segments[k + 1], background)
        adding.append(gain > 0)
        if gain > 0:
            segments[k + 1] = best
    return segments, adding


def _best_sum(bins: Bins, low: Segment, high: Segment, background: float) -> tuple[float, Segment]:
    """`_gain_of_sum`, also with a knee that has a plateau below it, hidden under the steeper law."""
    tried = [(_gain_of_sum(bins, low, high, background), high)]
    if high.law is Law.KNEE:
        plateau = high._replace(law=Law.GUINIER)
        tried.append((_gain_of_sum(bins, low, plateau, background, instead_of=high), plateau))
    return max(tried, key=lambda one: one[0])


def _gain_of_sum(
    bins: Bins, low: Segment, high: Segment, background: float, instead_of: Segment | None = None
) -> float:
    """By how much ln likelihood grows, over both ranges, if their laws add; what lies between comes on top.

    Minus infinity where they cannot: only a steep law ends in a flatter one.
    """
    if low.law not in (Law.POWER, Law.FLAT, Law.KNEE) or high.law in (Law.PEAK, Law.BACKGROUND):
        return -math.inf
    part = slice(low.first, high.last)
    x, y, variance = bins.x[part], bins.y[part], bins.error[part] ** 2 + DIVISION.accuracy**2
    own = np.arange(low.first, high.last)

    def fit(segment: Segment, other: _Fit | None) -> _Fit | None:
        inside = bins.x[segment.first : segment.last]
        added = np.zeros(inside.size) if other is None else other.intensity(inside)
        return _fit(bins, segment, background + added, added, departures=None)

    def misfit(total: Floats, where: NDArray[np.bool_]) -> float:
        return 0.5 * float(np.sum(((y - np.log(total + background)) ** 2 / variance)[where]))

    low_law, high_law = fit(low, None), fit(instead_of or high, None)
    middle = float(bins.x[high.first])
    if low_law is None or high_law is None or low_law.slope(middle) >= high_law.slope(middle):
        return -math.inf
    is_low, is_high = own < low.last, own >= high.first
    alone = misfit(low_law.intensity(x), is_low) + misfit(high_law.intensity(x), is_high)
    for _ in range(SETTINGS.rounds):
        low_law = fit(low, high_law)
        high_law = fit(high, low_law)
        if low_law is None or high_law is None or -low_law.slope(middle) > DIVISION.exponents[1]:
            return -math.inf
    return alone - misfit(low_law.intensity(x) + high_law.intensity(x), own >= 0)


def _fit_all(
    bins: Bins, segments: Sequence[Segment], adding: Sequence[bool], background_level: float, lowest: float
) -> tuple[list[_Fit], tuple[float, float]]:
    """Fit each range with its neighbours' laws subtracted; the background with its standard deviation."""
    background = (background_level, SETTINGS.background_error * lowest)
    fits: list[_Fit] = []
    for number in range(SETTINGS.rounds):
        previous, fits = fits, []
        departures = SETTINGS.departures if number == SETTINGS.rounds - 1 else None
        for k, segment in enumerate(segments):
            x = bins.x[segment.first : segment.last]
            other = np.zeros(x.size)
            if previous and k > 0 and adding[k - 1]:
                other += previous[k - 1].intensity(x)
            if previous and k < len(adding) and adding[k]:
                other += previous[k + 1].intensity(x)
            flat = 0.0 if segment.law is Law.BACKGROUND else background[0]
            fit = _fit(
                bins,
                segment,
                other + flat,
                other,
                0.0 if segment.law is Law.BACKGROUND else background[1],
                departures,
            )
            fits.append(fit or (previous[k] if previous else _plain_fit(bins, segment)))
        for fit in fits:
            if fit.segment.law is Law.BACKGROUND:
                level = math.exp(float(fit.theta[0]))
                background = level, level * math.sqrt(float(fit.covariance[0, 0]))
    return fits, background


def _plain_fit(bins: Bins, segment: Segment) -> _Fit:
    nothing = np.zeros(segment.last - segment.first)
    fit = _fit(bins, segment, nothing, nothing)
    assert fit is not None
    return fit


def _fit(
    bins: Bins,
    segment: Segment,
    subtracted: Floats,
    extrapolated: Floats,
    background_error: float = 0.0,
    departures: Sequence[float] | None = SETTINGS.departures,
) -> _Fit | None:
    """Fit the law of a range to the intensity less what is subtracted; None where too little is left.

    Without `departures` each bin departs from the law on its own, as in the segmentation.
    """
    part = slice(segment.first, segment.last)
    x, intensity = bins.x[part], np.exp(bins.y[part])
    signal = intensity - subtracted
    used = signal > SETTINGS.share * intensity
    if departures is not None and segment.law is Law.POWER:
        margin = min(SETTINGS.margin, (x.size - 4) // 2)
        if margin > 0:
            used[: margin if segment.first else 0] = False
            used[x.size - margin if segment.last < bins.x.size else x.size :] = False
    columns = _columns(segment.law, x)
    if used.sum() < columns.shape[1]:
        return None
    x, columns, signal, added = x[used], columns[used], signal[used], extrapolated[used]
    y, error, count = np.log(signal), bins.error[part][used] * intensity[used] / signal, columns.shape[1]
    if departures is None:
        error = np.sqrt(error**2 + DIVISION.accuracy**2 + (SETTINGS.extrapolated * added / signal) ** 2)
        return _Fit(segment, *_solve(x, columns, y, error, np.zeros(count), np.zeros(count), (0.0,)))
    # What is subtracted is known within its error.
    nuisances = [
        (column, deviation)
        for column, deviation in ((1 / signal, background_error), (added / signal, SETTINGS.extrapolated))
        if deviation > 0 and np.any(column > 0)
    ]
    columns = np.column_stack([columns, *(column for column, _ in nuisances)])
    mean = np.zeros(columns.shape[1])
    precision = np.concatenate([np.zeros(count), [deviation**-2 for _, deviation in nuisances]])
    theta, covariance = _solve(x, columns, y, error, mean, precision, departures)
    for _ in range(2 if segment.law in (Law.GUINIER, Law.KNEE) else 0):
        # Guinier's law is the first term of a series; the next one is fitted, too.
        square = max(-3 * float(theta[count - 1]), 0.05 * math.exp(-2 * float(x[-1])))
        near = np.exp(2 * x) * square < SETTINGS.guinier_reach**2
        near[: count + 1] = True
        kappa, deviation = (value * square**2 for value in SETTINGS.kappa)
        solution = _solve(
            x[near], np.column_stack([columns, np.exp(4 * x)])[near], y[near], error[near],
            np.append(mean, kappa), np.append(precision, deviation**-2), departures,
        )  # fmt: skip
        if solution[0][count - 1] >= 0:
            break
        theta, covariance = solution
    return _Fit(segment, theta[:count], covariance[:count, :count])


def _solve(
    x: Floats,
    columns: Floats,
    y: Floats,
    error: Floats,
    mean: Floats,
    precision: Floats,
    departures: Sequence[float],
) -> tuple[Floats, Floats]:
    """Coefficients and covariance, averaged over the size of a smooth departure with its evidence."""
    scale = np.maximum(np.abs(columns).max(axis=0), 1e-300)
    design, mean, precision = columns / scale, mean * scale, precision / scale**2
    correlation = np.exp(-np.abs(x[:, None] - x) / SETTINGS.length)
    solutions, evidences = [], []
    for departure in departures:
        factor = np.linalg.cholesky(np.diag(error**2) + departure**2 * correlation)
        whitened = np.linalg.solve(factor, np.column_stack([design, y]))
        white, target = whitened[:, :-1], whitened[:, -1]
        normal = white.T @ white + np.diag(precision + 1e-12)
        covariance = np.linalg.inv(normal)
        theta = covariance @ (white.T @ target + precision * mean)
        chisq = float(np.sum((target - white @ theta) ** 2) + np.sum(precision * (theta - mean) ** 2))
        log_determinant = 2 * float(np.log(np.diag(factor)).sum()) + float(np.linalg.slogdet(normal)[1])
        solutions.append((theta, covariance))
        evidences.append(-0.5 * (chisq + log_determinant))
    share = np.exp(np.array(evidences) - max(evidences))
    share /= share.sum()
    theta = np.asarray(sum(s * one for s, (one, _) in zip(share, solutions, strict=True)))
    covariance = np.asarray(
        sum(
            s * (c + np.outer(one - theta, one - theta)) for s, (one, c) in zip(share, solutions, strict=True)
        )
    )
    return theta / scale, covariance / np.outer(scale, scale)


def _describe(bins: Bins, fits: Sequence[_Fit], k: int, background: tuple[float, float]) -> Iterator[Region]:
    """The regions of a range: a knee has a plateau or a power law below it where these are long enough."""
    fit = fits[k]
    segment, theta, covariance = fit.segment, fit.theta, fit.covariance
    first, last = _ends(bins, fits, k, background[0])
    if last <= first:
        return
    edges = _edges(bins)
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    level = math.exp(min(float(theta[0]), 300.0))

    def place(first: int, last: int) -> tuple[float, float, int]:
        return float(edges[first]), float(edges[last]), int(bins.points[first:last].sum())

    if segment.law is Law.POWER:
        yield PowerLaw(-float(theta[1]), float(error[1]), level, level * float(error[0]), *place(first, last))
    elif segment.law is Law.FLAT:
        yield FlatRegion(level, level * float(error[0]), *place(first, last))
    elif segment.law is Law.BACKGROUND:
        low, high, points = place(first, last)
        yield FlatBackground(*background, low, high, points)
    elif segment.law is Law.PEAK:
        b, c = float(theta[1]), -float(theta[2])
        if c <= 0:
            return
        position, width = b / (2 * c), 2 * math.sqrt(math.log(2) / c)
        slope = np.array([0.0, 1 / (2 * c), b / (2 * c**2)])
        yield PeakRegion(
            position, float(np.sqrt(slope @ covariance @ slope)), width, width * float(error[2]) / (2 * c),
            float(fit.intensity(np.log([position]))[0]) + background[0], *place(first, last),
        )  # fmt: skip
    else:
        knee = 1 if segment.law is Law.GUINIER else 2
        square = -3 * float(theta[knee])
        if square <= 0:
            return
        rg, rg_error = math.sqrt(square), 1.5 * float(error[knee]) / math.sqrt(square)
        exponent, exponent_error = (-float(theta[1]), float(error[1])) if knee == 2 else (0.0, 0.0)
        begin = int(np.searchsorted(bins.x, math.log(SETTINGS.knee_begin / rg)))
        begin = min(max(begin, first), last - 1)
        if begin - first >= 3:
            if knee == 1:
                yield FlatRegion(level, level * float(error[0]), *place(first, begin))
            else:
                yield PowerLaw(exponent, exponent_error, level, level * float(error[0]), *place(first, begin))
        else:
            begin = first
        yield GuinierKnee(
            rg, rg_error, level, level * float(error[0]), exponent, exponent_error, *place(begin, last)
        )


def _edges(bins: Bins) -> Floats:
    """(n + 1,) ends of the bins, Å⁻¹."""
    middle = 0.5 * (bins.x[1:] + bins.x[:-1])
    return np.asarray(np.exp(np.concatenate([bins.x[:1], middle, bins.x[-1:]])))


def _ends(bins: Bins, fits: Sequence[_Fit], k: int, background: float) -> tuple[int, int]:
    """First bin and the one after the last, a range beside a crossover being as long as its law dominates."""
    first, last = fits[k].segment.first, fits[k].segment.last
    own = fits[k].intensity(bins.x)
    if k + 1 < len(fits) and fits[k + 1].segment.first > last:
        share = own / (own + fits[k + 1].intensity(bins.x))
        last += _count_leading(share[last : fits[k + 1].segment.first] > SETTINGS.dominates)
    if k > 0 and fits[k - 1].segment.last < first:
        share = own / (own + fits[k - 1].intensity(bins.x))
        first -= _count_leading(share[fits[k - 1].segment.last : first][::-1] > SETTINGS.dominates)
    if fits[k].segment.law is Law.BACKGROUND and k > 0:
        first = _background_begin(bins, fits[k - 1], background)
    elif k == len(fits) - 1 or fits[k + 1].segment.law is Law.BACKGROUND:
        last -= _count_leading(own[first:last][::-1] < background)
    return first, last


def _background_begin(bins: Bins, fit: _Fit, background: float) -> int:
    """The first bin at the end of a range in which the background dominates, or the range's end."""
    segment = fit.segment
    if segment.law is Law.PEAK:
        return segment.last
    share = background / (fit.intensity(bins.x[segment.first : segment.last]) + background)
    return segment.last - _count_leading(share[::-1] > SETTINGS.dominates)


def _hidden_background(
    bins: Bins, fits: Sequence[_Fit], background: tuple[float, float]
) -> Iterator[FlatBackground]:
    """The background as a region where it is most of the last range and none is its own."""
    level, error = background
    begin, end = _background_begin(bins, fits[-1], level), bins.x.size
    if fits[-1].segment.law is not Law.BACKGROUND and begin < end and level > SETTINGS.known * error:
        edges = _edges(bins)
        points = int(bins.points[begin:].sum())
        yield FlatBackground(level, error, float(edges[begin]), float(edges[end]), points)


def _count_leading(true: NDArray[np.bool_]) -> int:
    return int(true.size if true.all() else true.argmin())


class _Place(NamedTuple):
    """Which level of the unified equation a range shows; -1 for none."""

    knee: int = -1
    power: int = -1

    def without(self, level: int) -> _Place:
        """The same when a level is left out."""
        return _Place(*(-1 if one == level else one - (one > level) for one in self))


def _arrange_levels(bins: Bins, fits: Sequence[_Fit]) -> tuple[list[LevelStart], list[_Place]]:
    """Starting values of the levels that the ranges show, and which level each range belongs to."""
    levels: list[LevelStart] = []
    places: list[_Place] = []
    is_open = False  # the last level has no power law yet

    def add(rg: float, g: float, power: float = 4.0, b: float = 0.0) -> int:
        levels.append(LevelStart(rg, g, power, b))
        return len(levels) - 1

    for k, fit in enumerate(fits):
        segment, theta, place = fit.segment, fit.theta, _Place()
        q_low, q_high = (math.exp(float(bins.x[j])) for j in (segment.first, segment.last - 1))
        amplitude = math.exp(min(float(theta[0]), 600.0))
        exponent = -float(theta[1]) if segment.law in (Law.POWER, Law.KNEE) else 0.0
        has_law = exponent > SETTINGS.least_exponent
        if segment.law is Law.POWER and has_law:
            if is_open:
                levels[-1] = levels[-1]._replace(power=exponent, b=amplitude)
            else:
                before = fits[k - 1] if k else None
                bends = (
                    before is not None
                    and before.segment.last == segment.first
                    and before.slope(float(bins.x[segment.first])) > -exponent
                )
                g = 0.3 * float(fit.intensity(bins.x[segment.first : segment.first + 1])[0]) if bends else 0.0
                add(2 / q_low if bends else math.inf, g, exponent, amplitude)
            place, is_open = _Place(power=len(levels) - 1), False
        elif segment.law in (Law.GUINIER, Law.KNEE):
            rg = math.sqrt(max(-3 * float(theta[-1]), (0.3 / q_high) ** 2))
            power = -1
            if has_law:
                if is_open:
                    levels[-1] = levels[-1]._replace(power=exponent, b=amplitude)
                    power = len(levels) - 1
                elif places and places[-1].power >= 0 and levels[places[-1].power].power - exponent < 0.5:
                    power = places[-1].power
                else:
                    power = add(math.inf, 0.0, exponent, amplitude)
            g = 0.3 * float(fit.intensity(np.array([-math.log(rg)]))[0]) if has_law else amplitude
            place, is_open = _Place(add(rg, g), power), True
        elif segment.law is Law.FLAT or (segment.law is Law.POWER and exponent > -SETTINGS.least_exponent):
            add(1.5 / q_high, float(fit.intensity(bins.x[segment.last - 1 : segment.last])[0]))
            is_open = True
        elif segment.law is Law.PEAK:
            is_open = False
        places.append(place)
    if is_open and levels:
        last = levels[-1]
        levels[-1] = last._replace(b=last.g * 4 / last.rg**4)
    return levels, places


class _Levels(NamedTuple):
    """The unified equation at its best, for the bins of a curve."""

    bins: Bins
    fits: Sequence[_Fit]
    places: Sequence[_Place]
    fit: UnifiedFit
    covariance: Floats

    def levels(self) -> tuple[Level, ...]:
        return tuple(Level(*start) for start in self.fit.starts())

    def average(self, regions: Sequence[Region], k: int, local: Floats) -> list[Region]:
        """Take the values of a range or of its level, whichever makes its bins more probable.

        The error holds the other answer, too. A law that the levels do without is left out where they are
        more probable.
        """
        part, place = slice(self.fits[k].segment.first, self.fits[k].segment.last), self.places[k]
        chances = [
            _log_likelihood(self.bins.x[part], (self.bins.y - line)[part], self.bins.error[part])
            for line in (local, self.fit.log_intensity)
        ]
        share = 1 / (1 + math.exp(min(max(chances[0] - chances[1], -50.0), 50.0)))

        def mix(local: tuple[float, float], level: tuple[float, float]) -> tuple[float, float]:
            best = level[0] if share > 0.5 else local[0]
            variance = sum(
                weight * (error**2 + (value - best) ** 2)
                for weight, (value, error) in ((1 - share, local), (share, level))
            )
            return best, math.sqrt(variance)

        averaged: list[Region] = []
        for region in regions:
            is_left_out = share > 0.5 and place.power < 0
            if isinstance(region, GuinierKnee) and share > 0.5 and place.knee < 0:
                continue
            if isinstance(region, GuinierKnee) and place.knee >= 0:
                region = region._replace(
                    **_name("rg", mix((region.rg, region.rg_error), self.radius(place.knee)))
                )
                if not region.exponent or is_left_out:
                    g = mix((region.g, region.g_error), self.forward(place.knee))
                    g = g if not region.exponent else self.forward(place.knee)
                    region = region._replace(**_name("g", g), exponent=0.0, exponent_error=0.0)
                elif place.power >= 0:
                    exponent, prefactor = self.law(place.power)
                    region = region._replace(
                        **_name("exponent", mix((region.exponent, region.exponent_error), exponent)),
                        **_name("g", mix((region.g, region.g_error), prefactor)),
                    )
            elif isinstance(region, PowerLaw) and region.exponent > SETTINGS.least_exponent:
                if is_left_out:
                    continue
                if place.power >= 0:
                    exponent, prefactor = self.law(place.power)
                    region = region._replace(
                        **_name("exponent", mix((region.exponent, region.exponent_error), exponent)),
                        **_name("prefactor", mix((region.prefactor, region.prefactor_error), prefactor)),
                    )
            elif isinstance(region, FlatRegion) and place.knee >= 0:
                region = region._replace(
                    **_name("level", mix((region.level, region.level_error), self.forward(place.knee)))
                )
            averaged.append(region)
        return averaged

    def insert_knees(self, regions: Sequence[Region], local: Floats) -> list[Region]:
        """Add the knees of levels that lie between two power laws, where the levels are more probable."""
        edges, inserted = _edges(self.bins), list(regions)
        for level, (log_g, log_rg) in enumerate(self.fit.theta[:-1].reshape(-1, 4)[:, :2].tolist()):
            if not math.isfinite(log_g + log_rg) or any(place.knee == level for place in self.places):
                continue
            (rg, rg_error), (g, g_error) = self.radius(level), self.forward(level)
            first, last = np.searchsorted(
                self.bins.x, np.log([SETTINGS.knee_begin / rg, SETTINGS.knee_end / rg])
            ).tolist()
            # Where the steeper law of the level before is larger, it hides the knee.
            guinier = g * np.exp(-((self.bins.q[first:last] * rg) ** 2) / 3)
            is_seen = guinier > 0.5 * np.exp(self.fit.log_intensity[first:last])
            first += _count_leading(~is_seen)
            if last - first < DIVISION.least or min(rg / rg_error, g / g_error) < SETTINGS.known:
                continue
            part = slice(first, last)
            chances = [
                _log_likelihood(self.bins.x[part], (self.bins.y - line)[part], self.bins.error[part])
                for line in (local, self.fit.log_intensity)
            ]
            low, high = float(edges[first]), float(edges[last])
            if chances[1] < chances[0]:
                continue
            points = int(self.bins.points[part].sum())
            knee = GuinierKnee(rg, rg_error, g, g_error, 0.0, 0.0, low, high, points)
            inserted = [piece for region in inserted for piece in _cut(region, low, high)]
            inserted = sorted([*inserted, knee], key=lambda region: region.q_min)
        return inserted

    def background(self) -> tuple[float, float]:
        """B₀ and its standard deviation."""
        return self.fit.background, self.error(-1) * self.fit.scale

    def radius(self, level: int) -> tuple[float, float]:
        """Rg and its standard deviation, Å."""
        value = math.exp(float(self.fit.theta[4 * level + 1]))
        return value, value * self.error(4 * level + 1)

    def forward(self, level: int) -> tuple[float, float]:
        """G and its standard deviation."""
        value = math.exp(float(self.fit.theta[4 * level]))
        return value, value * self.error(4 * level)

    def law(self, level: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """P and B with their standard deviations."""
        power, log_b = self.fit.theta[4 * level + 2 : 4 * level + 4]
        log_pivot = math.log(float(self.fit.pivots[level]))
        value = math.exp(min(float(log_b + power * log_pivot), 300.0))
        slope = np.array([log_pivot, 1.0])
        part = self.covariance[4 * level + 2 : 4 * level + 4, 4 * level + 2 : 4 * level + 4]
        return (float(power), self.error(4 * level + 2)), (
            value,
            value * float(np.sqrt(slope @ part @ slope)),
        )

    def error(self, number: int) -> float:
        return math.sqrt(max(float(self.covariance[number, number]), 0.0))


def _cut(region: Region, low: float, high: float) -> Iterator[Region]:
    """What of a power law lies outside of a range that another region takes."""
    if not isinstance(region, PowerLaw) or region.q_max <= low or region.q_min >= high:
        yield region
    elif region.q_min < low:
        yield region._replace(q_max=low)
    elif region.q_max > high:
        yield region._replace(q_min=high)


def _name(name: str, value: tuple[float, float]) -> dict[str, Any]:
    return {name: value[0], f"{name}_error": value[1]}


def _fit_levels(bins: Bins, fits: Sequence[_Fit], background: float) -> _Levels | None:
    """Fit the unified equation, without levels that it does not need."""
    is_used = np.ones(bins.x.size, dtype=bool)
    for fit in fits:
        if fit.segment.law is Law.PEAK:
            is_used[fit.segment.first : fit.segment.last] = False
    x, y, error = bins.x[is_used], bins.y[is_used], bins.error[is_used]
    wide = np.hypot(error, SETTINGS.level_accuracy)
    levels, places = _arrange_levels(bins, fits)
    best = fit_unified(x, y, wide, levels, background)
    k = 1
    while best is not None and k < len(levels):
        fewer = levels[:k] + levels[k + 1 :]
        if k < len(fewer) and math.isinf(levels[k].rg) and math.isfinite(fewer[k].rg):
            # The plateau of the next one was hidden.
            fewer[k] = fewer[k]._replace(g=math.exp(float(np.interp(-math.log(fewer[k].rg), x, y))))
        trial = fit_unified(x, y, wide, fewer, background)
        if trial is not None and trial.criterion < best.criterion:
            best, levels = trial, fewer
            places = [place.without(k) for place in places]
        else:
            k += 1
    if best is None:
        return None
    # Again with the departure that is left.
    left = float(np.mean((y - best.log_intensity) ** 2 - error**2))
    best = fit_unified(x, y, np.sqrt(error**2 + max(left, 0.0)), best.starts(), best.background) or best
    free = np.flatnonzero(best.precision > 0)
    step, covariance = _solve(
        x, best.jacobian[:, free], y - best.log_intensity, error, best.pull[free], best.precision[free],
        SETTINGS.departures,
    )  # fmt: skip
    whole = np.zeros((best.theta.size, best.theta.size))
    whole[np.ix_(free, free)] = covariance
    moved = best.theta.copy()
    moved[free] += np.clip(step, -0.3, 0.3)
    line = bins.y.copy()
    line[is_used] = best.log_intensity
    return _Levels(bins, fits, places, best._replace(theta=moved, log_intensity=line), whole)


def _log_likelihood(x: Floats, residual: Floats, error: Floats) -> float:
    """ln likelihood of residuals of ln I, at the most probable size of a smooth departure."""
    correlation = np.exp(-np.abs(x[:, None] - x) / SETTINGS.length)
    values = []
    for departure in SETTINGS.departures:
        factor = np.linalg.cholesky(np.diag(error**2) + departure**2 * correlation)
        white = np.linalg.solve(factor, residual)
        values.append(-0.5 * float(white @ white) - float(np.log(np.diag(factor)).sum()))
    return max(values)


def _name_background(regions: Sequence[Region]) -> list[Region]:
    """The last plateau, with nothing beyond that falls, is a background."""
    named = list(regions)
    for k in range(len(named) - 1, 0, -1):
        region = named[k]
        if isinstance(region, FlatRegion):
            named[k] = FlatBackground(*region[:-1])
        if not isinstance(region, PeakRegion) and not (isinstance(region, PowerLaw) and region.exponent < 0):
            break
    return named
