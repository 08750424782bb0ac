"""What models cost that do more than average over orientations, as `evaluation_cost.py` measures it.

All in units of a point of quadrature, `settings.EFFORT.node`. A model that is not named here counts its
points of q, and those of its average over orientations where it has one. Without these numbers a stack of
layers counts ten times what it takes, and has a tenth of the search that others have.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Terms that are added up at each point of q, whatever the parameters.
ADDED: Mapping[str, float] = {
    "flexible_cylinder_elliptical": 10.0,
    "fractal_core_shell": 2.0,
    "lamellar_stack_paracrystal": 4.0,
    "pearl_necklace": 2.0,
    "stacked_disks": 40.0,
}

#: The parameter that counts the layers, and the terms for each of them.
LAYERS: Mapping[str, tuple[str, float]] = {
    "core_multi_shell": ("n", 0.6),
    "lamellar_hg_stack_caille": ("Nlayers", 0.5),
    "lamellar_stack_caille": ("Nlayers", 0.6),
    "linear_pearls": ("num_pearls", 0.2),
    "multilayer_vesicle": ("n_shells", 1.0),
    "onion": ("n_shells", 3.2),
    "spherical_sld": ("n_shells", 100.0),
    "stacked_disks": ("n_stacking", 25.0),
}

#: A point of the average over orientations takes so many times the usual: Bessel functions for two or three
#: surfaces, or a third integral for each point of the two (pringle, superball).
PER_POINT: Mapping[str, float] = {
    "core_shell_bicelle": 4.0,
    "core_shell_cylinder": 3.0,
    "hollow_cylinder": 2.5,
    "micromagnetic_FF_3D": 2.5,
    "pringle": 30.0,
    "superball": 400.0,
}

#: Points of each of the two integrals in sasmodels, where their number is fixed.
OWN: Mapping[str, int] = {"micromagnetic_FF_3D": 76, "superball": 20}
