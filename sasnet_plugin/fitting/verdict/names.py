"""Models, structure factors and parameters in plain English, and the shape that each model stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from ...digits import join_names
from ...files import read_tables
from ...types import sum_parts
from ..result.model_fit import ModelFit
from ..result.reported_values import is_determined

# --- Parameters and their units.

_TABLES = read_tables(__file__)
#: sasmodels' name, or its beginning where it is numbered -> what people call it.
WORDS: Mapping[str, str] = _TABLES["words"]
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
KINDS: Mapping[str, str] = _TABLES["kinds"]
#: Structure factor -> how it interacts: before the name of the particles, or behind it.
_BEFORE = {"hayter_msa": "charged", "stickyhardsphere": "sticky"}
_BEHIND = {"hardsphere": "with hard-sphere repulsion", "squarewell": "with square-well attraction"}
#: Shape -> models that have it: what a curve shows before it shows which of them it is.
SHAPES: Mapping[str, Sequence[str]] = _TABLES["shapes"]
#: Shapes that are none of a body.
_NO_BODY = ("coil", "power-law", "peak", "network", "fractal")
_SHAPE_OF = {model: shape for shape, models in SHAPES.items() for model in models}
#: Names of size distributions.
DISTRIBUTIONS = {"schulz": "Schulz", "lognormal": "log-normal", "gaussian": "Gaussian"}


def kind(fit: ModelFit) -> str:
    """What a fit says the sample is, "sticky core-shell spheres"."""
    parts = list(map(_kind, sum_parts(fit.model)))
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
    """`kind` with sasmodels' name in brackets, unless that is the same word: ``spheres``."""
    name = kind(fit)
    return name if name.removesuffix("s") == fit.short_name else f"{name} ({fit.short_name})"


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
