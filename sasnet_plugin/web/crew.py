"""Jobs, one after the other in a process of its own; one that hangs or dies costs its file, not the page."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any

from ..processes import Child
from .settings import WEB
from .worker import THUMBNAILS, Done, Failed, Job

#: Told of a job and of what its process says of it; last of `Done`.
Hear = Callable[[Job, Any], None]


#: What its process runs.
_WORKER = "sasnet_plugin.web.worker:live"


class Crew:
    """A process that works off a queue, started with the first job.

    Parameters
    ----------
    hear : callable
        Called in a thread of this crew.
    needed : callable
        Whether a job is still to be done when its turn comes.
    seconds : float
        After which a process that says nothing is ended.
    """

    def __init__(
        self,
        hear: Hear,
        *,
        needed: Callable[[Job], bool] = lambda job: True,
        seconds: float = WEB.file_seconds,
    ) -> None:
        self._hear, self._needed, self._seconds = hear, needed, seconds
        self._jobs: queue.PriorityQueue[tuple[int, int, Job | None]] = queue.PriorityQueue()
        self._count = itertools.count()
        self._cancelled: dict[str, int] = {}
        self._urgent: set[Job] = set()
        self._stopped = threading.Event()
        self._child: Child | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, jobs: Iterable[Job], *, urgent: bool = False) -> None:
        """Queue jobs; urgent ones come before all others, and each but once."""
        for job in jobs:
            if urgent:
                if job in self._urgent:
                    continue
                self._urgent.add(job)
            # What somebody has asked for does not wait for the thumbnails of a whole folder.
            first = 0 if urgent else 2 if job.kind == THUMBNAILS else 1
            self._jobs.put((first, next(self._count), job))

    def cancel(self, kind: str) -> None:
        """Forget the jobs of a kind that were queued until now."""
        self._cancelled[kind] = next(self._count)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._jobs.qsize()

    def close(self) -> None:
        """End the process, whatever it is doing, and the thread."""
        self._stopped.set()
        self._jobs.put((-1, 0, None))
        if self._child is not None:
            self._child.end()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        heard: queue.Queue[tuple[Any, Any]] = queue.Queue()
        while not self._stopped.is_set():
            _, number, job = self._jobs.get()
            if job is None:
                return
            self._urgent.discard(job)
            if number < self._cancelled.get(job.kind, -1) or not self._needed(job):
                self._tell(job, Done(job.token))
                continue
            try:
                self._do(job, heard)
            except Exception as error:  # such as no room for another process
                self._tell(job, Failed(f"{job.path}: could not be read ({error})."))
                self._tell(job, Done(job.token))

    def _do(self, job: Job, heard: queue.Queue[tuple[Any, Any]]) -> None:
        if self._child is None or not self._child.alive:
            self._child = Child(_WORKER, heard)
        child = self._child
        child.send(job)
        while not self._stopped.is_set():
            try:
                whose, message = heard.get(timeout=self._seconds)
            except queue.Empty:
                self._give_up(job, f"reading it took more than {self._seconds:.0f} s and was given up")
                return
            if whose is not child:
                continue
            if message is None:
                if not self._stopped.is_set():
                    self._give_up(job, "the process that read it ended")
                return
            self._tell(job, message)
            if isinstance(message, Done):
                return

    def _give_up(self, job: Job, why: str) -> None:
        assert self._child is not None
        self._child.end()
        self._child = None
        self._tell(job, Failed(f"{job.path}: {why}; check the file."))
        self._tell(job, Done(job.token))

    def _tell(self, job: Job, message: Any) -> None:
        if not self._stopped.is_set():
            self._hear(job, message)
