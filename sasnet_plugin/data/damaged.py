"""Single points that are damaged: a value in them is another than was measured, and all around is right.

A digit, an exponent, or two values that changed places. q of such a point breaks the order of all others, or
its intensity lies far from where all neighbours lead, while its uncertainty does not follow. A point of a
Bragg peak has an uncertainty that grows with it; minima of form factors take several points.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, median
from ..digits import significant

if TYPE_CHECKING:
    from .raw import RawCurve


class DamageSettings(NamedTuple):
    """What a damaged point is."""

    fewest: int = 20  #: Points of a curve in which one can be told.
    most: int = 3  #: Damaged points of a curve; more are no damage, but its nature.
    beside: int = 8  #: Neighbours through which a cubic in ln q leads to the point.
    errors: float = 8.0  #: Standard deviations off the neighbours: one of 1e15 points by chance.
    errors_estimated: float = (
        20.0  #: The same where the scatter of four degrees of freedom is the only measure.
    )
    off: float = 0.2  #: Of the intensity; what changes a size by 3 % in one point of a hundred.
    follows: float = 0.25  #: An uncertainty of counts goes with the intensity to the power of 0.5.
    peak: float = 1000.0  #: Times its neighbours' intensity; no peak of one point without wings is that high.
    wings: float = 3.0  #: Times the others' intensity; neighbours of a peak lie higher.
    dip: float = 3.0  #: Times lower than its neighbours, where no uncertainties tell noise from minima.
    rough: float = 0.3  #: Median step over the median intensity, beyond which a point fits anywhere.
    end: float = 30.0  #: The same of the first and the last points, which have neighbours on one side.
    gap: float = (
        5.0  #: Ratio of q of the last two points, also in steps of q, beyond which the last is damaged.
    )
    steps: float = 8.0
    width: float = 5.0  #: Factor by which a resolution is off those on both sides.
    largest: float = 1e100  #: No intensity is larger; its square could not be represented.
    least_error: float = (
        1e-6  #: Of the median uncertainty; a smaller one is damage, and ratios to it overflow.
    )
    nothing: float = 1e-8  #: Of the largest q; smaller ones are zero.


SETTINGS = DamageSettings()


def exclude_damaged(raw: RawCurve, notes: list[str]) -> RawCurve:
    """Exclude single damaged points and append a note for each; in file order, q in Å⁻¹."""
    raw = _exclude_damaged_q(raw, notes)
    raw = _exclude_damaged_intensity(raw, notes)
    return _repair_widths(raw, notes)


def _usable(raw: RawCurve) -> NDArray[np.intp]:
    """Numbers of the rows that are points, in the order of the file."""
    numbers = np.isfinite(raw.q) & np.isfinite(raw.intensity) & (raw.q > 0)
    return np.flatnonzero(numbers)


def _drop_row(raw: RawCurve, row: int) -> RawCurve:
    return raw.take_rows(np.delete(np.arange(raw.q.size), row))


# q.


def _exclude_damaged_q(raw: RawCurve, notes: list[str]) -> RawCurve:
    """Exclude points whose q breaks the order of the file, or lies far beyond all others."""
    undamaged, damage_notes = raw, list[str]()
    for _ in range(SETTINGS.most):
        row = _row_of_damaged_q(undamaged)
        if row is None:
            notes.extend(damage_notes)
            return undamaged
        damage_notes.append(
            f"One point was excluded as damaged: its q, {significant(float(undamaged.q[row]), 3)} Å⁻¹ at I ="
            f" {significant(float(undamaged.intensity[row]), 3)}, does not fit its neighbours'."
        )
        undamaged = _drop_row(undamaged, row)
    return raw if _row_of_damaged_q(undamaged) is not None else _add_notes(undamaged, damage_notes, notes)


def _add_notes(raw: RawCurve, damage_notes: list[str], notes: list[str]) -> RawCurve:
    notes.extend(damage_notes)
    return raw


def _row_of_damaged_q(raw: RawCurve) -> int | None:
    rows = _usable(raw)
    if rows.size < SETTINGS.fewest:
        return None
    if np.mean(np.diff(raw.q[rows]) < 0) > 0.5:
        rows = rows[::-1]
    q, intensity = (
        raw.q[rows],
        np.clip(raw.intensity[rows].astype(np.float64), -SETTINGS.largest, SETTINGS.largest),
    )
    if (place := _breaks_order(q, intensity)) is not None:
        return int(rows[place])
    order = np.argsort(q, kind="stable")
    place = _lies_apart(q[order])
    return None if place is None else int(rows[order[place]])


def _breaks_order(q: Floats, intensity: Floats) -> int | None:
    """The one point without which q ascends, and whose intensity is not that of the place it is sorted to."""
    breaks = np.flatnonzero(np.diff(q) <= 0)
    if not 0 < breaks.size <= 2:
        return None
    around = np.unique(np.concatenate([breaks, breaks + 1]))
    candidates = [int(k) for k in around if np.all(np.diff(np.delete(q, k)) > 0)]
    apart = [k for k in candidates if _is_beyond(q, candidates, k)]
    if len(candidates) == 1 and not _fits_where_sorted(q, intensity, candidates[0]):
        return candidates[0]
    return apart[0] if len(apart) == 1 else None  # two neighbours that changed places are sorted


def _is_beyond(q: Floats, rows_left: list[int], k: int) -> bool:
    other_q = np.delete(q, rows_left)
    return not other_q.min() / SETTINGS.gap < q[k] < other_q.max() * SETTINGS.gap


def _fits_where_sorted(q: Floats, intensity: Floats, k: int) -> bool:
    """Whether a point's intensity is that of the place to which its q belongs."""
    rest, values = np.delete(q, k), np.delete(intensity, k)
    if np.median(np.abs(np.diff(values))) > SETTINGS.rough * np.median(np.abs(values)):
        return True  # no place tells anything
    place = int(np.searchsorted(rest, q[k]))
    values_nearby = values[max(place - 2, 0) : place + 2]
    low, high = float(values_nearby.min()), float(values_nearby.max())
    margin = 0.1 * max(abs(low), abs(high))
    return bool(low - margin <= intensity[k] <= high + margin)


