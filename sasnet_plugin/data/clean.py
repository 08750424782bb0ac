"""Raw columns -> a `Curve`: unusable rows dropped, order, units and uncertainties repaired, each with a
note.

Programs write such a row as I = 0 or I = -1, with dI = 0, -1 or NaN. A true zero is measured where few
particles are counted, beside points of few counts, and is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import units
from ..arrays import Floats
from ..digits import significant
from ..types import Curve, DataError, printable
from ..units import QUnit
from . import shadow
from .advice import CU_K_ALPHA, GIVE_NM, OTHER_RANGE, UNITS_OF_Q
from .damaged import exclude_damaged
from .limits import LIMITS
from .raw import COLUMNS, points

if TYPE_CHECKING:
    from .raw import RawCurve

    BoolArray = NDArray[np.bool_]


# --- Rows that a file marks as masked: the detector's gaps, the beamstop, bins without a pixel.

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


# --- A file that names no unit of q: what is assumed, and whether another unit is likelier.

Q_MAX = 1.2
"""Å⁻¹; few instruments for small angles reach beyond, and these begin at small q as well."""

Q_MIN_JOINED = 0.02
"""Å⁻¹; data that begin below are joined from small and wide angles, and may end anywhere."""

Q_MAX_ANGLE = 12.0
"""Å⁻¹; beyond what a wavelength of 1 Å reaches, 4π/λ."""

LARGEST = 180.0
"""No angle is larger, in degrees, nor any q in Å⁻¹ or nm⁻¹: 4π/λ is 126 nm⁻¹ at a wavelength of 0.1 nm."""

SMALLEST = 5.0
"""Å; a radius of gyration below that of a few atoms is none that small angles are measured for."""

PLATEAU = 0.15
"""Largest fall of the intensity over the first tenth of the points where a curve begins at a plateau."""


def see_a_possible_q(q: Floats, file: str) -> None:
    """Raise DataError if a first column without a unit is neither q nor an angle in any usual unit: it goes
    beyond `LARGEST`, as energies, distances, sizes and times do.
    """
    finite = q[np.isfinite(q)]
    if finite.size and finite.max() > LARGEST:
        raise DataError(
            f"{file}: its first column ends at {significant(float(finite.max()), 3)}, which is neither q in"
            " Å⁻¹ or nm⁻¹ nor an angle in degrees; give the intensity against q, in one of these units."
        )


def assume_unit(q: Floats, intensity: Floats) -> QUnit:
    """Assume Å⁻¹, with a caution if the data look as if in nm⁻¹; columns as in the file, ascending in q."""
    q_max, q_min = float(q[-1]), float(q[0])
    if q_max > Q_MAX_ANGLE:
        return QUnit(stated=False, doubt=_angle_or_nm(q_max))
    size = radius_of_gyration(q, intensity)
    wide = q_max > Q_MAX and q_min > Q_MIN_JOINED
    small = size is not None and size < SMALLEST
    if not (wide or small):
        return QUnit(stated=False)
    return QUnit(stated=False, doubt=_nm_is_likelier(q_max, size))


def _nm_is_likelier(q_max: float, size: float | None) -> str:
    sizes = ("", "") if size is None else (
        f", Rg about {significant(size, 2)} Å", f", Rg about {significant(10 * size, 2)} Å"
    )  # fmt: skip
    return (
        f"The file names no unit of q. In Å⁻¹, as assumed here, q ends at {q_max:.3g} Å⁻¹{sizes[0]}. In"
        f" nm⁻¹ it would end at {q_max / 10:.3g} Å⁻¹{sizes[1]}, which is likelier. If so,"
        f" {GIVE_NM}; all sizes are then ten times as large."
    )


def _angle_or_nm(q_max: float) -> str:
    return (
        f"The file names no unit of q, and its first column ends at {q_max:.3g}. That looks like an angle"
        f" in degrees (give its wavelength, {CU_K_ALPHA} for Cu Kα) or like nm⁻¹ ({GIVE_NM}),"
        " not like the Å⁻¹ assumed here."
    )


def radius_of_gyration(q: Floats, intensity: Floats) -> float | None:
    """Estimate Rg, in the inverse of q's unit, where a curve that begins at a plateau has fallen to
    exp(-1/3); None if it does not.
    """
    # Guinier's law, I(q) = I(0) exp(-(q Rg)²/3), gives that at q Rg = 1. Accurate enough to tell units apart.
    count = max(3, q.size // 10)
    first, next_ = np.median(intensity[:count]), np.median(intensity[count : 2 * count])
    if q.size < 10 or not first > 0 or not 0 <= 1 - next_ / first < PLATEAU * 3:
        return None
    level = max(first, next_)
    width = max(1, q.size // 40)
    smooth = np.convolve(intensity, np.full(width, 1 / width), mode="same")
    below = np.flatnonzero(smooth[count:] < level * np.exp(-1 / 3))
    return float(1 / q[count + below[0]]) if below.size and below[0] else None


# --- Raw columns -> a `Curve`: unusable rows dropped, order and uncertainties repaired, each with a
# --- note.

MIN_POINTS = 8
"""Fewer usable points than this do not determine a shape."""

MIN_RELATIVE_ERROR = 1e-5
"""A median dI/|I| below this is a placeholder: no measurement counts 1e10 particles at most of its points."""

MAX_BAD_ERRORS = 0.5
"""With a larger fraction of unusable dI the column is not to be trusted at all."""

DIGITS = 12
"""Decimal places looked at; what needs more was not rounded by hand or by a format."""

COARSE = 2.5
"""Units of the last digit below which an uncertainty's rounding matters: at three, by 1.4 %."""

