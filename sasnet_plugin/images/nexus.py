"""What image files say: NeXus, CXI and other HDF5, headers, and the user's settings over them.

Every kind of image that lies in HDF5 is found here: the images themselves, in the file or in others beside it
that it links to or is put together from, never a map of the detector's faults or sensitivity; the mask of its
bad pixels; wavelength, distance, pixels, beam.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import units
from ..data import hdf5
from ..data.advice import SETTINGS_GIVEN
from ..data.limits import LIMITS, too_large
from ..data.toml_files import (
    check_limits,
    numbers_of,
    parse_assignments,
    parse_settings,
    read_sidecar_settings,
)
from ..types import DataError

# --- What a file, its TOML neighbour or the user says about an image; values in a wrong unit are
# --- refused.

Pair = tuple[float, float]
_FLAT = ("beam", "sample")


@dataclass(frozen=True)
class ImageSettings:
    """Settings of one image; None (or empty) where nothing is said.

    Columns and rows are those of the file, counted from 0, whole numbers at the pixels' centres.

    Parameters
    ----------
    wavelength : float or None
        Å.
    alpha_i : float or None
        Angle of incidence, degrees.
    phi : (float, float) or None
        In-plane exit angle of the first and the last column (their centres), degrees.
    alpha_f : (float, float) or None
        Exit angle of the first and the last row (their centres), degrees.
    distance : float or None
        Sample to detector, mm.
    pixel_size : (float, float) or None
        Width and height of a pixel, mm.
    direct_beam : (float, float) or None
        Column and row of the direct beam.
    specular_beam : (float, float) or None
        Column and row of the specularly reflected beam.
    perpendicular_to : str or None
        What a flat detector is perpendicular to: the direct ``beam`` (None means this), or the ``sample``'s
        surface line along the beam.
    up : str or None
        The side of the picture (first row on top) that the surface normal points to: ``top``, ``bottom``,
        ``left`` or ``right``.
    mirror : bool or None
        The picture is a mirror image: phi falls where it would rise from left to right.
    mask : tuple of (float, float, float, float)
        Rectangles to leave out: first column, first row, last column, last row.
    mask_file : str or None
        An image of the same shape, not zero where a pixel is to be left out.
    beamstop : (float, float, float) or None
        Circle to leave out: column, row, radius in pixels.
    saturation : float or None
        Counts from which on a pixel is saturated.
    dataset : str or None
        Path of the images within an HDF5 file.
    """

    wavelength: float | None = None
    alpha_i: float | None = None
    phi: Pair | None = None
    alpha_f: Pair | None = None
    distance: float | None = None
    pixel_size: Pair | None = None
    direct_beam: Pair | None = None
    specular_beam: Pair | None = None
    perpendicular_to: str | None = None
    up: str | None = None
    mirror: bool | None = None
    mask: tuple[tuple[float, ...], ...] = ()
    mask_file: str | None = None
    beamstop: tuple[float, float, float] | None = None
    saturation: float | None = None
    dataset: str | None = None


_SIZES = {"phi": 2, "alpha_f": 2, "direct_beam": 2, "specular_beam": 2, "pixel_size": 2, "beamstop": 3}


def read_toml(path: Path) -> ImageSettings:
    """Read the TOML files next to an image. Raises DataError for invalid TOML, an unknown key or value."""
    return read_sidecar_settings(path, from_table)


def from_table(table: dict[str, Any], file: str) -> ImageSettings:
    """Make settings from names and values; DataError names ``file`` and what is wrong."""
    special = {"mask": _rectangles, "perpendicular_to": _flat_detector}
    return parse_settings(ImageSettings, table, file, _SIZES, special=special)


def from_options(texts: Sequence[str]) -> ImageSettings:
    """Make settings from texts ``name=value``; errors as `from_table`, or for a text without a value."""
    return from_table(parse_assignments(texts, "alpha_i=0.2"), str(SETTINGS_GIVEN))


def _flat_detector(value: Any, file: str) -> Any:
    if value not in _FLAT:
        raise DataError(f"{file}: perpendicular_to is {value!r}; use one of {', '.join(_FLAT)}.")
    return value


def _rectangles(value: Any, file: str) -> tuple[tuple[float, ...], ...]:
    rows = value if isinstance(value, list | tuple) else []
    rows = [rows] if rows and not isinstance(rows[0], list | tuple) else rows
    expectation = "rectangles [first column, first row, last column, last row]"
    if not rows:
        raise DataError(f"{file}: mask is {value!r}; give {expectation}.")
    return tuple(numbers_of("mask", row, 4, file, expectation) for row in rows)


# name -> (lowest, highest, unit); GISAS of X-rays and neutrons, laboratory to synchrotron.
_LIMITS = {
    "wavelength": (0.3, 30.0, "Å"),
    "alpha_i": (0.02, 10.0, "degrees"),
    "distance": (20.0, 60_000.0, "mm"),
    "pixel_size": (0.002, 20.0, "mm"),
}
_SMALLEST_SPAN = 0.1
_LARGEST_ANGLE = 90.0
_RADIANS = 57.29577951308232


def check_units(settings: ImageSettings, file: str) -> None:
    """Raise DataError for values that must be in another unit, with the unit and what to write instead."""
    for name, limits in _LIMITS.items():
        for value in _numbers_in(getattr(settings, name)):
            check_limits(name, value, limits, file)
    for name in ("phi", "alpha_f"):
        span = getattr(settings, name)
        if span is not None:
            _check_span(name, span, file)


def _check_span(name: str, span: tuple[float, float], file: str) -> None:
    first, last = span
    if first == last:
        raise DataError(f"{file}: {name} is the same at both ends; give its first and last value in degrees.")
    if abs(last - first) < _SMALLEST_SPAN:
        raise DataError(
            f"{file}: {name} = [{first:g}, {last:g}] looks like radians, but degrees are meant;"
            f" give {name} = [{first * _RADIANS:.4g}, {last * _RADIANS:.4g}]."
        )
    if max(abs(first), abs(last)) > _LARGEST_ANGLE:
        raise DataError(
            f"{file}: {name} = [{first:g}, {last:g}] goes beyond {_LARGEST_ANGLE:g} degrees; correct it."
        )


def _numbers_in(value: Any) -> tuple[float, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


# --- What headers of detectors' own files say about the geometry: Dectris, EDF, SMV, MarCCD,
# --- SAXSLAB.

_NUMBER = r"([-+]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)"
_LINE, HEADER = 200, 20_000
"""Characters of a line, and of a whole header, that are looked at."""

KEV_ANGSTROM = 12.398419843320026
"""hc in keV Å (CODATA 2018): the wavelength is this over the energy."""


def dectris(text: str) -> ImageSettings:
    """Read settings from a Dectris TIFF or CBF header (DECTRIS, "PILATUS CBF header specification" 1.4),
    without defaults that a beamline left, such as ``Beam_xy (0.00, 0.00)``.
    """
    text = "\n".join(line[:_LINE] for line in text[:HEADER].splitlines())
    width = _find(text, rf"Pixel_size[\s:=]+{_NUMBER}\s*(\w+)\s*x\s*{_NUMBER}\s*(\w+)")
    beam = _find(text, rf"Beam_xy[\s:=]*\(?\s*{_NUMBER}\s*,\s*{_NUMBER}")
    distance = _find(text, rf"Detector_distance[\s:=]+{_NUMBER}\s*(\w+)")
    cutoff = _find(text, rf"Count_cutoff[\s:=]+{_NUMBER}")
    incidence = _find(text, rf"(?:Incident_angle|Incidence_angle|Alpha_i)[\s:=]+{_NUMBER}")
    return ImageSettings(
        wavelength=_wavelength(text),
        alpha_i=_positive(float(incidence[0])) if incidence else None,
        distance=_length(*distance) if distance else None,
        pixel_size=_pair(_length(width[0], width[1]), _length(width[2], width[3])) if width else None,
        direct_beam=_beam(float(beam[0]), float(beam[1])) if beam else None,
        saturation=_positive(float(cutoff[0])) if cutoff else None,
    )


def _wavelength(text: str) -> float | None:
    match = _find(text, rf"Wavelength[\s:=]+{_NUMBER}\s*(\w*)")
    if match and float(match[0]) > 0:
        return float(match[0]) * {"nm": 10.0}.get(match[1], 1.0)
    energy = _find(text, rf"(?:Photon_energy|X-ray_energy|Energy)[\s:=]+{_NUMBER}\s*(k?eV)")
    if energy and float(energy[0]) > 0:
        return KEV_ANGSTROM / (float(energy[0]) * (1e-3 if energy[1] == "eV" else 1.0))
    return None


def edf(header: Mapping[str, Any]) -> ImageSettings:
    """ImageSettings of an EDF header in the ESRF's SAXS convention."""
    # ``WaveLength``, ``SampleDistance``, ``PSize_1/2`` are in m, ``Center_1/2`` in pixels whose edge is at 0
    # (P. Boesecke, J. Appl. Cryst. 40 (2007) s423).
    values = {str(key).lower(): _float(value) for key, value in header.items()}
    wavelength, distance = _positive(values.get("wavelength")), _positive(values.get("sampledistance"))
    width, height = _positive(values.get("psize_1")), _positive(values.get("psize_2"))
    column, row = values.get("center_1"), values.get("center_2")
    return ImageSettings(
        wavelength=_times(wavelength, 1e10),
        alpha_i=_positive(values.get("alpha_i") or values.get("incidenceangle")),
        distance=_times(distance, 1000.0),
        pixel_size=_pair(_times(width, 1000.0), _times(height, 1000.0)),
        direct_beam=None if column is None or row is None else _beam(column - 0.5, row - 0.5),
    )


