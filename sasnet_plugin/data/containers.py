"""Files with a structure: NXcanSAS and other HDF5, CanSAS XML, images integrated over the azimuth.

canSAS 1D and NXcanSAS have ``slit_length`` at the detector, in the unit of Q. It is read as the length that
the intensity is averaged over, from 0 on, that is half the slit: so Bonse-Hart cameras state it (APS USAXS,
Irena, NIST), and so the column dQl, which is the same number at each point, is used.

A group NXdata holds the intensity against a radial axis, q or 2θ, for one image or a series of them; each
image is a curve. Where there are bins of azimuth, and no average beside them, they are averaged here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from itertools import filterfalse
from pathlib import Path
from typing import Any

import numpy as np

from .. import units
from ..arrays import Floats
from ..domains import ReadOptions
from ..types import DataError, printable
from . import hdf5
from .advice import ITS_IMAGES
from .columns.abscissa import convert_abscissa, name_axis, name_resolution, unit_named
from .columns.names import ANGLE, ColumnName
from .limits import LIMITS, too_large, too_many, two_dimensional
from .raw import RawCurve, column
from .sectors import find_sector, list_hdf5_terms, list_xml_terms

# --- A slit length that a file states among its metadata, for curves without a column of it.

_NAME = "slit_length"


def add_xml_slit(curve: RawCurve, entry: Any) -> RawCurve:
    """The curve with the slit that its SASentry states, an element of any ElementTree."""
    slit_texts = [
        (item.text or "", item.get("unit", ""))
        for item in entry.iter()
        if _NAME in (str(item.tag).rpartition("}")[2], item.get("name", "").lower())
    ]
    return add_slit(curve, slit_texts)


def find_hdf5_slit_lengths(entry: Any) -> list[tuple[str, str]]:
    """Find all slit lengths of an entry, an ``h5py.Group``: texts and units. It looks through all of it."""
    return [
        (hdf5.text(item[()]), hdf5.text(item.attrs.get("units", item.attrs.get("unit", ""))))
        for name, item in hdf5.walk_members(entry, 3)
        if name == _NAME and getattr(item, "size", 0) == 1
    ]


def _is_given(values: Any) -> bool:
    return values is not None and bool(np.any(values > 0))


def add_slit(curve: RawCurve, slit_texts: Iterable[tuple[str, str]]) -> RawCurve:
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


# --- CanSAS XML and NXcanSAS as they stand in the file.

_OPTIONAL = {"Idev": "dintensity", "Qdev": "dq", "dQl": "dxl", "dQw": "dxw"}
_FIELDS = {"Q": "q", "I": "intensity", **_OPTIONAL}


def scan_xml(path: Path, file: str, options: ReadOptions) -> list[RawCurve]:
    """Read the data sets of a CanSAS 1D file; empty for other files. Broken XML is read as far as possible,
    with a note. Raises DataError if points of one data set have incompatible units.
    """
    root, notes = _xml(path)
    if root is None:
        return []
    raw_curves = []
    for entry in root.findall(".//{*}SASentry"):
        title = (entry.findtext("{*}Title") or "").strip()
        for data in entry.findall(".//{*}SASdata"):
            curve = _xml_curve(data, title, notes, file, partial(_xml_wavelength, entry), options)
            if curve is not None:
                sector = find_sector(list_xml_terms(entry), title)
                raw_curves.append(replace(add_xml_slit(curve, entry), sector=sector))
    return raw_curves


def _xml_columns(points: Sequence[Any], file: str) -> tuple[dict[str, Floats], dict[str, str], str]:
    """Columns by name, the unit of each, and the names of those that are in several units."""
    # A point without such a value has NaN; values are in the first unit stated of their column.
    columns = {name: np.full(len(points), np.nan) for name in _FIELDS.values()}
    units_of: dict[str, str] = {}
    mixed: dict[str, None] = {}
    for row, point in enumerate(points):
        for child in point:
            key = str(child.tag).rpartition("}")[2]
            if (name := _FIELDS.get(key)) is None:
                continue
            unit = child.get("unit", "")
            first = units_of.setdefault(name, unit)
            columns[name][row] = _float(child.text)
            if unit != first and (factor := _compute_unit_factor(unit, first, name, key, file)) != 1.0:
                mixed[key] = None
                columns[name][row] *= factor
    return columns, units_of, " and ".join(mixed)


def _compute_unit_factor(unit: str, first: str, name: str, key: str, file: str) -> float:
    """What a value in one unit is multiplied by to be in the first one of its column."""
    quantity = _quantity(name)
    own_unit, target_unit = (units.canonical(text[: LIMITS.title], quantity) for text in (unit, first))
    if own_unit and target_unit:
        return units.factor(own_unit, quantity) / units.factor(target_unit, quantity)
    if unit.strip().lower() == first.strip().lower():
        return 1.0
    raise DataError(
        f"{file}: its points have {key} in {printable(first[:40])!r} and in {printable(unit[:40])!r},"
        f" which cannot be converted into each other; give all points in one unit."
    )


def _quantity(name: str) -> str:
    return "intensity" if name in ("intensity", "dintensity") else "q"


def _xml(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The root of an XML file, None where there is none, and a note where it is damaged."""
    from xml.etree import ElementTree

    try:
        return ElementTree.parse(path).getroot(), ()
    except (ElementTree.ParseError, ValueError):
        etree = import_module("lxml.etree")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        root = etree.fromstring(path.read_bytes(), parser)
        return root, ("The XML is damaged; only its readable part was used.",)


