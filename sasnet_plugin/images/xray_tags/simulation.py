"""X-ray scattering images of materials: scenes of rings, halos, lattices and diffuse terms on a detector.

A ring under its neighbours, a Guinier term under slit scattering or a weak S(q) may have many counts of its
own and still be seen by nobody. Where expected counts are t = Σ a_k c_k with a_k = 1, the Fisher matrix of
the strengths a is F_jk = Σ c_j c_k / t over the pixels, and the strength of part k is known to
σ_k = √(F⁻¹)_kk while those of all others are fitted, too. A part is seen by 1/σ_k standard deviations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, sobel

from ...arrays import Floats
from ...domains.heads import Targets
from ...domains.simulator import Layout, Mix, Simulator
from ...simulate.dataset import Row, digest_of
from ...simulate.draws import choose, draw_all, read_priors
from ...types import Image
from ..simulation import count_unevenly, stripes
from .reading import centre_of, window
from .specification import LABELS, PARENTS

# --- What scenes are composed of: diffuse terms, peaks over q, texture around rings, bodies by
# --- sasmodels.

#: q of stored curves, in units of q at the reference radius: half of the detector's longer side.
GRID: Floats = np.asarray(np.geomspace(0.008, 4.0, 256), dtype=np.float64)
#: FWHM of a Gaussian over its standard deviation.
FWHM = float(np.sqrt(8 * np.log(2)))
DIFFUSE = ("power_law", "ornstein_zernike", "debye_bueche", "guinier")
#: Bodies by sasmodels, each with the parameter that is its length, and others as multiples of it.
BODIES: dict[str, tuple[str, dict[str, float]]] = {
    "sphere": ("radius", {}),
    "core_shell_sphere": ("radius", {"thickness": 0.35}),
    "ellipsoid": ("radius_equatorial", {"radius_polar": 2.0}),
    "cylinder": ("radius", {"length": 6.0}),
}


def diffuse_low_q(q: Floats, kind: str, scale: float) -> Floats:
    """Scattering that falls with q, of a kind in `DIFFUSE`; `scale` is n, ξ or Rg in q's inverse unit."""
    # q^-n; 1/(1 + q²ξ²) (L. S. Ornstein and F. Zernike, 1914); 1/(1 + q²ξ²)² (P. Debye and A. M. Bueche, J.
    # Appl. Phys. 20 (1949) 518); exp(−q²Rg²/3) (A. Guinier, 1939).
    if kind == "power_law":
        return np.asarray(np.maximum(q, GRID[0]) ** -scale)
    if kind == "guinier":
        return np.asarray(np.exp(-((q * scale) ** 2) / 3))
    return np.asarray((1 + (q * scale) ** 2) ** (-1.0 if kind == "ornstein_zernike" else -2.0))


def diffuse_high_q(q: Floats, sigma: float) -> Floats:
    """1 − exp(−σ²q²): what thermal and static displacements take from the peaks (Debye and Waller)."""
    return np.asarray(-np.expm1(-((sigma * q) ** 2)))


def peak(q: Floats, position: float, fwhm: float) -> Floats:
    """A Gaussian over q of height 1."""
    return np.asarray(np.exp(-0.5 * ((q - position) * (FWHM / fwhm)) ** 2))


def texture(phi: Floats, eta: float, fold: float, chi: float) -> Floats:
    """(1 − η²)/((1 + η)² − 4η cos²(m(φ − χ)/2)) around a ring, mean 1: η 0 is isotropic, towards 1 gives m
    sharp arcs, one at χ; radians.
    """
    return np.asarray(
        (1 - eta * eta) / ((1 + eta) ** 2 - 4 * eta * np.cos(fold * (phi - chi) / 2) ** 2), dtype=np.float64
    )


def paracrystal_width(order: Floats, g: float) -> Floats:
    """Width of a peak over the first ring's q, (π g h)², at order h of a paracrystal with relative distance
    spread g (R. Hosemann and S. N. Bagchi, Direct Analysis of Diffraction by Matter, 1962).
    """
    return np.asarray((np.pi * g * order) ** 2)


def speckle(rng: np.random.Generator, grains: float, width: float) -> Floats:
    """Return spots around a ring (720,), mean 1, of `grains` expected and Gaussian `width`, radians."""
    from scipy.ndimage import gaussian_filter1d

    bins = 720
    # Grains differ in size: their strengths are exponential.
    lit = rng.gamma(np.maximum(rng.poisson(grains / bins, bins), 1e-12), 1.0)
    lit[int(rng.integers(bins))] += 1.0
    grains_lit = gaussian_filter1d(lit, max(width * bins / (2 * np.pi), 0.5), mode="wrap")
    return np.asarray(grains_lit / grains_lit.mean())


def body(name: str, size: float, spread: float, volume_fraction: float) -> Floats:
    """I(q) on `GRID` of one of `BODIES` by sasmodels, with relative size spread, of size in q's inverse unit;
    a volume fraction adds Percus-Yevick hard spheres.
    """
    from ...simulate.kernel import call

    length, defaults = BODIES[name]
    values: dict[str, float] = {length: size, **{key: factor * size for key, factor in defaults.items()}}
    found_intensity = call(name, GRID, {**values, f"{length}_pd": spread})
    intensity = np.asarray(found_intensity.intensity)
    if volume_fraction:
        radius = found_intensity.radius_effective or size
        s = call("hardsphere", GRID, {"radius_effective": radius, "volfraction": volume_fraction})
        intensity = intensity * np.asarray(s.intensity)
    return np.asarray(intensity / max(float(intensity.max()), 1e-300))


# --- A detector: q of its pixels, beamstops and their holders, gaps, stray light, counts and
# --- zingers.

BoolArray = NDArray[np.bool_]
#: Pixels of the longer side; half of it is the reference radius.
PIXELS = 128
REFERENCE = PIXELS / 2
#: How often each beamstop is.
STOPS = {"": 26, "circular": 30, "linear": 34, "wedge": 10}

_TABLES = read_priors(__file__)
MEASUREMENT = _TABLES["measurement"]


