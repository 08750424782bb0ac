"""What a measurement can be: files that claim more are damaged or mean harm, and are refused unread."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import NamedTuple

from ..types import DataError, SasnetError, printable
from .advice import FIT_IMAGE

# --- What a measurement can be: files that claim more are damaged or mean harm, and are refused
# --- unread.


class Limits(NamedTuple):
    """Sizes up to which files are read; beyond, memory and time would be the file's to choose."""

    #: Of one curve. Detectors have some 4,000 pixels along a radius, scans and merged settings ten times
    #: that.
    points: int = 100_000
    #: text_bytes, text_lines: of a file of text or XML: `points` with 160 characters each, ten times as many
    #: lines.
    text_bytes: int = 16 * 2**20
    text_lines: int = 1_000_000
    xml_tags: int = 1_000_000  #: Opening and closing: ten for each of `points`.
    #: Characters of a header's line that are looked at; units and names of columns stand before.
    line: int = 1_000
    title: int = 200  #: Characters of a title that are kept.
    #: Of one image. The largest detector for scattering (Eiger2 16M) has 18.1 million.
    pixels: int = 20_000_000
    frames: int = 100_000  #: Of one file; an hour at 25 Hz.
    frames_at_once: int = (
        1_000  #: Of one file that are all read; of a longer series `follow` reads one by one.
    )
    #: Of the arrays of one numpy file, or an unpacked one, which are in memory at once.
    array_bytes: int = 512 * 2**20
    #: Bytes that a byte of a compressed HDF5 data set may stand for; deflate reaches 1,032.
    packing: int = 5_000
    #: objects, depth: groups and data sets of a HDF5 file as one meets them on the way down, and how deep
    #: they lie.
    objects: int = 2_000
    depth: int = 50
    #: Of a data set of a HDF5 file whose curves are read at once.
    values: int = 20_000_000


LIMITS = Limits()


# --- One sentence that says why there is no answer about a file.


def too_large(file: str, size: str, expectation: str) -> DataError:
    """The error for a file that holds, or claims to hold, more than a measurement can be."""
    return DataError(f"{file}: it holds {size}, too much for one measurement; give {expectation}.")


def too_many(file: str, points: int) -> DataError:
    return too_large(
        file, f"{points:,} points", f"a curve of at most {LIMITS.points:,}, averaged over neighbours"
    )


def two_dimensional(file: str) -> DataError:
    return DataError(f"{file}: this is a two-dimensional scattering image; fit it with {FIT_IMAGE}.")


def sentence_of(path: str, error: Exception) -> str:
    """One sentence about a file that could not be used."""
    if isinstance(error, SasnetError):
        return str(error)
    if isinstance(error, FileNotFoundError) and str(error.filename) == path:
        return printable(f"{path}: there is no such file; check the path.")
    reason = (str(error).strip() or "no reason given").splitlines()[0]
    return printable(
        f"{path}: cannot be read as 1D small-angle-scattering data ({type(error).__name__}: {reason});"
        " check the file."
    )


def unforeseen(path: str, error: Exception) -> SasnetError:
    """The error of a file whose fit raised something unexpected; the next file is fitted all the same."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return SasnetError(f"{path}: could not be fitted ({reason}), a fault of sasnet and not of the file.")


# --- The bytes of a file, and how those begin that are no curves.

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
    it is missing, no regular file, empty or unreadable, or has more than `most` bytes; `expectation` names
    what should be in it.
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
