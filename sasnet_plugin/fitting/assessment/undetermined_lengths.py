"""Lengths that the data do not determine: of power-law tails, and beyond the smallest q.

Far beyond its size a body scatters as its surface does, q⁻⁴, a sheet as q⁻², a chain as q⁻² or q^(-1/ν): the
curve then is the same for any size (G. Porod, Kolloid-Z. 124 (1951) 83). Whichever model carries such a tail,
a power law of the same exponent says all that it says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ...arrays import Floats
from ...simulate.priors import model_info
from ...simulate.quick_models.quick import fit_cost_class
from ...types import Curve, SimulationError, sum_parts
from ..optimize.local_search import refine
from ..problem.experiment import starting_values
from ..problem.free_parameters import moving
from ..problem.model_curves import ModelCurves
from ..problem.resolution import resolution
from ..problem.sums import as_part, extract_part, prefix
from ..result.components import bare, is_scale
from ..result.model_fit import ModelFit, Parameter
from ..settings import ASSESSMENT, OPTIMIZE, PROBLEM

# --- Components of which the data show a power law alone.

POWER_LAW = "power_law"
#: Between two exponents that are tried: sums of both are those between.
_STEP = 0.1
#: Terms that stand for a network or chains beside a power law: their own exponent is part of what they say.
_CHAINS = frozenset({"lorentz", "mono_gauss_coil"})


def mark_tails(fit: ModelFit, curve: Curve, dintensity: Floats) -> ModelFit:
    """Mark components of which the data show a power law alone."""
    return replace(fit, power_law_parts=tails_of(fit, curve, dintensity))


def tails_of(fit: ModelFit, curve: Curve, dintensity: Floats) -> tuple[int, ...]:
    """Places of the components that a power law replaces without a rise of χ² that noise has not."""
    names = sum_parts(fit.name)
    places = [i for i, part in enumerate(names) if _has_lengths(part) and not _is_chain(names, i)]
    # Of an expensive model there are no slopes, and with a structure factor neighbours are seen.
    if not places or fit.structure_factor or not fit.derivatives or not np.all(np.isfinite(fit.theory)):
        return ()
    if len(names) == 1:
        background = fit.parameters["background"].value
        parts = (fit.theory - background)[None]
    else:
        local = ModelCurves(curve, dintensity, fit.name, per_decade=fit.per_decade)
        start = starting_values(fit)
        scales = np.array([start[name] for name in local.scales])
        parts = scales[:, None] * local.intensity(start)
    return tuple(i for i in places if _is_power_law(fit, i, parts, curve, dintensity))


def _is_chain(parts: Sequence[str], place: int) -> bool:
    """Whether a component is a network or a chain beside a power law: two power laws would say less."""
    rest = {part for i, part in enumerate(parts) if i != place}
    return parts[place] in _CHAINS and rest == {POWER_LAW}


def replace_by_power_law(name: str, place: int) -> str:
    """sasmodels' name of a fit's model with a power law for one of its components; the power law last."""
    other_parts = [part for i, part in enumerate(sum_parts(name)) if i != place]
    return "+".join([*other_parts, POWER_LAW])


def stands_for_a_power_law(fit: ModelFit) -> str:
    """Name of the model with a power law that says what the fit says; empty where there is none."""
    return next((replace_by_power_law(fit.name, place) for place in fit.power_law_parts), "")


def start_of(fit: ModelFit, place: int, exponent: float) -> dict[str, Any]:
    """Where the fit of the replaced model begins."""
    values, count = starting_values(fit), len(sum_parts(fit.name))
    if count == 1:
        return {"power": exponent}
    other_values = extract_part(values, 1 - place, count)
    return as_part(other_values, 0) | as_part({"power": exponent}, 1)


def exponent_of(fit: ModelFit, curve: Curve) -> float:
    """About the exponent of a curve's tail, as a start."""
    rise = fit.theory - fit.parameters["background"].value
    is_visible = rise > ASSESSMENT.rises * abs(fit.parameters["background"].value)
    if np.count_nonzero(is_visible) < 2:
        return 4.0
    return float(-np.polyfit(np.log(curve.q[is_visible]), np.log(rise[is_visible]), 1)[0])


@lru_cache(maxsize=512)
def _has_lengths(part: str) -> bool:
    """Whether a component has a length, and is no peak: the place of a peak is one that a curve shows."""
    form = part.partition("@")[0]
    if form.endswith(".py"):
        return False
    try:
        kernel_parameters = model_info(form).parameters.kernel_parameters
    except SimulationError:
        return False
    return any(p.units == "Ang" for p in kernel_parameters) and not any(
        p.units == "1/Ang" for p in kernel_parameters
    )


