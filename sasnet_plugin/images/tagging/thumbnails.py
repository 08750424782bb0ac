"""Thumbnails on disk, outside of the user's folder, by what a file holds: made anew at any time.

A picture's address is its content, so that it cannot be shown for another one, whatever happens to names.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...types import SasnetError
from ...web.content import Source
from ...web.settings import WEB
from ..settings import RASTER

_SHAPE = (
    """CREATE TABLE IF NOT EXISTS pictures (content TEXT, number INTEGER, title TEXT, png BLOB,
    descriptor BLOB, PRIMARY KEY (content, number)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS sources (folder TEXT, file TEXT, size INTEGER, changed INTEGER,
    moved INTEGER, content TEXT, PRIMARY KEY (folder, file)) WITHOUT ROWID""",
)
#: Seconds to wait for another server that is writing: pictures are kept in memory meanwhile.
_PATIENCE = 5


def cache_of(folder: Path) -> Path:
    """Where the thumbnails of a folder are kept: below ``$XDG_CACHE_HOME``, or ``~/.cache``."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return home / "sasnet" / "tag" / f"{name}-{RASTER.thumbnail}.sqlite"


@dataclass(frozen=True)
class Thumbnail:
    """A picture, its entry's title and what is compared."""

    number: int
    title: str
    descriptor: NDArray[np.float32]
    png: bytes = b""


class Thumbnails:
    """An opened cache. Raises SasnetError if it cannot be written to."""

    def __init__(self, path: Path) -> None:
        self._lock, self._path = threading.Lock(), path
        #: Why pictures are not on the disk, in a sentence; empty where they are.
        self.problem = self._trouble = ""
        self._recent: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lost = False  # something since the last source was put
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
            self._opened.execute("PRAGMA synchronous=OFF")  # what is lost is made again
            for table in _SHAPE:
                self._opened.execute(table)
            self._opened.commit()
        except (OSError, sqlite3.Error) as error:
            raise SasnetError(
                f"{path}: thumbnails cannot be saved there ({error}); name another --cache."
            ) from None

    def read_known(self, folder: Path, domain: str) -> Iterator[tuple[Source, list[Thumbnail]]]:
        """Files of a folder whose thumbnails were all made, as they were then."""
        columns = "file, size, changed, moved, content, number, title, descriptor"
        with self._lock:
            try:
                rows = self._opened.execute(
                    f"SELECT {columns} FROM sources JOIN pictures USING (content)"
                    " WHERE folder = ? ORDER BY file, number",
                    (_place(folder, domain),),
                ).fetchall()
            except sqlite3.Error as error:
                self._handle_failure(error)
                return
        for file, group in groupby(rows, itemgetter(0)):
            (_, size, changed, moved, content, *_), *_ = images = list(group)
            thumbnails = [Thumbnail(row[5], row[6], np.frombuffer(row[7], "<f4")) for row in images]
            yield Source(file, (size, changed, moved), content), thumbnails

    def put(self, content: str, thumbnail: Thumbnail) -> None:
        """Keep a thumbnail; on the disk with the next `keep`."""
        self._recent[content, thumbnail.number] = thumbnail.png
        while len(self._recent) > WEB.recent_thumbnails:
            self._recent.popitem(last=False)
        data = thumbnail.descriptor.astype("<f4").tobytes()
        self._write(
            "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?)",
            (content, thumbnail.number, thumbnail.title, thumbnail.png, data),
        )

    def put_source(self, folder: Path, domain: str, source: Source) -> None:
        """Say that all thumbnails of a file were put, unless one of them could not be kept."""
        lost, self._lost = self._lost, False
        if lost:
            return
        row = (_place(folder, domain), source.file, *source.stamp, source.content)
        self._write("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?)", row)

    def keep(self) -> None:
        """Write down what was put."""
        with self._lock:
            try:
                self._opened.commit()
                self.problem, self._trouble = self._trouble, ""
            except sqlite3.Error as error:
                self._handle_failure(error)

    def png(self, content: str, number: int) -> bytes | None:
        """The picture of a content, or None where it is not made yet."""
        if (content, number) in self._recent:
            return self._recent.get((content, number))
        with self._lock:
            try:
                row = self._opened.execute(
                    "SELECT png FROM pictures WHERE content = ? AND number = ?", (content, number)
                ).fetchone()
            except sqlite3.Error as error:
                self._handle_failure(error)
                row = None
        return row[0] if row else None

    def close(self) -> None:
        self.keep()
        with self._lock:
            self._opened.close()

    def _write(self, order: str, row: tuple[object, ...]) -> None:
        with self._lock:
            try:
                self._opened.execute(order, row)
            except sqlite3.Error as error:
                self._handle_failure(error)

    def _handle_failure(self, error: sqlite3.Error) -> None:
        """The page goes on with what is in memory."""
        self._lost = True
        self.problem = self._trouble = (
            f"{self._path}: thumbnails cannot be saved ({error}); free disk space, or name another --cache."
        )
        try:
            self._opened.rollback()
        except sqlite3.Error:
            return


def _place(folder: Path, domain: str) -> str:
    """A folder as it is read: one cache may serve several, and names below them are alike."""
    return f"{domain} {folder.resolve()}"
