"""The process that reads, classifies and fits whole files, one after another, and that may be killed.

Jobs come in; what it begins, what it has found and at last each row go out. Its parent can thus end it at any
moment and still knows what was found until then.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..data.clean import cut_to_q_range
from ..data.limits import sentence_of, unforeseen
from ..data.sample.described import Described
from ..fitting.task import Budget, LateError, Named, Plan, Start, Work
from ..types import Curve, DataError, SasnetError
from ..workers.threads import release_freed_memory
from ..zoo import bank_path
from . import journal
from .journal import Row
from .plan import Options

if TYPE_CHECKING:
    from ..simulate.bank import Bank


#: Seconds beyond the time limit in which fits that are reported may still end; the supervisor waits longer.
ENDING = 5.0
#: Times the time limit after which the clock on the wall ends a search. What may be evaluated is counted and
#: takes less than the limit on an idle core; a process that has a tenth of one still comes to its end.
PATIENCE = 10.0


@dataclass(frozen=True)
class Job:
    """A file to answer, or a sample of several."""

    path: str
    options: Options
    limit: float  #: Seconds for each of its data sets, as the time limit of a fit.
    start: Start | None = None  #: One more start for one of the models.
    files: tuple[str, ...] = ()
    done: int = 0  #: Data sets answered before this process came; left out.
    #: Answers about candidates of the first data set that were there before this process came.
    known: dict[str, Any] = field(default_factory=dict)
    left: float | None = None  #: Seconds on the wall left for that data set; None for all of them.

    @property
    def seconds(self) -> float:
        """Clock time for what has one row: a data set, or all fits of a sample's curves."""
        return PATIENCE * self.limit * max(2 * len(self.files), 1)


def begin() -> Callable[[Job, Callable[[Any], None]], None]:
    """Return what answers jobs in a process of the supervisor."""
    from ..fitting.problem.bumps_import import import_bumps
    from ..predict import open_classifier
    from ..simulate.bank import Bank

    # Now, as the first data set's time should not pay for it: all that fits and assesses is loaded once. The
    # network comes first, as it needs most memory while it is opened.
    with suppress(SasnetError):  # an error of the first job
        open_classifier()
    import_bumps()
    opened = cache(lambda: Bank(bank_path()))  # a damaged one is an error of the first job
    return lambda job, say: serve(job, opened(), lambda *message: say(message))


def serve(job: Job, bank: Bank, say: Callable[..., None]) -> None:
    """Answer every unanswered data set of a file."""
    # `say` is called with ("begin",), ("try", key, name), ("done", key, answer) and ("row", row, time ran
    # out).
    if job.files:
        if not job.done:
            _serve_sample(job, bank, say)
        return
    from ..data import load

    options, known_answers = job.options, job.known
    seconds_left = job.seconds if job.left is None else job.left
    try:
        curves = load(job.path, **options.reading_of(job.path))
    except Exception as error:  # whatever is wrong with one file, it has its row
        say("row", journal.make_failure_row(job.path, error), False)
        return
    for curve in curves[job.done :]:
        say("begin")
        pool = OneByOne(bank, known_answers, say, usual=time.monotonic() + seconds_left)
        row = _row_of(curve, job, pool, seconds_left)
        say("row", row | _record_search_end(pool), pool.late)
        known_answers, seconds_left = {}, job.seconds
        release_freed_memory()


def _row_of(curve: Curve, job: Job, pool: OneByOne, seconds_left: float) -> Row:
    """The row of a curve; `seconds_left` is what it may take, s on the wall."""
    from ..fitting.api import fit_with
    from ..predict import open_classifier

    start_time, options = time.monotonic(), job.options
    try:
        used = _apply_q_range(curve, options.window)
        fit_options = replace(options.fit, time_limit=job.limit, start=job.start or options.fit.start)
        result = fit_with(pool, used, fit_options, wall=seconds_left)
        suggestion = result.expected or open_classifier().suggest([used], top=1)[0]
        network = suggestion.rg_network
        return journal.make_fit_row(
            result, network, time.monotonic() - start_time
        ) | journal.record_assumed_resolution(used, result.curve)
    except Exception as error:
        reason = error if isinstance(error, SasnetError) else unforeseen(job.path, error)
        return journal.make_failure_row(job.path, reason, curve=curve, seconds=time.monotonic() - start_time)