def smv(header: Mapping[str, Any]) -> ImageSettings:
    """ImageSettings of an SMV header (ADSC): Å, mm; the beam's place is a length from the first pixel."""
    values = {str(key).upper(): _positive(_float(value)) for key, value in header.items()}
    size = values.get("PIXEL_SIZE")
    column, row = (values.get(f"BEAM_CENTER_{axis}") for axis in "XY")
    return ImageSettings(
        wavelength=values.get("WAVELENGTH"),
        distance=values.get("DISTANCE"),
        pixel_size=_pair(size, size),
        direct_beam=_beam(column / size, row / size) if column and row and size else None,
    )


#: Of MarCCD's header, by its documentation: where it begins in the TIFF, and where in it whole numbers stand:
#: order of bytes, columns, rows; µm to the detector and the beam in thousandths of a pixel; nm; fm.
_MAR, _MAR_BYTES = 1024, 1024
_MAR_ORDER, _MAR_SHAPE, _MAR_PLACE, _MAR_PIXEL, _MAR_WAVELENGTH = 28, 80, 640, 772, 908


def marccd(start: bytes, shape: tuple[int, int]) -> ImageSettings | None:
    """Read settings from MarCCD's header in a TIFF's first 2048 bytes; None for other files."""
    block = start[_MAR : _MAR + _MAR_BYTES]
    if len(block) < _MAR_BYTES:
        return None
    order = next((o for o in "<>" if struct.unpack_from(f"{o}I", block, _MAR_ORDER)[0] in (1234, 4321)), None)
    if order is None or struct.unpack_from(f"{order}II", block, _MAR_SHAPE) != shape[::-1]:
        return None
    distance, column, row = struct.unpack_from(f"{order}3i", block, _MAR_PLACE)
    width, height = struct.unpack_from(f"{order}2i", block, _MAR_PIXEL)
    (wavelength,) = struct.unpack_from(f"{order}i", block, _MAR_WAVELENGTH)
    return ImageSettings(
        wavelength=_positive(wavelength / 1e5),
        distance=_positive(distance / 1e3),
        pixel_size=_pair(width / 1e6, height / 1e6),
        direct_beam=_beam(column / 1e3, row / 1e3),
    )


