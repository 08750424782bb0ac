"""How expensive a model is, as sasmodels calculates it."""

from __future__ import annotations

from functools import cache

from ...types import sum_parts

#: Models whose curve costs seconds on the full grid (orientation averages in two angles): fewer points of
#: their distributions, and no body so large that most of the window is beyond its features.
SLOW = frozenset({
    "barbell", "bcc_paracrystal", "capped_cylinder", "core_shell_bicelle_elliptical",
    "core_shell_bicelle_elliptical_belt_rough", "core_shell_parallelepiped", "elliptical_cylinder",
    "fcc_paracrystal", "hollow_rectangular_prism", "hollow_rectangular_prism_thin_walls",
    "micromagnetic_FF_3D", "parallelepiped", "pringle", "prism", "rectangular_prism", "sc_paracrystal",
    "stacked_disks", "superball", "tetrahedron", "triaxial_ellipsoid", "truncated_octahedron",
    "truncated_tetrahedron",
})  # fmt: skip
#: Models with an orientation average in one angle: milliseconds a curve.
MEDIUM = frozenset({
    "core_shell_bicelle", "core_shell_cylinder", "core_shell_ellipsoid", "cylinder", "ellipsoid",
    "flexible_cylinder_elliptical", "hollow_cylinder", "lamellar_hg_stack_caille", "lamellar_stack_caille",
    "multilayer_vesicle", "onion", "spherical_sld",
})  # fmt: skip


@cache
def cost_class(name: str) -> str:
    """How expensive a model is as sasmodels calculates it: fast, medium or slow; a sum as its worst part."""
    forms = {part.partition("@")[0] for part in sum_parts(name)}
    return "slow" if forms & SLOW else "medium" if forms & MEDIUM else "fast"
