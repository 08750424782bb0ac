"""What a pattern of a growing film depends on: the clusters, what lies below them, and the beam."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...simulation.window import Window

#: Points that stand for a spread of sizes, and where a Gaussian is cut off, in standard deviations.
_RADII, _CUT = 9, 2.5
#: Area of a cell over the square of the distance, were the clusters on a hexagonal lattice.
CELL = np.sqrt(3) / 2


@dataclass(frozen=True)
class Film:
    """Metal clusters, upper halves of spheroids, on a metal layer (or none) on a polymer film on silicon."""

    distance: float  #: Most probable distance D of neighbouring clusters, Å.
    distance_spread: float  #: Standard deviation of that distance, Å.
    radius: float  #: Mean radius R of a cluster's base, Å.
    aspect: float  #: Height over radius, H/R; the same for all clusters.
    #: Standard deviation of the radius over its mean; the distribution is cut off at 2.5 of it.
    radius_pd: float
    #: How much larger clusters lie further apart (κ of the size-spacing correlation approximation): two
    #: neighbours lie at D + κ (ΔR₁ + ΔR₂). 0 is the decoupling approximation.
    coupling: float
    layer: float  #: Thickness of the closed metal layer below the clusters, Å; 0 for none.
    polymer: float  #: Thickness of the polymer film, Å.
    wavelength: float  #: Å.
    alpha_i: float  #: Angle of incidence, degrees.

    @property
    def height(self) -> float:
        """Mean height H of a cluster, Å."""
        return self.radius * self.aspect

    @property
    def coverage(self) -> float:
        """Share of the surface below clusters, π R²/(√3/2 D²): at most 0.91, where they touch."""
        return float(np.pi * self.radius**2 / (CELL * self.distance**2))

    @property
    def metal(self) -> float:
        """Effective thickness, Å: the layer, and 2/3 of the clusters' height on what they cover."""
        return self.layer + 2 / 3 * self.coverage * self.height

    def radii(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Radii in Å and their shares, which sum to 1: a Gaussian, cut off, as nine points."""
        if self.radius_pd == 0:
            return np.array([self.radius]), np.ones(1)
        nodes, shares = _gaussian()
        return self.radius * (1 + self.radius_pd * nodes), shares


@lru_cache(maxsize=1)
def _gaussian() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(_RADII)
    shares = weights * np.exp(-0.5 * (_CUT * nodes) ** 2)
    return _CUT * nodes, shares / shares.sum()


#: What the network of gisas_growth sees: q up to 2.4 nm⁻¹ in the plane at 0.96 Å, so the first order of the
#: smallest distance and the first minimum of the clusters' shape.
WINDOW = Window(rows=64, columns=64, phi=(-2.0, 2.0), alpha_f=(0.0, 2.5))
