"""Why a file has no answer, in one sentence."""

from __future__ import annotations

from sasnet_plugin.types import SasnetError


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
    """What nobody thought of while a file was fitted; the next file has its turn all the same."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return SasnetError(f"{path}: could not be fitted ({reason}); please report this.")
