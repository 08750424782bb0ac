"""Steps to other minima, at random (D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101 (1997) 5111).

They are those that models of scattering ask for: layers that have changed places, and a size distribution on
another size, look much alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..problem.free_parameters import completed, counts_of, fittable, other_kinds, sharp, widths_of
from ..settings import OPTIMIZE
from .local_search import LocalMinimum
from .neighbour_search import Refine, Walk, neighbour_search

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
    points : int
        Of a size distribution that a step adds.

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
    free = [name for name in fittable(info, parameters) if name in table and name not in left]
    sizes = [name for name in free if table[name].type == "volume"]
    slds = [name for name in free if table[name].type == "sld"]
    counts = sorted(set(counts_of(info, parameters)) - fixed)
    broad = [name for name in sizes if table[name].polydisperse and f"{name}_pd" not in fixed]
    if fixed & set(widths_of(parameters)):
        broad = []
    steps: tuple[Callable[[], dict[str, Any] | None], ...] = (
        lambda: _exchanged(parameters, sizes, rng),
        lambda: _contrasted(parameters, slds, rng),
        lambda: _counted(parameters, counts, rng),
        lambda: _other_distribution(parameters, broad, rng, points),
        lambda: None,
    )
    found = steps[int(np.searchsorted(_KINDS, rng.random()))]()
    return _changed(table, parameters, free, rng) if found is None else found


def _exchanged(
    parameters: dict[str, Any], sizes: list[str], rng: np.random.Generator
) -> dict[str, Any] | None:
    if len(sizes) < 2:
        return None
    one, other = (str(name) for name in rng.choice(sizes, 2, replace=False))
    return parameters | {one: parameters[other], other: parameters[one]}


def _contrasted(
    parameters: dict[str, Any], slds: list[str], rng: np.random.Generator
) -> dict[str, Any] | None:
    if not slds:
        return None
    middle = float(parameters.get("sld_solvent", 0.0))
    return parameters | {str(rng.choice(slds)): middle + rng.normal(0, OPTIMIZE.step_sld)}


def _counted(
    parameters: dict[str, Any], counts: list[str], rng: np.random.Generator
) -> dict[str, Any] | None:
    if not counts:
        return None
    name = str(rng.choice(counts))
    count = round(parameters[name] * rng.choice(OPTIMIZE.count_ratios) + rng.integers(-1, 2))
    return parameters | {name: float(max(count, 1))}


def _other_distribution(
    parameters: dict[str, Any], broad: list[str], rng: np.random.Generator, points: int
) -> dict[str, Any] | None:
    """Another kind of size distribution, none, or one of another size."""
    if not broad:
        return None
    widths, way = widths_of(parameters), rng.random()
    if widths and way < 0.4:
        kinds = other_kinds(parameters)
        return kinds[rng.integers(len(kinds))]
    if widths and way < 0.7:
        return sharp(parameters)
    width = float(rng.uniform(*OPTIMIZE.step_widths))
    return completed(sharp(parameters) | {f"{rng.choice(broad)}_pd": width}, points)


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
