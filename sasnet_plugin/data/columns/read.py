"""A table of numbers -> its data sets; logarithms, powers of q, relative errors, angles and s converted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ... import units
from ...types import DataError, printable
from ..assumed_unit import Q_MAX
from ..raw import RawCurve
from . import plausible
from .axes import INVERSES, is_a_length
from .header import Names, intensity_without_q, label, names_of, no_abscissa, unknown_abscissa
from .names import ANGLE, ERROR, INTENSITY, RELATIVE, ColumnName, Q
from .roles import Roles, assign_by_name, assign_by_position
from .runs import again_from_the_start
from .stated import HEADER_LINES, Unit, is_s, unit_of, wavelength

if TYPE_CHECKING:
    from ...arrays import Floats
    from .table import Table

_POWERS = {"q": 1, "q2": 2, "q4": 4}
_DEFINES_Q = r"4\s*[*·.]?\s*(?:π|[pP][iI])"
_LEAST_LOG10 = -5.0
"""log10 of the smallest q of any instrument, in any unit that files have."""


def read_columns(
    table: Table, file: str, given_wavelength: float | None = None, *, insisted: bool = False
) -> list[RawCurve]:
    """Read the data sets of a table, q in the file's unit."""
    # Columns are taken by name; unnamed ones are q, I, dI, dq if plausible. Calculated curves and counts are
    # excluded with a note; relative uncertainties, logarithms, I·qⁿ and 2θ are converted. With
    # `given_wavelength` (Å) an unnamed first column may be 2θ in degrees; `insisted` (unit of q given) makes
    # an unknown first column q. Raises DataError if the abscissa is an angle without wavelength, an unnamed
    # logarithm, or something else.
    names, roles, role_notes = _data_sets(table, file, insisted=insisted)
    x_name = _abscissa_name(table, names, roles[0].x, given_wavelength)
    cut = ["The last line is truncated and was ignored; the file may lack further points."] * table.cut
    left_out = [*cut, *_describe_dropped_lines(table), *role_notes]
    parts = again_from_the_start(table.columns, roles[0].x)
    pairs = ((columns, role) for columns in parts for role in roles)
    curves = [_prepend_notes(curve_of(*pair, names, x_name), left_out) for pair in pairs]
    unit_nearby = names.unit_beside if names else ""
    return _convert_abscissa(curves, x_name, unit_nearby, table, file, given_wavelength)


def _convert_abscissa(
    curves: list[RawCurve],
    x_name: ColumnName | None,
    unit_nearby: str,
    table: Table,
    file: str,
    given_wavelength: float | None,
) -> list[RawCurve]:
    """Curves of a table with an angle turned into q, or with the unit of q."""
    header = table.header[-HEADER_LINES:]
    if x_name is not None and x_name.quantity == ANGLE:
        return [angle_to_q(curve, x_name, file, given_wavelength, wavelength(header)) for curve in curves]
    unit = unit_of(x_name, unit_nearby, table.header, table.below)
    s = _defines_s(x_name, (*header, *table.below))
    if not s and (note := _ambiguous_letter(x_name, header)):
        curves = [replace(curve, notes=(*curve.notes, note)) for curve in curves]
    return [set_unit(curve, unit, file, is_s=s, wavelength=given_wavelength) for curve in curves]


def _abscissa_name(
    table: Table, names: Names | None, x: int, given_wavelength: float | None
) -> ColumnName | None:
    """The name of the abscissa, also where a line of its own has it, or only an angle needs a wavelength."""
    name = _name_of_x(names, x) if names else label(table.header)
    if name is None and given_wavelength is not None:
        return _angle_without_name(table.columns[x])
    return name


def _defines_s(name: ColumnName | None, lines: tuple[str, ...]) -> bool:
    """Whether a text says that its abscissa is q/2π, and the name itself does not say so."""
    return (name is None or name.factor == 1.0) and is_s(lines)


