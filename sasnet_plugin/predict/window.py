"""Keep only part of a curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sasnet_plugin.types import Curve, DataError


def within(curve: Curve, q_min: float, q_max: float) -> Curve:
    """Return the points with q_min <= q <= q_max.

    Parameters
    ----------
    curve : Curve
        As read.
    q_min, q_max : float
        Å⁻¹; 0 and infinity leave that end alone.

    Raises
    ------
    DataError
        No point lies there.
    """
    keep = (curve.q >= q_min) & (curve.q <= q_max)
    left = int(keep.sum())
    if left == 0:
        raise DataError(
            f"{curve.file or 'the curve'}: no point lies between q = {q_min:g} and {q_max:g} Å⁻¹ (the data go"
            f" from {curve.q.min():.4g} to {curve.q.max():.4g}); choose another --q-range."
        )
    if left == len(curve):
        return curve
    columns: dict[str, Any] = {
        name: None if (column := getattr(curve, name)) is None else column[keep]
        for name in ("q", "intensity", "dintensity", "dq", "dxl", "dxw")
    }
    note = f"{left} of {len(curve)} points lie in the q range asked for ({q_min:g} to {q_max:g} Å⁻¹)."
    return replace(curve, **columns, notes=(*curve.notes, note))
