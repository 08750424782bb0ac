"""The bytes of a file, or one sentence that says why there is no answer about it."""

from __future__ import annotations

import stat
from pathlib import Path

from ..types import DataError, SasnetError, printable
from .limits import LIMITS


def content(path: Path, file: str, *, wanted: str, size: int = -1, most: int | None = None) -> bytes:
    """Read a regular file, or its first `size` bytes; a pipe or a device may never end.

    Parameters
    ----------
    file : str
        Its name in the sentence.
    wanted : str
        What should be in it.
    most : int, optional
        Bytes beyond which it is no such file.

    Raises
    ------
    DataError
        It is missing, a directory, no regular file, too large, empty, or cannot be read.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DataError(f"{file}: this is a directory; give a file, or a glob of files.")
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{file}: this is a pipe or a device; save what it gives in a file.")
        if most is not None and status.st_size > most:
            raise too_large(
                file, f"{status.st_size / 2**20:.0f} MiB", f"{wanted}, of at most {most / 2**20:.0f} MiB"
            )
        with path.open("rb") as stream:
            found = stream.read(size)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(f"{file}: there is no such file; check the path.") from error
    except PermissionError as error:
        raise DataError(f"{file}: no permission to read it; change the file's access rights.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: the file cannot be read ({error}); check the path.") from error
    if not found:
        raise DataError(f"{file}: the file is empty; give {wanted}.")
    return found


def too_large(file: str, size: str, wanted: str) -> DataError:
    """The error for a file that holds, or claims to hold, more than a measurement can be."""
    return DataError(f"{file}: it holds {size}, more than a measurement can be; give {wanted}.")


def too_many(file: str, points: int) -> DataError:
    """The error for more points than a curve can have."""
    return too_large(
        file, f"{points:,} points", f"a curve of at most {LIMITS.points:,}, averaged over neighbours"
    )


def two_dimensional(file: str) -> DataError:
    """The error for an image where a curve is wanted."""
    return DataError(
        f"{file}: this is a two-dimensional scattering image; average it over angle and give I(q)."
    )


def sentence_of(path: str, error: Exception) -> str:
    """One sentence about a file that could not be used."""
    if isinstance(error, SasnetError):
        return str(error)
    reason = (str(error).strip() or "no reason given").splitlines()[0]
    return printable(
        f"{path}: cannot be read as 1D small-angle-scattering data ({type(error).__name__}: {reason});"
        " check the file."
    )


def unforeseen(path: str, error: Exception) -> SasnetError:
    """The error of a file whose fit raised something unexpected; the next file is fitted all the same."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return SasnetError(f"{path}: could not be fitted ({reason}); please report this.")