def _xml_wavelength(entry: Any) -> float | None:
    """Å, as the entry's source gives it; None where it gives none."""
    item = entry.find(".//{*}SASsource/{*}wavelength")
    value = _float(item.text) if item is not None else 0.0
    unit = (
        units.canonical(item.get("unit", "")[: LIMITS.title] or "Å", "length") if item is not None else None
    )
    return value * units.factor(unit, "length") if unit and value > 0 else None


def _xml_curve(
    data: Any,
    title: str,
    notes: tuple[str, ...],
    file: str,
    find_wavelength: Callable[[], float | None],
    options: ReadOptions,
) -> RawCurve | None:
    points = data.findall("{*}Idata")
    if not points:
        return None
    columns, units_of, mixed = _xml_columns(points, file)
    q, intensity = columns.pop("q"), columns.pop("intensity")
    columns_given: dict[str, Any] = {
        name: values for name, values in columns.items() if np.any(np.isfinite(values))
    }
    columns_given = {
        name: _convert_to_unit_of(name, values, units_of) for name, values in columns_given.items()
    }
    if mixed:
        _see_units_hold(q, points, file)
        notes = (*notes, f"The file gives {mixed} in several units; all were converted to one.")
    raw = RawCurve(
        q, intensity, **columns_given, title=title,
        intensity_unit=units_of.get("intensity", "").strip(), notes=notes,
    )  # fmt: skip
    name, dq_name = name_axis("Q", units_of.get("q", "")), name_resolution("Qdev", units_of.get("dq", ""))
    return _to_q(raw, name, file, options, find_wavelength, dq_name)


def _to_q(
    raw: RawCurve, name: ColumnName, file: str, options: ReadOptions,
    find_wavelength: Callable[[], float | None], dq_name: ColumnName | None = None,
) -> RawCurve:  # fmt: skip
    """A curve against q; its wavelength is looked for where it is against an angle."""
    wavelength = find_wavelength() if name.quantity == ANGLE else None
    return convert_abscissa(
        raw, name, unit_named(name.unit), file, options=options, dq_name=dq_name, wavelength=wavelength
    )


def _see_units_hold(q: Floats, points: Sequence[Any], file: str) -> None:
    """Refuse units of single points that contradict the values: these ascend only as they are written."""
    written = np.array([_float(point.findtext("{*}Q")) for point in points])
    if np.all(np.diff(written) > 0) and not np.all(np.diff(q) > 0):
        raise DataError(
            f"{file}: its points have q in several units that do not agree; give all points in one unit of q."
        )


