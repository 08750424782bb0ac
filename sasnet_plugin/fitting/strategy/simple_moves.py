"""Simple curves of the field first: one smooth term, a power law or both, where their grid comes near."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..assessment.undetermined_lengths import exponent_of, replace_by_power_law, start_of
from .hypothesis import Hypothesis, parse_hypothesis
from .settings import STRATEGY
from .state import State
from .step import Step, make_step_from


def simple_sums(state: State) -> Iterator[Step]:
    """Fit all simple models that come near, before what the network thinks: each costs milliseconds."""
    # All of them, as many a curve is explained by several: only then the weights say so.
    if not state.free:
        return
    for near in state.simple_sums:
        hypothesis = parse_hypothesis(near.model)
        if ("simple", hypothesis) in state.done:
            continue
        if hypothesis.second is None or state.may_be_sum:
            yield _fit(state, hypothesis, near.starts)


def tails(state: State) -> Iterator[Step]:
    """A power law for each component that the best fits show no size of, whatever model carries it."""
    order = sorted(state.fits, key=state.compute_minus_two_log)[: STRATEGY.near_fits]
    for hypothesis in order:
        if (
            state.compute_minus_two_log(hypothesis)
            > state.compute_minus_two_log(order[0]) + STRATEGY.far_behind
        ):
            break
        fit = state.fits[hypothesis]
        for place in state.tails(hypothesis):
            found_hypothesis = replace(
                parse_hypothesis(replace_by_power_law(fit.name, place)), resolution=hypothesis.resolution
            )
            if found_hypothesis.second is not None and not state.may_be_sum:
                continue
            start = start_of(fit, place, exponent_of(fit, state.curve))
            key = ("tail", found_hypothesis, hypothesis.resolution)
            if found_hypothesis not in state.fits:
                yield make_step_from(state, key, found_hypothesis, STRATEGY.likely, start, beside=True)


def _fit(state: State, hypothesis: Hypothesis, starts: tuple[dict[str, float], ...]) -> Step:
    step = make_step_from(state, ("simple", hypothesis), hypothesis, 1.0, *starts, beside=True)
    return Step(step.key, step.worth, True, hypothesis, step.task)