def _ambiguous_letter(name: ColumnName | None, header: tuple[str, ...]) -> str:
    """A sentence on s, h or k, which are q for some and q/2π for others, where the file defines none."""
    letter = re.split(r"[(\[]", name.text)[0].strip(" _,:").lower() if name else ""
    if letter not in ("s", "h", "k") or any(re.search(_DEFINES_Q, line) for line in header):
        return ""
    return (
        f"The first column, '{letter}', was read as q = 4π sin(θ)/λ; if it is 2 sin(θ)/λ, all sizes are"
        f" 2π times larger."
    )


def _data_sets(table: Table, file: str, *, insisted: bool) -> tuple[Names | None, list[Roles], list[str]]:
    names = names_of(table)
    if names and not insisted:
        _see_no_position(names, file)
    roles, role_notes = assign_by_name(table, names) if names else ([], [])
    return (names, roles, role_notes) if roles else (None, *_nameless(table, file, insisted=insisted))


def _see_no_position(names: Names, file: str) -> None:
    """Refuse an abscissa whose unit is a length on a detector."""
    x = names.columns[names.x or 0]
    if x.quantity == Q and is_a_length(x.unit or names.unit_beside):
        raise _not_q(x.text, file)


def _name_of_x(names: Names, x: int) -> ColumnName:
    """The name of the abscissa; q2 that no other column of a second sample goes with is q²."""
    name = names.columns[x]
    has_one_x = not any(column.sample == "2" for i, column in enumerate(names.columns) if i != x)
    return name._replace(scale="squared", sample="") if name.sample == "2" and has_one_x else name


def _prepend_notes(raw: RawCurve, previous: list[str]) -> RawCurve:
    return replace(raw, notes=tuple(dict.fromkeys([*previous, *raw.notes])))


def _not_q(name: str, file: str) -> DataError:
    return DataError(
        f"{file}: its first column is {printable(name[:40])!r}, not q; give the intensity against q, or give"
        " --q-unit to read this column as q."
    )


def _nameless(table: Table, file: str, *, insisted: bool) -> tuple[list[Roles], list[str]]:
    """Read a table without names, unless its header says that the first column is no q."""
    unknown_name = no_abscissa(table) or unknown_abscissa(table)
    if unknown_name and not insisted:
        raise _not_q(unknown_name, file)
    if unknown_name:
        roles, notes = assign_by_position(table)
        return roles, [*notes, f"Column '{printable(unknown_name[:40])}' was read as q, as asked (--q-unit)."]
    if names := intensity_without_q(table):
        raise DataError(f"{file}: none of its columns ({printable(names[:80])!r}) is named q; add q.")
    roles, role_notes = assign_by_position(table)
    if not plausible.is_a_curve(table.columns[roles[0].x], table.columns[roles[0].intensity]):
        raise DataError(
            f"{file}: its first column is not in order, and after sorting the second column varies"
            f" without order; give rows of q, I, dI, or name the columns."
        )
    return roles, role_notes


def _describe_dropped_lines(table: Table) -> list[str]:
    notes = []
    if table.dropped:
        lines, were = ("line", "was") if table.dropped == 1 else ("lines", "were")
        notes.append(
            f"{table.dropped} {lines} inside the table with other columns than the rest {were} dropped."
        )
    if table.blocks > 1 + len(table.others):
        notes.append(f"The file holds {table.blocks} tables; the longest was read.")
    if table.lost:
        lines, were = ("line", "was") if table.lost == 1 else ("lines", "were")
        notes.append(f"{table.lost} {lines} of numbers outside the table that was read {were} ignored.")
    return notes


def _resolution(values: Floats, name: ColumnName | None, notes: list[str]) -> Floats:
    """One standard deviation of q."""
    if name is None or name.factor == 1.0:
        return values
    notes.append("The resolution is given as full width at half maximum; it was converted.")
    return values * name.factor


