"""Steps to other local minima of models that were fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.assessment.goodness_of_fit import doubtful
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.strategy.hypothesis import Hypothesis
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.strategy.state import State
from sasnet_plugin.fitting.strategy.step import Step, boost
from sasnet_plugin.fitting.task import Budget


def hops(state: State) -> Iterator[Step]:
    """From the best fits, and from what the network thinks likeliest, to other local minima."""
    order = sorted((h for h in state.fits if _is_seen(state, h)), key=lambda h: state.fits[h].chisq)
    likeliest = max(order, key=state.beliefs.of)
    least = state.fits[order[0]].chisq
    forms: set[str] = set()
    for hypothesis in dict.fromkeys([*order[: STRATEGY.near_fits], likeliest]):
        fit = state.fits[hypothesis]
        sure = not doubtful(fit.reduced_chisq, len(state.curve))
        behind = fit.chisq > STRATEGY.near_best * least and hypothesis != likeliest
        if sure or hypothesis.form in forms or behind:
            continue
        forms.add(hypothesis.form)
        budget = Budget(STRATEGY.time[hypothesis.cost])
        # From where the last one has brought it well down all attempts are open again.
        reached_level = int(np.log(max(fit.chisq, 1e-300)) / np.log(STRATEGY.falls))
        key = ("hop", hypothesis, reached_level)
        attempt = sum(done[: len(key)] == key for done in state.done)
        # A deep wrong minimum draws every walk that begins in it; others begin at the bank's curves alone.
        extra = starting_values(fit) if attempt == 0 else None
        task = state.task(hypothesis, extra=extra, basin_hopping=True, budget=budget, attempt=attempt)
        # However far off the likeliest is: it may lie in a wrong minimum.
        promise = max(least / fit.chisq, state.beliefs.of(hypothesis))
        chance = STRATEGY.seldom * STRATEGY.hop_again**attempt * promise
        worth = chance * boost(state, state.size(hypothesis), again=True, excused=True) / budget.seconds
        yield Step((*key, attempt), worth, hypothesis=hypothesis, task=task)


def _is_seen(state: State, hypothesis: Hypothesis) -> bool:
    """Whether a supposed resolution brings a model well down; else it is in a wrong minimum."""
    without = state.fits.get(replace(hypothesis, resolution=None, as_measured=False))
    if hypothesis.resolution is None or without is None:
        return True
    return state.fits[hypothesis].chisq < STRATEGY.falls * without.chisq