def _convert_to_unit_of(name: str, values: Floats, units_of: Mapping[str, str]) -> Floats:
    """A slit in the unit of q, an uncertainty in that of I, where it has one of its own."""
    if name == "dq":
        return values
    quantity = _quantity(name)
    texts = (units_of.get(name, ""), units_of.get(quantity, ""))
    own_unit, target_unit = (units.canonical(text[: LIMITS.title], quantity) for text in texts)
    if own_unit is None or target_unit is None or own_unit == target_unit:
        return values
    return values * (units.factor(own_unit, quantity) / units.factor(target_unit, quantity))


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def scan_hdf5(file: Any, name: str, options: ReadOptions) -> list[RawCurve]:
    """Read the data sets of a NXcanSAS file in group order, those of subentries after those of their entry.
    Raises DataError for too many points.
    """
    curves = []
    for entry in _list_groups(file):
        inside = _list_groups(entry)
        curves += _entry(entry, list(_select_data_groups(inside)), name, options)
        for subentry in filter(_is_subentry, inside):
            curves += _entry(subentry, list(data_groups(subentry)), name, options)
    return curves


def _list_groups(group: Any) -> list[Any]:
    """Groups within a group, in its order."""
    import h5py

    return [inside for _, inside in hdf5.members(group) if isinstance(inside, h5py.Group)]


def _is_subentry(group: Any) -> bool:
    """Whether a group within an entry holds a measurement of its own, as USAXS instruments write them."""
    kinds = (hdf5.text(group.attrs.get(name, "")) for name in ("canSAS_class", "NX_class"))
    return any(kind in ("SASentry", "NXsubentry") for kind in kinds)


def _entry(entry: Any, groups: Sequence[Any], name: str, options: ReadOptions) -> list[RawCurve]:
    """Read the groups of an entry that hold a Q and an I."""
    raw_curves = []
    slits = find_hdf5_slit_lengths(entry) if groups else []
    for group in groups:
        count = frames_in(group)
        _see_it_is_short(group, count, name)
        raw_curves += [
            data_set(group, entry, name, options, frame, slits) for frame in frame_numbers(group, count)
        ]
    if not raw_curves:
        return []
    sector = find_sector(list_hdf5_terms(entry), raw_curves[0].title)
    return [replace(curve, sector=sector) for curve in raw_curves]


def _see_it_is_short(group: Any, frames: int, name: str) -> None:
    """Refuse a series of so many frames, or of more values than it has room for."""
    intensity = hdf5.member(group, "I")
    if frames > 1 and (intensity.size > LIMITS.values or hdf5.hollow(intensity)):
        raise too_large(name, f"{intensity.size:,} values", "a shorter series of curves")
    if frames > LIMITS.frames_at_once:
        raise DataError(
            f"{name}: it holds {frames:,} frames; read them one by one with sasnet follow, or give the"
            f" frames of interest in a separate file."
        )


def frame_numbers(group: Any, count: int) -> list[int | None]:
    """The numbers of so many frames of a group, counted from 0; None for the one curve of I(Q)."""
    return [None] if count == 1 and hdf5.member(group, "I").ndim == 1 else list(range(count))


def data_groups(entry: Any) -> Iterator[Any]:
    """Groups of an entry that hold a Q and an I, in its order."""
    yield from _select_data_groups(_list_groups(entry))


def _select_data_groups(groups: Iterable[Any]) -> Iterator[Any]:
    import h5py

    for group in groups:
        q, intensity = hdf5.member(group, "Q"), hdf5.member(group, "I")
        if isinstance(q, h5py.Dataset) and isinstance(intensity, h5py.Dataset):
            yield group


def _read_axis_names(group: Any) -> list[str]:
    """Names of the axes of the intensity in their order, as NXcanSAS or NeXus writes them."""
    attribute = group.attrs.get("I_axes", group.attrs.get("axes", ""))
    words = [word.strip() for text in np.ravel(attribute) for word in re.split(r"[,:\s]+", hdf5.text(text))]
    return [word for word in words if word]


def _axis_of_q(group: Any) -> int | None:
    """Which axis of the intensity is that of Q; None for an image, or where nothing fits together."""
    q, intensity, names = hdf5.member(group, "Q"), hdf5.member(group, "I"), _read_axis_names(group)
    q_axes = [k for k, name in enumerate(names) if name == "Q"]
    if not _may_fit(group) or _is_image(intensity.ndim, q.ndim, len(q_axes)):
        return None
    fitting = _find_fitting_axes(q, intensity)
    stated = q_axes if len(names) == intensity.ndim else _indices(group, intensity.ndim)
    return next((k for k in (*stated, *fitting) if k in fitting), None)


def _find_fitting_axes(q: Any, intensity: Any) -> list[int]:
    """Axes of the intensity that have as many values as Q, the last one first."""
    axes = range(intensity.ndim)[::-1]
    return list(axes) if q.ndim > 1 else [k for k in axes if intensity.shape[k] == q.size]


