"""Where a parameter may lie: sasmodels' limits, and what every sample obeys besides.

The same bounds hold in each step of a fit, in bumps' own fitters, and as the support of the prior that the
evidence is under.
"""

from __future__ import annotations

from math import inf, pi, sqrt
from typing import Any

from ..result.components import bare, is_scale
from ..settings import PROBLEM

#: What has one of these units is of one sign: lengths, places in q, intensities.
_POSITIVE_UNITS = frozenset({"Ang", "1/Ang", "Ang^2", "1/cm", "cm^-1"})
#: So is what adds up and what spreads, by the end of its name.
_POSITIVE_NAMES = (
    "scale", "_exp", "scale_1", "scale_2", "exp_1", "exp_2", "coefficent_1", "coefficent_2", "d_factor",
    "stickiness",
)  # fmt: skip
#: Share of space that spheres of one size fill at most.
CLOSEST_PACKING = pi / sqrt(18)
#: Elementary charges of a body that repels others; sasmodels' closure has no solution for fewer now and then.
_LEAST_CHARGE = 0.1
#: How sasmodels describes the exponent of a power law that is added to other terms or stands alone.
_POWER_LAWS = frozenset({"power law exponent", "exponent of power law", "porod exponent, n, in q^-n"})
#: Å: e²/(4π ε₀ kT) at 300 K, in vacuum; any medium has a shorter one.
_LONGEST_BJERRUM = 557.0
_BOUNDS = dict.fromkeys(("volfraction", "volfraction_lg", "volfraction_sm"), (0.0, CLOSEST_PACKING)) | {
    "bjerrum_length": (0.0, _LONGEST_BJERRUM),
    "charge": (_LEAST_CHARGE, inf),
}


def bounds_of(p: Any) -> tuple[float, float]:
    """Return a parameter's physical limits in its unit: a length is positive, a fraction packable."""
    low, high = map(float, p.limits)
    name = bare(p.name)
    least, most = _find_bounds_by_name(name)
    if str(p.description).lower() in _POWER_LAWS:
        least = PROBLEM.least_power
    length = p.units in _POSITIVE_UNITS and name != "background" and low < -1
    if length or name.endswith(_POSITIVE_NAMES):
        least = max(least, 0.0)
    return max(low, least), min(high, most)


def _find_bounds_by_name(name: str) -> tuple[float, float]:
    """Least and largest value of fractions, exponents, charges and what these are felt over."""
    if name in _BOUNDS:
        return _BOUNDS[name]
    if "fraction" in name:
        return 0.0, 1.0
    if name.startswith("fractal_dim"):
        # An exponent of q; above 3 it is one of nothing that fills space, which is said. A set of a dimension
        # below 1 is totally disconnected (K. Falconer, Fractal Geometry (2003), chapter 2).
        return PROBLEM.least_power, PROBLEM.most_exponent
    if name.endswith(("_exp", "exp_1", "exp_2")) or name.startswith("power"):
        return 0.0, PROBLEM.most_exponent
    return -inf, inf


def reach_of(p: Any, value: float) -> tuple[float, float]:
    """`bounds_of`, and within a reach of a value: a factor of a size, a distance of a contrast."""
    low, high = bounds_of(p)
    if p.type == "sld" or "sld" in p.name:
        return max(low, value - PROBLEM.sld_reach), min(high, value + PROBLEM.sld_reach)
    if low >= 0 and value > 0 and high == inf:
        return max(low, value / PROBLEM.size_reach), min(high, value * PROBLEM.size_reach)
    return low, high


def limits_of(info: Any, name: str) -> tuple[float, ...]:
    """Between which sasmodels itself holds a parameter; none of what it does not have."""
    table = info.parameters.call_parameters
    return next((tuple(map(float, p.limits)) for p in table if p.name == name), ())


def default_of(info: Any, name: str) -> float:
    """sasmodels' default of a parameter; 0 of the width of a size distribution."""
    return next((float(p.default) for p in info.parameters.call_parameters if p.name == name), 0.0)


def range_of(info: Any, name: str, value: float) -> tuple[float, float]:
    """Return the fit range of a parameter, or of a size distribution's width, about a value."""
    if name.endswith("_pd"):
        return 0.0, PROBLEM.most_width
    if name == "background":
        return -inf, inf
    p = next(p for p in info.parameters.call_parameters if p.name == name)
    if is_scale(name):
        return 0.0, inf
    low, high = reach_of(p, value)
    return min(low, value), max(high, value)
