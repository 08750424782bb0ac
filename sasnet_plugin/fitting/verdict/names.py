"""Models, structure factors and parameters in plain English, and the shape that each model stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from ...digits import join_names
from ...types import sum_parts
from ..result.model_fit import ModelFit
from ..result.reported_values import is_determined

# --- Parameters and their units.

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


# --- Models and structure factors, and the shape of each.

#: sasmodels' name -> what it describes, in the plural where there are many of it.
KINDS = {
    "adsorbed_layer": "layers adsorbed on particles",
    "be_polyelectrolyte": "a polyelectrolyte",
    "bcc_paracrystal": "spheres on a distorted body-centred cubic lattice",
    "binary_hard_sphere": "hard spheres of two sizes",
    "broad_peak": "a broad peak on a power law",
    "capped_cylinder": "cylinders with lens-shaped caps",
    "core_multi_shell": "spheres with several shells",
    "core_shell_bicelle": "discs with a rim and two faces",
    "core_shell_bicelle_elliptical": "elliptical discs with a rim and two faces",
    "core_shell_bicelle_elliptical_belt_rough": "elliptical discs with a belt",
    "core_shell_cylinder": "core-shell cylinders",
    "core_shell_ellipsoid": "core-shell ellipsoids",
    "core_shell_parallelepiped": "core-shell boxes",
    "core_shell_sphere": "core-shell spheres",
    "correlation_length": "a network with a power law",
    "dab": "two randomly distributed phases",
    "elliptical_cylinder": "elliptical cylinders",
    "fcc_paracrystal": "spheres on a distorted face-centred cubic lattice",
    "flexible_cylinder": "flexible cylinders",
    "flexible_cylinder_elliptical": "flexible elliptical cylinders",
    "fractal": "fractal aggregates of spheres",
    "fractal_core_shell": "fractal aggregates of core-shell spheres",
    "fuzzy_sphere": "spheres with a fuzzy surface",
    "gauss_lorentz_gel": "a gel with frozen and moving parts",
    "gaussian_peak": "a Gaussian peak",
    "gel_fit": "a polymer gel",
    "guinier": "compact particles",
    "guinier_porod": "particles with Guinier and Porod regions",
    "hollow_cylinder": "hollow cylinders",
    "hollow_rectangular_prism": "hollow boxes",
    "hollow_rectangular_prism_thin_walls": "hollow boxes with thin walls",
    "lamellar": "lamellae",
    "lamellar_hg": "lamellae with head groups",
    "lamellar_hg_stack_caille": "stacked lamellae with head groups",
    "lamellar_stack_caille": "stacked lamellae",
    "lamellar_stack_paracrystal": "irregularly stacked lamellae",
    "line": "a straight line",
    "linear_pearls": "straight chains of pearls",
    "lorentz": "a network of one correlation length",
    "mass_fractal": "a mass fractal",
    "mass_surface_fractal": "a mass fractal with a fractal surface",
    "micromagnetic_FF_3D": "magnetic inclusions",
    "mono_gauss_coil": "polymer coils",
    "multilayer_vesicle": "vesicles of several layers",
    "onion": "spheres with graded shells",
    "parallelepiped": "boxes",
    "peak_lorentz": "a Lorentzian peak",
    "poly_gauss_coil": "polymer coils of several lengths",
    "polymer_excl_volume": "swollen polymer coils",
    "polymer_micelle": "polymer micelles",
    "porod": "sharp surfaces",
    "power_law": "a power law",
    "prism": "prisms",
    "pringle": "saddle-shaped discs",
    "raspberry": "spheres covered by smaller ones",
    "rectangular_prism": "boxes",
    "rpa": "a blend of polymers",
    "sc_paracrystal": "spheres on a distorted simple cubic lattice",
    "sphere": "spheres",
    "spherical_sld": "spheres with a radial profile",
    "spinodal": "spinodal decomposition",
    "stacked_disks": "stacked discs",
    "star_polymer": "star polymers",
    "superball": "cubes with rounded edges",
    "surface_fractal": "a fractal surface",
    "tetrahedron": "tetrahedra",
    "teubner_strey": "a microemulsion",
    "triaxial_ellipsoid": "ellipsoids of three axes",
    "truncated_octahedron": "truncated octahedra",
    "truncated_tetrahedron": "truncated tetrahedra",
    "two_lorentzian": "a network of two correlation lengths",
    "two_power_law": "two power laws",
    "unified_power_Rg": "structures of several sizes",
}  # fmt: skip
#: Structure factor -> how it interacts: before the name of the particles, or behind it.
_BEFORE = {"hayter_msa": "charged", "stickyhardsphere": "sticky"}
_BEHIND = {"hardsphere": "with hard-sphere repulsion", "squarewell": "with square-well attraction"}
#: Shape -> models that have it: what a curve shows before it shows which of them it is.
SHAPES = {
    "sphere": (
        "sphere", "core_shell_sphere", "fuzzy_sphere", "vesicle", "core_multi_shell", "multilayer_vesicle",
        "onion", "spherical_sld", "binary_hard_sphere", "polymer_micelle", "adsorbed_layer", "superball",
        "raspberry",
    ),
    "sheet": (
        "lamellar", "lamellar_hg", "lamellar_stack_caille", "lamellar_stack_paracrystal",
        "lamellar_hg_stack_caille",
    ),
    "cylinder": (
        "cylinder", "core_shell_cylinder", "hollow_cylinder", "capped_cylinder", "elliptical_cylinder",
        "stacked_disks", "core_shell_bicelle", "core_shell_bicelle_elliptical",
        "core_shell_bicelle_elliptical_belt_rough", "pringle",
    ),
    "ellipsoid": ("ellipsoid", "core_shell_ellipsoid", "triaxial_ellipsoid"),
    "box": (
        "parallelepiped", "rectangular_prism", "hollow_rectangular_prism",
        "hollow_rectangular_prism_thin_walls", "core_shell_parallelepiped", "prism",
    ),
    "polyhedron": ("tetrahedron", "truncated_tetrahedron", "truncated_octahedron"),
    "thread": (
        "flexible_cylinder", "flexible_cylinder_elliptical", "barbell", "linear_pearls", "pearl_necklace",
    ),
    "coil": (
        "mono_gauss_coil", "poly_gauss_coil", "polymer_excl_volume", "star_polymer", "lorentz",
        "be_polyelectrolyte",
    ),
    "power-law": ("power_law", "porod", "two_power_law"),
    "peak": ("broad_peak", "gaussian_peak", "peak_lorentz", "teubner_strey", "spinodal"),
    "network": ("correlation_length", "two_lorentzian", "gel_fit", "gauss_lorentz_gel", "dab"),
    "fractal": ("fractal", "fractal_core_shell", "mass_fractal", "surface_fractal", "mass_surface_fractal"),
    "lattice": ("sc_paracrystal", "bcc_paracrystal", "fcc_paracrystal"),
}  # fmt: skip
#: Shapes that are none of a body.
_NO_BODY = ("coil", "power-law", "peak", "network", "fractal")
_SHAPE_OF = {model: shape for shape, models in SHAPES.items() for model in models}
#: Names of size distributions.
DISTRIBUTIONS = {"schulz": "Schulz", "lognormal": "log-normal", "gaussian": "Gaussian"}


def kind(fit: ModelFit) -> str:
    """What a fit says the sample is, "sticky core-shell spheres"."""
    parts = [_kind(part) for part in sum_parts(fit.model)]
    if len(parts) == 1:
        parts = [_adapt_to_length(parts[0], fit)]
    if len(parts) == 2 and len(set(parts)) == 1:
        parts = ["two power laws" if parts[0] == KINDS["power_law"] else f"two populations of {parts[0]}"]
    if is_upturn(fit.model):
        return f"{parts[0]} with {_upturn(fit)}"
    return name_with_interaction(" and ".join(parts), fit.structure_factor)


def _upturn(fit: ModelFit) -> str:
    """The power law above a plateau: Porod's where its exponent is that of sharp surfaces."""
    power = fit.parameters.get("B_power")
    if power is None or power.error is None:
        return "an upturn"
    near = max(_SHARP, 2 * power.error)
    return "a Porod upturn" if abs(power.value - 4.0) <= near else "a power-law upturn"


