"""Beside a minimum that no slope leads out of: refine what is proposed, and go on from what is better.

One loop for searches that differ in what they propose and in what they accept: whole numbers such as the
layers of a stack (`other_counts`), sizes off by a fringe (`other_sizes`), and random steps (`basin_hopping`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..problem.free_parameters import COUNTS
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
    propose : callable
        Starts of one round.
    needed_fall : float
        By so much, relative, χ² has to fall in a round for another one.
    enough : float
        χ² that leaves nothing to look for.
    patience : float
        Proposals in a row without a better minimum, after which the search ends.
    going : callable
        Whether there is time left.

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


def counts_of(info: Any, parameters: dict[str, Any]) -> list[str]:
    """Names of the counts that a body has, such as the layers of a stack.

    Others, such as ``n`` of core_multi_shell, say which parameters there are.

    Parameters
    ----------
    parameters : dict
        Its values.
    """
    controls = {p.length_control for p in info.parameters.kernel_parameters if p.length_control}
    return sorted((COUNTS & parameters.keys()) - controls)


def other_counts(info: Any, fixed: frozenset[str]) -> Propose:
    """Each count of a body changed by ratios and by one, none of them twice, none to more than can be told.

    A chain of ever more pearls may fit ever so slightly better: without an end, one evaluation takes minutes.
    """
    seen: set[tuple[float, ...]] = set()

    def propose(walk: Walk) -> Iterator[dict[str, Any]]:
        parameters = walk.here.parameters
        names = [n for n in counts_of(info, parameters) if n not in fixed]
        seen.add(tuple(parameters[n] for n in names))
        for name in names:
            value = round(float(parameters[name]))
            ratios = {max(round(r * value), 1) for r in OPTIMIZE.count_ratios}
            counts = {n for n in ratios | {max(value - 1, 1), value + 1} if n <= OPTIMIZE.largest_count}
            for count in sorted(counts - {value}):
                start = parameters | {name: float(count)}
                key = tuple(start[n] for n in names)
                if key not in seen:
                    seen.add(key)
                    yield start

    return propose


def sizes_of(info: Any, parameters: dict[str, Any], fixed: frozenset[str]) -> list[str]:
    """Names of the lengths of a body that a fit varies, the longest first: its fringes are the finest.

    Parameters
    ----------
    parameters : dict
        Its values.
    fixed : frozenset of str
        Given by a user.
    """
    found = [p.name for p in info.parameters.call_parameters if p.type == "volume" and p.units == "Ang"]
    found = [n for n in found if n not in fixed and float(parameters.get(n, 0.0)) > 0]
    return sorted(found, key=lambda n: -float(parameters[n]))


def other_sizes(info: Any, fixed: frozenset[str]) -> Propose:
    """One size after the other changed by a few ratios: fringes of a size that is off by some look alike."""

    def propose(walk: Walk) -> Iterator[dict[str, Any]]:
        for name in sizes_of(info, walk.best.parameters, fixed):
            value = walk.best.parameters[name]
            for ratio in OPTIMIZE.size_ratios:
                yield walk.best.parameters | {name: ratio * value}

    return propose
