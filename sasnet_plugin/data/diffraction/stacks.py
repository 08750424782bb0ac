"""Stacks of frames, a block at a time: CXI and other HDF5, numpy arrays, images of detectors' formats."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import DataError
from .. import hdf5
from ..failure import content, too_large
from ..images import formats
from ..images.detector_files import KEV_ANGSTROM
from ..images.raw import not_an_image, truncated
from ..limits import LIMITS
from ..signature import HDF5
from .settings import Setup

_NPY = b"\x93NUMPY"
#: Bytes of frames that are held at once, and frames at most.
_BLOCK_BYTES, _BLOCK = 32 * 2**20, 256
#: Rows and columns below which an array is no image.
SMALLEST = 24
#: Where CXI has its frames (CXI file format 1.6, F. Maia, Nat. Methods 9 (2012) 854).
_CXI = re.compile(r"entry_\d+/(?:instrument_\d+/detector_\d+|data_\d+|image_\d+)/data")
#: Joule in a keV.
_KEV = 1.602176634e-16


@dataclass(frozen=True)
class Block:
    """Some frames of a file, one after the other.

    Parameters
    ----------
    start : int
        Number of the first, from 0.
    frames : (m, rows, columns) array
        As stored.
    bad : (rows, columns) bool array or None
        The file's own mask.
    setup : Setup
        What the file says.
    total : int
        Frames of the file.
    """

    start: int
    frames: NDArray[Any]
    bad: NDArray[np.bool_] | None
    setup: Setup
    total: int


def blocks(path: Path, file: str, dataset: str | None = None, start: int = 0) -> Iterator[Block]:
    """The frames of a file from number `start` on, no more than some megabytes at once.

    Raises
    ------
    DataError
        There is no such file, it is damaged, or it holds no images.
    """
    first = content(path, file, wanted="diffraction images", size=64)
    if first.startswith(HDF5):
        yield from _of_hdf5(path, file, dataset, start)
    elif first.startswith(_NPY):
        yield from _of_numpy(path, file, start)
    else:
        with closing(formats.frames(path, file, dataset)) as frames:
            for number, frame in enumerate(frames):
                values = np.asarray(frame.values)
                if values.ndim != 2 or min(values.shape) < SMALLEST:
                    raise not_an_image(file, values.shape)
                said = frame.geometry
                setup = Setup(
                    said.wavelength,
                    said.distance,
                    said.pixel_size[0] if said.pixel_size else None,
                    said.direct_beam,
                )
                if number >= start:
                    yield Block(number, values[None], frame.bad, setup, 1)


def _of_numpy(path: Path, file: str, start: int) -> Iterator[Block]:
    try:
        stack = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise truncated(file) from error
    _check(stack.shape, stack.dtype, file)
    if stack.ndim == 2 or not stack.flags.c_contiguous:
        yield from _sliced(stack, start, None, Setup())
        return
    # Mapped anew for each block: pages of a map that stays count as this process' memory.
    place, dtype, (total, *shape) = stack.offset, stack.dtype, stack.shape
    del stack
    each = math.prod(shape) * dtype.itemsize
    step = max(1, min(_BLOCK, _BLOCK_BYTES // each))
    for first in range(start, total, step):
        number = min(step, total - first)
        part = np.memmap(path, dtype, "r", place + first * each, (number, *shape))
        yield Block(first, np.array(part), None, Setup(), total)


def _of_hdf5(path: Path, file: str, dataset: str | None, start: int) -> Iterator[Block]:
    try:
        with hdf5.opened(path, file) as opened:
            found = _images(opened, dataset, file)
            _check(found.shape, found.dtype, file)
            if hdf5.hollow(found):
                raise DataError(
                    f"{file}: its images take up no room in the file; it is cut short, copy it again."
                )
            yield from _sliced(found, start, _mask(found), _setup(opened, found))
    except hdf5.DAMAGE as error:
        raise truncated(file) from error


def _check(shape: tuple[int, ...], dtype: Any, file: str) -> None:
    if len(shape) not in (2, 3) or min(shape[-2:]) < SMALLEST or dtype.kind not in "iuf":
        raise not_an_image(file, shape)
    if shape[-1] * shape[-2] > LIMITS.pixels:
        raise too_large(file, f"images of {shape[-2]} x {shape[-1]} pixels", "those of a detector")


def _sliced(stack: Any, start: int, bad: Any, setup: Setup) -> Iterator[Block]:
    total = 1 if stack.ndim == 2 else len(stack)
    each = math.prod(stack.shape[-2:]) * stack.dtype.itemsize
    step = max(1, min(_BLOCK, _BLOCK_BYTES // each))
    for first in range(start, total, step):
        frames = stack[()][None] if stack.ndim == 2 else stack[first : first + step]
        yield Block(first, np.asarray(frames), bad, setup, total)


def _is_stack(item: Any) -> bool:
    import h5py

    return (
        isinstance(item, h5py.Dataset)
        and item.ndim in (2, 3)
        and min(item.shape[-2:]) >= SMALLEST
        and item.dtype.kind in "iuf"
        and not hdf5.outside(item)
    )


def _images(opened: Any, dataset: str | None, file: str) -> Any:
    """The data set that is named, or the CXI entry's, or the one of the most values."""
    if dataset is not None:
        item = hdf5.member(opened, dataset)
        if not _is_stack(item):
            raise DataError(f"{file}: there are no images at {dataset!r} in the file; check its path.")
        return item
    found: list[Any] = []

    def visit(name: str, item: Any) -> None:
        if _is_stack(item) and "mask" not in name.lower():
            found.append(item)

    opened.visititems(visit)
    if not found:
        raise DataError(f"{file}: the HDF5 file holds no images; give their path within it as dataset.")
    return max(found, key=lambda item: (bool(_CXI.search(item.name)), math.prod(item.shape)))


