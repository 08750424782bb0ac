"""What a reader found, before anything is repaired: the columns as they stand in the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..types import Curve, Sector

COLUMNS = ("q", "intensity", "dintensity", "dq", "dxl", "dxw")
"""Of one value per point, in a `RawCurve` and in a `Curve`."""


@dataclass(frozen=True)
class RawCurve:
    """One data set of a file as its reader gives it."""

    q: Floats  #: (n,), momentum transfer in ``q_unit``, in the order of the file.
    intensity: Floats  #: (n,), I(q); may hold NaN.
    #: dintensity, dq, dxl, dxw: (n,), uncertainty of I, pinhole resolution, slit half length and half width;
    #: resolutions in ``q_unit``, `dq` in its own unit where it has one.
    dintensity: Floats | None = None
    dq: Floats | None = None
    dxl: Floats | None = None
    dxw: Floats | None = None
    title: str = ""  #: The data set's own title; empty where it has none.
    dq_unit: str | None = None  #: Of `dq`, a key of ``units.FACTORS["q"]``; None for that of q.
    #: A key of ``units.FACTORS["q"]``, None where the file names no unit that is known.
    q_unit: str | None = None
    q_unit_unknown: str = ""  #: What the file says of it instead, where that is no unit.
    intensity_unit: str = ""  #: What the file says of the unit of I; empty where it says nothing.
    dropped: int = 0  #: Rows of the file that the reader left out because q = 0 or a value is not a number.
    sorted_by_reader: bool = False  #: The reader has put rows in order of q that were not so in the file.
    notes: tuple[str, ...] = ()  #: Plain sentences about what the reader did.
    sector: Sector | None = None  #: That the file says it was averaged over.

    def take_rows(self, rows: NDArray[np.intp]) -> RawCurve:
        """Select rows in this order."""
        return self._map_columns(COLUMNS, lambda values: values[rows])

    def scale_q(self, factor: float) -> RawCurve:
        """Multiply q and its resolutions; the caller sets ``q_unit``."""
        return self._map_columns(("q", "dq", "dxl", "dxw"), lambda values: values * factor)

    def _map_columns(self, columns: Sequence[str], function: Callable[[Floats], Floats]) -> RawCurve:
        arrays = {name: getattr(self, name) for name in columns if getattr(self, name) is not None}
        changed: dict[str, Any] = {name: function(values) for name, values in arrays.items()}
        return replace(self, **changed)


def points(curve: Curve, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Curve:
    """Select points of a curve by a mask, by their numbers or by a slice."""
    columns: dict[str, Any] = {
        name: None if (values := getattr(curve, name)) is None else values[rows] for name in COLUMNS
    }
    return replace(curve, **columns)


def column(values: object, size: int) -> Floats | None:
    """A float column of the given size, or None where there is none or its size does not fit."""
    if values is None:
        return None
    array = np.atleast_1d(np.asarray(values, dtype=np.float64)).ravel()
    return array if array.size == size else None
