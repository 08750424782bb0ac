"""Processes that fit and can be killed: LM may never return, and a time limit must hold whatever it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sasnet_plugin.types import SasnetError

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank


#: Of the time left is planned for; the rest is for what takes longer than it should.
_OF_ALL = 0.7
#: Seconds between two looks at whether the answers are still wanted.
_LOOK = 0.1


class Job(Protocol):
    """What a worker can do."""

    @property
    def name(self) -> str:
        """For sentences."""

    def run(self, bank: Bank) -> Any:
        """Do it."""

    def dispatched(self, reduced_chisq: float, seconds: float) -> Job:
        """The same, told how well the best so far explains the curve, and what CPU time there is for it."""


class Pool(Protocol):
    """Whatever does jobs: `Workers`, or one process that does them one after another."""

    @property
    def count(self) -> int:
        """Jobs done at the same time."""

    def clock(self) -> float:
        """The time that limits are meant in, s."""

    def run(self, tasks: Sequence[Job], seconds: float) -> Iterator[tuple[int, Any]]:
        """See `Workers.run`."""


def share(left: float, waiting: int, count: int) -> float:
    """CPU time of the next job, such that all get their turn; what the first ones leave is for the others.

    Parameters
    ----------
    left : float
        For all of them, s.
    waiting : int
        Jobs that wait, the next one included.
    count : int
        Jobs done at the same time.
    """
    return _OF_ALL * left * count / max(waiting, count)


def answer_of(task: Job, bank: Bank) -> Any:
    """What comes of a job: its answer, or why it has none."""
    try:
        return task.run(bank)
    except SasnetError as error:
        return error
    except (Exception, SystemExit) as error:
        # A user's plugin model may raise anything; the other candidates are still to be fitted.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return SasnetError(f"{task.name}: the fit failed ({reason}).")


def _serve(connection: Any, bank_path: str) -> None:
    """Fit what comes in until the connection closes."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers itself
    _leave_with_parent()
    from sasnet_plugin.simulate.bank import Bank

    bank = Bank(Path(bank_path))
    # What the first job needs, while the parent asks the network.
    import_module("sasnet_plugin.fitting.start_values.screening")
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        answer = answer_of(task, bank)
        try:
            connection.send(answer)
        except (BrokenPipeError, OSError):
            return


def _leave_with_parent() -> None:
    """End this process when its parent is gone, killed perhaps: a fit may take for ever, and nobody waits."""
    import multiprocessing
    import os
    import threading

    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


class StoppedError(Exception):
    """The answers are no longer wanted."""


class LateError(SasnetError):
    """A task was not done within the time limit."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: not fitted within the time limit; give more with --time-limit.")
        self.name = name

    def __reduce__(self) -> tuple[type[LateError], tuple[str]]:
        # As it is, pickle would make the name of the sentence.
        return LateError, (self.name,)


@dataclass
class _Worker:
    process: Any
    connection: Any
    index: int | None = None  # of the task under way


@dataclass
class Workers:
    """A few processes, started at once and reused for any number of curves.

    Parameters
    ----------
    bank : Path
        Of the bank of starting values.
    count : int
        Processes.
    stopped : callable
        Asked again and again during `run`, which ends with `StoppedError` once it is true.

    Raises
    ------
    ModelZooError
        On entering: the bank is missing or damaged.
    """

    bank: Path
    count: int = 2
    stopped: Callable[[], bool] = lambda: False
    _workers: list[_Worker] = field(default_factory=list)

    def __enter__(self) -> Workers:
        from sasnet_plugin.simulate.bank import Bank

        Bank(self.bank).close()  # a damaged one would end each process that opens it
        self._workers = [self._start() for _ in range(self.count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            self._end(worker)
        self._workers = []

    def clock(self) -> float:
        """Seconds that pass on the wall."""
        return time.monotonic()

    def _start(self) -> _Worker:
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, str(self.bank)), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _end(self, worker: _Worker) -> None:
        worker.process.terminate()
        worker.process.join(1.0)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.connection.close()

    def run(self, tasks: Sequence[Job], seconds: float) -> Iterator[tuple[int, Any]]:
        """Fit tasks, the first ones first; yields (index, answer) as they are done.

        Parameters
        ----------
        tasks : sequence
            Each with a ``name`` and ``run(bank)``, whose result is the answer.
        seconds : float
            For all of them; what is not done by then is killed and answered with an error.

        Raises
        ------
        StoppedError
            What was under way has been killed.
        """
        from multiprocessing.connection import wait

        deadline = time.monotonic() + seconds
        todo = list(range(len(tasks)))[::-1]
        least = np.inf
        try:
            while todo or any(w.index is not None for w in self._workers):
                if self.stopped():
                    raise StoppedError
                for slot, worker in enumerate(self._workers):
                    if worker.index is None and todo and time.monotonic() < deadline:
                        if not worker.process.is_alive():
                            worker = self._workers[slot] = self._start()
                        worker.index = todo.pop()
                        seconds = share(deadline - time.monotonic(), len(todo) + 1, self.count)
                        with suppress(BrokenPipeError):  # it died just now, and reading will say so
                            worker.connection.send(tasks[worker.index].dispatched(least, seconds))
                left = deadline - time.monotonic()
                busy = [w for w in self._workers if w.index is not None]
                ready = wait([w.connection for w in busy], timeout=min(max(left, 0.0), _LOOK)) if busy else []
                for slot, worker in enumerate(self._workers):
                    if worker.index is None:
                        continue
                    index = worker.index
                    if worker.connection in ready:
                        worker.index = None
                        try:
                            answer = worker.connection.recv()
                            least = min(least, getattr(answer, "reduced_chisq", np.inf))
                            yield index, answer
                        except (EOFError, OSError):
                            self._end(worker)
                            self._workers[slot] = self._start()
                            yield index, killed(tasks[index].name)
                    elif left <= 0:
                        self._end(worker)
                        self._workers[slot] = self._start()
                        yield index, LateError(tasks[index].name)
                if left <= 0:
                    while todo:
                        index = todo.pop()
                        yield index, LateError(tasks[index].name)
        finally:
            # Left early (Ctrl-C, an error): what is under way would answer a question nobody asked.
            for slot, worker in enumerate(self._workers):
                if worker.index is not None:
                    self._end(worker)
                    self._workers[slot] = self._start()


def killed(name: str) -> SasnetError:
    """Why a job has no answer whose process is gone."""
    return SasnetError(
        f"{name}: the process that fitted it was killed, perhaps for want of memory;"
        " run again with --workers 1."
    )
