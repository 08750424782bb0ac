"""CanSAS XML and NXcanSAS read plainly, beside sasdata.

sasdata converts units, sorts and drops rows without a word, and refuses some files that are readable (a slit
length without a width, a q without a unit). What stands in the file says what was done, and is the way out.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import units
from . import hdf5, slit_length
from .failure import too_many
from .limits import LIMITS
from .raw import RawCurve, column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..arrays import Floats

_OPTIONAL = {"Idev": "dintensity", "Qdev": "dq", "dQl": "dxl", "dQw": "dxw"}
_FIELDS = {"Q": "q", "I": "intensity", **_OPTIONAL}


def scan_xml(path: Path) -> list[RawCurve]:
    """Data sets of a CanSAS 1D file as they stand in it; empty where it is no such file.

    Of a file that breaks the rules of XML (or ends early) what can be read is read, with a note.
    """
    root, notes = _xml(path)
    if root is None:
        return []
    found = []
    for entry in root.findall(".//{*}SASentry"):
        title = (entry.findtext("{*}Title") or "").strip()
        for data in entry.findall(".//{*}SASdata"):
            curve = _xml_curve(data, title, notes)
            if curve is not None:
                found.append(slit_length.of_xml(curve, entry))
    return found


def _xml_columns(points: Sequence[Any]) -> tuple[dict[str, Floats], dict[str, str]]:
    """Columns by name, NaN where a point has no such value, and the first unit stated of each."""
    columns = {name: np.full(len(points), np.nan) for name in _FIELDS.values()}
    units_of: dict[str, str] = {}
    for row, point in enumerate(points):
        for child in point:
            name = _FIELDS.get(str(child.tag).rpartition("}")[2])
            if name is not None:
                units_of.setdefault(name, child.get("unit", ""))
                columns[name][row] = _float(child.text)
    return columns, units_of


def _xml(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The root of an XML file, None where there is none, and a note where it is damaged."""
    from xml.etree import ElementTree

    try:
        return ElementTree.parse(path).getroot(), ()
    except (ElementTree.ParseError, ValueError):
        etree = import_module("lxml.etree")  # comes with sasdata
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        root = etree.fromstring(path.read_bytes(), parser)
        return root, ("The XML is damaged; what could be read of it was read.",)


def _xml_curve(data: Any, title: str, notes: tuple[str, ...]) -> RawCurve | None:
    points = data.findall("{*}Idata")
    if not points:
        return None
    columns, units_of = _xml_columns(points)
    q, intensity = columns.pop("q"), columns.pop("intensity")
    others: dict[str, Any] = {name: values for name, values in columns.items() if np.any(np.isfinite(values))}
    others = {name: _in_unit_of_q(name, values, units_of) for name, values in others.items()}
    return RawCurve(q, intensity, **others, title=title, **_unit(units_of.get("q", "")), notes=notes)


def _in_unit_of_q(name: str, values: Floats, units_of: dict[str, str]) -> Floats:
    """A resolution in the unit of q, where it has one of its own."""
    own, of_q = (units.canonical(units_of.get(key, ""), "q") for key in (name, "q"))
    if name == "dintensity" or own is None or of_q is None or own == of_q:
        return values
    return values * (units.factor(own, "q") / units.factor(of_q, "q"))


def _unit(said: str) -> dict[str, Any]:
    """The unit of q that a file states, or what it says instead; a text of hundreds of characters is none."""
    known = units.canonical(said, "q") if said else None
    return {"q_unit": known, "q_unit_unknown": "" if known or len(said) >= LIMITS.title else said.strip()}


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def scan_hdf5(file: Any, name: str) -> list[RawCurve]:
    """Data sets of a NXcanSAS file as they stand in it, in the order of its groups.

    Parameters
    ----------
    name : str
        Of the file, for the sentence.

    Raises
    ------
    DataError
        A data set holds, or claims, more points than a curve can have.
    """
    import h5py

    return [
        curve
        for _, entry in hdf5.members(file)
        if isinstance(entry, h5py.Group)
        for curve in _entry(entry, name)
    ]