def _serve_sample(job: Job, bank: Bank, say: Callable[..., None]) -> None:
    """Answer a sample; one of whose files holds no curve has no answer."""
    from ..fitting.api import fit_sample
    from ..materials import densities

    say("begin")
    start_time = time.monotonic()
    seconds_left = job.seconds if job.left is None else job.left
    pool = OneByOne(bank, job.known, say, usual=start_time + seconds_left)
    try:
        curves = list(chain.from_iterable(_curves(path, job.options) for path in job.files))
        described = job.options.described or Described()
        sample = described.sample(curves, densities(job.options.wavelength), of_several=True)
        result = fit_sample(pool, sample, replace(job.options.fit, time_limit=job.limit), PATIENCE)
        row = journal.make_sample_row(job.path, result, time.monotonic() - start_time)
    except Exception as error:
        reason = error if isinstance(error, SasnetError) else unforeseen(job.path, error)
        row = journal.make_failure_row(job.path, reason, seconds=time.monotonic() - start_time)
        row["entry"] = journal.names_of(job.files)
    say("row", row | _record_search_end(pool), pool.late)


def _record_search_end(pool: OneByOne) -> Row:
    """What the row says of how the search has ended."""
    return {"limit_met": pool.late, "stopped_by_clock": pool.stopped}


def _curves(path: str, options: Options) -> list[Curve]:
    from ..data import load

    try:
        curves = load(path, **options.reading_of(path))
    except Exception as error:
        raise DataError(sentence_of(path, error)) from error
    return [_apply_q_range(curve, options.window) for curve in curves]


def is_fit(answer: Any) -> bool:
    """Whether an answer about a candidate is a fit of it."""
    return math.isfinite(getattr(answer, "reduced_chisq", math.inf))


def _apply_q_range(curve: Curve, window: tuple[float, float] | None) -> Curve:
    return curve if window is None else cut_to_q_range(curve, *window)


@dataclass
class OneByOne:
    """Does what there is to do for one data set in this process, and says each answer as it is there."""

    bank: Bank
    #: Answers that are there already, with what they have spent. The name of each holds its place, since a
    #: model may be fitted twice, the second time with another resolution.
    known: dict[str, Any]
    say: Callable[..., None]
    #: By ``time.monotonic()``: when the time limit is up, once something is fitted; until then a run has the
    #: time that it is given.
    usual: float = math.inf
    fitted: bool = False
    late: bool = False  #: There were no evaluations, or no time, left for something.
    stopped: bool = False  #: It was a clock that ended something: another time the answer may be another.
    count: int = 1
    calls: int = 0

    def run(
        self, work: Work, tasks: Sequence[Named], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        """See `sasnet_plugin.fitting.pool.Workers.run`."""
        from ..fitting.pool import budget_of

        deadline = time.monotonic() + seconds
        self.calls += 1
        for index, task in enumerate(tasks):
            key = f"{self.calls}.{index} {task.name}"
            usual = self.usual + (ENDING if getattr(task, "assured", False) else 0.0)
            seconds_left = (min(deadline, usual) if self.fitted else deadline) - time.monotonic()
            answer, took, late = self._answer_task(
                key, work, task, seconds_left, budget_of(plan, index, seconds_left)
            )
            self.fitted |= is_fit(answer)
            self.late |= isinstance(answer, LateError) or late
            self.stopped |= late
            if plan is not None:
                plan.record_answer(index, answer, took, late)
            yield index, answer

    def _answer_task(
        self, key: str, work: Work, task: Named, seconds_left: float, budget: Budget | None
    ) -> tuple[Any, float, bool]:
        """An answer, from before if there is one, what it took, and whether it was cut short."""
        from ..fitting.ledger import cut, read_counted_time
        from ..fitting.pool import answer_of

        if key in self.known:
            earlier_answer: tuple[Any, float, bool] = self.known[key]
            return earlier_answer
        if seconds_left <= 0 or budget is None:
            return LateError(task.name), 0.0, True
        self.say("try", key, task.name)
        answer = answer_of(work, task, self.bank, budget)
        spent = read_counted_time(), cut()
        self.say("done", key, (answer, *spent))
        return answer, *spent
