"""CanSAS XML and NXcanSAS read plainly, beside sasdata.

sasdata converts units, sorts and drops rows without a word, and refuses some files that are readable (a slit
length without a width, a q without a unit). What stands in the file says what was done, and is the way out.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin import units
from sasnet_plugin.data.raw import RawCurve, column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_OPTIONAL = {"Idev": "dintensity", "Qdev": "dq", "dQl": "dxl", "dQw": "dxw"}
_FIELDS = {"Q": "q", "I": "intensity", **_OPTIONAL}


def scan_xml(path: Path) -> list[RawCurve]:
    """Data sets of a CanSAS 1D file as they stand in it; empty where it is no such file.

    Of a file that breaks the rules of XML (or ends early) what can be read is read, with a note.
    """
    from xml.etree import ElementTree

    notes: tuple[str, ...] = ()
    root: Any
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, ValueError):
        etree = import_module("lxml.etree")  # comes with sasdata
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        root = etree.fromstring(path.read_bytes(), parser)
        notes = ("The XML is damaged; what could be read of it was read.",)
    if root is None:
        return []
    found = []
    for entry in root.findall(".//{*}SASentry"):
        title = (entry.findtext("{*}Title") or "").strip()
        for data in entry.findall(".//{*}SASdata"):
            curve = _xml_curve(data, title, notes)
            if curve is not None:
                found.append(curve)
    return found


def _xml_curve(data: Any, title: str, notes: tuple[str, ...]) -> RawCurve | None:
    points = data.findall("{*}Idata")
    if not points:
        return None
    columns = {name: np.full(len(points), np.nan) for name in _FIELDS.values()}
    unit = ""
    for row, point in enumerate(points):
        for child in point:
            name = _FIELDS.get(str(child.tag).rpartition("}")[2])
            if name is None:
                continue
            if name == "q" and not unit:
                unit = child.get("unit", "")
            columns[name][row] = _float(child.text)

    q, intensity = columns.pop("q"), columns.pop("intensity")
    others: dict[str, Any] = {name: values for name, values in columns.items() if np.any(np.isfinite(values))}
    return RawCurve(q, intensity, **others, title=title, q_unit=units.canonical(unit, "q"), notes=notes)


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def scan_hdf5(path: Path) -> list[RawCurve]:
    """Data sets of a NXcanSAS file as they stand in it, in the order of its groups.

    Raises
    ------
    OSError
        If the file is damaged.
    """
    import h5py

    with h5py.File(path, "r") as file:
        return [curve for entry in file.values() if isinstance(entry, h5py.Group) for curve in _entry(entry)]


def _entry(entry: Any) -> list[RawCurve]:
    import h5py

    title = _text(entry["title"][()]) if isinstance(entry.get("title"), h5py.Dataset) else ""
    found = []
    for group in entry.values():
        if not isinstance(group, h5py.Group):
            continue
        q, intensity = group.get("Q"), group.get("I")
        if not (isinstance(q, h5py.Dataset) and isinstance(intensity, h5py.Dataset)):
            continue
        if q.ndim != 1 or intensity.shape != q.shape:
            continue
        unit = q.attrs.get("units", q.attrs.get("unit", ""))
        others: dict[str, Any] = {
            name: column(group[key][()], q.size) for key, name in _OPTIONAL.items() if key in group
        }
        found.append(
            RawCurve(
                q=np.asarray(q[()], dtype=np.float64),
                intensity=np.asarray(intensity[()], dtype=np.float64),
                **others,
                title=title,
                q_unit=units.canonical(_text(unit), "q"),
            )
        )
    return found


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value).strip()
