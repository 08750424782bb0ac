"""Refinement from random starts about those that are known, for where nothing else leads to the minimum.

Minima of scattering curves are many and narrow: a walk from one to the next stays where it began, while one
of a hundred starts that share nothing but the size of the body lies near enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..problem.free_parameters import COUNTS, completed, counts_of, fittable, sharp, widths_of
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
) -> list[LocalMinimum]:
    """The starts and what is found from others about them, the best first.

    Parameters
    ----------
    starts : sequence of LocalMinimum
    points : int
        Of a size distribution that a start has.
    enough : float
        χ² that leaves nothing to look for.
    going : callable
        Whether there is time.
    """
    found = list(starts)
    while going() and found[0].chisq > enough:
        about = starts[int(rng.integers(len(starts)))].parameters
        there = refine(scattered(info, about, rng, fixed, points))
        if there is not None:
            found = sorted([*found, there], key=lambda one: one.chisq)
    return found


def scattered(
    info: Any, parameters: dict[str, Any], rng: np.random.Generator, fixed: frozenset[str], points: int
) -> dict[str, Any]:
    """Values about these: sizes and counts by a factor, contrasts anew, one size distribution or none."""
    table = {p.name: p for p in info.parameters.call_parameters}
    left = fixed | {"scale", "background"}
    values = parameters if fixed & set(widths_of(parameters)) else sharp(parameters)
    free = [name for name in fittable(info, values) if name in table and name not in left]
    moved = dict(values)
    for name in (*free, *(n for n in counts_of(info, values) if n not in fixed)):
        moved[name] = _drawn(table[name], float(values.get(name, table[name].default)), values, rng)
    broad = [name for name in free if table[name].type == "volume" and table[name].polydisperse]
    if values is parameters or not broad or rng.random() < 0.5:
        return moved
    return completed(moved | {f"{rng.choice(broad)}_pd": PROBLEM.first_width}, points)


def _drawn(p: Any, value: float, values: dict[str, Any], rng: np.random.Generator) -> float:
    if p.type == "sld":
        solvent = float(values.get("sld_solvent", 0.0))
        return float(np.clip(solvent + rng.normal(0, OPTIMIZE.contrast), *p.limits))
    if value <= 0:
        return float(np.clip(value + rng.normal(0, OPTIMIZE.scatter), *p.limits))
    far = value * np.exp(rng.normal(0, OPTIMIZE.scatter))
    return float(np.clip(max(round(far), 1) if p.name in COUNTS else far, *p.limits))
