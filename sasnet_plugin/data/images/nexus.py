"""NeXus, CXI and other HDF5 files: where the images lie, and what the file says of them.

Every kind of image that lies in HDF5 is found here: the images themselves, in the file or in others beside it
that it links to or is put together from, never a map of the detector's faults or sensitivity; the mask of its
bad pixels; wavelength, distance, pixels, beam.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin import units
from sasnet_plugin.data import hdf5
from sasnet_plugin.data.failure import too_large
from sasnet_plugin.data.images.detector_files import KEV_ANGSTROM
from sasnet_plugin.data.images.raw import RawFrame, truncated
from sasnet_plugin.data.images.settings import ImageSettings
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.types import DataError

_SMALLEST = 8
"""Rows and columns below which an array is no image."""
_WAVELENGTH = ("incident_wavelength", "wavelength")
_ENERGY = ("incident_energy", "photon_energy")
_INCIDENCE = ("incident_angle", "incidence_angle", "grazing_angle", "alpha_i")
_DISTANCE = ("distance", "detector_distance")
_PIXEL, _BEAM = ("x_pixel_size", "y_pixel_size"), ("beam_center_x", "beam_center_y")
#: Where CXI has its frames (CXI file format 1.6, F. Maia, Nat. Methods 9 (2012) 854).
_CXI = re.compile(r"entry_\d+/(?:instrument_\d+/detector_\d+|data_\d+|image_\d+)/data")
_MASKS = ("pixel_mask", "mask_shared", "mask", "bad_pixel_mask")
#: Names of what a detector's file holds of its shape besides images, by NXdetector, NXmx, Dectris and CXI.
_NO_IMAGE = re.compile(
    r"mask|flat_?field|dark|gain|bad_?pix|dead|efficien|sensitiv|error|variance|sigma|uncertaint|threshold"
    r"|trim_?bit|countrate|calib|offset|polari[sz]ation|solid_?angle|x_pixel|y_pixel|azimuth|\bq[xyz]?$",
    re.IGNORECASE,
)
#: Joule in a keV: CXI has energies in joule.
_KEV = 1.602176634e-16


@dataclass(frozen=True)
class Stacks:
    """The images of an open file.

    Parameters
    ----------
    arrays : tuple of h5py.Dataset
        Of two dimensions or more, one after the other; the last two are rows and columns.
    bad : (rows, columns) bool array or None
        The file's mask.
    geometry : ImageSettings
        What the file says.
    notes : tuple of str
    """

    arrays: tuple[Any, ...]
    bad: Any
    geometry: ImageSettings
    notes: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """Of frames."""
        return sum(math.prod(one.shape[:-2]) for one in self.arrays)


def read(path: Path, file: str, dataset: str | None = None) -> Generator[RawFrame, None, None]:
    """Frames of an HDF5 file, each read from disk when it is asked for; see `stacks`.

    Raises
    ------
    DataError
        As `stacks`.
    """
    with stacks(path, file, dataset) as found:
        for number, frame in enumerate(frames_of(found), start=1):
            entry = f"frame {number}" if found.number > 1 else ""
            yield RawFrame(frame, entry, found.geometry, found.bad, found.notes)


def holds_images(path: Path) -> bool:
    """Whether an HDF5 file has images or names files that may."""
    try:
        with hdf5.opened(path, str(path)) as opened:
            if _default(opened) is not None or _largest(opened) is not None:
                return True
            found, missing = hdf5.beside(opened, path, str(path))
            return bool(found or missing)
    except (DataError, *hdf5.DAMAGE):
        return False


def frames_of(found: Stacks) -> Iterator[Any]:
    """(rows, columns) arrays, one after the other, each read when it is asked for."""
    for array in found.arrays:
        for at in np.ndindex(array.shape[:-2]):
            yield np.asarray(array[at])


@contextmanager
def stacks(path: Path, file: str, dataset: str | None = None) -> Iterator[Stacks]:
    """The images of an HDF5 file while it is open.

    They are those of ``dataset``, or of the default NXdata's ``signal``, or of CXI's entry, or else the data
    set with the most values that has at least two dimensions and no name of a mask, flat field or the like.
    Where there is none, they are those in files of the same folder that it links to, as in Dectris'
    ``_master.h5``.

    Parameters
    ----------
    path : Path
    file : str
        Its name in messages.
    dataset : str or None
        Path of the images within the file.

    Raises
    ------
    DataError
        The file is damaged, holds no image where one was looked for, or one that it links to is missing.
    """
    try:
        with hdf5.opened(path, file) as opened, ExitStack() as others:
            found = _named(opened, dataset, file) if dataset else _default(opened) or _largest(opened)
            if found is not None:
                arrays, notes = _with_sources(found, path, file)
            else:
                arrays, notes = _linked(opened, path, file, dataset, others)
            shapes = {one.shape[-2:] for one in arrays}
            if len(shapes) > 1:
                raise DataError(f"{file}: its images have different shapes; give their path as dataset.")
            each = Stacks(tuple(arrays), _pixel_mask(opened, arrays[0]), _geometry(opened, arrays[0]), notes)
            for one in arrays:
                _check_size(one, file, each.number)
            yield each
    except hdf5.DAMAGE as error:
        raise truncated(file) from error


def _with_sources(found: Any, path: Path, file: str) -> tuple[list[Any], tuple[str, ...]]:
    """An array, if the files that it is put together from are there."""
    lost = hdf5.lost_sources(found, path, file) if found.is_virtual else []
    if lost:
        raise _lost(file, lost)
    return [found], ()


def _lost(file: str, names: list[str]) -> DataError:
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return DataError(
        f"{file}: its images lie in {listed}, which is not beside it; copy the file of the data into the same"
        " folder."
    )


def _linked(
    opened: Any, path: Path, file: str, dataset: str | None, others: ExitStack
) -> tuple[list[Any], tuple[str, ...]]:
    """Stacks of images in files beside; those are closed with `others`."""
    found, missing = hdf5.beside(opened, path, file)
    arrays = []
    for name, (target, within) in found.items():
        if dataset in (None, name, name[1:]):
            arrays.append(hdf5.member(others.enter_context(hdf5.opened(target, str(target))), within))
            if not _is_image(arrays[-1]):
                raise DataError(
                    f"{file}: {name} in {target.name} is no stack of images; copy that file again."
                )
    lost = [target for name, target in missing.items() if dataset in (None, name, name[1:])]
    if arrays:
        if not lost:
            return arrays, ()
        return arrays, (f"Frames are missing: {', '.join(lost)}, which the file names, is not beside it.",)
    if lost:
        raise _lost(file, lost)
    if dataset and dataset not in opened:
        raise DataError(f"{file}: there is no dataset {dataset!r} in the file; check its path.")
    if _events(opened):
        raise DataError(
            f"{file}: it holds neutrons by their time of flight, not yet reduced; reduce them with Mantid or"
            " esssans, and give the NXcanSAS file."
        )
    elsewhere = dataset or hdf5.survey(opened).elsewhere
    if elsewhere:
        raise hdf5.not_followed(file, elsewhere)
    raise DataError(f"{file}: the HDF5 file holds no 2D image; give its path within the file as dataset.")


def _events(opened: Any) -> bool:
    """Whether a file holds neutrons by time of flight: ISIS' counts by spectrum and time, ESS' events."""
    for name, item in hdf5.below(opened, 6):
        if name in ("event_id", "event_time_offset", "time_of_flight"):
            return True
        if hdf5.text(item.attrs.get("NX_class", "")) == "NXevent_data":
            return True
    return False


def _check_size(found: Any, file: str, number: int) -> None:
    """See that there are as many pixels and frames as detectors give, and that they are there."""
    rows, columns = found.shape[-2:]
    if rows * columns > LIMITS.pixels or number > LIMITS.frames:
        raise too_large(
            file, f"{number} frames of {rows} x {columns} pixels", "the images of one measurement"
        )
    if hdf5.hollow(found):
        raise DataError(f"{file}: its images take up no room in the file; it is cut short, copy it again.")


def _is_image(item: Any) -> bool:
    import h5py

    return (
        isinstance(item, h5py.Dataset)
        and item.ndim >= 2
        and min(item.shape[-2:]) >= _SMALLEST
        and math.prod(item.shape) > 0
        and item.dtype.kind in "iuf"
        and (item.is_virtual or not hdf5.outside(item))
        and not _by_time(item)
    )


def _by_time(item: Any) -> bool:
    """Whether the last dimension is a time of flight, as of raw data of pulsed sources."""
    axis = hdf5.member(item.parent, "time_of_flight")
    return axis is not None and axis.ndim == 1 and axis.shape[0] - item.shape[-1] in (0, 1)


def _named(opened: Any, dataset: str, file: str) -> Any:
    item = hdf5.member(opened, dataset)
    if item is not None and not _is_image(item):
        raise DataError(
            f"{file}: dataset {dataset!r} is no 2D image; give the path of the detector's counts."
        )
    return item


def _default(opened: Any) -> Any:
    """The signal of the default NXdata (NeXus manual, "Find the default plottable data")."""
    group = opened
    for _ in range(4):
        name = group.attrs.get("default")
        following = None if name is None else hdf5.member(group, hdf5.text(name))
        if following is None:
            break
        group = following
    candidates = [group]
    opened.visititems(lambda _, item: candidates.append(item) if _is_nxdata(item) else None)
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
    found: list[Any] = []

    def visit(name: str, item: Any) -> None:
        within, _, last = name.rpartition("/")
        if _is_image(item) and not _NO_IMAGE.search(last) and "detectorSpecific" not in within:
            found.append(item)

    opened.visititems(visit)
    return max(found, key=lambda item: (bool(_CXI.search(item.name)), math.prod(item.shape)), default=None)


def _pixel_mask(opened: Any, image: Any) -> Any:
    """The mask of an image's shape: any bit set leaves the pixel out. The one beside the image goes first."""
    shape = image.shape[-2:]
    named = [
        item
        for item in _datasets(opened)
        if item.name.rpartition("/")[2] in _MASKS and item.shape == shape and item.dtype.kind in "biu"
    ]
    if not named:
        return None
    return np.asarray(min(named, key=lambda item: _apart(item, image))[()]) != 0