def _lies_apart(q: Floats) -> int | None:
    """The first or last point of ascending q, where a gap like none between the others parts it from them."""
    steps = np.diff(np.log(np.maximum(q, SETTINGS.nothing * q[-2])))
    largest = SETTINGS.steps * float(np.max(steps[1:-1]))
    if steps[-1] > max(np.log(SETTINGS.gap), largest):
        return q.size - 1
    evenly = abs(q[0] - (2 * q[1] - q[2])) <= q[2] - q[1]
    return 0 if steps[0] > max(np.log(SETTINGS.gap), largest) and not evenly else None


# The intensity.


def _exclude_damaged_intensity(raw: RawCurve, notes: list[str]) -> RawCurve:
    """Exclude points far off what neighbours predict, unless there are many of them."""
    undamaged, damage_notes = raw, list[str]()
    for _ in range(SETTINGS.most + 1):
        row = _row_of_damaged_intensity(undamaged)
        if row is None:
            return _add_notes(undamaged, damage_notes, notes)
        damage_notes.append(
            f"The point at q = {significant(float(undamaged.q[row]), 4)} Å⁻¹ was excluded as damaged: its I ="
            f" {significant(float(undamaged.intensity[row]), 3)} does not fit its neighbours'."
        )
        undamaged = _drop_row(undamaged, row)
    return raw


class _Points(NamedTuple):
    """Points by ascending q."""

    x: Floats  #: (n,), ln q.
    intensity: Floats
    sigma: Floats | None


def _row_of_damaged_intensity(raw: RawCurve) -> int | None:
    rows = _usable(raw)
    if rows.size < SETTINGS.fewest:
        return None
    rows = rows[np.argsort(raw.q[rows], kind="stable")]
    intensity = np.clip(raw.intensity[rows], -SETTINGS.largest, SETTINGS.largest)
    points = _Points(np.log(raw.q[rows]), intensity, _sigma(raw, rows))
    place = next((k for k in _suspects(points) if _is_damaged(points, k)), None)
    return None if place is None else int(rows[place])


