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


def mark_lengths_beyond_range(fit: ModelFit, curve: Curve, dintensity: Floats) -> ModelFit:
    """Mark uncertain lengths above π over the smallest q as lower limits."""
    # Such lengths bend the first points alone, or make fringes finer than the noise. A small error then
    # belongs to one minimum of many.
    longest = math.pi / float(curve.q[0])
    beyond = [name for name in fit.free if _is_longer(fit.parameters[name], longest)]
    unsure = {name for name in beyond if _is_unsure(fit.parameters[name])}
    sure_names = set(beyond) - unsure
    # Fringes that the data do show fix a length however long it is.
    unsure |= {name for name in sure_names if any(_as_good(fit, name, curve, dintensity))}
    longer = {name: replace(fit.parameters[name], at_least=longest) for name in unsure}
    return replace(fit, parameters={**fit.parameters, **longer}) if longer else fit


def _is_longer(p: Parameter, longest: float) -> bool:
    return p.error is not None and p.unit == "Ang" and p.value > longest


def _is_unsure(p: Parameter) -> bool:
    return p.error is not None and p.error >= ASSESSMENT.unsure * abs(p.value)


def _as_good(fit: ModelFit, name: str, curve: Curve, dintensity: Floats) -> Iterator[bool]:
    """Yield whether the curve is fitted as well by lengths far beyond the error."""
    fixed_names = frozenset({name, *(n for n, p in fit.parameters.items() if p.fixed)})
    curves = ModelCurves(curve, dintensity, fit.name, fixed=fixed_names, per_decade=fit.per_decade)
    start = starting_values(fit)
    best_chisq = _chisq(curves, start)
    apart = ASSESSMENT.significant**2 * max(fit.reduced_chisq, 1.0)
    for times in ASSESSMENT.other_lengths:
        changed_start = {**start, name: times * start[name]}
        yield _chisq(curves, changed_start) < best_chisq + apart
        if fit_cost_class(fit.model) == "fast":  # what else a model has may make up for it
            refitted = refine(curves, changed_start, steps=ASSESSMENT.other_steps)
            yield refitted is not None and refitted.chisq < best_chisq + apart


def _chisq(curves: ModelCurves, values: dict[str, float]) -> float:
    residual, _, _ = curves.solve(values)
    return float(residual @ residual)
