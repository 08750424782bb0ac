"""A basis in its factors: particles, and the lattice's sums at every rotation, kept to be put together anew.

A fit moves one thing after another: radius, size spread, film and incidence change what particles scatter,
the scatter about the sites a weight, the lattice constant and the width the sums alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ...simulation import bornagain
from ...simulation.window import Window
from .basis import Nodes, columns_per_pixel, particles_at
from .columns import columns_of
from .geometry import N_HALF, XI, Geometry
from .lattice import HEXAGONAL, SQUARE, LatticeSum, debye_waller, project_in_plane

#: What each factor depends on.
PARTICLE_NAMES = ("radius", "radius_pd", "oxide", "alpha_i", "wavelength")
LATTICE_NAMES = ("lattice", "width", "alpha_i", "wavelength")
#: Parts across a pixel that may begin within a peak, at most.
_MOST_PARTS = 22
#: Parts of a row's height on which films are compared.
_FILM_PARTS = 3


@dataclass(frozen=True)
class Factors:
    """The factors of one geometry, on several parts across each pixel."""

    geometry: Geometry
    window: Window  #: Margin included.
    across: int  #: Parts of a pixel across.
    #: every, mean: (rows, columns · across), ⟨|F|²⟩ and |⟨F⟩|².
    every: Floats
    mean: Floats
    #: (61, rows, columns · across), sum over the lattice's peaks under ξ = 0, 0.5, … 30 degrees.
    sums: NDArray[np.float32]
    nodes: Nodes = Nodes()  #: Where BornAgain was asked for ``every`` and ``mean``.
    #: By which a detector's columns lie to the right of the window's, degrees: its pixels need not end where
    #: φ = 0.
    offset: float = 0.0
    #: Angle between the two vectors of the lattice's cell, degrees; rotations of a square one have a period
    #: of 90 degrees, and as many steps.
    gamma: float = HEXAGONAL

    @classmethod
    def compute(
        cls, geometry: Geometry, window: Window, nodes: Nodes | None = None, offset: float = 0.0
    ) -> Factors:
        """Compute all factors of a geometry on a window symmetric in φ, with even columns."""
        nodes = nodes or Nodes()
        across = _parts(geometry, window, offset, nodes)
        incoherent, mean = compute_scattering(geometry, window, across, nodes)
        return cls(geometry, window, across, incoherent, mean, _sums(geometry, window, across), nodes, offset)

    def update(
        self,
        geometry: Geometry,
        *,
        across: int | None = None,
        nodes: Nodes | None = None,
        weights: Floats | None = None,
    ) -> Factors:
        """Return the factors of another geometry, reusing what stays."""
        # `across` parts of a pixel default to what peaks need; rotations without `weights` (120,) stay 0.
        nodes = nodes or self.nodes
        across = across or _parts(geometry, self.window, self.offset, nodes)
        incoherent, mean, sums = self.every, self.mean, self.sums
        finer = across != self.across
        if finer or nodes != self.nodes or _differ(self.geometry, geometry, PARTICLE_NAMES):
            incoherent, mean = compute_scattering(geometry, self.window, across, nodes)
        elif geometry.lattice != self.geometry.lattice:
            # As many particles as sites.
            denser = (self.geometry.lattice / geometry.lattice) ** 2
            incoherent, mean = denser * incoherent, denser * mean
        if finer or _differ(self.geometry, geometry, LATTICE_NAMES):
            sums = _sums(geometry, self.window, across, self.gamma, _find_weighted_rotations(weights))
        return Factors(geometry, self.window, across, incoherent, mean, sums, nodes, self.offset, self.gamma)

    def change_lattice(self, lattice: float, gamma: float) -> Factors:
        """Put the same particles on another lattice, `lattice` in Å, on the same pixel parts."""
        geometry = replace(self.geometry, lattice=lattice)
        sums = _sums(geometry, self.window, self.across, gamma)
        return replace(self, geometry=geometry, sums=sums, gamma=gamma)

    def half(self, kernel: Floats | None = None, *, mirrored: bool = False) -> Floats:
        """Return patterns for ξ = 0, 0.5, … 30 degrees, (61, rows, columns), or 60° − ξ if `mirrored`."""
        # `seen` (columns, columns · across) is what columns count; mirroring is at −φ only without an offset.
        ordered = self.compute_ordered()
        kernel = self.sharp if kernel is None else kernel
        floor = (self.every - ordered) @ kernel.T
        gather = (kernel[:, ::-1] if mirrored else kernel).astype(np.float32)
        peaks = (self.sums * ordered.astype(np.float32)) @ gather.T
        return np.asarray(floor + peaks.astype(np.float64))

    @property
    def sharp(self) -> Floats:
        """What a column counts of the parts of pixels, without any blur: their mean over it."""
        return columns_of(self.window, self.across, self.offset)

    def compute_ordered(self) -> Floats:
        """|⟨F⟩|² exp(−σ²q²), (rows, columns · across): what the lattice's sum multiplies."""
        alpha, phi = self.window.finer(1, self.across).directions()
        qx, qy = project_in_plane(phi, alpha, self.geometry.wavelength, self.geometry.alpha_i)
        return np.asarray(self.mean * debye_waller(qx, qy, self.geometry.position_spread))

    def mix_sums(self, weights: Floats) -> Floats:
        """Sum the lattice sums with weights (120,), (rows, columns · across)."""
        flat = self.sums.reshape(N_HALF, -1)
        w = weights.astype(np.float32)
        straight = (w[:N_HALF] @ flat).reshape(self.every.shape)
        mirrored = (w[: N_HALF - 1 : -1] @ flat[1 : N_HALF - 1]).reshape(self.every.shape)
        return np.asarray(straight + mirrored[:, ::-1], dtype=np.float64)

    def pattern(self, mixed: Floats, total: float) -> Floats:
        """Scattering of a mixture (see `mixed`) into each pixel part, (rows, columns · across)."""
        return np.asarray(total * self.every + self.compute_ordered() * (mixed - total))

    def replace_particles(self, geometry: Geometry, incoherent: Floats, mean: Floats) -> Factors:
        """Put other particles on the same lattice."""
        return replace(self, geometry=geometry, every=incoherent, mean=mean)


