"""Jobs, one after the other in a process of its own; one that hangs or dies costs its file, not the page."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any

from ...types import SasnetError
from ...web.settings import WEB
from ...workers.pool import GoneError, Pool
from .worker import THUMBNAILS, Failed, Job

#: Told of a job and of what its process says of it; last of `DONE`.
Hear = Callable[[Job, Any], None]
#: What is told at the end of each job.
DONE = "done"

#: What its process runs.
_WORKER = "sasnet_plugin.images.tagging.worker:begin"
_LOG = logging.getLogger(__name__)


class Crew:
    """A process that works off a queue, started with the first job. `hear` runs in a thread; its exceptions
    end job and process. `needed` says whether a job is still wanted.
    """

    def __init__(self, hear: Hear, *, needed: Callable[[Job], bool] = lambda job: True) -> None:
        self._hear, self._needed = hear, needed
        self._jobs: queue.PriorityQueue[tuple[int, int, Job | None]] = queue.PriorityQueue()
        self._count = itertools.count()
        self._cancelled: dict[str, int] = {}
        self._urgent: set[Job] = set()
        self._stopped = threading.Event()
        self._pool = Pool(_WORKER)
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
        return self._jobs.qsize()

    def close(self) -> None:
        """End the process, whatever it is doing, and the thread."""
        self._stopped.set()
        self._jobs.put((-1, 0, None))
        self._pool.close()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopped.is_set():
            _, number, job = self._jobs.get()
            if job is None:
                return
            self._urgent.discard(job)
            try:
                if number >= self._cancelled.get(job.kind, -1) and self._needed(job):
                    self._do(job)
            except Exception as error:  # no room for another process, or what was said could not be kept
                reason = str(error) if isinstance(error, SasnetError) else f"{type(error).__name__}: {error}"
                self._try_to_tell(job, Failed(f"{job.path}: could not be used ({reason.rstrip('.')})."))
            self._try_to_tell(job, DONE)

    def _do(self, job: Job) -> None:
        """Have a job done; its process does not outlive an exception of whoever is told."""
        with self._pool.doing(job):
            while messages := self._pool.hear(WEB.file_seconds):
                for message in messages:  # of this job alone
                    if isinstance(message.error, GoneError):
                        return self._give_up(job, "the process that read it ended")
                    if message.error is not None:
                        raise message.error
                    if message.last:
                        return None
                    self._hear(job, message.message)
            if not self._stopped.is_set():
                self._give_up(job, f"reading it took more than {WEB.file_seconds:.0f} s and was given up")
        return None

    def _give_up(self, job: Job, why: str) -> None:
        self._hear(job, Failed(f"{job.path}: {why}; check the file."))

    def _try_to_tell(self, job: Job, message: Any) -> None:
        """Tell something; if that fails, too, the jobs that follow are still done."""
        if not self._stopped.is_set():
            try:
                self._hear(job, message)
            except Exception:
                _LOG.warning("%s: %r could not be taken in", job.path, message, exc_info=True)
