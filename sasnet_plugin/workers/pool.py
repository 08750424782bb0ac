"""A few processes that do jobs, and the one protocol: each message carries the number of its job.

What is said of a job that is no longer under way is not heard, whoever said it: an answer cannot be taken for
that of another job.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..types import SasnetError, SimulationError
from .child import Child, current_folder, function_of

#: Does a job: called with it, and with what says something before the end; returns its answer.
Work = Callable[[Any, Callable[[Any], None]], Any]
#: Longest wait at a time, s: without an end to it, Windows would not hear Ctrl-C.
_TURN = 1.0
#: Numbers of jobs, none of which is given twice, whichever pool asks.
_NUMBERS = itertools.count(1)
#: Seconds that a process may need to begin, beside others that keep the machine busy, or from a slow disk.
BEGINS = 120.0


class GoneError(Exception):
    """The process ended in the middle of the job."""


@dataclass(frozen=True)
class Said:
    """Something that was said of a job."""

    number: int
    message: Any
    last: bool  #: The job is done: this is its answer, or `error` is why it has none.
    error: Exception | None = None  #: `GoneError` where the process is gone.


@dataclass(eq=False)
class _Slot:
    # A place for one process, which is started when it is wanted.
    child: Child | None = None
    jobs: list[int] = field(default_factory=list)
    begun: int = 0
    kind: Any = None  #: What its process has begun with.


# --- Processes without a job, kept for the next pool that is made alike: to start one takes as long as to fit
# --- a simple curve.

#: Seconds for which they are kept, so that a notebook or page that is left open gives their memory back.
_IDLE_SECONDS = 300.0
_IDLE: dict[Child, tuple[_Slot, threading.Timer]] = {}


def _keep(child: Child, slot: _Slot) -> None:
    timer = threading.Timer(_IDLE_SECONDS, _drop, (child,))
    timer.daemon = True
    _IDLE[child] = replace(slot), timer
    timer.start()
    # No more than there are cores: the longest idle go.
    for longest_idle in list(_IDLE)[: -(os.cpu_count() or 1)]:
        _drop(longest_idle)


def _drop(child: Child) -> None:
    if (kept := _IDLE.pop(child, None)) is not None:
        kept[1].cancel()
        child.end()


def _take_kept(kind: Any) -> tuple[Child, int] | None:
    # Also how many jobs it has done.
    for child, (slot, timer) in reversed(list(_IDLE.items())):
        # Whoever takes it out has it: a timer, or another thread, comes too late.
        if slot.kind == kind and child.alive and _IDLE.pop(child, None) is not None:
            timer.cancel()
            return child, slot.begun
    return None


def _describe_surroundings(arguments: Sequence[Any]) -> tuple[Any, ...]:
    # All else that decides what a process imports and computes, and the files that it opens first.
    stamps = [part.stat().st_mtime_ns for part in arguments if isinstance(part, Path) and part.exists()]
    return os.getpid(), stamps, current_folder(), sys.path.copy(), read_environment()


def read_environment() -> dict[str, str]:
    """Variables that a process which begins now has."""
    return dict(os.environ)


class Pool:
    """Processes started with their first job, and again after their end. For one thread; any may call
    `close`.

    `target`, ``module:function``, called with `first` and the process' own `each`, gives what does jobs. A
    process has at most `ahead` jobs and is replaced after `most`, so that libraries' caches do not pile up.
    `quiet`, `environment`: see `Child`.
    """

    def __init__(
        self,
        target: str,
        count: int = 1,
        *,
        first: Sequence[Any] = (),
        each: Sequence[tuple[Any, ...]] = (),
        ahead: int = 1,
        most: int | None = None,
        quiet: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._target, self._first, self._each = target, tuple(first), each
        self._ahead, self._most = ahead, most
        self._how: dict[str, Any] = {"quiet": quiet, "environment": environment}
        self._slots = [_Slot() for _ in range(count)]
        self._heard: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()
        #: No job is done any more.
        self.closed = False

    def start(self, count: int | None = None) -> None:
        """Start processes (default: all) now, so that they import before their first job."""
        for slot in self._slots[:count]:
            self._child(slot)

    @property
    def active_jobs(self) -> list[int]:
        """Numbers of the jobs under way, in the order of the processes."""
        return [number for slot in self._slots for number in slot.jobs]

    @property
    def room(self) -> int:
        """Jobs that may be asked for now."""
        return self._ahead * len(self._slots) - len(self.active_jobs)

    @property
    def pids(self) -> list[int]:
        return [slot.child.pid for slot in self._slots if slot.child is not None]

    def fresh(self) -> bool:
        """Whether the process of the next job has done none yet."""
        slot = self._next()
        return slot.child is None or not slot.begun or not slot.child.alive or self._is_worn(slot)

    def patience(self, seconds: float) -> float:
        """How long to hear, if the next job may take so many seconds once its process has begun."""
        return seconds + BEGINS if self.fresh() else seconds

    def ask(self, job: Any) -> int:
        """Queue a job and return its number; needs `room`. Raises SasnetError if none can start."""
        slot = self._next()
        if self._is_worn(slot) and not slot.jobs:
            self._end(slot)
        child = self._child(slot)
        number = next(_NUMBERS)
        child.send((number, job))
        slot.jobs.append(number)
        slot.begun += 1
        return number

    @contextlib.contextmanager
    def doing(self, job: Any) -> Iterator[int]:
        """Have a job done in the block: if it is not done at the end, or fails, its process is ended."""
        number = self.ask(job)
        try:
            yield number
        finally:
            self.stop(number)

    def hear(self, seconds: float | None = None) -> list[Said]:
        """What was said of jobs under way; empty where nothing was within so many seconds."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            seconds_left = _TURN if until is None else min(max(until - time.monotonic(), 0.0), _TURN)
            with contextlib.suppress(queue.Empty):
                replies = self._take(*self._heard.get(timeout=seconds_left))
                if replies and not self.closed:
                    return replies
            if self.closed or (until is not None and time.monotonic() >= until):
                return []

    def stop(self, number: int) -> None:
        """End the process of a job, whatever it is doing; nothing if the job is not under way."""
        for slot in self._slots:
            if number in slot.jobs:
                self._end(slot)

    def close(self, *, keep: bool = False) -> None:
        """End all processes at once; `keep` leaves those without a job to later pools (own thread alone)."""
        self.closed = True
        for slot in self._slots:
            if (child := slot.child) is not None:
                if keep and not (slot.jobs or self._is_worn(slot)):
                    _keep(child, slot)
                    slot.child = None
                else:
                    child.end()
            slot.jobs = []

    def _next(self) -> _Slot:
        return min(self._slots, key=lambda slot: len(slot.jobs))

    def _is_worn(self, slot: _Slot) -> bool:
        return self._most is not None and slot.begun >= self._most

    def _child(self, slot: _Slot) -> Child:
        # One that is gone with jobs under way is heard to be, and replaced then.
        if slot.child is not None and (slot.child.alive or slot.jobs):
            return slot.child
        self._end(slot)
        child = slot.child = self._begin(slot)
        if self.closed:  # meanwhile, by another thread
            child.end()
        return child

    def _begin(self, slot: _Slot) -> Child:
        arguments = (*self._first, *(self._each[self._slots.index(slot)] if self._each else ()))
        slot.kind = (
            pickle.dumps((self._target, arguments)),
            repr(self._how),
            *_describe_surroundings(arguments),
        )
        if (kept := _take_kept(slot.kind)) is not None:
            child, slot.begun = kept
            child.heard = self._heard
            return child
        child = Child(f"{__name__}:live", self._heard, **self._how)
        child.send((self._target, arguments))
        return child

    def _end(self, slot: _Slot) -> None:
        if slot.child is not None:
            slot.child.end()
        slot.child, slot.jobs, slot.begun = None, [], 0

    def _take(self, child: Any, message: tuple[int, Any, bool, Exception | None] | None) -> list[Said]:
        # Nothing where that process was ended meanwhile.
        slot = next((slot for slot in self._slots if slot.child is child), None)
        if slot is None:
            return []
        if message is None:
            jobs = slot.jobs
            self._end(slot)
            return [Said(number, None, True, GoneError()) for number in jobs]
        reply = Said(*message)
        if reply.number not in slot.jobs:
            return []
        if reply.last:
            slot.jobs.remove(reply.number)
        return [reply]


def live(receive: Callable[[], Any], say: Callable[[Any], None]) -> None:
    """Begin in a process with the first target that comes, then do one job after the other."""
    target, first = receive()
    work: Work = function_of(target)(*first)
    while True:
        number, job = receive()
        _do(work, number, job, say)


def _do(work: Work, number: int, job: Any, say: Callable[[Any], None]) -> None:
    try:
        say((number, work(job, lambda message: say((number, message, False, None))), True, None))
    except Exception as error:
        say((number, None, True, _sendable(error)))


def _sendable(error: Exception) -> Exception:
    # Some exceptions cannot be sent to another process.
    try:
        if not isinstance(error, SasnetError):
            error.add_note(traceback.format_exc())
        pickle.loads(pickle.dumps(error))
    except Exception:
        return SimulationError(f"a worker failed ({type(error).__name__}: {error}).")
    return error
