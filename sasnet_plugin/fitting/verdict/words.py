"""Parameters in the words that people use for them, and the units that they have."""

from __future__ import annotations

#: sasmodels' name, or its beginning where it is numbered -> what people call it.
WORDS = {
    "b2a_ratio": "ratio of sides b/a", "bjerrum_length": "Bjerrum length", "c2a_ratio": "ratio of sides c/a",
    "coefficent": "coefficient", "concentration_salt": "salt concentration",
    "cor_length": "correlation length", "cor_length_dynamic": "dynamic correlation length",
    "cor_length_static": "static correlation length", "crossover": "crossover at", "d": "repeat distance",
    "d_factor": "lattice distortion", "d_spacing": "spacing", "dielectconst": "dielectric constant",
    "dnn": "distance of neighbours", "edge_sep": "gap between pearls", "exponent_p": "shape exponent",
    "fractal_dim": "fractal dimension", "fractal_dim_mass": "mass fractal dimension",
    "fractal_dim_surf": "surface fractal dimension", "interface": "interface thickness",
    "ionization_degree": "degree of ionization", "kuhn_length": "Kuhn length", "length_a": "side a",
    "length_b": "side b", "length_c": "side c", "length_head": "head length", "length_tail": "tail length",
    "lorentz_exp": "Lorentz exponent", "lorentz_length": "correlation length", "n_aggreg": "chains a micelle",
    "n_shells": "number of shells", "n_sides": "number of sides", "n_stacking": "number of discs",
    "Nlayers": "number of layers", "ndensity": "number density", "num_pearls": "number of pearls",
    "peak_hwhm": "half width", "peak_pos": "peak at", "penetration": "share of small spheres inside",
    "porod_exp": "Porod exponent", "power": "exponent", "q_0": "peak at", "radius_a": "half side a",
    "radius_average": "mean radius", "radius_bell": "bell radius", "radius_cap": "cap radius",
    "radius_core": "core radius", "radius_effective": "effective radius",
    "radius_equat_core": "equatorial core radius", "radius_equat_major": "larger equatorial radius",
    "radius_equat_minor": "smaller equatorial radius", "radius_equatorial": "equatorial radius",
    "radius_lg": "radius of the large spheres", "radius_minor": "minor radius",
    "radius_polar": "polar radius", "radius_sm": "radius of the small spheres", "rg": "Rg",
    "rg_cluster": "Rg of the cluster", "rg_primary": "Rg of its primary particles", "rg_squared": "Rg²",
    "s": "dimension variable s", "second_moment": "second moment of the layer",
    "shape_exp": "exponent of the peak",
    "sigma": "width", "sigma_d": "disorder of the spacing", "thick_core": "core thickness",
    "thick_face": "face thickness", "thick_layer": "layer thickness", "thick_rim": "rim thickness",
    "thick_rim_a": "rim thickness along a", "thick_rim_b": "rim thickness along b",
    "thick_rim_c": "rim thickness along c", "thick_shell": "shell thickness",
    "thick_solvent": "solvent between shells", "thick_string": "string thickness",
    "thickness": "shell thickness", "v_core": "volume of a core chain",
    "v_corona": "volume of a corona chain",
    "virial_param": "virial coefficient", "volfraction": "volume fraction",
    "volfraction_a": "volume fraction of one phase",
    "volfraction_lg": "volume fraction of the large spheres",
    "volfraction_sm": "volume fraction of the small spheres", "welldepth": "depth of the well",
    "wellwidth": "width of the well", "width_exp": "exponent of the width",
    "x_core": "axis ratio of the core", "x_polar_shell": "polar over equatorial shell",
    "xi": "correlation length",
}  # fmt: skip
#: Numbers to which sasmodels' tables give a unit: of any model, and of one.
_NUMBERS = frozenset({"b2a_ratio", "c2a_ratio", "Caille_parameter", "penetration"})
_NUMBERS_OF = frozenset({("lamellar_stack_paracrystal", "sigma_d")})
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def spell_name(name: str) -> str:
    """A parameter in plain English: ``peak at``, ``correlation length₁``."""
    if name in WORDS:
        return WORDS[name]
    stem = name.rstrip("0123456789")
    number, stem = name[len(stem) :], stem.rstrip("_")
    return f"{WORDS.get(stem) or stem.replace('_', ' ')}{number.translate(_SUBSCRIPT)}"


def unit_of(model: str, name: str, unit: str) -> str:
    """The unit of a parameter, sasmodels' but where that is none of it."""
    return "" if name in _NUMBERS or (model, name) in _NUMBERS_OF else unit
