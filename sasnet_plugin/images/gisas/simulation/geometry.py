"""What a pattern of ordered spheres depends on: the sample and its beam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulation.window import Window

#: Bins of the rotation angle xi over its period, as the seed has them: 0, 0.5, … 59.5 degrees.
N_XI = 120
PERIOD = 60.0
XI = np.arange(N_XI) * (PERIOD / N_XI)
#: Patterns that are simulated: the mirror gives the rest.
N_HALF = N_XI // 2 + 1
#: Radii that stand for a spread of sizes (Gauss–Hermite).
_RADII = 5


@dataclass(frozen=True)
class Geometry:
    """Spheres on a hexagonal lattice on oxidised silicon, and the beam that meets them."""

    lattice: float  #: Lattice constant a, Å.
    #: Length over which the order of the lattice decays (Cauchy profile), Å; a long one gives sharp peaks.
    width: float
    position_spread: float  #: Scatter of the particles about their sites, rms in each direction, Å.
    radius: float  #: Mean radius of the spheres, Å.
    radius_pd: float  #: Standard deviation of the radius over its mean.
    wavelength: float  #: Å.
    alpha_i: float  #: Angle of incidence, degrees.
    oxide: float = 600.0  #: Thickness of the SiO₂ film, Å.

    def radii(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Radii in Å and their shares, which sum to 1: a Gaussian as five points."""
        if self.radius_pd == 0:
            return np.array([self.radius]), np.ones(1)
        nodes, shares = np.polynomial.hermite_e.hermegauss(_RADII)
        return self.radius * (1 + self.radius_pd * nodes), shares / shares.sum()


#: What the network of gisas_hex sees.
WINDOW = Window()
