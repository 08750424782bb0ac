"""What may be tried of the resolution that a file does not state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..problem.experiment import starting_values
from ..problem.free_parameters import sharp
from ..problem.resolution import has_resolution
from ..result.model_fit import ModelFit, doubtful
from ..task import Budget
from .hypothesis import Hypothesis
from .settings import STRATEGY
from .state import State
from .step import Step, beside, boost

#: Makes a start of a fit's values.
Begun = Callable[[dict[str, Any]], dict[str, Any]]


def resolutions(state: State) -> Iterator[Step]:
    """Ask for the resolution that a file does not state, with the best fit and the likeliest near ones."""
    best = state.best
    if best is None or has_resolution(state.curve) or best.as_measured:
        return
    for hypothesis, chance in _without_resolution(state, best).items():
        if hypothesis.resolution is None:
            # A second component that is seen explains what else a resolution would have to.
            yield _asked(state, hypothesis, chance * (1 - state.beliefs.two))
    if best.resolution is None and _is_narrow(state.fits[best]):
        yield _asked(state, best, 1.0, sharp)


def _asked(state: State, hypothesis: Hypothesis, chance: float, begun: Begun = dict) -> Step:
    """Any instrument has a resolution: what is open is whether it shows, for which it costs no parameter."""
    fit = state.fits[hypothesis]
    start = begun(starting_values(fit))
    search = state.task(hypothesis, starts=(start,), budget=Budget(STRATEGY.time["slow"]))
    again = boost(state, len(fit.free), again=True)
    key = ("resolution", hypothesis, round(np.log(fit.chisq)), begun is sharp)
    return Step(key, chance * STRATEGY.likely * again / (2 * hypothesis.seconds), search=search)


def _is_narrow(fit: ModelFit) -> bool:
    """Whether a width of sizes may be a resolution instead: both wash out fringes."""
    widths = [p.value for name, p in fit.parameters.items() if name.endswith("_pd") and not p.fixed]
    return 0 < max(widths, default=0.0) < STRATEGY.relative_dq[-1]


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