def saxslab(start: bytes) -> ImageSettings | None:
    """Read settings, Å, mm and pixels, from the XML in TIFF files of SAXSLAB and Xenocs; None for others."""
    # The beam's row precedes its column; `start` has `HEADER` bytes.
    text = start.decode("latin-1")
    if "<SAXSLABparameters>" not in text:
        return None

    def find_pair(name: str) -> tuple[float, float]:
        match = _find(text, rf'name="{name}">\s*{_NUMBER}\s*{_NUMBER}?\s*<') or ("0", "0")
        return float(match[0]), float(match[1] or 0)

    row, column = find_pair("beamcenter_actual")
    return ImageSettings(
        wavelength=_positive(find_pair("wavelength")[0]),
        distance=_positive(find_pair("detector_dist")[0]),
        pixel_size=_pair(*find_pair("pixelsize")),
        direct_beam=_beam(column, row),
    )


def _find(text: str, pattern: str) -> tuple[str, ...] | None:
    match = re.search(pattern, text)
    return match.groups() if match else None


def _length(number: str, unit: str) -> float | None:
    value, factor = _positive(_float(number)), _factor(unit, "length", "mm")
    return value * factor if value and factor else None


def _float(value: Any) -> float | None:
    match = re.match(rf"\s*{_NUMBER}", str(value))
    return float(match[1]) if match else None


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _pair(first: float | None, second: float | None) -> tuple[float, float] | None:
    return None if not first or not second else (first, second)


