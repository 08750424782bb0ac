"""Curves of bodies in two sizes and of aggregates, body by body: no code of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import j1

Floats = NDArray[np.float64]
Q = np.geomspace(1e-3, 0.6, 400)
_ANGLES = 40


def ball(q: Floats, radius: float) -> Floats:
    """Amplitude of a sphere, times its volume."""
    x = q * radius
    return np.asarray(4 * np.pi * radius**3 * (np.sin(x) - x * np.cos(x)) / x**3)


def rod(q: Floats, radius: float, length: float) -> Floats:
    """|F|² of a cylinder in all directions, times its volume squared."""
    u = (np.arange(_ANGLES) + 0.5) / _ANGLES
    across = np.outer(q, np.sqrt(1 - u**2)) * radius
    f = 2 * j1(across) / across * np.sinc(np.outer(q, u) * length / 2 / np.pi)
    return np.asarray(np.mean(f**2, axis=1) * (np.pi * radius**2 * length) ** 2)


def two_sizes(rng: np.random.Generator) -> tuple[Floats, tuple[str, ...]]:
    """Two populations of spheres (0.6), rods or disks; curve and what is accepted as a first answer."""
    small = np.exp(rng.uniform(np.log(15), np.log(120)))
    large = small * rng.uniform(2.0, 6.0)
    kind = rng.random()
    curves = []
    aspect = float(np.exp(rng.uniform(np.log(4), np.log(12))))
    for size in (small, large):
        sizes = rng.lognormal(np.log(size), rng.uniform(0.05, 0.2), 60)
        if kind < 0.6:
            curves.append(np.mean([ball(Q, s) ** 2 for s in sizes], axis=0))
        elif kind < 0.8:
            curves.append(np.mean([rod(Q, s, 2 * s * aspect) for s in sizes], axis=0))
        else:
            curves.append(np.mean([rod(Q, s, 2 * s / aspect) for s in sizes], axis=0))
    at = int(np.searchsorted(Q, rng.uniform(1.2, 3.0) / large))
    total = curves[1] / curves[1][at] + rng.uniform(0.25, 3.0) * curves[0] / curves[0][at]
    flat = ("cylinder", "elliptical_cylinder", "ellipsoid", "triaxial_ellipsoid", "parallelepiped")
    names = ("sphere", "fuzzy_sphere", "core_shell_sphere") if kind < 0.6 else (*flat, "capped_cylinder")
    return total, names


def merged(generations: int, rng: np.random.Generator) -> Floats:
    """Centres of 2^generations spheres of radius 1: clusters hit one another on straight lines."""
    if generations == 0:
        return np.zeros((1, 3))
    first, second = merged(generations - 1, rng), merged(generations - 1, rng)
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    second = (second - second.mean(0)) @ (q * np.sign(np.diag(r))).T
    first = first - first.mean(0)
    reach = np.linalg.norm(first, axis=1).max() + np.linalg.norm(second, axis=1).max() + 2
    while True:
        offset = rng.uniform(-reach / 2, reach / 2, 2)
        # Along z: every pair touches where the distance across allows it; the first that does stops them.
        across = second[:, None, :2] + offset - first[None, :, :2]
        near = 4.0 - np.sum(across**2, axis=2)
        gap = first[None, :, 2] - second[:, None, 2]
        stop = np.where(near > 0, gap + np.sqrt(np.maximum(near, 0)), -np.inf)
        if np.isfinite(stop.max()):
            return np.vstack([first, second + [*offset, float(stop.max())]])


def aggregate(rng: np.random.Generator) -> tuple[Floats, bool]:
    """Clusters of 16 to 256 spheres, single ones beside them in a half: curve, and whether there are."""
    generations, radius = int(rng.integers(4, 9)), float(np.exp(rng.uniform(np.log(12), np.log(60))))
    factor = np.zeros_like(Q)
    for _ in range(4):
        points = radius * merged(generations, rng)
        n = len(points)
        first, second = np.triu_indices(n, 1)
        r = np.linalg.norm(points[first] - points[second], axis=1)
        edges = np.linspace(0, r.max() * 1.001, 2000)
        density = np.histogram(r, edges)[0]
        factor += 1 + 2 / n * np.sinc(np.outer(Q, (edges[1:] + edges[:-1]) / 2) / np.pi) @ density
    factor = factor / 4
    radii = rng.normal(radius, rng.uniform(0.03, 0.15) * radius, 40)
    single = rng.random() < 0.5
    body = np.mean([ball(Q, abs(s)) ** 2 for s in radii], axis=0)
    return body * (factor + single * rng.uniform(0.5, 4.0)), single
