"""Whoever wants an answer about a file and cannot wait for ever: holds a worker process and may end it.

The process is a plain one, with pipes: a Dask worker is a daemon of `multiprocessing`, which may have no
children of its own there.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..types import SasnetError
from . import rows
from .options import Options
from .worker import Job

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Start

#: A process is replaced after so many files, so that whatever libraries keep does not pile up.
FILES_A_PROCESS = 200
#: Seconds beyond the time limit after which a process is killed; more for the first data set of a new one,
#: which has everything to import.
GRACE, START_UP = 10.0, 30.0
#: Times that a process may die on one data set.
_DEATHS = 3
_CODE = "from sasnet_plugin.batch.worker import main; main()"


@dataclass
class Done:
    """What came of a file.

    Parameters
    ----------
    rows : list of dict
        One for each data set.
    late : bool
        Time ran out before all candidates were fitted.
    """

    rows: list[rows.Row] = field(default_factory=list)
    late: bool = False


class Attendant:
    """One worker process at a time; used by one thread, ended from any.

    Raises
    ------
    SasnetError
        From `answer`, what concerns no single file: a damaged model zoo, or no process can be started.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: queue.Queue[tuple[Any, ...] | None] = queue.Queue()
        self._served = 0
        self._closed = False
        self._stop: Callable[[], object] = lambda: None

    def __enter__(self) -> Attendant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the process; None where there is none."""
        return None if self._process is None else self._process.pid

    def answer(self, path: str, options: Options, limit: float, start: Start | None = None) -> Done:
        """Read, classify and fit a file.

        Parameters
        ----------
        path : str
        options : Options
        limit : float
            Seconds for each of its data sets.
        start : Start, optional
            One more start for one of the models.
        """
        done = Done()
        job = Job(path, options, limit, start)
        for death in range(1, _DEATHS + 1):
            again = self._attempt(job, done)
            if again is None:
                return done
            job = again
            if self._closed:
                break
            if death == 1 and job.left == 0 and not job.known:
                # Nothing was under way but reading or judging: the same again would take as long.
                break
        done.late = True
        reason = SasnetError(
            f"{path}: no answer within the time limit of {limit:g} s, or the process was killed, perhaps"
            " for want of memory; give more time with --time-limit or use fewer workers."
        )
        done.rows.append(rows.failed(path, reason))
        return done

    def _attempt(self, job: Job, done: Done) -> Job | None:
        """Let the process work on a job; the job of its successor where it died or was killed."""
        from sasnet_plugin.fitting.pool import killed
        from sasnet_plugin.fitting.task import LateError

        process = self._ready()
        patience = GRACE + (START_UP if self._served == 0 else 0.0)
        self._served += 1
        known = dict(job.known)
        trying: tuple[str, str] | None = None  # key and name of what is under way
        left = job.limit if job.left is None else job.left
        deadline = time.monotonic() + left + patience
        try:
            assert process.stdin is not None
            pickle.dump(job, process.stdin)
            process.stdin.flush()
        except (OSError, ValueError):  # it is gone, or was ended
            self._messages.put(None)
        while True:
            try:
                message = self._messages.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                self._end()
                if trying is not None:
                    known[trying[0]] = LateError(trying[1])
                done.late = True
                return self._successor(job, done, known, 0.0)
            if message is None:
                self._end()
                if trying is not None:
                    known[trying[0]] = killed(trying[1])
                left = min(max(deadline - patience - time.monotonic(), 0.0), left)
                return self._successor(job, done, known, left)
            kind, *rest = message
            if kind == "begin":
                deadline = time.monotonic() + left + patience
            elif kind == "try":
                trying = rest[0], rest[1]
            elif kind == "done":
                known[rest[0]], trying = rest[1], None
            elif kind == "row":
                done.rows.append(rest[0])
                done.late |= rest[1]
                known, left, patience = {}, job.limit, GRACE
                deadline = time.monotonic() + left + patience
            elif kind == "end":
                return None
            else:
                raise rest[0]

    @staticmethod
    def _successor(job: Job, done: Done, known: dict[str, Any], left: float) -> Job:
        return Job(job.path, job.options, job.limit, job.start, len(done.rows), known, left)

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._served >= FILES_A_PROCESS:
            self._end()
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = self._begin()
        return self._process

    def _begin(self) -> subprocess.Popen[bytes]:
        home = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", _CODE],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": path},
            )  # fmt: skip
        except OSError as error:
            raise SasnetError(
                f"sasnet batch: no further process can be started ({error.strerror}); use fewer workers."
            ) from error
        self._stop = weakref.finalize(self, _stop, process)
        self._served, self._messages = 0, queue.Queue()
        threading.Thread(target=_hear, args=(process.stdout, self._messages), daemon=True).start()
        return process

    def _end(self) -> None:
        self._stop()
        self._process = None

    def close(self) -> None:
        """End the process; an answer under way is given up."""
        self._closed = True
        self._stop()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _hear(stdout: Any, messages: queue.Queue[tuple[Any, ...] | None]) -> None:
    """Pass on what a process says; None when it says no more."""
    with stdout:
        try:
            while True:
                messages.put(pickle.load(stdout))
        except Exception:
            messages.put(None)