FINE = 10.0
"""Units that the largest uncertainty has at least, of a column that is rounded and no constant."""

SLIP = 10.0
"""How far below all its neighbours', also relative to the intensity, an uncertainty is not believed."""

BESIDE = 5
"""Neighbours looked at on each side."""
_SLIPPED = 5.0
"""Times a stated uncertainty that one in its place has at least: more than rounding."""


def clean(raw: RawCurve, *, file: str, entry: str, q_unit: str | None = None) -> Curve:
    """Turn raw columns into a curve in Å⁻¹, positive and ascending in q, of at least `MIN_POINTS`."""
    # `q_unit`, a key of ``units.FACTORS["q"]``, overrides the file's unit. Equal q stay in file order,
    # without exact repeats.
    # Raises DataError if no curve is left (no positive q or intensity, too few points) or the unit is
    # unknown.
    notes = list(raw.notes)
    raw = _convert_q(raw, q_unit, file, notes)
    raw = _convert_intensity(raw, notes)
    if np.any(raw.intensity <= 0):
        raw = exclude_masked(raw, notes)
    raw = exclude_damaged(raw, notes)
    keep = _usable_rows(raw, file, notes)
    raw = raw if keep.all() else raw.take_rows(np.flatnonzero(keep))
    if raw.sorted_by_reader or np.any(np.diff(raw.q) < 0):
        raw = raw.take_rows(np.argsort(raw.q, kind="stable"))
        notes.append("q was not in ascending order; the points were sorted.")
    raw = _drop_copies(raw, notes)
    _see_some_scattering(raw.intensity, file)
    resolution = _resolution(raw, notes)
    dintensity = _uncertainty(raw, notes)
    curve = Curve(
        raw.q, raw.intensity, dintensity, *resolution, file=file, entry=entry, notes=tuple(notes),
        intensity_unit=raw.intensity_unit, replaced=_count_replaced(raw.dintensity, dintensity),
        errors_noted=dintensity is None, sector=raw.sector,
    )  # fmt: skip
    curve = shadow.exclude_shadow(curve)
    unit = q_unit or raw.q_unit
    curve = replace(curve, q_unit=QUnit(unit) if unit else assume_unit(curve.q, curve.intensity))
    if negative := int(np.count_nonzero(curve.intensity < 0)):
        kept_text = (
            f"{_count(negative, 'intensity', 'intensities')} below zero {_was_or_were(negative)} kept as"
            " measured."
        )
        curve = replace(curve, notes=(*curve.notes, kept_text))
    return curve


def _drop_copies(raw: RawCurve, notes: list[str]) -> RawCurve:
    """Each row once: a copy is no second measurement, and would make all errors smaller than they are."""
    table = np.column_stack([values for name in COLUMNS if (values := getattr(raw, name)) is not None])
    _, first = np.unique(table, axis=0, return_index=True)
    if copies := raw.q.size - first.size:
        notes.append(
            f"{_count(copies, 'row', 'rows')} repeating another point {_was_or_were(copies)} dropped."
        )
        return raw.take_rows(np.sort(first))
    return raw


def _see_some_scattering(intensity: Floats, file: str) -> None:
    if not np.any(intensity > 0):
        problem = "negative or zero" if np.any(intensity < 0) else "zero"
        raise DataError(
            f"{file}: no intensity is above zero (all are {problem});"
            " perhaps too much background was subtracted. Give the scattering of the sample."
        )


