"""What a curve shows range by range: Guinier knees, power laws, peaks, plateaus, a flat background."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..digits import align_columns, format_with_error, significant
from .results import Row, round_values


class PowerLaw(NamedTuple):
    """I = A q⁻ᵖ (G. Porod, Kolloid-Z. 124 (1951) 83, for p = 4)."""

    #: exponent, exponent_error: p and one standard deviation.
    exponent: float
    exponent_error: float
    #: prefactor, prefactor_error: A, in (unit of the intensity) Å⁻ᵖ.
    prefactor: float
    prefactor_error: float
    #: q_min, q_max: Å⁻¹.
    q_min: float
    q_max: float
    points: int
    kind: str = "power law"

    def __repr__(self) -> str:
        return _table(self)


class GuinierKnee(NamedTuple):
    """I = G q⁻ˢ exp(−q² Rg²/3) (A. Guinier, Ann. Phys. 12 (1939) 161, for s = 0)."""

    #: rg, rg_error: Å.
    rg: float
    rg_error: float
    #: g, g_error: G, in (unit of the intensity) Å⁻ˢ; I(q → 0) of this level for s = 0.
    g: float
    g_error: float
    #: exponent, exponent_error: s, the power law below the knee; 0 for a plateau.
    exponent: float
    exponent_error: float
    #: q_min, q_max: Å⁻¹; the plateau or power law below the knee is a range of its own.
    q_min: float
    q_max: float
    points: int
    kind: str = "Guinier knee"

    def __repr__(self) -> str:
        return _table(self)


class PeakRegion(NamedTuple):
    """A maximum, the curve around it being a Gaussian in q."""

    #: q, q_error: position, Å⁻¹.
    q: float
    q_error: float
    #: width, width_error: full width at half maximum, Å⁻¹.
    width: float
    width_error: float
    height: float  #: Intensity there, with what lies below it.
    #: q_min, q_max: Å⁻¹.
    q_min: float
    q_max: float
    points: int
    kind: str = "peak"

    def __repr__(self) -> str:
        return _table(self)


class FlatRegion(NamedTuple):
    """A constant intensity with structure at higher q."""

    #: level, level_error: in the unit of the intensity.
    level: float
    level_error: float
    #: q_min, q_max: Å⁻¹.
    q_min: float
    q_max: float
    points: int
    kind: str = "plateau"

    def __repr__(self) -> str:
        return _table(self)


class FlatBackground(NamedTuple):
    """A constant intensity at the highest q, beneath all the rest."""

    #: level, level_error: in the unit of the intensity.
    level: float
    level_error: float
    #: q_min, q_max: where it is most of the intensity, Å⁻¹.
    q_min: float
    q_max: float
    points: int
    kind: str = "background"

    def __repr__(self) -> str:
        return _table(self)


Region = PowerLaw | GuinierKnee | PeakRegion | FlatRegion | FlatBackground


class Level(NamedTuple):
    """A level of Beaucage's unified equation: G exp(−q² Rg²/3) and the power law B q⁻ᴾ beyond."""

    rg: float  #: Å; infinite for a power law of a structure larger than 1/q.
    g: float  #: In the unit of the intensity; 0 where no range shows it.
    power: float  #: P.
    b: float  #: B, in (unit of the intensity) Å⁻ᴾ; 0 where no range shows it.


class Regions(NamedTuple):
    """What a curve shows without a model, range by range, by rising q."""

    regions: tuple[Region, ...]
    #: Of the unified equation with as many levels as the curve shows, from the largest structure on.
    levels: tuple[Level, ...] = ()
    #: The curve is smeared by a slit, and so are all values: exponents are smaller by up to 1.
    slit: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As ``--details --json`` prints it under ``regions``."""
        levels = [
            round_values(level._asdict() | ({} if math.isfinite(level.rg) else {"rg": None}))
            for level in self.levels
        ]
        regions = [round_values({"kind": region.kind, **region._asdict()}) for region in self.regions]
        return {"regions": regions, "levels": levels, "slit_smeared": self.slit}

    def lines(self) -> tuple[str, ...]:
        """A title and a line for each region."""
        if not self.regions:
            return ("Regions: none, too few significant points.",)
        smeared = " (of the slit-smeared curve)" if self.slit else ""
        return (
            f"Regions of the curve, by rising q{smeared}:",
            *align_columns([_row(r) for r in self.regions]),
        )

    def __repr__(self) -> str:
        return "\n".join(self.lines())


def _row(region: Region) -> Row:
    place = f"q {significant(region.q_min, 2)} to {significant(region.q_max, 2)} Å⁻¹"
    return place, region.kind, ", ".join(_values(region))


def _values(region: Region) -> Iterator[str]:
    if isinstance(region, PowerLaw):
        yield f"exponent {format_with_error(region.exponent, region.exponent_error)}"
        yield f"prefactor {format_with_error(region.prefactor, region.prefactor_error)}"
    elif isinstance(region, GuinierKnee):
        yield f"Rg {format_with_error(region.rg, region.rg_error)} Å"
        yield f"G {format_with_error(region.g, region.g_error)}"
        if region.exponent:
            yield f"below it exponent {format_with_error(region.exponent, region.exponent_error)}"
    elif isinstance(region, PeakRegion):
        yield f"q {format_with_error(region.q, region.q_error)} Å⁻¹"
        yield f"2π/q = {significant(2 * math.pi / region.q, 3)} Å"
        yield f"full width {format_with_error(region.width, region.width_error)} Å⁻¹"
    else:
        yield f"level {format_with_error(region.level, region.level_error)}"


def _table(region: Region) -> str:
    return "\n".join(align_columns([_row(region)], indent=""))
