"""What works while people look: the folder is watched, thumbnails are made, images drawn, a model asked."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import SasnetError, printable
from .crew import Crew
from .events import Log, Prediction
from .pictures import Look
from .settings import WEB
from .state import State
from .thumbnails import Thumbnails
from .worker import PREDICT, THUMBNAILS, VIEW, Done, Failed, Job, Predicted, Shown

#: Of jobs that are counted; others were asked for besides.
_QUEUED = "queued"


@dataclass
class Progress:
    """Files of the background's work: how many were asked for, how many are done; failures, and the last."""

    total: int = 0
    done: int = 0
    failed: int = 0
    reason: str = ""


@dataclass
class _Wait:
    """Somebody who waits for a view."""

    ready: threading.Event = field(default_factory=threading.Event)
    found: Shown | Failed | None = None


class Background:
    """Two processes, one for what was asked for in advance and one for what somebody waits for.

    Parameters
    ----------
    domain : str
    state : State
    log : Log
    thumbnails : Thumbnails
    lock : threading.RLock
        Held by whoever reads or changes the state.
    refresh : callable
        Takes in what the log has.
    live : bool
        Look at the folder again and again.
    """

    def __init__(
        self, domain: str, state: State, log: Log, thumbnails: Thumbnails, lock: Any,
        refresh: Callable[[], None], *, live: bool = True,
    ) -> None:  # fmt: skip
        self._domain, self._state, self._images = domain, state, state.images
        self._folder = str(state.images.folder)
        self._log, self._thumbnails, self._lock, self._refresh = log, thumbnails, lock, refresh
        self.progress = {THUMBNAILS: Progress(), PREDICT: Progress()}
        #: Folder of the models; empty: the usual one.
        self.zoo = ""
        self._pictures: NDArray[np.float32] = np.zeros((0, WEB.descriptor**2), np.float32)
        self._heard: list[Prediction] = []
        self._tags: tuple[str, ...] = ()
        self._waits: dict[str, _Wait] = {}
        #: File -> its stamp when all of its thumbnails were made.
        self._made: dict[str, tuple[int, int]] = {}
        self._back = Crew(self._hear_back, needed=self._needed)
        self._views = Crew(self._hear_view)
        self._closed = threading.Event()
        self._cached = {(f, n): (stamp, title, d) for f, n, stamp, title, d in thumbnails.known()}
        self.scan()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        if live:
            self._watcher.start()

    @property
    def pictures(self) -> NDArray[np.float32]:
        """(n, d) what thumbnails look like, NaN where there is none."""
        more = len(self._images) - len(self._pictures)
        if more > 0:
            wide = (0, more + len(self._pictures) // 2), (0, 0)
            self._pictures = np.pad(self._pictures, wide, constant_values=np.nan)
        return self._pictures[: len(self._images)]

    def png(self, row: int) -> bytes | None:
        """The thumbnail of an image; where there is none yet, it is made next."""
        with self._lock:
            self._images.check([row])
            file, number = self._images.keys[row]
            stamp = self._images.stamp.get(file, (0, 0))
            wanted = bool(self._images.there[row]) and row not in self._images.problem
        found = self._thumbnails.png(file, number, stamp)
        if found is None and wanted:
            self._back.add([self._job(THUMBNAILS, file)], urgent=True)
        return found

    def view(self, row: int, look: Look) -> Shown:
        """Draw one image.

        Raises
        ------
        SasnetError
            It cannot be read.
        """
        with self._lock:
            self._images.check([row])
            file, number = self._images.keys[row]
        token, wait = secrets.token_hex(8), _Wait()
        self._waits[token] = wait
        self._views.add([Job(VIEW, self._domain, str(self._images.folder), file, number, look, token=token)])
        wait.ready.wait(WEB.file_seconds + 10)
        self._waits.pop(token, None)
        if isinstance(wait.found, Shown):
            return wait.found
        raise SasnetError(
            self._sentence(wait.found) if wait.found else f"{file}: is not read yet; try again."
        )

    def predict(self, rows: Iterable[int] | None = None) -> int:
        """Ask the model about the files of images, of all by default; how many files."""
        with self._lock:
            there = self._images.there
            chosen = np.flatnonzero(there).tolist() if rows is None else rows
            files = dict.fromkeys(self._images.keys[row][0] for row in chosen if there[row])
            self._enqueue(PREDICT, files)
            return len(files)

    def stop(self) -> None:
        """Predict no more."""
        self._back.cancel(PREDICT)

    def scan(self) -> None:
        """See what is new in the folder, and have its thumbnails made."""
        found = self._images.look()
        with self._lock:
            changed = self._images.take(found)
            if self._made:  # not at the first look
                renewed = {file for file in changed if file in self._made}
                self.pictures[[file in renewed for file, _ in self._images.keys]] = np.nan
            for key, (stamp, title, descriptor) in self._cached.items():
                if self._images.stamp.get(key[0]) == stamp:
                    row = self._images.add(key, there=True, title=title)
                    self.pictures[row] = descriptor
                    self._made[key[0]] = stamp
            self._cached = {}
            if changed:
                self._state.touch([self._images.row[file, 1] for file in changed])
            self._enqueue(THUMBNAILS, [f for f in changed if self._made.get(f) != self._images.stamp[f]])

    def close(self) -> None:
        """End all of it, and let go of the thumbnails."""
        self._closed.set()
        self._back.close()
        self._views.close()
        if self._watcher.is_alive():
            self._watcher.join(timeout=10)
        self._thumbnails.close()

    def _needed(self, job: Job) -> bool:
        stamp = self._images.stamp.get(job.file)
        return job.kind != THUMBNAILS or stamp is None or self._made.get(job.file) != stamp

    def _enqueue(self, kind: str, files: Iterable[str]) -> None:
        jobs = [self._job(kind, file, _QUEUED) for file in files]
        progress = self.progress[kind]
        if progress.done >= progress.total:
            progress.total = progress.done = progress.failed = 0
        progress.total += len(jobs)
        self._back.add(jobs)

    def _job(self, kind: str, file: str, token: str = "") -> Job:
        return Job(kind, self._domain, self._folder, file, zoo=self.zoo, token=token)

    def _watch(self) -> None:
        pause = WEB.scan_seconds
        while not self._closed.wait(pause):
            began = time.monotonic()
            self.scan()
            pause = WEB.scan_seconds * max(1.0, time.monotonic() - began)

    def _sentence(self, failed: Failed) -> str:
        return printable(failed.sentence.replace(f"{self._images.folder}/", ""))

    def _hear_view(self, job: Job, message: Any) -> None:
        wait = self._waits.get(job.token)
        if wait is None:
            return
        if isinstance(message, Done):
            wait.ready.set()
        else:
            wait.found = message

    def _hear_back(self, job: Job, message: Any) -> None:
        with self._lock:
            if isinstance(message, Failed) and job.kind == PREDICT:  # the image may be as good as any
                self.progress[PREDICT].failed += 1
                self.progress[PREDICT].reason = self._sentence(message)
            elif isinstance(message, Failed):
                row = self._images.add((job.file, max(message.number, 1)))
                self._images.problem[row] = self._sentence(message)
                self._state.touch([row])
            elif isinstance(message, Done):
                self._done(job)
            else:
                row = self._images.add((job.file, message.number), there=True, title=message.title)
                self._images.problem.pop(row, None)
                if isinstance(message, Shown):
                    self._keep_thumbnail(row, job.file, message)
                else:
                    self._keep_prediction(job.file, message)

    def _done(self, job: Job) -> None:
        progress = self.progress[job.kind]
        if job.token == _QUEUED:
            progress.done += 1
        if job.kind == PREDICT and progress.done >= progress.total:
            self._keep_predictions()
        elif job.kind == THUMBNAILS:
            self._made[job.file] = self._images.stamp.get(job.file, (0, 0))
            if not self._back.waiting or progress.done % WEB.batch == 0:
                self._thumbnails.keep()

    def _keep_thumbnail(self, row: int, file: str, shown: Shown) -> None:
        assert shown.descriptor is not None
        self.pictures[row] = shown.descriptor
        stamp = self._images.stamp.get(file, (0, 0))
        self._thumbnails.put(file, shown.number, stamp, shown.title, shown.png, shown.descriptor)
        self._state.touch([row])

    def _keep_prediction(self, file: str, one: Predicted) -> None:
        self._tags = one.tags
        self._heard.append(Prediction(one.model, file, one.number, one.probability, one.in_scope, one.said))
        if len(self._heard) >= WEB.batch:
            self._keep_predictions()

    def _keep_predictions(self) -> None:
        heard, self._heard = self._heard, []
        try:
            self._log.add_predictions(self._tags, heard)
            self._refresh()
        except SasnetError as error:  # the page goes on; what is not kept can be predicted again
            for one in heard:
                self._images.problem[self._images.add((one.file, one.number))] = str(error)