def _apart(item: Any, image: Any) -> tuple[bool, bool]:
    """How far what a file says is from the image it is said of: beside it, at a detector, elsewhere."""
    place = item.name.rpartition("/")[0]
    return place != image.parent.name, "detector" not in place.lower()


def _geometry(opened: Any, image: Any) -> ImageSettings:
    """What NXbeam, NXmonochromator, NXdetector and NXsample say, or CXI's source and detector."""
    values: dict[str, tuple[tuple[bool, bool], float, str]] = {}
    for item in _datasets(opened):
        name = item.name.rpartition("/")[2]
        if item.dtype.kind not in "iuf" or not 1 <= item.size <= LIMITS.frames:
            continue
        apart = _apart(item, image)
        # Slits and samples have distances, too.
        if name in (*_DISTANCE, *_PIXEL, *_BEAM) and apart == (True, True):
            continue
        if name in values and values[name][0] <= apart:
            continue
        number = _scaled(name, float(np.ravel(item[(0,) * item.ndim])[0]), item)
        if number is not None and np.isfinite(number):
            values[name] = apart, number, hdf5.text(item.attrs.get("units", ""))
    said = {name: number for name, (_, number, _) in values.items()}
    wavelength, energy = _first(said, _WAVELENGTH), _first(said, _ENERGY)
    if energy is None and _CXI.search(image.name):
        energy = _cxi_energy(opened, image)
    if wavelength is None and energy:
        wavelength = KEV_ANGSTROM / energy
    width, height = (said.get(name) for name in _PIXEL)
    height = height or (width if _CXI.search(image.name) else None)
    beam = [_in_pixels(values.get(name), size) for name, size in zip(_BEAM, (width, height), strict=True)]
    return ImageSettings(
        wavelength=wavelength,
        alpha_i=_first(said, _INCIDENCE),
        distance=_first(said, _DISTANCE),
        pixel_size=(width, height) if width and height else None,
        direct_beam=(beam[0], beam[1]) if beam[0] and beam[1] else None,
        saturation=said.get("saturation_value"),
    )


