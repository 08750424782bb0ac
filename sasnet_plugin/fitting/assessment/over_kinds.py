"""Errors that hold whichever size distribution it is: one curve seldom shows its kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..result.components import is_amplitude
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit, Parameter
from ..result.size_distributions import deviation_over_width, mean_over_parameter
from ..settings import ASSESSMENT


@dataclass(frozen=True)
class Kind:
    """A fit with one kind of size distribution."""

    weight: float  #: Its likelihood over that of the best kind.
    parameters: Mapping[str, Parameter]
    distributions: Mapping[str, str]

    def comparable(self, name: str) -> float:
        """What a parameter's value is multiplied by to be the same number in all kinds."""
        # Sizes are compared by their means, widths by the standard deviation over the mean.
        plain_name = name.removesuffix("_pd")
        compare = mean_over_parameter if plain_name == name else deviation_over_width
        return compare(self.parameters, self.distributions, plain_name)


def spread_over(name: str, best: Kind, kinds: Sequence[Kind]) -> Parameter:
    """A parameter whose error is the root of its variance over the kinds, each weighted by its likelihood."""
    p = best.parameters[name]
    if p.error is None or p.fixed:
        return p
    unit, total, apart = best.comparable(name), 1.0, 0.0
    for kind in kinds:
        if name in kind.parameters:
            value = kind.parameters[name].value * kind.comparable(name) / unit
        elif name.endswith("_pd"):
            value = 0.0  # a resolution that the file does not state may be there instead
        else:
            continue
        total += kind.weight
        apart += kind.weight * (value - p.value) ** 2
    return replace(p, error=math.sqrt(p.error**2 + apart / total))


def spread_over_kinds(result: FitResult) -> FitResult:
    """Add the spread over equally good kinds of size distribution to the best fit's errors."""
    fits = other_distributions(result) if result.fits else []
    if not fits:
        return result
    best = result.fits[0]
    other_kinds = [
        Kind(math.exp(0.5 * min(best.chisq - fit.chisq, 0.0)), fit.parameters, fit.distributions)
        for fit in fits
    ]
    kind = Kind(1.0, best.parameters, best.distributions)
    # Amplitudes are products with contrasts, which each fit has by a convention of its own.
    parameters = {
        name: p if is_amplitude(name) else spread_over(name, kind, other_kinds)
        for name, p in kind.parameters.items()
    }
    added = {
        name: _compute_added_error(p, best.parameters[name]) for name, p in parameters.items() if p.error
    }
    spread_fit = replace(best, parameters=parameters, apart=added)
    return replace(result, fits=(spread_fit, *result.fits[1:]))


def _compute_added_error(after: Parameter, old_parameter: Parameter) -> float:
    """What an error has grown by, as a standard deviation."""
    return math.sqrt(max((after.error or 0.0) ** 2 - (old_parameter.error or 0.0) ** 2, 0.0))


def _same(chisq: float, other_chisq: float) -> bool:
    return math.isclose(chisq, other_chisq, rel_tol=1e-9)


def other_distributions(result: FitResult) -> list[ModelFit]:
    """Fits of the best model that are as good, with other size distributions or a supposed resolution."""
    best = result.fits[0]
    # Among the kinds the best stands as the search has left it, before Bumps.
    start_chisq = best.start_chisq if math.isfinite(best.start_chisq) else best.chisq
    return [
        fit
        for fit in (*result.fits[1:], *result.distributions)
        if fit.name == best.name
        and (dict(fit.distributions) != dict(best.distributions) or not _same(fit.chisq, start_chisq))
        and fit.chisq - best.chisq < ASSESSMENT.significant**2
    ]