@dataclass(frozen=True)
class Place:
    """Where a detector stands."""

    shape: tuple[int, int]  #: Rows and columns.
    centre: tuple[float, float]  #: Column and row of the beam.
    theta: float  #: Scattering angle at the reference radius, radians.

    def polar(self) -> tuple[Floats, Floats]:
        """q of the pixels over that at the reference radius, and the azimuth in radians."""
        # q = 4π/λ sin(θ/2) with tan θ = r/L on a flat detector across the beam.
        x, y = self.offsets()
        angle = np.arctan(np.hypot(x, y) * np.tan(self.theta))
        return np.asarray(np.sin(angle / 2) / np.sin(self.theta / 2)), np.arctan2(y, x)

    def offsets(self) -> tuple[Floats, Floats]:
        """Columns and rows from the beam, in reference radii, as grids."""
        rows, columns = self.shape
        x = (np.arange(columns) - self.centre[0]) / REFERENCE
        y = (np.arange(rows) - self.centre[1]) / REFERENCE
        grid = np.meshgrid(x, y)
        return np.asarray(grid[0]), np.asarray(grid[1])

    @property
    def sees_beam(self) -> bool:
        return -0.5 <= self.centre[0] < self.shape[1] - 0.5 and -0.5 <= self.centre[1] < self.shape[0] - 0.5


def draw_place(values: Mapping[str, float], rng: np.random.Generator) -> Place:
    """A detector's shape and the beam on it, or beside it."""
    short = round(PIXELS * (values["short"] or 1.0))
    shape = (PIXELS, short) if rng.random() < 0.5 else (short, PIXELS)
    half = np.array([shape[1], shape[0]]) / 2
    direction = rng.uniform(-1, 1, 2)
    direction /= np.abs(direction).max()
    if values["off_image"]:
        offset = direction * half + np.sign(direction) * (np.abs(direction) == 1) * (
            values["off_image"] * REFERENCE
        )
    else:
        offset = direction * half * (values["aside"] or rng.uniform(0, 0.2))
    column, row = half - 0.5 + offset
    return Place(shape, (float(column), float(row)), float(np.radians(values["theta"])))


def stop(kind: str, values: Mapping[str, float], place: Place, rng: np.random.Generator) -> Floats:
    """Share of each pixel in the shadow of a beamstop, maybe thinner than a pixel: a disk; a bar from an
    edge, with round end or disk; a wedge with its tip on the beam (`STOPS`).
    """
    if not kind:
        return np.zeros(place.shape)
    # Stops stand a little off the beam, and mostly along a side of the detector.
    aside, above = rng.normal(0, 0.015, 2)
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.3 else rng.integers(4) * np.pi / 2
    angle += rng.normal(0, 0.03)
    past, tip = rng.uniform(0.5, 2.5) * values["bar"], rng.uniform(0.03, 0.1)

    def is_inside(x: Floats, y: Floats) -> BoolArray:
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        if kind == "circular":
            return np.asarray(np.hypot(x, y) < values["disk"])
        if kind == "linear":
            end = np.hypot(np.maximum(-along - past + values["bar"], 0), across) < values["bar"]
            bar = (np.abs(across) < values["bar"]) & (along > -past) & (end | (along > 0))
            return np.asarray(bar | (np.hypot(x, y) < values["head"]))
        width = (along + tip) * np.tan(np.radians(values["wedge"])) + 0.008
        return np.asarray((along + tip > 0) & (np.abs(across) < width))

    x, y = place.offsets()
    quarter = 0.25 / REFERENCE
    parts = [
        is_inside(x - aside + column * quarter, y - above + row * quarter)
        for column in (-1, 1)
        for row in (-1, 1)
    ]
    return np.mean(parts, axis=0)


def gaps(values: Mapping[str, float], shape: tuple[int, int], rng: np.random.Generator) -> BoolArray:
    """Pixels between modules."""
    is_gap = np.zeros(shape, dtype=bool)
    if values["gap"]:
        width = max(1, round(values["gap"]))
        for axis, length in enumerate(shape):
            number = int(rng.integers(0, 4))
            for line in range(1, number + 1):
                position = round(line * length / (number + 1))
                is_gap[
                    (slice(position, position + width), slice(None))
                    if axis == 0
                    else (slice(None), slice(position, position + width))
                ] = True
    return is_gap


def count_pixels(
    expected: Floats, values: Mapping[str, float], dark: BoolArray, rng: np.random.Generator
) -> Floats:
    """Draw Poisson counts of pixels of unequal gain, some dead or hit by cosmic rays; `dark` are masked."""
    counts = count_unevenly(expected, values["uneven"], rng)
    flat = counts.ravel()
    hit = rng.integers(flat.size, size=int(values["zingers"]))
    flat[hit] += np.exp(rng.uniform(np.log(30), np.log(3e4), hit.size))
    flat[rng.integers(flat.size, size=int(values["dead"]))] = 0
    counts[dark] = 0
    return counts


# --- Reflections of lattices: where powder rings and a crystal's spots lie, and how strong they
# --- are.

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


# --- Images that show no scattering of a material: what must not be tagged, and teaches a network
# --- so.

Shape = tuple[int, int]


def _axes(shape: Shape) -> tuple[Floats, Floats]:
    rows, columns = shape
    return np.linspace(-1, 1, columns)[None, :], np.linspace(-1, 1, rows)[:, None]


def _empty(shape: Shape, rng: np.random.Generator) -> Floats:
    """Nothing but a flat ground."""
    return np.ones(shape)


def _clouds(shape: Shape, rng: np.random.Generator) -> Floats:
    """Structure of all sizes anywhere, as in a photograph or a micrograph; or its edges alone."""
    rough = np.fft.rfft2(rng.normal(size=shape))
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    smooth = np.fft.irfft2(rough / np.maximum(f, 0.01) ** rng.uniform(1, 2.2), shape)
    smooth = smooth / smooth.std()
    if rng.random() < 0.3:
        return np.hypot(sobel(smooth, 0), sobel(smooth, 1)) + 0.05
    return np.exp(rng.uniform(0.4, 1.5) * smooth)