def _may_fit(group: Any) -> bool:
    """Whether Q has one axis, or all that the intensity has."""
    q, intensity = hdf5.member(group, "Q"), hdf5.member(group, "I")
    return q.ndim == 1 or (q.ndim == intensity.ndim and q.shape == intensity.shape)


def _is_image(axes: int, axes_of_q: int, named_q: int) -> bool:
    """Whether several axes of an intensity are q, or Q is a value of each pixel."""
    return (named_q > 1 and axes > 1) or (axes_of_q > 1 and not named_q)


def _indices(group: Any, axes: int) -> list[int]:
    attribute = np.ravel(group.attrs.get("Q_indices", []))
    whole = attribute.dtype.kind in "iu" and attribute.size == 1 and 0 <= attribute[0] < axes
    return [int(attribute[0])] if whole else []


def frames_in(group: Any) -> int:
    """Curves of a group: 1, or the frames of an I of (frames, Q); 0 where it is an image or nothing fits."""
    axis = _axis_of_q(group)
    if axis is None:
        return 0
    shape = hdf5.member(group, "I").shape
    errors = _find_matching_data_set(group, "Idev")
    first = shape[0] if errors is None or axis == 0 else min(shape[0], errors.shape[0])
    return math.prod(size for k, size in enumerate((first, *shape[1:])) if k != axis)


def _find_matching_data_set(group: Any, key: str) -> Any:
    """A data set of the shape of the intensity, the first axis apart; None where there is none."""
    item, shape = hdf5.member(group, key), hdf5.member(group, "I").shape
    fits = getattr(item, "ndim", 0) == len(shape) and item.shape[1:] == shape[1:]
    return item if fits and (len(shape) > 1 or item.shape == shape) else None


def _part(group: Any, frame: int | None) -> Any:
    """Where one frame's curve lies in an array of the shape of the intensity."""
    if frame is None:
        return ()
    axis, shape = _axis_of_q(group) or 0, hdf5.member(group, "I").shape
    other_sizes = (*shape[:axis], *shape[axis + 1 :])
    place = np.unravel_index(frame, other_sizes) if other_sizes else ()
    return (*map(int, place[:axis]), slice(None), *map(int, place[axis:]))


def _values(group: Any, key: str, frame: int | None) -> Floats | None:
    """One value for each Q of one frame, a single one for all; None where the group has no such data set."""
    import h5py

    item, size = hdf5.member(group, key), _points(group)
    if not isinstance(item, h5py.Dataset):
        return None
    if item.size == 1:
        return np.full(size, column(item[()], 1))
    if item.ndim <= 1:
        return column(item[()], size)
    matching_data_set = _find_matching_data_set(group, key)
    return (
        None
        if matching_data_set is None or frame is None
        else column(matching_data_set[_part(group, frame)], size)
    )


def _points(group: Any) -> int:
    q, axis = hdf5.member(group, "Q"), _axis_of_q(group)
    return int(q.shape[axis or 0] if q.ndim > 1 else q.size)


def _optional(group: Any, frame: int | None, names: Mapping[str, str]) -> dict[str, Any]:
    """Uncertainty and resolution as far as they are there, of one frame where there are several."""
    columns: dict[str, Any] = {}
    units_here = {"q": _unit_text(group, "Q"), "intensity": _unit_text(group, "I")}
    for name, key in names.items():
        if (values := _values(group, key, frame)) is not None:
            columns[name] = _convert_to_unit_of(name, values, units_here | {name: _unit_text(group, key)})
    return columns


def _unit_text(group: Any, key: str) -> str:
    attributes = getattr(hdf5.member(group, key), "attrs", {})
    return hdf5.text(attributes.get("units", attributes.get("unit", "")))[: LIMITS.title]


def _names_beside(group: Any) -> dict[str, str]:
    """Which data set holds what goes with q and I: as their attributes say, else by its usual name."""
    names = {name: key for key, name in _OPTIONAL.items()}
    errors, widths = (
        _read_names_attribute(group, "I", "uncertainties"),
        _read_names_attribute(group, "Q", "resolutions"),
    )
    names_here = ({"dintensity": errors[0]} if errors else {}) | _resolutions(widths)
    return names | {name: key for name, key in names_here.items() if hdf5.member(group, key) is not None}


