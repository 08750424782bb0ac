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


def stored_as_bad(values: NDArray[Any], *, subtracted: bool = False) -> BoolArray:
    """Pixels that the file itself marks: negative, not a number, or the largest number of 32 bits.

    Dectris' detectors write -1 in gaps and -2 in bad pixels (Pilatus), or the largest number (Eiger), which a
    program may have kept in more bits or as floating point. The largest number of 8 or 16 bits may be a count
    that did not fit: see `integer_limit`.

    Parameters
    ----------
    subtracted : bool
        Of negative values only -1 and -2 are marks, and only where there are no others: they may be what a
        subtraction left.
    """
    if values.dtype.kind == "b":
        return np.zeros(values.shape, dtype=bool)
    found = np.asarray(~np.isfinite(values))
    if values.dtype.itemsize >= 4:
        # Single precision has no nearer number than 2³².
        found |= values >= 2.0**32 - 1
    negative = np.asarray(values < 0)
    if subtracted and np.any(negative) and not np.all(np.isin(values[negative & ~found], (-1, -2))):
        return np.asarray(found)
    return np.asarray(found | negative)


def integer_limit(values: NDArray[Any]) -> float | None:
    """The largest number that 8 or 16 bits hold, where the file has no higher ones; else None.

    Gaps of detectors that count in 16 bits are marked by it; others have that many counts or more there.
    """
    if values.dtype.kind in "iu" and values.dtype.itemsize < 4:
        return float(np.iinfo(values.dtype).max)
    if values.dtype.kind in "iuf" and values.size:
        marks = stored_as_bad(values)
        if float(values[~marks].max(initial=0)) == _SIXTEEN_BITS:
            return _SIXTEEN_BITS
    return None


def unmeasured(
    values: NDArray[Any], bad: BoolArray | None, *, subtracted: bool = False, horizon: bool = False
) -> tuple[BoolArray, list[str]]:
    """What is no measurement, before anything else is looked at; and sentences that say so.

    That is what the file marks, gaps between a detector's modules, and whole rows or columns without a count.

    Parameters
    ----------
    values : (rows, columns) array
        As stored.
    bad : (rows, columns) bool array or None
        The file's own mask.
    subtracted : bool
        See `stored_as_bad`.
    horizon : bool
        Dark lines at the image's border may be a sample's shadow: they are kept.
    """
    marked = stored_as_bad(values, subtracted=subtracted)
    if bad is not None:
        marked = marked | bad
    gaps, empty, notes = _gaps_left_out(values, marked)
    found, marked = marked | empty, marked & ~gaps
    if np.any(marked):
        notes.append(f"Marked as bad in the file: {share(marked)}.")
    dead = dead_lines(values, ~found, horizon=horizon)
    if np.any(dead):
        notes.append(f"Rows or columns without any count were excluded: {share(dead)}.")
    return found | dead, notes


def check_counts(values: NDArray[Any], name: str) -> None:
    """See that values may be counts.

    Raises
    ------
    DataError
        Many of them are negative, by all amounts, where marks of what was not measured are few or of one
        size; or they are two only, both often, where counts that are often one are sometimes two.
    """
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
    """Whether there are two values only, both often."""
    if not values.size:
        return False
    low, high = (float(np.mean(values == end)) for end in (values.min(), values.max()))
    return low + high == 1.0 and min(low, high) > _SIGNED / 4


def dead_lines(values: NDArray[Any], good: BoolArray, *, horizon: bool = False) -> BoolArray:
    r"""Whole rows and columns without a single count, where those on either side have many.

    A line is dead where :math:`\lambda \ge 20` counts are expected of it by the lines next to it that have
    any: that it has none is a chance of :math:`e^{-20}`.

    Parameters
    ----------
    values : (rows, columns) array
    good : (rows, columns) bool array
        True where a pixel counts so far.
    horizon : bool
        Lines that reach the border are kept.
    """
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
        before, behind = after - 1, after
        enclosed = (before >= 0) & (behind < lit.size)
        near = np.minimum(rate[np.clip(before, 0, lit.size - 1)], rate[np.clip(behind, 0, lit.size - 1)])
        sure = near * number[dark] >= _SURELY_LIT
        apart = lit[np.clip(behind, 0, lit.size - 1)] - lit[np.clip(before, 0, lit.size - 1)]
        reach = np.where(
            enclosed, apart - 1, np.where(before < 0, lit[0], good.shape[1 - axis] - 1 - lit[-1])
        )
        taken = dark[sure & (reach <= _WIDEST_GAP) & (enclosed | (not horizon))]
        dead |= (np.isin(np.arange(good.shape[1 - axis]), taken)).reshape((-1, 1) if axis else (1, -1)) & good
    return dead


def _gaps_left_out(values: NDArray[Any], marked: BoolArray) -> tuple[BoolArray, BoolArray, list[str]]:
    """Gaps between modules that are left out, the pixels in them that hold nothing, and what is said."""
    none = np.zeros(values.shape, dtype=np.bool_)
    gaps, family = module_gaps((values.shape[0], values.shape[1]))
    if gaps is None or not np.any(gaps):
        return none, none, []
    limit = integer_limit(values)
    empty = gaps & (marked | (values <= 0) | (values == (np.inf if limit is None else limit)))
    if np.count_nonzero(gaps & ~empty) > _COUNTING * np.count_nonzero(gaps):
        # Zeros among counts are counts, too: without them the rest would be too bright.
        kept = f"The gaps between the modules of the {family} detector hold counts and are kept."
        return none, none, [kept]
    said = f"Gaps between the modules of the {family} detector excluded: {share(empty)}."
    return gaps, empty, [said]


