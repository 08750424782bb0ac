"""Refinement from random starts about those that are known, for where nothing else leads to the minimum.

Minima of scattering curves are many and narrow: a walk from one to the next stays where it began, while one
of a hundred starts that share nothing but the size of the body lies near enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..problem.free_parameters import COUNTS, complete_distributions, counts_of, fittable, sharp, widths_of
from ..settings import OPTIMIZE, PROBLEM
from .local_search import LocalMinimum
from .neighbour_search import Refine


def restarts(
    info: Any,
    starts: Sequence[LocalMinimum],
    refine: Refine,
    rng: np.random.Generator,
    *,
    fixed: frozenset[str],
    points: int,
    enough: float,
    going: Callable[[], bool],
    most_in_vain: float,
) -> list[LocalMinimum]:
    """Refine starts and random ones about them, best first, while `going`."""
    # Ends at χ² of `enough`, or after `most_in_vain` restarts in a row without gain; `points` are of a size
    # distribution.
    minima, in_vain = list(starts), 0
    while going() and minima[0].chisq > enough and in_vain < most_in_vain:
        about = starts[int(rng.integers(len(starts)))].parameters
        known_minimum = refine(scatter_values(info, about, rng, fixed, points))
        lower = known_minimum is not None and known_minimum.chisq < minima[0].chisq * (
            1 - OPTIMIZE.same_minimum
        )
        in_vain = 0 if lower else in_vain + 1
        if known_minimum is not None:
            minima = sorted([*minima, known_minimum], key=lambda minimum: minimum.chisq)
    return minima


def scatter_values(
    info: Any, parameters: dict[str, Any], rng: np.random.Generator, fixed: frozenset[str], points: int
) -> dict[str, Any]:
    """Values about these: sizes and counts by a factor, contrasts anew, one size distribution or none."""
    has_fixed_width = not fixed.isdisjoint(widths_of(parameters))
    values = parameters if has_fixed_width else sharp(parameters)
    fixed_names = fixed | {"scale", "background"}
    free = _entries(info, fittable(info, values), fixed_names)
    varied = [*free, *_entries(info, counts_of(info, values), fixed_names)]
    moved = {p.name: _draw_value(p, float(values.get(p.name, p.default)), values, rng) for p in varied}
    return values | moved if has_fixed_width else _broaden(values | moved, free, rng, points)


def _entries(info: Any, names: list[str], fixed_names: frozenset[str]) -> list[Any]:
    """sasmodels' parameters of these names, without widths and what is left as it is."""
    table = {p.name: p for p in info.parameters.call_parameters if p.name not in fixed_names}
    return [table[name] for name in names if name in table]


def _broaden(
    values: dict[str, Any], free: list[Any], rng: np.random.Generator, points: int
) -> dict[str, Any]:
    """Give one size a distribution or, as often, none."""
    broad = [p.name for p in free if p.type == "volume" and p.polydisperse]
    if not broad or rng.random() < 0.5:
        return values
    return complete_distributions(values | {f"{rng.choice(broad)}_pd": PROBLEM.first_width}, points)


def _draw_value(p: Any, value: float, values: dict[str, Any], rng: np.random.Generator) -> float:
    if p.type == "sld":
        solvent = float(values.get("sld_solvent", 0.0))
        return float(np.clip(solvent + rng.normal(0, OPTIMIZE.contrast), *p.limits))
    if value <= 0:
        return float(np.clip(value + rng.normal(0, OPTIMIZE.scatter), *p.limits))
    far = value * np.exp(rng.normal(0, OPTIMIZE.scatter))
    return float(np.clip(max(round(far), 1) if p.name in COUNTS else far, *p.limits))