def _resolutions(widths: list[str]) -> dict[str, str]:
    """What the names of resolutions stand for: one for a pinhole or a part of a slit, two for a slit."""
    if len(widths) == 1:
        return {_slit_part(widths[0]) or "dq": widths[0]}
    return _slit(widths) if widths else {}


def _slit(widths: list[str]) -> dict[str, str]:
    """Slit length and width by their names, in any order; else in that of NXcanSAS, width first."""
    by_name = {kind: name for name in reversed(widths) if (kind := _slit_part(name))}
    return by_name if len(by_name) == 2 else dict(zip(("dxw", "dxl"), widths, strict=False))


def _slit_part(name: str) -> str:
    """Whether a name is that of a slit's length (dxl) or width (dxw); empty for neither."""
    match = re.search(r"(?P<dxl>length|(?<=[dD][qQxX])_?[lL]$)|(?P<dxw>width|(?<=[dD][qQxX])_?[wW]$)", name)
    return str(match.lastgroup) if match else ""


def _read_names_attribute(group: Any, key: str, attribute: str) -> list[str]:
    """The names in an attribute of a data set: an array of them, or one text with commas."""
    given_attribute = np.asarray(hdf5.member(group, key).attrs.get(attribute, "")).ravel()
    words = [word.strip() for text in given_attribute for word in hdf5.text(text).split(",")]
    return [word for word in words if word and "/" not in word]


def data_set(
    group: Any,
    entry: Any,
    name: str,
    options: ReadOptions,
    frame: int | None = None,
    slits: Sequence[tuple[str, str]] | None = None,
) -> RawCurve:
    """Read a curve of `data_groups`, or one frame, counted from 0; `slits` is `find_hdf5_slit_lengths` of the
    entry, to read it only once. Raises DataError if it has more points than a curve can have.
    """
    import h5py

    size, part = _points(group), _part(group, frame)
    title = hdf5.member(entry, "title")
    title = hdf5.text(title[()]) if isinstance(title, h5py.Dataset) and title.size == 1 else ""
    if size > LIMITS.points:
        raise too_many(name, size)
    q, names = hdf5.member(group, "Q"), _names_beside(group)  # each look-up may follow thousands of links
    curve = RawCurve(
        q=np.asarray(q[part if q.ndim > 1 else ()], dtype=np.float64),
        intensity=np.asarray(hdf5.member(group, "I")[part], dtype=np.float64),
        **_optional(group, frame, names),
        title=title if frame is None else f"{title} frame {frame + 1}".strip(),
        intensity_unit=_unit_text(group, "I"),
    )
    long_name = hdf5.text(q.attrs.get("long_name", ""))[: LIMITS.title]
    dq_name = name_resolution(names["dq"], _unit_text(group, names["dq"]))
    name_of_q = name_axis("Q", _unit_text(group, "Q"), long_name)
    curve = _to_q(curve, name_of_q, name, options, partial(_wavelength, entry), dq_name)
    return add_slit(
        _exclude_masked(_apply_scaling_factor(curve, group, frame), group, frame, name),
        find_hdf5_slit_lengths(entry) if slits is None else slits,
    )


def _apply_scaling_factor(curve: RawCurve, group: Any, frame: int | None) -> RawCurve:
    """Multiply I and its uncertainty by the factor that the attribute `scaling_factor` of I names."""
    # NXcanSAS keeps raw numbers and calibration apart in this way. The factor is one number, or one per
    # frame.
    if not (names := _read_names_attribute(group, "I", "scaling_factor")):
        return curve
    factor = _scaling_factor(hdf5.member(group, names[0]), frame)
    if factor is None:
        note = "Caution: the scaling_factor of the file could not be read; the intensities are not scaled."
        return replace(curve, notes=(*curve.notes, note))
    if factor == 1.0:
        return curve
    error = None if curve.dintensity is None else factor * curve.dintensity
    note = f"Intensities multiplied by {factor:g}, the scaling_factor of the file."
    return replace(curve, intensity=factor * curve.intensity, dintensity=error, notes=(*curve.notes, note))


def _scaling_factor(item: Any, frame: int | None) -> float | None:
    factors = _numbers(item)
    index = 0 if factors.size == 1 else frame
    if index is None or index >= factors.size:
        return None
    factor = float(factors[index])
    return factor if 0 < factor < np.inf else None


