"""The bytes of a file, or one sentence that says why there is no answer about it."""

from __future__ import annotations

from pathlib import Path

from ..types import DataError, SasnetError


def content(path: Path, file: str, *, wanted: str, size: int = -1) -> bytes:
    """Read a file, or its first `size` bytes.

    Parameters
    ----------
    path : Path
    file : str
        Its name in the sentence.
    wanted : str
        What should be in it.
    size : int

    Raises
    ------
    DataError
        It is missing, a directory, empty, or cannot be read.
    """
    try:
        if path.is_dir():
            raise DataError(f"{file}: this is a directory; give a file, or a glob of files.")
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


def sentence_of(path: str, error: Exception) -> str:
    """One sentence about a file that could not be used."""
    if isinstance(error, SasnetError):
        return str(error)
    reason = (str(error).strip() or "no reason given").splitlines()[0]
    return (
        f"{path}: cannot be read as 1D small-angle-scattering data ({type(error).__name__}: {reason});"
        " check the file."
    )


def unforeseen(path: str, error: Exception) -> SasnetError:
    """The error of a file whose fit raised something unexpected; the next file is fitted all the same."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return SasnetError(f"{path}: could not be fitted ({reason}); please report this.")