def _mask(found: Any) -> Any:
    """CXI's or NeXus' mask beside the images; any bit leaves the pixel out."""
    for name in ("mask_shared", "mask", "pixel_mask"):
        item = hdf5.member(found.parent, name)
        if item is not None and getattr(item, "shape", ())[-2:] == found.shape[-2:] and len(item.shape) == 2:
            return np.asarray(item[()]) != 0
    return None


def _setup(opened: Any, found: Any) -> Setup:
    """Distance and pixel in metres and the photon energy in joule, where CXI has them."""

    def number(group: Any, name: str, factor: float) -> float | None:
        item = hdf5.member(group, name)
        value = float(np.ravel(item[()])[0]) if getattr(item, "size", 0) else 0.0
        return value * factor if np.isfinite(value) and value > 0 else None

    if not _CXI.search(found.name):
        return Setup()
    energy = number(opened, f"{found.name.split('/')[1]}/instrument_1/source_1/energy", 1 / _KEV)
    parent = found.parent
    return Setup(
        KEV_ANGSTROM / energy if energy else None,
        number(parent, "distance", 1e3),
        number(parent, "x_pixel_size", 1e3),
    )


def frame_number(path: Path, entry: str | None) -> int | None:
    """Number from 0 of the frame that an entry names; None where none is asked for.

    Raises
    ------
    DataError
        It names no frame.
    """
    if entry is None:
        return None
    digits = entry.removeprefix("frame").strip()
    if not digits.isdigit() or int(digits) < 1:
        raise DataError(f"{path}: there is no entry {entry}; give a frame's number, from 1.")
    return int(digits) - 1


def mask_of(path: str) -> NDArray[np.bool_]:
    """Which pixels a mask's file leaves out: those that are not zero.

    Raises
    ------
    DataError
        It holds no image.
    """
    found = next(iter(formats.frames(Path(path), path)), None)
    if found is None:
        raise DataError(f"{path}: holds no mask; give an image that is not zero where pixels are left out.")
    return np.asarray(found.values != 0)
