"""The other structure factors of a form that explains a curve best while it interacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    tried = {t.pair for t in tasks}
    return [
        replace(task, structure_factor=factor, starts=(), probability=0.0, extra=_from(leading, factor))
        for factor in factors_of(leading.model)
        if (leading.model, factor) not in tried
    ]


def factors_of(form: str) -> list[str]:
    """Structure factors that a form model may have."""
    allowed = allowed_structure_factors(form)
    return [factor for factor in structure_factors() if factor in allowed]


def with_defaults(start: Mapping[str, Any], factor: str) -> dict[str, Any]:
    """Values with the defaults of what a structure factor has besides; its radius follows from the form's."""
    missing = {n: v for n, v in _defaults(factor).items() if n not in start and n != "radius_effective"}
    return {**start, **missing}


def _from(fit: ModelFit, factor: str) -> dict[str, Any]:
    """Values of a fit with another structure factor, without what the one it has does not share with it."""
    assert fit.structure_factor is not None
    own = _defaults(fit.structure_factor).keys() - _defaults(factor).keys()
    return with_defaults({n: v for n, v in starting_values(fit).items() if n not in own}, factor)


def _defaults(factor: str) -> dict[str, float]:
    return {p.name: float(p.default) for p in model_info(factor).parameters.call_parameters}