def _entry(entry: Any, name: str) -> list[RawCurve]:
    groups = [group for group in data_groups(entry) if _fits(group, 1)]
    slits = slit_length.stated_in_hdf5(entry) if groups else []
    return [data_set(group, entry, name, slits=slits) for group in groups]


def data_groups(entry: Any) -> Iterator[Any]:
    """Groups of an entry that hold a Q and an I, in its order."""
    import h5py

    for _, group in hdf5.members(entry):
        if isinstance(group, h5py.Group):
            q, intensity = hdf5.member(group, "Q"), hdf5.member(group, "I")
            if isinstance(q, h5py.Dataset) and isinstance(intensity, h5py.Dataset):
                yield group


def _fits(group: Any, axes: int) -> bool:
    """Whether the intensity of a group has so many axes, the last one that of its Q."""
    q, intensity = hdf5.member(group, "Q"), hdf5.member(group, "I")
    return q.ndim == 1 and intensity.ndim == axes and intensity.shape[-1:] == q.shape


def frames_in(group: Any) -> int:
    """Curves of a group: 1, or the frames of an I of (frames, Q); 0 where its arrays do not fit together."""
    if _fits(group, 1):
        return 1
    if not _fits(group, 2):
        return 0
    errors = _beside(group, "Idev", 2)
    shape = hdf5.member(group, "I").shape
    return int(shape[0] if errors is None else min(shape[0], errors.shape[0]))


def _beside(group: Any, key: str, axes: int) -> Any:
    """A data set that goes with the intensity of a group, of so many axes; None where there is none."""
    item, size = hdf5.member(group, key), hdf5.member(group, "Q").size
    fits = getattr(item, "ndim", 0) == axes and item.shape[-1] == size
    return item if fits else None


def _optional(group: Any, size: int, frame: int | None) -> dict[str, Any]:
    """Uncertainty and resolution as far as they are there, of one frame where there are several."""
    import h5py

    found: dict[str, Any] = {}
    for name, key in _names_beside(group).items():
        item = hdf5.member(group, key)
        if isinstance(item, h5py.Dataset) and item.size == size:
            found[name] = column(item[()], size)
        elif frame is not None and (many := _beside(group, key, 2)) is not None:
            found[name] = column(many[frame], size)
    return found


def _names_beside(group: Any) -> dict[str, str]:
    """Which data set holds what goes with q and I: as their attributes say, else by its usual name."""
    names = {name: key for key, name in _OPTIONAL.items()}
    errors = _said(group, "I", "uncertainties")
    widths = _said(group, "Q", "resolutions")
    said = {"dintensity": errors[0]} if errors else {}
    said |= dict(zip(("dxl", "dxw") if widths[1:] else ("dq",), widths, strict=False))
    return names | {name: key for name, key in said.items() if hdf5.member(group, key) is not None}


def _said(group: Any, key: str, attribute: str) -> list[str]:
    """The names in an attribute of a data set: an array of them, or one text with commas."""
    given = np.asarray(hdf5.member(group, key).attrs.get(attribute, "")).ravel()
    words = [word.strip() for one in given for word in hdf5.text(one).split(",")]
    return [word for word in words if word and "/" not in word]


def data_set(
    group: Any,
    entry: Any,
    name: str,
    frame: int | None = None,
    slits: Sequence[tuple[str, str]] | None = None,
) -> RawCurve:
    """The curve of a group of `data_groups`, or one of its frames, counted from 0.

    Parameters
    ----------
    slits : sequence of (str, str), optional
        `slit_length.stated_in_hdf5` of the entry, for who reads many of its data sets.

    Raises
    ------
    DataError
        It holds, or claims, more points than a curve can have.
    """
    import h5py

    q, intensity = hdf5.member(group, "Q"), hdf5.member(group, "I")
    title = hdf5.member(entry, "title")
    title = hdf5.text(title[()]) if isinstance(title, h5py.Dataset) and title.size == 1 else ""
    if q.size > LIMITS.points:
        raise too_many(name, q.size)
    unit = q.attrs.get("units", q.attrs.get("unit", ""))
    part: Any = () if frame is None else frame
    curve = RawCurve(
        q=np.asarray(q[()], dtype=np.float64),
        intensity=np.asarray(intensity[part], dtype=np.float64),
        **_optional(group, q.size, frame),
        title=title if frame is None else f"{title} frame {frame + 1}".strip(),
        **_unit(hdf5.text(unit)[: LIMITS.title]),
    )
    return slit_length.of_hdf5(curve, slit_length.stated_in_hdf5(entry) if slits is None else slits)


