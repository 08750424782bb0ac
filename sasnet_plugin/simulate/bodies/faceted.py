"""Faceted and rough particles: convex polyhedra without symmetry, surfaces that are no plane.

A convex body is cut into tetrahedra from its middle. Across a direction, the area of a tetrahedron's
sections is a quadratic B-spline over its corners (Curry & Schoenberg, J. Anal. Math. 17 (1966) 71), so
its amplitude is a divided difference of exponentials, V 3! [z₀ z₁ z₂ z₃] exp(i q z)/(i q)³.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats
from . import accepted
from .body import COARSE_Q, Q_TOP, Body, interpolate_on_wide_grid
from .populations import average_sizes

#: Directions over half of the sphere; the curve is kept to a few per cent up to q times size of a hundred.
DIRECTIONS = 150
_X = np.exp(np.arange(np.log(0.3), np.log(250), 1 / 60))


def polyhedron(corners: Floats, x: Floats = _X) -> tuple[Floats, float]:
    """Return |F|² of the convex hull of points, all directions, 1 at q = 0, and its radius of gyration; x = q
    in inverse units of corners, largest length times x at least 0.1.
    """
    from scipy.spatial import ConvexHull

    hull = ConvexHull(corners)
    middle = corners.mean(axis=0)
    tetrahedra = np.concatenate(
        [np.broadcast_to(middle, (len(hull.simplices), 1, 3)), corners[hull.simplices]], axis=1
    )
    edges = tetrahedra[:, 1:] - tetrahedra[:, :1]
    volume = np.abs(np.linalg.det(edges)) / 6
    centre = volume @ tetrahedra.mean(axis=1) / volume.sum()
    relative = tetrahedra - centre
    # Of a tetrahedron, ∫ r² dV = V/20 (Σ rᵢ² + |Σ rᵢ|²) over its corners.
    squares = np.sum(relative**2, axis=(1, 2)) + np.sum(relative.sum(axis=1) ** 2, axis=1)
    rg = float(np.sqrt(volume @ squares / 20 / volume.sum()))
    k = np.arange(DIRECTIONS) + 0.5
    up, turn = k / DIRECTIONS, np.pi * (1 + np.sqrt(5)) * k
    flat = np.sqrt(1 - up**2)
    directions = np.column_stack([flat * np.cos(turn), flat * np.sin(turn), up])
    total = np.zeros(x.size)
    for direction in directions:
        z = np.sort(relative @ direction, axis=1)
        # Corners at one height are put a little apart: the difference is divided by their distance.
        z = z + 1e-4 * rg * np.arange(4)
        waves = np.exp(1j * x[:, None, None] * z)
        apart = z[:, :, None] - z[:, None, :] + np.eye(4)
        divided = np.sum(waves / np.prod(apart, axis=2), axis=2)
        total += np.abs(divided @ (6 * volume)) ** 2 / x**6
    return total / DIRECTIONS / volume.sum() ** 2, rg


def particle(rng: np.random.Generator) -> Body:
    """Draw a hull of 8 to 40 points near an ellipsoid of 10 to 500 Å, in many sizes; half are rough."""
    # A rough surface scatters with q^−(6 − D), D 2 to 2.7 (Bale & Schmidt, Phys. Rev. Lett. 53 (1984) 596).
    directions = rng.standard_normal((int(rng.integers(8, 41)), 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    axes = np.exp(0.25 * rng.standard_normal(3))
    curve, rg = polyhedron(directions * axes * rng.uniform(0.8, 1.0, (len(directions), 1)))
    # Below the first point it is Guinier's; beyond the last, Porod's.
    low, high = np.exp(np.arange(np.log(1e-3), np.log(0.3), 1 / 20)), np.array([3e3])
    x = np.concatenate([low, _X, high])
    curve = np.concatenate(
        [np.exp(-((low * rg) ** 2) / 3), curve, curve[-60:].mean() * (_X[-30] / high) ** 4]
    )
    if rng.random() < 0.5:
        curve = curve * (1 + (x * rg / 3) ** 2) ** (rng.uniform(0.1, 0.7) / 2)
    q = COARSE_Q[(COARSE_Q >= 1e-4) & (COARSE_Q <= Q_TOP)]
    size, sigma = float(np.exp(rng.uniform(np.log(10), np.log(500)))), rng.uniform(0.02, 0.25)
    sizes = average_sizes(x, curve, q, size, sigma)
    # What the distribution weighs is volume squared: size⁸/size⁶.
    return Body(
        "faceted",
        interpolate_on_wide_grid(q, sizes),
        rg * size * float(np.exp(7 * sigma**2)),
        accepted.COMPACT,
    )
