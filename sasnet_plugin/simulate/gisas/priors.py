"""What samples and measurements are drawn from: tables, and the draws. docs/gisas_prior.md publishes them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..draws import draw
from .geometry import Geometry


@dataclass(frozen=True)
class Prior:
    """One quantity.

    Parameters
    ----------
    drawn : str
        As `simulate.draws` reads it.
    unit : str
    text : str
        What it is.
    share : float
        Of the draws in which it is not 0.
    seed : str
        The range that the seed of this work trained on; empty where it left the quantity out.
    """

    drawn: str
    unit: str
    text: str
    share: float = 1.0
    seed: str = ""

    def __call__(self, rng: np.random.Generator) -> float:
        """One draw."""
        # Both are drawn always, so that the share changes no other quantity's draw.
        value, kept = draw(self.drawn, rng), rng.random() < self.share
        return value if kept else 0.0

    def limits(self) -> tuple[float, float]:
        """Least and largest value, 0 apart."""
        _, low, high = self.drawn.split()
        return float(low), float(high)


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


@dataclass(frozen=True)
class Measurement:
    """How one pattern is measured.

    Parameters
    ----------
    sigma_phi, sigma_alpha : float
        Resolution and divergence together, one standard deviation, degrees.
    shift_phi : float
        What the stated φ is too large, degrees.
    shift_alpha : float
        What the stated α_f is too large and the stated α_i too small, degrees: a tilt of the sample.
    flat, diffuse : float
        Counts of the flat and of the decaying background over those of the pattern.
    diffuse_alpha, diffuse_phi : float
        Length over which the second decays upwards, and its half width to the sides, degrees.
    counts : float
        Expected counts of the pattern and its background together, in the pixels that count.
    """

    sigma_phi: float
    sigma_alpha: float
    shift_phi: float
    shift_alpha: float
    flat: float
    diffuse: float
    diffuse_alpha: float
    diffuse_phi: float
    counts: float


MEASUREMENT = {
    "sigma_phi": Prior(
        "loguniform 0.003 0.03", "degrees", "resolution and divergence across, Gaussian σ", 0.9
    ),
    "sigma_alpha": Prior(
        "loguniform 0.003 0.03", "degrees", "resolution and divergence upwards, Gaussian σ", 0.9
    ),
    "shift_phi": Prior("uniform -0.03 0.03", "degrees", "misalignment: stated φ minus true", 0.7),
    "shift_alpha": Prior("uniform -0.015 0.015", "degrees", "misalignment: true α_i minus stated", 0.7),
    "flat": Prior("loguniform 0.0001 0.3", "", "flat background over the pattern, counts", 0.8),
    "diffuse": Prior("loguniform 0.001 0.3", "", "decaying background over the pattern, counts", 0.5),
    "diffuse_alpha": Prior("uniform 0.2 1.5", "degrees", "length of its decay upwards, exponential"),
    "diffuse_phi": Prior("loguniform 0.05 0.6", "degrees", "its half width across, Lorentzian"),
    "counts": Prior("loguniform 1e4 1e8", "", "counts of the image (mask applied), expected"),
}


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


def sample_measurement(rng: np.random.Generator, *, counts: float | None = None) -> Measurement:
    """Draw how a pattern is measured.

    Parameters
    ----------
    rng : numpy.random.Generator
    counts : float, optional
        So many expected counts instead of the prior's.
    """
    drawn = {field.name: MEASUREMENT[field.name](rng) for field in fields(Measurement)}
    return Measurement(**(drawn if counts is None else drawn | {"counts": counts}))
