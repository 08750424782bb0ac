"""What is a length in a model: its largest real-space size, and exact rescaling of all lengths at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sasmodels.modelinfo import ModelInfo

#: "1e15/cm^3" is a number density: one common factor in polymer_micelle.
POWERS = MappingProxyType({
    "Ang": 1, "Ang^2": 2, "Ang^3": 3, "1/Ang": -1, "1/Ang^2": -2, "": 0, "None": 0, "none": 0, "degrees": 0,
    "kT": 0, "diameters": 0, "1e-6/Ang^2": 0, "1e15/cm^3": 0, "1/cm": 0, "cm^-1": 0,
})  # fmt: skip
"""Unit -> power of the length factor; contrasts and intensities keep their value."""

MISLABELLED = MappingProxyType(
    {
        ("hollow_rectangular_prism", "b2a_ratio"): "",
        ("hollow_rectangular_prism", "c2a_ratio"): "",
        ("hollow_rectangular_prism_thin_walls", "b2a_ratio"): "",
        ("hollow_rectangular_prism_thin_walls", "c2a_ratio"): "",
        ("pringle", "alpha"): "1/Ang",  # the sheet is z = alpha r² + beta r² cos 2 phi
        ("pringle", "beta"): "1/Ang",
        ("raspberry", "penetration"): "",
        ("stacked_disks", "sigma_d"): "",  # the kernel multiplies it by the spacing
        ("lamellar_stack_caille", "Caille_parameter"): "",
        ("lamellar_stack_paracrystal", "sigma_d"): "",
    }
)
"""(model, parameter) -> true unit, where sasmodels' table is wrong."""

NOT_RESCALABLE: Mapping[str, str] = MappingProxyType(
    {
        "broad_peak": "porod_scale carries Å^-porod_exp",
        "correlation_length": "porod_scale carries Å^-porod_exp",
        "unified_power_Rg": "B carries Å^-power",
    }
)
"""Models whose units alone would promise an exact rescaling, and why it is not one."""


def unit_of(info: ModelInfo, parameter: str) -> str:
    """Return the true unit of a parameter (its table id, without the number of a layer)."""
    declared = {p.id: p.units for p in info.parameters.kernel_parameters}
    return MISLABELLED.get((info.id, parameter), declared[parameter])


@lru_cache(maxsize=512)
def powers(info: ModelInfo) -> Mapping[str, int] | None:
    """Return the power of the length factor for each parameter id; None where a unit forbids rescaling."""
    units = {p.id: unit_of(info, p.id) for p in info.parameters.kernel_parameters}
    if not all(unit in POWERS for unit in units.values()):
        return None
    return MappingProxyType({name: POWERS[unit] for name, unit in units.items()})


def rescalable(info: ModelInfo) -> bool:
    """Say whether multiplying every length is an exact shift of log q, up to a constant factor of I(q)."""
    found_powers = powers(info)
    return found_powers is not None and any(found_powers.values()) and info.id not in NOT_RESCALABLE


def base_id(info: ModelInfo, name: str) -> str:
    """Return the table id of a parameter name: ``thickness2`` belongs to ``thickness``."""
    return name if name in _ids(info) else name.rstrip("0123456789")


@lru_cache(maxsize=512)
def _ids(info: ModelInfo) -> frozenset[str]:
    return frozenset(p.id for p in info.parameters.kernel_parameters)


def rescale(info: ModelInfo, pars: Mapping[str, float], factor: float) -> dict[str, float]:
    """Multiply lengths by `factor`, areas by its square, and so on, so that ``I(q; rescaled)`` is
    proportional to ``I(q * factor; pars)``. Relative widths ``<p>_pd`` stay. Raises ValueError if not
    rescalable.
    """
    exponents = powers(info)
    if exponents is None or not rescalable(info):
        raise ValueError(f"{info.id}: its curve does not scale with its lengths")
    return {name: value * factor ** exponents.get(base_id(info, name), 0) for name, value in pars.items()}


