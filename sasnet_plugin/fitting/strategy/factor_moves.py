"""What may be tried of interactions: other structure factors of a fit, and simpler bodies that interact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...simulate.priors import model_info
from ..problem.experiment import starting_values
from ..result.model_fit import ModelFit
from ..start_values.screening import SIMPLE
from .hypothesis import Hypothesis, factors_of, size_of
from .likely import as_expected
from .settings import STRATEGY
from .state import State
from .step import Step, make_fit_step

#: Simple bodies of which solutions may be crowded or charged.
_INTERACTS = tuple(form for form, interacts in SIMPLE.items() if interacts)


def factors(state: State) -> Iterator[Step]:
    """Try other structure factors with the simplest interacting form and with the best fit."""
    # Screening rates products by draws, which where charges repel are seldom near. Which factor it is does
    # not hang on how likely its form was: that is the form of both.
    for leading in dict.fromkeys([*_interacting(state), *_simplest_interacting(state)]):
        for factor in factors_of(leading.form):
            product = replace(leading, structure_factor=factor)
            if product in state.fits:
                continue
            start = _other_factor(state.fits[leading], factor)
            explained = state.is_explained()
            chance = state.beliefs.rather(product, leading) if explained else STRATEGY.likely
            step = make_fit_step(state, product, chance, extra=start)
            assert step.task is not None
            # Its sizes are others: how far off it begins says nothing of where it ends.
            patient = replace(step.task, budget=replace(step.task.budget, best_chisq=np.inf))
            yield replace(step, key=("factor", product), task=patient)


def plain(state: State) -> Iterator[Step]:
    """Simpler bodies than the one that explains the data and interacts, as the network thinks they do."""
    # An interaction hides at small q what would tell shapes: the two are held against each other alone.
    best = state.explanation
    if best is None or best.structure_factor is None:
        return
    for form in _INTERACTS:
        hypothesis = as_expected(state, form)
        if hypothesis.structure_factor and size_of(hypothesis) < state.size(best):
            yield make_fit_step(
                state, hypothesis, max(state.beliefs.rather(hypothesis, best), STRATEGY.likely)
            )


def _interacting(state: State) -> Iterator[Hypothesis]:
    best = state.best
    if best is not None and best.structure_factor and best.second is None and best.cost != "slow":
        yield best


def _simplest_interacting(state: State) -> list[Hypothesis]:
    free, bound = _fast(state, interact=False), _fast(state, interact=True)
    most = STRATEGY.falls * min(free.values(), default=np.inf)
    most = min(most, STRATEGY.near_best * min(bound.values(), default=np.inf))
    near_ = [h for h, chisq in bound.items() if chisq < most]
    return sorted(near_, key=lambda h: (len(state.fits[h].free), bound[h]))[:1]


def _fast(state: State, *, interact: bool) -> dict[Hypothesis, float]:
    """Reduced χ² of the fast forms without a second component, with a structure factor or without."""
    fast = {h: fit for h, fit in state.fits.items() if h.cost == "fast" and h.second is None}
    return {h: fit.reduced_chisq for h, fit in fast.items() if bool(h.structure_factor) == interact}


def add_defaults(start: dict[str, Any], factor: str) -> dict[str, Any]:
    """Values with the defaults of what a structure factor has besides; its radius follows from the form's."""
    missing = {n: v for n, v in _defaults(factor).items() if n not in start and n != "radius_effective"}
    return {**start, **missing}


def _other_factor(fit: ModelFit, factor: str) -> dict[str, Any]:
    extra_names = _defaults(fit.structure_factor or factor).keys() - _defaults(factor).keys()
    return add_defaults({n: v for n, v in starting_values(fit).items() if n not in extra_names}, factor)


def _defaults(factor: str) -> dict[str, float]:
    return {p.name: float(p.default) for p in model_info(factor).parameters.call_parameters}
