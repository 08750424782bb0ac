"""Leaps out of a valley that a fit is caught in: sizes traded, contrasts turned, widths moved, then polished.

Basin hopping (D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101 (1997) 5111), with the leaps that models of
scattering ask for: layers that have changed places, and a size distribution on another size, look much alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np

from sasnet_plugin.fitting.optimize.integer_search import counts_of
from sasnet_plugin.fitting.optimize.local_search import Polished
from sasnet_plugin.fitting.problem.experiment import fittable
from sasnet_plugin.fitting.problem.size_distributions import completed, other_kinds, widths_of

#: Shares of the kinds of leaps, added up: two sizes traded, a contrast drawn anew, another whole number,
#: another size distribution; what is left are leaps of one to three parameters.
_KINDS = np.cumsum([0.15, 0.1, 0.05, 0.15])
#: How far parameters leap: standard deviations of ln size, and of contrasts in units of 5·10⁻⁶ Å⁻².
_FAR = (0.1, 0.3, 1.0)
_SLD = 5.0
#: χ² may grow by about this much, relative, on the way from one valley to the next.
_UPHILL = 0.05
#: Now and then the walk goes on from the best so far.
_BACK = 0.02
#: A fall of χ² by less, relative, is the same valley.
_SAME = 1e-4
#: Leaps in a row that find nothing better, after which a walk begins elsewhere; and how many walks there are.
_PATIENCE, _WALKS = 30, 60


def hopped(
    info: Any,
    starts: Sequence[Polished],
    polish: Callable[[dict[str, Any]], Polished | None],
    rng: np.random.Generator,
    *,
    held: frozenset[str],
    points: int,
    enough: float,
    going: Callable[[], bool],
) -> list[Polished]:
    """Walk from valley to valley, from each of the starts in turn.

    Parameters
    ----------
    info : sasmodels.modelinfo.ModelInfo
    starts : sequence of Polished
        The best first.
    polish : callable
        Polishes a start; None where it has no finite curve or the time is up.
    rng : numpy.random.Generator
    held : frozenset of str
        Parameters that keep their values.
    points : int
        Of a size distribution that the walk begins.
    enough : float
        χ² that leaves nothing to look for.
    going : callable
        Whether there is time left.

    Returns
    -------
    list of Polished
        The starts and the valleys that were the best of a walk so far, the best first.
    """

    def jump(parameters: dict[str, Any]) -> dict[str, Any]:
        return leap(info, parameters, rng, held, points)

    found = list(starts)
    for start in islice(cycle(starts), _WALKS):
        if not going() or min(one.chisq for one in found) <= enough:
            break
        found += _walk(start, polish, jump, rng, enough, going)
    return sorted(found, key=lambda one: one.chisq)


def _walk(
    start: Polished,
    polish: Callable[[dict[str, Any]], Polished | None],
    jump: Callable[[dict[str, Any]], dict[str, Any]],
    rng: np.random.Generator,
    enough: float,
    going: Callable[[], bool],
) -> list[Polished]:
    """What was better than all before it on the way from one start."""
    best, here, found, idle = start, start, list[Polished](), 0
    kinds = other_kinds(start.parameters)
    while going() and best.chisq > enough and idle < _PATIENCE:
        idle += 1
        there = polish(kinds.pop() if kinds else jump(here.parameters))
        if there is None or there.chisq <= 0:
            continue
        if there.chisq < best.chisq * (1 - _SAME):
            best, idle = there, 0
            found.append(there)
        if np.log(there.chisq / here.chisq) < rng.exponential(_UPHILL):
            here = there
        elif rng.random() < _BACK:
            here = best
    return found


def leap(
    info: Any, parameters: dict[str, Any], rng: np.random.Generator, held: frozenset[str], points: int
) -> dict[str, Any]:
    """Parameters of another valley, perhaps."""
    table = {p.name: p for p in info.parameters.call_parameters}
    left = held | {"scale", "background"}
    free = [n for n in fittable(info, parameters) if n in table and n not in left]
    sizes = [n for n in free if table[n].type == "volume"]
    slds = [n for n in free if table[n].type == "sld"]
    counts = [n for n in counts_of(info, parameters) if n not in held]
    broad = [n for n in sizes if table[n].polydisperse and f"{n}_pd" not in held]
    kind = int(np.searchsorted(_KINDS, rng.random()))
    if kind == 0 and len(sizes) > 1:
        one, other = (str(name) for name in rng.choice(sizes, 2, replace=False))
        return parameters | {one: parameters[other], other: parameters[one]}
    if kind == 1 and slds:
        middle = float(parameters.get("sld_solvent", 0.0))
        return parameters | {str(rng.choice(slds)): middle + rng.normal(0, _SLD)}
    if kind == 2 and counts:
        name = str(rng.choice(counts))
        count = round(parameters[name] * np.exp(rng.normal(0, 0.4)) + rng.integers(-1, 2))
        return parameters | {name: float(max(count, 1))}
    if kind == 3 and broad and not held & set(widths_of(parameters)):
        return _spread(parameters, broad, rng, points)
    return _moved(table, parameters, free, rng)


def _spread(
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
    return completed(sharp | {f"{rng.choice(broad)}_pd": float(rng.uniform(0.05, 0.3))}, points)


def _moved(
    table: dict[str, Any], parameters: dict[str, Any], free: list[str], rng: np.random.Generator
) -> dict[str, Any]:
    if not free:
        return parameters
    far, moved = rng.choice(_FAR), dict(parameters)
    for name in map(str, rng.permutation(free)[: 1 + int(rng.integers(3))]):
        value, (low, high) = float(parameters.get(name, table[name].default)), table[name].limits
        if table[name].type == "sld":
            value += rng.normal(0, _SLD * far)
        elif value <= 0:
            value += rng.normal(0, far)
        else:
            value *= np.exp(rng.normal(0, far))
        moved[name] = float(np.clip(value, low, high))
    return moved
