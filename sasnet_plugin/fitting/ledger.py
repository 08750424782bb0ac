"""What a fit has spent, counted in evaluations of models, and who of its tasks may spend how much.

Each curve that is computed counts what it costs on a usual machine (`costs`). Budgets are in these seconds,
so that the same data have the same answer wherever they are fitted, with one process or many, idle or busy:
what a task is given depends only on what came of those a fixed number of places before it, in the order in
which they are asked for, never on which of them happened to be done. Where a machine falls so far behind
that its time limit would be up before, its clock on the wall takes the lead: then the search ends early, and
`cut` says so.
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


@dataclass
class _Meter(threading.local):
    counted: float = 0.0
    began: float = 0.0
    budget: float = np.inf
    wall: float = np.inf
    since: float | None = None  # the first evaluation: until then models are compiled and loaded
    shortened: bool = False


_METER = _Meter()


def begin(budget: float, wall: float) -> None:
    """Begin a piece of work.

    Parameters
    ----------
    wall : float
        Seconds on the wall by which it has to be done.
    """
    _METER.began, _METER.budget, _METER.wall = _METER.counted, budget, wall
    _METER.since, _METER.shortened = None, False


def shorten() -> None:
    """Say that the clock on the wall has ended the present piece of work before its time."""
    _METER.shortened = True


def used() -> float:
    """What the present piece of work has spent, s."""
    return _METER.counted - _METER.began


def spent() -> float:
    """What this thread has spent, s: differences mean something."""
    return max(_METER.counted, _METER.began + _on_the_wall())


def cut() -> bool:
    """Whether the clock on the wall has shortened the present piece of work."""
    late = _on_the_wall() > max(used(), EFFORT.unnoticed * _METER.budget) and used() > 0
    return late or _METER.shortened


def _on_the_wall() -> float:
    """Of the budget, what the share of the time that has passed stands for."""
    if _METER.since is None or not np.isfinite(_METER.budget) or not np.isfinite(_METER.wall):
        return 0.0
    return _METER.budget * (time.monotonic() - _METER.since) / max(_METER.wall, EFFORT.each)


def count(name: str, parameters: Mapping[str, Any], q: NDArray[np.float64], *, quick: bool) -> None:
    """Count an evaluation, as `cost` has it."""
    if _METER.since is None:
        _METER.since = time.monotonic()
    _METER.counted += cost(name, parameters, q, quick=quick)


def count_look(form: str, factor: str | None, starts: int = 0) -> None:
    """Count a comparison with the bank, and so many starts chosen from it."""
    several = 1 + EFFORT.look_starts * starts if "+" in form else 1
    _METER.counted += several * look_cost(form, factor)


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
        """What a task may spend; None as long as those that it depends on are not done.

        Asked in order; with no time left it is one of no seconds.
        """
        known = range(max(index - EFFORT.ahead, 0))
        if any(i not in self.used for i in known):
            return None
        left = self.total - sum(self.used[i] for i in known) / EFFORT.lanes
        left -= sum(self.granted[i] for i in range(known.stop, index)) / EFFORT.lanes
        share = EFFORT.planned * max(left, 0.0) * EFFORT.lanes / max(len(self.asked) - index, EFFORT.lanes)
        own = getattr(self.asked[index], "budget", Budget()).seconds
        self.granted[index] = min(share, own)
        return Budget(share, min((self.chisq[i] for i in known), default=np.inf))

    def done(self, index: int, answer: Any, used: float, cut: bool) -> None:
        """Keep what came of a task, and what it has spent."""
        self.used[index] = used
        self.chisq[index] = getattr(answer, "reduced_chisq", np.inf)
        self.cut = self.cut or cut


@dataclass
class Ledger:
    """A pool for one curve, whose clock counts evaluations."""

    pool: Pool
    until: float  #: By ``time.monotonic()``: when the time limit is up whatever was spent.
    #: The same, later, for what is assured and as long as nothing is fitted: on a busy machine imports and
    #: the fast models may take longer than any time limit, and any answer is better than none.
    first: float = -np.inf
    spent: float = 0.0
    cut: bool = False  #: Whether the clock on the wall has ended something before its evaluations were spent.
    ended: bool = False  #: Whether the user has.
    fitted: bool = False
    count: int = EFFORT.lanes

    def clock(self) -> float:
        """What was spent, as if by `EFFORT.lanes` processes beside each other, s."""
        return self.spent / EFFORT.lanes

    def run(
        self, work: Work, asked: Sequence[Named], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        """As `Pool.run`, within so much of this clock; answers come in the order of what was asked."""
        shares = Shares(seconds, asked)
        wall = self._end_of(asked) - time.monotonic()
        found = dict(self.pool.run(work, asked, wall, shares))
        self.spent += math.fsum(shares.used.values())  # the same in whatever order they came
        self.fitted = self.fitted or any(map(np.isfinite, shares.chisq.values()))
        late = any(isinstance(a, LateError) for i, a in found.items() if i not in shares.used)
        self.cut = self.cut or shares.cut or late
        self.ended = self.ended or any(isinstance(answer, EndedError) for answer in found.values())
        yield from sorted(found.items(), key=lambda item: item[0])

    def _end_of(self, asked: Sequence[Named]) -> float:
        """When these tasks have to be done, by ``time.monotonic()``."""
        assured = any(getattr(task, "assured", False) for task in asked)
        return self.until if self.fitted and not assured else max(self.until, self.first)
