"""Starts of the scattering length densities of a sample, measured in several solvents or by two probes.

With the curves of a few unit contrasts (`contrast_forms`) thousands of densities are compared without another
one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ..problem.contrast_forms import ContrastForms, products
from ..problem.model_curves import ModelCurves
from ..problem.shared_parameters import Plan

#: Range of what matter has, 10⁻⁶ Å⁻²: hydrogenated surfactants to heavy water and oxides.
_MATTER = (-1.0, 8.0)
#: And of light and heavy water.
_AROUND = (-0.6, 6.4)
_DRAWS = 20_000
#: Of these so many are kept, each with so many others about it, closer each time, 10⁻⁶ Å⁻².
_KEPT, _CHILDREN, _WIDTHS = 150, 20, (1.0, 0.5, 0.25, 0.12, 0.06, 0.03)
#: Sets that differ by less in each density are one.
APART = 0.7
_SETS = 3  #: Sets of densities that are tried at most.


def density_starts(
    forms: ContrastForms, plan: Plan, shape: Mapping[str, Any], rng: np.random.Generator
) -> list[tuple[dict[str, float], list[dict[str, float]]]]:
    """Find a few sets of densities of materials and solvents that suit a shape: shared ones, and
    those of each curve. Empty if the curve is no form of its contrasts.
    """
    if not _can_sample(forms, plan, shape):
        return []
    curve_forms = [forms.form(i, shape) for i in range(len(forms.curves))]
    parts = len(forms.matter)
    order = _best_first(forms, forms.curves, curve_forms, plan, rng)
    return [
        (
            dict(zip(forms.matter, map(float, densities[:parts]), strict=True)),
            [{forms.solvent: float(value)} for value in densities[parts:]],
        )
        for densities in _apart(order, parts, _SETS)
    ]


def own_density_starts(
    forms: ContrastForms, plan: Plan, shape: Mapping[str, Any], rng: np.random.Generator
) -> list[dict[str, float]]:
    """Find densities of each curve that suit a shape, where each has its own as for neutrons and X-rays;
    empty if the curve is no form of its contrasts.
    """
    # A common factor of contrasts is one of scale, so the solvent stays.
    if not _can_sample(forms, plan, shape):
        return []
    density_sets = []
    for i, (curve, known_values) in enumerate(zip(forms.curves, plan.known, strict=True)):
        plan_alone = replace(
            plan, known=({forms.solvent: float(shape[forms.solvent]), **known_values},), factors=None
        )
        best = _best_first(forms, [curve], [forms.form(i, shape)], plan_alone, rng)[0]
        density_sets.append(dict(zip([*forms.matter, forms.solvent], map(float, best), strict=True)))
    return density_sets


def _can_sample(forms: ContrastForms, plan: Plan, shape: Mapping[str, Any]) -> bool:
    """Whether a model's curve is a form of contrasts that nothing ties."""
    return not plan.ties.keys() & {*forms.matter, forms.solvent} and forms.exact(0, shape)


def _best_first(
    forms: ContrastForms,
    curves: Sequence[ModelCurves],
    curve_forms: Sequence[Floats],
    plan: Plan,
    rng: np.random.Generator,
) -> Floats:
    """Densities (draws, materials + curves), those of solvents last, that suit best first."""
    parts = len(forms.matter)
    drawn_draws, fixed = _draw_densities(plan, forms.matter, forms.solvent, rng)

    def chisq(draws: Floats) -> Floats:
        return _chisq(curves, curve_forms, draws[:, :parts], draws[:, parts:], plan)

    for width in _WIDTHS:  # nearer to the best ones
        draws_kept = drawn_draws[np.argsort(chisq(drawn_draws))[:_KEPT]]
        moved = np.repeat(draws_kept, _CHILDREN, axis=0)
        moved += np.where(fixed, 0.0, width * rng.standard_normal(moved.shape))
        drawn_draws = np.vstack([draws_kept, moved])
    return drawn_draws[np.argsort(chisq(drawn_draws))]


def _draw_densities(
    plan: Plan, matter: Sequence[str], solvent: str, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_]]:
    """Densities (draws, materials + curves), those of the curves' solvents last; and which are given."""
    given_values = [
        plan.known[0].get(name) if all(name in k for k in plan.known) else None for name in matter
    ] + [k.get(solvent) for k in plan.known]
    ends = [_MATTER] * len(matter) + [_AROUND] * len(plan.known)
    columns = [
        rng.uniform(*end, _DRAWS) if value is None else np.full(_DRAWS, value)
        for value, end in zip(given_values, ends, strict=True)
    ]
    return np.stack(columns, axis=1), np.array([value is not None for value in given_values])


def _apart(order: Floats, parts: int, count: int) -> list[Floats]:
    """The first ones whose materials differ."""
    distant: list[Floats] = []
    for densities in order:
        if all(
            np.max(np.abs(densities[:parts] - other_densities[:parts])) > APART for other_densities in distant
        ):
            distant.append(densities)
        if len(distant) == count:
            break
    return distant


def _chisq(
    curves: Sequence[ModelCurves],
    forms: Sequence[Floats],
    draws: Floats,
    around: Floats,
    plan: Plan,
) -> Floats:
    """Return χ² of each draw, less a constant, at a given or the best common scale and backgrounds."""
    factors, scale = plan.factors, plan.known[0].get("scale")
    above, below, curve_term = np.zeros((3, len(draws)))
    for i, (search, form) in enumerate(zip(curves, forms, strict=True)):
        weight = 1 / search.dintensity**2
        centred = form - np.average(form, axis=1, weights=weight)[:, None]
        level = search.curve.intensity - np.average(search.curve.intensity, weights=weight)
        pairs = products(draws - around[:, i : i + 1])
        gradient = pairs @ ((centred * weight) @ level)
        size = np.einsum("dk,kl,dl->d", pairs, (centred * weight) @ centred.T, pairs)
        factor = 1.0 if factors is None else factors[i]
        above, below = above + factor * gradient, below + factor**2 * size
        curve_term = curve_term + np.where(gradient > 0, gradient, 0.0) ** 2 / np.maximum(size, 1e-300)
    if scale is not None:
        return np.asarray(scale**2 * below - 2 * scale * above)
    if factors is None:
        return np.asarray(-curve_term)
    return np.asarray(-(np.where(above > 0, above, 0.0) ** 2) / np.maximum(below, 1e-300))
