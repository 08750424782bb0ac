"""What a file holds, by a sum over its bytes: answers and pictures are kept with it, not by a name alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..extensions import has_service, service
from ..types import SasnetError, printable

# --- What a file holds, by a sum over its bytes: answers and pictures are kept with it, not by a
# --- name alone.

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

    from ..data.hdf5 import external_links, own_items, resolve_link

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


# --- Which images there are: those of the folder, and those that the log speaks of.

#: File, relative to the folder with "/", and number in it, from 1.
Key = tuple[str, int]
#: Endings of what never is a measurement: descriptions, programs, papers, and what this command writes.
OTHERS = frozenset(
    [".md", ".py", ".pyc", ".toml", ".json", ".log", ".pdf", ".html", ".png", ".jpg", ".ini", ".onnx"]
    + [".sqlite", ".sqlite-journal", ".sqlite-wal", ".sqlite-shm", ".sqlite3", ".db"]
)

#: Of these, pictures, which somebody may take for images of a detector.
PICTURES = frozenset([".png", ".jpg"])

#: From which images are read, in words.
IMAGE_FORMATS = "TIFF, CBF, EDF, HDF5 or numpy (.npy)"

#: Endings of tables, in which columns are curves unless q has two directions.
TABLES = frozenset([".abs", ".asc", ".cor", ".csv", ".dat", ".fir", ".pdh", ".txt", ".xml", ".xye", ".xy"])


class Images:
    """Images by row; rows are never reused or removed. Nothing outside `folder` is read, nothing in
    `without`. `dropped` files have its last two folders' names in front. Without `curves`, tables that hold
    no image do not count.
    """

    def __init__(
        self, folder: Path, without: Path | None = None, dropped: Path | None = None, *, curves: bool = True
    ) -> None:
        self._curves = curves
        #: Tables that hold no image, by the stamp with which that was seen.
        self._tables: dict[str, Stamp] = {}
        self.folder, self._without = folder.resolve(), without
        self._dropped = None if dropped is None else dropped.resolve()
        self.pictures = 0  #: Of `PICTURES`, as the folder was seen last.
        self.keys: list[Key] = []
        self.row: dict[Key, int] = {}
        self._rows: dict[str, list[int]] = {}
        self.title: list[str] = []
        self.problem: dict[int, str] = {}
        self.stamp: dict[str, Stamp] = {}
        #: File -> what it holds, as `content.Source` has it, where it was read as it is now.
        self.content: dict[str, str] = {}
        #: File -> those that it takes its values from, and their stamps when it was read.
        self.beside: dict[str, tuple[tuple[str, Stamp | None], ...]] = {}
        self._there = np.zeros(0, dtype=np.bool_)
        self._rank = np.zeros(0, dtype=np.intp)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def there(self) -> NDArray[np.bool_]:
        """(n,) True where the file is in the folder."""
        if len(self._there) < len(self.keys):
            self._there = np.pad(self._there, (0, len(self.keys) - len(self._there)))
        return self._there

    def add(self, key: Key, *, there: bool = False, title: str = "") -> int:
        """Row of an image, a new one where it is not known."""
        row = self.row.get(key)
        if row is None:
            row = self.row[key] = len(self.keys)
            self.keys.append(key)
            self.title.append("")
            self._rows.setdefault(key[0], []).append(row)
        if there:
            self.there[row] = True
        if title:
            self.title[row] = printable(title)
        return row

    def find_rows(self, file: str) -> list[int]:
        return self._rows.get(file, [])

    def check(self, rows: Sequence[int]) -> None:
        """Raise SasnetError if a row is none."""
        if len(rows) and not 0 <= min(rows) <= max(rows) < len(self):
            raise SasnetError("There is no such image.")

    @property
    def rank(self) -> NDArray[np.intp]:
        """(n,) place of each in the order of their names."""
        if len(self._rank) != len(self.keys):
            self._rank = np.empty(len(self.keys), np.intp)
            order = sorted(range(len(self.keys)), key=self.keys.__getitem__)
            self._rank[order] = np.arange(len(self.keys))
        return self._rank

    def look(self) -> dict[str, Stamp]:
        """Files of the folder, as `take` has them; no row is changed, so that nobody has to wait."""
        pictures: list[str] = []
        stamps = dict(_files(self.folder, self._without, pictures))
        self.pictures = len(pictures)
        if self._dropped is not None:
            stamps |= {f"{self._prefix}{file}": stamp for file, stamp in _files(self._dropped, None)}
        if self._curves:
            return stamps
        return {file: stamp for file, stamp in stamps.items() if not self._is_table(file, stamp)}

    def _is_table(self, file: str, stamp: Stamp) -> bool:
        """Return whether a file is a table of numbers without an image; a file is read once."""
        if os.path.splitext(file)[1].lower() not in TABLES or self.stamp.get(file) == stamp:
            return False
        if self._tables.get(file) != stamp:
            if has_service("is_image_file") and service("is_image_file")(self.folder_of(file) / file):
                return False
            self._tables[file] = stamp
        return True

    @property
    def _prefix(self) -> str:
        return "" if self._dropped is None else f"{self._dropped.parent.name}/{self._dropped.name}/"

    @property
    def folders(self) -> list[Path]:
        """Return the folders to which names are relative."""
        return list(dict.fromkeys((self.folder, self.folder_of(self._prefix))))

    def folder_of(self, file: str) -> Path:
        """Return the folder to which the name of a file is relative."""
        if self._dropped is not None and file.startswith(self._prefix):
            return self._dropped.parent.parent
        return self.folder

    def take(self, stamps: dict[str, Stamp]) -> list[str]:
        """Take in what lies in the folder; files that are new or changed, whose first image is now there."""
        gone_rows = [row for file in self.stamp.keys() - stamps.keys() for row in self.find_rows(file)]
        self.there[gone_rows] = False
        self._forget_those_beside_changed(stamps)
        changed = [file for file, stamp in stamps.items() if self.stamp.get(file) != stamp]
        self.stamp = stamps
        first = [self.add((file, 1)) for file in changed]
        self.there[first] = True
        return changed

    def _forget_those_beside_changed(self, stamps: dict[str, Stamp]) -> None:
        """An image whose files beside it have changed is read anew with them."""
        for file, companions in list(self.beside.items()):
            if any(
                (stamps.get(companion) or stamp_at(self.folder_of(companion), companion)) != stamp
                for companion, stamp in companions
            ):
                self.stamp.pop(file, None)
                del self.beside[file]


def _files(
    folder: Path, hidden_folder: Path | None, pictures: list[str] | None = None
) -> Iterator[tuple[str, Stamp]]:
    """Files of a folder and below, without hidden ones, links out of it, pipes, devices and `pictures`."""
    places = [(str(folder), "")]
    while places:
        place, prefix = places.pop()
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:  # it was removed, or is not for everybody
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.path == str(hidden_folder):
                continue
            try:
                if not _belongs(entry, folder):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    places.append((entry.path, f"{prefix}{entry.name}/"))
                elif entry.is_file():
                    ending = os.path.splitext(entry.name)[1].lower()
                    if ending not in OTHERS:
                        yield f"{prefix}{entry.name}", stamp_of(entry.stat())
                    elif pictures is not None and ending in PICTURES:
                        pictures.append(entry.name)
            # A link to itself or to nothing; no database keeps a name that is no text.
            except (OSError, RuntimeError, UnicodeEncodeError):
                continue


def _belongs(entry: os.DirEntry[str], folder: Path) -> bool:
    """Whether it leads to something in the folder, under a name that is text."""
    entry.name.encode()
    return not entry.is_symlink() or Path(entry.path).resolve(strict=True).is_relative_to(folder)
