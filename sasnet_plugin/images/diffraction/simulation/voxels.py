"""A second simulator of single particles: bodies of voxels of more kinds, planes along the beam added up.

F(q) = Σ_z exp(i q_z z) Σ_xy ρ exp(i(q_x x + q_y y)) in the first Born approximation, q_z on Ewald's sphere.
Where `msft` lets the wave pass through smooth bodies, this sums scattering of any shape; what is learned from
both is less bound to either. The detector is `measurement`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulate.draws import loguniform
from .patterns import as_stored

Array = NDArray[np.float32]
#: Voxels along a side of the cube that holds a body; each is filled by two cubed points.
VOXELS = 64
#: q at the window's edge times half the cube's side: from a few rings to as many as voxels carry.
_SIZE, _MOST = (8.0, 28.0), 30.0
#: Scattering angle at the window's edge, degrees.
_THETA = (12.0, 28.0)
#: Pixels of a pattern's side.
_PATTERN = 160


@cache
def _fine() -> tuple[Array, Array, Array]:
    """z, y, x of the points, the cube's half side 1."""
    grid = ((np.arange(2 * VOXELS) + 0.5) / VOXELS - 1).astype(np.float32)
    z, y, x = np.meshgrid(grid, grid, grid, indexing="ij")
    return z, y, x