def _sigma(raw: RawCurve, rows: NDArray[np.intp]) -> Floats | None:
    """Uncertainties, of single ones that are missing those of all; None where most are missing."""
    if raw.dintensity is None:
        return None
    sigma = raw.dintensity[rows].astype(np.float64)
    good = np.isfinite(sigma) & (sigma > 0)
    if np.mean(good) < 0.9:
        return None
    usual = median(np.minimum(sigma[good], SETTINGS.largest))
    return np.clip(np.where(good, sigma, usual), SETTINGS.least_error * usual, SETTINGS.largest)


def _suspects(points: _Points) -> list[int]:
    """Points that lie outside of all four around them, the farthest off first; at most a few."""
    i = points.intensity
    padded = np.concatenate([i[3:5][::-1], i, i[-5:-3][::-1]])
    around = np.stack([padded[k : k + i.size] for k in (0, 1, 3, 4)])
    low, high = around.min(axis=0), around.max(axis=0)
    outside = np.maximum(i - high, low - i)
    level = _median_of_four(np.abs(around))
    share = outside / np.maximum(level, 1e-300)
    far = np.flatnonzero(share > SETTINGS.off / 4)
    if not far.size:
        return []
    scale = level if points.sigma is None else _median_of_four(
        np.stack([np.roll(points.sigma, k) for k in (-2, -1, 1, 2)])
    )  # fmt: skip
    order = far[np.argsort(-outside[far] / np.maximum(scale[far], 1e-300))]
    return [int(k) for k in order[: 4 * SETTINGS.most]]


def _median_of_four(rows: Floats) -> Floats:
    """Return the medians of the columns of (4, n) numbers, (n,); numpy's own takes several times as long."""
    ordered = np.sort(rows, axis=0)
    return np.asarray((ordered[1] + ordered[2]) / 2)


def _is_damaged(points: _Points, k: int) -> bool:
    size = points.x.size
    if min(k, size - 1 - k) < 2:
        return _is_far_at_end(points, k)
    expected, error, sigma = _interpolate_cubic(points, _find_neighbours(size, k), k)
    off = points.intensity[k] - expected
    errors = SETTINGS.errors_estimated if points.sigma is None else SETTINGS.errors
    if abs(off) < max(errors * error, SETTINGS.off * max(abs(expected), sigma)):
        return False
    if off < 0:
        return _is_no_minimum(points, k, expected)
    return _is_no_peak(points, k, expected, sigma) and not _has_wings(
        points.intensity, _find_neighbours(size, k), k
    )


def _has_wings(intensity: Floats, other_rows: NDArray[np.intp], k: int) -> bool:
    """Whether the points next to one lie above those further off, as on the flanks of a peak."""
    next_ = np.abs(other_rows - k) == 1
    near, far = intensity[other_rows[next_]], intensity[other_rows[~next_]]
    return bool(np.min(near) > SETTINGS.wings * np.max(np.abs(far)))


def _is_no_minimum(points: _Points, k: int, expected: float) -> bool:
    """Whether a point that lies low is none of a minimum, which uncertainties tell from noise."""
    return points.sigma is not None or bool(points.intensity[k] < expected / SETTINGS.dip)


