"""What a file holds, by a sum over its bytes: answers and pictures are kept with it, not by a name alone."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from ..types import SasnetError

#: Size in bytes of a file, and times of its last change and of its last change of place or rights, ns.
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Source:
    """A file as it was read; whatever is said of it holds for this content alone.

    Parameters
    ----------
    file : str
        Relative to the folder, with "/".
    stamp : Stamp
    content : str
        SHA-256 of the kind of measurement and of the bytes, hexadecimal: another kind looks otherwise.
    """

    file: str
    stamp: Stamp
    content: str


def stamp_of(status: os.stat_result) -> Stamp:
    """By which a change of a file is noticed without reading it."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def source_of(folder: str, file: str, domain: str) -> Source:
    """Read a file for its sum.

    Raises
    ------
    SasnetError
        It is being written.
    OSError
        It cannot be read.
    """
    path = os.path.join(folder, file)
    with open(path, "rb") as opened:
        stamp = stamp_of(os.fstat(opened.fileno()))
        found = hashlib.sha256(f"{domain}\0".encode())
        while block := opened.read(1 << 20):
            found.update(block)
    source = Source(file, stamp, found.hexdigest())
    see_unchanged(folder, source)
    return source


def see_unchanged(folder: str, source: Source) -> None:
    """See that what was read since is of this content.

    Raises
    ------
    SasnetError
        It is not.
    OSError
        The file is gone.
    """
    path = os.path.join(folder, source.file)
    if stamp_of(os.stat(path)) != source.stamp:
        raise SasnetError(f"{path}: was changed while it was read; wait until it is written.")
