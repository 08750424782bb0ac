"""What a file holds, by a sum over its bytes: answers and pictures are kept with it, not by a name alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..types import SasnetError

#: Size in bytes of a file, and times of its last change and of its last change of place or rights, ns.
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Source:
    """A file as it was read; whatever is said of it holds for this content alone."""

    file: str  #: Relative to the folder, with "/".
    stamp: Stamp
    #: SHA-256 of the kind of measurement and of all bytes, hexadecimal: another kind looks otherwise.
    content: str
    #: Files that it takes its values from, as HDF5 does by links, and theirs; None: it is not there.
    beside: tuple[tuple[str, Stamp | None], ...] = ()


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what shows a change of a file without reading it."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def source_of(folder: str, file: str, domain: str) -> Source:
    """Read a file for its checksum. Raises SasnetError while it is being written, OSError if unreadable."""
    digest = hashlib.sha256(f"{domain}\0".encode())
    stamp = _read(os.path.join(folder, file), digest)
    companions = []
    for linked_file in _list_linked_files(os.path.join(folder, file)):
        place = os.path.relpath(linked_file, folder).replace(os.sep, "/")
        companions.append((place, _read(str(linked_file), digest) if linked_file.is_file() else None))
    source = Source(file, stamp, digest.hexdigest(), tuple(companions))
    see_unchanged(folder, source)
    return source


def _read(path: str, digest: Any) -> Stamp:
    with open(path, "rb") as opened:
        stamp = stamp_of(os.fstat(opened.fileno()))
        while block := opened.read(1 << 20):
            digest.update(block)
    return stamp


def _list_linked_files(path: str) -> list[Path]:
    """Files in the same folder or below from which HDF5 takes values, by links or virtual data sets."""
    with open(path, "rb") as opened:
        if opened.read(8) != b"\x89HDF\r\n\x1a\n":
            return []
    import h5py

    from ..data.hdf5 import external_links, own_items
    from ..data.links import resolve_link

    names: set[str] = set()
    with (
        contextlib.suppress(Exception),
        h5py.File(path, "r") as file,
    ):  # what is damaged is its reader's to say
        names.update(link.filename for link in external_links(file).values())
        for _, item in own_items(file):
            if isinstance(item, h5py.Dataset) and item.is_virtual:
                names.update(source.file_name for source in item.virtual_sources())
    links = {resolve_link(name, Path(path)) for name in names - {"."}}
    return sorted(one_link for one_link in links if one_link is not None)


def see_unchanged(folder: str, source: Source) -> None:
    """Check that a file read since has this content; SasnetError if not, OSError if it is gone."""
    path = os.path.join(folder, source.file)
    if any(stamp_at(folder, file) != stamp for file, stamp in (*source.beside, (source.file, source.stamp))):
        raise SasnetError(f"{path}: was changed while it was read; wait until it is written.")


def stamp_at(folder: str | Path, file: str) -> Stamp | None:
    """Return the stamp of a folder's file; None without one."""
    try:
        return stamp_of(os.stat(os.path.join(folder, file)))
    except OSError:
        return None
