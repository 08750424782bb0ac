"""Supervises one worker process at a time: asks it about files, and ends and replaces it when it is late."""

from __future__ import annotations

import os
import queue
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..processes import Child
from ..simulate.compile_cache import choose_folder
from ..types import SasnetError
from . import rows
from .plan import Options
from .worker import Job, is_fit

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Start

#: A process is replaced after so many files, so that whatever libraries keep does not pile up.
FILES_A_PROCESS = 200
#: Seconds beyond the time limit after which a process is killed; more for the first data set of a new one,
#: which has everything to import.
GRACE, START_UP = 10.0, 30.0
#: Times that a process may die on one data set: two candidates that do so are tried twice each.
_DEATHS = 5


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


def _until_a_fit(job: Job, known: dict[str, Any]) -> float:
    """Seconds beyond the limit as long as nothing is fitted; none with a plugin, which may never return."""
    from sasnet_plugin.fitting.settings import EFFORT

    own = any(name.endswith(".py") for name in job.options.fit.models or ())
    return 0.0 if own or any(is_fit(answer) for answer, *_ in known.values()) else EFFORT.first


class Supervisor:
    """One worker process at a time; used by one thread, ended from any.

    Raises
    ------
    SasnetError
        From `answer`, what concerns no single file: a damaged model zoo, or no process can be started.
    """

    def __init__(self) -> None:
        choose_folder()  # said once, not by each process
        self._child: Child | None = None
        self._messages: queue.Queue[tuple[Child, Any]] = queue.Queue()
        self._served = 0
        self._closed = False

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the process; None where there is none."""
        return None if self._child is None else self._child.pid

    def answer(self, path: str, options: Options, limit: float, start: Start | None = None) -> Done:
        """Read, classify and fit a file.

        Parameters
        ----------
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

        child = self._ready()
        patience = GRACE + (START_UP if self._served == 0 else 0.0)
        self._served += 1
        known = dict(job.known)
        trying: tuple[str, str] | None = None  # key and name of what is under way
        left = job.limit if job.left is None else job.left
        more = _until_a_fit(job, known)
        deadline = time.monotonic() + left + more + patience
        usual = deadline - more
        child.send(job)
        while True:
            try:
                _, message = self._messages.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                self._end()
                if trying is not None:
                    known[trying[0]] = LateError(trying[1]), 0.0, True
                done.late = True
                return self._successor(job, done, known, 0.0)
            if message is None:
                self._end()
                if trying is not None:
                    known[trying[0]] = killed(trying[1]), 0.0, False
                left = min(max(deadline - patience - time.monotonic(), 0.0), left)
                return self._successor(job, done, known, left)
            kind, *rest = message
            if kind == "begin":
                usual = time.monotonic() + left + patience
                deadline = usual + more
            elif kind == "try":
                trying = rest[0], rest[1]
            elif kind == "done":
                known[rest[0]], trying = rest[1], None
                if is_fit(rest[1][0]):
                    deadline = max(usual, time.monotonic() + GRACE)
            elif kind == "row":
                done.rows.append(rest[0])
                done.late |= rest[1]
                known, left, patience = {}, job.limit, GRACE
                more = _until_a_fit(job, known)
                deadline = time.monotonic() + left + more + patience
                usual = deadline - more
            elif kind == "end":
                return None
            else:
                raise rest[0]

    @staticmethod
    def _successor(job: Job, done: Done, known: dict[str, Any], left: float) -> Job:
        return Job(job.path, job.options, job.limit, job.start, len(done.rows), known, left)

    def _ready(self) -> Child:
        if self._served >= FILES_A_PROCESS or self._child is None or not self._child.alive:
            self._end()
            # One process a core: libraries that take all cores for each of them only get in each other's way.
            threads = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
            self._served, self._messages = (
                0,
                queue.Queue(),
            )  # the one that ended may still have said something
            target = "sasnet_plugin.batch.worker:work"
            self._child = Child(target, self._messages, quiet=True, environment=threads)
            if self._closed:  # meanwhile, by another thread
                self._child.end()
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
        self._child = None

    def close(self) -> None:
        """End the process; an answer under way is given up."""
        self._closed = True
        if self._child is not None:
            self._child.end()
