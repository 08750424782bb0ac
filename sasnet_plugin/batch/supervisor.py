"""Supervises one worker process at a time: asks it about files, and ends and replaces it when it is late."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..simulate.compile_cache import choose_folder
from ..types import SasnetError
from ..workers.pool import GoneError, Pool
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


class _Attempt:
    """What one process has found of a job, and how long it may go on.

    Parameters
    ----------
    job : Job
    done : Done
        Gets the rows.
    patience : float
        Seconds beyond the limit after which it is late.
    """

    def __init__(self, job: Job, done: Done, patience: float) -> None:
        self._job, self._done, self._patience = job, done, patience
        self._known = dict(job.known)
        self._trying: tuple[str, str] | None = None  # key and name of what is under way
        self._left = job.limit if job.left is None else job.left
        self._wait()

    def _wait(self) -> None:
        self._usual = time.monotonic() + self._left + self._patience
        self._deadline = self._usual + _until_a_fit(self._job, self._known)

    @property
    def seconds(self) -> float:
        """Until it is late."""
        return max(self._deadline - time.monotonic(), 0.0)

    def take(self, kind: str, *rest: Any) -> None:
        """Take in what `worker.serve` says."""
        if kind == "begin":
            self._wait()
        elif kind == "try":
            self._trying = rest[0], rest[1]
        elif kind == "done":
            self._known[rest[0]], self._trying = rest[1], None
            if is_fit(rest[1][0]):
                self._deadline = max(self._usual, time.monotonic() + GRACE)
        else:
            self._done.rows.append(rest[0])
            self._done.late |= rest[1]
            self._known, self._left, self._patience = {}, self._job.limit, GRACE
            self._wait()

    def late(self) -> Job:
        """The job of its successor: what was under way is not tried again, and no time is left."""
        from sasnet_plugin.fitting.task import LateError

        self._done.late = True
        return self._successor(LateError, 0.0, True)

    def died(self) -> Job:
        """The job of its successor, in the time that is left."""
        from sasnet_plugin.fitting.pool import killed

        return self._successor(killed, min(max(self.seconds - self._patience, 0.0), self._left), False)

    def _successor(self, why: Callable[[str], Exception], left: float, late: bool) -> Job:
        if self._trying is not None:
            self._known[self._trying[0]] = why(self._trying[1]), 0.0, late
        job = self._job
        return Job(job.path, job.options, job.limit, job.start, len(self._done.rows), self._known, left)


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
        # One process a core: libraries that take all cores for each of them only get in each other's way.
        threads = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        self._pool = Pool(
            "sasnet_plugin.batch.worker:begin", most=FILES_A_PROCESS, quiet=True, environment=threads
        )
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
        return next(iter(self._pool.pids), None)

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
        attempt = _Attempt(job, done, GRACE + (START_UP if self._pool.fresh() else 0.0))
        with self._pool.doing(job):
            while found := self._pool.hear(attempt.seconds):
                for said in found:
                    if isinstance(said.error, GoneError):
                        return attempt.died()
                    if said.error is not None:
                        raise said.error
                    if said.last:
                        return None
                    attempt.take(*said.message)
            return attempt.late()

    def close(self) -> None:
        """End the process; an answer under way is given up."""
        self._closed = True
        self._pool.close()
