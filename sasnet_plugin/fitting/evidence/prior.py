"""How wide the values of a parameter are spread over samples, before a curve is seen.

Sizes, distances and scales are as likely in each decade (H. Jeffreys, Theory of Probability, 1939, 3.1);
fractions, exponents and contrasts in each interval of what they may be. A density at the value found is all
that the evidence needs: it is given as the width of a range of that density.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from math import inf, isfinite, log

from ...simulate.priors import model_info
from ...types import SimulationError, sum_parts
from ..problem.bounds import bounds_of
from ..result.components import bare, is_scale
from ..result.model_fit import ModelFit, Parameter
from ..settings import PROBLEM
from .settings import EVIDENCE


def extent(name: str, p: Parameter, bounds: tuple[float, float], background: float) -> float:
    """Return 1 over the prior's density at a value; `background` is the largest possible."""
    plain_name = bare(name)
    if plain_name == "background":
        return background
    if plain_name.endswith("_pd"):
        return PROBLEM.most_width
    if "sld" in plain_name:
        return PROBLEM.neutron_matter[1] - PROBLEM.neutron_matter[0]
    return _extent_within(p.value, *((0.0, inf) if is_scale(name) else bounds))


def _extent_within(value: float, low: float, high: float) -> float:
    """Assume log-uniform values if the range has no end or spans many sizes, else uniform ones."""
    log_range = log(EVIDENCE.decades)
    if not isfinite(high - low):
        return abs(value) * log_range
    if low > 0 and high > PROBLEM.size_reach * low:
        return abs(value) * min(log(high / low), log_range)
    return high - low


def extents(fit: ModelFit, background: float) -> dict[str, float]:
    return {name: extent_in(fit.name, name, fit.parameters[name], background) for name in fit.free}


def extent_in(model: str, name: str, p: Parameter, background: float) -> float:
    """`extent` of a parameter of a model, a product or a sum, within what a sample may have."""
    return extent(name, p, _bounds(model).get(name, (p.low, p.high)), background)


@lru_cache(maxsize=512)
def _bounds(name: str) -> dict[str, tuple[float, float]]:
    """Bounds of all parameters of a model, a product or a sum; none where a plugin's file is gone."""
    parts = sum_parts(name)
    bounds: dict[str, tuple[float, float]] = {}
    for i, part in enumerate(parts):
        begin = f"{chr(ord('A') + i)}_" if len(parts) > 1 else ""
        for part_model in _models(part):
            with suppress(SimulationError):
                for p in model_info(part_model).parameters.call_parameters:
                    bounds.setdefault(f"{begin}{p.name}", bounds_of(p))
    return bounds


def _models(part: str) -> list[str]:
    return [part] if part.endswith(".py") else part.split("@")


def penalise_outside(fit: ModelFit) -> float:
    """-2 ln of how far fitted values lie from what any sample has, in their errors; 0 inside."""
    bounds, penalty = _bounds(fit.name), _seldom(fit)
    for name in fit.free:
        p = fit.parameters[name]
        low, high = _VALID.get((fit.model, name)) or bounds.get(name, (p.low, p.high))
        far = max(low - p.value, _shortest(fit, name) - p.value, p.value - high, 0.0)
        if far > 0:
            penalty += min((far / p.error) ** 2 if p.error else inf, EVIDENCE.impossible)
    return penalty


#: Where a model's formula holds, narrower than what its parameters may be. Chains with excluded volume are
#: mass fractals of a dimension up to 3 (B. Hammouda, Adv. Polym. Sci. 106 (1993) 87, and sasmodels' page on
#: it), and a half for what a background may do to an exponent.
_VALID: dict[tuple[str, str], tuple[float, float]] = {("polymer_excl_volume", "porod_exp"): (1.0, 3.5)}


def _seldom(fit: ModelFit) -> float:
    """-2 ln of how often only layers have a size distribution; 0 of all other fits."""
    # Particles differ in size before their shells do.
    widths = [bare(name) for name in fit.free if name.endswith("_pd")]
    is_shell_only = bool(widths) and all(name.startswith("thick") for name in widths)
    has_core = any(bare(name).startswith("radius") for name in fit.parameters)
    return -2 * log(EVIDENCE.layers_alone) if is_shell_only and has_core else 0.0


def _shortest(fit: ModelFit, name: str) -> float:
    """The least value that a sample has of a length, Å; -∞ of what is none."""
    plain_name = bare(name)
    stiff = fit.parameters.get(f"{name.removesuffix(plain_name)}kuhn_length")
    if plain_name == "length" and stiff is not None:  # a chain shorter than it is stiff is a rod
        return max(stiff.value, EVIDENCE.thinnest)
    if plain_name.startswith("thick") and plain_name[-1].isdigit():  # one layer of several that is not there
        return -inf
    is_length = plain_name.startswith(("thick", "radius", "length")) and fit.parameters[name].unit == "Ang"
    return EVIDENCE.thinnest if is_length else -inf