def _beam(column: float, row: float) -> tuple[float, float] | None:
    """Read the beam's place; None for (0, 0), which nobody has written."""
    return None if abs(column) <= 0.5 and abs(row) <= 0.5 else (column, row)


# --- What a reader found, before anything is turned, masked or converted: one frame as it stands in
# --- the file.


@dataclass(frozen=True)
class RawFrame:
    """One frame of a file."""

    values: NDArray[Any]  #: (rows, columns), as stored, first row first, in the file's own type of number.
    entry: str = ""  #: The frame's title within the file; empty where it holds one.
    geometry: ImageSettings = ImageSettings()  #: What the file's header says.
    #: (rows, columns), the file's own mask, True where a pixel is to be left out.
    bad: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()  #: Plain sentences about what the reader did.


def make_truncation_error(file: str) -> DataError:
    return DataError(f"{file}: the file is damaged or cut short; copy it again from its source.")


def not_an_image(file: str, shape: tuple[int, ...]) -> DataError:
    """The error for values that are no picture of rows and columns of counts."""
    if len(shape) == 3 and shape[-1] in (3, 4):
        return DataError(f"{file}: this is a colour picture; give the detector's own counts.")
    size = " x ".join(str(length) for length in shape) or "a single number"
    return DataError(f"{file}: it contains {size} values, not rows and columns of counts; give a 2D image.")


# --- What NeXus, CXI and other HDF5 files say of their images: mask, wavelength, distance, pixels,
# --- beam.

_WAVELENGTH = ("incident_wavelength", "wavelength")
_ENERGY = ("incident_energy", "photon_energy")
_INCIDENCE = ("incident_angle", "incidence_angle", "grazing_angle", "alpha_i")
_DISTANCE = ("distance", "detector_distance")
_PIXEL, _BEAM = ("x_pixel_size", "y_pixel_size"), ("beam_center_x", "beam_center_y")
#: Where CXI has its frames (CXI file format 1.6, F. Maia, Nat. Methods 9 (2012) 854).
CXI = re.compile(r"entry_\d+/(?:instrument_\d+/detector_\d+|data_\d+|image_\d+)/data")
_MASKS = ("pixel_mask", "mask_shared", "mask", "bad_pixel_mask")
#: Joule in a keV: CXI has energies in joule.
_KEV = 1.602176634e-16


def pixel_mask(opened: Any, image: Any) -> Any:
    """The mask of an image's shape: any bit set leaves the pixel out. The one beside the image goes first."""
    shape = image.shape[-2:]
    masks = [
        item
        for item in _datasets(opened)
        if item.name.rpartition("/")[2] in _MASKS and item.shape == shape and item.dtype.kind in "biu"
    ]
    if not masks:
        return None
    return np.asarray(min(masks, key=lambda item: _apart(item, image))[()]) != 0


