"""Lengths of which a curve shows only that they are longer than its smallest q can tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from ...arrays import Floats
from ...simulate.quick_models.quick import fit_cost_class
from ...types import Curve
from ..optimize.local_search import refine
from ..problem.experiment import starting_values
from ..problem.model_curves import ModelCurves
from ..result.model_fit import ModelFit, Parameter
from ..settings import ASSESSMENT


def beyond_the_window(fit: ModelFit, curve: Curve, dintensity: Floats) -> ModelFit:
    """Mark uncertain lengths above π over the smallest q as lower limits."""
    # Such lengths bend the first points alone, or make fringes finer than the noise. A small error then
    # belongs to one minimum of many.
    longest = math.pi / float(curve.q[0])
    beyond = [name for name in fit.free if _is_longer(fit.parameters[name], longest)]
    unsure = {name for name in beyond if _is_unsure(fit.parameters[name])}
    others = set(beyond) - unsure
    # Fringes that the data do show fix a length however long it is.
    unsure |= {name for name in others if any(_as_good(fit, name, curve, dintensity))}
    found = {name: replace(fit.parameters[name], at_least=longest) for name in unsure}
    return replace(fit, parameters={**fit.parameters, **found}) if found else fit


def _is_longer(p: Parameter, longest: float) -> bool:
    return p.error is not None and p.unit == "Ang" and p.value > longest


def _is_unsure(p: Parameter) -> bool:
    return p.error is not None and p.error >= ASSESSMENT.unsure * abs(p.value)


def _as_good(fit: ModelFit, name: str, curve: Curve, dintensity: Floats) -> Iterator[bool]:
    """Yield whether the curve is fitted as well by lengths far beyond the error."""
    held = frozenset({name, *(n for n, p in fit.parameters.items() if p.fixed)})
    curves = ModelCurves(curve, dintensity, fit.name, fixed=held, per_decade=fit.per_decade)
    start = starting_values(fit)
    own = _chisq(curves, start)
    apart = ASSESSMENT.significant**2 * max(fit.reduced_chisq, 1.0)
    for times in ASSESSMENT.other_lengths:
        other = {**start, name: times * start[name]}
        yield _chisq(curves, other) < own + apart
        if fit_cost_class(fit.model) == "fast":  # what else a model has may make up for it
            found = refine(curves, other, steps=ASSESSMENT.other_steps)
            yield found is not None and found.chisq < own + apart


def _chisq(curves: ModelCurves, values: dict[str, float]) -> float:
    residual, _, _ = curves.solved(values)
    return float(residual @ residual)
