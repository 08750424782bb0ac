"""Which reader a file needs, by its first bytes; its frames one after the other."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

from sasnet_plugin.data.failure import content
from sasnet_plugin.data.hdf5 import SIGNATURE
from sasnet_plugin.data.images import array_files, detector_files, nexus, whole
from sasnet_plugin.data.images.raw import RawFrame
from sasnet_plugin.types import DataError

_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_NUMPY = (b"\x93NUMPY", b"PK\x03\x04")
_CBF = b"###CBF"
#: How EDF and SMV begin.
_BRACE = re.compile(rb"\{\s*(?:HEADER_BYTES|EDF_|HeaderID|ByteOrder|[A-Za-z_]+\s*=)")
_BORNAGAIN = b"# BornAgain Intensity Data"


def frames(path: Path, file: str, dataset: str | None = None) -> Generator[RawFrame, None, None]:
    """Frames of an image file as they stand in it.

    Parameters
    ----------
    path : Path
    file : str
        Its name in messages.
    dataset : str or None
        Path of the images within an HDF5 file.

    Raises
    ------
    DataError
        There is no such file, it cannot be read, or it is damaged, or no image.
    """
    start = content(path, file, wanted="a detector image", size=64)
    if whole.is_packed(start):
        with whole.unpacked(path, file) as plain:
            yield from frames(plain, file, dataset)
    elif start.startswith(SIGNATURE):
        yield from nexus.read(path, file, dataset)
    elif start.startswith(_NUMPY):
        yield from array_files.read_numpy(path, file)
    elif start.startswith(_CBF):
        yield detector_files.read_cbf(path, file)
    elif _is_detector_file(path, start):
        yield from detector_files.read(path, file)
    elif _is_text(start):
        yield array_files.read_text(path, file)
    else:
        yield from detector_files.read(path, file)


def is_image(path: Path) -> bool:
    """Whether a file can only be an image: its first bytes are TIFF's, CBF's, EDF's, numpy's or BornAgain's.

    HDF5 and plain tables are not assessed here; they may hold curves.
    """
    try:
        start = beginning(path, str(path))
    except DataError:
        return False
    known = start.startswith((*_TIFF, *_NUMPY, _CBF, _BORNAGAIN))
    return known or _is_detector_file(path, start)


def may_hold_images(path: Path) -> bool:
    """Whether a file is one of images' formats, or HDF5 with images in it or in files that it links to."""
    try:
        start = beginning(path, str(path))
    except DataError:
        return False
    if start.startswith(SIGNATURE):
        return nexus.holds_images(path)
    return is_image(path)


def is_simulated(path: Path) -> bool:
    """Whether a file is BornAgain's."""
    return beginning(path, str(path)).startswith(_BORNAGAIN)


def beginning(path: Path, file: str, size: int = 6000) -> bytes:
    """The first bytes of a file, of a packed one of what is packed.

    Raises
    ------
    DataError
        There is no such file, or it is damaged.
    """
    return whole.beginning(content(path, file, wanted="an image", size=size), path, file, size)


def recognise(path: Path) -> float:
    """How sure it is that a file holds images: 1 for what can only be one, else 0; see `is_image`."""
    return 1.0 if is_image(path) else 0.0


def _is_detector_file(path: Path, start: bytes) -> bool:
    begins = start.startswith((*_TIFF, _CBF)) or bool(_BRACE.match(start))
    return begins or detector_files.has_known_suffix(path)


def _is_text(start: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n" for byte in start)
