"""What a fit has spent, counted in evaluations of models, and who of its tasks may spend how much.

Each curve that is computed counts what it costs on a usual machine (`costs`). Budgets are in these seconds,
so that the same data have the same answer wherever they are fitted, with one process or many, idle or busy:
what a task is given depends only on what came of those a fixed number of places before it, in the order in
which they are asked for, never on which of them happened to be done. Two clocks are safety stops: that of
the processor where a model takes far longer than it counts, that on the wall where a machine falls so far
behind that its time limit would be up before. Where one of them decides, the search may end early, and `cut`
says so; where it says no, the count alone has decided.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .costs import cost, look_cost
from .settings import EFFORT
from .task import Budget, EndedError, LateError, Named, Plan, Pool, Work

#: Reading the processor's clock is a call of the system, which takes as long as a small curve, s.
_READ_EVERY = 0.01


@dataclass
class _Meter(threading.local):
    counted: float = 0.0
    budget: float = np.inf
    wall: float = np.inf
    since: float | None = None  # the first evaluation: until then models are compiled and loaded
    processor: float = 0.0  # by `time.thread_time`, then
    processor_now: float = 0.0  # the same when it was last read
    read: float = -np.inf  # when that was, on the wall
    shortened: bool = False


_METER = _Meter()


def begin(budget: float, wall: float) -> None:
    """Begin a piece of work, due within `wall` seconds of clock time."""
    # From zero, so that not even the rounding of sums depends on what this process did before.
    _METER.counted, _METER.budget, _METER.wall = 0.0, budget, wall
    _METER.since, _METER.shortened = None, False


def shorten() -> None:
    """Record that a clock has ended the present piece of work before its time."""
    _METER.shortened = True


def read_counted_time() -> float:
    """What the present piece of work has spent by count, s."""
    return _METER.counted


def read_spent_time() -> float:
    """What the present piece of work has spent, s: differences mean something."""
    # The count; or what a clock stands for where that is more and above `EFFORT.reserve` of the budget.
    by_clock = _estimate_spent_by_clock()
    if by_clock <= max(read_counted_time(), EFFORT.reserve * _METER.budget):
        return _METER.counted
    shorten()
    return by_clock


def cut() -> bool:
    """Whether a clock has decided anything in the present piece of work."""
    return _METER.shortened


def _estimate_spent_by_clock() -> float:
    """Return what of the budget the passed time stands for, by the faster of two clocks."""
    if _METER.since is None or not math.isfinite(_METER.budget):
        return 0.0
    now = time.monotonic()
    if now - _METER.read >= _READ_EVERY:
        _METER.processor_now, _METER.read = time.thread_time(), now
    processor = (_METER.processor_now - _METER.processor) / (EFFORT.behind * _METER.budget + EFFORT.loading)
    wall = (now - _METER.since) / max(_METER.wall, EFFORT.each)
    return _METER.budget * max(processor, wall)


def count(name: str, parameters: Mapping[str, Any], q: NDArray[np.float64], *, quick: bool) -> None:
    if _METER.since is None:
        _METER.since = _METER.read = time.monotonic()
        _METER.processor = _METER.processor_now = time.thread_time()
    _METER.counted += cost(name, parameters, q, quick=quick)


def count_look(form: str, factor: str | None) -> None:
    """Count a comparison with the bank."""
    _METER.counted += look_cost(form, factor)


@dataclass
class Shares:
    """Budgets of the tasks of one run: what the first ones leave is for the others."""

    total: float  #: For all of them, CPU time of a usual machine over `EFFORT.lanes`, s.
    asked: Sequence[Named]
    granted: dict[int, float] = field(default_factory=dict)
    used: dict[int, float] = field(default_factory=dict)
    chisq: dict[int, float] = field(default_factory=dict)
    cut: bool = False

    def budget(self, index: int) -> Budget | None:
        """What a task may spend; None as long as those that it depends on are not done."""
        # Asked in order; with no time left it is one of no seconds.
        done_indices = range(max(index - EFFORT.ahead, 0))
        if any(i not in self.used for i in done_indices):
            return None
        remaining = self.total - sum(self.used[i] for i in done_indices) / EFFORT.lanes
        remaining -= sum(self.granted[i] for i in range(done_indices.stop, index)) / EFFORT.lanes
        share = (
            EFFORT.planned * max(remaining, 0.0) * EFFORT.lanes / max(len(self.asked) - index, EFFORT.lanes)
        )
        seconds = getattr(self.asked[index], "budget", Budget()).seconds
        self.granted[index] = min(share, seconds)
        return Budget(share, min((self.chisq[i] for i in done_indices), default=np.inf))

    def record_answer(self, index: int, answer: Any, used: float, cut: bool) -> None:
        """Keep what came of a task, and what it has spent."""
        self.used[index] = used
        self.chisq[index] = getattr(answer, "reduced_chisq", np.inf)
        self.cut = self.cut or cut


@dataclass
class Ledger:
    """A pool for one curve, whose clock counts evaluations."""

    pool: Pool
    until: float  #: By ``time.monotonic()``: when the time limit is up whatever was spent.
    #: The same, later, as long as nothing is fitted: on a busy machine imports and the fast models may take
    #: longer than any time limit, and any answer is better than none.
    first: float = -np.inf
    most: float = np.inf  #: Of `clock`, what all tasks may spend, s.
    spent: float = 0.0
    cut: bool = False  #: Whether a clock has ended something before its evaluations were spent.
    ended: bool = False  #: Whether the user has.
    fitted: bool = False
    count: int = EFFORT.lanes

    def clock(self) -> float:
        """What was spent, as if by `EFFORT.lanes` processes beside each other, s."""
        return self.spent / EFFORT.lanes

    @property
    def remaining(self) -> float:
        """What may still be spent by `clock`, s."""
        return self.most - self.clock()

    def is_over(self) -> bool:
        """Whether nothing is begun any more: the user has ended it, or its time on the wall is up."""
        late = time.monotonic() >= self._end
        self.cut = self.cut or late
        return self.ended or late

    def run(
        self, work: Work, tasks: Sequence[Named], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Run as `Pool.run` within this ledger's clock; answers come in the order of what was asked."""
        shares = Shares(seconds, tasks)
        wall = self._end - time.monotonic()
        answers_by_index = dict(self.pool.run(work, tasks, wall, shares))
        self.spent += math.fsum(shares.used.values())  # the same in whatever order they came
        self.fitted = self.fitted or any(map(np.isfinite, shares.chisq.values()))
        late = any(isinstance(a, LateError) for i, a in answers_by_index.items() if i not in shares.used)
        self.cut = any((self.cut, shares.cut, late))
        self.ended = self.ended or any(isinstance(answer, EndedError) for answer in answers_by_index.values())
        yield from sorted(answers_by_index.items(), key=lambda item: item[0])

    @property
    def _end(self) -> float:
        """When tasks have to be done, by ``time.monotonic()``."""
        return self.until if self.fitted else max(self.until, self.first)
