"""What was done, on the disk the moment it is done: an SQLite file that is only ever added to."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ...types import SasnetError

T = TypeVar("T")
#: Kinds of events, each with a table, so that fits are numbered from 1: a file was looked at; how it is read
#: was chosen; a fit was asked for, answered, its files written, or it ended without an answer.
LOOKED, CHOSEN, ASKED, ANSWERED, WRITTEN, ENDED = "looked", "chosen", "asked", "answered", "written", "ended"
#: A batch was asked for; it was gone on with, or has ended one way or the other.
BATCHED, BATCH_STATE = "batched", "batch_state"
_KINDS = LOOKED, CHOSEN, ASKED, ANSWERED, WRITTEN, ENDED, BATCHED, BATCH_STATE
_SHAPE = """
create table if not exists {0} (
    id integer primary key autoincrement, time real not null, about text not null, body text not null
);
create index if not exists about_{0} on {0} (about);
"""


@dataclass(frozen=True)
class Event:
    """Something that was done."""

    id: int  #: Rising from 1, of its kind.
    time: float  #: Seconds since 1970.
    kind: str  #: `LOOKED`, `CHOSEN`, `ASKED`, `ANSWERED`, `WRITTEN`, `ENDED`, `BATCHED`, `BATCH_STATE`.
    about: str  #: Of `LOOKED`, `CHOSEN` and `ASKED` the file, else the number of the fit or batch.
    body: Mapping[str, Any]


def find_numbered(items: Mapping[int, T], number: int, label: str) -> T:
    """Return the fit or batch of a number. Raises SasnetError without one."""
    if number not in items:
        raise SasnetError(f"There is no {label} {number}.")
    return items[number]


class Record:
    """An opened record, made if missing. Raises SasnetError if it holds something else."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, threading.Lock()
        with self._sentences():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=10.0, check_same_thread=False)
            self._connection.executescript("".join(_SHAPE.format(kind) for kind in _KINDS))

    def add(self, kind: str, about: str, body: Mapping[str, Any]) -> int:
        """Write an event to the disk and return its number. Raises SasnetError if it was not kept."""
        row = time.time(), about, json.dumps(body, ensure_ascii=False, allow_nan=False)
        with self._lock, self._sentences(), self._connection:
            into = f"insert into {kind} (time, about, body) values (?, ?, ?)"
            return int(self._connection.execute(into, row).lastrowid or 0)

    def events(self, kind: str, about: str | None = None) -> list[Event]:
        """Events of a kind, the oldest first; about one thing alone where it is named."""
        condition, values = ("", ()) if about is None else ("where about = ?", (about,))
        with self._lock, self._sentences():
            rows = self._connection.execute(
                f"select id, time, about, body from {kind} {condition} order by id", values
            ).fetchall()
            return [
                Event(id, event_time, kind, subject, json.loads(body))
                for id, event_time, subject, body in rows
            ]

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SasnetError(
                f"{self.path}: work cannot be saved there ({reason}); free disk space, or name another"
                f" --work folder."
            ) from None
