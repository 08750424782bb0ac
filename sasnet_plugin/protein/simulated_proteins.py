"""Simulated proteins: bodies of residues at the density of proteins, with a hydration shell.

A subunit is a union of rough ellipsoids, some of them apart; a complex is a ring, a dihedral stack or a loose
group of such subunits. It is filled with one bead a residue (133 Å³, as 110 Da at 0.73 cm³/g). Beads outside
that touch it are the hydration shell. The curve is Debye's sum over all pairs. Roughness and the distance of
domains are such that the median Rg of the dry protein follows 2.2 N^0.38 Å, the law of globular proteins with
N residues in the Protein Data Bank (J. Skolnick et al., J. Mol. Biol. 265 (1997) 217).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from ..arrays import Floats

#: kDa and Å³ of a mean residue.
RESIDUE_MASS, RESIDUE_VOLUME = 0.110, 133.0
#: Å, of the lattice that fills a body with one point a residue (face-centred cubic).
_EDGE = (4 * RESIDUE_VOLUME) ** (1 / 3)
#: Å between next neighbours.
_NEXT = _EDGE / np.sqrt(2)
#: Residues of the smallest subunit of a complex.
_SUBUNIT = 70
#: Å, radius of gyration of a residue.
_BEAD = 2.45
#: Relative spread of the contrast of residues and of what lies within them: the interior of a protein of N
#: residues scatters about I(0)/N at 0.4 Å⁻¹.
_SPREAD = 0.9
#: Å, of each coordinate of a residue about its point of the lattice.
_JITTER = 0.7
#: Å, roughness of the surface: residues stand out and leave clefts.
_ROUGH = 1.4


class Beads(NamedTuple):
    """A protein in solution."""

    places: Floats  #: (n, 3) Å
    contrasts: Floats  #: (n,) that of a mean residue is 1.
    residues: int

    @property
    def mass(self) -> float:
        """kDa"""
        return self.residues * RESIDUE_MASS


def _draw_subunit(residues: float, rng: Generator) -> list[tuple[Floats, Floats, Floats, Floats, Floats]]:
    """Ellipsoids of one subunit: centre, axes as rows over their half lengths, waves of the surface."""
    # A domain has some 150 to 400 residues; a few proteins are longer rows of smaller ones.
    mean = residues / rng.uniform(200, 500) * (2.0 if rng.random() < 0.15 else 1.0)
    count = int(np.clip(1 + rng.poisson(0.6 * mean), 1, 6))
    bodies: list[tuple[Floats, Floats, Floats, Floats, Floats]] = []
    centre = np.zeros(3)
    for number in range(count):
        half = np.exp(0.2 * rng.standard_normal(3)) * rng.uniform(0.7, 1.2)
        axes = Rotation.random(random_state=rng).as_matrix() / half[:, None]
        waves = rng.standard_normal((8, 3)) * rng.uniform(1.5, 5.0)
        sizes = rng.standard_normal(8) * rng.uniform(0.02, 0.1)
        if number:
            way = rng.standard_normal(3)
            # Domains touch; one in ten stands apart on a linker.
            apart = rng.uniform(1.0, 1.5) if rng.random() < 0.93 else rng.uniform(1.7, 2.3)
            centre = bodies[int(rng.integers(number))][0] + apart * way / np.linalg.norm(way)
        bodies.append((centre, axes, waves, sizes, rng.uniform(0, 2 * np.pi, 8)))
    return bodies


def _inside(
    points: Floats, bodies: list[tuple[Floats, Floats, Floats, Floats, Floats]], rough: Floats | float = 0.0
) -> np.ndarray:
    """Whether points lie inside; `rough` moves the surface, of each point, in units of the half lengths."""
    rough = np.broadcast_to(np.asarray(rough), len(points))
    found = np.zeros(len(points), dtype=bool)
    for centre, axes, waves, sizes, phases in bodies:
        rest = np.flatnonzero(~found)
        way = (points[rest] - centre) @ axes.T
        radius = np.linalg.norm(way, axis=1)
        near = radius < 1.8
        rest, way, radius = rest[near], way[near], radius[near]
        unit = way / np.maximum(radius, 1e-9)[:, None]
        found[rest] = radius < 1 + np.cos(unit @ waves.T + phases) @ sizes + rough[rest]
    return found


def _symmetry(rng: Generator) -> list[np.ndarray]:
    """Rotations of the copies."""
    kind = rng.choice(["1", "C", "D"], p=[0.45, 0.3, 0.25])
    if kind == "1":
        return [np.eye(3)]
    fold = int(rng.choice([2, 3, 4, 5, 6], p=[0.5, 0.2, 0.1, 0.1, 0.1])) if kind == "C" else int(
        rng.choice([2, 3, 4, 6], p=[0.6, 0.25, 0.1, 0.05])
    )  # fmt: skip
    ring = [Rotation.from_rotvec([0, 0, 2 * np.pi * k / fold]).as_matrix() for k in range(fold)]
    if kind == "C":
        return ring
    turned = np.diag([1.0, -1.0, -1.0])
    return ring + [rotation @ turned for rotation in ring]


def draw_protein(rng: Generator, masses: tuple[float, float] = (5.0, 900.0)) -> Beads:
    """A protein or complex whose mass (kDa) is drawn from a log-uniform distribution."""
    residues = int(np.exp(rng.uniform(*np.log(masses))) / RESIDUE_MASS)
    tail = int(residues * rng.uniform(0.02, 0.12)) if rng.random() < 0.25 and residues < 2000 else 0
    copies = _symmetry(rng)
    while len(copies) > 1 and residues < _SUBUNIT * len(copies):
        copies = _symmetry(rng)
    bodies = _draw_subunit(residues / len(copies), rng)
    sample = rng.uniform(-6, 6, (80_000, 3))
    solid = sample[_inside(sample, bodies)]
    centre = solid.mean(axis=0)
    shift = _touch(solid[:400] - centre, bodies, centre, copies, rng.uniform(0.02, 0.12)) - centre
    scale = ((residues - tail) * RESIDUE_VOLUME * len(sample) / (len(solid) * 1728.0 * len(copies))) ** (
        1 / 3
    )
    for _ in range(4):  # copies overlap, which makes the body smaller
        points = _lattice(scale, [copy @ shift for copy in copies], rng)
        rough = _ROUGH / scale * rng.standard_normal(len(points))
        found = np.zeros(len(points), dtype=bool)
        for copy in copies:
            found |= _inside((points @ copy) / scale - shift, bodies, rough)
        number = int(found.sum())
        if abs(number / (residues - tail) - 1) < 0.02:
            break
        scale *= ((residues - tail) / max(number, 1)) ** (1 / 3)
    core, outside = points[found], points[~found]
    distance = cKDTree(core).query(outside, distance_upper_bound=1.05 * _NEXT)[0]
    shell = outside[np.isfinite(distance)]
    protein = np.concatenate([core, _draw_tail(core, tail, rng)])
    places = np.concatenate([protein, shell])
    places = places + _JITTER * rng.standard_normal(places.shape)
    contrasts = np.concatenate([
        1 + _SPREAD * rng.standard_normal(len(protein)),
        np.full(len(shell), rng.uniform(0.05, 0.22)),
    ])  # fmt: skip
    return Beads(places, contrasts, len(protein))


def _touch(
    solid: Floats,
    bodies: list[tuple[Floats, Floats, Floats, Floats, Floats]],
    centre: Floats,
    copies: list[np.ndarray],
    overlap: float,
) -> Floats:
    """Where a subunit's centre stands, so that it shares `overlap` of its volume with its copies."""
    stacked = any(copy[2, 2] < 0 for copy in copies)
    shift = np.zeros(3)
    for axis in [0] * (len(copies) > 1 + stacked) + [2] * stacked:
        others = [copy for copy in copies[1:] if axis == 2 or copy[2, 2] > 0]
        for out in np.arange(0.0, 12.0, 0.1):
            shift[axis] = out
            places = solid + shift
            shared = np.zeros(len(places), dtype=bool)
            for copy in others:
                shared |= _inside(places @ copy - shift + centre, bodies)
            if shared.mean() <= overlap:
                break
    return shift