def curve_of(columns: Floats, roles: Roles, names: Names | None, x_name: ColumnName | None) -> RawCurve:
    """Build the data set of some columns (m, n), with notes on conversions."""
    notes: list[str] = []

    def name(column: int) -> ColumnName | None:
        return names.columns[column] if names else None

    x = _abscissa(columns[roles.x], x_name, notes)
    intensity = columns[roles.intensity]
    error = None
    dq, slit = _widths(columns, roles, name, notes)
    if roles.error is not None:
        error = _standard_deviation(columns[roles.error], intensity, name(roles.error), notes)
        error = error * _to_unit_of(name(roles.intensity), name(roles.error))
    if (signal := name(roles.intensity)) and signal.scale:
        intensity, error = _unscale(x, intensity, error, signal.scale, notes)
    width = None if roles.width is None else np.abs(columns[roles.width])
    unit = names.unit_of(roles.intensity) if names else ""
    return RawCurve(
        x, intensity, error, dq, slit, width, title=roles.title, notes=tuple(notes), intensity_unit=unit
    )


def _widths(
    columns: Floats, roles: Roles, name: Callable[[int], ColumnName | None], notes: list[str]
) -> tuple[Floats | None, Floats | None]:
    """Resolution and half length of the slit; NIST writes this with a minus, also in the first's place."""
    slit = None if roles.slit is None else np.abs(columns[roles.slit])
    if roles.dq is None:
        return None, slit
    if not plausible.marks_a_slit(columns[roles.dq]):
        return _resolution(columns[roles.dq], name(roles.dq), notes), slit
    slit = np.abs(columns[roles.dq])
    notes.append(f"The resolution is one negative number, as NIST writes a slit: half length {slit[0]:.4g}.")
    return None, slit


def _to_unit_of(signal: ColumnName | None, error: ColumnName | None) -> float:
    """What an uncertainty is multiplied by to be in the unit of its intensity."""
    error_unit, signal_unit = _unit_of_i(error), _unit_of_i(signal)
    return (
        units.factor(error_unit, "intensity") / units.factor(signal_unit, "intensity")
        if error_unit and signal_unit
        else 1.0
    )


def _unit_of_i(column: ColumnName | None) -> str | None:
    """The unit of an intensity or its uncertainty, where that is an inverse length."""
    if column is None or column.quantity not in (INTENSITY, ERROR) or not column.unit:
        return None
    return units.canonical(column.unit, "intensity")


def _abscissa(x: Floats, name: ColumnName | None, notes: list[str]) -> Floats:
    if name is None or not (name.scale or name.factor != 1.0):
        return x
    if name.factor == 1.0 and (text := _OF_Q.get(name.scale)):
        notes.append(f"The file gives {text}; q was calculated.")
    else:
        notes.append(
            f"The first column, '{printable(name.text[:40])}', was converted: q = {_inverse_in_words(name)}."
        )
    return name.factor * _invert_function(x, name.scale)


_OF_Q = {
    "squared": "q²", "inverse": "1/q", "root": "the root of q", "log10": "log10 of q", "ln": "ln of q",
    "cubed": "q³", "fourth": "q⁴", "log10(1 + …)": "log10 of 1 + q", "ln(1 + …)": "ln of 1 + q",
    "arcsinh": "arcsinh of q",
}  # fmt: skip


def _inverse_in_words(name: ColumnName) -> str:
    """How q follows from the values x of a column."""
    factor = {1.0: "", 2.0: "2π · ", 4.0: "4π · "}.get(round(name.factor / np.pi, 6) or 1.0, "")
    factor = "" if name.factor == 1.0 else factor
    forms = {"": "x", "squared": "√x", "root": "x²", "inverse": "1/x", "log10": "10^x", "ln": "exp(x)"}
    return factor + forms.get(name.scale, "its inverse function of x")


def _invert_function(values: Floats, scale: str) -> Floats:
    """What a function was taken of, a key of `axes.INVERSES`; empty for none."""
    if not scale:
        return values
    with np.errstate(all="ignore"):
        return np.asarray(INVERSES[scale](values))


