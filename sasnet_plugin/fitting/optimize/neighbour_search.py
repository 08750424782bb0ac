"""Beside a minimum that no slope leads out of: refine what is proposed, and go on from what is better.

One loop for all that is proposed: other sizes and whole numbers (`lines`), and other size distributions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..settings import OPTIMIZE
from .local_search import LocalMinimum

#: From a start to the minimum beside it; None where it has no finite curve or the time is up.
Refine = Callable[[dict[str, Any]], LocalMinimum | None]


@dataclass
class Walk:
    """Where a search stands."""

    best: LocalMinimum  #: The least χ² so far.


#: Starts to refine in one round; it may look at where the walk stands before each of them.
Propose = Callable[[Walk], Iterator[dict[str, Any]]]


def neighbour_search(
    start: LocalMinimum,
    propose: Propose,
    refine: Refine,
    *,
    needed_fall: float = 1.0,
    enough: float = 0.0,
) -> list[LocalMinimum]:
    """Refine proposals next to a minimum until none is better, and return each minimum that was the best so
    far. Another round needs a relative fall `needed_fall`; χ² of `enough` ends it.
    """
    walk, minima = Walk(start), [start]
    while True:
        old_chisq = walk.best.chisq
        for proposal in _propose_until_enough(walk, propose, enough):
            neighbour = refine(proposal)
            if neighbour is not None and neighbour.chisq < walk.best.chisq * (1 - OPTIMIZE.same_minimum):
                walk.best = neighbour
                minima.append(neighbour)
        if walk.best.chisq >= old_chisq * (1 - needed_fall):
            return minima


def _propose_until_enough(walk: Walk, propose: Propose, enough: float) -> Iterator[dict[str, Any]]:
    """What is proposed, looked for only as long as the best leaves something to look for."""
    proposals = propose(walk)
    while walk.best.chisq > enough and (proposal := next(proposals, None)) is not None:
        yield proposal