def _cxi_energy(opened: Any, image: Any) -> float | None:
    """keV of CXI's joule."""
    item = hdf5.member(opened, f"{image.name.split('/')[1]}/instrument_1/source_1/energy")
    value = float(np.ravel(item[()])[0]) if getattr(item, "size", 0) else 0.0
    return value / _KEV if value > 0 else None


def _in_pixels(said: tuple[Any, float, str] | None, size: float | None) -> float | None:
    """A beam's place in pixels; NeXus has it in pixels or as a length."""
    if said is None:
        return None
    unit = units.canonical(said[2], "length") if said[2] else None
    if unit is None:
        return said[1]
    return said[1] * units.FACTORS["length"][unit] / units.FACTORS["length"]["mm"] / size if size else None


def _scaled(name: str, value: float, item: Any) -> float | None:
    """The value in our units, None where the name is of no use or its unit unknown."""
    unit = hdf5.text(item.attrs.get("units", ""))
    if name in _WAVELENGTH:
        factor = units.FACTORS["length"].get(units.canonical(unit or "Å", "length") or "")
    elif name in (*_DISTANCE, *_PIXEL):
        # NeXus leaves the unit to the file; Dectris and most others write metres.
        factor = units.FACTORS["length"].get(units.canonical(unit or "m", "length") or "")
        factor = None if factor is None else factor / units.FACTORS["length"]["mm"]
    elif name in _INCIDENCE:
        factor = units.FACTORS["angle"].get(units.canonical(unit or "degrees", "angle") or "")
    elif name in _ENERGY:
        factor = {"": 1e-3, "ev": 1e-3, "kev": 1.0}.get(unit.lower())
    elif name in (*_BEAM, "saturation_value"):
        factor = 1.0
    else:
        return None
    return None if factor is None or value <= 0 else value * factor


def _first(values: dict[str, float], names: tuple[str, ...]) -> float | None:
    return next((values[name] for name in names if name in values), None)


def _datasets(opened: Any) -> list[Any]:
    import h5py

    found: list[Any] = []

    def visit(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not hdf5.outside(item):
            found.append(item)

    opened.visititems(visit)
    return found
