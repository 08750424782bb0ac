"""A table of numbers -> its data sets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...types import DataError, printable
from .converted import angle_to_q, curve_of, in_unit, looks_like_angle
from .header import Names, label, names_of, no_abscissa
from .names import ANGLE, ColumnName
from .roles import Roles, by_name, by_position
from .stated import HEADER_LINES, is_s, unit_of, wavelength

if TYPE_CHECKING:
    from ..raw import RawCurve
    from .table import Table


def read_columns(table: Table, file: str, given_wavelength: float | None = None) -> list[RawCurve]:
    """The data sets of a table, q in the file's unit.

    Columns are taken by their names. Without names they are q, I, dI, dq, the third and fourth only where
    they could be that. Calculated curves, counts and the like are left out with a note; relative
    uncertainties, logarithms, intensities times a power of q, and 2θ are converted.

    Parameters
    ----------
    table : Table
        At least two columns.
    file : str
        Its name, for the sentence.
    given_wavelength : float or None
        Å; a first column without a name is then 2θ in degrees, where its values fit that better than q.

    Raises
    ------
    DataError
        The abscissa is an angle and no wavelength is known, a logarithm without a name, or something else.
    """
    names = names_of(table)
    roles, said = by_name(table, names) if names else ([], [])
    if not roles:
        names, (roles, said) = None, _nameless(table, file)
    x_name = _name_of_x(names, roles[0].x) if names else label(table.header)
    if x_name is None and given_wavelength is not None and looks_like_angle(table.columns[roles[0].x]):
        x_name = ColumnName("", ANGLE, unit="degrees")
    left_out = [*_left_out(table), *said]
    curves = [_with_notes(curve_of(table.columns, one, names, x_name), left_out) for one in roles]
    header = table.header[-HEADER_LINES:]
    if x_name is not None and x_name.quantity == ANGLE:
        return [angle_to_q(one, x_name, file, given_wavelength, wavelength(header)) for one in curves]
    unit = unit_of(x_name, names.unit_beside if names else "", table.header, table.below)
    s = is_s((*header, *table.below))
    return [in_unit(one, unit, file, is_s=s, wavelength=given_wavelength) for one in curves]


def _name_of_x(names: Names, x: int) -> ColumnName:
    """The name of the abscissa; q2 that no other column of a second sample goes with is q²."""
    name = names.columns[x]
    alone = not any(one.sample == "2" for i, one in enumerate(names.columns) if i != x)
    return name._replace(scale="squared", sample="") if name.sample == "2" and alone else name


def _with_notes(raw: RawCurve, before: list[str]) -> RawCurve:
    return replace(raw, notes=tuple(dict.fromkeys([*before, *raw.notes])))


def _nameless(table: Table, file: str) -> tuple[list[Roles], list[str]]:
    """The data sets of a table without names, unless its header says that the first column is no q."""
    if other := no_abscissa(table):
        raise DataError(
            f"{file}: its first column is {printable(other[:40])!r}, not q; give the intensity against q."
        )
    return by_position(table)


def _left_out(table: Table) -> list[str]:
    """What was left out in finding the table."""
    notes = []
    if table.dropped:
        lines, were = ("line", "was") if table.dropped == 1 else ("lines", "were")
        notes.append(
            f"{table.dropped} {lines} inside the table without the columns of the others {were} dropped."
        )
    if table.blocks > 1 + len(table.others):
        notes.append(f"The file holds {table.blocks} tables; the longest was read.")
    if table.lost:
        lines, were = ("line", "was") if table.lost == 1 else ("lines", "were")
        notes.append(f"{table.lost} {lines} of numbers outside the table that was read {were} left out.")
    return notes