def module_gaps(shape: tuple[int, int]) -> tuple[BoolArray | None, str]:
    """Gaps between the modules of a Dectris detector that has this shape, upright or on its side.

    Returns
    -------
    gaps : (rows, columns) bool array or None
        True in a gap; None where no such detector has that shape.
    name : str
        The detector's family.
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
    """Pixels at the detector's limit.

    Without a stated limit, a level above 1000 that is the highest and that more than one pixel in a thousand
    (and at least 25) share is one: counts never agree so.

    Raises
    ------
    DataError
        More than one pixel in a hundred is saturated.
    """
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
    r"""Single pixels, or two adjacent ones, that stand alone far above all around.

    Hot is what exceeds 10 times its brightest neighbour (of eight) by 25 counts; of two that are each other's
    brightest neighbour, each with its second brightest. A true peak is as wide as the beam's image: a
    Gaussian of standard deviation :math:`\sigma` pixels falls by :math:`\exp(1/2\sigma^2)` to the next pixel,
    less than 10 for :math:`\sigma > 0.47`; the narrowest rod has its own pixels above and below.

    Parameters
    ----------
    counts : (rows, columns) float array
    good : (rows, columns) bool array
        True where a pixel counts; others are no neighbours.

    Returns
    -------
    (rows, columns) bool array
    """
    padded = np.pad(np.where(good, counts, -np.inf), 1, constant_values=-np.inf)
    rows, columns = counts.shape
    first = np.full(counts.shape, -np.inf)
    second, where = first.copy(), np.zeros(counts.shape, dtype=np.int8)
    shifts = [(i, j) for i, j in product((-1, 0, 1), repeat=2) if (i, j) != (0, 0)]
    for number, (i, j) in enumerate(shifts):
        other = padded[1 + i : 1 + i + rows, 1 + j : 1 + j + columns]
        second = np.maximum(second, np.minimum(first, other))
        where[other > first] = number
        first = np.maximum(first, other)
    surrounded = good & np.isfinite(second)
    hot = surrounded & (counts > _HOT_FACTOR * np.maximum(first, 0.0) + _HOT_OFFSET)
    apart = surrounded & (counts > _HOT_FACTOR * np.maximum(second, 0.0) + _HOT_OFFSET)
    for row, column in zip(*np.nonzero(apart & ~hot), strict=True):
        i, j = shifts[where[row, column]]
        partner = (row + i, column + j)
        back = shifts[where[partner]]
        if apart[partner] and back == (-i, -j):
            hot[row, column] = True
    return np.asarray(hot)


def shadows(counts: Floats, good: BoolArray) -> BoolArray:
    r"""Connected areas of no counts at all in bright surroundings: a beamstop, a dead module.

    An area counts as a shadow when it has at least 9 pixels and the median count on its rim is at least 5, on
    all of it and to the left and right: where :math:`\lambda \ge 5` is expected, 9 pixels are all empty with
    a chance of :math:`e^{-45}`. What is dark from side to side is no shadow but the sample's horizon.

    Parameters
    ----------
    counts : (rows, columns) float array
    good : (rows, columns) bool array
        True where a pixel counts.

    Returns
    -------
    (rows, columns) bool array
    """
    from scipy import ndimage

    labels, number = ndimage.label(good & (counts == 0))
    found = np.zeros_like(good)
    if number == 0:
        return found
    sizes = np.bincount(labels.ravel(), minlength=number + 1)
    boxes = ndimage.find_objects(labels)
    for label in np.nonzero(sizes[1:] >= _SHADOW_SIZE)[0] + 1:
        box = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in boxes[label - 1])
        inside = labels[box] == label
        if all(_bright(counts[box], inside, good[box], reach) for reach in (_AROUND, _BESIDE)):
            found[box] |= inside
    return found


def _bright(counts: Floats, inside: BoolArray, good: BoolArray, reach: NDArray[np.int_]) -> bool:
    """Whether the median count of the neighbours within reach is that of lit pixels."""
    from scipy import ndimage

    rim = ndimage.binary_dilation(inside, reach) & ~inside & good
    return bool(np.any(rim) and np.median(counts[rim]) >= _SHADOW_RATE)


def left_out(shape: tuple[int, int], settings: ImageSettings) -> BoolArray:
    """What the user's rectangles and circle cover.

    Parameters
    ----------
    settings : ImageSettings
        ``mask`` and ``beamstop``, in the file's columns and rows.
    """
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


def checked(good: BoolArray, least: int, file: str) -> BoolArray:
    """Which pixels count, of which there must be enough.

    Raises
    ------
    DataError
        They are fewer.
    """
    if good.sum() < least:
        raise DataError(f"{file}: only {int(good.sum())} pixels hold values; check the file and its mask.")
    return good
