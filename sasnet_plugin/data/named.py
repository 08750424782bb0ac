"""Columns with names that come from elsewhere than a file, read as a file of them would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .. import units as units_of
from ..domains import ReadOptions
from ..types import Curve, DataError, printable
from . import scope
from .clean import clean
from .columns.names import ANGLE, Q, understand
from .columns.read import read_columns
from .columns.table import Table
from .failure import too_many
from .limits import LIMITS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..arrays import Floats

#: Characters of the names of columns that a sentence lists.
_LISTED = 120


def quantity(name: str) -> str:
    """Which quantity of a curve the name of a column stands for, as `columns.names` has it; or none."""
    return understand(name).quantity


def curves_of_columns(
    columns: Mapping[str, ArrayLike],
    file: str,
    options: ReadOptions,
    units: Mapping[str, str] | None = None,
    entry: str = "",
) -> tuple[Curve, ...]:
    """Build curves from named columns (n,), with `units` by column where names have none. Raises DataError if
    lengths differ, none is q or an angle, or they are no curve.
    """
    arrays = [np.asarray(values, dtype=np.float64) for values in columns.values()]
    _see_they_are_a_curve(list(columns), arrays, file)
    # Tabulators part the names, as these may hold blanks.
    header = "\t".join(_make_title(name, (units or {}).get(name, "")) for name in columns)
    table = Table(np.array(arrays), header=(header,))
    scope.check_table(table, file)
    forced = units_of.canonical(options.q_unit, "q") if options.q_unit else None
    curves = []
    for raw in read_columns(table, file, options.wavelength, insisted=forced is not None):
        scope.check_curve(raw, file)
        cautions = scope.check_reflectivity(raw, file, insisted=forced is not None)
        curve = clean(raw, file=file, entry=entry or raw.title, q_unit=forced)
        curves.append(replace(curve, notes=(*curve.notes, *cautions)))
    return tuple(replace(one_curve, entries=len(curves)) for one_curve in curves)


def _see_they_are_a_curve(columns: Sequence[str], arrays: Sequence[Floats], file: str) -> None:
    if len({array.shape for array in arrays}) > 1 or max(map(np.ndim, arrays), default=1) != 1:
        raise DataError(f"{file}: its columns have different lengths; give one value for each q.")
    if len(arrays) < 2:
        raise DataError(f"{file}: it holds one column of numbers; give at least two, q and intensity.")
    if arrays[0].size > LIMITS.points:
        raise too_many(file, arrays[0].size)
    _see_q_is_named(list(filter(str.strip, columns)), file)


def _see_q_is_named(names: Sequence[str], file: str) -> None:
    if names and not {Q, ANGLE} & set(map(quantity, names)):
        raise DataError(
            f"{file}: none of its columns ({printable(', '.join(names)[:_LISTED])}) is named q; name"
            f" the column of q, if this is a scattering curve."
        )


def _make_title(name: str, unit: str) -> str:
    plain = " ".join(name.split())
    return f"{plain} [{unit}]" if unit and "[" not in plain and "(" not in plain else plain
