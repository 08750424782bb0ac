"""What the contestants vary, to whom the model is told: parameters that the data determine, and how far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.problem.bounds import range_of
from sasnet_plugin.fitting.problem.free_parameters import fittable, independent
from sasnet_plugin.fitting.settings import PROBLEM


def choose_free(fitness: Any, fixed: frozenset[str]) -> tuple[list[str], list[str]]:
    """Which parameters the data determine, and which keep their start because others have the same effect.

    Parameters
    ----------
    fitness : Experiment
        At its start.
    fixed : frozenset of str
        Not to be fitted: given by the user.

    Returns
    -------
    free, same : list of str
        ``same``: fittable, but their effect is a combination of the effects of free ones.
    """
    model = fitness.model
    order = fittable(model.sasmodel.info, {k: p.value for k, p in model.parameters().items()})
    order = [name for name in order if name in model.parameters()]
    base = np.asarray(fitness.theory(), dtype=float)
    weight = 1 / np.hypot(fitness.dIq, 1e-3 * np.abs(base))
    columns: dict[str, NDArray[np.float64]] = {}
    for name in order:
        if name in fixed:
            continue
        parameter = getattr(model, name)
        start = float(parameter.value)
        step = PROBLEM.step * (abs(start) or 1.0)
        column = None
        for sign in (1.0, -1.0):
            parameter.value = start + sign * step
            fitness.update()
            moved = np.asarray(fitness.theory(), dtype=float)
            if np.all(np.isfinite(moved)):
                column = (moved - base) * weight
                break
        parameter.value = start
        fitness.update()
        columns[name] = np.zeros_like(base) if column is None else column
    free = independent(columns)
    return free, [name for name in columns if name not in free]


def set_ranges(fitness: Any, free: list[str]) -> None:
    """Let the free parameters vary within what samples have, and a factor of thirty of their start."""
    for name in free:
        parameter = getattr(fitness.model, name)
        parameter.range(*range_of(fitness.model.sasmodel.info, name, float(parameter.value)))
