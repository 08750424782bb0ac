"""Separate compact particles: what holds of them whether or not a model of the library fits.

A curve without a fitting model may also be of chains, gels, sheets or lattices. Particles are reported only
where p(r) ends, the dimensionless Kratky plot has the maximum of a compact particle and falls beyond it, and
the curve begins within the Guinier region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..digits import format_with_error
from ..model_free.results import Slope
from ..types import Curve, DataError
from . import sentences
from .api import protein
from .results import Compactness, MolecularWeight, ProteinResult, Quality, Value


class ParticleSettings(NamedTuple):
    """What a curve of compact particles has."""

    tail: tuple[float, float] = (4.0, 6.0)  #: q Rg between which the Kratky plot has fallen,
    fallen: float = 0.4  #: to this share of its maximum: a coil, a gel and two random phases stay above.
    excess: float = 0.5  #: Largest share of aggregates or repulsion in I(0): then the particles are separate.
    weighed: float = 100.0  #: Rg up to which a molecular weight of a protein is given, Å.


LIMITS = ParticleSettings()


@dataclass(frozen=True)
class Particles:
    """Particles without a model."""

    kind: str  #: "compact", "elongated" or "flexible".
    rg: Value
    d_max: Value | None  #: None where p(r) does not end.
    molecular_weight: MolecularWeight | None  #: Of a protein; None where they can be none.
    is_protein: bool  #: The user says so.


def find_particles(
    result: ProteinResult | None, *, is_protein: bool = False, is_neutron: bool = False
) -> Particles | None:
    """Return what is known of the particles of a curve; None if it may be of something else.

    Parameters
    ----------
    is_protein : bool
        The user says that the sample is a protein: elongated and flexible ones are reported, too.
    is_neutron : bool
        The probe is known to be neutrons, for which the molecular weight does not hold.
    """
    if result is None or not isinstance(result.rg, Value) or not isinstance(result.compactness, Compactness):
        return None
    if not is_protein and not _are_compact(result):
        return None
    mass = result.molecular_weight
    weighed = not is_neutron and (is_protein or result.rg.value < LIMITS.weighed)
    return Particles(
        result.compactness.kind, result.rg, result.d_max if isinstance(result.d_max, Value) else None,
        mass if weighed and isinstance(mass, MolecularWeight) else None, is_protein,
    )  # fmt: skip


def _are_compact(result: ProteinResult) -> bool:
    compactness, quality, fitted = result.compactness, result.quality, result.fitted
    rg, i0 = result.rg, result.i0
    if not (isinstance(compactness, Compactness) and isinstance(quality, Quality) and fitted is not None):
        return False
    if not (isinstance(rg, Value) and isinstance(i0, Value) and isinstance(result.d_max, Value)):
        return False
    if compactness.kind != "compact" or abs(quality.interaction.value) > LIMITS.excess:
        return False
    x = fitted.q * rg.value
    tail = (x > LIMITS.tail[0]) & (x < LIMITS.tail[1])
    if not tail.any():
        return False
    kratky = x[tail] ** 2 * fitted.intensity[tail] / i0.value
    return float(kratky.mean()) < LIMITS.fallen * compactness.height.value


def describe_particles(particles: Particles) -> str:
    """Return what is known of the particles in one sentence."""
    length = mass = ""
    if particles.d_max is not None:
        length = sentences.LENGTH(value=format_with_error(particles.d_max.value, particles.d_max.error))
    if particles.molecular_weight is not None:
        value = format_with_error(particles.molecular_weight.value, particles.molecular_weight.error)
        mass = (sentences.MASS if particles.is_protein else sentences.MASS_OF_PROTEIN)(value=value)
    return sentences.PARTICLES(
        kind=particles.kind.capitalize(), rg=format_with_error(particles.rg.value, particles.rg.error),
        length=length, mass=mass,
    )  # fmt: skip


def measure_particles(curve: Curve) -> ProteinResult | None:
    """Return what a curve says of compact particles; None if it cannot be calculated.

    Raises nothing: a curve that is unsuitable says nothing of particles.
    """
    try:
        return protein(curve)
    except (DataError, np.linalg.LinAlgError):
        return None


def shows_maximum(curve: Curve, particles: Particles) -> bool:
    """Whether a curve has a maximum at distances between particles; beyond, it is of what is inside them."""
    q_max = LIMITS.tail[1] / particles.rg.value
    return any(peak.q < q_max and not peak.fringe for peak in curve.model_free().peaks)


def shows_interaction(curve: Curve, result: ProteinResult | None) -> bool:
    """Whether a curve shows that its particles repel each other, by its lowest q or a maximum."""
    if result is not None and isinstance(result.quality, Quality):
        return result.quality.repulsion
    known = curve.model_free()
    rises = isinstance(known.low, Slope) and known.low.value > 0
    return rises or any(not peak.fringe for peak in known.peaks)
