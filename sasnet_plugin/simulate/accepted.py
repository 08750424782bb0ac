"""What an expert accepts as the name of a sample that no model is: sets of sasmodels' form models.

A set holds the models that say no more of the sample than is true of it: of a globular protein "an
ellipsoid" is accepted, "a stack of disks" or "a necklace of pearls" is not, however well its curve fits.
"""

from __future__ import annotations

GUINIER = ("guinier", "guinier_porod", "unified_power_Rg")
#: A compact body without a hollow, axis ratios within three.
COMPACT = (
    "sphere", "fuzzy_sphere", "ellipsoid", "triaxial_ellipsoid", "core_shell_sphere",
    "core_shell_ellipsoid", "cylinder", "elliptical_cylinder", "capped_cylinder", "parallelepiped",
    "rectangular_prism", "superball", *GUINIER,
)  # fmt: skip
#: Longer than three times its width, or of several parts in a row.
ELONGATED = (
    "cylinder", "elliptical_cylinder", "capped_cylinder", "ellipsoid", "triaxial_ellipsoid",
    "core_shell_ellipsoid", "core_shell_cylinder", "parallelepiped", "rectangular_prism", "barbell",
    "linear_pearls", "pearl_necklace", *GUINIER,
)  # fmt: skip
#: Subunits on a closed surface.
HOLLOW = (
    "vesicle", "core_shell_sphere", "core_multi_shell", "core_shell_ellipsoid", "hollow_rectangular_prism",
    *GUINIER,
)  # fmt: skip
#: Subunits around an axis.
RING = (
    "hollow_cylinder", "core_shell_cylinder", "core_shell_bicelle", "cylinder", "core_shell_ellipsoid",
    "core_shell_sphere", "vesicle", "ellipsoid", *GUINIER,
)  # fmt: skip
#: Chains without a fold.
FLEXIBLE = (
    "mono_gauss_coil", "poly_gauss_coil", "polymer_excl_volume", "flexible_cylinder",
    "flexible_cylinder_elliptical", "lorentz", "be_polyelectrolyte", *GUINIER,
)  # fmt: skip
#: One bilayer whose ends the window does not show.
SHEET = ("lamellar", "lamellar_hg")
#: One closed bilayer whose size it shows.
VESICLE = ("vesicle", "core_multi_shell", "onion", *SHEET)
#: Bilayers that are stacked.
STACK = ("lamellar_stack_caille", "lamellar_hg_stack_caille", "lamellar_stack_paracrystal")
MULTILAYER = (*STACK, "multilayer_vesicle")
#: Alternating layers without bilayers: semicrystalline polymers, block copolymers.
LONG_PERIOD = ("lamellar_stack_caille", "lamellar_stack_paracrystal", "broad_peak")
#: A branched cluster of bodies.
CLUSTER = ("fractal", "fractal_core_shell", "mass_fractal", "mass_surface_fractal")
#: Two phases interwoven, with a preferred distance and without one.
BICONTINUOUS = ("teubner_strey", "broad_peak", "spinodal")
RANDOM_PHASES = ("dab", "teubner_strey", "correlation_length", "two_power_law", "guinier_porod")
