"""Processes that fit and can be killed: LM may never return, and a time limit must hold whatever it does."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.fitting.settings import POOL
from sasnet_plugin.fitting.task import Budget, LateError, Named, Work
from sasnet_plugin.types import SasnetError

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank


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
    return POOL.planned * left * count / max(waiting, count)


def answer_of(work: Work, asked: Named, bank: Bank, budget: Budget) -> Any:
    """What comes of some work: its answer, or why it has none."""
    try:
        return work(asked, bank, budget)
    except SasnetError as error:
        return error
    except (Exception, SystemExit) as error:
        # A user's plugin model may raise anything; the other candidates are still to be fitted.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return SasnetError(f"{asked.name}: the fit failed ({reason}).")


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
            work, asked, budget = connection.recv()
        except (EOFError, OSError):
            return
        answer = answer_of(work, asked, bank, budget)
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
        with _without_script():
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

    def run(self, work: Work, asked: Sequence[Named], seconds: float) -> Iterator[tuple[int, Any]]:
        """Do the same work on each of what is asked, the first first; yields (index, answer) as they come.

        Parameters
        ----------
        work : callable
            A function of a module: (what is asked, bank, budget) -> answer.
        asked : sequence
            Each with a ``name``.
        seconds : float
            For all of them; what is not done by then is killed and answered with an error.

        Raises
        ------
        StoppedError
            What was under way has been killed.
        """
        from multiprocessing.connection import wait

        deadline = time.monotonic() + seconds
        todo = list(range(len(asked)))[::-1]
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
                            worker.connection.send((work, asked[worker.index], Budget(seconds, least)))
                left = deadline - time.monotonic()
                busy = [w for w in self._workers if w.index is not None]
                ready = (
                    wait([w.connection for w in busy], timeout=min(max(left, 0.0), POOL.asks)) if busy else []
                )
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
                            yield index, killed(asked[index].name)
                    elif left <= 0:
                        self._end(worker)
                        self._workers[slot] = self._start()
                        yield index, LateError(asked[index].name)
                if left <= 0:
                    while todo:
                        index = todo.pop()
                        yield index, LateError(asked[index].name)
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


@contextmanager
def _without_script() -> Iterator[None]:
    """Processes that are started meanwhile do not run the caller's script.

    multiprocessing imports the main module in each process that it spawns. A fit needs nothing of it, and a
    script without ``if __name__ == "__main__"`` would fit again in every process, and fail.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
