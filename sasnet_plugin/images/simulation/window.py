"""The window of exit angles that a network looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import GrazingIncidence


@dataclass(frozen=True)
class Window:
    """Pixels in exit angles; row 0 is the lowest."""

    rows: int = 64
    columns: int = 64
    phi: tuple[float, float] = (-1.07, 1.07)  #: Outer edges in the plane, degrees.
    alpha_f: tuple[float, float] = (0.0, 2.2)  #: Outer edges above the horizon of the sample, degrees.

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Window:
        phi, alpha_f = (tuple(map(float, raw[name])) for name in ("phi", "alpha_f"))
        return cls(int(raw["rows"]), int(raw["columns"]), (phi[0], phi[1]), (alpha_f[0], alpha_f[1]))

    @property
    def pixel(self) -> tuple[float, float]:
        """Height and width of a pixel, degrees."""
        return (
            (self.alpha_f[1] - self.alpha_f[0]) / self.rows,
            (self.phi[1] - self.phi[0]) / self.columns,
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """alpha_f of the rows and phi of the columns, degrees."""
        height, width = self.pixel
        return (
            np.asarray(self.alpha_f[0] + height * (np.arange(self.rows) + 0.5), dtype=np.float64),
            np.asarray(self.phi[0] + width * (np.arange(self.columns) + 0.5), dtype=np.float64),
        )

    def directions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """alpha_f of the rows and phi of the columns as BornAgain 25 has them, radians."""
        # It takes the axis of an angular detector for a tangent: a pixel lies midway between the arcus
        # tangens of its edges. At 2 degrees that is 0.001 degrees off.
        return _midway(self.alpha_f, self.rows), _midway(self.phi, self.columns)

    def geometry(self, wavelength: float, alpha_i: float) -> GrazingIncidence:
        """Geometry of an image on these pixels; wavelength in Å, incidence in degrees."""
        alpha_f, phi = self.centres()
        return GrazingIncidence(phi, alpha_f, wavelength, alpha_i)

    def add_margin(self, pixels: int) -> Window:
        """The window with so many more pixels left, right and above (below is the sample)."""
        height, width = self.pixel
        return replace(
            self,
            rows=self.rows + pixels,
            columns=self.columns + 2 * pixels,
            phi=(self.phi[0] - pixels * width, self.phi[1] + pixels * width),
            alpha_f=(self.alpha_f[0], self.alpha_f[1] + pixels * height),
        )

    def finer(self, rows: int, columns: int) -> Window:
        """Divide each pixel of the window."""
        return replace(self, rows=self.rows * rows, columns=self.columns * columns)


def _midway(limits: tuple[float, float], n: int) -> NDArray[np.float64]:
    edges = np.arctan(np.linspace(np.radians(limits[0]), np.radians(limits[1]), n + 1))
    return np.asarray((edges[1:] + edges[:-1]) / 2, dtype=np.float64)
