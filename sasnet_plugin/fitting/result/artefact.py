"""What an instrument may have done to a curve that a fit explains by a sample."""

from __future__ import annotations

from dataclasses import dataclass

#: The kinds: a slit that the file does not state; parasitic scattering at the lowest q.
SLIT, LOWEST_POINTS = "slit", "lowest points"


@dataclass(frozen=True)
class Artefact:
    """An artefact with which a simpler model fits than the one that stands first."""

    kind: str  #: `SLIT` or `LOWEST_POINTS`.
    model: str  #: Short name of the simpler model.
    reduced_chisq: float  #: Of it.
    q: float  #: Half length of the slit, or the first q that is not affected, Å⁻¹.
    points: int = 0  #: How many lowest points are affected; 0 of a slit.
