"""Bodies by how many lengths and materials they have: what a joint fit is held against."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...simulate.priors import model_info
from ..problem.nested_models import larger
from ..task import FitOptions, Pair
from .result import JointFit

#: A model that is thought less probable is not fitted where another explains the sample.
UNLIKELY = 0.02
#: What every contrast is held against: bodies of one material, and of a core with a shell.
_PLAIN = ("sphere", "ellipsoid", "cylinder")
_SHELLS = ("core_shell_sphere", "core_shell_ellipsoid", "core_shell_cylinder")


def list_layered_bodies(body: str, chances: Mapping[str, float], but: Collection[str]) -> list[str]:
    """List bodies that one of fewer layers may stand for, the likeliest by `chances` first, without `but`."""
    material_count = materials(body)
    limits = [name for name in larger(body) if materials(name) > material_count > 0]
    likely = [
        n for n, chance in chances.items() if chance > UNLIKELY and materials(n) >= max(material_count, 2)
    ]
    body_names = dict.fromkeys(name for name in (*limits, *likely) if name not in but)
    return sorted(body_names, key=lambda name: -chances.get(name, 0.0))


def plainer(best: JointFit, options: FitOptions) -> list[Pair]:
    """Bodies with no more lengths than that of a fit, among hard neighbours where it has any."""
    # Of one material as well, where a fit of several leaves open whether they differ.
    factor = options.structure_factor
    if factor is None:
        factor = "hardsphere" if best.structure_factor else None
    elif factor == "none":
        factor = None
    bodies = [*_PLAIN]
    if materials(best.model) > 1:
        plain = _PLAIN if _may_be_one(best) else ()
        bodies = [n for n in (*plain, *_SHELLS) if lengths(n) <= lengths(best.model)]
    return [(name, factor) for name in bodies if name not in options.exclude]


def _may_be_one(fit: JointFit) -> bool:
    """Whether a density is so uncertain that it may be another part's."""
    density_parameters = (p for n, p in fit.parameters.items() if n.startswith("sld"))
    densities = [(p.value, p.error) for p in density_parameters if p.error is not None]
    return any(
        abs(value - other_density) < error
        for i, (value, error) in enumerate(densities)
        for j, (other_density, _) in enumerate(densities)
        if i != j
    )


def materials(model: str) -> int:
    """How many densities a body has, the solvent's left out."""
    table = model_info(model).parameters.call_parameters
    return len([p for p in table if p.type == "sld" and "solvent" not in p.name])


def lengths(model: str) -> int:
    """How many a body has, at least one."""
    table = model_info(model).parameters.call_parameters
    return max(len([p for p in table if p.type == "volume"]), 1)
