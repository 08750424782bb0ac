"""Small-angle-scattering images: where their pixels lie in q, how files are read, what a network reads.

Every file is asked whether it is one: the modules that read them are imported for those that are.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..signature import HDF5

#: Lines that may stand before the numbers of a text file; the first word of SINQ's.
HEAD, SINQ = 60, "FORMATVERSION"


def recognise(path: Path) -> float:
    """1 for a file that can only be a small-angle-scattering image, else 0."""
    try:
        with path.open("rb") as stream:
            start = stream.read(6000)
    except OSError:
        return 0.0
    if start.startswith(HDF5):
        from . import nexus

        return float(nexus.recognise(path))
    return float(is_text(start))


def is_text(start: bytes) -> bool:
    """Whether a file that begins so is text with such an image."""
    if b"\0" in start:
        return False
    lines = start.decode("utf-8", "replace").splitlines()[:HEAD]
    if lines and lines[0].startswith(SINQ):
        return any(line.startswith("SIZE_X") for line in lines)
    # Data with columns of q for both directions, or the bare "ASCII data" that NIST's software writes.
    named = any(re.search(r"\bqx\b.*\bqy\b", line, re.IGNORECASE) for line in lines)
    return named or bool(lines and lines[0].strip().lower().startswith("ascii data"))
