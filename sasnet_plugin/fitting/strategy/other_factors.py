"""The other structure factors of a form that explains a curve best while it interacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.priors import allowed_structure_factors, model_info, structure_factors
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class


def other_factors(tasks: Sequence[Task], fits: Sequence[ModelFit]) -> list[Task]:
    """The simplest form, of those calculated fast, with each structure factor that it was not fitted with.

    Screening rates products by draws, which where charges repel are seldom near; from the fit with another
    factor each is a short way. None where an interaction makes no difference.

    Parameters
    ----------
    tasks : sequence of Task
        What was fitted.
    fits : sequence of ModelFit
        What came of them.
    """
    fast = [f for f in fits if fit_cost_class(f.model) == "fast"]
    free = min((f.reduced_chisq for f in fast if not f.structure_factor), default=np.inf)
    bound = [f for f in fast if f.structure_factor and f.reduced_chisq < STRATEGY.interacts * free]
    least = min((f.reduced_chisq for f in bound), default=np.inf)
    near = [f for f in bound if f.reduced_chisq < STRATEGY.near_interacting * least]
    if not near:
        return []
    leading = min(near, key=lambda f: (len(f.free), f.reduced_chisq))
    task = next(t for t in tasks if t.name == leading.name)
    tried, allowed = {t.pair for t in tasks}, allowed_structure_factors(leading.model)
    return [
        replace(task, structure_factor=factor, starts=(), probability=0.0, extra=_from(leading, factor))
        for factor in structure_factors()
        if factor in allowed and (leading.model, factor) not in tried
    ]


def _from(fit: ModelFit, factor: str) -> dict[str, Any]:
    """Values of a fit with another structure factor; what that one lacks has its default."""
    assert fit.structure_factor is not None
    values = _defaults(factor)
    start = {
        n: v
        for n, v in starting_values(fit).items()
        if n in values or n not in _defaults(fit.structure_factor)
    }
    return start | {n: v for n, v in values.items() if n not in start and n != "radius_effective"}


def _defaults(factor: str) -> dict[str, float]:
    return {p.name: float(p.default) for p in model_info(factor).parameters.call_parameters}
