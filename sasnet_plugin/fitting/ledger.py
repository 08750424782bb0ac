"""Shares out what a curve may spend, so that its answer is the same with one process or many, idle or busy.

What a task is given depends only on what came of those a fixed number of places before it, in the order in
which they are asked for: never on which of them happened to be done.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sasnet_plugin.fitting.settings import EFFORT, POOL
from sasnet_plugin.fitting.task import Budget, LateError, Named, Plan, Pool, Work


@dataclass
class Shares:
    """Budgets of the tasks of one run: what the first ones leave is for the others.

    Parameters
    ----------
    total : float
        For all of them, CPU time of a usual machine over `EFFORT.lanes`, s.
    asked : sequence
        The tasks.
    """

    total: float
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
        share = POOL.planned * max(left, 0.0) * EFFORT.lanes / max(len(self.asked) - index, EFFORT.lanes)
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
    """A pool for one curve, whose clock counts evaluations.

    Parameters
    ----------
    pool : Pool
    until : float
        By ``time.monotonic()``: when the time limit is up whatever was spent.
    first : float
        The same, later, for what is assured and as long as nothing is fitted: on a busy machine imports and
        the fast models may take longer than any time limit, and any answer is better than none.
    spent : float
        CPU time of a usual machine, s.
    cut : bool
        Whether the clock on the wall has ended something before its evaluations were spent.
    fitted : bool
        Whether there is a fit.
    """

    pool: Pool
    until: float
    first: float = -np.inf
    spent: float = 0.0
    cut: bool = False
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
        assured = any(getattr(task, "assured", False) for task in asked)
        until = self.until if self.fitted and not assured else max(self.until, self.first)
        wall = until - time.monotonic()
        found = dict(self.pool.run(work, asked, wall, shares))
        self.spent += math.fsum(shares.used.values())  # the same in whatever order they came
        self.fitted = self.fitted or any(map(np.isfinite, shares.chisq.values()))
        late = any(isinstance(a, LateError) for i, a in found.items() if i not in shares.used)
        self.cut = self.cut or shares.cut or late
        yield from sorted(found.items(), key=lambda item: item[0])
