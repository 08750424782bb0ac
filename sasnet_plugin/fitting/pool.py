"""Processes that fit and can be killed: LM may never return, and a time limit must hold whatever it does."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..simulate.compile_cache import choose_folder
from ..types import SasnetError, TechnicalError
from ..wording import option
from ..workers.pool import GoneError, Said
from ..workers.pool import Pool as JobPool
from ..workers.threads import environment_of_one_thread
from .ledger import begin, cut, read_counted_time
from .settings import EFFORT
from .task import Budget, Counting, EndedError, LateError, Named, Plan, Pool, Work

if TYPE_CHECKING:
    from ..simulate.bank import Bank


def budget_of(plan: Plan | None, index: int, wall: float) -> Budget | None:
    """Return what a task may spend by plan and clock (`wall`, s left for all); None while it has to wait."""
    # Without a plan it has its own budget.
    budget = Budget() if plan is None else plan.budget(index)
    if budget is None:
        return None
    return replace(budget, wall=EFFORT.planned * wall)


def answers(pool: Counting, work: Work, tasks: Sequence[Named], seconds: float) -> Iterator[tuple[int, Any]]:
    """Run as `Pool.run`, and repeat once, in the time left, what fails for a technical reason."""
    # Yields (index, answer); `TechnicalError` where the second attempt failed too.
    deadline = pool.clock() + seconds
    failed: dict[int, TechnicalError] = {}
    for index, answer in _run_some(pool, work, tasks, range(len(tasks)), seconds):
        if isinstance(answer, TechnicalError):
            failed[index] = answer
        else:
            yield index, answer
    seconds_left = deadline - pool.clock()
    for index, answer in _run_some(pool, work, tasks, list(failed) if seconds_left > 0 else (), seconds_left):
        if not isinstance(answer, (TechnicalError, LateError)):
            del failed[index]
            yield index, answer
    yield from failed.items()


def _run_some(
    pool: Pool, work: Work, tasks: Sequence[Named], indices: Sequence[int], seconds: float
) -> Iterator[tuple[int, Any]]:
    for k, answer in pool.run(work, [tasks[i] for i in indices], seconds) if indices else ():
        yield indices[k], answer


def answer_of(work: Work, task: Named, bank: Bank, budget: Budget) -> Any:
    """What comes of some work: its answer, or why it has none."""
    try:
        begin(budget.limit_by(getattr(task, "budget", budget)).seconds, budget.wall)
        if budget.seconds <= 0:
            return LateError(task.name)
        return work(task, bank, budget)
    except TechnicalError as error:
        return TechnicalError(task.name, error.reason)
    except SasnetError as error:
        return error
    except (OSError, MemoryError) as error:
        return TechnicalError(task.name, f"the fit failed ({reason_of(error)})")
    except (Exception, SystemExit) as error:
        # A user's plugin model may raise anything; the other candidates are still to be fitted.
        return SasnetError(f"{task.name}: the fit failed ({reason_of(error)}).")


def reason_of(error: BaseException) -> str:
    """Kind and text of an exception on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def serve(path: Path) -> Callable[[tuple[Work, Named, Budget], Any], tuple[Any, float, bool]]:
    """Open the bank in a worker and return what does work: answer, time spent, whether cut short."""
    from ..simulate.bank import Bank

    # What a user's model warns of, of its integrals say, is of use to nobody in the middle of a fit.
    warnings.simplefilter("ignore")
    bank = Bank(path)
    # What the first job needs, while the parent asks the network.
    import_module("sasnet_plugin.fitting.start_values.screening")

    def do(job: tuple[Work, Named, Budget], _: Any) -> tuple[Any, float, bool]:
        work, task, budget = job
        return answer_of(work, task, bank, budget), read_counted_time(), cut()

    return do


