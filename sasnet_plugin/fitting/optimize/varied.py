"""What a local search varies: parameters by their codes, sizes in their logarithm, within their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sasnet_plugin.fitting.problem.bounds import bounds_of, reach_of
from sasnet_plugin.fitting.settings import OPTIMIZE, PROBLEM


@dataclass(frozen=True)
class Code:
    """How one parameter is varied.

    Parameters
    ----------
    first, low, high : float
        Where it begins, and its bounds, in its code.
    unit : float
        What 1 in the code stands for; 0: the code is a logarithm.
    """

    first: float
    low: float
    high: float
    unit: float = 0.0

    def value(self, x: float) -> float:
        """The parameter, in its own unit."""
        return float(np.exp(x)) if self.unit == 0 else float(x * self.unit)

    def slope(self, x: float) -> float:
        """Of the parameter by its code."""
        return self.value(x) if self.unit == 0 else self.unit


def linear(value: float, low: float, high: float, unit: float) -> Code:
    """In a unit of what matters."""
    value = _inside(value, low, high)
    return Code(value / unit, low / unit, high / unit, unit)


def logarithm(value: float, low: float, high: float) -> Code:
    """Of what is positive."""
    low, high = np.log(low) if low > 0 else -np.inf, np.log(high)
    return Code(_inside(float(np.log(value)), low, high), float(low), float(high))


def code_of(
    info: Any, name: str, start: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]], least_q: float
) -> Code:
    """The code of a parameter from its start.

    Parameters
    ----------
    info : sasmodels.modelinfo.ModelInfo
    name : str
    start : mapping
        sasmodels' parameters.
    ranges : mapping of str to (float, float)
        Given by a user.
    least_q : float
        Of the data, Å⁻¹.
    """
    table = {p.name: p for p in info.parameters.call_parameters}
    value = float(start.get(name, table[name].default if name in table else 0.0))
    if name in ranges:
        low, high = ranges[name]
        return linear(float(np.clip(value, low, high)), low, high, (high - low) / 4)
    if name.endswith("_pd"):
        return linear(min(max(value, 0.005), 0.65), 0.0, PROBLEM.most_width, 0.1)
    if name == "background":
        return linear(value, -np.inf, np.inf, abs(value) or 1.0)
    p = table[name]
    low, high = reach_of(p, value, OPTIMIZE.size_reach, OPTIMIZE.sld_reach)
    if "sld" in name:
        return linear(value, low, high, 1.0)
    if bounds_of(p)[0] >= 0 and value > 0:
        if p.type == "volume" and p.units == "Ang":
            longest = OPTIMIZE.longest / least_q
            value, high = min(value, longest), min(high, longest)
        return logarithm(value, low, high)
    return linear(value, low, high, max(abs(value), 0.3))


def _inside(value: float, low: float, high: float) -> float:
    """Within the bounds, not on them: there the derivative would be taken outside."""
    if not np.isfinite(low) or not np.isfinite(high):
        return float(min(max(value, low), high))
    margin = 1e-6 * (high - low)
    return float(min(max(value, low + margin), high - margin))
