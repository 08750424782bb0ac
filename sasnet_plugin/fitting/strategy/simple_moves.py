"""Simple curves of the field first: one smooth term, a power law or both, where their grid comes near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..assessment.power_law_tails import exponent_of, replaced, start_of
from .hypothesis import Hypothesis, of_name
from .settings import STRATEGY
from .state import State
from .step import Step, beside


def simple_sums(state: State) -> Iterator[Step]:
    """Fit all simple models that come near, before what the network thinks: each costs milliseconds."""
    # All of them, as many a curve is explained by several: only then the weights say so.
    if not state.free:
        return
    for near in state.near_simple_sums:
        hypothesis = of_name(near.model)
        if ("simple", hypothesis) in state.done:
            continue
        if hypothesis.second is None or state.may_be_sum:
            yield _fit(state, hypothesis, near.starts)


def tails(state: State) -> Iterator[Step]:
    """A power law for each component that the best fits show no size of, whatever model carries it."""
    order = sorted(state.fits, key=state.lost)[: STRATEGY.near_fits]
    for hypothesis in order:
        if state.lost(hypothesis) > state.lost(order[0]) + STRATEGY.far_behind:
            break
        fit = state.fits[hypothesis]
        for place in state.tails(hypothesis):
            found = replace(of_name(replaced(fit.name, place)), resolution=hypothesis.resolution)
            if found.second is not None and not state.may_be_sum:
                continue
            start = start_of(fit, place, exponent_of(fit, state.curve))
            key = ("tail", found, hypothesis.resolution)
            if found not in state.fits:
                yield beside(state, key, found, STRATEGY.likely, start, beside=True)


def _fit(state: State, hypothesis: Hypothesis, starts: tuple[dict[str, float], ...]) -> Step:
    step = beside(state, ("simple", hypothesis), hypothesis, 1.0, *starts, beside=True)
    return Step(step.key, step.worth, True, hypothesis, step.task)