def _find_neighbours(size: int, k: int) -> NDArray[np.intp]:
    first = min(max(k - SETTINGS.beside // 2, 0), size - SETTINGS.beside - 1)
    window = np.arange(first, first + SETTINGS.beside + 1)
    return window[window != k]


def _interpolate_cubic(points: _Points, other_rows: NDArray[np.intp], k: int) -> tuple[float, float, float]:
    """The intensity to which neighbours lead by a cubic, its error, and the uncertainty that they have."""
    x = points.x[other_rows] - points.x[k]
    width = float(np.max(np.abs(x))) or 1.0
    rows = np.stack([(x / width) ** power for power in range(4)], axis=1)
    values = points.intensity[other_rows]
    weight = np.ones_like(values) if points.sigma is None else points.sigma[other_rows]
    inverse = np.linalg.pinv(rows / weight[:, None])
    solution = inverse @ (values / weight)
    residual = values / weight - (rows / weight[:, None]) @ solution
    scatter = float(np.sqrt(np.sum(residual**2) / (values.size - 4)))
    of_solution = float(np.linalg.norm(inverse[0]))
    if points.sigma is None:
        return float(solution[0]), scatter * float(np.hypot(1.0, of_solution)), scatter
    factor, mean_sigma = max(scatter, 1.0), float(np.exp(np.mean(np.log(weight))))
    error = np.hypot(max(factor * mean_sigma, float(points.sigma[k])), factor * of_solution)
    return float(solution[0]), float(error), mean_sigma


def _is_no_peak(points: _Points, k: int, expected: float, sigma: float) -> bool:
    """Whether a point that lies high is none of a Bragg peak: its uncertainty is its neighbours' still."""
    ratio = points.intensity[k] / max(expected, sigma, 1e-300)
    if points.sigma is None or not _sigma_follows(points):
        return bool(ratio > SETTINGS.peak)
    grown = points.sigma[k] / sigma
    return bool(grown < ratio**SETTINGS.follows)


def _sigma_follows(points: _Points) -> bool:
    """Whether uncertainties are larger where intensities are, so that one that is not says something."""
    assert points.sigma is not None
    strong = points.intensity >= np.quantile(points.intensity, 0.75)
    weak = points.intensity <= np.quantile(points.intensity, 0.25)
    return bool(np.median(points.sigma[strong]) > 1.5 * np.median(points.sigma[weak]))


def _is_far_at_end(points: _Points, k: int) -> bool:
    """Whether one of the first or last points lies far above the next ones, and these go on smoothly."""
    other_rows = np.arange(2, 8) if k < 2 else np.arange(points.x.size - 8, points.x.size - 2)
    values = points.intensity[other_rows]
    if min(float(values.min()), float(points.intensity[k])) <= 0:
        return False
    if points.intensity[k] < SETTINGS.end * values.max():  # the level is no lower
        return False
    level, scatter = _line_beside(points, other_rows, k)
    if points.intensity[k] < SETTINGS.end * level or scatter > 0.5:
        return False
    sigma = 0.0 if points.sigma is None else float(np.median(points.sigma[other_rows]))
    return _is_no_peak(points, k, level, sigma)


def _line_beside(points: _Points, other_rows: NDArray[np.intp], k: int) -> tuple[float, float]:
    """The highest intensity to which a power law through neighbours leads, and their scatter, in ln I."""
    x, log = points.x[other_rows], np.log(points.intensity[other_rows])
    if np.ptp(x) < 1e-6:  # one q, several times over
        return float(np.exp(log.max())), np.inf
    line = np.polyfit(x, log, 1)
    highest = max(float(np.polyval(line, points.x[k])), float(log.max()))
    return float(np.exp(highest)), float(np.std(log - np.polyval(line, x)))


# Resolutions.


def _repair_widths(raw: RawCurve, notes: list[str]) -> RawCurve:
    """Single resolutions and slits far from those on both sides replaced by theirs."""
    # Rows that will be dropped are no neighbours.
    measured = np.flatnonzero(np.isfinite(raw.q) & (raw.q > 0) & np.isfinite(raw.intensity))
    order = measured[np.argsort(raw.q[measured], kind="stable")]
    for name, label in (("dq", "resolution"), ("dxl", "slit length"), ("dxw", "slit width")):
        values = getattr(raw, name)
        if values is None or order.size < SETTINGS.fewest:
            continue
        odd = _odd_widths(values[order])
        if 0 < np.count_nonzero(odd) <= SETTINGS.most:
            places, mended = np.arange(order.size), values.copy()
            mended[order[odd]] = np.interp(places[odd], places[~odd], values[order[~odd]])
            notes.append(f"One {label} far from its neighbours was replaced by interpolation between them.")
            raw = replace(raw, **{name: mended})
    return raw


def _odd_widths(values: Floats) -> NDArray[np.bool_]:
    """Where one value is far off the two before and the two behind, which are alike."""
    odd = np.zeros(values.size, dtype=np.bool_)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.where((values > 0) & np.isfinite(values), np.log(np.abs(values)), np.nan)
    around = np.stack([log[:-4], log[1:-3], log[3:-1], log[4:]])
    alike = np.ptp(around, axis=0) < np.log(SETTINGS.width) / 2
    far = np.min(np.abs(log[2:-2] - around), axis=0) > np.log(SETTINGS.width)
    odd[2:-2] = alike & (far | (np.isfinite(around).all(axis=0) & ~np.isfinite(log[2:-2])))
    return odd
