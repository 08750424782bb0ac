"""What samples of ordered spheres are drawn from. docs/gisas_prior.md publishes it."""

from __future__ import annotations

import numpy as np

from ..draws import Prior, draw
from .geometry import Geometry

GEOMETRY = {
    "lattice": Prior("uniform 280 420", "Å", "lattice constant", seed="uniform 300 400"),
    "width": Prior("loguniform 700 3000", "Å", "decay length of the order", seed="uniform 1000 2500"),
    "position_spread": Prior("uniform 0 45", "Å", "scatter about the sites, rms", seed="uniform 0 38.7"),
    "radius": Prior("uniform 70 140", "Å", "radius of the spheres", seed="uniform 80 130"),
    "radius_pd": Prior("uniform 0.01 0.12", "", "spread of the radius, relative", share=0.7),
    "wavelength": Prior("uniform 1.1 1.6", "Å", "wavelength", seed="uniform 1.2 1.5"),
    "alpha_i": Prior("uniform 0.13 0.22", "degrees", "angle of incidence", seed="uniform 0.15 0.18"),
    "oxide": Prior("uniform 500 700", "Å", "thickness of the SiO₂ film", seed="uniform 600 600"),
}

#: Spheres of neighbouring sites must not touch: their diameter plus one spread is at most this much of a.
CLOSEST = 0.95


def sample_geometry(rng: np.random.Generator, *, seed_ranges: bool = False) -> Geometry:
    """Draw a sample and its beam.

    Parameters
    ----------
    rng : numpy.random.Generator
    seed_ranges : bool
        Draw from the narrower ranges of the seed of this work: one size, fixed film.
    """
    while True:
        drawn = {
            name: (draw(prior.seed, rng) if prior.seed else 0.0) if seed_ranges else prior(rng)
            for name, prior in GEOMETRY.items()
        }
        geometry = Geometry(**drawn)
        if 2 * geometry.radius * (1 + geometry.radius_pd) <= CLOSEST * geometry.lattice:
            return geometry
