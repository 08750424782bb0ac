"""What may be tried of the resolution that a file does not state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..problem.experiment import starting_values
from ..problem.free_parameters import sharp
from ..problem.resolution import has_resolution
from ..result.model_fit import doubtful
from ..task import Budget
from .hypothesis import Hypothesis, is_smooth
from .settings import STRATEGY
from .state import State
from .step import Step, boost, make_step_from

#: Makes a start of a fit's values.
Begun = Callable[[dict[str, Any]], dict[str, Any]]


def resolutions(state: State) -> Iterator[Step]:
    """Ask for the resolution that a file does not state, with the best fit and the likeliest near ones."""
    best = state.best
    if best is None or has_resolution(state.curve) or best.as_measured or is_smooth(best):
        return
    for hypothesis, chance in _select_without_resolution(state, best).items():
        # A second component that is seen explains what else a resolution would have to.
        yield _ask_resolution(state, hypothesis, chance * (1 - state.beliefs.two))
    if _is_narrow(state, best):
        yield _ask_resolution(state, best, 1.0, sharp)


def _ask_resolution(state: State, hypothesis: Hypothesis, chance: float, begun: Begun = dict) -> Step:
    """Any instrument has a resolution: what is open is whether it shows, for which it costs no parameter."""
    fit = state.fits[hypothesis]
    start = begun(starting_values(fit))
    search = state.task(hypothesis, starts=(start,), budget=Budget(STRATEGY.time["slow"]))
    again = boost(state, len(fit.free), again=True)
    key = ("resolution", hypothesis, round(np.log(fit.chisq)), begun is sharp)
    return Step(key, chance * STRATEGY.likely * again / (2 * hypothesis.seconds), search=search)


def _is_narrow(state: State, best: Hypothesis) -> bool:
    """Whether a width of sizes may be a resolution instead: both wash out fringes."""
    parameters = state.fits[best].parameters
    widths = [p.value for name, p in parameters.items() if name.endswith("_pd") and not p.fixed]
    return best.resolution is None and 0 < max(widths, default=0.0) < STRATEGY.relative_dq[-1]


def _select_without_resolution(state: State, best: Hypothesis) -> dict[Hypothesis, float]:
    """What may lack nothing but a resolution, with its chance: the best and the likeliest near one."""
    # Where the best explains the data, the nearest that does not and has fewer parameters.
    if doubtful(state.fits[best].reduced_chisq, len(state.curve)):
        near_ = _select_below(state, STRATEGY.far_best * state.fits[best].chisq)
        likely = sorted(near_, key=lambda h: -state.beliefs.estimate(h))[:1]
        chances = {h: state.beliefs.estimate(h) for h in likely} | {best: 1.0}
    else:
        chances = dict.fromkeys(sorted(_simpler(state, best), key=state.compute_minus_two_log)[:1], 1.0)
    return {h: chance for h, chance in chances.items() if h.resolution is None}


def _select_below(state: State, most: float) -> list[Hypothesis]:
    return [h for h, fit in state.fits.items() if fit.chisq < most]


def _simpler(state: State, best: Hypothesis) -> Iterator[Hypothesis]:
    """Near fits that do not explain the curve, of fewer parameters than the best."""
    least = state.fits[best]
    for hypothesis in _select_below(state, STRATEGY.near_best * least.chisq):
        fit = state.fits[hypothesis]
        if len(fit.free) < len(least.free) and doubtful(fit.reduced_chisq, len(state.curve)):
            yield hypothesis


def propose_resolved(state: State) -> Iterator[Step]:
    """The near fits with the resolution that was found with one of them, and those with it without."""
    least = state.least_chisq
    for hypothesis, fit in state.fits.items():
        # What a wrong second component needs, the right one may not.
        rest, most = (
            ([None], STRATEGY.near_best)
            if hypothesis.resolution
            else (state.resolution_guesses, STRATEGY.far_best)
        )
        for resolution in sorted(rest, key=str):
            variant = replace(hypothesis, resolution=resolution)
            if fit.chisq < most * least and variant not in state.fits:
                yield make_step_from(
                    state, ("resolved", variant), variant, STRATEGY.likely, starting_values(fit)
                )