def _convert_q(raw: RawCurve, forced: str | None, file: str, notes: list[str]) -> RawCurve:
    """Convert q to Å⁻¹. Raises DataError if the file's unit is none of q and none is forced."""
    unit = forced or _read_stated_unit(raw, file)
    if forced and raw.q_unit not in (None, "", forced):
        notes.append(f"q was read in {forced} as requested, although the file gives {raw.q_unit}.")
    elif unit != "Å⁻¹":
        notes.append(f"q was converted from {unit} to Å⁻¹.")
    scale, own_dq = units.factor(unit, "q"), raw.dq if raw.dq_unit else None
    raw = raw if scale == 1.0 else raw.scale_q(scale)
    return raw if own_dq is None else replace(raw, dq=own_dq * units.factor(str(raw.dq_unit), "q"))


def _convert_intensity(raw: RawCurve, notes: list[str]) -> RawCurve:
    """I in cm⁻¹ where the file gives it per length; else in the file's own unit, with a note."""
    words = printable(raw.intensity_unit[: LIMITS.title]).strip()
    unit = _unit_per_length(words)
    if unit is None:
        return replace(raw, intensity_unit=_relative_unit(words, notes))
    factor = units.factor(unit, "intensity")
    if factor != 1.0:
        notes.append(f"I was converted from {unit} to cm⁻¹.")
        error = None if raw.dintensity is None else raw.dintensity * factor
        raw = replace(raw, intensity=raw.intensity * factor, dintensity=error)
    return replace(raw, intensity_unit="cm⁻¹")


def _unit_per_length(words: str) -> str | None:
    plain = re.sub(r"(?:[\s*·.]|per)*(?:sr|steradian)s?(?:\^?-1|⁻¹)?|[()]", "", words, flags=re.IGNORECASE)
    return units.canonical(plain.rstrip("/"), "intensity") if plain else None


def _relative_unit(words: str, notes: list[str]) -> str:
    """Another unit of I, with a note; empty for words that are none."""
    if not re.search(units.RELATIVE, words, re.IGNORECASE):
        return ""
    notes.append(f"The file gives I in {words!r}; scale and background are in this unit, not in cm⁻¹.")
    return words


def _read_stated_unit(raw: RawCurve, file: str) -> str:
    if raw.q_unit is None and raw.q_unit_unknown:
        raise DataError(
            f"{file}: it gives q in {printable(raw.q_unit_unknown[:40])!r}, which is not a known unit"
            f" of q; give the unit{UNITS_OF_Q}."
        )
    if raw.q_unit is None:
        see_a_possible_q(raw.q, file)
    return raw.q_unit or "Å⁻¹"


def _usable_rows(raw: RawCurve, file: str, notes: list[str]) -> NDArray[np.bool_]:
    q, intensity = raw.q, raw.intensity
    number = np.isfinite(q) & np.isfinite(intensity)
    zero = number & (q == 0)
    negative = number & (q < 0)
    keep: NDArray[np.bool_] = number & (q > 0)
    count_left = int(np.count_nonzero(keep))
    if count_left == 0:
        _see_q_is_there(negative, zero, file)
    for count, reason in (
        (raw.dropped, "with q = 0 or a value that is not a number"),
        (int(np.count_nonzero(~number)), "with a value that is not a number"),
        (int(np.count_nonzero(zero)), "with q = 0"),
        (int(np.count_nonzero(negative)), "with negative q"),
    ):
        if count:
            notes.append(f"{_count(count, 'row', 'rows')} {reason} {_was_or_were(count)} dropped.")
    if count_left < MIN_POINTS:
        raise DataError(
            f"{file}: only {_count(count_left, 'usable point', 'usable points')};"
            f" a curve needs at least {MIN_POINTS}."
        )
    if (different := np.unique(q[keep]).size) < MIN_POINTS:
        raise DataError(
            f"{file}: its {count_left} points have only {different} different q; a curve needs at least"
            f" {MIN_POINTS}."
        )
    return keep


def _see_q_is_there(negative: BoolArray, zero: BoolArray, file: str) -> None:
    if np.any(negative):
        raise DataError(f"{file}: no q is positive; the first column must be q, above zero.")
    if np.any(zero):
        raise DataError(f"{file}: q is zero throughout; the first column must be q, above zero.")