_SPHERE_OF_RG = 2 * math.sqrt(5 / 3)
"""Diameter of the sphere of radius of gyration 1."""


def _hypot_prism(a: float, b: float, c: float) -> float:
    return math.sqrt(a * a + b * b + c * c)


def _ratios(p: Mapping[str, float], first: str) -> float:
    return _hypot_prism(p[first], p[first] * p["b2a_ratio"], p[first] * p["c2a_ratio"])


_Size = Callable[[Mapping[str, float]], float]

_DIAMETERS: Mapping[str, _Size] = MappingProxyType(
    {
        "adsorbed_layer": lambda p: 2 * p["second_moment"],
        "barbell": lambda p: p["length"] + 4 * p["radius_bell"],
        "capped_cylinder": lambda p: max(p["length"] + 2 * p["radius_cap"], 2 * p["radius_cap"]),
        "core_shell_bicelle": lambda p: math.hypot(
            2 * (p["radius"] + p["thick_rim"]), p["length"] + 2 * p["thick_face"]
        ),
        "core_shell_bicelle_elliptical": lambda p: _elliptical_bicelle(p),
        "core_shell_bicelle_elliptical_belt_rough": lambda p: _elliptical_bicelle(p),
        "core_shell_cylinder": lambda p: math.hypot(
            2 * (p["radius"] + p["thickness"]), p["length"] + 2 * p["thickness"]
        ),
        "core_shell_ellipsoid": lambda p: (
            2
            * max(
                p["radius_equat_core"] + p["thick_shell"],
                p["radius_equat_core"] * p["x_core"] + p["thick_shell"] * p["x_polar_shell"],
            )
        ),
        "core_shell_parallelepiped": lambda p: _hypot_prism(
            *(p[f"length_{s}"] + 2 * p[f"thick_rim_{s}"] for s in "abc")
        ),
        "cylinder": lambda p: math.hypot(2 * p["radius"], p["length"]),
        "elliptical_cylinder": lambda p: math.hypot(
            2 * p["radius_minor"] * max(1, p["axis_ratio"]), p["length"]
        ),
        # A worm's size is its end-to-end distance once it is longer than a Kuhn segment.
        "flexible_cylinder": lambda p: _worm(p) + 2 * p["radius"],
        "flexible_cylinder_elliptical": lambda p: _worm(p) + 2 * p["radius"] * max(1, p["axis_ratio"]),
        "hollow_cylinder": lambda p: math.hypot(2 * (p["radius"] + p["thickness"]), p["length"]),
        "hollow_rectangular_prism": lambda p: _ratios(p, "length_a"),
        "hollow_rectangular_prism_thin_walls": lambda p: _ratios(p, "length_a"),
        "rectangular_prism": lambda p: _ratios(p, "length_a"),
        "parallelepiped": lambda p: _hypot_prism(p["length_a"], p["length_b"], p["length_c"]),
        "lamellar": lambda p: p["thickness"],
        "lamellar_hg": lambda p: 2 * (p["length_tail"] + p["length_head"]),
        "lamellar_hg_stack_caille": lambda p: p["Nlayers"] * p["d_spacing"],
        "lamellar_stack_caille": lambda p: p["Nlayers"] * p["d_spacing"],
        "lamellar_stack_paracrystal": lambda p: p["Nlayers"] * p["d_spacing"],
        "linear_pearls": lambda p: p["num_pearls"] * (2 * p["radius"] + p["edge_sep"]),
        "multilayer_vesicle": lambda p: (
            2 * (p["radius"] + p["n_shells"] * (p["thick_shell"] + p["thick_solvent"]))
        ),
        # Freely jointed: the end-to-end distance of the string of pearls.
        "pearl_necklace": lambda p: (
            2 * p["radius"] + math.sqrt(p["num_pearls"]) * (2 * p["radius"] + p["edge_sep"])
        ),
        "prism": lambda p: math.hypot(2 * p["radius_average"], p["length"]),
        "pringle": lambda p: _pringle(p),
        "raspberry": lambda p: 2 * p["radius_lg"] + 4 * p["radius_sm"],
        "polymer_micelle": lambda p: 2 * p["radius_core"] + 4 * p["rg"],
        "stacked_disks": lambda p: math.hypot(
            2 * p["radius"], p["n_stacking"] * (p["thick_core"] + 2 * p["thick_layer"])
        ),
        "star_polymer": lambda p: _SPHERE_OF_RG * math.sqrt(p["rg_squared"]),
        "superball": lambda p: p["length_a"] * math.sqrt(3),
        # The cut-off is a formal parameter, 1e6 Å in random(): the primary particle is what is seen.
        "surface_fractal": lambda p: 2 * p["radius"],
        "be_polyelectrolyte": lambda p: p["monomer_length"],
        "rpa": lambda p: max(p[f"b{k}"] * math.sqrt(p[f"N{k}"]) for k in range(1, 5)),
        "truncated_octahedron": lambda p: 2 * p["radius_a"] * max(1, p["b2a_ratio"], p["c2a_ratio"]),
        # A peak's width may be as narrow as its order is long; its position is what must be seen.
        "broad_peak": lambda p: 2 * math.pi / p["peak_pos"],
        "bcc_paracrystal": lambda p: p["dnn"] + 2 * p["radius"],
        "fcc_paracrystal": lambda p: p["dnn"] + 2 * p["radius"],
        "sc_paracrystal": lambda p: p["dnn"] + 2 * p["radius"],
        "teubner_strey": lambda p: p["d"],
    }
)
"""Model -> diameter in Å from its parameters, where the rule by names would be wrong."""


