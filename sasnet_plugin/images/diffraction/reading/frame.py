"""Where the pixels of a diffraction image lie: a flat detector, the beam's centre, the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....types import DataError


@dataclass(frozen=True)
class Window:
    """The largest circle of a flat detector that is looked at, and what of the geometry is known."""

    shape: tuple[int, int]  #: Rows and columns of the detector.
    centre: tuple[float, float]  #: Column and row of the beam, from 0 at the middle of the first pixel.
    edge: float  #: Radius of the circle, pixels.
    wavelength: float | None = None  #: Å.
    distance: float | None = None  #: From sample to detector, mm.
    pixel_size: float | None = None  #: mm.

    def check(self, name: str) -> None:
        """Raise DataError if the circle is entirely off the detector."""
        rows, columns = self.shape
        column, row = self.centre
        if not (-self.edge < column < columns + self.edge and -self.edge < row < rows + self.edge):
            raise DataError(
                f"{name}: the beam at column {column:.6g} and row {row:.6g} is far off the detector; give it"
                " with --geometry direct_beam=[COLUMN,ROW]."
            )

    @property
    def theta(self) -> float | None:
        """Scattering angle at the window's edge, radians; None where the geometry is not known."""
        if not self.distance or not self.pixel_size:
            return None
        return float(np.arctan(self.edge * self.pixel_size / self.distance))

    @property
    def q_edge(self) -> float | None:
        """q at the window's edge, k sin θ as across the beam, Å⁻¹; None where the geometry is not known."""
        if self.theta is None or not self.wavelength:
            return None
        return float(2 * np.pi / self.wavelength * np.sin(self.theta))
