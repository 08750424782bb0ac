"""How common form models are in practice: the prior of their probabilities.

The network is trained with every model as often as every other, so that it has a fair idea of each. Users do
not measure superballs as often as spheres. Four levels, from sasmodels' own categories (the plain body of
each shape before its variants) and from what is fitted in the literature (J. S. Pedersen, Adv. Colloid
Interface Sci. 70 (1997) 171; B. Hammouda, The SANS Toolbox, NIST 2010), are as fine as such a statement can
honestly be made. Boxes stand below the plain round bodies: crystals have edges, little in solution has.
Probabilities under the uniform prior are given beside.

Structure factors are of spheres. Their product with another body's form factor is an approximation, for
bodies that are nearly round or apart (M. Kotlarchyk and S.-H. Chen, J. Chem. Phys. 79 (1983) 2461), and they
are mostly fitted with spheres and shells; with other bodies they count as usual models beside everyday ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..types import SasnetError

COMMON, UNIFORM = PRIORS = ("common", "uniform")
EVERYDAY, USUAL, RARE, SPECIAL = 4.0, 1.5, 0.5, 0.02

#: Relative frequency of each model; those that are not listed are rare.
LEVELS = {
    EVERYDAY: (
        "sphere", "core_shell_sphere", "vesicle", "ellipsoid", "cylinder", "core_shell_cylinder",
        "flexible_cylinder", "lamellar", "mono_gauss_coil", "poly_gauss_coil",
        "polymer_excl_volume", "correlation_length", "power_law", "guinier", "porod",
        "guinier_porod", "unified_power_Rg", "fractal", "teubner_strey", "broad_peak",
    ),
    USUAL: (
        "be_polyelectrolyte", "core_multi_shell", "core_shell_bicelle", "core_shell_ellipsoid",
        "dab", "elliptical_cylinder", "fuzzy_sphere", "gauss_lorentz_gel", "gaussian_peak",
        "gel_fit", "hollow_cylinder", "lamellar_hg", "lamellar_stack_caille",
        "lamellar_stack_paracrystal", "lorentz", "mass_fractal", "multilayer_vesicle",
        "parallelepiped", "peak_lorentz", "polymer_micelle", "star_polymer", "surface_fractal",
        "triaxial_ellipsoid", "two_lorentzian", "two_power_law",
    ),
    # Of magnetic contrast between directions of the field, and a straight line.
    SPECIAL: ("micromagnetic_FF_3D", "line"),
}  # fmt: skip

#: Of sasmodels' category shape:sphere; written down, as to ask for it all models would be loaded.
SPHERES = {
    "adsorbed_layer", "binary_hard_sphere", "core_multi_shell", "core_shell_sphere", "fuzzy_sphere",
    "linear_pearls", "micromagnetic_FF_3D", "multilayer_vesicle", "onion", "polymer_micelle", "raspberry",
    "sphere", "spherical_sld", "superball", "vesicle",
}  # fmt: skip


def common(labels: Sequence[str]) -> NDArray[np.float64]:
    """Relative frequency of each model in practice, (labels,); its scale means nothing."""
    level = {name: level for level, names in LEVELS.items() for name in names}
    return np.array([level.get(label, RARE) for label in labels])


def interacting(labels: Sequence[str], factors: Sequence[str]) -> NDArray[np.float64]:
    """How often structure factors go with each model, (labels, factors); 1 for none and for spheres."""
    spheres = np.array([label in SPHERES for label in labels])
    free = np.array([not factor for factor in factors])
    return np.where(spheres[:, None] | free, 1.0, USUAL / EVERYDAY)


def check_prior(prior: str) -> str:
    """Return a prior's name; SasnetError if it is unknown."""
    if prior not in PRIORS:
        raise SasnetError(f"{prior}: no such prior of models; choose {' or '.join(PRIORS)}.")
    return prior