def _lattice(scale: float, centres: list[Floats], rng: Generator) -> Floats:
    """Points of a face-centred cubic lattice around the copies, turned and shifted at random."""
    reach = scale * (max(float(np.linalg.norm(centre)) for centre in centres) + 6.0)
    steps = np.arange(-reach, reach, _EDGE)
    corners = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    base = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]) * _EDGE
    points = (corners[:, None] + base).reshape(-1, 3) + rng.uniform(0, _EDGE, 3)
    near = cKDTree(np.stack(centres) * scale).query(points, distance_upper_bound=6.0 * scale)[0]
    return points[np.isfinite(near)]


def _draw_tail(core: Floats, residues: int, rng: Generator) -> Floats:
    """A disordered chain from the surface outwards."""
    if not residues:
        return np.zeros((0, 3))
    start = core[np.argmax(core @ rng.standard_normal(3))]
    out = start - core.mean(axis=0)
    out /= np.linalg.norm(out)
    steps = rng.standard_normal((residues, 3)) + 0.3 * out
    steps = steps + 0.6 * np.roll(steps, 1, axis=0)
    steps *= 3.8 / np.linalg.norm(steps, axis=1)[:, None]
    return start + np.cumsum(steps, axis=0)


def scatter(beads: Beads, q: Floats) -> Floats:
    """I(q) over I(0), by a histogram of all distances (0.5 Å), q in Å⁻¹."""
    counts = np.zeros(1)
    places, weights = beads.places.astype(np.float32), beads.contrasts
    squares = np.einsum("ij,ij->i", places, places)
    for first in range(0, len(places), 500):
        rows = slice(first, first + 500)
        distance = squares[rows, None] + squares[first:] - 2 * places[rows] @ places[first:].T
        bins = (2 * np.sqrt(np.maximum(distance, 0.0))).astype(np.int32)
        pairs = np.multiply.outer(weights[rows], weights[first:])
        # Pairs of the block with itself stand twice already.
        pairs[:, min(500, len(places) - first) :] *= 2
        part = np.bincount(bins.ravel(), pairs.ravel())
        if part.size > counts.size:
            counts = np.pad(counts, (0, part.size - counts.size))
        counts[: part.size] += part
    own = float(weights @ weights)
    counts[0] -= own  # each with itself, at a distance of exactly 0
    r = (np.arange(counts.size) + 0.5) / 2
    curve = own + np.sinc(np.multiply.outer(q, r) / np.pi) @ counts
    curve = curve * np.exp(-(q**2) * _BEAD**2 / 3)
    return np.asarray(curve / float(weights.sum()) ** 2)


def radius_of_gyration(beads: Beads) -> float:
    """Å, of the contrasts."""
    share = beads.contrasts / beads.contrasts.sum()
    off = beads.places - share @ beads.places
    return float(np.sqrt(share @ np.einsum("ij,ij->i", off, off) + _BEAD**2))


def largest_distance(beads: Beads) -> float:
    """Å, between the edges of the two residues furthest apart, without the hydration shell."""
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist

    residues = beads.places[: beads.residues]
    corners = residues[ConvexHull(residues).vertices]
    return float(pdist(corners).max()) + 2 * 3.2