def _stripes(shape: Shape, rng: np.random.Generator) -> Floats:
    x, y = _axes(shape)
    found_stripes = stripes(x, y, rng)
    if rng.random() < 0.5:
        found_stripes = found_stripes * np.where(
            (x * rng.normal() + y * rng.normal()) > rng.normal(0, 0.3), 1.0, 0.1
        )
    return np.asarray(found_stripes + 0.01)


def _horizon(shape: Shape, rng: np.random.Generator) -> Floats:
    """Grazing incidence: nothing below the horizon, a rod and streaks above it."""
    x, y = _axes(shape)
    x, up = x - rng.uniform(-0.5, 0.5), rng.uniform(-0.3, 0.8) - y
    intensity = np.exp(-np.abs(x) / rng.uniform(0.05, 0.4)) + 20 * np.exp(
        -np.abs(x) / rng.uniform(0.01, 0.04)
    )
    position, wide = rng.uniform(0.15, 0.6), rng.uniform(0.02, 0.1)
    intensity = intensity + rng.uniform(0.5, 5) * np.exp(-0.5 * ((np.abs(x) - position) / wide) ** 2)
    intensity = (
        intensity * np.exp(-up / rng.uniform(0.2, 1)) * (1 + 3 * np.exp(-0.5 * ((up - 0.15) / 0.03) ** 2))
    )
    return np.asarray(np.where(up > 0, intensity, 1e-3 * intensity.max()))


def _blobs(shape: Shape, rng: np.random.Generator) -> Floats:
    """Bright areas anywhere, about no centre: cells, particles in a microscope, hot areas of a detector."""
    intensity = np.full(shape, rng.uniform(0.02, 0.5))
    for _ in range(int(rng.integers(1, 40))):
        spot = np.zeros(shape)
        spot[rng.integers(shape[0]), rng.integers(shape[1])] = 1.0
        wide = np.exp(rng.uniform(np.log(1.5), np.log(12)))
        spot = gaussian_filter(spot, wide, truncate=3)
        intensity = (
            intensity
            + (spot > 0.3 * spot.max() if rng.random() < 0.5 else spot / spot.max()) * rng.exponential()
        )
    return intensity