def _uncertainty(raw: RawCurve, notes: list[str]) -> Floats | None:
    """Uncertainties with single gaps bridged from their neighbours in q, or None."""
    dy = raw.dintensity
    if dy is None or not np.any(np.isfinite(dy) & (dy != 0)):
        notes.append("The data have no uncertainties of intensity; they are estimated.")
        return None
    good = np.isfinite(dy) & (dy > 0)
    bad = int(dy.size - np.count_nonzero(good))
    if bad > MAX_BAD_ERRORS * dy.size:
        notes.append(f"{bad} of {dy.size} uncertainties are not above zero, so all {dy.size} are estimated.")
        return None
    signal = good & (raw.intensity != 0)
    relative = np.median(dy[signal] / np.abs(raw.intensity[signal])) if np.any(signal) else 1.0
    if relative < MIN_RELATIVE_ERROR:
        notes.append(
            f"The uncertainties ({relative:.0e} of the intensity) are too small for a measurement;"
            " they are estimated."
        )
        return None
    repaired, repair_notes = repair_uncertainties(raw.q, raw.intensity, dy)
    notes.extend(repair_notes)
    return repaired


def _count_replaced(stated: Floats | None, used: Floats | None) -> int:
    """How many stated uncertainties are none, and have others in their place."""
    if stated is None or used is None:
        return 0
    good = np.isfinite(stated) & (stated > 0)
    return int(np.count_nonzero(~good | (used > _SLIPPED * np.where(good, stated, np.inf))))


def _resolution(raw: RawCurve, notes: list[str]) -> tuple[Floats | None, Floats | None, Floats | None]:
    """Pinhole dq and slit (dxl, dxw); a column that is zero throughout is no resolution."""

    def tidy(values: Floats | None) -> Floats | None:
        if values is None:
            return None
        usable = np.where(np.isfinite(values) & (values > 0), values, 0.0)
        return usable if np.any(usable) else None

    dq, dxl, dxw = tidy(raw.dq), tidy(raw.dxl), tidy(raw.dxw)
    if dq is not None:
        dq = _fill_resolution(raw.q, dq, dxl, notes)
    if dq is not None and float(np.median(dq / raw.q)) > 1.0:
        notes.append("The resolution column is larger than q and was not used.")
        dq = None
    return dq, dxl, dxw


def _fill_resolution(q: Floats, dq: Floats, slit: Floats | None, notes: list[str]) -> Floats | None:
    """The resolution, taken from the neighbours in q where it is missing; behind a slit none is missing."""
    missing = (dq == 0) & ((slit == 0) if slit is not None else True)
    count = int(np.count_nonzero(missing))
    if count > MAX_BAD_ERRORS * q.size:
        notes.append(f"The resolution is missing at {count} of {q.size} points and was not used.")
        return None
    if not count:
        return dq
    notes.append(
        f"The resolution is missing at {_count(count, 'point', 'points')}; it was taken from neighbouring"
        " points."
    )
    given = dq > 0
    log_dq = np.interp(np.log(q), np.log(q[given]), np.log(dq[given]))
    return np.where(missing, np.exp(log_dq), dq)


def _count(number: int, singular: str, plural: str) -> str:
    return f"{number} {singular if number == 1 else plural}"


def _was_or_were(number: int) -> str:
    return "was" if number == 1 else "were"


def cut_to_q_range(curve: Curve, q_min: float, q_max: float) -> Curve:
    """Select points with q_min <= q <= q_max, Å⁻¹; a finite q_min includes points excluded as a beamstop
    shadow, an infinite limit changes nothing at that end. Raises DataError if no point is left.
    """
    if q_min > -np.inf:
        curve = replace(shadow.restore_shadow(curve, q_min, q_max), q_asked=True)
    keep = (curve.q >= q_min) & (curve.q <= q_max)
    count_left = int(keep.sum())
    if count_left == 0:
        raise DataError(
            f"{curve.file or 'the curve'}: no point lies between q = {max(q_min, 0):g} and {q_max:g} Å⁻¹ (the"
            f" data go from {curve.q.min():.4g} to {curve.q.max():.4g}); {OTHER_RANGE}."
        )
    if count_left == len(curve):
        return curve
    range_text = f"({max(q_min, 0):g} to {q_max:g} Å⁻¹)"
    note = f"{count_left} of {len(curve)} points lie in the requested q range {range_text}."
    return replace(points(curve, keep), notes=(*curve.notes, note))


