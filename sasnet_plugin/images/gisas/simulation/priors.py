"""What samples of ordered spheres are drawn from, sizes and distributions of the rotation angle p(ξ).

docs/gisas_prior.md publishes it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....simulate.draws import Prior, draw
from .geometry import N_XI, PERIOD, XI, Geometry

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
    """Draw a sample and its beam; `seed_ranges` are narrower: one size, fixed film."""
    while True:
        values = {
            name: (draw(prior.seed, rng) if prior.seed else 0.0) if seed_ranges else prior(rng)
            for name, prior in GEOMETRY.items()
        }
        geometry = Geometry(**values)
        if 2 * geometry.radius * (1 + geometry.radius_pd) <= CLOSEST * geometry.lattice:
            return geometry


#: Kinds of distribution and how often each is drawn.
FAMILIES = {"deltas": 0.35, "peaks": 0.35, "uniform": 0.1, "mixture": 0.2}
#: Angles of "deltas", peaks of "peaks" and parts of "mixture", least and most.
DELTAS, PEAKS, PARTS = (1, 5), (1, 3), (2, 3)
#: Full width at half maximum of a smooth peak, degrees, drawn uniform in its logarithm.
FWHM = (1.0, 30.0)
#: Least share of any angle, peak or part before they are normalised, against the largest possible of 1.
LEAST = 0.1


def sample_orientation(
    rng: np.random.Generator, *, family: str | None = None
) -> tuple[str, NDArray[np.float64]]:
    """Draw a distribution (120,): shares of the surface under each angle, which sum to 1."""
    # The family (of `FAMILIES`) is drawn by default.
    kind = family or str(rng.choice(list(FAMILIES), p=list(FAMILIES.values())))
    if kind != "mixture":
        return kind, _KINDS[kind](rng)
    names = list(_KINDS)
    parts = [
        _KINDS[names[k]](rng)
        for k in rng.choice(len(names), size=rng.integers(*PARTS, endpoint=True), replace=False)
    ]
    return kind, _shares(len(parts), rng) @ np.stack(parts)


def deltas(angles: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """A distribution of a few angles in degrees; one between two bins is divided between them."""
    p = np.zeros(N_XI)
    positions = np.asarray(angles) / (PERIOD / N_XI)
    low = np.floor(positions).astype(int)
    upper = positions - low
    np.add.at(p, low % N_XI, shares * (1 - upper))
    np.add.at(p, (low + 1) % N_XI, shares * upper)
    return p


def peak(centre: float, fwhm: float) -> NDArray[np.float64]:
    """A Gaussian about an angle, wrapped around the period; both in degrees."""
    sigma = fwhm / np.sqrt(8 * np.log(2))
    distance = XI - centre + PERIOD * np.arange(-3, 4)[:, None]
    p = np.sum(np.exp(-0.5 * (distance / sigma) ** 2), axis=0)
    return np.asarray(p / p.sum())


def _deltas(rng: np.random.Generator) -> NDArray[np.float64]:
    n = int(rng.integers(*DELTAS, endpoint=True))
    # On the bins, as the seed has them: a lattice between two bins is no mixture of its neighbours.
    return deltas(rng.choice(XI, size=n, replace=False), _shares(n, rng))


def _peaks(rng: np.random.Generator) -> NDArray[np.float64]:
    n = int(rng.integers(*PEAKS, endpoint=True))
    widths = np.exp(rng.uniform(np.log(FWHM[0]), np.log(FWHM[1]), n))
    centres = rng.uniform(0, PERIOD, n)
    parts = [peak(float(c), float(w)) for c, w in zip(centres, widths, strict=True)]
    return _shares(n, rng) @ np.stack(parts)


def _uniform(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.full(N_XI, 1 / N_XI)


def _shares(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    shares = rng.uniform(LEAST, 1.0, n)
    return np.asarray(shares / shares.sum())


_KINDS = {"deltas": _deltas, "peaks": _peaks, "uniform": _uniform}
