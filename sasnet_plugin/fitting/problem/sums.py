"""Sums of models, ``sphere+power_law``: names of their parameters, and their scales solved for together.

sasmodels' sum is scale·(A_scale·I_A + B_scale·I_B) + background; the parameters of the components begin with
``A_`` and ``B_``. The common scale stays 1, so that each component has one factor of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Floats
from ...simulate.quick_models.quick import is_exact, is_quick, nearest_exact
from ...types import sum_parts
from ..costs import cost
from ..result.components import Component, shares
from ..result.reported_values import covariance


def prefix(index: int) -> str:
    """What the names of a component's parameters begin with."""
    return f"{chr(ord('A') + index)}_"


def scales_of(model: str) -> tuple[str, ...]:
    """Factors of a model's curve: ``scale``, or one for each component of a sum."""
    count = len(sum_parts(model))
    return ("scale",) if count == 1 else tuple(f"{prefix(i)}scale" for i in range(count))


def extract_part(parameters: Mapping[str, Any], index: int, count: int) -> dict[str, Any]:
    """Return one of `count` components' parameters as its own model has them, with scale 1 and no background;
    one alone has no prefix.
    """
    if count == 1:
        return {**parameters, "scale": 1.0, "background": 0.0}
    begin = prefix(index)
    part_parameters = {k.removeprefix(begin): v for k, v in parameters.items() if k.startswith(begin)}
    return part_parameters | {"scale": 1.0, "background": 0.0}


def as_part(parameters: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Parameters of a model as a sum has those of a component; without scale and background."""
    return {f"{prefix(index)}{k}": v for k, v in parameters.items() if k not in ("scale", "background")}


def solve_scales(columns: Floats, weight: Floats, intensity: Floats) -> tuple[Floats, float]:
    """Fit Σ scale × component (k, n) + background by weighted least squares; negative scales become 0, the
    background has either sign. Weights are inverse variances.
    """
    root = np.sqrt(weight)
    scales = np.zeros(len(columns))
    open_indices = list(range(len(columns)))
    while True:
        matrix = np.vstack([columns[open_indices], np.ones(weight.size)])
        # In steps: a wild start's curve over its errors, or its squares, may be beyond what a number holds.
        largest = np.maximum(np.abs(matrix).max(axis=1), 1e-300)
        unit = matrix / largest[:, None] * root
        length = np.maximum(np.linalg.norm(unit, axis=1), 1e-300)
        share = np.linalg.lstsq((unit / length[:, None]).T, intensity * root, rcond=None)[0]
        solution = share / length / largest
        negative = [i for i, value in zip(open_indices, share, strict=False) if not value > 0]
        if not negative:
            scales[open_indices] = solution[:-1]
            return scales, float(solution[-1])
        open_indices.remove(min(negative, key=lambda i: share[open_indices.index(i)]))


def components_of(model: str, q: Floats, curves: Floats, scales: Floats) -> tuple[Component, ...]:
    """Calculate each component's share of a sum from scaled curves (k, n); empty for one model."""
    parts = sum_parts(model)
    if len(parts) < 2:
        return ()
    alike = len(set(parts)) == 1
    share, change = shares(curves, q, scales if alike else None)
    reference = "volume" if alike else "scattering"
    return tuple(
        Component(part, prefix(i), float(share[i]), None, reference, tuple(map(float, change[i])))
        for i, part in enumerate(parts)
    )


def share_errors(
    parts: tuple[Component, ...], parameters: Mapping[str, Any], slopes: Mapping[str, Floats]
) -> tuple[Component, ...]:
    """Add errors from the scales and their covariance; sizes stay fixed."""
    # `slopes` are residuals' derivatives (n,), empty if unknown.
    names = [f"{part.prefix}scale" for part in parts]
    if not parts or not set(names) <= set(slopes):
        return parts
    indices = list(map(list(slopes).index, names))
    values = np.array([float(parameters[name]) for name in names])
    relative = covariance(slopes)[np.ix_(indices, indices)] / np.maximum(
        np.abs(np.outer(values, values)), 1e-300
    )

    def error(change: Floats) -> float:
        return float(np.sqrt(max(float(change @ relative @ change), 0.0)))

    return tuple(replace(part, error=error(np.array(part.change))) for part in parts)


def parts_of(name: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Model, beginning of its parameters' names and its own parameters, of each component."""
    parts = sum_parts(name)
    for i, part in enumerate(parts):
        yield part, prefix(i) if len(parts) > 1 else "", extract_part(parameters, i, len(parts))


def all_exact(name: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the quick curve is sasmodels' own (`quick.is_exact`) in each component that has one."""
    return all(
        is_exact(part, part_parameters) or not is_quick(part)
        for part, _, part_parameters in parts_of(name, parameters)
    )


def all_nearest(name: str, parameters: Mapping[str, Any]) -> dict[str, float]:
    """What has to change for `all_exact`, the quick curve staying the same, if anything can."""
    return {
        begin + key: value
        for part, begin, part_parameters in parts_of(name, parameters)
        for key, value in nearest_exact(part, part_parameters).items()
    }


def own_cost(name: str, parameters: Mapping[str, Any], q: Floats, *, quick: bool = False) -> float:
    """What an evaluation of sasmodels' own model, or of the quick one, counts (`effort.cost`), s."""
    parts = parts_of(name, parameters)
    return sum(cost(part, part_parameters, q, quick=quick) for part, _, part_parameters in parts)
