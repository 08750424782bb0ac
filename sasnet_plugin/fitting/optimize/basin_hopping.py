"""Out of a local minimum by random steps: sizes exchanged, contrasts drawn anew, widths moved, then refined.

Basin hopping (D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101 (1997) 5111), with the steps that models of
scattering ask for: layers that have changed places, and a size distribution on another size, look much alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np

from sasnet_plugin.fitting.optimize.local_search import LocalMinimum
from sasnet_plugin.fitting.optimize.neighbour_search import Refine, Walk, counts_of, neighbour_search
from sasnet_plugin.fitting.problem.free_parameters import fittable
from sasnet_plugin.fitting.problem.size_distributions import completed, other_kinds, widths_of
from sasnet_plugin.fitting.settings import OPTIMIZE

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
    info : sasmodels.modelinfo.ModelInfo
    starts : sequence of LocalMinimum
        The best first.
    refine : callable
    rng : numpy.random.Generator
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
        return walk.best if rng.random() < OPTIMIZE.back_to_best else walk.here

    found = list(starts)
    for start in islice(cycle(starts), OPTIMIZE.walks):
        if not going() or min(one.chisq for one in found) <= enough:
            break
        found += neighbour_search(
            start, propose, refine, accept=accept, same=OPTIMIZE.same_minimum, enough=enough,
            patience=OPTIMIZE.patience, going=going,
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
        count = round(parameters[name] * np.exp(rng.normal(0, OPTIMIZE.step_count)) + rng.integers(-1, 2))
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
