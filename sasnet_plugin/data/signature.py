"""What a file is by its first bytes: HDF5, or what can only be an image.

Every file of a command is asked; what reads HDF5 and images is imported for those that are.
"""

from __future__ import annotations

from pathlib import Path

from ..types import DataError
from .failure import content

HDF5 = b"\x89HDF\r\n\x1a\n"
#: Endings of TIFF, CBF and EDF files.
SUFFIXES = (".cbf", ".edf", ".tif", ".tiff")
TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
NUMPY = (b"\x93NUMPY", b"PK\x03\x04")
CBF = b"###CBF"
_BORNAGAIN = b"# BornAgain Intensity Data"
#: Bytes that are looked at.
START = 64


def recognise(path: Path) -> float:
    """How sure it is that a file holds images: 1 for what can only be one, else 0; see `is_image`."""
    return 1.0 if is_image(path) else 0.0


def is_image(path: Path) -> bool:
    """Whether a file can only be an image: its first bytes are TIFF's, CBF's, EDF's, numpy's or BornAgain's.

    HDF5 and plain tables are not assessed here; they may hold curves.
    """
    try:
        start = content(path, str(path), wanted="an image", size=START)
    except DataError:
        return False
    return start.startswith((*NUMPY, _BORNAGAIN)) or is_detector_file(path, start)


def is_simulated(path: Path) -> bool:
    """Whether a file is BornAgain's."""
    return content(path, str(path), wanted="an image", size=START).startswith(_BORNAGAIN)


def is_detector_file(path: Path, start: bytes) -> bool:
    """Whether a file that begins so is a detector's own, by that or by its name."""
    return start.startswith((*TIFF, CBF)) or has_known_suffix(path)


def has_known_suffix(path: Path) -> bool:
    """Whether the name ends like that of a TIFF, CBF or EDF file, packed or not."""
    return any(suffix.lower() in SUFFIXES for suffix in path.suffixes[-2:])
