"""Patterns of ordered nanoparticles under grazing incidence, from their prior to a measured image.

A peak is often narrower than a column. Whether its blur crosses the column's edge depends on where in the
column it stands, so a blur that takes counts for evenly spread over a column is wrong by some hundredths
next to the specular rod, where most counts are.

BornAgain multiplies what the particles scatter by the structure factor of their lattice; that factor alone
knows how the lattice is rotated. A test holds the sum here to BornAgain's.

I(p) = Σ p_i I(ξ_i) holds exactly, and the pattern under 60° − ξ is that under ξ seen in a mirror (φ → −φ), so
61 patterns give all 120.

A fit moves one thing after another: radius, size spread, film and incidence change what particles scatter,
the scatter about the sites a weight, the lattice constant and the width the sums alone.

Uniform points of the cube give the distributions of `sample_orientation`. Every kind's numbers are always
there, used or not, so that kinds and numbers of peaks can change in one move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.special import ndtr

from ...arrays import Floats
from ...domains.heads import Targets
from ...domains.simulator import Layout, Mix, Row, Simulator
from ...simulate.dataset import digest_of, scale_targets
from ...simulate.draws import draw, read_priors
from ...types import Image
from .. import bornagain
from .. import simulation as images
from ..simulation import (
    MARGIN,
    N_HALF,
    N_XI,
    PERIOD,
    WINDOW,
    XI,
    Geometry,
    Measurement,
    Window,
    describe_training,
    simulate_measurement,
)
from .specification import GEOMETRY as ASKED

# --- What the columns of a detector count of a pattern on parts of pixels: its mean over each,
# --- blurred.

#: Parts of a pixel's part below which a blur is none.
_SHARP = 1e-4
#: Standard deviations of the blur beyond which an edge is not.
_FAR = 5.5


def columns_of(
    window: Window, across: int, offset: float = 0.0, sigma: float = 0.0, shift: float = 0.0
) -> Floats:
    """Compute which share of pixel parts each column counts, (columns, columns · across)."""
    # `offset` of columns to the right, Gaussian blur `sigma` and `shift` to larger angles are in degrees.
    # Between centres the pattern is a parabola through neighbouring parts, as a column may begin within a
    # part and within a narrow peak. Column edges are averaged over the blur.
    if not offset and not sigma and not shift:
        return np.repeat(np.eye(window.columns), across, axis=1) / across
    n, width = window.columns * across, window.pixel[1] / across
    ends = np.arange(window.columns + 1) * across + (offset - shift) / width
    ends = ends[:, None] - (np.arange(n) + 0.5)
    blur = max(sigma / width, _SHARP)
    middle, lower, after = ((ends > 0) * whole for whole in (11 / 12, 1 / 24, 1 / 24))
    near = np.abs(ends) < 0.5 + _FAR * blur
    middle[near], lower[near], after[near] = _integrate_to_end(ends[near], blur)
    # At the window's edges a part is its own neighbour.
    middle[:, 1:] += after[:, :-1]
    middle[:, :-1] += lower[:, 1:]
    middle[:, 0] += lower[:, 0]
    middle[:, -1] += after[:, -1]
    return np.asarray(np.diff(middle, axis=0) / across)


def _integrate_to_end(end: Floats, sigma: float) -> tuple[Floats, Floats, Floats]:
    """Integrate a part's parabola up to a blurred end, with weights of its neighbours' values."""
    low, high = (-0.5 - end) / sigma, (0.5 - end) / sigma
    density = [sigma * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) for z in (low, high)]
    beyond = ndtr(-high)
    # Moments of where the end is, as far as it is within the part.
    m0 = ndtr(high) - ndtr(low)
    m1 = end * m0 - (density[1] - density[0])
    m2 = end * m1 + sigma**2 * m0 - 0.5 * (density[1] + density[0])
    m3 = end * m2 + 2 * sigma**2 * m1 - 0.25 * (density[1] - density[0])
    slope, bend = (m2 - m0 / 4) / 4, (m3 / 3 + m0 / 24 + beyond / 12) / 2
    return m1 + m0 / 2 + beyond - 2 * bend, bend - slope, bend + slope


# --- The lattice sum of a hexagonal crystal, as BornAgain sums it, in numpy and for many angles at
# --- once.

#: Reciprocal lattice points to each side that BornAgain 25 sums over, counted from the cell of q. It takes
#: more where order decays within a lattice constant; the prior is far from there.
REACH = 5
#: Points of the table of all peaks but one, across a cell.
_TABLE = 193
#: The same of peaks that are no neighbours of the cell's.
_FEW = 17
#: Angles between a cell's two vectors of one length, degrees.
HEXAGONAL, SQUARE = 120.0, 90.0


def project_in_plane(
    phi: NDArray[np.float64], alpha_f: NDArray[np.float64], wavelength: float, alpha_i: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Components qx along the beam and qy across it, (rows, columns), Å⁻¹; phi and alpha_f in radians,
    alpha_i in degrees, wavelength in Å.
    """
    k = 2 * np.pi / wavelength
    across = np.cos(alpha_f)[:, None]
    return k * (across * np.cos(phi) - np.cos(np.radians(alpha_i))), k * (across * np.sin(phi))