def _is_power_law(fit: ModelFit, place: int, parts: Floats, curve: Curve, dintensity: Floats) -> bool:
    """Whether χ² hardly rises where a power law stands for a component and all else follows, linearly."""
    relative_part = parts[place] / dintensity
    rest = _collect_other_slopes(fit, place, dintensity)
    residual = (curve.intensity - fit.theory) / dintensity + relative_part
    tempering = max(fit.reduced_chisq, 1.0)
    most = fit.chisq + ASSESSMENT.significant**2 * tempering
    is_visible = relative_part > ASSESSMENT.negligible * np.max(relative_part, initial=0.0)
    if not np.any(is_visible) or np.count_nonzero(is_visible) < 3:
        return False
    slope = -float(
        np.polyfit(
            np.log(curve.q[is_visible]), np.log(relative_part[is_visible] * dintensity[is_visible]), 1
        )[0]
    )
    exponents = float(np.clip(slope, PROBLEM.least_power, 5.0)) + np.arange(-1.0, 1.01, _STEP)
    exponents = exponents[exponents > PROBLEM.least_power - 0.5 * _STEP]
    smeared = resolution(curve, fit.per_decade)
    columns = [smeared.apply(smeared.q_calc**-exponent) / dintensity for exponent in exponents]
    return bool(
        _least_chisq_of_neighbours(np.stack(columns, axis=1), np.stack(rest, axis=1), residual) < most
    )


def _collect_other_slopes(fit: ModelFit, place: int, dintensity: Floats) -> list[Floats]:
    """Slopes by all parameters but a component's own, (n,) each; the background's always."""
    begin = prefix(place) if len(sum_parts(fit.name)) > 1 else None
    slopes: Mapping[str, Floats] = moving(fit.derivatives)
    slopes_kept = [
        column for name, column in slopes.items() if begin is not None and not name.startswith(begin)
    ]
    return [*slopes_kept, 1 / dintensity]


def _least_chisq_of_neighbours(columns: Floats, rest: Floats, residual: Floats) -> float:
    """Least χ² with two neighbouring columns (n, m) and all the rest (n, k), by linear least squares."""
    rest_basis, size, _ = np.linalg.svd(rest / np.linalg.norm(rest, axis=0), full_matrices=False)
    rest_basis = rest_basis[:, size > 1e-9 * size[0]]
    remaining, new = (part - rest_basis @ (rest_basis.T @ part) for part in (residual, columns))
    new /= np.maximum(np.linalg.norm(new, axis=0), np.finfo(float).tiny)
    # What the second of two adds to the first, orthogonal to it: they are nearly the same.
    first, second = new[:, :-1], new[:, 1:]
    second = second - first * np.sum(first * second, axis=0)
    second /= np.maximum(np.linalg.norm(second, axis=0), np.finfo(float).tiny)
    gain = (remaining @ first) ** 2 + (remaining @ second) ** 2
    return float(remaining @ remaining - np.max(gain, initial=0.0))


def lengths_of(fit: ModelFit) -> list[str]:
    """Names of the fitted lengths, and of their widths, of components that show a power law alone."""
    count = len(sum_parts(fit.name))
    begins = tuple(prefix(i) if count > 1 else "" for i in fit.power_law_parts)
    names = [n for n in fit.free if begins and n.startswith(begins) and not is_scale(n)]
    lengths = {n for n in names if fit.parameters[n].unit == "Ang" and bare(n) != "radius_effective"}
    return [n for n in names if n in lengths or n.removesuffix("_pd") in lengths]


def widen_length_errors(fit: ModelFit) -> ModelFit:
    """The fit with errors as large as the lengths that only a power law is shown of: none is determined."""
    open_ = {
        name: replace(p, error=max(p.error or 0.0, abs(p.value)))
        for name in lengths_of(fit)
        if (p := fit.parameters[name]).at_least is None
    }
    return replace(fit, parameters={**fit.parameters, **open_}) if open_ else fit


# --- Lengths beyond the smallest q.


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
            refitted = refine(curves, changed_start, steps=OPTIMIZE.few_steps)
            yield refitted is not None and refitted.chisq < best_chisq + apart


def _chisq(curves: ModelCurves, values: dict[str, float]) -> float:
    residual, _, _ = curves.solve(values)
    return float(residual @ residual)
