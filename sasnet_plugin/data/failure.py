"""One sentence that says why there is no answer about a file."""

from __future__ import annotations

from ..types import DataError, SasnetError, printable
from .limits import LIMITS


def too_large(file: str, size: str, expectation: str) -> DataError:
    """The error for a file that holds, or claims to hold, more than a measurement can be."""
    return DataError(f"{file}: it holds {size}, too much for one measurement; give {expectation}.")


def too_many(file: str, points: int) -> DataError:
    return too_large(
        file, f"{points:,} points", f"a curve of at most {LIMITS.points:,}, averaged over neighbours"
    )


def two_dimensional(file: str) -> DataError:
    return DataError(
        f"{file}: this is a two-dimensional scattering image; average it over angle, or classify it as an"
        " image: sasnet classify --domain."
    )


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
    return SasnetError(f"{path}: could not be fitted ({reason}); please report this.")
