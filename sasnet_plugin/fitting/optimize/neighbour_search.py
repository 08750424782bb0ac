"""Beside a minimum that no slope leads out of: refine what is proposed, and go on from what is better.

One loop for three searches, which differ in what they propose and in what they accept: whole numbers such as
the layers of a stack (`other_counts`), sizes off by a fringe (`other_sizes`), and random steps
(`basin_hopping`; D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101 (1997) 5111). Its steps are those that
models of scattering ask for: layers that have changed places, and a size distribution on another size, look
much alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sasnet_plugin.fitting.optimize.local_search import LocalMinimum
from sasnet_plugin.fitting.problem.free_parameters import COUNTS, completed, fittable, other_kinds, widths_of
from sasnet_plugin.fitting.settings import OPTIMIZE

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


#: What is left are steps of one to three parameters.
_KINDS = np.cumsum(OPTIMIZE.step_kinds)


def basin_hopping(
    info: Any,
    starts: Sequence[LocalMinimum],
    refine: Refine,
    rng: np.random.Generator,
    *,
    fixed: frozenset[str],
    points: int,
    enough: float,
    going: Callable[[], bool],
) -> list[LocalMinimum]:
    """Walk from minimum to minimum, from each of the starts in turn.

    Parameters
    ----------
    starts : sequence of LocalMinimum
        The best first.
    fixed : frozenset of str
        Parameters that keep their values.
    points : int
        Of a size distribution that a step adds.
    enough : float
        χ² that leaves nothing to look for.
    going : callable
        Whether there is time left.

    Returns
    -------
    list of LocalMinimum
        The starts and the minima that were the best of a walk so far, the best first.
    """

    def propose(walk: Walk) -> Iterator[dict[str, Any]]:
        yield from reversed(other_kinds(walk.here.parameters))
        while True:
            yield random_step(info, walk.here.parameters, rng, fixed, points)

    def accept(walk: Walk, found: LocalMinimum) -> LocalMinimum:
        with np.errstate(divide="ignore"):
            rise = np.log(found.chisq / walk.here.chisq)
        if rise < rng.exponential(OPTIMIZE.uphill):
            return found
        return walk.here

    found = list(starts)
    for start in starts:
        if not going() or min(one.chisq for one in found) <= enough:
            break
        found += neighbour_search(
            start, propose, refine, accept=accept, enough=enough, patience=OPTIMIZE.patience, going=going,
        )[1:]  # fmt: skip
    return sorted(found, key=lambda one: one.chisq)


def random_step(
    info: Any, parameters: dict[str, Any], rng: np.random.Generator, fixed: frozenset[str], points: int
) -> dict[str, Any]:
    """Parameters that may lie beside another minimum.

    Two sizes exchanged, a contrast drawn anew, another whole number, another size distribution, or one to
    three parameters changed.
    """
    table = {p.name: p for p in info.parameters.call_parameters}
    left = fixed | {"scale", "background"}
    free = [n for n in fittable(info, parameters) if n in table and n not in left]
    sizes = [n for n in free if table[n].type == "volume"]
    slds = [n for n in free if table[n].type == "sld"]
    counts = [n for n in counts_of(info, parameters) if n not in fixed]
    broad = [n for n in sizes if table[n].polydisperse and f"{n}_pd" not in fixed]
    kind = int(np.searchsorted(_KINDS, rng.random()))
    if kind == 0 and len(sizes) > 1:
        one, other = (str(name) for name in rng.choice(sizes, 2, replace=False))
        return parameters | {one: parameters[other], other: parameters[one]}
    if kind == 1 and slds:
        middle = float(parameters.get("sld_solvent", 0.0))
        return parameters | {str(rng.choice(slds)): middle + rng.normal(0, OPTIMIZE.step_sld)}
    if kind == 2 and counts:
        name = str(rng.choice(counts))
        count = round(parameters[name] * rng.choice(OPTIMIZE.count_ratios) + rng.integers(-1, 2))
        return parameters | {name: float(max(count, 1))}
    if kind == 3 and broad and not fixed & set(widths_of(parameters)):
        return _other_distribution(parameters, broad, rng, points)
    return _changed(table, parameters, free, rng)


def _other_distribution(
    parameters: dict[str, Any], broad: list[str], rng: np.random.Generator, points: int
) -> dict[str, Any]:
    """Another kind of size distribution, none, or one of another size."""
    widths, way = widths_of(parameters), rng.random()
    if widths and way < 0.4:
        kinds = other_kinds(parameters)
        return kinds[rng.integers(len(kinds))]
    sharp = {name: value for name, value in parameters.items() if "_pd" not in name}
    if widths and way < 0.7:
        return sharp
    width = float(rng.uniform(*OPTIMIZE.step_widths))
    return completed(sharp | {f"{rng.choice(broad)}_pd": width}, points)


def _changed(
    table: dict[str, Any], parameters: dict[str, Any], free: list[str], rng: np.random.Generator
) -> dict[str, Any]:
    """One to three of the free parameters moved, all by the same random distance."""
    if not free:
        return parameters
    far, moved = rng.choice(OPTIMIZE.step_distances), dict(parameters)
    for name in map(str, rng.permutation(free)[: 1 + int(rng.integers(3))]):
        value, (low, high) = float(parameters.get(name, table[name].default)), table[name].limits
        if table[name].type == "sld":
            value += rng.normal(0, OPTIMIZE.step_sld * far)
        elif value <= 0:
            value += rng.normal(0, far)
        else:
            value *= np.exp(rng.normal(0, far))
        moved[name] = float(np.clip(value, low, high))
    return moved
