"""Which reader a file needs, by its first bytes; its frames one after the other."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from ...data.signature import HDF5, PICTURES, content, no_measurement
from ...types import DataError
from ..recognition import CBF, NUMPY, START, beginning, is_detector_file, is_image, opener
from . import array_files, detector_files, nexus, whole
from .raw import RawFrame


def frames(path: Path, file: str, dataset: str | None = None) -> Generator[RawFrame, None, None]:
    """Read frames of an image file; `dataset` is the path within HDF5. Raises DataError if it is missing,
    unreadable or no image.
    """
    start = content(path, file, expectation="a detector image", size=START)
    if opener(start) is not None:
        with whole.unpack(path, file) as plain:
            yield from frames(plain, file, dataset)
    elif start.startswith(HDF5):
        yield from nexus.read(path, file, dataset)
    elif start.startswith(NUMPY):
        yield from array_files.read_numpy(path, file)
    elif start.startswith(CBF):
        yield detector_files.read_cbf(path, file)
    elif is_detector_file(path, start):
        yield from detector_files.read(path, file)
    elif _is_text(start):
        yield array_files.read_text(path, file)
    elif picture := next((name for mark, name in PICTURES if start.startswith(mark)), None):
        raise no_measurement(file, picture)
    else:
        yield from detector_files.read(path, file)


def may_hold_images(path: Path) -> bool:
    """Whether a file is one of images' formats, or HDF5 with images in it or in files that it links to."""
    try:
        start = beginning(path, str(path), START)
    except DataError:
        return False
    if start.startswith(HDF5):
        return nexus.holds_images(path)
    return is_image(path)


def _is_text(start: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n" for byte in start)