def _turn_grid(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Coordinates of the points along axes of any direction."""
    a, b, c, d = (v := rng.normal(size=4)) / np.linalg.norm(v)
    rows = (
        (1 - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c)),
        (2 * (b * c + a * d), 1 - 2 * (b * b + d * d), 2 * (c * d - a * b)),
        (2 * (b * d - a * c), 2 * (c * d + a * b), 1 - 2 * (b * b + c * c)),
    )
    z, y, x = _fine()
    first, two, three = (np.float32(p) * x + np.float32(q) * y + np.float32(r) * z for p, q, r in rows)
    return first, two, three


def _ball(radius: float) -> NDArray[np.bool_]:
    z, y, x = _fine()
    return x * x + y * y + z * z < radius**2


def _ellipsoid(semi: tuple[float, float, float], rng: np.random.Generator) -> NDArray[np.bool_]:
    x, y, z = _turn_grid(rng)
    return np.asarray((x / semi[0]) ** 2 + (y / semi[1]) ** 2 + (z / semi[2]) ** 2 < 1)


def sphere(rng: np.random.Generator) -> Array:
    """Nearly round, by up to 3 %."""
    return _ellipsoid((0.92, 0.92, 0.92 * rng.uniform(0.97, 1.03)), rng).astype(np.float32)


def layered(rng: np.random.Generator) -> Array:
    """A core of 0.35 to 0.85 of the radius, emptier or 1.7 to 5 times as dense."""
    density = rng.uniform(0, 0.5) if rng.random() < 0.5 else rng.uniform(1.7, 5)
    core = _ball(0.95 * rng.uniform(0.35, 0.85))
    return np.where(core, density, _ball(0.95)).astype(np.float32)


def shell(rng: np.random.Generator) -> Array:
    """Hollow, the wall 5 to 15 % of the radius."""
    return (_ball(0.95) & ~_ball(0.95 * rng.uniform(0.85, 0.95))).astype(np.float32)


def oblate(rng: np.random.Generator) -> Array:
    """Polar over equatorial axis 0.35 to 0.85."""
    return _ellipsoid((0.95, 0.95, 0.95 * rng.uniform(0.35, 0.85)), rng).astype(np.float32)


def prolate(rng: np.random.Generator) -> Array:
    """1.4 to 3.8 times as long as wide."""
    across = 0.95 / rng.uniform(1.4, 3.8)
    return _ellipsoid((across, across, 0.95), rng).astype(np.float32)


def triaxial(rng: np.random.Generator) -> Array:
    """Three different axes."""
    return _ellipsoid((0.95, 0.95 * rng.uniform(0.5, 0.8), 0.95 * rng.uniform(0.3, 0.5)), rng).astype(
        np.float32
    )


def pill(rng: np.random.Generator) -> Array:
    """A cylinder between half spheres, 1.6 to 4 times as long as wide."""
    x, y, z = _turn_grid(rng)
    radius = 0.95 / rng.uniform(1.6, 4)
    beyond = np.maximum(np.abs(z) - (0.95 - radius), 0)
    return (x * x + y * y + beyond**2 < radius**2).astype(np.float32)


def disk(rng: np.random.Generator) -> Array:
    """A flat cylinder."""
    x, y, z = _turn_grid(rng)
    return ((x * x + y * y < 0.9**2) & (np.abs(z) < rng.uniform(0.1, 0.35))).astype(np.float32)


def box(rng: np.random.Generator) -> Array:
    """Edges of three lengths."""
    a, b, c = np.abs(_turn_grid(rng))
    return ((a < 0.55) & (b < rng.uniform(0.35, 0.55)) & (c < rng.uniform(0.25, 0.55))).astype(np.float32)


def pair(rng: np.random.Generator) -> Array:
    """Two spheres of different sizes that touch or have grown together."""
    x, y, z = _turn_grid(rng)
    first, second = rng.uniform(0.4, 0.5), rng.uniform(0.25, 0.45)
    off = rng.uniform(0.84, 1.05) * (first + second) / 2
    across = x * x + y * y
    return ((across + (z - off) ** 2 < first**2) | (across + (z + off) ** 2 < second**2)).astype(np.float32)


def trimer(rng: np.random.Generator) -> Array:
    """Three spheres in a triangle."""
    x, y, z = _turn_grid(rng)
    radius, turns = rng.uniform(0.36, 0.46), 2 * np.pi / 3 * np.arange(3)
    spheres = [(x - 0.48 * np.cos(t)) ** 2 + (y - 0.48 * np.sin(t)) ** 2 + z * z < radius**2 for t in turns]
    return np.any(spheres, axis=0).astype(np.float32)


def egg(rng: np.random.Generator) -> Array:
    """One end wider than the other."""
    x, y, z = _turn_grid(rng)
    width = np.maximum(0.55 * (1 - rng.uniform(0.35, 0.6) * z), 0.05)
    return ((x * x + y * y) / width**2 + (z / 0.95) ** 2 < 1).astype(np.float32)


BODIES: Mapping[str, Callable[[np.random.Generator], Array]] = MappingProxyType(
    {
        f.__name__: f
        for f in (sphere, layered, oblate, prolate, pill, pair, disk, box, shell, triaxial, trimer, egg)
    }
)


def field(body: Array, half: float, k: float, q: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Compute the scattered field (n, n) of a filled cube (beam, up, across) at `q` in both directions, up to
    k. `half` is half the side; `k` = 2π/λ in its inverse unit.
    """
    grid = ((np.arange(VOXELS) + 0.5) / VOXELS * 2 - 1) * half
    # The transform of a voxel's own box with the sum over voxels.
    waves = np.exp(1j * np.outer(q, grid)) * np.sinc(q * half / VOXELS / np.pi)[:, None]
    waves = waves.astype(np.complex64)
    along = k - np.sqrt(np.maximum(k * k - q[:, None] ** 2 - q[None, :] ** 2, 0.0))
    total = np.zeros((q.size, q.size), np.complex64)
    for plane, z in zip(body, grid, strict=True):
        if plane.any():
            total += (waves @ plane @ waves.T) * np.exp(1j * along * z).astype(np.complex64)
    return total


def pattern(kind: str, rng: np.random.Generator) -> dict[str, Any]:
    """Simulate a clean pattern for `measurement.shot`: ``picture``, log10 intensity over q across the beam,
    and ``parameters`` with ``theta``, radians.
    """
    theta = float(np.radians(rng.uniform(*_THETA)))
    half = min(loguniform(*_SIZE, rng) / 0.95, _MOST)
    filled = BODIES[kind](rng).reshape(VOXELS, 2, VOXELS, 2, VOXELS, 2).mean(axis=(1, 3, 5))
    q = (np.arange(_PATTERN) + 0.5) / _PATTERN * 2 - 1
    intensity = np.abs(field(filled, half, 1 / np.sin(theta), q)) ** 2
    return {"picture": as_stored(intensity.astype(np.float64)), "parameters": {"theta": theta}}