def _apart(item: Any, image: Any) -> tuple[bool, bool]:
    """How far what a file says is from the image it is said of: beside it, at a detector, elsewhere."""
    place = item.name.rpartition("/")[0]
    return place != image.parent.name, "detector" not in place.lower()


def geometry_of(opened: Any, image: Any) -> ImageSettings:
    """What NXbeam, NXmonochromator, NXdetector and NXsample say, or CXI's source and detector."""
    values = _collect_nearest(opened, image)
    numbers = {name: value.number for name, value in values.items()}
    cxi = CXI.search(image.name) is not None
    energy = _first(numbers, _ENERGY)
    width, height = map(numbers.get, _PIXEL)
    if cxi:
        height = height or width
        energy = _cxi_energy(opened, image) if energy is None else energy
    beam = [
        _convert_to_pixels(values.get(name), size) for name, size in zip(_BEAM, (width, height), strict=True)
    ]
    return ImageSettings(
        wavelength=_wavelength_of(_first(numbers, _WAVELENGTH), energy),
        alpha_i=_first(numbers, _INCIDENCE),
        distance=_first(numbers, _DISTANCE),
        pixel_size=_both(width, height),
        direct_beam=_both(*beam),
        saturation=numbers.get("saturation_value"),
    )


class _Said(NamedTuple):
    """How far from the image something is said (`_apart`), its value in our unit, and the file's unit."""

    apart: tuple[bool, bool]
    number: float
    unit: str


def _wavelength_of(stated: float | None, energy: float | None) -> float | None:
    """Å; from the energy, keV, where it is not stated."""
    return KEV_ANGSTROM / energy if stated is None and energy else stated


def _collect_nearest(opened: Any, image: Any) -> dict[str, _Said]:
    values: dict[str, _Said] = {}
    for item in _datasets(opened):
        name, apart = item.name.rpartition("/")[2], _apart(item, image)
        if _is_of_others(name, apart) or (name in values and values[name].apart <= apart):
            continue
        if (number := _number(name, item)) is not None:
            values[name] = _Said(apart, number, hdf5.text(item.attrs.get("units", "")))
    return values


def _is_of_others(name: str, apart: tuple[bool, bool]) -> bool:
    """Whether a place or a size is far from the image: slits and samples have distances, too."""
    return name in (*_DISTANCE, *_PIXEL, *_BEAM) and apart == (True, True)


def _both(first: float | None, second: float | None) -> tuple[float, float] | None:
    return (first, second) if first and second else None


def _cxi_energy(opened: Any, image: Any) -> float | None:
    """keV of CXI's joule."""
    item = hdf5.member(opened, f"{image.name.split('/')[1]}/instrument_1/source_1/energy")
    value = float(np.ravel(item[()])[0]) if getattr(item, "size", 0) else 0.0
    return value / _KEV if value > 0 else None


def _convert_to_pixels(value: _Said | None, size: float | None) -> float | None:
    """A beam's place in pixels; NeXus has it in pixels or as a length."""
    if value is None:
        return None
    factor = _factor(value.unit, "length", "mm") if value.unit else None
    if factor is None:
        return value.number
    return value.number * factor / size if size else None


def _factor(unit: str, quantity: str, target_unit: str) -> float | None:
    """Return the factor from one unit to another; None if unknown."""
    name, factors = units.canonical(unit, quantity), units.FACTORS[quantity]
    return None if name is None else factors[name] / factors[target_unit]


#: Names, what they are, the unit where the file has none, and ours. NeXus leaves that of lengths to the file;
#: Dectris and most others write metres.
_UNITS = (
    (_WAVELENGTH, "length", "Å", "Å"),
    ((*_DISTANCE, *_PIXEL), "length", "m", "mm"),
    (_INCIDENCE, "angle", "degrees", "degrees"),
)


