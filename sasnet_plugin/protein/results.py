"""What a curve of a protein says: values with errors, units and sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from ..model_free.results import Refused, round_values


@dataclass(frozen=True)
class Value:
    """A number with one standard deviation."""

    value: float
    error: float
    unit: str
    source: str  #: Where it comes from, in a phrase.

    def as_dict(self) -> dict[str, Any]:
        return round_values(vars(self))


@dataclass(frozen=True)
class MassEstimate:
    """Molecular weight by one way."""

    method: str
    value: float  #: kDa
    error: float  #: kDa
    pull: float  #: Its distance from the mean of the other ways, in standard deviations of that distance.

    def as_dict(self) -> dict[str, Any]:
        return round_values(vars(self))


@dataclass(frozen=True)
class MolecularWeight:
    """Molecular weight from all ways, whose errors are correlated."""

    value: float  #: kDa
    error: float  #: kDa, one standard deviation.
    low: float  #: kDa: 68 % of the probability lie between `low` and `high`.
    high: float
    methods: tuple[MassEstimate, ...]
    distrusted: str = ""  #: The way that disagrees with the others by more than its error; empty if none.
    unit: str = "kDa"

    @property
    def relative_error(self) -> float:
        """One standard deviation of ln M."""
        return 0.5 * float(np.log(self.high / self.low))

    def as_dict(self) -> dict[str, Any]:
        values = {name: value for name, value in vars(self).items() if name != "methods"}
        return round_values(values) | {"methods": [method.as_dict() for method in self.methods]}


@dataclass(frozen=True)
class Oligomer:
    """How many monomers a particle has."""

    monomer: float  #: kDa
    number: int  #: The most probable one.
    probabilities: dict[int, float]  #: By number, those of at least 0.1 %.

    def as_dict(self) -> dict[str, Any]:
        shares = {str(number): round(share, 4) for number, share in self.probabilities.items()}
        return {"monomer": self.monomer, "number": self.number, "probabilities": shares}


@dataclass(frozen=True)
class Compactness:
    """The maximum of the dimensionless Kratky plot."""

    height: Value  #: Of (q Rg)² I / I(0): a compact particle has 1.10.
    place: Value  #: q Rg: a compact particle has 1.73.
    kind: str  #: "compact", "elongated" or "flexible".

    def as_dict(self) -> dict[str, Any]:
        return {"height": self.height.as_dict(), "place": self.place.as_dict(), "kind": self.kind}


@dataclass(frozen=True)
class Signal:
    """Points of a part of the curve."""

    q_min: float
    q_max: float
    points: int
    signal_to_noise: float  #: Median of I over its standard deviation.


@dataclass(frozen=True)
class Quality:
    """What disturbs the curve."""

    #: What aggregates add to I(0) (above 0) or a repulsion takes from it, as a share.
    interaction: Value
    aggregation: bool  #: It is positive by more than two standard deviations.
    repulsion: bool
    constant: Value  #: That the subtraction of the buffer left, with what is flat of the particle's interior.
    disturbed_points: int  #: First points that are excluded.
    systematic_error: (
        float  #: Relative, of neighbouring points together; most of it where errors are too small.
    )
    reduced_chisq: float
    q_rg_min: float  #: q Rg of the first point.
    signal: tuple[Signal, ...]
    #: p-value of the hypothesis that two frames differ by noise alone, the smallest of all pairs, times their
    #: number (CorMap, D. Franke et al., Nat. Methods 12 (2015) 419); None without frames.
    frames_p_value: float | None = None

    def as_dict(self) -> dict[str, Any]:
        values = {
            name: value.as_dict() if isinstance(value, Value) else value
            for name, value in vars(self).items()
            if name != "signal"
        }
        return round_values(values) | {"signal": [round_values(vars(part)) for part in self.signal]}


@dataclass(frozen=True)
class PairDistribution:
    """p(r), the mean over all particles that explain the curve."""

    r: Floats  #: (n,) Å
    p: Floats  #: (n,) unit of the intensity / Å
    error: Floats  #: (n,) one standard deviation.


@dataclass(frozen=True)
class FittedCurve:
    """The curve of the mean p(r), without constant, aggregates and repulsion."""

    q: Floats  #: (n,) Å⁻¹
    intensity: Floats  #: (n,)


@dataclass(frozen=True)
class Misfit:
    """Where a curve is furthest from that of a structure, averaged over neighbouring points."""

    q: float  #: Å⁻¹
    relative: float  #: Of the curve over that of the structure, less 1.
    deviation: float  #: Mean of neighbouring points in standard deviations of a point.

    def as_dict(self) -> dict[str, Any]:
        return round_values(vars(self))


@dataclass(frozen=True)
class StructureFit:
    """An atomic structure against the curve; errors include systematic ones and those of the computation."""

    file: str
    explains: bool
    reduced_chisq: float
    p_value: float  #: Of a χ² as large.
    scale: Value
    constant: Value
    hydration: Value  #: Density of the hydration shell above that of water.
    displaced_volume: Value  #: Over that of the atoms.
    rg: float  #: Å, of the fitted structure with its shell.
    misfit: Misfit
    atoms: int  #: Without hydrogens and water.
    unusual_residues: tuple[str, ...]  #: Whose hydrogens are unknown, if they are many.
    q: Floats  #: (n,) Å⁻¹, of the averaged points.
    intensity: Floats  #: (n,)
    error: Floats  #: (n,) one standard deviation of the points, with their systematic error.
    fitted: Floats  #: (n,)

    def as_dict(self) -> dict[str, Any]:
        values = {
            name: value.as_dict() if isinstance(value, Value | Misfit) else value
            for name, value in vars(self).items()
            if not isinstance(value, np.ndarray)
        }
        return round_values(values)


@dataclass(frozen=True)
class ProteinResult:
    """What a curve of a protein says; what it does not say is a `Refused` with the reason."""

    file: str
    entry: str
    rg: Value | Refused
    i0: Value | Refused
    d_max: Value | Refused
    porod_volume: Value | Refused
    molecular_weight: MolecularWeight | Refused
    oligomer: Oligomer | Refused | None  #: None where no monomer is given.
    compactness: Compactness | Refused
    quality: Quality | Refused
    problems: tuple[str, ...] = ()  #: What was asked for and cannot be given, a sentence each.
    cautions: tuple[str, ...] = ()  #: A sentence each.
    pair_distribution: PairDistribution | None = None
    fitted: FittedCurve | None = None
    structure: StructureFit | Refused | None = None  #: None where no structure is given.

    def as_dict(self) -> dict[str, Any]:
        """As ``sasnet protein --json`` prints it."""
        names = (
            "rg",
            "i0",
            "d_max",
            "porod_volume",
            "molecular_weight",
            "oligomer",
            "compactness",
            "quality",
            "structure",
        )
        values = {name: getattr(self, name) for name in names}
        distribution = self.pair_distribution
        return {
            "file": self.file,
            "entry": self.entry,
            **{name: None if value is None else value.as_dict() for name, value in values.items()},
            "p_of_r": None if distribution is None else {
                name: [float(f"{number:.4g}") for number in column]
                for name, column in vars(distribution).items()
            },
            "problems": list(self.problems),
            "cautions": list(self.cautions),
        }  # fmt: skip

    def values_as_dict(self) -> dict[str, Any]:
        """The same without the names of the curve, as a part of another answer."""
        return {name: value for name, value in self.as_dict().items() if name not in ("file", "entry")}
