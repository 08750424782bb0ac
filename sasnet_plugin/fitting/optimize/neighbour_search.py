"""Beside a minimum that no slope leads out of: refine what is proposed, and go on from what is better.

One loop for searches that differ in what they propose and in what they accept: other sizes and whole numbers
(`lines`), other size distributions, and random steps (`basin_hopping`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..settings import OPTIMIZE
from .local_search import LocalMinimum

#: From a start to the minimum beside it; None where it has no finite curve or the time is up.
Refine = Callable[[dict[str, Any]], LocalMinimum | None]


@dataclass
class Walk:
    """Where a search stands.

    Parameters
    ----------
    here : LocalMinimum
        The minimum that proposals begin from.
    best : LocalMinimum
        The least χ² so far.
    """

    here: LocalMinimum
    best: LocalMinimum


#: Starts to refine in one round; it may look at where the walk stands before each of them.
Propose = Callable[[Walk], Iterator[dict[str, Any]]]
#: Where to go on after a minimum was found.
Accept = Callable[[Walk, LocalMinimum], LocalMinimum]


def downhill(walk: Walk, found: LocalMinimum) -> LocalMinimum:
    """Go on from the best."""
    return walk.best


def neighbour_search(
    start: LocalMinimum,
    propose: Propose,
    refine: Refine,
    *,
    accept: Accept = downhill,
    needed_fall: float = 1.0,
    enough: float = 0.0,
    patience: float = np.inf,
    going: Callable[[], bool] = lambda: True,
) -> list[LocalMinimum]:
    """Refine what is proposed beside a minimum until nothing better comes.

    Parameters
    ----------
    needed_fall : float
        By so much, relative, χ² has to fall in a round for another one.
    enough : float
        χ² that leaves nothing to look for.
    patience : float
        Proposals in a row without a better minimum, after which the search ends.

    Returns
    -------
    list of LocalMinimum
        The start, and each minimum that was the best so far; the last one is the best.
    """
    walk, found = Walk(start, start), [start]
    while True:
        before, idle, proposals = walk.best.chisq, 0, propose(walk)
        while going() and walk.best.chisq > enough and idle < patience:
            proposal = next(proposals, None)
            if proposal is None:
                break
            idle += 1
            there = refine(proposal)
            if there is None:
                continue
            if there.chisq < walk.best.chisq * (1 - OPTIMIZE.same_minimum):
                walk.best, idle = there, 0
                found.append(there)
            walk.here = accept(walk, there)
        if walk.best.chisq >= before * (1 - needed_fall):
            return found