@dataclass(frozen=True)
class Answer:
    """What sasdata makes of a file."""

    curves: list[RawCurve]  #: The 1D data sets; q in Å⁻¹ where sasdata knows the file's unit.
    images: int = 0  #: How many two-dimensional data sets it found.
    sesans: bool = False  #: The data are spin-echo.


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence sasdata's and numpy's messages about bad files: `load` raises one sentence instead."""
    logger = logging.getLogger("sasdata")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def read(path: Path) -> Answer:
    """Let sasdata read a file; an empty answer where it cannot."""
    with quiet():
        from sasdata.dataloader.loader import Loader

        # sasdata raises whatever its readers stumble over; that is no error of this program.
        try:
            found = Loader().load(str(path))
        except Exception:
            return Answer([])
    curves = [curve for data in found if (curve := _curve(data)) is not None]
    images = sum(getattr(data, "qx_data", None) is not None for data in found)
    sesans = any(getattr(data, "isSesans", False) for data in found)
    return Answer(curves, images, sesans)


def with_provenance(curves: list[RawCurve], scanned: list[RawCurve]) -> list[RawCurve]:
    """Add to sasdata's curves what the file itself says: its unit, rows dropped, order.

    Parameters
    ----------
    scanned : list of RawCurve
        The same data sets as they stand in the file; ignored unless there are as many.

    Returns
    -------
    list of RawCurve
        With q in the file's own unit again, so that the unit can be overridden.
    """
    if len(curves) != len(scanned):
        return curves
    return [_merge(curve, source) for curve, source in zip(curves, scanned, strict=True)]


def _merge(curve: RawCurve, source: RawCurve) -> RawCurve:
    dropped = max(0, source.q.size - curve.q.size)
    unsorted = bool(np.any(np.diff(source.q[np.isfinite(source.q)]) < 0))
    merged = replace(curve, dropped=dropped, sorted_by_reader=unsorted, title=curve.title or source.title)
    if source.q_unit is None or curve.q_unit is None:
        unsaid = replace(merged, q_unit=source.q_unit, q_unit_unknown=source.q_unit_unknown)
        return slit_length.taken_over(unsaid, source)
    back = units.factor(curve.q_unit, "q") / units.factor(source.q_unit, "q")
    if back != 1.0:
        merged = merged.scaled(back)
    if np.array_equal(curve.intensity, source.intensity):
        merged = _completed(merged, source)
    return slit_length.taken_over(replace(merged, q_unit=source.q_unit), source)


def _completed(curve: RawCurve, source: RawCurve) -> RawCurve:
    """The curve with the uncertainty and the resolution of the file that it has not, of the same points."""
    if curve.dintensity is None:
        curve = replace(curve, dintensity=source.dintensity)
    if curve.dq is None and curve.dxl is None:
        curve = replace(curve, dq=source.dq)
    return curve


def _curve(data: Any) -> RawCurve | None:
    x: Any = getattr(data, "x", None)
    size = int(np.size(x)) if np.ndim(x) == 1 else 0
    if not size or getattr(data, "isSesans", False):
        return None
    q, intensity = column(x, size), column(data.y, size)
    if q is None or intensity is None:
        return None
    dy, dx, dxl, dxw = (column(values, size) for values in (data.dy, data.dx, data.dxl, data.dxw))
    unit = units.canonical(str(getattr(data, "_xunit", "") or ""), "q")
    return RawCurve(q, intensity, dy, dx, dxl, dxw, str(data.title or "").strip(), unit)
