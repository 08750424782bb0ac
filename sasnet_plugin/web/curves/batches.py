"""Batches: asked for, under way, stopped, gone on with; each is kept with its rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...batch.journal import natural
from ...service.batches import ROWS, WRITTEN, BatchJob, batch_options, read_rows
from ...service.fits import PROBLEM, PROGRESS
from ...service.turns import BEGUN, CANCELLED, Queue
from ...types import SasnetError
from ..settings import CURVES
from .history import DONE, FAILED, RUNNING, STOPPED, WAITING
from .record import BATCH_STATE, BATCHED, Record, find_numbered

_KILLED = "sasnet was closed during this fit; continue the batch."
_OPEN = (WAITING, RUNNING)
#: Told the key of a row and the summary of its answer.
Answered = Callable[[str, Mapping[str, Any]], None]


@dataclass
class Batch:
    """One batch."""

    number: int
    #: Keys, without the number of the entry, by whole name of the file; in the order of a series.
    files: Mapping[str, str]
    asked: Mapping[str, Any]  #: How: as a request says it, with ``window`` and ``series``.
    began: float  #: Seconds since 1970, when it was asked for.
    state: str = WAITING
    problem: str = ""
    #: By place of the file and number of the entry; see `service.batches.rows_of`.
    rows: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    #: Places of the rows as they came, some more than once.
    came: list[tuple[int, int]] = field(default_factory=list)
    written: tuple[str, ...] = ()  #: Files of its results.
    version: int = 0
    finishing: bool = False  #: Results and report are being written of what there is.

    def as_dict(self) -> dict[str, Any]:
        return {
            "number": self.number, "of": len(self.files), "asked": self.asked, "began": self.began,
            "state": self.state, "problem": self.problem, "written": self.written, "version": self.version,
            "open": self.state in _OPEN, "finishing": self.finishing, "came": len(self.came),
            "done": len({place for place, _ in self.rows}),
            "failed": sum(bool(row["error"]) for row in self.rows.values()),
        }  # fmt: skip


class Batches:
    """All batches of a record and the queue of coming ones, each with a results folder."""

    def __init__(self, record: Record, folder: Path, workers: int, answered: Answered) -> None:
        self.folder, self.version = folder, 0
        self._record, self._answered, self._workers = record, answered, workers
        self._lock = threading.RLock()
        self._batches: dict[int, Batch] = {}
        for event in record.events(BATCHED):
            self._batches[event.id] = Batch(event.id, event.body["files"], event.body["asked"], event.time)
        for event in record.events(BATCH_STATE):
            batch = self._batches[int(event.about)]
            batch.state, batch.problem = event.body["state"], event.body["problem"]
            batch.written = tuple(event.body["written"])
        for batch in self._batches.values():
            self._take_in(batch, read_rows(self.folder_of(batch.number)))
        self._queue = Queue(workers, self._hear, "sasnet_plugin.service.batches:begin")
        for batch in self._batches.values():
            if batch.state in _OPEN:
                batch.state, batch.problem = STOPPED, _KILLED
                self._begin(batch, fit=False)

    def ask(self, files: Mapping[str, str], body: Mapping[str, Any]) -> Batch:
        """Fit files in natural order. Raises SasnetError if what is asked for does not exist."""
        batch_options(body, self._workers)
        ordered = {path: files[path] for path in sorted(files, key=natural)}
        with self._lock:
            number = self._record.add(BATCHED, "", {"files": ordered, "asked": dict(body)})
            batch = self._batches[number] = Batch(number, ordered, dict(body), time.time())
            self._begin(batch)
            return batch

    def go_on(self, number: int) -> Batch:
        """Do what is missing of a batch that was stopped, or what has failed."""
        with self._lock:
            batch = self.batch(number)
            if batch.state in _OPEN or batch.finishing:
                raise SasnetError(f"Batch {number} is running.")
            self._end(batch, WAITING)
            self._begin(batch)
            return batch

    def stop(self, number: int) -> bool:
        """End a batch; what is done is kept."""
        with self._lock:
            return self.batch(number).state in _OPEN and self._queue.cancel(number)

    def batch(self, number: int) -> Batch:
        with self._lock:
            return find_numbered(self._batches, number, "batch")

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return [batch.as_dict() for batch in reversed(self._batches.values())]

    def rows(self, number: int, after: int = 0) -> list[dict[str, Any]]:
        """Rows of a batch as they came, without the first ones, each with the key of its data set."""
        with self._lock:
            batch = self.batch(number)
            keys = list(batch.files.values())
            return [
                {
                    **batch.rows[place],
                    "key": f"{keys[place[0]]}#{place[1]}",
                    "file": keys[place[0]].partition(":")[2],
                }
                for place in dict.fromkeys(batch.came[max(after, 0) :])
            ]

    def find_rows(self, key: str) -> list[dict[str, Any]]:
        """What batches say of a data set, the newest first."""
        file, _, entry = key.rpartition("#")
        rows = []
        with self._lock:
            for batch in reversed(self._batches.values()):
                place = next((i for i, one_file in enumerate(batch.files.values()) if one_file == file), -1)
                if entry.isdecimal() and (row := batch.rows.get((place, int(entry)))) and row["model"]:
                    rows.append({"batch": batch.number, **row})
        return rows

    def folder_of(self, number: int) -> Path:
        return self.folder / f"{number:06d}"

    def close(self) -> None:
        """End what is under way; what is done is kept."""
        self._queue.close()

    def _begin(self, batch: Batch, *, fit: bool = True) -> None:
        batch.finishing = not fit
        batch.version += 1
        self.version += 1
        folder, request = str(self.folder_of(batch.number)), batch.asked
        job = BatchJob(tuple(batch.files), folder, request, bool(request.get("series")), fit)
        self._queue.add(batch.number, job)

    def _hear(self, number: int, kind: str, message: Any) -> None:
        with self._lock:
            batch = self._batches[number]
            batch.version += 1
            self.version += 1
            if kind == ROWS:
                self._take_in(batch, message)
            elif kind == BEGUN:
                batch.state = batch.state if batch.finishing else RUNNING
            elif kind == CANCELLED:
                batch.state = STOPPED
                self._begin(batch, fit=False)  # results and report of what there is
            elif kind == WRITTEN:
                self._take_in(batch, read_rows(self.folder_of(number)))
                batch.written = tuple(message)
                self._end(batch, STOPPED if batch.finishing else DONE, batch.problem)
            elif kind == PROBLEM:
                self._end(batch, STOPPED if batch.finishing else FAILED, str(message))
            elif kind != PROGRESS:
                raise AssertionError(kind)

    def _end(self, batch: Batch, state: str, problem: str = "") -> None:
        batch.state, batch.problem, batch.finishing = state, problem, False
        body = {"state": state, "problem": problem, "written": list(batch.written)}
        self._record.add(BATCH_STATE, str(batch.number), body)

    def _take_in(self, batch: Batch, rows: Sequence[dict[str, Any]]) -> None:
        keys = list(batch.files.values())
        for row in rows:
            position = row["place"], row["entry"]
            if row == batch.rows.get(position):
                continue
            batch.rows[position] = row
            batch.came.append(position)
            if row["headline"]:
                verdict = {"level": row["level"], "headline": row["headline"], "doubt": row["doubt"]}
                self._answered(f"{keys[position[0]]}#{position[1]}", verdict | {"chisq": row["chisq"]})


def check(files: Mapping[str, str]) -> None:
    """Raise SasnetError unless a batch has files, and no more than the page serves."""
    if not 1 <= len(files) <= CURVES.most_in_batch:
        raise SasnetError(
            f"A batch on this page may have 1 to {CURVES.most_in_batch:,} files, not {len(files):,};"
            f" use 'sasnet batch' for more."
        )
