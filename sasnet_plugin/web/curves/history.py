"""Fits: asked for, under way, done; each is kept, and can be gone back to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...service.fits import ANSWER, FILES, PROBLEM, PROGRESS, FitJob
from ...service.places import Place
from ...service.turns import BEGUN, CANCELLED, Queue
from ...types import SasnetError
from ..settings import CURVES
from .record import ANSWERED, ASKED, ENDED, WRITTEN, Record, find_numbered

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
        for event in (
            stored_event for kind in (ASKED, ANSWERED, WRITTEN, ENDED) for stored_event in record.events(kind)
        ):
            number = event.id if event.kind == ASKED else int(event.about)
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
            self._queue.add(number, FitJob(tuple(places), str(self.folder_of(number)), body))
            return self._fits[number]

    def stop(self, number: int) -> bool:
        """End a fit."""
        return self._queue.cancel(number)

    def fit(self, number: int) -> Fit:
        with self._lock:
            return find_numbered(self._fits, number, "fit")

    def answer(self, number: int) -> Mapping[str, Any]:
        """Return a fit's full answer; empty if there is none yet. Raises SasnetError without such a fit."""
        self.fit(number)
        events = self._record.events(ANSWERED, str(number))
        return events[-1].body if events else {}

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
            self._answered(key, fit.summary)


def summary(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of an answer in a list."""
    fit = answer.get("fit") or answer.get("image") or answer["sample"]
    best = fit["fits"][0] if fit.get("fits") else {}
    return {
        "level": fit["verdict"], "headline": fit["headline"], "doubt": fit["doubt"], "next": fit["next"],
        "purpose": fit.get("purpose", ""), "chisq": best.get("reduced_chisq"), "model": best.get("model", ""),
    }  # fmt: skip
