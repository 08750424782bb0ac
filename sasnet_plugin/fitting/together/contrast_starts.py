"""Starts of the scattering length densities of a sample that was measured in several solvents.

A dilute curve is a quadratic form of the contrasts against the solvent, whatever the shape (H. B. Stuhrmann,
J. Appl. Cryst. 7 (1974) 173): with the curves of a few unit contrasts, thousands of densities are compared
without another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..problem.model_curves import ModelCurves
from .shared import Plan

Array = NDArray[np.float64]
#: Range of what matter has, 10⁻⁶ Å⁻²: hydrogenated surfactants to heavy water and oxides.
_MATTER = (-1.0, 8.0)
#: And of light and heavy water.
_AROUND = (-0.6, 6.4)
_DRAWS, _MOST_MATERIALS = 20_000, 3
#: Of these so many are kept, each with so many others about it, closer each time, 10⁻⁶ Å⁻².
_KEPT, _CHILDREN, _WIDTHS = 150, 20, (1.0, 0.5, 0.25, 0.12, 0.06, 0.03)
#: Largest relative difference of a curve from its quadratic form.
_EXACT = 1e-3
#: Sets that differ by less in each density are one.
_APART = 0.7


def density_starts(
    curves: Sequence[ModelCurves],
    plan: Plan,
    shape: Mapping[str, Any],
    rng: np.random.Generator,
    count: int = 3,
) -> list[tuple[dict[str, float], list[dict[str, float]]]]:
    """Densities of the materials, and of each curve's solvent, that suit a shape best.

    Parameters
    ----------
    shape : mapping
        sasmodels' parameters of the body.
    count : int
        Sets, at most.

    Returns
    -------
    list of (dict, list of dict)
        Shared, and of each curve; empty where the model's curve is no such form.
    """
    named = _named(curves[0].info, plan)
    if named is None:
        return []
    matter, solvent = named
    forms = [_form(search, shape, matter, solvent) for search in curves]
    good = [form for form in forms if form is not None]
    if len(good) < len(forms):
        return []
    drawn, fixed = _drawn(plan, matter, solvent, rng)
    parts = len(matter)

    def chisq(every: Array) -> Array:
        return _chisq(curves, good, every[:, :parts], every[:, parts:], plan.factors)

    for width in _WIDTHS:  # nearer to the best ones
        kept = drawn[np.argsort(chisq(drawn))[:_KEPT]]
        moved = np.repeat(kept, _CHILDREN, axis=0)
        moved += np.where(fixed, 0.0, width * rng.standard_normal(moved.shape))
        drawn = np.vstack([kept, moved])
    return [
        (
            dict(zip(matter, map(float, one[:parts]), strict=True)),
            [{solvent: float(value)} for value in one[parts:]],
        )
        for one in _apart(drawn[np.argsort(chisq(drawn))], parts, count)
    ]


def _named(info: Any, plan: Plan) -> tuple[list[str], str] | None:
    """Densities of the materials and of the solvent; None where they are none, too many, or calculated."""
    slds = [p.name for p in info.parameters.call_parameters if p.type == "sld"]
    solvents = [name for name in slds if "solvent" in name]
    matter = [name for name in slds if name not in solvents]
    few = len(solvents) == 1 and 0 < len(matter) <= _MOST_MATERIALS
    return (matter, solvents[0]) if few and not plan.ties.keys() & set(slds) else None


def _drawn(
    plan: Plan, matter: Sequence[str], solvent: str, rng: np.random.Generator
) -> tuple[Array, NDArray[np.bool_]]:
    """Densities (draws, materials + curves), those of the curves' solvents last; and which are given."""
    given = [plan.known[0].get(name) if all(name in k for k in plan.known) else None for name in matter] + [
        k.get(solvent) for k in plan.known
    ]
    ends = [_MATTER] * len(matter) + [_AROUND] * len(plan.known)
    columns = [
        rng.uniform(*end, _DRAWS) if value is None else np.full(_DRAWS, value)
        for value, end in zip(given, ends, strict=True)
    ]
    return np.stack(columns, axis=1), np.array([value is not None for value in given])


def _apart(order: Array, parts: int, count: int) -> list[Array]:
    """The first ones whose materials differ."""
    found: list[Array] = []
    for one in order:
        if all(np.max(np.abs(one[:parts] - other[:parts])) > _APART for other in found):
            found.append(one)
        if len(found) == count:
            break
    return found


def _form(search: ModelCurves, shape: Mapping[str, Any], matter: Sequence[str], solvent: str) -> Array | None:
    """Coefficients (k, n) of the products of contrasts, those with themselves first named; None if none."""

    def curve(contrast: Mapping[str, float]) -> Array:
        values = dict(shape) | {name: contrast.get(name, 0.0) for name in matter} | {solvent: 0.0}
        return np.asarray(search.intensity(values)[0])

    single = {name: curve({name: 1.0}) for name in matter}
    found = []
    for a, b in combinations_with_replacement(matter, 2):
        found.append(single[a] if a == b else curve({a: 1.0, b: 1.0}) - single[a] - single[b])
    form = np.stack(found)
    test = {name: 1.3 - 2.1 * i for i, name in enumerate(matter)}
    expected = _products(np.array([[test[name] for name in matter]]))[0] @ form
    exact = curve(test)
    good = np.all(np.isfinite(form)) and np.max(np.abs(expected - exact)) < _EXACT * np.max(np.abs(exact))
    return form if good else None


def _products(contrast: Array) -> Array:
    """(draws, k) of contrasts (draws, materials)."""
    count = contrast.shape[1]
    return np.stack(
        [contrast[:, a] * contrast[:, b] for a, b in combinations_with_replacement(range(count), 2)], axis=1
    )


def _chisq(
    curves: Sequence[ModelCurves],
    forms: Sequence[Array],
    drawn: Array,
    around: Array,
    factors: Sequence[float] | None,
) -> Array:
    """Of each draw, with the best common scale and background of each curve, less a constant."""
    above, below, alone = np.zeros((3, len(drawn)))
    for i, (search, form) in enumerate(zip(curves, forms, strict=True)):
        weight = 1 / search.dintensity**2
        centred = form - np.average(form, axis=1, weights=weight)[:, None]
        level = search.curve.intensity - np.average(search.curve.intensity, weights=weight)
        products = _products(drawn - around[:, i : i + 1])
        own = products @ ((centred * weight) @ level)
        size = np.einsum("dk,kl,dl->d", products, (centred * weight) @ centred.T, products)
        factor = 1.0 if factors is None else factors[i]
        above, below = above + factor * own, below + factor**2 * size
        alone = alone + np.where(own > 0, own, 0.0) ** 2 / np.maximum(size, 1e-300)
    if factors is None:
        return np.asarray(-alone)
    return np.asarray(-(np.where(above > 0, above, 0.0) ** 2) / np.maximum(below, 1e-300))
