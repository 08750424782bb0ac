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

from ...data import hdf5, links
from ...data.failure import too_large
from ...data.limits import LIMITS
from ...types import DataError
from .nexus_geometry import CXI, geometry_of, pixel_mask
from .raw import RawFrame, make_truncation_error
from .settings import ImageSettings

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
            linked, missing = links.resolve_external_links(opened, path, str(path))
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
    lost = links.find_lost_sources(array, path, file) if array.is_virtual else []
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
    linked, missing = links.resolve_external_links(opened, path, file)
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
