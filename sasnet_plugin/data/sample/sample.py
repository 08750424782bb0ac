"""Several curves of one sample: the noun, and the kinds of sets that they may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...types import Curve
from .expression import Expression

#: One sample in several instrument settings; in several solvents; at several concentrations; by neutrons and
#: X-rays; with some parameters in common that only its maker knows; or in several sectors of a detector.
SETTINGS, CONTRASTS, CONCENTRATIONS, PROBES, SERIES, SECTORS = KINDS = (
    "settings",
    "contrasts",
    "concentrations",
    "probes",
    "series",
    "sectors",
)
#: Nuclear and magnetic scattering, separated from sectors: only the program makes such samples.
MAGNETIC = "magnetic"
#: Each curve has its own, whatever else they share.
ALWAYS_OWN = ("scale", "background")
#: Spin states of the neutrons of a curve: of the incident ones alone, and of analysed ones.
SPINS = ("+", "-", "++", "+-", "-+", "--")


@dataclass(frozen=True)
class Polarisation:
    """Efficiencies of what polarises, flips and analyses neutrons, each 0..1."""

    polariser: float = 1.0
    flipper: float = 1.0
    analyser: float = 1.0
    analyser_flipper: float = 1.0


@dataclass(frozen=True)
class Sample:
    """Curves of one sample, and what is known of how they belong together."""

    curves: tuple[Curve, ...]
    kind: str  #: One of `KINDS`.
    told: bool = False  #: The kind was given, not found from the curves.
    #: Scattering length density of each curve's solvent, 10⁻⁶ Å⁻²; None where it is not known.
    solvents: tuple[float | None, ...] = ()
    #: Of each curve, in one unit, whichever; None where it is not known.
    concentrations: tuple[float | None, ...] = ()
    probes: tuple[str, ...] = ()  #: neutron or xray.
    scale: tuple[float | None, ...] = ()  #: Factors of the curves' intensities that are known beforehand.
    #: share, own: parameters that all curves have in common, and that each has of its own, against the kind's
    #: custom.
    share: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    #: Parameters calculated from others, and from the curve's `values`.
    ties: Mapping[str, Expression] = field(default_factory=dict)
    #: Numbers of each curve that ties name, such as its share of D2O.
    values: tuple[Mapping[str, float], ...] = ()
    field_azimuth: float | None = None  #: Of a saturating magnetic field, degrees as of `Sector`.
    polarisation: Polarisation | None = None  #: None where it is not given.

    @property
    def files(self) -> list[str]:
        """Name of each curve: of its file, with the entry where several are of one."""
        names = [c.file or f"curve {i + 1}" for i, c in enumerate(self.curves)]
        return [
            f"{name} ({curve.entry})" if names.count(name) > 1 and curve.entry else name
            for name, curve in zip(names, self.curves, strict=True)
        ]
