"""Rows that a file marks as masked: the detector's gaps, the beamstop, bins without a pixel.

Programs write such a row as I = 0 or I = -1, with dI = 0, -1 or NaN. A true zero is measured where few
particles are counted, beside points of few counts, and is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .raw import RawCurve

    BoolArray = NDArray[np.bool_]

SURELY = 9.0
"""Counts expected where zeros stand, beyond which they are marks: none are counted at odds of exp(-9)."""

ONE_COUNT = 1.5
"""I/dI up to which a point can be a single count, whose dI is I; where no point is, zeros are no counts."""


def exclude_masked(raw: RawCurve, notes: list[str]) -> RawCurve:
    """Exclude rows marked as masked, in any order, and append a note that counts them."""
    zero, below = _zeros(raw), _negative_marks(raw)
    masked = zero | below
    count = int(np.count_nonzero(masked))
    if not count:
        return raw
    values = sorted({f"{value:g}" for value in raw.intensity[masked]}, reverse=True)
    rows, were = ("row", "was") if count == 1 else ("rows", "were")
    notes.append(f"{count} {rows} marked as masked in the file (I = {' or '.join(values)}) {were} excluded.")
    return raw.take_rows(np.flatnonzero(~masked))


def _find_unmeasured(raw: RawCurve) -> BoolArray:
    """Where no uncertainty above zero stands; everywhere without such a column."""
    if raw.dintensity is None:
        return np.ones(raw.q.size, dtype=np.bool_)
    return ~(raw.dintensity > 0)


def _negative_marks(raw: RawCurve) -> BoolArray:
    """Whole numbers below zero without an uncertainty, or the only value below zero there is."""
    intensity = raw.intensity
    with np.errstate(invalid="ignore"):
        below = intensity < 0
        whole = below & (intensity == np.round(intensity))
    no_rows = np.zeros(intensity.size, dtype=np.bool_)
    if not whole.any():
        return no_rows
    marks = whole & _find_unmeasured(raw) if raw.dintensity is not None else no_rows
    other_intensities = intensity[~below & np.isfinite(intensity)]
    fractions = bool(np.any(other_intensities != np.round(other_intensities)))
    is_mark = np.unique(intensity[below]).size == 1 and np.count_nonzero(below) < other_intensities.size
    return whole if is_mark and fractions else marks


def _zeros(raw: RawCurve) -> BoolArray:
    intensity, unmeasured = raw.intensity, _find_unmeasured(raw)
    masked = np.zeros(intensity.size, dtype=np.bool_)
    finite = np.isfinite(raw.q) & np.isfinite(intensity) & (raw.q > 0)
    order = np.flatnonzero(finite)[np.argsort(raw.q[finite], kind="stable")]
    counts = _counts(raw)
    # Intensities around zero are differences, not counts: an exact zero is not measured there.
    has_known_errors = raw.dintensity is not None and not _are_single_counts(raw, counts)
    for run, neighbours in _runs(order, intensity):
        if not neighbours.size:
            continue
        expected = float(np.min(counts[neighbours]))
        marked = bool(np.all(unmeasured[run]))
        count = run.size if marked else min(run.size - 1, 1)  # of zeros with an uncertainty one may be true
        masked[run] = (marked and has_known_errors) or expected * count > SURELY
    return masked


def _runs(order: NDArray[np.intp], intensity: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.intp], ...]]:
    """Zeros that follow one another in q, and the one or two points beside them."""
    zero = np.concatenate([[False], intensity[order] == 0, [False]])
    for begin, end in np.flatnonzero(zero[1:] != zero[:-1]).reshape(-1, 2):
        neighbours = [k for k in (begin - 1, end) if 0 <= k < order.size]
        yield order[begin:end], order[neighbours]


def _counts(raw: RawCurve) -> NDArray[np.float64]:
    """About how many counts each intensity stands for: (I/dI)², or I over the least that is not zero."""
    intensity = np.abs(raw.intensity)
    least = float(np.min(intensity[intensity > 0], initial=np.inf))
    counts = np.where(np.isfinite(intensity), intensity / least, 0.0)
    if raw.dintensity is not None:
        has_error = (raw.dintensity > 0) & np.isfinite(raw.dintensity) & np.isfinite(intensity)
        counts[has_error] = (intensity[has_error] / raw.dintensity[has_error]) ** 2
    return counts


def _are_single_counts(raw: RawCurve, counts: NDArray[np.float64]) -> bool:
    """Whether the intensities can be single counts: none is below zero, the weakest is about its error."""
    measured = ~_find_unmeasured(raw) & (raw.intensity != 0) & np.isfinite(raw.intensity)
    if not measured.any() or np.any(raw.intensity[measured] < 0):
        return False
    return bool(np.min(counts[measured]) < ONE_COUNT**2)
