"""A table of numbers -> data sets: each column is what its name says, or what it could be."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin import units
from sasnet_plugin.data import plausible
from sasnet_plugin.data.column_names import (
    ANGLE,
    BEFORE,
    DQ,
    ERROR,
    INTENSITY,
    MODEL,
    OTHER,
    RELATIVE,
    UNKNOWN,
    ColumnName,
    Q,
    understand,
)
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.data.raw import RawCurve
from sasnet_plugin.data.unit_in_text import HEADER_LINES, is_s, unit_of, wavelength
from sasnet_plugin.types import DataError, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.data.table import Table

    FloatArray = NDArray[np.float64]

NAMES_WITHIN = 8
"""The names of columns stand in one of so many lines above the table."""

_WORTH = {MODEL: "a calculated curve", BEFORE: "measured before the subtraction"}


@dataclass(frozen=True)
class _Names:
    """The names above a table, and what a line of units says under that of q."""

    columns: tuple[ColumnName, ...]
    unit_beside: str = ""

    def first(self, *quantities: str) -> int | None:
        """The first column of one of these quantities."""
        return next((i for i, one in enumerate(self.columns) if one.quantity in quantities), None)


@dataclass(frozen=True)
class _Roles:
    """Which columns are one data set; numbers of columns, None for none."""

    x: int
    intensity: int
    error: int | None = None
    dq: int | None = None
    title: str = ""


def read_columns(table: Table, file: str, given_wavelength: float | None = None) -> list[RawCurve]:
    """The data sets of a table, q in the file's unit.

    Columns are taken by their names. Without names they are q, I, dI, dq, the third and fourth only where they
    could be that. Calculated curves, counts and the like are left out with a note; relative uncertainties,
    logarithms, and intensities times a power of q are converted; 2θ is converted with the wavelength.

    Parameters
    ----------
    table : Table
        At least two columns.
    file : str
        Its name, for the sentence.
    given_wavelength : float or None
        Å; a first column without a name is then 2θ in degrees.

    Raises
    ------
    DataError
        The abscissa is an angle and no wavelength is known, or a logarithm without a name.
    """
    notes = _of_table(table)
    names = _names(table)
    roles, said = _by_name(table, names) if names else ([], [])
    if not roles:
        names, (roles, said) = None, _by_position(table)
    x_name = names.columns[roles[0].x] if names else _label(table.header)
    if x_name is None and given_wavelength is not None:
        x_name = ColumnName("", ANGLE, unit="degrees")
    unit = unit_of(x_name, names.unit_beside if names else "", table.header, table.below)
    curves = []
    for one in roles:
        raw, more = _curve(table.columns, one, names, x_name)
        curves.append(replace(raw, title=one.title, notes=tuple(dict.fromkeys([*notes, *said, *more]))))
    if x_name is not None and x_name.quantity == ANGLE:
        return [_angle_to_q(raw, x_name, table, file, given_wavelength) for raw in curves]
    return [_to_q(raw, unit.name, unit.unknown, table, file, given_wavelength) for raw in curves]


def _of_table(table: Table) -> list[str]:
    """What was left out in finding the table."""
    notes = []
    if table.dropped:
        plural = "line" if table.dropped == 1 else "lines"
        notes.append(f"{table.dropped} {plural} inside the table without the columns of the others dropped.")
    if table.blocks > 1:
        notes.append(f"The file holds {table.blocks} tables; the longest was read.")
    if table.lost:
        plural = "line" if table.lost == 1 else "lines"
        notes.append(f"{table.lost} {plural} of numbers outside the table that was read left out.")
    return notes


# Names.


def _names(table: Table) -> _Names | None:
    """The line above that has one word for each column and names q or an angle; None where there is none."""
    lines = [line for line in table.header[-NAMES_WITHIN:] if line.strip() and len(line) <= LIMITS.line]
    for back, line in enumerate(reversed(lines)):
        for words in _splits(line, len(table.columns)):
            columns = tuple(understand(word) for word in words)
            named = _Names(columns)
            x = named.first(Q, ANGLE)
            if x is None or all(one.quantity == UNKNOWN for i, one in enumerate(columns) if i != x):
                if x is None or not _samples(line, words, x):
                    continue
            return replace(named, unit_beside=_units_under(lines[len(lines) - back :], len(words), x))
    return None


def _samples(line: str, words: list[str], x: int) -> bool:
    """Whether q stands beside names that say nothing of a quantity: those of samples, parted by signs."""
    return x == 0 and any(sign in line for sign in ",;\t|") and len(words) >= 2


def _splits(line: str, width: int) -> list[list[str]]:
    """Ways in which a line falls into so many words."""
    bare = line.strip().lstrip("#%;!*'/").strip()
    found = []
    for pattern in (r"\t", r"\|", r";", r",(?![^()\[\]]*[)\]])", r"\s{2,}", r"[\s,;]+(?![^(\[]*[)\]])"):
        words = [word.strip() for word in re.split(pattern, bare)]
        words = (
            [word for word in words if word] if pattern.startswith(r"\s") or len(words) != width else words
        )
        if len(words) > width and pattern in (r"\|", r"\t"):
            words = words[:width]
        if len(words) == width and words not in found:
            found.append(words)
    loose = re.sub(r"\s*[\[(](?![qQsSiI]\))[^\])]*[\])]|[<>\"']", " ", bare).replace(",", " ").split()
    if len(loose) == width and not found:
        # Units in brackets behind blanks are no words of their own.
        found.append(_with_units(bare, loose))
    return found


def _with_units(line: str, words: list[str]) -> list[str]:
    """The words with the bracket that follows each in the line."""
    whole = []
    for word in words:
        match = re.search(re.escape(word) + r"[>\"']?\s*([\[(][^\])]*[\])])?", line)
        whole.append(f"{word} {match[1]}" if match and match[1] else word)
    return whole


def _units_under(lines: list[str], width: int, x: int) -> str:
    """What stands for q in a line of units between the names and the table; empty where there is none."""
    for line in lines:
        for words in _splits(line, width):
            if units.canonical(words[x].strip("()[]"), "q"):
                return words[x].strip("()[]")
    return ""


def _label(header: tuple[str, ...]) -> ColumnName | None:
    """The label of the abscissa where it has a line of its own, as FIT2D writes it; None where it has none."""
    for line in header[-NAMES_WITHIN:]:
        bare = re.sub(r"^\W*(?:x(?:[ _-]?(?:label|axis))?\s*[:=])?", "", line.strip(), flags=re.IGNORECASE)
        if 0 < len(bare) <= LIMITS.title:
            name = understand(bare)
            if name.quantity == ANGLE or (name.quantity == Q and name.unit):
                return name
    return None


def _by_name(table: Table, names: _Names) -> tuple[list[_Roles], list[str]]:
    columns = names.columns
    x = names.first(Q, ANGLE)
    assert x is not None
    signals = [i for i, one in enumerate(columns) if one.quantity == INTENSITY]
    if len(signals) > 1 and any(one.quantity == BEFORE for one in columns):
        subtracted = [i for i in signals if re.search(r"sub|corr|-", columns[i].text, re.IGNORECASE)]
        signals = subtracted[:1] or signals[:1]
    if not signals:
        signals = [i for i, one in enumerate(columns) if one.quantity == UNKNOWN and i != x]
        if len(signals) > 1 and any(one.quantity in (ERROR, RELATIVE) for one in columns):
            signals = [i for i in signals if _error_of(columns, i, signals) is not None] or signals[:1]
    if not signals:
        signals = [
            i for i, one in enumerate(columns) if one.quantity == OTHER and re.match("c", one.text, re.I)
        ]
    if not signals:
        return [], []
    roles = []
    for i in signals:
        near = [j for j in range(i + 1) if columns[j].quantity == columns[x].quantity]
        error = _error_of(columns, i, signals)
        if error is None and len(signals) == 1:
            error = _nameless_error(table, columns, i)
        several = len(signals) > 1
        dq = next((j for j, one in enumerate(columns) if one.quantity == DQ), None)
        title = columns[i].text if several else ""
        roles.append(_Roles(near[-1] if near else x, i, error, dq, title))
    return roles, [_unused(table, names, roles)] if _unused(table, names, roles) else []


def _error_of(columns: tuple[ColumnName, ...], signal: int, signals: list[int]) -> int | None:
    """The uncertainty of a signal: of the same sample, else the next one before another signal."""
    errors = [j for j, one in enumerate(columns) if one.quantity in (ERROR, RELATIVE)]
    sample = columns[signal].sample
    if sample:
        same = [j for j in errors if columns[j].sample == sample]
        if same:
            return same[0]
    last = next((other for other in signals if other > signal), len(columns))
    behind = [j for j in errors if signal < j < last] or (errors if len(signals) == 1 else [])
    absolute = [j for j in behind if columns[j].quantity == ERROR]
    return (absolute or behind or [None])[0]  # type: ignore[list-item]


def _nameless_error(table: Table, columns: tuple[ColumnName, ...], signal: int) -> int | None:
    """The column behind the only signal where its name says nothing and it could be the uncertainty."""
    behind = signal + 1
    if behind >= len(columns) or columns[behind].quantity != UNKNOWN:
        return None
    values = table.columns[behind]
    return behind if plausible.could_be_uncertainty(table.columns[signal], values) else None


def _unused(table: Table, names: _Names, roles: list[_Roles]) -> str:
    """A sentence on the columns that no data set has."""
    used = {i for one in roles for i in (one.x, one.intensity, one.error, one.dq)}
    left = [one for i, one in enumerate(names.columns) if i not in used]
    if not left:
        return ""
    listed = ", ".join(
        f"'{printable(one.text[:40])}'" + (f" ({_WORTH[one.quantity]})" if one.quantity in _WORTH else "")
        for one in left[:8]
    )
    return f"{'Column' if len(left) == 1 else 'Columns'} not used: {listed}."


# No names.


def _by_position(table: Table) -> tuple[list[_Roles], list[str]]:
    columns, notes = table.columns, []
    x = 0
    if len(columns) > 2 and plausible.counts_points(columns[0]) and plausible.ascends(columns[1]):
        x = 1
        notes.append("The first column numbers the points and was not used.")
    signal = x + 1
    if x == 0 and not _orders(columns[0]) and plausible.ascends(columns[1]):
        x, signal = 1, 0
        notes.append("Column 2 ascends and column 1 does not; column 2 was read as q.")
    rest = [i for i in range(len(columns)) if i > max(x, signal)]
    error, dq, left = _errors(columns, x, signal, rest, notes)
    if left:
        which = ", ".join(str(i + 1) for i in left)
        notes.append(f"Not used, as no name says what they are: column{'s' * (len(left) > 1)} {which}.")
    return [_Roles(x, signal, error, dq)], notes


def _errors(
    columns: FloatArray, x: int, signal: int, rest: list[int], notes: list[str]
) -> tuple[int | None, int | None, list[int]]:
    """Uncertainty and resolution among the columns behind the intensity, and what they cannot be."""
    if not rest:
        return None, None, []
    q, intensity, third = columns[x], columns[signal], columns[rest[0]]
    fourth = columns[rest[1]] if len(rest) > 1 else None
    if fourth is not None and _took_the_place(q, intensity, third, fourth):
        notes.append(
            "Column 4 is larger than q and column 3 a placeholder; column 4 was read as the uncertainty."
        )
        return rest[1], None, rest[2:]
    if plausible.could_be_uncertainty(intensity, third):
        if fourth is None:
            return rest[0], None, []
        if plausible.could_be_resolution(q, fourth):
            return rest[0], rest[1], []
        if not np.any(fourth > 0):
            return rest[0], None, []
        notes.append(_not_used(rest[1], intensity, fourth, "resolution"))
        return rest[0], None, []
    notes.append(_not_used(rest[0], intensity, third, "uncertainty"))
    if fourth is not None and plausible.follows(intensity, third):
        if plausible.could_be_uncertainty(intensity, fourth):
            return rest[1], None, rest[2:]
    return None, None, rest[1:]


def _not_used(column: int, intensity: FloatArray, values: FloatArray, what: str) -> str:
    if plausible.follows(intensity, values):
        return f"Column {column + 1} runs along the intensity as a calculated curve does and was not used."
    return f"Column {column + 1} cannot be the {what} and was not used."


def _took_the_place(q: FloatArray, intensity: FloatArray, third: FloatArray, fourth: FloatArray) -> bool:
    """Some beamlines write a placeholder in column 3 and the uncertainty in column 4."""
    usable = (q > 0) & np.isfinite(fourth)
    if not np.any(usable) or not plausible.is_placeholder(intensity, third):
        return False
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nanmedian(fourth[usable] / np.abs(intensity[usable]))
    return bool(np.median(fourth[usable] / q[usable]) > 1 and 1e-4 < share < 1)


def _orders(column: FloatArray) -> bool:
    """Whether most steps of a column have one sign, as q has, in settings that overlap too."""
    step = np.diff(column[np.isfinite(column)])
    return bool(step.size == 0 or max(np.mean(step >= 0), np.mean(step <= 0)) > 0.8)


# From columns to a curve.


def _curve(
    columns: FloatArray, roles: _Roles, names: _Names | None, x_name: ColumnName | None
) -> tuple[RawCurve, list[str]]:
    """The data set of these columns, with what was converted."""
    notes: list[str] = []
    x = _abscissa(columns[roles.x], x_name, notes)
    intensity = columns[roles.intensity]
    named = names.columns if names else None
    signal = named[roles.intensity] if named else ColumnName("", INTENSITY)
    error = None if roles.error is None else columns[roles.error]
    dq = None if roles.dq is None else columns[roles.dq]
    if named and roles.error is not None:
        error = _absolute(error, intensity, named[roles.error], notes)
    if named and roles.dq is not None:
        dq = dq * named[roles.dq].factor
        if named[roles.dq].factor != 1.0:
            notes.append("The resolution is given as full width at half maximum; it was converted.")
    with np.errstate(all="ignore"):
        if signal.scale in ("log10", "ln"):
            base = 10.0 if signal.scale == "log10" else np.e
            intensity = base**intensity
            error = None
            notes.append(f"The intensity is given as {signal.scale}; it was converted.")
        elif signal.scale:
            power = {"q": 1, "q2": 2, "q4": 4}[signal.scale]
            intensity = intensity / x**power
            error = None if error is None else error / x**power
            notes.append(
                f"The intensity is given times q{' ²⁴'[power // 2].strip()}; it was divided by that."
            )
    raw: dict[str, Any] = {"q": x, "intensity": intensity, "dintensity": error, "dq": dq}
    return RawCurve(**raw), notes


def _abscissa(x: FloatArray, name: ColumnName | None, notes: list[str]) -> FloatArray:
    if name is None or not name.scale:
        return x
    with np.errstate(all="ignore"):
        if name.scale == "squared":
            converted = np.sqrt(x)
        else:
            converted = (10.0 if name.scale == "log10" else np.e) ** x
    notes.append(f"The file gives {name.scale} of q; q was calculated." if name.scale != "squared" else
                 "The file gives q²; q was calculated.")  # fmt: skip
    return converted


def _absolute(error: Any, intensity: FloatArray, name: ColumnName, notes: list[str]) -> FloatArray:
    """One standard deviation of the intensity from what its column gives."""
    if name.quantity == RELATIVE:
        notes.append("The uncertainties are relative to the intensity; they were converted.")
        return np.asarray(error * name.factor * np.abs(intensity))
    if name.scale == "squared":
        notes.append("The file gives the variance of the intensity; its root was taken.")
        with np.errstate(invalid="ignore"):
            return np.sqrt(error)
    return np.asarray(error)


def _angle_to_q(raw: RawCurve, name: ColumnName, table: Table, file: str, given: float | None) -> RawCurve:
    """q = 4π sin(θ)/λ.

    Raises
    ------
    DataError
        The wavelength is not known.
    """
    length = given or wavelength(table.header[-HEADER_LINES:])
    angle = "θ" if name.factor == 2.0 else "2θ"
    if length is None:
        label = f" ('{printable(name.text[:40])}')" if name.text else ""
        raise DataError(
            f"{file}: its first column is an angle{label}, not q; give the wavelength in Å to have it"
            " converted (--wavelength 1.5418 for Cu Kα)."
        )
    unit = units.canonical(name.unit, "angle") or "degrees"
    two_theta = np.radians(raw.q * name.factor * units.factor(unit, "angle"))
    source = "as given" if given else "of the file"
    note = f"{angle} in {unit} was converted to q with the wavelength {length:.5g} Å ({source})."
    q = 4 * np.pi * np.sin(two_theta / 2) / length
    return replace(raw, q=q, dq=None, q_unit="Å⁻¹", notes=(note, *raw.notes))


def _to_q(
    raw: RawCurve, unit: str | None, unknown: str, table: Table, file: str, given: float | None
) -> RawCurve:
    finite = raw.q[np.isfinite(raw.q)]
    if finite.size and np.mean(finite < 0) > 0.7 and finite.min() > -5 and np.mean(np.diff(finite) > 0) > 0.9:
        raise DataError(
            f"{file}: the first column is negative and ascends, as log10 of q does; give q itself, or name the"
            " columns log10(q) and log10(I)."
        )
    notes = list(raw.notes)
    if given is not None:
        notes.append("The file gives q; the wavelength was not used.")
    if is_s((*table.header[-HEADER_LINES:], *table.below)):
        raw = raw.scaled(2 * np.pi)
        notes.append("The file gives s = 2 sin(θ)/λ; q = 2π s was calculated.")
    return replace(raw, q_unit=unit, q_unit_unknown=unknown, notes=tuple(notes))
