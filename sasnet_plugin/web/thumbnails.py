"""Thumbnails on disk, outside of the user's folder: one file for each folder, made anew at any time."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..types import SasnetError
from .images import Stamp
from .settings import WEB

_SHAPE = """CREATE TABLE IF NOT EXISTS thumbnails (
    file TEXT, number INTEGER, size INTEGER, changed INTEGER, title TEXT, png BLOB, descriptor BLOB,
    PRIMARY KEY (file, number)) WITHOUT ROWID"""


def cache_of(folder: Path) -> Path:
    """Where the thumbnails of a folder are kept: below ``$XDG_CACHE_HOME``, or ``~/.cache``."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return home / "sasnet" / "tag" / f"{name}-{WEB.thumbnail}.sqlite"


class Thumbnails:
    """An opened cache.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SasnetError
        It cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = sqlite3.connect(path, timeout=60, check_same_thread=False)
            self._opened.execute("PRAGMA synchronous=OFF")  # what is lost is made again
            self._opened.execute(_SHAPE)
            self._opened.commit()
        except (OSError, sqlite3.Error) as error:
            raise SasnetError(
                f"{path}: thumbnails cannot be kept there ({error}); name another --cache."
            ) from None

    def known(self) -> Iterator[tuple[str, int, Stamp, str, NDArray[np.float32]]]:
        """File, number, stamp, title and descriptor of all."""
        with self._lock:
            rows = self._opened.execute(
                "SELECT file, number, size, changed, title, descriptor FROM thumbnails"
            ).fetchall()
        for file, number, size, changed, title, data in rows:
            yield file, number, (size, changed), title, np.frombuffer(data, "<f4")

    def put(
        self, file: str, number: int, stamp: Stamp, title: str, png: bytes, descriptor: NDArray[np.float32]
    ) -> None:
        """Keep a thumbnail; on the disk with the next `keep`."""
        row = (file, number, *stamp, title, png, descriptor.astype("<f4").tobytes())
        with self._lock:
            self._opened.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def keep(self) -> None:
        """Write down what was put."""
        with self._lock:
            self._opened.commit()

    def png(self, file: str, number: int, stamp: Stamp) -> bytes | None:
        """The picture, or None where it is not made yet of the file as it is."""
        with self._lock:
            row = self._opened.execute(
                "SELECT png FROM thumbnails WHERE file = ? AND number = ? AND size = ? AND changed = ?",
                (file, number, *stamp),
            ).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._opened.commit()
            self._opened.close()
