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
