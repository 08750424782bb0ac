"""Where the residues of proteins are: folded domains of helices and strands, chains without a fold, water
around.

Geometry is the textbook's (Creighton, Proteins, 1993): an α helix rises 1.5 Å and turns 100° a residue on
a radius of 2.3 Å, helices lie 9.5 Å apart; a strand rises 3.3 Å, strands of a sheet lie 4.8 Å and sheets
10 Å apart. So a residue takes about 120 to 160 Å³, as it does in crystals.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats

#: Å³ of a residue.
RESIDUE_VOLUME = 134.0
#: Å between neighbouring Cα atoms of a chain.
BOND = 3.8


def rotation(rng: np.random.Generator) -> Floats:
    """A random rotation, (3, 3), uniform."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q if np.linalg.det(q) > 0 else -q)


def domain(residues: int, axes: Floats, rng: np.random.Generator) -> Floats:
    """Place about `residues` residues of a folded domain, (residues, 3), Å; `axes` are relative half axes of
    its ellipsoid, with a bulge on top.
    """
    half = axes * (3 * residues * RESIDUE_VOLUME / (4 * np.pi * np.prod(axes))) ** (1 / 3)
    rods = _helices if rng.random() < 0.6 else _strands
    points = rods(float(np.linalg.norm(half)) + 6.0, rng) @ rotation(rng).T
    bulge = rng.standard_normal((3, 3)) * rng.uniform(0.0, 0.25)
    u = points / half
    norm = np.linalg.norm(u, axis=1)
    direction = u / np.maximum(norm, 1e-9)[:, None]
    surface = 1 + np.einsum("ni,ij,nj->n", direction, (bulge + bulge.T) / 2, direction)
    inside = norm < surface
    # A tenth of the residues are loops and ends: anywhere near the surface.
    points = points[inside & (rng.random(len(points)) > 0.1)]
    loops = rng.standard_normal((max(1, len(points) // 10), 3))
    loops *= (half * rng.uniform(0.75, 1.1)) / np.linalg.norm(loops, axis=1)[:, None]
    return np.concatenate([points, loops])


def _helices(radius: float, rng: np.random.Generator) -> Floats:
    """Parallel helices on a jittered hexagonal lattice, within a cube around the origin."""
    spacing = rng.uniform(9.0, 10.5)
    n = int(radius / spacing) + 1
    i, j = (x.ravel() for x in np.mgrid[-n : n + 1, -n : n + 1])
    centres = spacing * np.column_stack([i + 0.5 * (j % 2), j * np.sqrt(0.75)])
    along = np.arange(-radius, radius, 1.5)
    turn = np.deg2rad(100.0) * np.arange(along.size) + rng.uniform(0, 2 * np.pi, (len(centres), 1))
    return _tilt(centres, along, 2.3 * np.cos(turn), 2.3 * np.sin(turn), rng)


def _strands(radius: float, rng: np.random.Generator) -> Floats:
    """Parallel strands in jittered sheets, within a cube around the origin."""
    sheet = rng.uniform(9.5, 11.0)
    n, m = int(radius / 4.8) + 1, int(radius / sheet) + 1
    i, j = (x.ravel() for x in np.mgrid[-n : n + 1, -m : m + 1])
    centres = np.column_stack([4.8 * i, sheet * j])
    along = np.arange(-radius, radius, 3.3)
    zigzag = 0.9 * (-1.0) ** np.arange(along.size) * np.ones((len(centres), 1))
    return _tilt(centres, along, np.zeros_like(zigzag), zigzag, rng)


def _tilt(centres: Floats, along: Floats, x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Residues of rods, each moved about an Å, along its axis at random, and tilted about ten degrees."""
    k = len(centres)
    centres = centres + rng.normal(0, 1.0, (k, 2))
    slope = np.tan(np.deg2rad(10)) * rng.standard_normal((k, 2, 1))
    z = along + rng.uniform(-1.5, 1.5, (k, 1))
    points = np.stack(
        [centres[:, :1] + x + slope[:, 0] * z, centres[:, 1:] + y + slope[:, 1] * z, z], axis=-1
    )
    return np.asarray(points.reshape(-1, 3) + rng.normal(0, 0.5, (points.size // 3, 3)))


def coil(residues: int, persistence: float, conformations: int, rng: np.random.Generator) -> Floats:
    """Draw chains without a fold, (conformations, residues, 3), Å: bonds of `BOND`, Kratky and Porod's worm.
    A bond's angle to the last has mean cosine exp(−`BOND`/persistence), persistence in Å.
    """
    mean = np.exp(-BOND / persistence)
    direction = _unit(rng.standard_normal((conformations, 3)))
    steps = np.empty((conformations, residues, 3))
    for k in range(residues):
        steps[:, k] = direction
        across = rng.standard_normal((conformations, 3))
        across = _unit(across - np.sum(across * direction, axis=1, keepdims=True) * direction)
        cosine = np.clip(mean + (1 - mean) * rng.uniform(-1, 1, (conformations, 1)), -1, 1)
        direction = cosine * direction + np.sqrt(1 - cosine**2) * across
    return np.asarray(np.cumsum(BOND * steps, axis=1))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def shell(points: Floats, rng: np.random.Generator, *, spacing: float = 4.5) -> Floats:
    """Places of water around points, (k, 3), Å: a lattice, jittered, where the nearest is 4 to 7 Å away."""
    from scipy.spatial import cKDTree

    low, high = points.min(axis=0) - 8.0, points.max(axis=0) + 8.0
    axes = [np.arange(a, b, spacing) for a, b in zip(low, high, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    places = places + rng.uniform(-0.5, 0.5, places.shape) * spacing
    nearest = cKDTree(points).query(places, distance_upper_bound=7.0)[0]
    return np.asarray(places[(nearest > 4.0) & (nearest < 7.0)])
