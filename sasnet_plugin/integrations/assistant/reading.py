"""How an assistant wants a file read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ...types import Curve, SasnetError


@dataclass(frozen=True)
class Reading:
    """What is said of a file besides its name; None of what it says itself."""

    entry: str | None = None
    q_unit: str | None = None
    wavelength: float | None = None  #: Å, of a curve against 2θ.
    q_min: float | None = None  #: q_min, q_max: Å⁻¹, of the points that are used.
    q_max: float | None = None

    def options(self) -> dict[str, str]:
        """As the command line says it, for a command that is named next."""
        ends = ("" if end is None else f"{end:g}" for end in (self.q_min, self.q_max))
        said = {
            "--q-range": "" if self.q_min is self.q_max is None else ":".join(ends),
            "--q-unit": self.q_unit or "",
            "--wavelength": "" if self.wavelength is None else f"{self.wavelength:g}",
            "--entry": self.entry or "",
        }
        return {option: value for option, value in said.items() if value}

    def curves(self, path: Path) -> list[Curve]:
        """Raises a DataError where there is none, or no point in the range of q."""
        from ...data import load

        found = list(load(str(path), q_unit=self.q_unit, entry=self.entry, wavelength=self.wavelength))
        if self.q_min is None and self.q_max is None:
            return found
        low = -math.inf if self.q_min is None else self.q_min
        high = math.inf if self.q_max is None else self.q_max
        if not low < high:
            raise SasnetError(f"q_min must be below q_max; {low:g} and {high:g} are not a q range.")
        return [curve.within(low, high) for curve in found]


#: As the file says it.
AS_IT_IS = Reading()
