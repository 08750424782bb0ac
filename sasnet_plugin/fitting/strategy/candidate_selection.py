"""Who takes part: candidates rated by a first look, without those far off, in the order they are fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.start_values.screening import (
    Screen,
    extra_pairs,
    order_of,
    plausible,
    screened,
    simple_pairs,
)
from sasnet_plugin.fitting.strategy.candidates import candidates
from sasnet_plugin.fitting.task import Budget, Pair, Pool, Task
from sasnet_plugin.simulate.quick import fit_cost_class
from sasnet_plugin.types import Curve, SasnetError, Suggestion

#: A model is nearly certain by the network from this probability on; CPU time for a dear one of that kind,
#: and for each of the others beside it, s.
_CERTAIN, _PATIENCE, _BRIEFLY = 0.6, 30.0, 4.0


@dataclass(frozen=True)
class LineUp:
    """Who takes part.

    Parameters
    ----------
    tasks : list of Task
    notes : list of str
    badness : dict
        What the first look found, by form model and structure factor.
    """

    tasks: list[Task]
    notes: list[str]
    badness: dict[Pair, float]


def line_up(
    pool: Pool,
    suggestion: Suggestion,
    curve: Curve,
    dintensity: NDArray[np.float64],
    structure_factor: str | None,
    fixed: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
    *,
    free: bool,
    seconds: float,
) -> LineUp:
    """Candidates for a curve, the first to be fitted first.

    Parameters
    ----------
    pool : Pool
    suggestion : Suggestion
        The models to fit.
    curve : Curve
    dintensity : (n,) float array
    structure_factor, fixed, ranges
        As for `candidates`.
    free : bool
        The user named no models: simple bodies may be added, and what is far off may be left out.
    seconds : float
        For the first look.
    """
    tasks = candidates(suggestion, curve, dintensity, structure_factor, fixed, ranges)
    pairs = [task.pair for task in tasks]
    others = simple_pairs(guess.name for guess in suggestion.models) if free else []
    if structure_factor is not None:
        others = []
    badness = look(pool, curve, dintensity, [*pairs, *(p for p in others if p not in pairs)], seconds)
    notes = []
    if others:
        more = extra_pairs(badness, pairs, others)
        tasks = candidates(suggestion, curve, dintensity, None, fixed, ranges, more)
    if free:
        near = [task for task in tasks if task.probability > _CERTAIN or plausible(task.pair, badness)]
        far = [task.name for task in tasks if task not in near]
        if near and far:
            tasks = near
            notes.append(f"Left out after a first look, as no curve of theirs comes near: {', '.join(far)}.")
    tasks = sorted(tasks, key=lambda task: order_of(task.pair, badness))
    return LineUp(_patient(tasks), notes, badness)


def _patient(tasks: list[Task]) -> list[Task]:
    """A dear model that is nearly certain comes last and has all the time that the others leave."""

    def due(task: Task) -> bool:
        return fit_cost_class(task.model) == "slow" and task.probability > _CERTAIN

    last = [replace(task, budget=Budget(_PATIENCE)) for task in tasks if due(task)]
    if not last:
        return tasks
    return [replace(task, budget=Budget(_BRIEFLY)) for task in tasks if not due(task)] + last


def look(
    pool: Pool, curve: Curve, dintensity: NDArray[np.float64], pairs: Sequence[Pair], seconds: float
) -> dict[Pair, float]:
    """A first look at these pairs, in as many parts as there are processes; see `screened`."""
    parts = [pairs[i :: pool.count] for i in range(pool.count)]
    looks = [Screen(curve, dintensity, part) for part in parts if part]
    badness: dict[Pair, float] = {}
    for _, answer in pool.run(screened, looks, seconds):
        badness |= {} if isinstance(answer, SasnetError) else answer
    return badness
