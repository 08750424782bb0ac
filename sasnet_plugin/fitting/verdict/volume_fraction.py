"""The scale of a fit as a volume fraction, where all scattering length densities are given."""

from __future__ import annotations

from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..result.reported_values import is_determined
from . import sentences
from .headline import format_percent
from .sizes import Size

#: Models of lattices and stacks, in which the scale is no volume fraction of the particles alone.
_LATTICES = ("lamellar", "bcc", "fcc", "sc_")


def volume_fraction(result: FitResult) -> Size | None:
    """The volume fraction of the particles, for an intensity in cm⁻¹; None where the scale is none.

    In sasmodels the scale of a model with a particle volume is the volume fraction of the particles, if the
    intensity is absolute and the contrast is right.
    """
    best = result.best
    if best is None or result.curve.intensity_unit not in ("", "cm⁻¹"):
        return None
    if not is_volume_fraction(best) or not _densities_given(result):
        return None
    scale = best.parameters["scale"]
    return Size("volume fraction", scale.value, scale.error, "", ("scale",))


def is_volume_fraction(fit: ModelFit) -> bool:
    """Whether the scale of a fit is the volume fraction of its particles once the contrast is known."""
    scale = fit.parameters.get("scale")
    if scale is None or scale.fixed or not 0 < scale.value < 1 or not is_determined("scale", scale):
        return False
    return "volfraction" not in fit.parameters and _has_particle_volume(fit.model)


def _has_particle_volume(model: str) -> bool:
    if "+" in model or model.endswith(".py") or model.startswith(_LATTICES):
        return False
    from ...simulate.priors import model_info

    return bool(model_info(model).parameters.form_volume_parameters)


def _densities_given(result: FitResult) -> bool:
    """Whether a user has given each scattering length density of the best model."""
    names = {name for name, p in result.fits[0].parameters.items() if p.unit == "1e-6/Ang^2"}
    return bool(names) and names <= set(result.given)


def in_words(result: FitResult) -> str:
    """The volume fraction for the headline, after a comma; empty where there is none."""
    size = volume_fraction(result)
    if size is None:
        return ""
    unit = "" if result.curve.intensity_unit else str(sentences.IF_ABSOLUTE)
    what = str(sentences.WALLS) if result.fits[0].model.startswith("hollow") else ""
    return sentences.VOLUME_FRACTION(what=what, value=format_percent(size), condition=unit)