def debye_waller(
    qx: NDArray[np.float64], qy: NDArray[np.float64], position_spread: float
) -> NDArray[np.float64]:
    """What scatter about the sites leaves of the order, exp(−σ²q²)."""
    return np.asarray(np.exp(-(position_spread**2) * (qx**2 + qy**2)))


def _peaks(
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    lattice: float,
    width: float,
    *,
    gamma: float = HEXAGONAL,
    rings: tuple[int, int] = (0, REACH),
) -> NDArray[np.float64]:
    """Peaks so many cells away from the one of the cell, at least and at most."""
    height, sharpness = _profile(lattice, width, gamma)
    skew = -2 * np.cos(np.radians(gamma))
    total = np.zeros(np.broadcast(u, v).shape)
    for i in range(-REACH, REACH + 1):
        for j in range(-REACH, REACH + 1):
            if not rings[0] <= max(abs(i), abs(j)) <= rings[1]:
                continue
            x, y = u + i, v + j
            spread = 1 + sharpness * (x * x + y * y + skew * (x * y))
            total += height / (spread * np.sqrt(spread))
    return total


def _profile(lattice: float, width: float, gamma: float = HEXAGONAL) -> tuple[float, float]:
    """Height of a peak, and ω²|a*|² for the distance in units of the reciprocal basis vectors."""
    sine = np.sin(np.radians(gamma))
    return 2 * np.pi * width**2 / (sine * lattice**2), (width * 2 * np.pi / (sine * lattice)) ** 2