def _standard_deviation(
    error: Floats, intensity: Floats, name: ColumnName | None, notes: list[str]
) -> Floats:
    if name is None:
        return error
    if name.quantity == RELATIVE:
        notes.append("The uncertainties are relative to the intensity; they were converted.")
        return np.asarray(error * name.factor * np.abs(intensity))
    if name.scale == "squared":
        notes.append("The file gives the variance of the intensity; its square root was taken.")
        with np.errstate(invalid="ignore"):
            return np.sqrt(error)
    return error


def _unscale(
    x: Floats, intensity: Floats, error: Floats | None, scale: str, notes: list[str]
) -> tuple[Floats, Floats | None]:
    """I and dI from a logarithm of I, or from I times a power of q."""
    with np.errstate(all="ignore"):
        if scale not in _POWERS:
            notes.append(f"The file gives the {scale} of the intensity; the intensity was calculated.")
            # Whether the uncertainty is one of I or of its logarithm nobody says.
            return _invert_function(intensity, scale), None
        power = _POWERS[scale]
        notes.append(
            f"The file gives the intensity times q{'' if power == 1 else f'^{power}'}; I was calculated."
        )
        return intensity / x**power, None if error is None else error / x**power


def _angle_without_name(x: Floats) -> ColumnName | None:
    """2θ in degrees where a column without a name is rather that than q: it goes on where few q do."""
    finite = x[np.isfinite(x)]
    return ColumnName("", ANGLE, unit="degrees") if finite.size and finite.max() > Q_MAX else None


def angle_to_q(
    raw: RawCurve, name: ColumnName, file: str, given_wavelength: float | None, stated: float | None
) -> RawCurve:
    """Convert an angle (θ or 2θ, in its unit) to q = 4π sin(θ)/λ with the user's or the file's wavelength, Å.
    Raises DataError if neither is known.
    """
    length = given_wavelength or stated
    if length is None:
        raise _no_wavelength(name, file)
    unit = units.canonical(name.unit, "angle") or "degrees"
    angle = raw.q * name.factor * units.factor(unit, "angle")
    note = (
        f"{'θ' if name.factor == 2.0 else '2θ'} in {unit} was converted to q with the wavelength"
        f" {length:.5g} Å ({'as given' if given_wavelength else 'of the file'})."
    )
    q = 4 * np.pi * np.sin(np.radians(angle) / 2) / length
    return replace(raw, q=q, dq=None, q_unit="Å⁻¹", notes=(note, *raw.notes))


def _no_wavelength(name: ColumnName, file: str) -> DataError:
    label = f" ('{printable(name.text[:40])}')" if name.text else ""
    return DataError(
        f"{file}: its first column is an angle{label}, not q; give the wavelength in Å to have it"
        " converted (--wavelength 1.5418 for Cu Kα)."
    )


def set_unit(raw: RawCurve, unit: Unit, file: str, *, is_s: bool, wavelength: float | None) -> RawCurve:
    """Add the file's unit of q; convert s = q/2π. Raises DataError for an unnamed logarithm."""
    if _is_logarithm(raw.q[np.isfinite(raw.q)]):
        raise DataError(
            f"{file}: the first column is negative and ascends, as log10 of q does; give q itself, or name"
            " the columns log10(q) and log10(I)."
        )
    notes = list(raw.notes)
    if wavelength is not None:
        notes.append("The first column was read as q; the wavelength was not used.")
    if is_s:
        raw = raw.scale_q(2 * np.pi)
        notes.append("The file gives s = 2 sin(θ)/λ; q = 2π s was calculated.")
    return replace(raw, q_unit=unit.name, q_unit_unknown=unit.unknown, notes=tuple(notes))


def _is_logarithm(x: Floats) -> bool:
    negative = x.size and np.mean(x < 0) > 0.7 and x.min() > _LEAST_LOG10
    return bool(negative and np.mean(np.diff(x) > 0) > 0.9)