def _parts(geometry: Geometry, window: Window, offset: float, nodes: Nodes) -> int:
    """Parts across a pixel; a column that begins within a peak needs twice as many, unless all is rough."""
    parts = columns_per_pixel(geometry, window)
    return max(parts, min(2 * parts, _MOST_PARTS)) if offset and nodes.apart == 1 else parts


def compute_scattering(
    geometry: Geometry, window: Window, across: int, nodes: Nodes
) -> tuple[Floats, Floats]:
    """⟨|F|²⟩ and |⟨F⟩|² averaged over the height of each row, at so many parts across each pixel."""
    fine = window.finer(1, across)
    right = fine.directions()[1][fine.columns // 2 :]
    halves = particles_at(geometry, window, right, nodes)
    incoherent, mean = (np.concatenate((part[:, ::-1], part), axis=1) for part in halves)
    return incoherent, mean


def film_profiles(geometry: Geometry, window: Window, oxides: Sequence[float]) -> Floats:
    """What other thicknesses of the film do to each row, (films, rows): a factor."""
    # The film acts on the waves that leave at α_f, whatever their φ, so one column of particles of one size,
    # next to the rod, tells.
    column = replace(window, columns=2, phi=(-window.pixel[1], window.pixel[1])).finer(_FILM_PARTS, 1)
    profiles = [
        bornagain.incoherent(replace(geometry, oxide=float(oxide), radius_pd=0.0), column)[:, 0]
        for oxide in (geometry.oxide, *oxides)
    ]
    rows = np.stack(profiles).reshape(len(profiles), window.rows, _FILM_PARTS).sum(axis=2)
    return np.asarray(rows[1:] / rows[0])


def _find_weighted_rotations(weights: Floats | None) -> NDArray[np.bool_] | None:
    """Which of the rotations 0, 0.5, … 30 degrees have weight, themselves or as their mirror image, (61,)."""
    if weights is None:
        return None
    has_weight = weights[:N_HALF] != 0
    has_weight[1 : N_HALF - 1] |= weights[: N_HALF - 1 : -1] != 0
    return np.asarray(has_weight)


def _sums(
    geometry: Geometry,
    window: Window,
    across: int,
    gamma: float = HEXAGONAL,
    rotations: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    alpha, phi = window.finer(1, across).directions()
    qx, qy = (
        q.astype(np.float32) for q in project_in_plane(phi, alpha, geometry.wavelength, geometry.alpha_i)
    )
    peaks = LatticeSum.tabulate(geometry.lattice, geometry.width, gamma)
    # As many rotations over a square lattice's longer period.
    step = 1.5 if gamma == SQUARE else 1.0
    sums = np.zeros((N_HALF, *np.broadcast_shapes(qx.shape, qy.shape)), dtype=np.float32)
    for k in range(N_HALF) if rotations is None else np.flatnonzero(rotations):
        sums[k] = peaks(qx, qy, float(step * XI[k]))
    return sums


def _differ(first: Geometry, second: Geometry, names: tuple[str, ...]) -> bool:
    return any(getattr(first, name) != getattr(second, name) for name in names)
