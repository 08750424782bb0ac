"""Which reader a file needs, by its first bytes; its frames one after the other."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from sasnet_plugin.data.failure import content
from sasnet_plugin.data.images import array_files, detector_files, nexus
from sasnet_plugin.data.images.raw import RawFrame
from sasnet_plugin.data.signature import CBF, HDF5, NUMPY, START, is_detector_file

_PACKED = (".gz", ".bz2")


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
    start = content(path, file, wanted="a detector image", size=START)
    if start.startswith(HDF5):
        yield from nexus.read(path, file, dataset)
    elif start.startswith(NUMPY):
        yield from array_files.read_numpy(path, file)
    elif start.startswith(CBF):
        yield detector_files.read_cbf(path, file)
    elif is_detector_file(path, start):
        yield from detector_files.read(path, file)
    elif _is_text(path, start):
        yield array_files.read_text(path, file)
    else:
        yield from detector_files.read(path, file)


def _is_text(path: Path, start: bytes) -> bool:
    packed = path.suffix.lower() in _PACKED
    return packed or all(byte >= 32 or byte in b"\t\r\n" for byte in start)