def _factor_of(name: str, unit: str) -> float | None:
    """Return the factor from a unit to ours by the name; None if the name is unused or the unit unknown."""
    if name in (*_BEAM, "saturation_value"):
        return 1.0
    if name in _ENERGY:
        return {"": 1e-3, "ev": 1e-3, "kev": 1.0}.get(unit.lower())
    for names, quantity, usual, target_unit in _UNITS:
        if name in names:
            return _factor(unit or usual, quantity, target_unit)
    return None


def _number(name: str, item: Any) -> float | None:
    if item.dtype.kind not in "iuf" or not 1 <= item.size <= LIMITS.frames:
        return None
    factor = _factor_of(name, hdf5.text(item.attrs.get("units", "")))
    if factor is None:
        return None
    value = float(np.ravel(item[(0,) * item.ndim])[0])
    return value * factor if 0 < value < np.inf else None


def _first(values: dict[str, float], names: tuple[str, ...]) -> float | None:
    return next((values[name] for name in names if name in values), None)


def _datasets(opened: Any) -> list[Any]:
    import h5py

    items = (item for _, item in hdf5.own_items(opened))
    return [item for item in items if isinstance(item, h5py.Dataset) and not hdf5.is_outside(item)]


# --- NeXus, CXI and other HDF5 files: where the images lie, and what the file says of them.

_SMALLEST = 8
"""Rows and columns below which an array is no image."""
#: Names of what a detector's file holds of its shape besides images, by NXdetector, NXmx, Dectris and CXI.
_NO_IMAGE = re.compile(
    r"mask|flat_?field|dark|gain|bad_?pix|dead|efficien|sensitiv|error|variance|sigma|uncertaint|threshold"
    r"|trim_?bit|countrate|calib|offset|polari[sz]ation|solid_?angle|x_pixel|y_pixel|azimuth|\bq[xyz]?$",
    re.IGNORECASE,
)

