"""What was done, on the disk the moment it is done: an SQLite file that is only ever added to."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from ...batch.journal import natural
from ...service.batches import ROWS, BatchJob, batch_options, read_rows
from ...service.batches import WRITTEN as RESULTS_WRITTEN
from ...service.fits import ANSWER, BEGUN, CANCELLED, FILES, PROBLEM, PROGRESS, FitJob, Queue
from ...service.interactive import Place
from ...types import SasnetError
from ..settings import CURVES

# --- What was done, on the disk the moment it is done: an SQLite file that is only ever added to.

T = TypeVar("T")
#: Kinds of events, each with a table, so that fits are numbered from 1: a file was looked at; how it is read
#: was chosen; a fit was asked for, answered, its files written, or ended without an answer; it was removed.
LOOKED, CHOSEN, ASKED, ANSWERED, WRITTEN, ENDED = "looked", "chosen", "asked", "answered", "written", "ended"
REMOVED = "removed"
#: A batch was asked for; it was gone on with, or has ended one way or the other.
BATCHED, BATCH_STATE = "batched", "batch_state"
_KINDS = LOOKED, CHOSEN, ASKED, ANSWERED, WRITTEN, ENDED, REMOVED, BATCHED, BATCH_STATE
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
    kind: str  #: One of the kinds above.
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


# --- Fits: asked for, under way, done; each is kept, and can be gone back to.

#: States of a fit.
WAITING, RUNNING, DONE, STOPPED, FAILED = "waiting", "running", "done", "stopped", "failed"
_KILLED = "sasnet was closed during this fit; fit again."
_OPEN = (WAITING, RUNNING)


@dataclass
class Fit:
    """One fit."""

    number: int
    keys: tuple[str, ...]  #: Of the rows that it is of.
    asked: Mapping[str, Any]  #: How: as a request of `sasnet serve` says it, and ``window``.
    began: float  #: Seconds since 1970, when it was asked for.
    state: str = WAITING
    #: ``done``, ``find_fits``, ``name``, ``reduced_chisq``.
    progress: Mapping[str, Any] = field(default_factory=dict)
    #: Of its answer: ``level``, ``headline``, ``doubt``, ``next``, ``chisq``, ``model``.
    summary: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    files: tuple[str, ...] = ()  #: That were written.
    written: bool = False
    seconds: float = 0.0

    def read_as(self, key: str) -> tuple[Any, ...]:
        """How the file of a row was read: an image's kind and geometry, and the unit of q."""
        units = self.asked.get("q_units") or [self.asked.get("q_unit") or ""] * len(self.keys)
        image = str(self.asked.get("kind") or ""), tuple(self.asked.get("geometry") or ())
        return *image, units[self.keys.index(key)]

    def as_dict(self) -> dict[str, Any]:
        took = time.time() - self.began if self.state in _OPEN else self.seconds
        return {**vars(self), "seconds": round(took, 1), "open": self.state in _OPEN}


