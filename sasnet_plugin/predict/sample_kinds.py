"""Kinds of sample that a user may give, and the models that are hypotheses for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SampleKind:
    """What is fitted to a sample of one kind, by sasmodels' names."""

    #: By what the particles are; none of these says more than a curve of such a sample shows.
    forms: Mapping[str, tuple[str, ...]]
    second: tuple[str, ...] = ()  #: Second components of a sum.
    #: Fitted only where the curve shows an interaction, see `protein.particles.shows_interaction`.
    structure_factors: tuple[str, ...] = ()
    one_size: bool = False  #: Particles are all alike: sizes have no distribution.

    @property
    def models(self) -> tuple[str, ...]:
        """All forms, each once."""
        return tuple(dict.fromkeys(name for names in self.forms.values() for name in names))


PROTEIN = "protein"
SAMPLE_KINDS: Mapping[str, SampleKind] = {
    PROTEIN: SampleKind(
        forms={
            "globular": ("sphere", "ellipsoid", "triaxial_ellipsoid", "core_shell_ellipsoid"),
            "elongated": ("cylinder", "elliptical_cylinder"),
            "hollow": ("vesicle", "core_shell_sphere", "hollow_cylinder"),
            "flexible": (
                "mono_gauss_coil", "poly_gauss_coil", "polymer_excl_volume", "flexible_cylinder",
                "flexible_cylinder_elliptical",
            ),
        },
        second=("power_law",),  # aggregates
        structure_factors=("hardsphere", "hayter_msa"),
        one_size=True,
    ),
}  # fmt: skip