#: Names of an axis that no rows or columns of a detector lie along: of curves that were averaged from images
#: already, and of spectra.
_NO_PIXELS = re.compile(
    r"two_?theta|2_?theta|\b(2th|tth|q)\b|scattering.vector|channel|\benergy\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Stacks:
    """The images of an open file."""

    #: Of two dimensions or more, one after the other; the last two are rows and columns.
    arrays: tuple[Any, ...]
    bad: Any  #: (rows, columns) bool array, the file's mask.
    geometry: ImageSettings  #: What the file says.
    notes: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        return sum(math.prod(array.shape[:-2]) for array in self.arrays)


def read(path: Path, file: str, dataset: str | None = None) -> Generator[RawFrame, None, None]:
    """Yield frames of an HDF5 file, each read when asked for; errors as `stacks`."""
    with stacks(path, file, dataset) as opened_stacks:
        for number, frame in enumerate(frames_of(opened_stacks), start=1):
            entry = f"frame {number}" if opened_stacks.number > 1 else ""
            yield RawFrame(frame, entry, opened_stacks.geometry, opened_stacks.bad, opened_stacks.notes)


def holds_images(path: Path) -> bool:
    """Whether an HDF5 file has images or names files that may."""
    try:
        with hdf5.open_file(path, str(path)) as opened:
            if _default(opened) is not None or _largest(opened) is not None:
                return True
            linked, missing = hdf5.resolve_external_links(opened, path, str(path))
            return bool(linked or missing)
    except (DataError, *hdf5.DAMAGE):
        return False


def frames_of(opened_stacks: Stacks) -> Iterator[Any]:
    """(rows, columns) arrays, one after the other, each read when it is asked for."""
    for array in opened_stacks.arrays:
        for index in np.ndindex(array.shape[:-2]):
            yield np.asarray(array[index])


@contextmanager
def stacks(path: Path, file: str, dataset: str | None = None) -> Iterator[Stacks]:
    """Yield the images of an open HDF5 file: ``dataset``, or the default NXdata's ``signal``, CXI's entry, or
    the largest array of two or more dimensions not named as a mask or flat field. Failing that, those it
    links to in its folder, as in Dectris' ``_master.h5``.
    """
    # Raises DataError if it is damaged, has no image, or a linked file is missing.
    try:
        with hdf5.open_file(path, file) as opened, ExitStack() as open_files:
            arrays, notes = _arrays(opened, path, file, dataset, open_files)
            shapes = {array.shape[-2:] for array in arrays}
            if len(shapes) > 1:
                raise DataError(f"{file}: its images have different shapes; give their path as dataset.")
            opened_stacks = Stacks(
                tuple(arrays), pixel_mask(opened, arrays[0]), geometry_of(opened, arrays[0]), notes
            )
            for array in arrays:
                _check_size(array, file, opened_stacks.number)
            yield opened_stacks
    except hdf5.DAMAGE as error:
        raise make_truncation_error(file) from error


def _check_sources(array: Any, path: Path, file: str) -> tuple[list[Any], tuple[str, ...]]:
    """An array, if the files that it is put together from are there."""
    lost = hdf5.find_lost_sources(array, path, file) if array.is_virtual else []
    if lost:
        raise _make_lost_error(file, lost)
    return [array], ()


def _make_lost_error(file: str, names: list[str]) -> DataError:
    names = list(dict.fromkeys(names))
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    are, files = ("is", "file") if len(names) == 1 else ("are", "files")
    return DataError(
        f"{file}: its images are in {listed}, which {are} not in its folder; copy the {files} of the"
        f" data there."
    )


def _arrays(
    opened: Any, path: Path, file: str, dataset: str | None, open_files: ExitStack
) -> tuple[list[Any], tuple[str, ...]]:
    """Stacks of images in a file, or else in files beside; and notes on them."""
    array = _find_named(opened, dataset, file) if dataset else _default(opened) or _largest(opened)
    if array is not None:
        return _check_sources(array, path, file)
    return _open_linked(opened, path, file, dataset, open_files)


def _open_linked(
    opened: Any, path: Path, file: str, dataset: str | None, open_files: ExitStack
) -> tuple[list[Any], tuple[str, ...]]:
    linked, missing = hdf5.resolve_external_links(opened, path, file)
    arrays = []
    for name, (target, within) in linked.items():
        if dataset in (None, name, name[1:]):
            linked_file = open_files.enter_context(hdf5.open_file(target, str(target)))
            arrays.append(_stack_beside(linked_file, within, name, target.name, file))
    lost = [target for name, target in missing.items() if dataset in (None, name, name[1:])]
    if not arrays:
        raise _make_lost_error(file, lost) if lost else _no_image(opened, file, dataset)
    missing_frames = f"Frames are missing: the file refers to {', '.join(lost)}, which is not in its folder."
    return arrays, (missing_frames,) if lost else ()


def _stack_beside(opened: Any, within: str, name: str, target_name: str, file: str) -> Any:
    item = hdf5.member(opened, within)
    if not _is_image(item):
        raise DataError(f"{file}: {name} in {target_name} is not a stack of images; copy that file again.")
    return item


def _no_image(opened: Any, file: str, dataset: str | None) -> DataError:
    if dataset and dataset not in opened:
        return DataError(f"{file}: there is no dataset {dataset!r} in the file; check its path.")
    if _events(opened):
        return DataError(
            f"{file}: it contains unreduced time-of-flight data; reduce them with Mantid or"
            " esssans, and give the NXcanSAS file."
        )
    if _is_made_of_images(opened):
        return DataError(
            f"{file}: it contains curves or spectra that were reduced from images; give the detector frames."
        )
    elsewhere = dataset or hdf5.survey(opened).elsewhere
    if elsewhere:
        return hdf5.not_followed(file, elsewhere)
    return DataError(f"{file}: the HDF5 file holds no 2D image; give its path within the file as dataset.")


def _is_made_of_images(opened: Any) -> bool:
    """Whether a file holds arrays shaped as images whose axes are no pixels."""
    return any(_looks_like_images(item) and _has_other_axis(item) for _, item in hdf5.walk_members(opened, 6))


def _events(opened: Any) -> bool:
    """Whether a file holds neutrons by time of flight: ISIS' counts by spectrum and time, ESS' events."""
    for name, item in hdf5.walk_members(opened, 6):
        if name in ("event_id", "event_time_offset", "time_of_flight"):
            return True
        if hdf5.text(item.attrs.get("NX_class", "")) == "NXevent_data":
            return True
    return False


def _check_size(array: Any, file: str, number: int) -> None:
    """See that there are as many pixels and frames as detectors give, and that they are there."""
    rows, columns = array.shape[-2:]
    if rows * columns > LIMITS.pixels or number > LIMITS.frames:
        raise too_large(
            file, f"{number} frames of {rows} x {columns} pixels", "the images of one measurement"
        )
    if hdf5.hollow(array):
        raise DataError(f"{file}: the file contains no image data, so it is truncated; copy it again.")


def _is_image(item: Any) -> bool:
    return _looks_like_images(item) and not _has_other_axis(item)


def _looks_like_images(item: Any) -> bool:
    """Whether a data set has the shape and the numbers of images."""
    import h5py

    if not isinstance(item, h5py.Dataset) or item.ndim < 2 or item.dtype.kind not in "iuf":
        return False
    large = min(item.shape[-2:]) >= _SMALLEST and math.prod(item.shape) > 0
    return large and _is_here(item) and not _is_by_time(item)


def _is_here(item: Any) -> bool:
    """Whether values are in the file, or in those that a virtual data set names."""
    return item.is_virtual or not hdf5.is_outside(item)


def _is_by_time(item: Any) -> bool:
    """Whether the last dimension is a time of flight, as of raw data of pulsed sources."""
    axis = hdf5.member(item.parent, "time_of_flight")
    return axis is not None and axis.ndim == 1 and axis.shape[0] - item.shape[-1] in (0, 1)


def _has_other_axis(item: Any) -> bool:
    """Whether an axis beside says that the last dimension is an angle, q or the channel of a spectrum."""
    stated = {hdf5.text(name) for name in np.atleast_1d(item.parent.attrs.get("axes", []))}
    likely = [name for name in item.parent if name in stated or _NO_PIXELS.search(name)]
    return any(_is_axis_of(item, name, hdf5.member(item.parent, name)) for name in likely)


def _is_axis_of(item: Any, name: str, axis: Any) -> bool:
    called = f"{name} {hdf5.text(getattr(axis, 'attrs', {}).get('long_name', ''))}"
    return getattr(axis, "shape", ()) == item.shape[-1:] and bool(_NO_PIXELS.search(called))


def _find_named(opened: Any, dataset: str, file: str) -> Any:
    item = hdf5.member(opened, dataset)
    if item is not None and not _is_image(item):
        raise DataError(
            f"{file}: dataset {dataset!r} is not a 2D image; give the path of the detector's counts."
        )
    return item


def _default(opened: Any) -> Any:
    """The signal of the default NXdata (NeXus manual, "Find the default plottable data")."""
    candidates = [_default_group(opened), *(item for _, item in hdf5.own_items(opened) if _is_nxdata(item))]
    for candidate in candidates:
        signal = candidate.attrs.get("signal")
        item = None if signal is None else hdf5.member(candidate, hdf5.text(signal))
        if _is_image(item):
            return item
    return None


def _is_nxdata(item: Any) -> bool:
    return hdf5.text(item.attrs.get("NX_class", "")) == "NXdata"


def _largest(opened: Any) -> Any:
    """CXI's images, or the data set of the most values whose name is not that of something else."""
    arrays: list[Any] = []
    for name, item in hdf5.own_items(opened):
        within, _, last = name.rpartition("/")
        if _is_image(item) and not _NO_IMAGE.search(last) and "detectorSpecific" not in within:
            arrays.append(item)
    return max(arrays, key=lambda item: (bool(CXI.search(item.name)), math.prod(item.shape)), default=None)


def _default_group(opened: Any) -> Any:
    group = opened
    for _ in range(4):
        name = group.attrs.get("default")
        following = None if name is None else hdf5.member(group, hdf5.text(name))
        if following is None:
            break
        group = following
    return group
