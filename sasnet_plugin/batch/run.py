"""Supervises worker processes: asks them about files, and ends and replaces each that is late."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from ..fitting.task import MORE_TIME, LateError, Start
from ..simulate.compile_cache import check_compiler, choose_folder
from ..types import SasnetError
from ..workers.pool import GoneError, Pool, Said
from ..workers.spread import map_unordered
from ..workers.threads import environment_of_one_thread
from . import journal
from .journal import Journal, Record
from .plan import Options, stamp_of, version
from .results import write_results
from .worker import Job, is_fit

# --- Supervises worker processes: asks them about files, and ends and replaces each that is late.

#: A process is replaced after so many files, so that whatever libraries keep does not pile up.
FILES_A_PROCESS = 200
#: Seconds beyond the time limit after which a process is killed; more for the first data set of a new one,
#: which has everything to import.
GRACE, START_UP = 10.0, 30.0
#: Times that a process may die on one data set: two candidates that do so are tried twice each.
_DEATHS = 5


@dataclass
class Done:
    """What came of a file."""

    rows: list[journal.Row] = field(default_factory=list)  #: One for each data set.
    late: bool = False  #: Time ran out before all candidates were fitted.


class _Answering:
    """A file on its way to its answer, through as many processes as it takes."""

    def __init__(self, job: Job) -> None:
        self.job, self.done = job, Done()
        self._deaths = 0

    def begin(self, patience: float) -> None:
        """A process begins with the job; it may take so many seconds beyond the limit."""
        self._patience = patience
        self._known = dict(self.job.known)
        self._trying: tuple[str, str] | None = None  # key and name of what is under way
        self._left = self.job.seconds if self.job.left is None else self.job.left
        self._wait()

    def _wait(self) -> None:
        self._usual = time.monotonic() + self._left + self._patience
        self._deadline = self._usual + _compute_extra_time(self.job, self._known)

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
            self.done.rows.append(rest[0])
            self.done.late |= rest[1]
            self._known, self._left, self._patience = {}, self.job.seconds, GRACE
            self._wait()

    def _not_again(self, late: bool) -> None:
        from ..fitting.pool import make_killed_error

        if self._trying is not None:
            key, name = self._trying
            self._known[key] = (LateError if late else make_killed_error)(name), 0.0, late

    def handle_death(self, *, late: bool) -> bool:
        """Its process is gone, or was ended as it was late; whether another one takes over."""
        self.done.late |= late
        seconds_left = 0.0 if late else min(max(self.seconds - self._patience, 0.0), self._left)
        self._not_again(late)
        self._deaths += 1
        answered = len(self.done.rows)
        self.job = replace(self.job, done=answered, known=self._known, left=seconds_left)
        # Where nothing was under way but reading or judging the same again would take as long.
        if self._deaths < _DEATHS and not (self._deaths == 1 and seconds_left == 0 and not self._known):
            return True
        self.done.late = True
        path, limit = self.job.path, self.job.limit
        reason = SasnetError(
            f"{path}: no answer within the time limit of {limit:g} s, or the process was killed,"
            f" perhaps because memory ran out; {MORE_TIME} or use fewer workers."
        )
        self.done.rows.append(journal.make_failure_row(path, reason))
        return False


def _compute_extra_time(job: Job, known_answers: dict[str, Any]) -> float:
    """Seconds beyond the limit as long as nothing is fitted; none with a plugin, which may never return."""
    from ..fitting.settings import EFFORT

    has_plugins = any(name.endswith(".py") for name in job.options.fit.models or ())
    return (
        0.0 if has_plugins or any(is_fit(answer) for answer, *_ in known_answers.values()) else EFFORT.first
    )


def _names_plugin(models: Iterable[str]) -> bool:
    from ..fitting.problem.plugin_models import find_plugin

    return any(map(find_plugin, models))


class Supervisor:
    """Processes that answer files, each one at a time; used by one thread, ended from any. `answer` raises
    SasnetError for what concerns no single file: a damaged model zoo, or no process can be started.
    """

    def __init__(self, count: int = 1) -> None:
        check_compiler()
        choose_folder()  # said once, not by each process
        threads = environment_of_one_thread()
        target = "sasnet_plugin.batch.worker:begin"
        self._pool = Pool(target, count, most=FILES_A_PROCESS, quiet=True, environment=threads)
        self._under_way: dict[int, _Answering] = {}
        self._has_plugins = False

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A process keeps a user's model as it was when it was loaded.
        self._pool.close(keep=kind is None and not self._has_plugins)

    @property
    def pid(self) -> int | None:
        """Process id of the first process; None without one."""
        return next(iter(self._pool.pids), None)

    def answer(
        self,
        path: str,
        options: Options,
        limit: float,
        start: Start | None = None,
        files: tuple[str, ...] = (),
    ) -> Done:
        """Read, classify and fit a file or a sample; `limit` in seconds for each data set, `start` an
        additional starting point for one model.
        """
        for _, outcome in self._answers([Job(path, options, limit, start, files)]):
            return outcome
        raise SasnetError(f"{path}: was stopped, because its process was ended.")

    def answers(
        self,
        paths: Iterable[str],
        options: Options,
        limit: float,
        samples: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> Iterator[tuple[str, Done]]:
        """Answer many files as `answer`, in order of completion; a path is taken when it is begun."""
        return self._answers(Job(path, options, limit, files=samples.get(path, ())) for path in paths)

    def close(self) -> None:
        """End the processes; answers under way are given up."""
        self._pool.close()

    def _answers(self, jobs: Iterable[Job]) -> Iterator[tuple[str, Done]]:
        todo, under_way = iter(jobs), self._under_way
        try:
            self._fill(todo)
            while under_way:
                messages = self._pool.hear(min(answering.seconds for answering in under_way.values()))
                if not messages and self._pool.closed:
                    return
                # Nobody is late of whom there is still something to hear.
                over = [*map(self._handle_message, messages), *(() if messages else self._late())]
                self._fill(todo)
                yield from (
                    (answering.job.path, answering.done) for answering in over if answering is not None
                )
        finally:
            for number in under_way:
                self._pool.stop(number)
            under_way.clear()

    def _fill(self, todo: Iterator[Job]) -> None:
        for job in islice(todo, self._pool.room):
            self._begin(_Answering(job))

    def _begin(self, answering: _Answering) -> None:
        self._has_plugins |= _names_plugin(answering.job.options.fit.models or ())
        answering.begin(GRACE + (START_UP if self._pool.fresh() else 0.0))
        self._under_way[self._pool.ask(answering.job)] = answering

    def _handle_message(self, message: Said) -> _Answering | None:
        """Take in what was said of a file; it, where that is the last."""
        answering = self._under_way[message.number]
        if not message.last:
            answering.take(*message.message)
            return None
        del self._under_way[message.number]
        if isinstance(message.error, GoneError):
            return self._hand_over(answering, late=False)
        if message.error is not None:
            raise message.error
        return answering

    def _late(self) -> Iterator[_Answering | None]:
        for number, answering in [item for item in self._under_way.items() if not item[1].seconds]:
            self._pool.stop(number)
            del self._under_way[number]
            yield self._hand_over(answering, late=True)

    def _hand_over(self, answering: _Answering, *, late: bool) -> _Answering | None:
        """Give a file to another process; it, where that would be in vain."""
        if not answering.handle_death(late=late):
            return answering
        self._begin(answering)
        return None


# --- Get the answers: from processes of this machine, from a Dask cluster, or frame after frame of
# --- a series.

#: Seconds between two times that the results file is written, and the share of the time that may go into it.
EVERY, SHARE = 60.0, 0.02
Answers = Generator[Record, None, None]
#: No samples: each file stands alone.
NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})
#: What a thread of a Dask worker keeps.
_own = threading.local()


def answer_file(
    supervisor: Supervisor,
    path: str,
    options: Options,
    limit: float,
    start: Any = None,
    files: tuple[str, ...] = (),
) -> Record:
    """Return all that the journal keeps about one file or sample; `limit` in seconds for each data set."""
    when = stamp_of(path, files)  # before it is read: a file that changes meanwhile is done again
    return record(path, supervisor.answer(path, options, limit, start, files), options, limit, when)


def record(path: str, outcome: Done, options: Options, limit: float, when: tuple[int, int]) -> Record:
    return {
        "file": path, "size": when[0], "mtime": when[1], "options": options.digest, "limit": limit,
        "late": outcome.late, "time": time.time(), "version": version(), "rows": outcome.rows,
    }  # fmt: skip


def local(
    paths: Sequence[str],
    options: Options,
    limit: float,
    workers: int,
    samples: Mapping[str, tuple[str, ...]] = NONE,
) -> Answers:
    """Yield answers from processes on this machine; closing the generator ends the processes at once."""
    # `limit` in seconds for each data set; `samples` maps the name of a sample to its files.
    stamps: dict[str, tuple[int, int]] = {}

    def stamp_paths() -> Iterator[str]:
        for path in paths:
            # Before it is read: a file that changes meanwhile is done again.
            stamps[path] = stamp_of(path, samples.get(path, ()))
            yield path

    with Supervisor(min(workers, len(paths))) as supervisor:
        for path, outcome in supervisor.answers(stamp_paths(), options, limit, samples):
            yield record(path, outcome, options, limit, stamps.pop(path))


def answer_on_cluster(
    address: str,
    paths: Sequence[str],
    options: Options,
    limit: float,
    samples: Mapping[str, tuple[str, ...]] = NONE,
) -> Answers:
    """Yield answers from a Dask cluster with a scheduler at `address`, as ``tcp://host:8786``; `limit` in
    seconds for each data set.
    """
    # Every worker needs sasnet-plugin and must find the files under the same names.

    def record_failure(request: tuple[str, tuple[str, ...]], reason: str) -> Record:
        path, files = request
        row = journal.make_failure_row(path, SasnetError(f"{path}: {reason}"))
        return record(path, Done([row]), options, limit, stamp_of(path, files))

    answer = partial(_answer_there, options=options, limit=limit)
    requests = [(path, samples.get(path, ())) for path in paths]
    yield from map_unordered(answer, requests, workers=address, threads=True, failed=record_failure)


def _answer_there(request: tuple[str, tuple[str, ...]], options: Options, limit: float) -> Record:
    """Answer a file from a thread of a Dask worker, which keeps its process for the next one."""
    if getattr(_own, "supervisor", None) is None:
        _own.supervisor = Supervisor()
    path, files = request
    return answer_file(_own.supervisor, path, options, limit, files=files)


def series(
    paths: Sequence[str], todo: Sequence[str], journal: Journal, options: Options, limit: float
) -> Answers:
    """Yield answers frame after frame, each fit also starting from the previous answer; `limit` in seconds
    for each data set. `journal` holds the answers of those `paths` that are not in `todo`.
    """
    from .series import start_of

    todo_paths = set(todo)
    earlier: Record | None = None
    with Supervisor() as supervisor:
        for path in paths:
            if path in todo_paths:
                frame_record = answer_file(supervisor, path, options, limit, start_of(earlier))
                yield frame_record
            else:
                frame_record = next(journal.records([path]))
            if start_of(frame_record) is not None:
                earlier = frame_record  # a frame without an answer does not break the chain


@dataclass
class Progress:
    """How far a batch is."""

    #: total, done, failed: files.
    total: int
    done: int = 0
    failed: int = 0
    last: str = ""  #: The file answered last.


def keep(
    answers: Answers, journal: Journal, out: Path, total: int, progress: Callable[[Progress], None]
) -> Progress:
    """Put answers into the journal as they come, and now and then the results file in place."""
    state = Progress(total)
    due = time.monotonic() + EVERY
    for answer in answers:
        journal.add(answer)
        state.done += 1
        state.failed += any(row["error"] for row in answer["rows"])
        state.last = answer["file"]
        progress(state)
        if time.monotonic() > due:
            start_time = time.monotonic()
            # Held open by another program, say: the journal has it all, and the end says it again.
            with contextlib.suppress(SasnetError):
                publish(journal, out)
            current_time = time.monotonic()
            due = current_time + max(EVERY, (current_time - start_time) / SHARE)
    return state


def publish(journal: Journal, out: Path) -> tuple[int, int]:
    """Write HDF5 and CSV of all answers; how many data sets there are, and how many without an answer."""
    return write_results(journal.records, journal.options, out)
