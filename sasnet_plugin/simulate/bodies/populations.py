"""Bodies in two sizes, or over a wide range of sizes: spheres, ellipsoids, rods and plates.

The prior: two log-normal populations (number of bodies) whose sizes differ by 1.5 to 8 and whose curves
cross at 0.1 to 0.9 of the low-q intensity; or one, σ 0.3 to 0.9.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats
from . import accepted
from .body import COARSE_Q, Q_TOP, Body, interpolate_on_wide_grid

#: Of the shape of unit size: its curve up to this q, 60 points a unit of ln q.
_X = np.exp(np.arange(np.log(1e-3), np.log(3e3), 1 / 150))


def sphere(x: Floats) -> Floats:
    """|F|² of a sphere of radius 1, 1 at 0 (Rayleigh 1911)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        f = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return np.asarray(np.where(x < 1e-2, np.exp(-(x**2) / 5), f**2))


def spheroid(x: Floats, ratio: float) -> Floats:
    """|F|² of a spheroid, half axes (1, 1, ratio), all directions, 1 at 0."""
    u, w = np.polynomial.legendre.leggauss(48)
    u, w = (u + 1) / 2, w / 2
    return np.asarray(w @ np.array([sphere(x * np.sqrt(1 + u_i**2 * (ratio**2 - 1))) for u_i in u]))


def average_sizes(x: Floats, curve: Floats, q: Floats, size: float, sigma: float) -> Floats:
    """Average |F|² (at x = q times size) over log-normal sizes weighted by volume squared, (n,), not
    normalised; q in Å⁻¹, median size in Å, sigma of its logarithm.
    """
    t = np.linspace(-4, 4, int(np.clip(160 * sigma, 9, 120)) | 1)
    # Weighted by size to the sixth the distribution is the same, six σ² further on.
    shift = sigma * t + 6 * sigma**2
    weight = np.exp(-0.5 * t**2)
    log_curve, log_x = np.log(np.maximum(curve, 1e-30)), np.log(x)
    log_positions = np.log(q * size)[:, None] + shift
    return np.asarray(np.exp(np.interp(log_positions, log_x, log_curve)) @ weight / weight.sum())


def population(rng: np.random.Generator) -> Body:
    """Two sizes of one shape, or one wide distribution."""
    names: tuple[str, ...]
    if rng.random() < 0.6:
        curve, names = sphere(_X), ("sphere", "fuzzy_sphere", "core_shell_sphere")
    else:
        ratio = float(np.exp(rng.choice([-1, 1]) * rng.uniform(np.log(1.5), np.log(8))))
        curve = spheroid(_X, ratio)
        names = accepted.COMPACT if 1 / 3 < ratio < 3 else accepted.ELONGATED
        if ratio < 1 / 3:
            names = ("ellipsoid", "cylinder", "elliptical_cylinder", "triaxial_ellipsoid")
    q = COARSE_Q[(COARSE_Q >= 1e-4) & (COARSE_Q <= Q_TOP)]
    size = float(np.exp(rng.uniform(np.log(15), np.log(1500))))
    if rng.random() < 0.35:
        sigma = rng.uniform(0.3, 0.9)
        average = average_sizes(_X, curve, q, size, sigma)
        return Body(
            "population",
            interpolate_on_wide_grid(q, average),
            np.nan,
            names,
            np.inf,
            0.0 if sigma < 0.4 else np.nan,
        )
    large = size * float(np.exp(rng.uniform(np.log(1.5), np.log(8))))
    large_average = average_sizes(_X, curve, q, size, rng.uniform(0.04, 0.3))
    two = average_sizes(_X, curve, q, large, rng.uniform(0.04, 0.3))
    share = float(np.exp(rng.uniform(np.log(0.1), np.log(9.0))))
    # Where the large ones have lost half of their intensity, the small ones are so many times what is left.
    index = int(np.searchsorted(q, rng.uniform(1.0, 4.0) / large))
    average = two / two[index] + share * large_average / large_average[index]
    return Body("population", interpolate_on_wide_grid(q, average), np.nan, names, 1.5 / large, 1.0)
