"""The bytes of a file, and how those begin that are no curves."""

from __future__ import annotations

import stat
from pathlib import Path

from ..types import DataError
from .failure import too_large

HDF5 = b"\x89HDF\r\n\x1a\n"
#: How pictures for the eye begin, whose values are no counts.
PICTURES = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
)


def no_measurement(file: str, picture: str) -> DataError:
    """Say that a file is a picture for the eye, such as "a PNG image"."""
    return DataError(
        f"{file}: this is {picture}, a picture without detector counts; give the measurement itself:"
        " a curve as text, or the detector's TIFF, CBF, EDF or HDF5 file."
    )


def content(path: Path, file: str, *, expectation: str, size: int = -1, most: int | None = None) -> bytes:
    """Read a regular file, or its first `size` bytes; a pipe or a device may never end. Raises DataError if
    it is missing, no regular file, larger than `most` bytes,
    empty or unreadable; `expectation` names what should
    be in it.
    """
    try:
        count = _size_of_regular(path, file)
        if most is not None and count > most:
            raise too_large(
                file, f"{count / 2**20:.0f} MiB", f"{expectation}, of at most {most / 2**20:.0f} MiB"
            )
        with path.open("rb") as stream:
            data = stream.read(size)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(f"{file}: there is no such file; check the path.") from error
    except PermissionError as error:
        raise DataError(f"{file}: no permission to read it; change the file's access rights.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: the file cannot be read ({error}); check the path.") from error
    if not data:
        raise DataError(f"{file}: the file is empty; give {expectation}.")
    return data


def _size_of_regular(path: Path, file: str) -> int:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{file}: this is a directory; give a file, or a pattern such as *.dat.")
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{file}: this is a pipe or a device; save its data in a file.")
    return status.st_size
