"""Errors that hold whichever size distribution it is: one curve seldom shows its kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit, Parameter, over_median
from ..settings import ASSESSMENT


def over_kinds(result: FitResult) -> FitResult:
    """With the spread over equally good kinds of size distribution in the errors of the best fit."""
    kinds = other_distributions(result) if result.fits else []
    if not kinds:
        return result
    best = result.fits[0]
    parameters = {name: _widened(name, p, best, kinds) for name, p in best.parameters.items()}
    return replace(result, fits=(replace(best, parameters=parameters), *result.fits[1:]))


def other_distributions(result: FitResult) -> list[ModelFit]:
    """Fits of the best model with other kinds of size distribution that are as good."""
    best = result.fits[0]
    return [
        fit
        for fit in (*result.fits[1:], *result.distributions)
        if fit.name == best.name
        and dict(fit.distributions) != dict(best.distributions)
        and fit.chisq - best.chisq < ASSESSMENT.significant**2
    ]


def _widened(name: str, p: Parameter, best: ModelFit, kinds: Sequence[ModelFit]) -> Parameter:
    """A parameter whose error is the root of its variance over the kinds, each weighted by its likelihood."""
    if p.error is None or p.fixed:
        return p
    own, total, apart = over_median(best.parameters, best.distributions, name), 1.0, 0.0
    for fit in (one for one in kinds if name in one.parameters):
        # Of the same curve means are the same, and a median is not.
        value = fit.parameters[name].value * over_median(fit.parameters, fit.distributions, name) / own
        likelihood = math.exp(0.5 * min(best.chisq - fit.chisq, 0.0))
        total += likelihood
        apart += likelihood * (value - p.value) ** 2
    return replace(p, error=math.sqrt(p.error**2 + apart / total))