def repair_uncertainties(q: Floats, intensity: Floats, dintensity: Floats) -> tuple[Floats, list[str]]:
    """Replace uncertainties that are zero or smaller than can be known; some dI is above zero."""
    good = np.isfinite(dintensity) & (dintensity > 0)
    repaired = dintensity.copy()
    unit = last_digit(dintensity[good])
    coarse = np.zeros(q.size, dtype=np.bool_)
    if unit is not None and dintensity[good].max() >= FINE * unit:
        coarse = np.isfinite(dintensity) & (dintensity >= 0) & (dintensity < COARSE * unit)
        # Half a unit of the last digit, and what the rounding of the intensity adds.
        repaired[coarse] = np.sqrt(
            dintensity[coarse] ** 2 + (unit / 2) ** 2 + (last_digit(intensity) or 0.0) ** 2 / 12
        )
    slips = good & _find_slips(intensity, repaired, good)
    weak = ~good | slips
    if weak.any() and (good & ~slips).any():
        near = _from_neighbours(q, intensity, repaired, ~weak)
        repaired[weak] = np.maximum(near[weak], np.where(coarse[weak], repaired[weak], 0.0))
    return repaired, _describe_repairs(coarse, unit, ~good, slips)


def _describe_repairs(coarse: BoolArray, unit: float | None, bad: BoolArray, slips: BoolArray) -> list[str]:
    """What was done to those rounded to a unit, not above zero, or far below all others."""
    notes = []
    if coarse.any():
        notes.append(
            f"The uncertainties are rounded to {unit:g}. Half of this step was added at"
            f" {_count(int(coarse.sum()), 'point', 'points')}, where rounding matters."
        )
    if bad.any():
        count_text = _count(int(bad.sum()), "uncertainty", "uncertainties")
        notes.append(
            f"{count_text} not above zero {_was_or_were(int(bad.sum()))} replaced by those of neighbouring"
            " points."
        )
    if slips.any():
        small = _count(int(slips.sum()), "uncertainty", "uncertainties")
        notes.append(
            f"{small} below a tenth of all neighbouring ones {_was_or_were(int(slips.sum()))} replaced by"
            " these."
        )
    return notes


def last_digit(values: Floats) -> float | None:
    """The decimal place that all values are rounded to, as 0.01; None where they have more than `DIGITS`."""
    values = np.abs(values[np.isfinite(values)])
    first = float(values[0]) if values.size else 0.0
    for places in range(DIGITS + 1):
        if _may_be_rounded(first, places) and _are_rounded(values, places):
            return float(10.0**-places)
    return None


def _may_be_rounded(value: float, places: int) -> bool:
    """Whether `_are_rounded` may hold for a value; in most files the first one decides."""
    scaled = value * 10.0**places
    beyond = scaled % 1.0
    return min(beyond, 1 - beyond) <= 2e-6 + 2e-12 * scaled


def _are_rounded(values: Floats, places: int) -> bool:
    """Whether values have no more than so many decimal places."""
    scaled = values * 10.0**places
    return bool(np.all(np.abs(scaled - np.round(scaled)) <= 1e-6 + 1e-12 * scaled))


def _find_slips(intensity: Floats, sigma: Floats, good: BoolArray) -> BoolArray:
    """Where an uncertainty is far below its neighbours', absolute and relative to the intensity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(intensity != 0, sigma / np.abs(intensity), np.inf)
    slipped = good.copy()
    for values in (sigma, relative):
        around = _least_beside(np.where(good, values, np.nan))
        slipped &= values * SLIP < around
    return slipped


def _least_beside(values: Floats) -> Floats:
    """The smallest value of the neighbours on either side, which may be of two settings in turn."""
    padded = np.concatenate([np.full(BESIDE, np.inf), values, np.full(BESIDE, np.inf)])
    windows = np.lib.stride_tricks.sliding_window_view(np.where(np.isfinite(padded), padded, np.inf), BESIDE)
    return np.asarray(np.minimum(windows[: values.size].min(axis=1), windows[BESIDE + 1 :].min(axis=1)))


def _from_neighbours(q: Floats, intensity: Floats, sigma: Floats, good: BoolArray) -> Floats:
    """The larger one of the neighbours' uncertainty and of the neighbours' relative one."""
    log_q = np.log(q)
    absolute = np.exp(np.interp(log_q, log_q[good], np.log(sigma[good])))
    signal = good & (intensity != 0)
    if not signal.any():
        return absolute
    relative = np.log(sigma[signal] / np.abs(intensity[signal]))
    return np.maximum(absolute, np.abs(intensity) * np.exp(np.interp(log_q, log_q[signal], relative)))