#: By so much the exponent of a sharp surface may seem off 4.
_SHARP = 0.15


def is_upturn(model: str) -> bool:
    """Whether a power law stands with a term that is level at low q, as networks and coils are."""
    parts = tuple(sum_parts(model))
    return len(parts) == 2 and parts[0] in _PLATEAU and parts[1] == "power_law"


#: Such terms.
_PLATEAU = ("lorentz", "mono_gauss_coil", "guinier", "guinier_porod", "dab")


def _adapt_to_length(text: str, fit: ModelFit) -> str:
    """Discs that are longer than wide are cylinders, and cylinders shorter than their radius are discs."""
    length = fit.parameters.get("length")
    radius = fit.parameters.get("radius", fit.parameters.get("radius_minor"))
    if length is None or radius is None or not is_determined("length", length):
        return text
    if length.value > 2 * radius.value:
        return text.replace("discs", "cylinders")
    return text.replace("cylinders", "discs") if length.value < radius.value else text


def _kind(part: str) -> str:
    """Name the kind of a model or product that may be part of a sum."""
    if part.endswith(".py"):
        return PurePath(part).stem
    model, _, factor = part.partition("@")
    name = KINDS.get(model, f"{model.replace('_', ' ')}s" if model in _SHAPE_OF else model)
    return name_with_interaction(name, factor)


def name_with_interaction(particles: str, structure_factor: str | None) -> str:
    """Particles with their interaction: ``charged spheres``, ``spheres with hard-sphere repulsion``."""
    factor = structure_factor or ""
    if factor in _BEFORE and particles[:2] in ("a ", "an"):
        return f"{particles} ({_BEFORE[factor]})"
    return f"{_BEFORE.get(factor, '')} {particles} {_BEHIND.get(factor, '')}".strip()


def add_model_name(fit: ModelFit) -> str:
    """`kind` with sasmodels' name in brackets, where that is not the same words."""
    name = kind(fit)
    plain = name.replace("-", " ").removesuffix("s")
    return name if plain in (fit.short_name.replace("_", " "), "lamellae") else f"{name} ({fit.short_name})"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def some(names: Sequence[str]) -> str:
    """Two names in a sentence, and how many more there are."""
    return join_names([*names[:2], f"{len(names) - 2} more"] if names[2:] else names)


#: Terms that stand beside a body without being one.
_BESIDE = ("power_law", "mono_gauss_coil", "lorentz")


def shape(model: str) -> str:
    """Shape of a model, its own name where no other has it; of a body beside a term that of the body."""
    parts = sum_parts(model)
    if tuple(parts) == ("lorentz", "power_law"):  # what correlation_length says with one exponent more
        return "network"
    if len(parts) == 2 and parts[1] in _BESIDE:
        model = parts[0].partition("@")[0]
    return _SHAPE_OF.get(model, model)


def is_body(model: str) -> bool:
    """Whether it is a body of known form, whose layers may be there or not."""
    return shape(model) not in _NO_BODY