def _numbers(item: Any) -> Floats:
    import h5py

    if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and item.size <= LIMITS.points:
        return np.ravel(item[()]).astype(np.float64)
    return np.empty(0)


def _exclude_masked(curve: RawCurve, group: Any, frame: int | None, name: str) -> RawCurve:
    """The curve without points that the file masks. Raises DataError for a mask of another size than I."""
    key, intensity = hdf5.text(group.attrs.get("mask", "")) or "mask", hdf5.member(group, "I")
    mask, item = _values(group, key, frame), hdf5.member(group, key)
    if mask is None and getattr(item, "shape", None) is not None:
        if item.size != intensity.size:
            raise DataError(
                f"{name}: its mask has the shape {item.shape}, and I has {intensity.shape}; write one value"
                " for each point."
            )
        mask = column(item[()].reshape(intensity.shape)[_part(group, frame)], curve.q.size)
    masked = None if mask is None else np.nan_to_num(mask, nan=1.0) != 0
    if masked is None or not masked.any():
        return curve
    count = int(masked.sum())
    note = f"{count} {'point was' if count == 1 else 'points were'} excluded by the mask of the file."
    return replace(curve.take_rows(np.flatnonzero(~masked)), notes=(*curve.notes, note))


# --- Images integrated over the azimuth, in HDF5: NXazint1d and NXazint2d (MAX IV, pyFAI), pyFAI's
# --- NXmonopd.

_RADIAL = frozenset(
    {"radial_axis", "radial", "q", "2th", "2theta", "two_theta", "tth", "theta", "polar_angle"}
)
_AZIMUTHAL = frozenset({"azimuthal_axis", "azimuthal", "chi", "eta"})
_ERRORS = ("{}_errors", "errors", "{}_error", "sigma")
_RADIATION = ("wavelength", "incident_wavelength", "energy", "incident_energy", "photon_energy")
_KEV_ANGSTROM = 12.398419843320026
_DEPTH = 5


def scan(file: Any, name: str, options: ReadOptions) -> list[RawCurve]:
    """Read curves of an HDF5 file's integrated images in file order; empty if there are none. Raises
    DataError if the axis is an angle without wavelength, or there are too many values. Parameters as for
    `structured.scan_hdf5`.
    """
    raw_curves = []
    for series in all_series(file, name, options):
        if series.intensity.size > LIMITS.values or hdf5.hollow(series.intensity):
            raise too_large(name, f"{series.intensity.size:,} values", "a series of integrated images")
        raw_curves += series.read(0, series.frames)
    return raw_curves


