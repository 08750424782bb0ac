"""Aggregates of equal bodies, with single ones beside them.

Clusters grow body by body so that their radius of gyration keeps to Rg = a (N/k)^(1/D), D 1.5 to 2.8, k
1.0 to 1.4 (Filippov et al., J. Colloid Interface Sci. 229 (2000) 261, for sequential clusters).
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats
from . import accepted
from .body import Body, interpolate_on_wide_grid
from .debye import distances, sum_debye
from .populations import _X, average_sizes, sphere, spheroid


def cluster(bodies: int, dimension: float, prefactor: float, rng: np.random.Generator) -> Floats:
    """Return centres (bodies, 3) of touching spheres of radius 1, about their centre of mass."""
    # Each next one lies at the distance that the radius of gyration asks for, in one of 200 directions where
    # it touches and does not overlap; else on the surface.
    points = np.array([[-1.0, 0, 0], [1.0, 0, 0]])
    while len(points) < bodies:
        n = len(points) + 1
        centre = points.mean(axis=0)
        target_square = (n / prefactor) ** (2 / dimension) * n
        square = np.sum((points - centre) ** 2)
        away = np.sqrt(max((target_square - square) * n / (n - 1), 4.0))
        directions = rng.standard_normal((200, 3))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        # Towards each body's surface: places that touch it, nearest to the distance that is asked for.
        touching = points[rng.integers(len(points), size=200)] + 2.0 * directions
        nearest = np.linalg.norm(touching[:, None] - points, axis=2).min(axis=1)
        miss = np.abs(np.linalg.norm(touching - centre, axis=1) - away) + 100.0 * (nearest < 2.0 - 1e-6)
        points = np.vstack([points, touching[np.argmin(miss)]])
    return points - points.mean(axis=0)


def aggregate(rng: np.random.Generator) -> Body:
    """Clusters of 2 to 250 spheres or spheroids of 10 to 300 Å, single ones beside them in a half."""
    n = int(np.exp(rng.uniform(np.log(2), np.log(250))))
    points = cluster(n, rng.uniform(1.5, 2.8), rng.uniform(1.0, 1.4), rng)
    radius = float(np.exp(rng.uniform(np.log(10), np.log(300))))
    round_ = rng.random() < 0.7
    curve = sphere(_X) if round_ else spheroid(_X, float(rng.uniform(0.4, 2.0)))
    weights = 1 + rng.uniform(0, 0.3) * rng.standard_normal(n)
    q, total, rg = sum_debye([distances(radius * points, weights)], [weights])
    # The wide grid begins below the first q: what is needed is the factor beside that of one body.
    body = average_sizes(_X, curve, q, radius, rng.uniform(0.02, 0.25))
    body = body / average_sizes(_X, curve, np.array([1e-6]), radius, 0.02)
    factor = total * n
    single = rng.random() < 0.5
    if single:
        factor = factor + np.exp(rng.uniform(np.log(0.2), np.log(5.0)))
    names: tuple[str, ...] = accepted.CLUSTER
    if n < 12 or single:
        names = (*names, *(("sphere", "fuzzy_sphere") if round_ else accepted.COMPACT))
    if n < 12:
        names = (*names, "pearl_necklace", "linear_pearls", "raspberry")
    # A spheroid or a necklace has another curve from its own size on.
    outside = 0.0 if single and n > 12 else np.inf
    second = 1.0 if single and n > 12 else np.nan
    return Body(
        "aggregate",
        interpolate_on_wide_grid(q, body * factor),
        rg if not single else np.nan,
        names,
        outside,
        second,
    )
