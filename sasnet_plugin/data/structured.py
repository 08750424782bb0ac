"""CanSAS XML and NXcanSAS as they stand in the file; what has another layout is left to sasdata.

sasdata converts units, sorts and drops rows without a word, takes slit lengths for widths, keeps the last of
several frames, and ignores masks.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import re
import warnings
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import units
from ..types import DataError, printable
from . import hdf5, slit_length
from .failure import too_large, too_many
from .limits import LIMITS
from .raw import RawCurve, column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..arrays import Floats

_OPTIONAL = {"Idev": "dintensity", "Qdev": "dq", "dQl": "dxl", "dQw": "dxw"}
_FIELDS = {"Q": "q", "I": "intensity", **_OPTIONAL}


def scan_xml(path: Path, file: str) -> list[RawCurve]:
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
            curve = _xml_curve(data, title, notes, file)
            if curve is not None:
                raw_curves.append(slit_length.add_xml_slit(curve, entry))
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
        etree = import_module("lxml.etree")  # comes with sasdata
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        root = etree.fromstring(path.read_bytes(), parser)
        return root, ("The XML is damaged; only its readable part was used.",)


def _xml_curve(data: Any, title: str, notes: tuple[str, ...], file: str) -> RawCurve | None:
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
    return RawCurve(
        q, intensity, **columns_given, title=title, **_unit(units_of.get("q", "")),
        intensity_unit=units_of.get("intensity", "").strip(), notes=notes,
    )  # fmt: skip


def _see_units_hold(q: Floats, points: Sequence[Any], file: str) -> None:
    """Refuse units of single points that contradict the values: these ascend only as they are written."""
    written = np.array([_float(point.findtext("{*}Q")) for point in points])
    if np.all(np.diff(written) > 0) and not np.all(np.diff(q) > 0):
        raise DataError(
            f"{file}: its points have q in several units that do not agree; give all points in one unit of q."
        )


def _convert_to_unit_of(name: str, values: Floats, units_of: Mapping[str, str]) -> Floats:
    """A resolution in the unit of q, an uncertainty in that of I, where it has one of its own."""
    quantity = _quantity(name)
    texts = (units_of.get(name, ""), units_of.get(quantity, ""))
    own_unit, target_unit = (units.canonical(text[: LIMITS.title], quantity) for text in texts)
    if own_unit is None or target_unit is None or own_unit == target_unit:
        return values
    return values * (units.factor(own_unit, quantity) / units.factor(target_unit, quantity))


def _unit(text: str) -> dict[str, Any]:
    """The unit of q that a file states, or what it says instead; a text of hundreds of characters is none."""
    canonical = units.canonical(text, "q") if text else None
    return {
        "q_unit": canonical,
        "q_unit_unknown": "" if canonical or len(text) >= LIMITS.title else text.strip(),
    }


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def scan_hdf5(file: Any, name: str) -> list[RawCurve]:
    """Read the data sets of a NXcanSAS file in group order. Raises DataError for too many points."""
    import h5py

    return [
        curve
        for _, entry in hdf5.members(file)
        if isinstance(entry, h5py.Group)
        for curve in _entry(entry, name)
    ]


def _entry(entry: Any, name: str) -> list[RawCurve]:
    raw_curves = []
    groups = list(data_groups(entry))
    slits = slit_length.find_hdf5_slit_lengths(entry) if groups else []
    for group in groups:
        count = frames_in(group)
        _see_it_is_short(group, count, name)
        raw_curves += [data_set(group, entry, name, frame, slits) for frame in frame_numbers(group, count)]
    return raw_curves


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
    import h5py

    for _, group in hdf5.members(entry):
        if isinstance(group, h5py.Group):
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


def _optional(group: Any, frame: int | None) -> dict[str, Any]:
    """Uncertainty and resolution as far as they are there, of one frame where there are several."""
    columns: dict[str, Any] = {}
    units_here = {"q": _unit_text(group, "Q"), "intensity": _unit_text(group, "I")}
    for name, key in _names_beside(group).items():
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
    frame: int | None = None,
    slits: Sequence[tuple[str, str]] | None = None,
) -> RawCurve:
    """Read a curve of `data_groups`, or one frame,
    counted from 0; `slits` is `slit_length.find_hdf5_slit_lengths` of
    the entry, to read it only once. Raises DataError if it has more points than a curve can have.
    """
    import h5py

    size, part = _points(group), _part(group, frame)
    title = hdf5.member(entry, "title")
    title = hdf5.text(title[()]) if isinstance(title, h5py.Dataset) and title.size == 1 else ""
    if size > LIMITS.points:
        raise too_many(name, size)
    q = hdf5.member(group, "Q")
    curve = RawCurve(
        q=np.asarray(q[part if q.ndim > 1 else ()], dtype=np.float64),
        intensity=np.asarray(hdf5.member(group, "I")[part], dtype=np.float64),
        **_optional(group, frame),
        title=title if frame is None else f"{title} frame {frame + 1}".strip(),
        **_unit(_unit_text(group, "Q")),
        intensity_unit=_unit_text(group, "I"),
    )
    return slit_length.add_hdf5_slit(
        _exclude_masked(_apply_scaling_factor(curve, group, frame), group, frame),
        slit_length.find_hdf5_slit_lengths(entry) if slits is None else slits,
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


def _exclude_masked(curve: RawCurve, group: Any, frame: int | None) -> RawCurve:
    mask = _values(group, hdf5.text(group.attrs.get("mask", "")) or "mask", frame)
    masked = None if mask is None else np.nan_to_num(mask, nan=1.0) != 0
    if masked is None or not masked.any():
        return curve
    count = int(masked.sum())
    note = f"{count} {'point was' if count == 1 else 'points were'} excluded by the mask of the file."
    return replace(curve.take_rows(np.flatnonzero(~masked)), notes=(*curve.notes, note))


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
            loaded = Loader().load(str(path))
        except Exception:
            return Answer([])
    curves = [curve for data in loaded if (curve := _curve(data)) is not None]
    images = sum(getattr(data, "qx_data", None) is not None for data in loaded)
    sesans = any(getattr(data, "isSesans", False) for data in loaded)
    return Answer(curves, images, sesans)


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