@dataclass(frozen=True)
class LatticeSum:
    """The same sum in single precision, fast for many angles: the peak of the cell that q falls in as its
    formula says, all others, which are far off and smooth, from a table.
    """

    #: lattice, width: Å.
    lattice: float
    width: float
    table: NDArray[np.float32]  #: (n, n), all peaks but the cell's own, over the cell.
    gamma: float = HEXAGONAL  #: Angle between the cell's two vectors, degrees.

    @classmethod
    def tabulate(cls, lattice: float, width: float, gamma: float = HEXAGONAL) -> LatticeSum:
        """Make the table."""
        grid = np.linspace(-0.5, 0.5, _TABLE)
        # The sum is the same at −q, so half of the table gives the other.
        half = _peaks(grid[: _TABLE // 2 + 1, None], grid, lattice, width, gamma=gamma, rings=(1, 1))
        whole = np.concatenate((half, half[-2::-1, ::-1]))
        # Farther peaks are smooth over the cell: a few points of them do.
        coarse_grid = np.linspace(-0.5, 0.5, _FEW)
        far = _peaks(coarse_grid[:, None], coarse_grid, lattice, width, gamma=gamma, rings=(2, REACH))
        whole += RectBivariateSpline(coarse_grid, coarse_grid, far)(grid, grid)
        return cls(lattice, width, np.ascontiguousarray(whole, dtype=np.float32), gamma)

    def __call__(self, qx: NDArray[np.float32], qy: NDArray[np.float32], xi: float) -> NDArray[np.float32]:
        """Return the sum at each q, Å⁻¹, for a lattice rotated by xi degrees."""
        height, sharpness = (np.float32(value) for value in _profile(self.lattice, self.width, self.gamma))
        scale = self.lattice / (2 * np.pi)
        c, s = scale * np.cos(np.radians(xi)), scale * np.sin(np.radians(xi))
        leans, stands = np.cos(np.radians(self.gamma)), np.sin(np.radians(self.gamma))
        u = np.float32(c) * qx + np.float32(s) * qy
        v = np.float32(leans * c - stands * s) * qx + np.float32(stands * c + leans * s) * qy
        u -= np.rint(u)
        v -= np.rint(v)
        spread = u * u
        spread += v * v
        if self.gamma != SQUARE:
            spread += np.float32(-2 * leans) * (u * v)
        spread *= sharpness
        spread += np.float32(1)
        nearest = height / (spread * np.sqrt(spread))
        nearest += self._others(u, v)
        return np.asarray(nearest)

    def _others(self, u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bilinear in the table."""
        n = _TABLE
        x = (u + np.float32(0.5)) * np.float32(n - 1)
        y = (v + np.float32(0.5)) * np.float32(n - 1)
        row = np.minimum(x.astype(np.int32), n - 2)
        column = np.minimum(y.astype(np.int32), n - 2)
        x -= row
        y -= column
        index = row * n + column
        flat = self.table.ravel()
        low = flat.take(index)
        low += y * (flat.take(index + 1) - low)
        high = flat.take(index + n)
        high += y * (flat.take(index + (n + 1)) - high)
        high -= low
        high *= x
        low += high
        return np.asarray(low)


# --- The basis of a geometry: a pattern for each rotation of the lattice; every distribution is a
# --- sum of them.

#: Below this angle, degrees, lie the critical angles.
_STEEP = 0.5
#: The peaks are resolved when a step across is at most this much of 1/ω: the mean over a pixel is then good
#: to about exp(−2π/0.9) of a peak.
_STEP = 0.9
_MAX_PARTS = 16


@dataclass(frozen=True)
class Nodes:
    """Directions in which BornAgain says what particles scatter."""

    #: low, high: parts of a pixel's height over which it is averaged, near the critical angles and above.
    low: int = 8
    high: int = 4
    apart: int = 1  #: Pixels between two columns.


@dataclass(frozen=True)
class Basis:
    """Patterns of one geometry for every rotation."""

    geometry: Geometry
    window: Window  #: Margin included.
    #: (rows, columns), pattern of the particles without order; arbitrary scale.
    amplitude: NDArray[np.float32]
    #: (61, rows, columns), pattern under ξ = 0, 0.5, … 30 degrees over the amplitude.
    ratio: NDArray[np.floating]

    def half(self) -> NDArray[np.float32]:
        """Patterns under ξ = 0, 0.5, … 30 degrees, (61, rows, columns)."""
        return np.asarray(self.ratio.astype(np.float32) * self.amplitude)

    def patterns(self) -> NDArray[np.float32]:
        """Patterns under all 120 angles, (120, rows, columns)."""
        half = self.half()
        return np.concatenate((half, half[-2:0:-1, :, ::-1]))


def mix(half: NDArray[np.floating], p: NDArray[np.floating]) -> NDArray[np.floating]:
    """Patterns, (..., rows, columns), of distributions of the rotation angle `p`, (..., 120), from
    `Basis.half`, (61, rows, columns).
    """
    flat = half.reshape(N_HALF, -1)
    p = np.asarray(p, dtype=half.dtype)
    straight = p[..., :N_HALF] @ flat
    mirrored = p[..., : N_HALF - 1 : -1] @ flat[1 : N_HALF - 1]
    shape = (*p.shape[:-1], *half.shape[1:])
    return np.asarray(straight.reshape(shape) + mirrored.reshape(shape)[..., ::-1])


def particles(geometry: Geometry, window: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """⟨|F|²⟩ and |⟨F⟩|² in the middle of each pixel, (rows, columns) each; equal for one size."""
    incoherent = bornagain.incoherent(geometry, window)
    return incoherent, bornagain.coherent(geometry, window) if geometry.radius_pd > 0 else incoherent


def basis(geometry: Geometry, window: Window, *, dtype: type[np.floating] = np.float32) -> Basis:
    """The basis of a geometry, averaged over each pixel as a detector does; float16 keeps it to 0.05 %.

    What the particles scatter comes from BornAgain, on four to eight rows a pixel and one column, continued
    between columns by a spline (it is slow in φ); the lattice's peaks, often narrower than a pixel, are
    averaged over as many columns a pixel as they need. Raises ValueError where the window is not symmetric
    in φ, or has an odd number of columns.
    """
    if window.columns % 2 or not np.isclose(-window.phi[0], window.phi[1]):
        raise ValueError("the angular range must be symmetric in φ, with an even number of columns.")
    across = columns_per_pixel(geometry, window)
    fine = window.finer(1, across)
    alpha, phi = fine.directions()
    half = fine.columns // 2  # of the columns; what particles scatter is even in φ
    incoherent, mean = particles_at(geometry, window, phi[half:])
    qx, qy = project_in_plane(phi, alpha, geometry.wavelength, geometry.alpha_i)
    weight = np.concatenate((mean[:, ::-1], mean), axis=1) * debye_waller(qx, qy, geometry.position_spread)
    amplitude = np.concatenate((incoherent[:, ::-1], incoherent), axis=1)
    shape = (window.rows, window.columns, across)
    per_pixel = amplitude.reshape(shape).mean(axis=2)
    floor = 1 - weight.reshape(shape).mean(axis=2) / per_pixel
    weight32 = (weight / np.repeat(per_pixel, across, axis=1) / across).astype(np.float32)
    qx32, qy32 = qx.astype(np.float32), qy.astype(np.float32)
    peaks = LatticeSum.tabulate(geometry.lattice, geometry.width)
    ones_across = np.ones(across, dtype=np.float32)
    ratio = np.empty((N_HALF, *window.shape), dtype=dtype)
    for row, xi in enumerate(XI[:N_HALF]):
        weighted = peaks(qx32, qy32, float(xi))
        weighted *= weight32
        ratio[row] = floor + weighted.reshape(shape) @ ones_across
    return Basis(geometry, window, per_pixel.astype(np.float32), ratio)


def columns_per_pixel(geometry: Geometry, window: Window) -> int:
    """Parts across a pixel that resolve the peaks of a lattice; even."""
    step = np.radians(window.pixel[1]) * 2 * np.pi / geometry.wavelength
    return int(min(2 * np.ceil(step * geometry.width / _STEP / 2), _MAX_PARTS))


def particles_at(
    geometry: Geometry,
    window: Window,
    angle: NDArray[np.float64],
    nodes: Nodes | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute ⟨|F|²⟩ and |⟨F⟩|² at angles φ >= 0 (n,), radians, averaged over each row's height; `nodes` are
    where BornAgain is evaluated.
    """
    nodes = nodes or Nodes()
    height, width = window.pixel[0], window.pixel[1] * nodes.apart
    beyond = 2
    # From beyond the middle to beyond the edge.
    columns = -(-window.columns // (2 * nodes.apart)) + 2 * beyond
    phi = (-beyond * width, (columns - beyond) * width)
    steep = int(np.clip(np.ceil((_STEEP - window.alpha_f[0]) / height), 0, window.rows))
    parts = []
    for first, last, up in ((0, steep, nodes.low), (steep, window.rows, nodes.high)):
        if last > first:
            limits = (window.alpha_f[0] + first * height, window.alpha_f[0] + last * height)
            averages = particles(geometry, Window((last - first) * up, columns, phi, limits))
            # BornAgain's are times the solid angle: of its pixels, which are as wide as columns are apart.
            parts.append([p.reshape(-1, up, columns).sum(axis=1) / nodes.apart for p in averages])
    middles = Window(1, columns, phi, window.alpha_f).directions()[1]
    incoherent, mean = (
        np.asarray(CubicSpline(middles, np.concatenate(rows), axis=1)(angle))
        for rows in zip(*parts, strict=True)
    )
    return incoherent, mean


# --- A basis in its factors: particles, and the lattice's sums at every rotation, kept to be put
# --- together anew.

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


# --- What samples of ordered spheres are drawn from, sizes and distributions of the rotation angle
# --- p(ξ).

GEOMETRY = read_priors(__file__)["geometry"]

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


def _draw_peaks(rng: np.random.Generator) -> NDArray[np.float64]:
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


_KINDS = {"deltas": _deltas, "peaks": _draw_peaks, "uniform": _uniform}


# --- The prior of p(ξ) as a map from the unit cube: what a sampler moves through, many
# --- distributions at once.

_CUBE_KINDS = ("deltas", "peaks", "uniform")


def _families() -> tuple[Floats, NDArray[np.bool_]]:
    """Ends of the families' shares of the first coordinate, and the kinds that each has."""
    shares, kinds = [], []
    for name, share in FAMILIES.items():
        if name != "mixture":
            shares.append(share)
            kinds.append([kind == name for kind in _CUBE_KINDS])
            continue
        numbers = range(PARTS[0], PARTS[1] + 1)
        for number in numbers:
            subsets = [bits for bits in range(2 ** len(_CUBE_KINDS)) if bits.bit_count() == number]
            for bits in subsets:
                shares.append(share / len(numbers) / len(subsets))
                kinds.append([bool(bits >> k & 1) for k in range(len(_CUBE_KINDS))])
    return np.cumsum(shares)[:-1], np.array(kinds)


_ENDS, _HAS = _families()
#: Coordinates: family, number of angles, angles, their shares, number of peaks, centres, widths, their
#: shares, shares of the kinds.
FAMILY, N_DELTAS = 0, 1
ANGLES = slice(2, 2 + DELTAS[1])
ANGLE_SHARES = slice(ANGLES.stop, ANGLES.stop + DELTAS[1])
N_PEAKS = ANGLE_SHARES.stop
CENTRES = slice(N_PEAKS + 1, N_PEAKS + 1 + PEAKS[1])
WIDTHS = slice(CENTRES.stop, CENTRES.stop + PEAKS[1])
PEAK_SHARES = slice(WIDTHS.stop, WIDTHS.stop + PEAKS[1])
KIND_SHARES = slice(PEAK_SHARES.stop, PEAK_SHARES.stop + len(_CUBE_KINDS))
DIMENSIONS = KIND_SHARES.stop
#: Coordinates that are integers, and those that go round the circle.
CHOICES = np.array([FAMILY, N_DELTAS, N_PEAKS])
ROUND = np.r_[ANGLES, CENTRES]


def distributions(points: Floats, *, between: bool = False) -> Floats:
    """Turn points (n, DIMENSIONS) of the unit cube into distributions (n, 120) that sum to 1."""
    # With `between`, a single angle is the cubic through its four grid neighbours (two slightly negative), so
    # that patterns of any angle are sums of the grid's. Otherwise its bin has all of it.
    n = len(points)
    has = _HAS[np.searchsorted(_ENDS, points[:, FAMILY], side="right")]
    kind = _normalise_shares(points[:, KIND_SHARES], has)
    p = np.repeat(kind[:, 2:] / N_XI, N_XI, axis=1)
    used = np.arange(DELTAS[1]) < _number(points[:, N_DELTAS], DELTAS)[:, None]
    shares = kind[:, :1] * _normalise_shares(points[:, ANGLE_SHARES], used)
    if between:
        bins, cubic = _interpolate_cubic(points[:, ANGLES])
        np.add.at(p, (np.arange(n)[:, None, None], bins), shares[..., None] * cubic)
    else:
        bins = np.minimum((points[:, ANGLES] * N_XI).astype(np.intp), N_XI - 1)
        np.add.at(p, (np.arange(n)[:, None], bins), shares)
    rows = np.flatnonzero(has[:, 1])
    if rows.size:
        points_here = points[rows]
        used = np.arange(PEAKS[1]) < _number(points_here[:, N_PEAKS], PEAKS)[:, None]
        shares = kind[rows, 1:2] * _normalise_shares(points_here[:, PEAK_SHARES], used)
        row, peak = np.nonzero(used)
        peaks = _wrap_gaussians(points_here[:, CENTRES][row, peak], points_here[:, WIDTHS][row, peak])
        peaks *= shares[row, peak][:, None]
        # Those of a row follow each other.
        p[rows] += np.add.reduceat(peaks, np.flatnonzero(peak == 0))
    return p


def active(points: Floats) -> NDArray[np.bool_]:
    """Which coordinates a distribution depends on, besides the choices, (n, DIMENSIONS)."""
    has = _HAS[np.searchsorted(_ENDS, points[:, FAMILY], side="right")]
    is_active = np.zeros(points.shape, dtype=bool)
    angles = has[:, :1] & (np.arange(DELTAS[1]) < _number(points[:, N_DELTAS], DELTAS)[:, None])
    peaks = has[:, 1:2] & (np.arange(PEAKS[1]) < _number(points[:, N_PEAKS], PEAKS)[:, None])
    is_active[:, ANGLES], is_active[:, CENTRES], is_active[:, WIDTHS] = angles, peaks, peaks
    # A share matters beside others.
    for part, used in ((ANGLE_SHARES, angles), (PEAK_SHARES, peaks), (KIND_SHARES, has)):
        is_active[:, part] = used & (used.sum(axis=1, keepdims=True) > 1)
    return is_active


def mirror_points(points: Floats, is_mirrored: NDArray[np.bool_]) -> Floats:
    """Mirror some angles and peaks (`is_mirrored`, (n, ROUND.size)) of points (n, DIMENSIONS) to 60° − ξ."""
    mirrored = points.copy()
    # An angle stands for the bin that begins there, a centre for itself.
    bin_width = np.where(ROUND < ANGLES.stop, 1 / N_XI, 0.0)
    mirrored[:, ROUND] = np.where(is_mirrored, (1 - points[:, ROUND] + bin_width) % 1.0, points[:, ROUND])
    return mirrored


def _number(coordinate: Floats, limits: tuple[int, int]) -> NDArray[np.intp]:
    low, high = limits
    return np.asarray(np.minimum(low + (coordinate * (high - low + 1)).astype(np.intp), high))


def _normalise_shares(coordinates: Floats, used: NDArray[np.bool_]) -> Floats:
    shares = (LEAST + (1 - LEAST) * coordinates) * used
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300))


def _interpolate_cubic(angles: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Four neighbours of angles on the grid and Lagrange's weights of the cubic through them, (..., 4)."""
    # A bin's middle is its angle.
    place = angles * N_XI - 0.5
    lower = np.floor(place)
    f = place - lower
    weights = (
        -f * (f - 1) * (f - 2) / 6,
        (f + 1) * (f - 1) * (f - 2) / 2,
        -(f + 1) * f * (f - 2) / 2,
        (f + 1) * f * (f - 1) / 6,
    )
    neighbours = (lower[..., None].astype(np.intp) + np.arange(-1, 3)) % N_XI
    return neighbours, np.stack(weights, axis=-1)


def _wrap_gaussians(centres: Floats, widths: Floats) -> Floats:
    """Gaussians around the circle, (n, 120), each with the sum 1."""
    low, high = np.log(FWHM)
    sigma = np.exp(low + (high - low) * widths)[..., None] / np.sqrt(8 * np.log(2))
    near = np.abs(XI - PERIOD * centres[..., None])
    near = np.minimum(near, PERIOD - near)
    gaussians = np.exp(-0.5 * (near / sigma) ** 2)
    # The next turn of the circle, and the one before, are seen by wide ones alone.
    wide = np.nonzero(sigma[..., 0] > PERIOD / 12)
    for far in (PERIOD - near[wide], PERIOD + near[wide]):
        gaussians[wide] += np.exp(-0.5 * (far / sigma[wide]) ** 2)
    return np.asarray(gaussians / gaussians.sum(axis=-1, keepdims=True))


# --- The simulator of ordered spheres: geometry → basis → distribution of angles → detector →
# --- Poisson counts.

#: Those of `images.out_of_distribution`, and three that are made of patterns of this domain.
KINDS = ("empty", "rings", "halo", "streaks", "lone", "turned", "moved", "clouds")


@dataclass(frozen=True)
class Example:
    """One measured pattern and what is true of it."""

    image: Image  #: Counts are 0 where masked.
    family: str  #: Kind of distribution, see `priors.FAMILIES`.
    p: NDArray[np.float64]  #: (120,), share of each rotation angle.
    geometry: Geometry
    measurement: Measurement

    def collect_drawn(self) -> dict[str, float]:
        """Everything that was drawn besides p, by name, in the units of the priors' tables."""
        return asdict(self.geometry) | asdict(self.measurement)


def example(
    basis: Basis,
    rng: np.random.Generator,
    *,
    window: Window = WINDOW,
    half: NDArray[np.float32] | None = None,
    family: str | None = None,
    exposure: float | None = None,
) -> Example:
    """Draw one measurement from a basis on ``window.add_margin(MARGIN)``; `half` is `basis.half()` if
    computed. Family and exposure (expected counts of usable pixels) are drawn by default.
    """
    if basis.window != window.add_margin(MARGIN):
        raise ValueError(
            "the basis belongs to another angular range than the window; calculate it for"
            " window.add_margin(MARGIN)."
        )
    kind, p = sample_orientation(rng, family=family)
    beam = basis.geometry.wavelength, basis.geometry.alpha_i
    clean = mix(basis.half() if half is None else half, p)
    image, measurement = simulate_measurement(lambda: clean, window, *beam, rng, exposure=exposure)
    return Example(image, kind, p, basis.geometry, measurement)


@dataclass(frozen=True)
class HexagonalSimulator(Simulator):
    """Patterns of spheres on hexagonal lattices."""

    window: Window = WINDOW  #: Without its margin.
    seed_ranges: bool = False  #: Geometries from the ranges of the seed of this work alone.
    kinds = KINDS
    #: Reading a basis costs as much as three examples.
    mix = Mix(
        rows=1,
        uses=28,
        others=4,
        held_out_uses=4,
        known=20,
        more=((10, {"family": "uniform"}, "xi", "uniform"),),
    )

    @property
    def layout(self) -> Layout:
        """Shards of a second of work, as they are: reading is what training waits for."""
        wide = self.window.add_margin(MARGIN)
        return Layout(
            stem="basis",
            content="bases of {rows:,} geometries",
            rows=8,
            per_round=1000,
            row_bytes=wide.rows * wide.columns * (2 * N_HALF + 4) + 100,
            settings=self._settings,
            unit=lambda name: GEOMETRY[name].unit,
            in_memory=False,
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [astuple(prior) for prior in GEOMETRY.values()]
        tables += [CLOSEST, bornagain.PARTICLE, bornagain.FILM, bornagain.SUBSTRATE]
        return {
            "seed_ranges": self.seed_ranges,
            "window": asdict(self.window) | {"margin": MARGIN},
            "priors": digest_of(tables),
            "bornagain": bornagain.version(),
        }

    def configure(self, settings: Mapping[str, Any]) -> HexagonalSimulator:
        return replace(self, window=Window.from_json(settings["window"]), seed_ranges=settings["seed_ranges"])

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return describe_training(self.window, GEOMETRY)

    def sample(self, rng: np.random.Generator) -> Geometry:
        return sample_geometry(rng, seed_ranges=self.seed_ranges)

    def clean(self, params: Geometry) -> Row:
        """Its basis, in half precision."""
        factors = basis(params, self.window.add_margin(MARGIN), dtype=np.float16)
        return {"parameters": asdict(params), "amplitude": factors.amplitude, "ratio": factors.ratio}

    def basis(self, row: Row) -> Basis:
        geometry = Geometry(**row["parameters"])
        return Basis(geometry, self.window.add_margin(MARGIN), row["amplitude"], row["ratio"])

    def measure(
        self,
        rows: Sequence[Row],
        rng: np.random.Generator,
        *,
        exposure: float | None = None,
        family: str | None = None,
    ) -> tuple[list[Image], Targets]:
        """Measure bases anew, each under a distribution of its own."""
        # Besides what is asked of them: ``counts`` says what was expected, ``kind`` the family of the
        # distribution, ``width`` the decay length of the order, Å.
        examples: list[Example] = []
        last: Row | None = None
        for row in rows:
            if row is not last:
                of_row, last = self.basis(row), row
                half = of_row.half()
            examples.append(
                example(of_row, rng, window=self.window, half=half, family=family, exposure=exposure)
            )
        return [one_example.image for one_example in examples], {
            "xi": np.stack([one_example.p for one_example in examples]).astype(np.float32),
            "geometry": np.stack(
                [scale_targets(ASKED, one_example.collect_drawn()) for one_example in examples]
            ),
            "counts": np.array([one_example.measurement.counts for one_example in examples]),
            "width": np.array([one_example.geometry.width for one_example in examples]),
            "kind": np.array([one_example.family for one_example in examples]),
        }

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Image:
        """A pattern of one of the `kinds` under the same faults as a known one."""
        of_row = self.basis(row)
        beam = of_row.geometry.wavelength, of_row.geometry.alpha_i
        half = of_row.half() if kind in ("turned", "moved") else np.empty(0, dtype=np.float32)
        return simulate_measurement(
            lambda: make_unknown_pattern(kind, of_row, half, rng), self.window, *beam, rng, exposure=exposure
        )[0]


SIMULATOR = HexagonalSimulator()


def make_unknown_pattern(
    kind: str, basis: Basis, half: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a clean pattern of one of the `KINDS` on the basis' window, (rows, columns), not negative,
    arbitrary scale; `half` is `basis.half()`.
    """
    if kind == "lone":  # the same particles without any order
        return np.asarray(basis.amplitude, dtype=np.float64)
    if kind in ("turned", "moved"):
        pattern = mix(half, sample_orientation(rng)[1])
        return (
            images.turn_pattern(pattern, int(rng.integers(1, 4)))
            if kind == "turned"
            else _misplace_pattern(pattern, rng)
        )
    return images.KINDS[kind](basis.window, basis.geometry.alpha_i, rng)


def _misplace_pattern(pattern: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float64]:
    """A pattern of ordered particles under a wrong geometry: far off its place, or at another scale."""
    rows, columns = pattern.shape
    factor = np.exp(rng.choice([-1, 1]) * rng.uniform(0.45, 1.2)) if rng.random() < 0.5 else 1.0
    shift = rng.choice([-1, 1]) * rng.uniform(8, 24) if factor == 1.0 else 0.0
    row = np.clip(np.arange(rows) * factor, 0, rows - 1).astype(int)
    middle = (columns - 1) / 2
    column = np.clip((np.arange(columns) - middle) * factor + middle - shift, 0, columns - 1).astype(int)
    return np.asarray(pattern[np.ix_(row, column)], dtype=np.float64)
