"""Processes that fit and can be killed: LM may never return, and a time limit must hold whatever it does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from ..types import SasnetError

if TYPE_CHECKING:
    from .candidate import Task
    from .result import ModelFit


class Pool(Protocol):
    """Whatever fits tasks: `Workers`, or one process that fits them one after another."""

    @property
    def count(self) -> int:
        """Tasks fitted at the same time."""

    def run(self, tasks: Sequence[Task], seconds: float) -> Iterator[tuple[int, ModelFit | SasnetError]]:
        """See `Workers.run`."""


def _serve(connection: Any, bank_path: str) -> None:
    """Fit what comes in until the connection closes."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers itself
    from ..simulate.bank import Bank
    from .candidate import fit_candidate

    bank = Bank(Path(bank_path))
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer: Any = fit_candidate(task, bank)
        except SasnetError as error:
            answer = error
        except Exception as error:
            # A user's plugin model may raise anything; the other candidates are still to be fitted.
            answer = SasnetError(f"{task.name}: the fit failed ({type(error).__name__}: {error}).")
        try:
            connection.send(answer)
        except (BrokenPipeError, OSError):
            return


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
    """

    bank: Path
    count: int = 2
    _workers: list[_Worker] = field(default_factory=list)

    def __enter__(self) -> Workers:
        self._workers = [self._start() for _ in range(self.count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            self._end(worker)
        self._workers = []

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

    def run(self, tasks: Sequence[Task], seconds: float) -> Iterator[tuple[int, ModelFit | SasnetError]]:
        """Fit tasks, the first ones first; yields (index, answer) as they are done.

        Parameters
        ----------
        tasks : sequence of Task
        seconds : float
            For all of them; what is not done by then is killed and answered with an error.
        """
        from multiprocessing.connection import wait

        deadline = time.monotonic() + seconds
        todo = list(range(len(tasks)))[::-1]
        try:
            while todo or any(w.index is not None for w in self._workers):
                for slot, worker in enumerate(self._workers):
                    if worker.index is None and todo and time.monotonic() < deadline:
                        if not worker.process.is_alive():
                            worker = self._workers[slot] = self._start()
                        worker.index = todo.pop()
                        worker.connection.send(tasks[worker.index])
                left = deadline - time.monotonic()
                busy = [w for w in self._workers if w.index is not None]
                ready = wait([w.connection for w in busy], timeout=max(left, 0.0)) if busy else []
                for slot, worker in enumerate(self._workers):
                    if worker.index is None:
                        continue
                    index = worker.index
                    if worker.connection in ready:
                        worker.index = None
                        try:
                            yield index, worker.connection.recv()
                        except (EOFError, OSError):
                            self._end(worker)
                            self._workers[slot] = self._start()
                            yield index, killed(tasks[index].name)
                    elif left <= 0:
                        self._end(worker)
                        self._workers[slot] = self._start()
                        yield index, late(tasks[index].name, seconds)
                if left <= 0:
                    while todo:
                        index = todo.pop()
                        yield index, late(tasks[index].name, seconds)
        finally:
            # Left early (Ctrl-C, an error): what is under way would answer a question nobody asked.
            for slot, worker in enumerate(self._workers):
                if worker.index is not None:
                    self._end(worker)
                    self._workers[slot] = self._start()


def killed(name: str) -> SasnetError:
    """Why a candidate has no fit whose process is gone."""
    return SasnetError(
        f"{name}: the process that fitted it was killed, perhaps for want of memory;"
        " run again with --workers 1."
    )


def late(name: str, seconds: float) -> SasnetError:
    """Why a candidate has no fit whose turn came too late."""
    return SasnetError(
        f"{name}: not fitted within the time limit of {seconds:g} s; give more with --time-limit."
    )