def _elliptical_bicelle(p: Mapping[str, float]) -> float:
    across = 2 * (p["radius"] * max(1, p["x_core"]) + p["thick_rim"])
    return math.hypot(across, p["length"] + 2 * p["thick_face"])


def _worm(p: Mapping[str, float]) -> float:
    return min(p["length"], math.sqrt(p["length"] * p["kuhn_length"]))


def _pringle(p: Mapping[str, float]) -> float:
    # z = alpha r² + beta r² cos 2 phi: a bowl alpha R² deep, a saddle 2 beta R² high.
    height = p["thickness"] + p["radius"] ** 2 * (abs(p["alpha"]) + 2 * abs(p["beta"]))
    return math.hypot(2 * p["radius"], height)


def max_length(info: ModelInfo, pars: Mapping[str, float]) -> float | None:
    """Return the largest real-space length, Å; None for a model without any."""
    # A diameter for bodies; a correlation length, 2 pi over a peak position, or the diameter of the sphere of
    # equal radius of gyration where there is no body. It is an estimate for q times size, good to a factor of
    # about 1.5, not the exact largest distance.
    if info.id in _DIAMETERS:
        return float(_DIAMETERS[info.id](pars))
    size = 0.0
    layers = 0.0
    known_names = {p.id for p in info.parameters.kernel_parameters}
    for name, value in pars.items():
        parameter = base_id(info, name)
        unit = unit_of(info, parameter) if parameter in known_names else ""
        if unit == "Ang" and parameter.startswith(("thick", "interface")):
            layers += value
        elif unit == "Ang":
            size = max(size, value * _diameters_of(parameter))
        elif unit == "1/Ang" and any(word in name for word in ("peak", "q_0", "crossover")):
            size = max(size, 2 * math.pi / value)
    total = size + 2 * layers
    return total if total > 0 else None


def _diameters_of(parameter: str) -> float:
    """How many times a length goes into the body's; 0 of a length that is no size."""
    if parameter.startswith("radius"):
        return 2.0
    if parameter.startswith("rg"):
        return _SPHERE_OF_RG
    return 0.0 if parameter in ("sigma", "fuzziness") else 1.0