def _groups(file: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Each entry with its NXdata groups that have a radial axis, each once though links may name it twice."""
    import h5py

    for _, entry in hdf5.members(file):
        if not isinstance(entry, h5py.Group):
            continue
        entries: dict[int, Any] = {}
        for _, group in hdf5.walk_members(entry, _DEPTH):
            if isinstance(group, h5py.Group) and _RADIAL.intersection(map(str.lower, _axes(group)[-1:])):
                entries.setdefault(h5py.h5o.get_info(group.id).addr, group)
        yield entry, list(entries.values())


def _axes(group: Any) -> list[str]:
    """Names of the axes of a group NXdata, the last one the fastest; empty for any other group."""
    if hdf5.text(group.attrs.get("NX_class", "")) != "NXdata":
        return []
    return [hdf5.text(name) for name in np.atleast_1d(group.attrs.get("axes", []))]


def _is_cake(group: Any) -> bool:
    return any(name in _AZIMUTHAL for name in _axes(group))


@dataclass(frozen=True)
class Series:
    """Integrated images of one group, read by parts, so that a long series need not fit into memory."""

    group: Any
    entry: Any
    signal: str  #: Name of the intensity in the group.
    intensity: Any  #: (frames, …, [azimuth,] radial), or without frames.
    axis: RawCurve  #: A curve without intensities.

    @property
    def _inner(self) -> int:
        """Axes that one image has."""
        return 2 if _is_cake(self.group) else 1

    @property
    def _each(self) -> int:
        return math.prod(self.intensity.shape[1 : -self._inner])

    @property
    def frames(self) -> int:
        """Images there are; where uncertainties are written after the intensity, those that have both."""
        if self.intensity.ndim <= self._inner:
            return 1
        errors = _errors_in(self.group, self.signal, self.intensity.shape)
        steps = self.intensity.shape[0] if errors is None else min(self.intensity.shape[0], errors.shape[0])
        return int(steps * self._each)

    def _part(self, start: int, stop: int) -> tuple[int, Any]:
        """The first of the steps of the slowest axis that hold these images, and all of them as an index."""
        if self.intensity.ndim <= self._inner:
            return 0, ()
        low, high = start // self._each, -(-stop // self._each)
        return low, slice(low, high)

    def read(self, start: int, stop: int) -> list[RawCurve]:
        """Curves of the images from one number, counted from 0, up to another."""
        low, part = self._part(start, stop)
        values = np.asarray(self.intensity[part], dtype=np.float64)
        errors = _errors(self.group, self.signal, self.intensity.shape, part)
        notes = self.axis.notes + _note_missing_normalisation(self.group, self.entry)
        if _is_cake(self.group):
            pixels = _pixels(self.group, self.intensity.shape, values.shape, part)
            values, errors = _average_azimuths(values, errors, pixels)
            notes += ("The bins of azimuth were averaged.",)
        values = values.reshape(-1, self.axis.q.size)
        sigmas = [None] * len(values) if errors is None else list(errors.reshape(-1, self.axis.q.size))
        title, first = _title(self.entry), low * self._each
        numbered = self.frames > 1
        return [
            replace(
                self.axis,
                intensity=row,
                dintensity=sigma,
                title=f"{title} frame {number}".strip() if numbered else title,
                notes=notes,
            )
            for number, row, sigma in zip(range(first + 1, stop + 1), values, sigmas, strict=False)
            if number > start
        ]


def series_of(group: Any, entry: Any, name: str, options: ReadOptions) -> Series | None:
    """The series of a group NXdata with a radial axis; None where its arrays do not fit together."""
    import h5py

    signal = hdf5.text(group.attrs.get("signal", "I"))
    intensity, radial = hdf5.member(group, signal), hdf5.member(group, _axes(group)[-1])
    if not isinstance(intensity, h5py.Dataset) or not isinstance(radial, h5py.Dataset):
        return None
    if radial.ndim != 1 or not intensity.shape or intensity.shape[-1] != radial.size:
        return None
    return Series(group, entry, signal, intensity, _axis(radial, _axes(group)[-1], entry, name, options))


def all_series(file: Any, name: str, options: ReadOptions) -> list[Series]:
    """What `scan` reads, unread: of each entry the averages over the azimuth, or else its cakes. Raises
    DataError if none of them can be converted to q.
    """
    series_list, failures = [], []
    for entry, groups in _groups(file):
        for group in list(filterfalse(_is_cake, groups)) or groups:
            try:
                series = series_of(group, entry, name, options)
            except DataError as error:
                failures.append(error)
            else:
                series_list += [] if series is None else [series]
    if failures and not series_list:
        raise failures[0]
    return series_list


def _axis(radial: Any, key: str, entry: Any, name: str, options: ReadOptions) -> RawCurve:
    """A curve without intensities: its q, converted from what the axis is."""
    values = np.asarray(radial[()], dtype=np.float64)
    unit, long_name = (
        hdf5.text(radial.attrs.get(*attributes))[: LIMITS.title]
        for attributes in (("units", radial.attrs.get("unit", "")), ("long_name", ""))
    )
    raw = RawCurve(values, np.zeros_like(values))
    return _to_q(raw, name_axis(key, unit, long_name), name, options, partial(_wavelength, entry))


def _wavelength(entry: Any) -> float | None:
    """Å, from the entry's wavelength or energy; None where it states neither."""
    stated = list(_read_stated_wavelengths(entry))
    for name, value, unit in stated:
        if name.endswith("wavelength"):
            return value * units.factor(units.canonical(unit or "Å", "length") or "Å", "length")
    for _, value, unit in stated:
        return _KEV_ANGSTROM / (value / 1000 if unit.lower() == "ev" else value)
    return None


def _read_stated_wavelengths(entry: Any) -> Iterator[tuple[str, float, str]]:
    """Name, value and unit of each wavelength and energy in an entry that is a number above zero."""
    for name, item in hdf5.walk_members(entry, _DEPTH):
        if name not in _RADIATION or getattr(item, "size", 0) != 1:
            continue
        value = float(np.ravel(item[()])[0]) if item.dtype.kind in "iuf" else 0.0
        if value > 0:
            yield name, value, hdf5.text(item.attrs.get("units", ""))


def _errors_in(group: Any, signal: str, shape: tuple[int, ...]) -> Any:
    """The data set of uncertainties, which may be ahead of the intensity or behind it; None without one."""
    for pattern in _ERRORS:
        item = hdf5.member(group, pattern.format(signal))
        shape_here = getattr(item, "shape", None)
        if shape_here == shape or (
            shape_here and len(shape_here) == len(shape) > 1 and shape_here[1:] == shape[1:]
        ):
            return item
    return None


def _errors(group: Any, signal: str, shape: tuple[int, ...], part: Any) -> Floats | None:
    item = _errors_in(group, signal, shape)
    return None if item is None else np.asarray(item[part], dtype=np.float64)


def _pixels(group: Any, shape: tuple[int, ...], target_shape: tuple[int, ...], part: Any) -> Floats:
    """Pixels of each bin, of the shape of what was read; ones where the file does not tell."""
    norm = hdf5.member(group, "norm")
    norm_values: Any = 1.0
    if norm is not None:
        norm_values = np.asarray(norm[part] if norm.shape == shape else norm[()], dtype=np.float64)
    try:
        return np.broadcast_to(norm_values, target_shape)
    except ValueError:
        return np.ones(target_shape)


def _average_azimuths(values: Floats, errors: Floats | None, pixels: Floats) -> tuple[Any, Any]:
    """Averages over the last axis but one, weighted with the pixels; NaN where there are none."""
    weight = np.where(np.isfinite(values), pixels, 0.0)
    total = weight.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(weight * np.where(weight > 0, values, 0.0), axis=-2) / total
        if errors is None:
            return mean, None
        return mean, np.sqrt(np.nansum((weight * errors) ** 2, axis=-2)) / total


def _note_missing_normalisation(group: Any, entry: Any) -> tuple[str, ...]:
    applied = hdf5.member(entry, "normalization_applied")
    if applied is None or bool(np.ravel(applied[()])[0]) or hdf5.member(group, "norm") is not None:
        return ()
    return ("The file says that its intensity is not divided by the number of pixels: it grows with q.",)


def _title(entry: Any) -> str:
    for path in ("title", "sample/name"):
        item = hdf5.member(entry, path)
        if item is not None and getattr(item, "size", 0) == 1 and (text := hdf5.text(item[()])):
            return text
    return ""


# --- Files with a structure: NXcanSAS and other HDF5, CanSAS XML.


def read_hdf5(path: Path, file: str, options: ReadOptions) -> list[RawCurve]:
    """Read NXcanSAS or integrated images (NXazint). Raises DataError if the file holds neither, is damaged,
    or points to other files.
    """
    try:
        with hdf5.open_file(path, file) as opened:
            survey = hdf5.survey(opened)
            raw_curves = _once(scan_hdf5(opened, file, options)) or scan(opened, file, options)
    except hdf5.DAMAGE as error:
        raise hdf5.unreadable(file, error) from error
    if raw_curves:
        return raw_curves
    if survey.elsewhere:
        raise hdf5.not_followed(file, survey.elsewhere)
    if survey.flat:
        raise two_dimensional(file)
    raise DataError(
        f"{file}: the HDF5 file holds no 1D SASdata (NXcanSAS); export the reduced curve{ITS_IMAGES}."
    )


def _once(curves: list[RawCurve]) -> list[RawCurve]:
    """Curves without those that a link gives a second time."""
    different = {(c.title, c.q_unit, c.q.tobytes(), c.intensity.tobytes()): c for c in reversed(curves)}
    return list(reversed(different.values()))


def read_xml(words: str, path: Path, file: str, options: ReadOptions) -> list[RawCurve]:
    """Read CanSAS XML. Raises DataError if the file holds no curve, or too many tags."""
    if words.count("<") > LIMITS.xml_tags:
        raise too_large(file, f"{words.count('<'):,} tags", "CanSAS XML of one measurement")
    if scanned := scan_xml(path, file, options):
        return scanned
    raise DataError(
        f"{file}: the XML file contains no CanSAS 1D data, or it is truncated; export the curve again."
    )
