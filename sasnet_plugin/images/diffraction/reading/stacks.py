"""Stacks of frames, a block at a time: CXI and other HDF5, numpy arrays, images of detectors' formats."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....data.failure import too_large
from ....data.limits import LIMITS
from ....data.signature import HDF5, content
from ....domains import ReadOptions
from ....types import DataError, Image
from ...reading import formats, nexus
from ...reading.raw import make_truncation_error, not_an_image
from ...reading.settings import ImageSettings
from .settings import Setup

_NPY = b"\x93NUMPY"
#: Bytes of frames that are held at once, and frames at most.
_BLOCK_BYTES, _BLOCK = 32 * 2**20, 256
#: Rows and columns below which an array is no image.
SMALLEST = 24


@dataclass(frozen=True)
class Block:
    """Some frames of a file, one after the other."""

    start: int  #: Number of the first, from 0.
    frames: NDArray[Any]  #: (m, rows, columns), as stored.
    bad: NDArray[np.bool_] | None  #: (rows, columns), the file's own mask.
    setup: Setup  #: What the file says.
    total: int


def blocks(path: Path, file: str, dataset: str | None = None, start: int = 0) -> Iterator[Block]:
    """Yield a file's frames from number `start`, some megabytes at once. Raises DataError if it is missing,
    damaged or holds no images.
    """
    first = content(path, file, expectation="a detector image", size=64)
    if first.startswith(HDF5):
        yield from _read_hdf5(path, file, dataset, start)
    elif first.startswith(_NPY):
        yield from _read_numpy(path, file, start)
    else:
        with closing(formats.frames(path, file, dataset)) as frames:
            for number, frame in enumerate(frames):
                values = np.asarray(frame.values)
                if values.ndim != 2 or min(values.shape) < SMALLEST:
                    raise not_an_image(file, values.shape)
                setup = _setup(frame.geometry)
                if number >= start:
                    yield Block(number, values[None], frame.bad, setup, 1)


def _read_numpy(path: Path, file: str, start: int) -> Iterator[Block]:
    try:
        stack = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise make_truncation_error(file) from error
    _check(stack.shape, stack.dtype, file)
    if stack.ndim == 2 or not stack.flags.c_contiguous:
        yield from _slice_stack(stack, start, None, Setup())
        return
    # Mapped anew for each block: pages of a map that stays count as this process' memory.
    place, dtype, (total, *shape) = stack.offset, stack.dtype, stack.shape
    del stack
    frame_bytes = math.prod(shape) * dtype.itemsize
    step = max(1, min(_BLOCK, _BLOCK_BYTES // frame_bytes))
    for first in range(start, total, step):
        number = min(step, total - first)
        part = np.memmap(path, dtype, "r", place + first * frame_bytes, (number, *shape))
        yield Block(first, np.array(part), None, Setup(), total)


def _read_hdf5(path: Path, file: str, dataset: str | None, start: int) -> Iterator[Block]:
    with nexus.stacks(path, file, dataset) as stacks:
        first, total, setup = 0, stacks.number, _setup(stacks.geometry)
        for stack in stacks.arrays:
            _check(stack.shape[-2:], stack.dtype, file)
            number = math.prod(stack.shape[:-2])
            if first + number > start:
                for block in _slice_stack(stack, max(start - first, 0), stacks.bad, setup):
                    yield replace(block, start=first + block.start, total=total)
            first += number


def _check(shape: tuple[int, ...], dtype: Any, file: str) -> None:
    if len(shape) not in (2, 3) or min(shape[-2:]) < SMALLEST or dtype.kind not in "iuf":
        raise not_an_image(file, shape)
    if shape[-1] * shape[-2] > LIMITS.pixels:
        raise too_large(file, f"images of {shape[-2]} x {shape[-1]} pixels", "those of a detector")


def _slice_stack(stack: Any, start: int, bad: Any, setup: Setup) -> Iterator[Block]:
    """Blocks of a stack; of one with more dimensions than three a frame at a time."""
    frame_bytes = math.prod(stack.shape[-2:]) * stack.dtype.itemsize
    step = max(1, min(_BLOCK, _BLOCK_BYTES // frame_bytes))
    if stack.ndim != 3:
        for first, index in enumerate(np.ndindex(stack.shape[:-2])):
            if first >= start:
                yield Block(first, np.asarray(stack[index])[None], bad, setup, math.prod(stack.shape[:-2]))
        return
    for first in range(start, len(stack), step):
        yield Block(first, np.asarray(stack[first : first + step]), bad, setup, len(stack))


def _setup(settings: ImageSettings) -> Setup:
    width = settings.pixel_size[0] if settings.pixel_size else None
    return Setup(settings.wavelength, settings.distance, width, settings.direct_beam)


def frame_number(path: Path, entry: str | None) -> int | None:
    """Parse an entry's frame number from 0; None if none is asked for. Raises DataError for anything else."""
    if entry is None:
        return None
    digits = entry.removeprefix("frame").strip()
    if not digits.isdigit() or int(digits) < 1:
        raise DataError(f"{path}: there is no entry {entry}; give a frame's number, from 1.")
    return int(digits) - 1


def select_images(
    path: str | os.PathLike[str],
    options: ReadOptions,
    images: Callable[[Path, tuple[str, ...], int], Iterator[Image]],
) -> Iterator[Image]:
    """Yield a file's images, or the one whose number is given, by `images` (path, settings, first number).
    Raises DataError for an unreadable file, an unknown entry, or a unit of q.
    """
    path = Path(path)
    if options.q_unit is not None:
        raise DataError(f"{path}: such images have no q axis; do not give --q-unit.")
    number, geometry = frame_number(path, options.entry), tuple(options.geometry)
    if number is None:
        yield from images(path, geometry, 0)
        return
    image = next(images(path, geometry, number), None)
    if image is None:
        raise DataError(f"{path}: there is no frame {number + 1}; the file holds fewer.")
    yield image


def make_title(number: int, total: int) -> str:
    """Entry of a frame whose number is from 0; empty of the only one."""
    return f"frame {number + 1}" if total > 1 else ""


def same_shape(mask: NDArray[np.bool_], shape: tuple[int, int], name: str, file: str) -> NDArray[np.bool_]:
    """Return a mask of the images' shape; else DataError names its file."""
    if mask.shape != shape:
        raise DataError(f"{name}: is not a mask of the shape of {file}; give one of the same detector.")
    return mask


def mask_of(path: str) -> NDArray[np.bool_]:
    """Read a mask file, which excludes pixels that are not zero. Raises DataError without image."""
    frame = next(iter(formats.frames(Path(path), path)), None)
    if frame is None:
        raise DataError(f"{path}: holds no mask; give an image that is not zero at pixels to exclude.")
    return np.asarray(frame.values != 0)
