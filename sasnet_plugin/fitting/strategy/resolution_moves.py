"""What may be tried of the resolution that a file does not state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..problem.experiment import starting_values
from ..problem.resolution import has_resolution
from ..result.model_fit import ModelFit, doubtful
from ..task import Budget
from .hypothesis import Hypothesis
from .settings import STRATEGY
from .state import State
from .step import Step, beside, boost


def resolutions(state: State) -> Iterator[Step]:
    """Ask for the resolution that a file does not state, with the best fit and the likeliest near ones."""
    best = state.best
    if best is None or has_resolution(state.curve) or best.as_measured:
        return
    for hypothesis, chance in _without_resolution(state, best).items():
        if hypothesis.resolution is not None:
            continue
        fit = state.fits[hypothesis]
        chance *= STRATEGY.likely
        # A second component that is seen explains what else a resolution would have to.
        chance *= 1 - state.beliefs.two
        budget = Budget(STRATEGY.time["slow"])
        search = state.task(hypothesis, starts=(starting_values(fit),), budget=budget)
        seconds = 2 * hypothesis.seconds
        worth = chance * boost(state, len(fit.free) + 2, again=True) / seconds
        yield Step(("resolution", hypothesis, round(np.log(fit.chisq))), worth, search=search)


def _without_resolution(state: State, best: Hypothesis) -> dict[Hypothesis, float]:
    """What may lack nothing but the resolution, with its chance: the best and the likeliest near one.

    Where the best explains the data, the nearest that does not and has fewer parameters.
    """
    least = state.fits[best]

    def lacks(fit: ModelFit) -> bool:
        return doubtful(fit.reduced_chisq, len(state.curve))

    if lacks(least):
        near_ = [h for h, fit in state.fits.items() if fit.chisq < STRATEGY.far_best * least.chisq]
        likely = sorted(near_, key=lambda h: -state.beliefs.of(h))[:1]
        return {h: state.beliefs.of(h) for h in likely} | {best: 1.0}
    simpler_ = [
        h
        for h, fit in state.fits.items()
        if fit.chisq < STRATEGY.near_best * least.chisq and len(fit.free) < len(least.free) and lacks(fit)
    ]
    return dict.fromkeys(sorted(simpler_, key=state.lost)[:1], 1.0)


def resolved(state: State) -> Iterator[Step]:
    """The near fits with the resolution that was found with one of them, and those with it without."""
    supposed = {h.resolution for h in state.fits if h.resolution is not None}
    least = min(fit.chisq for fit in state.fits.values())
    for hypothesis, fit in state.fits.items():
        # What a wrong second component needs, the right one may not.
        others, most = (
            ([None], STRATEGY.near_best) if hypothesis.resolution else (supposed, STRATEGY.far_best)
        )
        for resolution in sorted(others, key=str):
            found = replace(hypothesis, resolution=resolution)
            if fit.chisq < most * least and found not in state.fits:
                yield beside(state, ("resolved", found), found, STRATEGY.likely, starting_values(fit))