class History:
    """All fits of a record and the queue of coming ones, each with a folder; `answered` gets a row's key and
    its fit's summary; `workers` processes fit.
    """

    def __init__(
        self, record: Record, folder: Path, workers: int, answered: Callable[[str, Mapping[str, Any]], None]
    ) -> None:
        self.folder, self.version = folder, 0
        self._record, self._answered = record, answered
        self._lock = threading.RLock()
        self._fits: dict[int, Fit] = {}
        removed = {int(event.about) for event in record.events(REMOVED)}
        for event in (
            stored_event for kind in (ASKED, ANSWERED, WRITTEN, ENDED) for stored_event in record.events(kind)
        ):
            number = event.id if event.kind == ASKED else int(event.about)
            if number not in removed:
                self._take(event.kind, number, event.time, event.body)
        for fit in self._fits.values():
            if fit.state in _OPEN:
                fit.state, fit.problem = STOPPED, _KILLED
        self._queue = Queue(workers, self._hear)

    def ask(self, keys: Sequence[str], places: Sequence[Place], body: Mapping[str, Any]) -> Fit:
        """Fit the data of rows; what is asked is kept, too."""
        with self._lock:
            if sum(fit.state in _OPEN for fit in self._fits.values()) >= CURVES.most_waiting:
                raise SasnetError(
                    f"{CURVES.most_waiting} fits are waiting already; use 'sasnet batch' for many fits."
                )
            number = self._record.add(ASKED, keys[0], {"keys": list(keys), "asked": dict(body)})
            self._take(ASKED, number, time.time(), {"keys": list(keys), "asked": dict(body)})
            job = FitJob(tuple(places), str(self.folder_of(number)), self._add_earlier_plan(keys, body))
            self._queue.add(number, job)
            return self._fits[number]

    def stop(self, number: int) -> bool:
        """End a fit."""
        return self._queue.cancel(number)

    def remove(self, number: int) -> tuple[str, ...]:
        """Remove a fit and its files; the keys of its rows. Raises SasnetError while it is under way."""
        with self._lock:
            fit = self.fit(number)
            if self._queue.holds(number):
                raise SasnetError(f"Fit {number} is running; stop it first.")
            self._record.add(REMOVED, str(number), {})
            del self._fits[number]
            self.version += 1
        shutil.rmtree(self.folder_of(number), ignore_errors=True)
        return fit.keys

    def report(self, key: str) -> None:
        """Say again what each fit of a row says."""
        for fit in self._fits.values():
            if key in fit.keys and fit.state == DONE:
                self._report(fit, key)

    def _report(self, fit: Fit, key: str) -> None:
        self._answered(key, {**fit.summary, "source": f"fit {fit.number}", "reading": fit.read_as(key)})

    def fit(self, number: int) -> Fit:
        with self._lock:
            return find_numbered(self._fits, number, "fit")

    def answer(self, number: int) -> Mapping[str, Any]:
        """Return a fit's full answer; empty if there is none yet. Raises SasnetError without such a fit."""
        self.fit(number)
        events = self._record.events(ANSWERED, str(number))
        return events[-1].body if events else {}

    def _add_earlier_plan(self, keys: Sequence[str], body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A request for a plan, with the newest that was made from some of its rows, but not from all."""
        if body.get("plan") is None:
            return body
        numbers = [n for n, fit in self._fits.items() if fit.state == DONE and set(fit.keys) < set(keys)]
        plans = map(self._find_plan, reversed(numbers))
        return {**body, "plan": {**body["plan"], "earlier": next(filter(None, plans), None)}}

    def _find_plan(self, number: int) -> Any:
        return (self.answer(number).get("plan") or {}).get("json")

    def find_fits(self, key: str) -> list[dict[str, Any]]:
        """Fits of a row, the newest first."""
        with self._lock:
            return [fit.as_dict() for fit in reversed(self._fits.values()) if key in fit.keys]

    def open(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fit.as_dict() for fit in self._fits.values() if fit.state in _OPEN]

    def folder_of(self, number: int) -> Path:
        return self.folder / f"{number:06d}"

    def close(self) -> None:
        self._queue.close()

    def _hear(self, number: int, kind: str, message: Any) -> None:
        with self._lock:
            fit = self._fits[number]
            self.version += 1
            if kind == BEGUN:
                fit.state = RUNNING
            elif kind == PROGRESS:
                fit.progress = message
            elif kind == ANSWER:
                self._keep(ANSWERED, number, message)
            elif kind == FILES:
                self._keep(WRITTEN, number, {"files": message})
            elif fit.state in _OPEN:
                state = STOPPED if kind == CANCELLED else FAILED
                self._keep(ENDED, number, {"state": state, "problem": message or ""})
            else:  # after its answer: what was not written is missing, no more
                fit.written, fit.problem = True, str(message or "") if kind == PROBLEM else ""

    def _keep(self, kind: str, number: int, body: Mapping[str, Any]) -> None:
        self._record.add(kind, str(number), body)
        self._take(kind, number, time.time(), body)

    def _take(self, kind: str, number: int, event_time: float, body: Mapping[str, Any]) -> None:
        if kind == ASKED:
            self._fits[number] = Fit(number, tuple(body["keys"]), body["asked"], event_time)
            return
        fit = self._fits[number]
        if kind == WRITTEN:
            fit.files, fit.written = tuple(body["files"]), True
            return
        fit.seconds = event_time - fit.began
        if kind == ENDED:
            fit.state, fit.problem = body["state"], body["problem"]
            return
        fit.state, fit.summary = DONE, summary(body)
        for key in fit.keys:
            self._report(fit, key)


def summary(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of an answer in a list."""
    fit = answer.get("fit") or answer.get("image") or answer["sample"]
    best = fit["fits"][0] if fit.get("fits") else {}
    return {
        "level": fit["verdict"], "headline": fit["headline"], "doubt": fit["doubt"], "next": fit["next"],
        "purpose": fit.get("purpose", ""), "chisq": best.get("reduced_chisq"), "model": best.get("model", ""),
    }  # fmt: skip


# --- Batches: asked for, under way, stopped, gone on with; each is kept with its rows.

_BATCH_KILLED = "sasnet was closed during this fit; continue the batch."
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

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Keys of the files, without the number of the entry, by place."""
        return tuple(self.files.values())

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        return tuple(self.files)

    def key_of(self, place: int, entry: int) -> str:
        """The key of a row's data set."""
        return f"{self.keys[place]}#{entry}"

    def unit_of(self, place: int) -> str:
        """The unit in which q of a file was read; empty: as the file states it."""
        reading = self.asked.get("readings", {}).get(self._paths[place], {})
        return reading.get("q_unit") or self.asked.get("q_unit") or ""

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
                batch.state, batch.problem = STOPPED, _BATCH_KILLED
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
            return [
                {
                    **batch.rows[place],
                    "key": batch.key_of(*place),
                    "file": batch.keys[place[0]].partition(":")[2],
                }
                for place in dict.fromkeys(batch.came[max(after, 0) :])
            ]

    def find_rows(self, key: str) -> list[dict[str, Any]]:
        """What batches say of a data set, the newest first."""
        file, _, entry = key.rpartition("#")
        rows = []
        with self._lock:
            for batch in reversed(self._batches.values()):
                place = next((i for i, one_file in enumerate(batch.keys) if one_file == file), -1)
                if entry.isdecimal() and (row := batch.rows.get((place, int(entry)))) and row["model"]:
                    rows.append({"batch": batch.number, "asked_unit": batch.unit_of(place), **row})
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
            elif kind == RESULTS_WRITTEN:
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
        for row in rows:
            position = row["place"], row["entry"]
            if row == batch.rows.get(position):
                continue
            batch.rows[position] = row
            batch.came.append(position)
            if row["headline"]:
                self._report(batch, row)

    def report(self, key: str) -> None:
        """Say again what each batch says of a row."""
        for row in reversed(self.find_rows(key)):
            self._report(self._batches[row["batch"]], row)

    def _report(self, batch: Batch, row: Mapping[str, Any]) -> None:
        verdict = {name: row[name] for name in ("level", "headline", "doubt", "chisq")}
        read_as = {"reading": ("", (), batch.unit_of(row["place"])), "source": f"batch {batch.number}"}
        self._answered(batch.key_of(row["place"], row["entry"]), verdict | read_as)


def check(files: Mapping[str, str]) -> None:
    """Raise SasnetError unless a batch has files, and no more than the page serves."""
    if not 1 <= len(files) <= CURVES.most_in_batch:
        raise SasnetError(
            f"A batch on this page may have 1 to {CURVES.most_in_batch:,} files, not {len(files):,};"
            f" use 'sasnet batch' for more."
        )