def _halves(shape: Shape, rng: np.random.Generator) -> Floats:
    """A slope, modules of unequal level, or a frame that was read half."""
    x, y = _axes(shape)
    intensity = np.exp(rng.normal(0, 1) * x + rng.normal(0, 1) * y)
    number = int(rng.integers(1, 5))
    levels = rng.gamma(1.0, 1.0, (number, int(rng.integers(1, 5)))) + 0.02
    blocks = np.kron(levels, np.ones([-(-n // k) for n, k in zip(shape, levels.shape, strict=True)]))
    return np.asarray(intensity * blocks[: shape[0], : shape[1]])


#: (rows and columns, generator) to an intensity, nowhere negative.
KINDS: dict[str, Callable[[Shape, np.random.Generator], Floats]] = {
    "empty": _empty,
    "clouds": _clouds,
    "stripes": _stripes,
    "horizon": _horizon,
    "blobs": _blobs,
    "halves": _halves,
}
#: Fewer counts a pixel than this could not be told from weak scattering, but of empty images.
_LEAST = 2.0


def foreign(kind: str, rng: np.random.Generator, exposure: float | None = None) -> Image:
    """Simulate one of `KINDS` on a detector with gaps and zingers; exposure in expected counts."""
    values = draw_all(MEASUREMENT, rng)
    place = draw_place(values, rng)
    picture = KINDS[kind](place.shape, rng)
    level = values["counts"] if exposure is None else exposure / picture.size
    if kind != "empty":
        level = max(level, _LEAST)
    dark = gaps(values, place.shape, rng)
    counts = count_pixels(picture * (level / picture.mean()), values, dark, rng)
    centre = place.centre if values["stated"] else centre_of(counts, ~dark)[0]
    return Image(np.where(dark, 0.0, counts), ~dark, window(place.shape, centre))


# --- Intensities of a scene's parts on a detector, each with and without its unevenness around the
# --- beam.

#: Curves of a row that are parts of the image, in their order.
CURVE_PARTS = ("body", "low_q", "high_q")
#: Shares of a ring's height below which it is left alone by texture and grains.
_FAINT = 1e-6


@dataclass(frozen=True)
class Part:
    """Something that scatters."""

    name: str  #: ``body``, ``low_q``, ``high_q``, ``ring 0`` …, ``spots``.
    intensity: Floats  #: (rows, columns)
    #: even, textured: (rows, columns), it without texture and grains, and without grains; None where it has
    #: neither, or no grains.
    even: Floats | None = None
    textured: Floats | None = None
    #: tuple of (index array, array), of a crystal, pixels of each spot in a flat image, and its intensity
    #: there.
    spots: tuple[tuple[NDArray[np.intp], Floats], ...] = field(default=())


def curve_on(curve: Floats, log_q: Floats) -> Floats:
    """A stored curve at other q, given by their logarithm."""
    return np.asarray(np.exp(np.interp(log_q, np.log(GRID), np.log(np.maximum(curve, 1e-30)))))


def ring_width(fwhm: float, resolution: float) -> float:
    """FWHM of a ring on a detector of so many standard deviations' resolution, in one unit of q."""
    return float(np.hypot(fwhm, FWHM * resolution))


def parts_of(row: Row, q: Floats, phi: Floats, resolution: float, rng: np.random.Generator) -> list[Part]:
    """Compute the parts of a scene of `scenes.row` on a grid of q and azimuth; resolution is one standard
    deviation, in reference radii; `rng` places grains.
    """
    p, parts = row["parameters"], []
    log_q = np.log(np.maximum(q, GRID[0]))
    for name, curve in zip(CURVE_PARTS, np.asarray(row["curves"], float), strict=False):
        if not curve.any():
            continue
        even = curve_on(curve, log_q)
        if name == "body" and p["eta"]:
            parts.append(Part(name, even * texture(phi, min(p["eta"], 0.7), 2, 0.0), even))
        else:
            parts.append(Part(name, even))
    for number, ring in enumerate(np.asarray(row["rings"], float)):
        if ring[2]:
            parts.append(_ring(number, ring, q, phi, resolution, rng))
    spots = np.asarray(row["spots"], float)
    if spots[:, 2].any():
        parts.append(_crystal(spots[spots[:, 2] > 0], q, phi, resolution))
    return parts


def _ring(
    number: int,
    ring: Floats,
    q: Floats,
    phi: Floats,
    resolution: float,
    rng: np.random.Generator,
) -> Part:
    position, fwhm, height, eta, fold, chi, grains, _ = ring
    wide = ring_width(fwhm, resolution)
    even = height * (fwhm / wide) * peak(q, position, wide)
    if not eta and not grains:
        return Part(f"ring {number}", even)
    near = even > _FAINT * height
    part = even.copy()
    if eta:
        part[near] *= texture(phi[near], eta, fold, chi)
    if not grains:
        return Part(f"ring {number}", part, even)
    textured = part.copy()
    # A larger ring has more reflections of as many grains.
    speckles = speckle(rng, grains * np.sqrt(number + 1), rng.uniform(0.008, 0.03))
    bins = (phi[near] * (speckles.size / (2 * np.pi))).astype(int) % speckles.size
    part[near] *= speckles[bins]
    return Part(f"ring {number}", part, even, textured)


def _crystal(spots: Floats, q: Floats, phi: Floats, resolution: float) -> Part:
    x, y = q * np.cos(phi), q * np.sin(phi)
    part, spots_drawn = np.zeros_like(q), []
    for across, up, strength, fwhm in spots:
        wide = ring_width(fwhm, resolution)
        far = 2 * wide
        near = (np.abs(x - across) < far) & (np.abs(y - up) < far)
        spot = strength * (fwhm / wide) ** 2 * peak(np.hypot(x[near] - across, y[near] - up), 0.0, wide)
        part[near] += spot
        spots_drawn.append((np.flatnonzero(near), spot))
    return Part("spots", part, spots=tuple(spots_drawn))


# --- What scenes are drawn from: which parts a sample has, how strong they are, on what ground.

#: What a sample mainly is, and how often.
MAIN = {"lattice": 25, "crystal": 3, "rings": 20, "halos": 16, "bodies": 24, "nothing": 10}
#: How often each lattice is.
LATTICE = {"bcc": 17, "fcc": 22, "hcp": 14, "lamellar": 19, "hexagonal": 17, "gyroid": 8}
#: Rings and spots that are kept, and curves: bodies, diffuse at low q, diffuse at high q, and what
#: interacting bodies would scatter if they were dilute, which is compared with the image, no part of it.
RINGS, SPOTS, CURVES = 14, 72, 4
#: Columns of a ring: place, FWHM and height; η, m and χ of its texture; grains (0: powder); 1 of a
#: lattice.
RING_COLUMNS = 8

PRIORS = _TABLES["scene"]


def draw_scene(rng: np.random.Generator) -> dict[str, float]:
    """Draw what a sample holds: values of `PRIORS`, ``main`` and ``lattice`` (−1: none) as indices into
    `MAIN` and `LATTICE`, and the ``seed`` of what `row` draws.
    """
    values = draw_all(PRIORS, rng)
    main = choose(rng, MAIN)
    lattice = choose(rng, LATTICE) if main in ("lattice", "crystal") else ""
    while main == "crystal" and lattice == "lamellar":
        lattice = choose(rng, LATTICE)
    if main == "nothing":
        values["low_q"] = values["low_q"] or PRIORS["low_q"](np.random.default_rng(1)) or 1.0
    return {
        **values,
        "main": float(list(MAIN).index(main)),
        "lattice": float(list(LATTICE).index(lattice)) if lattice else -1.0,
        "seed": float(rng.integers(2**40)),
    }


def main_of(p: Mapping[str, float]) -> str:
    return list(MAIN)[int(p["main"])]


def lattice_of(p: Mapping[str, float]) -> str:
    """Its lattice; empty for none."""
    return list(LATTICE)[int(p["lattice"])] if p["lattice"] >= 0 else ""


def row(p: Mapping[str, float]) -> Row:
    """Turn a scene into ``parameters``; ``curves`` (CURVES, n) on `components.GRID`: bodies, diffuse low and
    high q, bodies if dilute, each of mean 1 over the reference circle or 0; ``rings`` (RINGS, RING_COLUMNS);
    ``spots`` (SPOTS, 4): q across and up, strength, FWHM. Absent ones have height 0.
    """
    rng = np.random.default_rng(int(p["seed"]))
    main, lattice = main_of(p), lattice_of(p)
    rings: list[tuple[float, ...]] = []
    curves = np.zeros((CURVES, GRID.size))
    spots = np.zeros((SPOTS, 4))
    if main == "lattice":
        rings += _lattice_rings(p, lattice, rng)
    elif main == "rings":
        rings += _plain_rings(p, rng)
    elif main == "halos":
        position = 0.5 * (p["first"] + 0.6)
        rings += _rings(p, rng, [(position, p["halo"] * position, 1.0)], 1.0)
        if rng.random() < 0.4:
            further = position * rng.uniform(1.6, 2.1)
            rings += _rings(p, rng, [(further, rng.uniform(0.3, 0.5) * further, 1.0)], rng.uniform(0.2, 0.8))
    elif main == "bodies":
        name = list(BODIES)[int(rng.integers(len(BODIES)))]
        curves[0] = _mean_one(body(name, p["size"], p["spread"], p["volume_fraction"]))
        if p["volume_fraction"]:
            curves[3] = _mean_one(body(name, p["size"], p["spread"], 0.0))
    elif main == "crystal":
        spots = _spots(p, lattice, rng)
    if p["also_ring"]:
        position = rng.uniform(0.15, 1.1)
        rings += _rings(p, rng, [(position, rng.uniform(0.01, 0.15) * position, 1.0)], p["also_ring"])
    if p["also_halo"]:
        position = rng.uniform(0.35, 1.1)
        rings += _rings(p, rng, [(position, p["halo"] * position, 1.0)], p["also_halo"])
    if p["low_q"]:
        kind = DIFFUSE[int(rng.integers(len(DIFFUSE)))]
        scale = rng.uniform(1, 4) if kind == "power_law" else np.exp(rng.uniform(np.log(3), np.log(25)))
        curves[1] = p["low_q"] * _mean_one(diffuse_low_q(GRID, kind, float(scale)))
    if p["high_q"]:
        curves[2] = p["high_q"] * _mean_one(diffuse_high_q(GRID, p["sigma"]))
    table = np.zeros((RINGS, RING_COLUMNS))
    rings_kept = np.array(rings[:RINGS]).reshape(-1, RING_COLUMNS)
    table[: len(rings_kept)] = rings_kept
    arrays = {"curves": curves, "rings": table, "spots": spots}
    return {"parameters": dict(p), **{name: values.astype(np.float32) for name, values in arrays.items()}}


def _lattice_rings(p: Mapping[str, float], lattice: str, rng: np.random.Generator) -> list[tuple[float, ...]]:
    positions, height = powder(lattice, RINGS - 2)
    inside = positions * p["first"] < 1.6
    positions, height = positions[inside], height[inside]
    # Layers of unequal thickness, or bodies at the lattice's points, give rings other strengths.
    height = (
        height * np.exp(-((p["debye_waller"] * positions) ** 2)) * np.exp(rng.normal(0, 0.4, positions.size))
    )
    width = positions * p["width"] + paracrystal_width(positions, p["disorder"])
    return _rings(
        p,
        rng,
        [(x * p["first"], w * p["first"], h) for x, w, h in zip(positions, width, height, strict=True)],
        1.0,
        1,
    )


def _plain_rings(p: Mapping[str, float], rng: np.random.Generator) -> list[tuple[float, ...]]:
    number = int(rng.choice([1, 2, 3, 4, 6, 8], p=[0.4, 0.2, 0.12, 0.1, 0.1, 0.08]))
    wide = rng.uniform(0.01, 0.2) if number == 1 else p["width"]
    if number > 1 and rng.random() < 0.4:
        positions = p["first"] * np.arange(1, number + 1)
        height = np.exp(-rng.uniform(0.1, 1) * np.arange(number))
    else:
        positions = np.sort(rng.uniform(p["first"], max(1.15, 2 * p["first"]), number))
        positions[0] = p["first"]
        height = np.exp(rng.normal(0, 0.6, number))
    return _rings(p, rng, [(x, wide * x, h) for x, h in zip(positions, height, strict=True)], 1.0)


def _rings(
    p: Mapping[str, float],
    rng: np.random.Generator,
    peaks: list[tuple[float, float, float]],
    strength: float,
    of_lattice: int = 0,
) -> list[tuple[float, ...]]:
    """Rings of one texture, which together have a mean over the reference circle of `strength`."""
    fold, chi = float(rng.choice([1, 2, 2, 2, 4, 6])), float(rng.uniform(0, 2 * np.pi))
    eta = p["eta"] if strength == 1.0 or rng.random() < 0.5 else 0.0
    grains = p["grains"] if all(w < 0.1 * x for x, w, _ in peaks) else 0.0
    # A Gaussian ring of height h covers 2πq · h · FWHM · 1.064 of the circle's π.
    area = sum(2 * x * h * w * 1.064 for x, w, h in peaks)
    return [
        (x, w, h * strength / area, eta, fold, chi, grains, float(of_lattice)) for x, w, h in peaks if area
    ]


def _spots(p: Mapping[str, float], lattice: str, rng: np.random.Generator) -> Floats:
    from scipy.spatial.transform import Rotation

    table = np.zeros((SPOTS, 4))
    flat = lattice == "hexagonal"
    for _ in range(6):
        if flat or rng.random() < 0.6:
            # Seen along an axis of symmetry, a little off.
            axis = ((0, 0, 1), (1, 1, 0), (1, 1, 1))[0 if flat else int(rng.integers(3))]
            unit = np.array(axis) / np.linalg.norm(axis)
            turn = Rotation.align_vectors([[0.0, 0.0, 1.0]], [unit])[0]
            turn = Rotation.from_rotvec(np.append(rng.normal(0, 0.02, 2), rng.uniform(0, 2 * np.pi))) * turn
        else:
            turn = Rotation.random(random_state=int(rng.integers(2**31)))
        spots = crystal(lattice, turn.as_matrix(), p["thick"], 1.5 / p["first"])
        if len(spots) >= 6:
            break
    order = np.argsort(np.hypot(spots[:, 0], spots[:, 1]))[:SPOTS]
    spots = spots[order]
    distance = np.hypot(spots[:, 0], spots[:, 1])
    strength = spots[:, 2] * np.exp(-((p["debye_waller"] * distance) ** 2))
    table[: len(spots), :2] = spots[:, :2] * p["first"]
    # Together of mean 1 over the reference circle: a Gaussian spot covers 1.133 FWHM² of its π.
    table[: len(spots), 2] = strength / max(strength.sum(), 1e-12) * np.pi / (1.133 * p["spot"] ** 2)
    table[: len(spots), 3] = p["spot"]
    return table


def _mean_one(curve: Floats) -> Floats:
    """Scale a curve to mean 1 over the circle from 1/20 of the reference q on: closer is the beamstop."""
    ring = GRID * np.gradient(GRID) * ((GRID > 0.05) & (GRID <= 1))
    return curve * (ring.sum() / max(float((curve * ring).sum()), 1e-300))


assert set(LATTICE) == set(LATTICES)


# --- What can be seen of a scene in an image: how surely each part is found when all others are
# --- unknown.

#: Ridge on Fisher's matrix of templates of length 1: two that are alike to a part in 10⁷ are the same.
_RIDGE = 1e-7


@dataclass(frozen=True)
class Rings:
    """What pixels of one distance from the beam know together."""

    q: Floats  #: (n,)
    weight: Floats  #: (n,), σ 1/t over the pixels of each, t the expected counts.


def rings_of(q: Floats, radius: Floats, expected: Floats) -> Rings:
    """Sort usable pixels by half pixels of their radius (pixels, or any steps of equal q)."""
    bins = (2 * radius).astype(int)
    number = np.bincount(bins)
    has_pixels = number > 0
    weight = np.asarray(np.bincount(bins, 1 / np.maximum(expected, 1e-9)), dtype=np.float64)
    return Rings(np.bincount(bins, q)[has_pixels] / number[has_pixels], weight[has_pixels])


def measure_visibility(templates: Mapping[str, Floats], weight: Floats) -> dict[str, float]:
    """Return by how many standard deviations each template's strength (expected counts) is known next to all
    others; `weight` is Σ 1/t.
    """
    squares = {name: float((c * c * weight).sum()) for name, c in templates.items()}
    length = {name: float(np.sqrt(square)) for name, square in squares.items() if square > 0}
    visibility = dict.fromkeys(templates, 0.0)
    if length:
        unit = np.stack([templates[name] * np.sqrt(weight) / length[name] for name in length])
        error = np.diag(np.linalg.inv(unit @ unit.T + _RIDGE * np.eye(len(length))))
        visibility |= {n: length[n] / float(np.sqrt(e)) for n, e in zip(length, error, strict=True)}
    return visibility


def templates_of(row: Row, q: Floats, resolution: float, reach: float) -> dict[str, Floats]:
    """Compute parts of a scene over q without texture, and what may hide them: ground, slit scattering,
    bodies' size. `resolution` is one standard deviation in q; `reach` where slit scattering falls by e.
    """
    log_q = np.log(np.maximum(q, GRID[0]))
    stray = np.exp(-q / reach)
    templates = {"ground": np.ones_like(q), "stray": stray, "stray's reach": q * stray}
    for name, curve in zip(CURVE_PARTS, np.asarray(row["curves"], float), strict=False):
        if curve.any():
            templates[name] = curve_on(curve, log_q)
    if "body" in templates:
        templates["body's size"] = _slope(np.asarray(row["curves"][0], float), log_q)
    for number, (position, fwhm, height, *_) in enumerate(np.asarray(row["rings"], float)):
        if height:
            wide = ring_width(fwhm, resolution)
            templates[f"ring {number}"] = height * (fwhm / wide) * peak(q, position, wide)
    return templates


def interaction_seen(row: Row, templates: Mapping[str, Floats], rings: Rings) -> float:
    """Standard deviations by which bodies differ from dilute ones of any size and spread."""
    dilute = np.asarray(row["curves"][3], float)
    if not dilute.any():
        return 0.0
    log_q = np.log(np.maximum(rings.q, GRID[0]))
    once = np.gradient(dilute, np.log(GRID))
    other_templates = {name: c for name, c in templates.items() if name != "body's size"}
    other_templates |= {
        "dilute": curve_on(dilute, log_q),
        "size": np.interp(log_q, np.log(GRID), once),
        "spread": np.interp(log_q, np.log(GRID), np.gradient(once, np.log(GRID))),
    }
    return measure_visibility(other_templates, rings.weight)["body"]


def paracrystal_seen(
    row: Row, templates: Mapping[str, Floats], rings: Rings, resolution: float, scale: float
) -> float:
    """Return by how many standard deviations peaks widen with the square of their order: the strength of the
    derivative by ln g, with ring strengths and common relative width unknown.
    """
    # Templates of `templates_of` are in counts, `scale` is counts per intensity.
    p = row["parameters"]
    order_squared, order = np.zeros_like(rings.q), np.zeros_like(rings.q)
    for position, fwhm, height, *_, of_lattice in np.asarray(row["rings"], float):
        if not height or not of_lattice:
            continue
        wide, h = ring_width(fwhm, resolution), position / p["first"]
        miss = (rings.q - position) * (FWHM / wide)
        # By the FWHM, at the height that the ring has.
        slope = scale * height * (fwhm / wide) * peak(rings.q, position, wide) * miss**2 * fwhm / wide**2
        order_squared += slope * 2 * (np.pi * p["disorder"] * h) ** 2 * p["first"]
        order += slope * h * p["first"]
    visibility = measure_visibility({**templates, "g": order_squared, "width": order}, rings.weight)
    return visibility["g"]


def unevenness_seen(
    parts: Sequence[Part], expected: Floats, lit: NDArray[np.bool_], *, grains: bool
) -> float:
    """Return by how many standard deviations texture, or grains, of `parts` are visible."""
    # Positions of grains are unknown: their Σ d²/t, t without them, is compared with the scatter √Σ (2 + 1/t)
    # of Σ (n − t)²/t. An arc has few unknowns: √Σ d²/t.
    untextured, near = np.zeros_like(expected), np.zeros(expected.shape, dtype=bool)
    for part in parts:
        if grains and part.textured is not None and part.even is not None:
            untextured += part.intensity - part.textured
            near |= part.even > 0.1 * part.even.max()
        elif not grains and part.even is not None:
            untextured += (part.intensity if part.textured is None else part.textured) - part.even
    near &= lit
    if grains:
        if not near.any():
            return 0.0
        expected_rest = np.maximum(expected[near] - untextured[near], 1e-9)
        return float((untextured[near] ** 2 / expected_rest).sum() / np.sqrt((2 + 1 / expected_rest).sum()))
    return float(np.sqrt((untextured[lit] ** 2 / expected[lit]).sum()))


def spots_seen(part: Part, expected: Floats, lit: NDArray[np.bool_], scale: float, least: float) -> int:
    """Spots of a crystal that are seen by `least` standard deviations each."""
    t, counted = np.maximum(expected.ravel(), 1e-9), lit.ravel()
    number = 0
    for position, spot in part.spots:
        good = counted[position]
        number += int(((spot[good] * scale) ** 2 / t[position[good]]).sum() >= least**2)
    return number


def _slope(curve: Floats, log_q: Floats) -> Floats:
    """d/d ln q of a stored curve, which is what a little larger body changes."""
    return np.asarray(np.interp(log_q, np.log(GRID), np.gradient(curve, np.log(GRID))))


# --- From a scene to an image and its tags: a tag is given for what can be seen, by its counts.


@dataclass(frozen=True)
class Rules:
    """From when on something is tagged."""

    #: Standard deviations of counting by which something must be seen, while the strengths of all else are
    #: unknown (see `visibility`).
    signal: float = 5.0
    #: Of the sample's counts, for what has no edges of its own: diffuse scattering and halos.
    share: float = 0.04
    #: ring, halo: FWHM over q between which a peak is a ring or a halo, as in the seed.
    ring: tuple[float, float] = (0.004, 0.2)
    halo: tuple[float, float] = (0.28, 0.7)
    many: int = 4  #: More rings than this are many.
    #: weak, strong: mean counts of the sample a pixel below and above which scattering is called so; 128
    #: pixels are the longer side.
    weak: float = 1.0
    strong: float = 300.0
    background: float = 0.5  #: Over the sample's counts, from which on it is high.
    textured: float = 0.25  #: η from which on.
    grains: float = 200.0  #: Grains around a ring up to which a powder is seen as grains.
    disorder: float = 0.05  #: g of a paracrystal from which on.
    #: lattice_rings, spots: rings that must be seen before a lattice is named, and spots before a crystal is.
    lattice_rings: int = 3
    spots: int = 4


RULES = Rules()


def shot(row: Row, rng: np.random.Generator, exposure: float | None = None) -> tuple[Image, dict[str, float]]:
    """Measure a scene of `scenes.row` on a new detector, with tags 0 or 1; exposure is the sample's expected
    counts in the whole image, drawn by default.
    """
    values = draw_all(MEASUREMENT, rng)
    place = draw_place(values, rng)
    q, phi = place.polar()
    kind = list(STOPS)[int(rng.choice(len(STOPS), p=np.array(list(STOPS.values())) / sum(STOPS.values())))]
    shadow, dark = stop(kind, values, place, rng), gaps(values, place.shape, rng)
    resolution = values["resolution"] / REFERENCE
    parts = parts_of(row, q, phi + rng.uniform(0, 2 * np.pi), resolution, rng)
    total = np.sum([part.intensity for part in parts], axis=0) if parts else np.zeros(place.shape)
    lit = ~dark & (shadow == 0)
    # The mean of what meets the detector, without the few pixels next to the beam.
    mean = max(float(total[lit & (q > 0.03)].mean()), 1e-12) if lit.any() else 1.0
    counts = values["counts"] if exposure is None else exposure / total.size
    scale = counts / mean
    ground = counts * (values["high_background"] or values["background"])
    stray = np.exp(-q / values["reach"])
    background = ground + counts * values["parasitic"] * stray / max(float(stray[lit].mean()), 1e-9)
    if not kind and values["direct"] and place.sees_beam:
        background = background + counts * values["direct"] * np.exp(-0.5 * (q / 0.012) ** 2) * 50
    expected = np.minimum(total * scale, 1e9) + background
    lost = float((expected * shadow)[~dark].sum())
    expected = expected * (1 - shadow * (1 - values["transmission"]))
    image = _image(
        count_pixels(expected, values, dark, rng),
        dark | ((shadow > 0) & bool(values["masked"])),
        place,
        values,
        rng,
    )
    tags = _tags(row, _View(parts, scale, q, expected, lit & (q > 0.02), resolution, values["reach"]))
    tags["beam_off_image"] = float(not place.sees_beam)
    if kind:
        masked = float(((shadow > 0) & ~dark).sum()) if values["masked"] else 0.0
        tags[f"{kind}_beamstop"] = float(max(np.sqrt(lost), masked**0.5) >= RULES.signal)
    tags["high_background"] = float(ground >= RULES.background * counts)
    tags["weak_scattering"], tags["strong_scattering"] = (
        float(counts < RULES.weak),
        float(counts > RULES.strong),
    )
    for child, parent in PARENTS.items():
        tags[parent] = max(tags[parent], tags[child])
    return image, tags


def _image(
    counts: Floats,
    masked: NDArray[np.bool_],
    place: Place,
    values: Mapping[str, float],
    rng: np.random.Generator,
) -> Image:
    centre = place.centre
    if values["stated"]:
        centre = tuple(np.asarray(centre) + values["error"] * rng.standard_normal(2))
    else:
        centre = centre_of(counts, ~masked)[0]
    return Image(
        np.where(masked, 0.0, counts), ~masked, window(place.shape, (float(centre[0]), float(centre[1])))
    )


@dataclass(frozen=True)
class _View:
    """What tags are judged by: parts and the factor that makes counts of them, expected counts, pixels that
    count, resolution and reach of slit scattering in q.
    """

    parts: list[Part]
    scale: float
    q: Floats
    expected: Floats
    lit: NDArray[np.bool_]
    resolution: float
    reach: float

    def rings(self) -> Rings:
        """Its pixels by their distance from the beam, in steps of half a pixel at small angles."""
        lit = self.lit
        return rings_of(self.q[lit], self.q[lit] * REFERENCE, self.expected[lit])

    def share(self) -> dict[str, float]:
        """Share of each part in the sample's counts."""
        counts = {part.name: float(part.intensity[self.lit].sum()) for part in self.parts}
        total = max(sum(counts.values()), 1e-12)
        return {name: number / total for name, number in counts.items()}

    def uneven(self, names: set[str], *, grains: bool) -> float:
        """Standard deviations by which texture, or grains, of parts are visible."""
        unevenness = [
            Part(
                part.name,
                part.intensity * self.scale,
                None if part.even is None else part.even * self.scale,
                None if part.textured is None else part.textured * self.scale,
            )
            for part in self.parts
            if part.name in names
        ]
        t = np.maximum(self.expected, 1e-9)
        return unevenness_seen(unevenness, t, self.lit, grains=grains) if unevenness else 0.0


def _tags(row: Row, view: _View) -> dict[str, float]:
    tags = dict.fromkeys(LABELS, 0.0)
    if not view.lit.any():
        return tags
    pixels = view.rings()
    found_templates = templates_of(row, pixels.q, view.resolution, view.reach)
    templates = {name: curve * view.scale for name, curve in found_templates.items()}
    visible, large = _find_visible(view, measure_visibility(templates, pixels.weight))
    tags["diffuse_low_q"], tags["diffuse_high_q"] = float("low_q" in large), float("high_q" in large)
    rings = np.asarray(row["rings"], float)
    visible_rings = _rings_of(visible, rings)
    sharp = [n for n in visible_rings if _is_within(RULES.ring, rings[n])]
    halos = [n for n in _rings_of(large, rings) if _is_within(RULES.halo, rings[n])]
    tags |= _ring_tags(rings, sharp, halos)
    tags |= _uneven_tags(row, view, rings, (sharp, halos), large)
    of_lattice = int(np.count_nonzero(rings[visible_rings, 7]))
    crystal = _count_spots(view) >= RULES.spots
    tags["single_crystal"] = float(crystal)
    lattice = lattice_of(row["parameters"])
    # From one side a crystal's spots seldom tell its lattice: along the cube's axis both are squares.
    if lattice in tags:
        tags[lattice] = float(of_lattice >= RULES.lattice_rings)
    interacting = "body" in large and interaction_seen(row, templates, pixels) >= RULES.signal
    tags["structure_factor"] = float(interacting)
    disordered = of_lattice > 0 and row["parameters"]["disorder"] >= RULES.disorder
    if disordered and not interacting:
        signal = paracrystal_seen(row, templates, pixels, view.resolution, view.scale)
        disordered = signal >= RULES.signal
    tags["disordered"] = float(interacting or disordered)
    tags["amorphous"] = float(bool(halos) and not sharp and not crystal)
    return tags


def _find_visible(view: _View, signal: Mapping[str, float]) -> tuple[set[str], set[str]]:
    """Names of what stands out of the counting noise, and of those that have a large share of the counts."""
    share = view.share()
    visible = {name for name in signal if signal[name] >= RULES.signal}
    return visible, {name for name in visible if share.get(name, 0.0) >= RULES.share}


def _rings_of(names: set[str], rings: Floats) -> list[int]:
    return [n for n in range(len(rings)) if f"ring {n}" in names]


def _is_within(limits: tuple[float, float], ring: Floats) -> bool:
    """Whether the width of a ring over its q is."""
    return bool(limits[0] <= ring[1] / ring[0] <= limits[1])


def _ring_tags(rings: Floats, sharp: Sequence[int], halos: Sequence[int]) -> dict[str, float]:
    first = rings[sharp, 0].min() if sharp else np.inf
    orders = (abs(rings[n, 0] / first - k) < 0.01 for n in sharp for k in (2, 3, 4, 5))
    return {
        "ring": float(bool(sharp)),
        "halo": float(bool(halos)),
        "many_rings": float(len(sharp) > RULES.many),
        "higher_orders": float(any(orders)),
    }


def _uneven_tags(
    row: Row,
    view: _View,
    rings: Floats,
    numbers: tuple[Sequence[int], Sequence[int]],
    large: set[str],
) -> dict[str, float]:
    """Return tags of grains and texture; `numbers` of sharp rings and of halos."""
    sharp, halos = numbers
    grainy = {f"ring {n}" for n in sharp if 0 < rings[n, 6] <= RULES.grains}
    uneven = {f"ring {n}" for n in (*sharp, *halos) if rings[n, 3] >= RULES.textured}
    uneven |= {"body"} & large if row["parameters"]["eta"] >= RULES.textured else set()
    return {
        "polycrystalline": float(view.uneven(grainy, grains=True) >= RULES.signal),
        "textured": float(view.uneven(uneven, grains=False) >= RULES.signal),
    }


def _count_spots(view: _View) -> int:
    with_spots = [part for part in view.parts if part.spots]
    return sum(spots_seen(part, view.expected, view.lit, view.scale, RULES.signal) for part in with_spots)


# --- The simulator of X-ray scattering images: scene → detector → counts and what can be seen in
# --- them.


@dataclass(frozen=True)
class XraySimulator(Simulator):
    """Images of materials."""

    kinds = tuple(KINDS)
    mix = Mix(rows=60, uses=1, others=6, known=40)

    @property
    def layout(self) -> Layout:
        """Shards of some seconds of work."""
        numbers = CURVES * GRID.size + RINGS * RING_COLUMNS + SPOTS * 4
        return Layout(
            format=2,
            stem="scenes",
            content="{rows:,} scenes",
            rows=256,
            per_round=1024,
            row_bytes=4 * numbers + 400,
            settings=self._settings,
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [{k: astuple(p) for k, p in PRIORS.items()}]
        tables += [MAIN, LATTICE, astuple(RULES)]
        return {"priors": digest_of(tables), "rings": RINGS, "spots": SPOTS}

    def inputs(self, folder: Any) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return {
            "counts": list(MEASUREMENT["counts"].limits()),
            "main": MAIN,
            "lattice": LATTICE,
            "beamstops": {name: list(MEASUREMENT[name].limits()) for name in ("disk", "bar", "head")},
        }

    def sample(self, rng: np.random.Generator) -> dict[str, float]:
        return draw_scene(rng)

    def clean(self, params: Mapping[str, float]) -> Row:
        """Return a scene as curves, rings and spots, without a detector."""
        return row(params)

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Image], Targets]:
        """Measure scenes anew, each on a detector of its own; besides, ``counts`` and ``kind``."""
        shots = [shot(row, rng, exposure) for row in rows]
        return [image for image, _ in shots], {
            "tags": np.array([[tags[name] for name in LABELS] for _, tags in shots], dtype=np.float32),
            "counts": np.array([float(image.counts.sum()) for image, _ in shots]),
            "kind": np.array([main_of(row["parameters"]) for row in rows]),
        }

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Image:
        """An image that shows no scattering of a material, on a detector like the others."""
        return foreign(kind, rng, exposure)


SIMULATOR = XraySimulator()
