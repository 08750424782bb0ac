"""Which pixels count: gaps of the detector, saturation, hot pixels, shadows, what the user leaves out."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ...types import DataError
from .settings import ImageSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...arrays import Floats

    BoolArray = NDArray[np.bool_]

# Modules (columns, rows), gaps (columns, rows); DECTRIS' technical specifications of the detectors.
_FAMILIES = {
    "Pilatus": ((487, 195), (7, 17)),
    "Eiger": ((1030, 514), (10, 37)),
    "Eiger2": ((1028, 512), (12, 38)),
}
_HOT_FACTOR, _HOT_OFFSET = 10.0, 25.0
_SHADOW_RATE, _SHADOW_SIZE = 5.0, 9
_AROUND, _BESIDE = np.ones((3, 3), dtype=int), np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]])
_SATURATED_SHARE = 0.01
_PLATEAU_SHARE, _PLATEAU_LEVEL = 1e-3, 1000.0
_SIXTEEN_BITS = 65535.0
#: Share of a detector's gaps that holds counts from which on they are none: filled in, or of another
#: detector.
_COUNTING = 0.05
#: Share of values below zero, by all amounts, from which on an image holds no counts; a quarter of it of
#: either value of a mask.
_SIGNED = 0.2
#: Counts that a line without any must be expected to have; lines next to each other that a gap has at most.
_SURELY_LIT, _WIDEST_GAP = 20.0, 64
#: Share of lines that are dead at most: where more have no count, little was there to be counted.
_MOST_DEAD = 0.25


def find_marked_bad(values: NDArray[Any], *, subtracted: bool = False) -> BoolArray:
    """Find pixels marked in the file: negative, NaN, or the largest 32-bit number."""
    # In `subtracted` images only -1 and -2 count, and only if there are no other negatives.
    # Dectris writes -1 in gaps and -2 in bad pixels (Pilatus), or the largest number (Eiger), maybe
    # converted. The largest number of 8 or 16 bits may be a count: see `integer_limit`.
    if values.dtype.kind == "b":
        return np.zeros(values.shape, dtype=bool)
    is_bad = np.asarray(~np.isfinite(values))
    if values.dtype.itemsize >= 4:
        # Single precision has no nearer number than 2³².
        is_bad |= values >= 2.0**32 - 1
    negative = np.asarray(values < 0)
    if subtracted and np.any(negative) and not np.all(np.isin(values[negative & ~is_bad], (-1, -2))):
        return np.asarray(is_bad)
    return np.asarray(is_bad | negative)


def integer_limit(values: NDArray[Any]) -> float | None:
    """The largest number that 8 or 16 bits hold, where the file has no higher ones; else None."""
    # Gaps of detectors that count in 16 bits are marked by it; others have that many counts or more there.
    if values.dtype.kind in "iu" and values.dtype.itemsize < 4:
        return float(np.iinfo(values.dtype).max)
    if values.dtype.kind in "iuf" and values.size:
        marks = find_marked_bad(values)
        if float(values[~marks].max(initial=0)) == _SIXTEEN_BITS:
            return _SIXTEEN_BITS
    return None


def find_unmeasured(
    values: NDArray[Any], bad: BoolArray | None, *, subtracted: bool = False, horizon: bool = False
) -> tuple[BoolArray, list[str]]:
    """Find pixels that are no measurement (marked, gaps between modules, whole lines without a count), with
    remarks. With `horizon`, dark lines at the border are kept, as they may be the sample's shadow;
    `subtracted` as in `find_marked_bad`.
    """
    marked = find_marked_bad(values, subtracted=subtracted)
    if bad is not None:
        marked = marked | bad
    gaps, empty, notes = _gaps_left_out(values, marked)
    is_unmeasured, marked = marked | empty, marked & ~gaps
    if np.any(marked):
        notes.append(f"Marked as bad in the file: {share(marked)}.")
    dead = dead_lines(values, ~is_unmeasured, horizon=horizon)
    if np.any(dead):
        notes.append(f"Rows or columns without any count were excluded: {share(dead)}.")
    return is_unmeasured | dead, notes


def check_counts(values: NDArray[Any], name: str) -> None:
    """Raise DataError if values cannot be counts: many negatives, or two values alone, both often."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values.ravel()
    below = finite[finite < 0]
    if below.size > _SIGNED * values.size and np.unique(below[:: max(1, below.size // 1000)]).size > 20:
        raise DataError(
            f"{name}: {below.size / values.size:.0%} of its values are negative, so they are not"
            f" counts; give the raw counts of the detector, without subtraction."
        )
    if _two_values(finite):
        raise DataError(f"{name}: it contains only two values, like a mask; give the counts of the detector.")


def _two_values(values: NDArray[Any]) -> bool:
    if not values.size:
        return False
    low, high = (float(np.mean(values == end)) for end in (values.min(), values.max()))
    return low + high == 1.0 and min(low, high) > _SIGNED / 4


def dead_lines(values: NDArray[Any], good: BoolArray, *, horizon: bool = False) -> BoolArray:
    """Find rows and columns without a count between lines with many; `horizon` keeps the border."""
    # A line is dead if its neighbours predict λ >= 20 counts: zero has a chance of e⁻²⁰.
    counts = np.where(good, np.maximum(values, 0), 0)
    dead = np.zeros(good.shape, dtype=bool)
    if counts[good].min(initial=1) > 0:
        return dead
    for axis in (1, 0):
        number, total = good.sum(axis=axis), counts.sum(axis=axis, dtype=np.float64)
        lit = np.flatnonzero((number > 0) & (total > 0))
        dark = np.flatnonzero((number > 0) & (total == 0))
        if dark.size == 0 or dark.size > _MOST_DEAD * number.size:
            continue
        rate = total[lit] / number[lit]
        after = np.searchsorted(lit, dark)
        line_before, behind = after - 1, after
        enclosed = (line_before >= 0) & (behind < lit.size)
        near = np.minimum(rate[np.clip(line_before, 0, lit.size - 1)], rate[np.clip(behind, 0, lit.size - 1)])
        sure = near * number[dark] >= _SURELY_LIT
        apart = lit[np.clip(behind, 0, lit.size - 1)] - lit[np.clip(line_before, 0, lit.size - 1)]
        reach = np.where(
            enclosed, apart - 1, np.where(line_before < 0, lit[0], good.shape[1 - axis] - 1 - lit[-1])
        )
        is_gap = dark[sure & (reach <= _WIDEST_GAP) & (enclosed | (not horizon))]
        dead |= (np.isin(np.arange(good.shape[1 - axis]), is_gap)).reshape(
            (-1, 1) if axis else (1, -1)
        ) & good
    return dead


def _gaps_left_out(values: NDArray[Any], marked: BoolArray) -> tuple[BoolArray, BoolArray, list[str]]:
    """Gaps between modules that are left out, the pixels in them that hold nothing, and what is said."""
    no_pixels = np.zeros(values.shape, dtype=np.bool_)
    gaps, family = module_gaps((values.shape[0], values.shape[1]))
    if gaps is None or not np.any(gaps):
        return no_pixels, no_pixels, []
    limit = integer_limit(values)
    empty = gaps & (marked | (values <= 0) | (values == (np.inf if limit is None else limit)))
    if np.count_nonzero(gaps & ~empty) > _COUNTING * np.count_nonzero(gaps):
        # Zeros among counts are counts, too: without them the rest would be too bright.
        kept_text = f"The gaps between the modules of the {family} detector hold counts and are kept."
        return no_pixels, no_pixels, [kept_text]
    gap_text = f"Gaps between the modules of the {family} detector excluded: {share(empty)}."
    return gaps, empty, [gap_text]


def module_gaps(shape: tuple[int, int]) -> tuple[BoolArray | None, str]:
    """Return gaps between modules of a Dectris detector of this shape (None if there is none), upright or on
    its side, and its family.
    """
    for family, (module, gap) in _FAMILIES.items():
        if (gaps := _gaps_between(shape[::-1], module, gap)) is not None:
            return gaps, family
        if (gaps := _gaps_between(shape, module, gap)) is not None:
            return gaps.T, family
    return None, ""


def _gaps_between(sides: tuple[int, int], module: tuple[int, int], gap: tuple[int, int]) -> BoolArray | None:
    """Gaps of a detector with these columns and rows, (rows, columns); None where modules do not fill it."""
    columns, rows = (_gap_lines(length, module[i], gap[i]) for i, length in enumerate(sides))
    return None if columns is None or rows is None else rows[:, None] | columns[None, :]


def _gap_lines(length: int, module: int, gap: int) -> BoolArray | None:
    number, rest = divmod(length + gap, module + gap)
    if rest or number < 1:
        return None
    return np.asarray(np.arange(length) % (module + gap) >= module)


def check_saturation(counts: Floats, good: BoolArray, limit: float | None, file: str) -> BoolArray:
    """Find pixels at the detector's limit. Raises DataError if more than 1 in 100 are."""
    # Without a stated limit, it is the highest level, above 1000, shared by more than 1 in 1000 pixels (at
    # least 25).
    top = float(counts[good].max(initial=0.0))
    number = max(1, int(np.count_nonzero(good)))
    if limit is None:
        shared = int(np.count_nonzero(counts[good] == top))
        if top < _PLATEAU_LEVEL or shared < max(25, _PLATEAU_SHARE * number):
            return np.zeros_like(good)
        limit = top
    saturated = good & (counts >= limit)
    share = np.count_nonzero(saturated) / number
    if share > _SATURATED_SHARE:
        raise DataError(
            f"{file}: {100 * share:.0f} % of the pixels are saturated at {limit:g} counts;"
            " measure again with an attenuator or a shorter exposure."
        )
    return np.asarray(saturated)


def hot_pixels(counts: Floats, good: BoolArray) -> BoolArray:
    """Find single or paired pixels far above all around, (rows, columns): 10 times the brightest of eight
    neighbours plus 25 counts; of a pair, the second brightest.
    """
    # True peaks are as wide as the beam: a Gaussian of standard deviation σ pixels falls by exp(1/2σ²) to the
    # next, less than 10 for σ > 0.47, and the narrowest rod has pixels above and below.
    padded = np.pad(np.where(good, counts, -np.inf), 1, constant_values=-np.inf)
    rows, columns = counts.shape
    first = np.full(counts.shape, -np.inf)
    second, neighbour_index = first.copy(), np.zeros(counts.shape, dtype=np.int8)
    shifts = [(i, j) for i, j in product((-1, 0, 1), repeat=2) if (i, j) != (0, 0)]
    for number, (i, j) in enumerate(shifts):
        neighbour = padded[1 + i : 1 + i + rows, 1 + j : 1 + j + columns]
        second = np.maximum(second, np.minimum(first, neighbour))
        neighbour_index[neighbour > first] = number
        first = np.maximum(first, neighbour)
    surrounded = good & np.isfinite(second)
    hot = surrounded & (counts > _HOT_FACTOR * np.maximum(first, 0.0) + _HOT_OFFSET)
    apart = surrounded & (counts > _HOT_FACTOR * np.maximum(second, 0.0) + _HOT_OFFSET)
    for row, column in zip(*np.nonzero(apart & ~hot), strict=True):
        i, j = shifts[neighbour_index[row, column]]
        partner = (row + i, column + j)
        back = shifts[neighbour_index[partner]]
        if apart[partner] and back == (-i, -j):
            hot[row, column] = True
    return np.asarray(hot)


def shadows(counts: Floats, good: BoolArray) -> BoolArray:
    """Find connected areas without counts in bright surroundings: a beamstop or a dead module."""
    # An area has at least 9 pixels and a median of at least 5 counts on its rim, on all of it and left and
    # right: at λ >= 5 all are empty with a chance of e⁻⁴⁵. What is dark from side to side is the sample's
    # horizon.
    from scipy import ndimage

    labels, number = ndimage.label(good & (counts == 0))
    dark_areas = np.zeros_like(good)
    if number == 0:
        return dark_areas
    sizes = np.bincount(labels.ravel(), minlength=number + 1)
    boxes = ndimage.find_objects(labels)
    for label in np.nonzero(sizes[1:] >= _SHADOW_SIZE)[0] + 1:
        box = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in boxes[label - 1])
        inside = labels[box] == label
        if all(_bright(counts[box], inside, good[box], reach) for reach in (_AROUND, _BESIDE)):
            dark_areas[box] |= inside
    return dark_areas


def _bright(counts: Floats, inside: BoolArray, good: BoolArray, reach: NDArray[np.int_]) -> bool:
    """Whether the median count of the neighbours within reach is that of lit pixels."""
    from scipy import ndimage

    rim = ndimage.binary_dilation(inside, reach) & ~inside & good
    return bool(np.any(rim) and np.median(counts[rim]) >= _SHADOW_RATE)


def find_excluded(shape: tuple[int, int], settings: ImageSettings) -> BoolArray:
    """Mask the user's rectangles and circle, in the file's columns and rows."""
    row, column = np.ogrid[: shape[0], : shape[1]]
    covered = np.zeros(shape, dtype=bool)
    for c0, r0, c1, r1 in settings.mask:
        across = (column >= min(c0, c1)) & (column <= max(c0, c1))
        covered |= across & (row >= min(r0, r1)) & (row <= max(r0, r1))
    if settings.beamstop is not None:
        c, r, radius = settings.beamstop
        covered |= (column - c) ** 2 + (row - r) ** 2 <= radius**2
    return covered


def share(part: BoolArray) -> str:
    """A number of pixels in words."""
    number = int(np.count_nonzero(part))
    percent = 100.0 * number / math.prod(part.shape)
    plural = "pixel" if number == 1 else "pixels"
    return f"{number} {plural}" + (f" ({percent:.1f} %)" if percent >= 0.1 else "")


def check_mask(good: BoolArray, least: int, file: str) -> BoolArray:
    """Return usable pixels. Raises DataError if there are fewer than `least`."""
    if good.sum() < least:
        raise DataError(f"{file}: only {int(good.sum())} pixels hold values; check the file and its mask.")
    return good
