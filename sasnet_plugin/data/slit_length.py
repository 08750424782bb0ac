"""A slit length that a file states among its metadata, for curves without a column of it.

canSAS 1D and NXcanSAS have ``slit_length`` at the detector, in the unit of Q. It is read as the length that
the intensity is averaged over, from 0 on, that is half the slit: so Bonse-Hart cameras state it (APS USAXS,
Irena, NIST), and so the column dQl, which is the same number at each point, is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import units
from . import hdf5
from .limits import LIMITS

if TYPE_CHECKING:
    from .raw import RawCurve

_NAME = "slit_length"


def add_xml_slit(curve: RawCurve, entry: Any) -> RawCurve:
    """The curve with the slit that its SASentry states, an element of any ElementTree."""
    slit_texts = [
        (item.text or "", item.get("unit", ""))
        for item in entry.iter()
        if _NAME in (str(item.tag).rpartition("}")[2], item.get("name", "").lower())
    ]
    return _add_slit(curve, slit_texts)


def find_hdf5_slit_lengths(entry: Any) -> list[tuple[str, str]]:
    """Find all slit lengths of an entry, an ``h5py.Group``: texts and units. It looks through all of it."""
    return [
        (hdf5.text(item[()]), hdf5.text(item.attrs.get("units", item.attrs.get("unit", ""))))
        for name, item in hdf5.walk_members(entry, 3)
        if name == _NAME and getattr(item, "size", 0) == 1
    ]


def add_hdf5_slit(curve: RawCurve, stated: Iterable[tuple[str, str]]) -> RawCurve:
    """The curve with the slit that its entry states, see `find_hdf5_slit_lengths`."""
    return _add_slit(curve, stated)


def _is_given(values: Any) -> bool:
    return values is not None and bool(np.any(values > 0))


def _add_slit(curve: RawCurve, slit_texts: Iterable[tuple[str, str]]) -> RawCurve:
    """The curve with the one slit length of all that are stated, each as text and unit."""
    if _is_given(curve.dxl) or _is_given(curve.dq):
        return curve
    lengths = {length for text, unit in slit_texts if (length := _length(text, unit, curve.q_unit)) > 0}
    if not lengths:
        return curve
    if len(lengths) > 1:
        note = "The file gives several values of slit_length, and none was used; give columns dQl instead."
        return replace(curve, notes=(*curve.notes, note))
    length = lengths.pop()
    unit = curve.q_unit or "the unit of q"
    note = (
        f"The file's slit_length, {length:.4g} {unit}, is used as half the length of a slit that smears all"
        " points; remove it from the file if the data are desmeared."
    )
    return replace(curve, dxl=np.full(curve.q.size, length), notes=(*curve.notes, note))


def _length(text: str, unit: str, q_unit: str | None) -> float:
    """A slit length in the unit of the curve's q; 0 where it is no number or no inverse length."""
    try:
        length = float(text)
    except ValueError:
        return 0.0
    if not np.isfinite(length) or not unit.strip() or q_unit is None:
        return length if np.isfinite(length) else 0.0
    if units.canonical(unit[: LIMITS.title], "length") in ("μm", "mm", "cm", "m"):
        return 0.0  # of the slit itself
    canonical = units.canonical(unit[: LIMITS.title], "q")
    return length * units.factor(canonical, "q") / units.factor(q_unit, "q") if canonical else 0.0
