"""Where quick models do and what sasmodels' own would cost, for a model or each component of a sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.costs import cost
from sasnet_plugin.fitting.problem.sums import of_part, prefix
from sasnet_plugin.simulate.quick_models.quick import is_exact, is_quick, nearest_exact
from sasnet_plugin.types import sum_parts


def _parts(name: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Model, beginning of its parameters' names and its own parameters, of each component."""
    parts = sum_parts(name)
    for i, part in enumerate(parts):
        yield part, prefix(i) if len(parts) > 1 else "", of_part(parameters, i, len(parts))


def all_exact(name: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the quick curve is sasmodels' own (`quick.is_exact`) in each component that has a quick model.

    Parameters
    ----------
    name : str
        A model, a product, or a sum of them.
    parameters : mapping
        sasmodels' parameters of the whole.
    """
    return all(is_exact(part, own) or not is_quick(part) for part, _, own in _parts(name, parameters))


def all_nearest(name: str, parameters: Mapping[str, Any]) -> dict[str, float]:
    """What has to change for `all_exact`, the quick curve staying the same, if anything can."""
    return {
        begin + key: value
        for part, begin, own in _parts(name, parameters)
        for key, value in nearest_exact(part, own).items()
    }


def own_cost(name: str, parameters: Mapping[str, Any], q: NDArray[np.float64]) -> float:
    """What an evaluation of sasmodels' own model counts (`costs.cost`), s."""
    return sum(cost(part, own, q, quick=False) for part, _, own in _parts(name, parameters))
