"""Reflections of lattices: where powder rings and a crystal's spots lie, and how strong they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats

_HEXAGONAL = ((1.0, 0.0, 0.0), (-0.5, np.sqrt(3) / 2, 0.0), (0.0, 0.0, 1.0))
#: Ideal ratio of the axes of close-packed spheres.
_CLOSE_PACKED = float(np.sqrt(8 / 3))
#: Largest Miller index that is looked at, and weight of a reflection that counts as absent.
_INDEX, _ABSENT = 6, 1e-6


@dataclass(frozen=True)
class Lattice:
    """A Bravais lattice and what stands at its points."""

    #: tuple of 3 vectors, of the cell, in units of its first one.
    vectors: tuple[tuple[float, float, float], ...] = ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0))
    #: tuple of vectors, places of equal scatterers, in fractions of the cell; empty where `weights` says it.
    basis: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, 0.0),)
    dimensions: int = 3  #: In which it is periodic: 1 for layers, 2 for columns.
    #: By h² + k² + l², |F|², where structure is no set of points.
    weights: tuple[tuple[int, float], ...] = ()


#: The gyroid's reflections are those of space group Ia-3d; intensities about those of block copolymers (D. A.
#: Hajduk et al., Macromolecules 27 (1994) 4063), where all but the first two are faint.
LATTICES = {
    "bcc": Lattice(basis=((0, 0, 0), (0.5, 0.5, 0.5))),
    "fcc": Lattice(basis=((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))),
    "hcp": Lattice(
        vectors=(*_HEXAGONAL[:2], (0.0, 0.0, _CLOSE_PACKED)),
        basis=((1 / 3, 2 / 3, 0.25), (2 / 3, 1 / 3, 0.75)),
    ),
    "lamellar": Lattice(dimensions=1),
    "hexagonal": Lattice(vectors=_HEXAGONAL, dimensions=2),
    "gyroid": Lattice(
        weights=((6, 1.0), (8, 0.5), (14, 0.05), (16, 0.05), (20, 0.08), (22, 0.08), (24, 0.03), (26, 0.03))
    ),
}


@dataclass(frozen=True)
class Reflections:
    """Reciprocal-lattice points, in units of the first ring's q, by their distance."""

    points: Floats  #: (n, 3)
    weights: Floats  #: (n,), |F|².

    @property
    def distance(self) -> Floats:
        """(n,) q over that of the first ring."""
        return np.asarray(np.linalg.norm(self.points, axis=1), dtype=np.float64)


@cache
def reflections(name: str) -> Reflections:
    """Reflections of a lattice of `LATTICES`; |F|² = |Σ_j exp(2πi (h, k, l)·r_j)|² over its basis."""
    # Source: B. E. Warren, X-ray Diffraction (1969), chapter 3.
    lattice = LATTICES[name]
    steps = np.arange(-_INDEX, _INDEX + 1)
    no_step = np.zeros(1, dtype=steps.dtype)
    axes = [steps if axis < lattice.dimensions else no_step for axis in range(3)]
    miller = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    miller = miller[np.any(miller != 0, axis=1)]
    if lattice.weights:
        weights_by_index = dict(lattice.weights)
        # Ia-3d lets pass h + k + l even, and more: what `weights` does not list is absent.
        weight = np.array([weights_by_index.get(int(n), 0.0) for n in (miller**2).sum(axis=1)])
        weight *= _select_ia3d(miller)
    else:
        phases = np.exp(2j * np.pi * miller @ np.array(lattice.basis).T)
        weight = np.abs(phases.sum(axis=1)) ** 2 / len(lattice.basis) ** 2
    points = miller @ np.linalg.inv(np.array(lattice.vectors, dtype=np.float64)).T
    is_present = weight > _ABSENT
    points, weight = points[is_present], weight[is_present]
    distance = np.linalg.norm(points, axis=1)
    order = np.argsort(distance, kind="stable")
    # Beyond this the largest index cuts rings short.
    whole = distance[order] < (_INDEX + 0.5) * np.linalg.norm(np.linalg.inv(lattice.vectors), axis=0).min()
    order = order[whole]
    return Reflections(points[order] / distance[order[0]], weight[order])


def _select_ia3d(miller: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Reflection conditions of Ia-3d (International Tables A, no. 230): hkl even sum; 0kl: k, l even; hhl:
    2h + l = 4n; h00: h = 4n; and what permutation gives.
    """
    good = miller.sum(axis=1) % 2 == 0
    for axis in range(3):
        first, second = (miller[:, (axis + step) % 3] for step in (1, 2))
        index = miller[:, axis]
        good &= (index != 0) | ((first % 2 == 0) & (second % 2 == 0))
        good &= (np.abs(first) != np.abs(second)) | ((2 * first + index) % 4 == 0)
        good &= (first != 0) | (second != 0) | (index % 4 == 0)
    return np.asarray(good)


@cache
def powder(name: str, rings: int) -> tuple[Floats, Floats]:
    """Return at most `rings` rings of a powder: q over the first's, and Σ|F|²/q² with Lorentz factor."""
    peaks = reflections(name)
    distances, group_index = np.unique(np.round(peaks.distance, 6), return_inverse=True)
    height = np.bincount(group_index, peaks.weights) / distances**2
    return distances[:rings], height[:rings] / height[0]


def crystal(name: str, turn: Floats, thick: float, reach: float) -> Floats:
    """Return spots (n, 3) of a rotated single crystal on a flat Ewald sphere: q across and up, and strength,
    up to `reach`; lengths in the first ring's q.
    """
    # `thick` is one standard deviation off the sphere by mosaic spread, size and divergence.
    peaks = reflections(name)
    points = peaks.points @ turn.T
    lit = peaks.weights * np.exp(-0.5 * (points[:, 2] / thick) ** 2)
    across = np.hypot(points[:, 0], points[:, 1])
    is_kept = (lit > 0.01 * peaks.weights.max()) & (across < reach) & (across > 0.1)
    return np.column_stack([points[is_kept, :2], lit[is_kept]])
