"""Jobs, one after the other in a process of its own; one that hangs or dies costs its file, not the page."""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import SasnetError, printable
from ...web.content import Source, Stamp
from ...web.settings import WEB
from ...workers.pool import GoneError, Pool
from ..raster import Look
from ..settings import RASTER
from .events import Log, Prediction
from .state import State
from .thumbnails import Thumbnail, Thumbnails
from .worker import PREDICT, THUMBNAILS, VIEW, Failed, Job, Predicted, Shown

# --- Jobs, one after the other in a process of its own; one that hangs or dies costs its file, not
# --- the page.

#: What somebody has given on the page as the geometry of a file, read as images of a kind.
Geometry = Callable[[Path, str], tuple[str, ...]]
#: The kind of images that a file is known to hold; empty where it is not known.
KindOf = Callable[[Path], str]
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


# --- What works while people look: the folder is watched, thumbnails are made, images drawn, a
# --- model asked.

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
    """Two processes, for work in advance and for what a user waits for; `lock` guards the state, `refresh`
    reads the log, `live` rescans the folder, `geometry` and `kind` are of the page's other tabs.
    """

    def __init__(
        self, domain: str, state: State, log: Log, thumbnails: Thumbnails, lock: Any,
        refresh: Callable[[], None], *, live: bool = True, geometry: Geometry | None = None,
        kind: KindOf | None = None,
    ) -> None:  # fmt: skip
        self._given, self._kind = geometry, kind
        self.others = 0  #: Files of the folder whose images are of another kind.
        #: File -> the geometry with which its thumbnails were asked for.
        self._read_with: dict[str, tuple[str, ...]] = {}
        self._domain, self._state, self._images = domain, state, state.images
        self._log, self._thumbnails, self._lock, self._refresh = log, thumbnails, lock, refresh
        self.progress = {THUMBNAILS: Progress(), PREDICT: Progress()}
        #: Folder of the models; empty: the usual one.
        self.zoo = ""
        self._pictures: NDArray[np.float32] = np.zeros((0, RASTER.descriptor**2), np.float32)
        self._heard: list[Prediction] = []
        self._unkept = ""
        self._waits: dict[str, _Wait] = {}
        #: File -> its stamp when all of its thumbnails were made.
        self._made: dict[str, Stamp] = {}
        #: Of the job under way: what its file holds, and whether something of it failed.
        self._source: Source | None = None
        self._failed = False
        self._back = Crew(self._hear_back, needed=self._is_needed)
        self._views = Crew(self._hear_view)
        self._closed = threading.Event()
        self._cached = {
            s.file: (s, thumbnails_made)
            for s, thumbnails_made in thumbnails.read_known(state.images.folder, domain)
        }
        self.scan()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        if live:
            self._watcher.start()

    @property
    def pictures(self) -> NDArray[np.float32]:
        """(n, d) what thumbnails look like, NaN where there is none."""
        count_missing = len(self._images) - len(self._pictures)
        if count_missing > 0:
            wide = (0, count_missing + len(self._pictures) // 2), (0, 0)
            self._pictures = np.pad(self._pictures, wide, constant_values=np.nan)
        return self._pictures[: len(self._images)]

    def address(self, row: int) -> str:
        """Address of an image's thumbnail by its file's content; empty if not made yet."""
        content = self._images.content.get(self._images.keys[row][0], "")
        has_picture = content and np.isfinite(self.pictures[row, 0])
        return f"{content}/{self._images.keys[row][1]}" if has_picture else ""

    def png(self, content: str, number: int) -> bytes | None:
        """The thumbnail of a content, if there is one."""
        return self._thumbnails.png(content, number)

    def want(self, row: int) -> str:
        """The address of a thumbnail; where there is none yet, it is made next."""
        with self._lock:
            self._images.check([row])
            file, number = self._images.keys[row]
            is_wanted = bool(self._images.there[row]) and row not in self._images.problem
            address, content = self.address(row), self._images.content.get(file, "")
        if address and self.png(content, number) is None:  # kept nowhere any more
            self._made.pop(file, None)
            address = ""
        if not address and is_wanted:
            self._back.add([self._job(THUMBNAILS, file)], urgent=True)
        return address

    @property
    def problem(self) -> str:
        """What cannot be kept, in a sentence; empty where all can."""
        return self._unkept or self._thumbnails.problem

    def view(self, row: int, look: Look) -> Shown:
        """Draw one image. Raises SasnetError if it cannot be read."""
        with self._lock:
            self._images.check([row])
            file, number = self._images.keys[row]
        token, wait = secrets.token_hex(8), _Wait()
        self._waits[token] = wait
        folder, geometry = str(self._images.folder_of(file)), self._geometry_of(file)
        self._views.add([Job(VIEW, self._domain, folder, file, number, geometry, look, token=token)])
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
            is_present = self._images.there
            chosen = np.flatnonzero(is_present).tolist() if rows is None else rows
            files = dict.fromkeys(self._images.keys[row][0] for row in chosen if is_present[row])
            self._enqueue(PREDICT, files)
            return len(files)

    def stop(self) -> None:
        """Predict no more."""
        self._back.cancel(PREDICT)

    def scan(self) -> None:
        """See what is new in the folder, and have its thumbnails made."""
        stamps = self._images.look()
        own = {file: stamp for file, stamp in stamps.items() if self._is_own(file)}
        with self._lock:
            self.others = len(stamps) - len(own)
            changed = self._images.take(own)
            for file in changed:
                self._made.pop(file, None)
                if self._images.content.get(file):
                    self._state.read(file, "")
                    self.pictures[self._images.find_rows(file)] = np.nan
            self._take_cached()
            if changed:
                self._state.touch([self._images.row[file, 1] for file in changed])
            changed = [*changed, *self._find_newly_readable()]
            self._enqueue(THUMBNAILS, [f for f in changed if self._made.get(f) != self._images.stamp[f]])

    def _find_newly_readable(self) -> list[str]:
        """Files that could not be read, and whose geometry somebody has given since."""
        files = {self._images.keys[row][0] for row in self._images.problem}
        found = [file for file in files if self._geometry_of(file) != self._read_with.get(file, ())]
        for file in found:
            self._made.pop(file, None)
        return found

    def _is_own(self, file: str) -> bool:
        kind = self._kind(self._images.folder_of(file) / file) if self._kind else ""
        return kind in ("", self._domain)

    def _geometry_of(self, file: str) -> tuple[str, ...]:
        return self._given(self._images.folder_of(file) / file, self._domain) if self._given else ()

    def close(self) -> None:
        """End all of it, and let go of the thumbnails."""
        self._closed.set()
        self._back.close()
        self._views.close()
        if self._watcher.is_alive():
            self._watcher.join(timeout=10)
        self._thumbnails.close()

    def _is_needed(self, job: Job) -> bool:
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
        stamp = self._images.stamp.get(file)
        folder, geometry = str(self._images.folder_of(file)), self._geometry_of(file)
        self._read_with[file] = geometry
        return Job(
            kind, self._domain, folder, file, geometry=geometry, stamp=stamp, zoo=self.zoo, token=token
        )

    def _watch(self) -> None:
        pause = WEB.scan_seconds
        while not self._closed.wait(pause):
            start_time = time.monotonic()
            try:
                self.scan()
            except Exception:  # whatever became of the folder, it is looked at again
                _LOG.warning("%s could not be looked at", self._images.folder, exc_info=True)
            pause = WEB.scan_seconds * max(1.0, time.monotonic() - start_time)

    def _sentence(self, failed: Failed) -> str:
        sentence = failed.sentence
        for folder in self._images.folders:
            sentence = sentence.replace(f"{folder}/", "")
        return printable(sentence)

    def _hear_view(self, job: Job, message: Any) -> None:
        wait = self._waits.get(job.token)
        if wait is None or isinstance(message, Source):
            return
        if message is DONE:
            wait.ready.set()
        else:
            wait.found = message

    def _hear_back(self, job: Job, message: Any) -> None:
        with self._lock:
            if isinstance(message, Source):
                self._take_source(message)
            elif isinstance(message, Failed):
                self._take_failure(job, message)
            elif isinstance(message, Shown):
                self._take_thumbnail(message)
            elif isinstance(message, Predicted):
                self._take_prediction(message)
            else:
                self._finish_job(job)
            last = message is DONE and self.progress[PREDICT].done >= self.progress[PREDICT].total
        # Not under the lock: another program may hold the database for a while.
        if len(self._heard) >= WEB.batch or (last and job.kind == PREDICT):
            self._keep_predictions()

    def _take_source(self, source: Source) -> None:
        self._source = source
        if self._images.stamp.get(source.file) == source.stamp:  # else the next look at the folder sees it
            self._state.read(source.file, source.content)
            if source.beside:
                self._images.beside[source.file] = source.beside

    def _take_failure(self, job: Job, failed: Failed) -> None:
        self._failed = True
        if job.kind == PREDICT:  # the image may be as good as any
            self.progress[PREDICT].failed += 1
            self.progress[PREDICT].reason = self._sentence(failed)
        elif failed.curve:  # curves in a folder of images are none of it
            rows = self._images.find_rows(job.file)
            self._images.there[rows] = False
            self._state.touch(rows)
        else:
            row = self._images.add((job.file, max(failed.number, 1)))
            self._images.problem[row] = self._sentence(failed)
            self._state.touch([row])

    def _take_thumbnail(self, shown_image: Shown) -> None:
        assert shown_image.descriptor is not None
        source = shown_image.source
        thumbnail = Thumbnail(shown_image.number, shown_image.title, shown_image.descriptor, shown_image.png)
        self._thumbnails.put(source.content, thumbnail)
        if self._images.content.get(source.file) == source.content:
            row = self._images.add((source.file, shown_image.number), there=True, title=shown_image.title)
            self._images.problem.pop(row, None)
            self.pictures[row] = shown_image.descriptor
            self._state.touch([row])

    def _take_prediction(self, prediction: Predicted) -> None:
        file, content = prediction.source.file, prediction.source.content
        row = self._images.add((file, prediction.number), there=True, title=prediction.title)
        self._images.problem.pop(row, None)
        reply = prediction.tags, prediction.probability, prediction.in_scope, prediction.said
        self._heard.append(Prediction(prediction.model, file, prediction.number, content, *reply))

    def _take_cached(self) -> None:
        """What an earlier server has made of files that are as they were."""
        for file, (source, thumbnails_made) in self._cached.items():
            if self._images.stamp.get(file) == source.stamp:
                for thumbnail in thumbnails_made:
                    row = self._images.add((file, thumbnail.number), there=True, title=thumbnail.title)
                    self.pictures[row] = thumbnail.descriptor
                self._state.read(file, source.content)
                self._made[file] = source.stamp
        self._cached = {}

    def _finish_job(self, job: Job) -> None:
        source, failed = self._source, self._failed
        self._source, self._failed = None, False
        progress = self.progress[job.kind]
        if job.token == _QUEUED:
            progress.done += 1
        if job.kind == THUMBNAILS:
            if source is not None and not failed and not source.beside:
                self._thumbnails.put_source(self._images.folder, self._domain, source)
            if stamp := source.stamp if source else job.stamp:
                self._made[job.file] = stamp
            if not self._back.waiting or progress.done % WEB.batch == 0:
                self._thumbnails.keep()

    def _keep_predictions(self) -> None:
        """Write down what models said; what cannot be kept waits, and models with it, until it can."""
        try:
            self._log.add_predictions(self._heard)
        except SasnetError as error:
            self._unkept = (
                f"{error} The answers of the model are not saved yet; predict again when this is solved."
            )
            self.stop()
            return
        self._heard, self._unkept = [], ""
        with contextlib.suppress(SasnetError):  # they are kept; the next look at the page takes them in
            self._refresh()