@dataclass
class InProcess:
    """Does the work in this process, one piece after another; as `Workers`, without an end by the clock."""

    bank: Any = None  #: Of starting values; None for work that needs none.
    count: int = 1

    def run(
        self, work: Work, tasks: Sequence[Named], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        """See `Workers.run`."""
        for index, task in enumerate(tasks):
            answer = answer_of(work, task, self.bank, (plan.budget(index) if plan else None) or Budget())
            if plan is not None:
                plan.record_answer(index, answer, read_counted_time(), False)
            yield index, answer


class StoppedError(Exception):
    """The answers are no longer wanted."""


@dataclass
class Workers:
    """A few processes, started when needed and reused for any number of curves. Entering raises ModelZooError
    if the bank is missing or damaged.
    """

    bank: Path  #: Of the bank of starting values.
    count: int = 2
    #: Asked again and again during `run`, which ends with `StoppedError` once it is true.
    stopped: Callable[[], bool] = lambda: False
    #: The same; once it is true, what is not done is answered by an `EndedError`.
    ended: Callable[[], bool] = lambda: False

    def __enter__(self) -> Workers:
        from ..simulate.bank import Bank

        choose_folder()  # said once, not by each process
        Bank(self.bank).close()  # a damaged one would end each process that opens it
        self._pool = JobPool(
            "sasnet_plugin.fitting.pool:serve",
            self.count,
            first=(self.bank,),
            environment=environment_of_one_thread(),
        )
        # A search begins with one job at a time: most curves need no second process, which takes as long to
        # begin as a simple fit.
        self._pool.start(1)
        self._has_plugins = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A process keeps a user's model as it was when it was loaded.
        self._pool.close(keep=kind is None and not self._has_plugins)

    def run(
        self, work: Work, tasks: Sequence[Named], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Do the same work on each of what is asked, in order; yield (index, answer) as they come."""
        # `work` is a module's function of (what is asked, bank, budget). After `seconds` on the clock the
        # rest is killed and answered with an error. Raises StoppedError once all is killed.
        deadline = time.monotonic() + seconds
        self._has_plugins |= any(".py" in task.name for task in tasks)
        jobs = _Jobs(self._pool, work, tasks, plan, deadline, list(range(len(tasks)))[::-1])
        try:
            while jobs.todo or jobs.index_of:
                if self.stopped():
                    raise StoppedError
                if self.ended():
                    yield from jobs.late(EndedError)
                    break
                jobs.begin()
                seconds_left = deadline - time.monotonic()
                # Between two questions whether the answers are still wanted, s.
                message = self._pool.hear(min(max(seconds_left, 0.0), 0.1))
                yield from map(jobs.take_answer, message)
                if seconds_left <= 0 and not message:  # what was done in time is heard first
                    yield from jobs.late()
        finally:
            # Left early (Ctrl-C, an error): what is under way would answer a question nobody asks.
            jobs.end()


@dataclass
class _Jobs:
    """What `Workers.run` is asked, by its index: what waits, the first last, and what is under way."""

    pool: JobPool
    work: Work
    asked: Sequence[Named]
    plan: Plan | None
    deadline: float
    todo: list[int]
    index_of: dict[int, int] = field(default_factory=dict)  # by the job's number

    def begin(self) -> None:
        while self.todo and self.pool.room and time.monotonic() < self.deadline:
            budget = budget_of(self.plan, self.todo[-1], self.deadline - time.monotonic())
            if budget is None:
                break
            index = self.todo.pop()
            self.index_of[self.pool.ask((self.work, self.asked[index], budget))] = index

    def take_answer(self, message: Said) -> tuple[int, Any]:
        index = self.index_of.pop(message.number)
        lost = _make_lost_error(self.asked[index].name, message.error), 0.0, False
        answer, *spent = lost if message.error else message.message
        if self.plan is not None:
            self.plan.record_answer(index, answer, *spent)
        return index, answer

    def late(self, why: type[LateError] = LateError) -> list[tuple[int, Any]]:
        late = [*self.end(), *reversed(self.todo)]
        self.todo.clear()
        return [(index, why(self.asked[index].name)) for index in late]

    def end(self) -> list[int]:
        """End what is under way and have other processes warm for the next; what it was about."""
        ended = list(self.index_of.values())
        for number in self.index_of:
            self.pool.stop(number)
        if ended:
            self.index_of.clear()
            self.pool.start(1)
        return ended


def _make_lost_error(name: str, error: Exception | None) -> TechnicalError:
    """Why a job has no answer of its own: its process is gone, or its answer cannot be sent."""
    if error is None or isinstance(error, GoneError):
        return make_killed_error(name)
    return TechnicalError(name, f"the fit failed ({reason_of(error)})")


def make_killed_error(name: str) -> TechnicalError:
    """Why a job has no answer whose process is gone."""
    return TechnicalError(
        name,
        "the process that fitted it was killed, perhaps for want of memory; run again with"
        f" {option('workers', 1, page='one process')}",
    )
