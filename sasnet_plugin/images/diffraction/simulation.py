"""Single-shot diffraction of free particles: shapes, multi-slice Fourier transform, detector, prior.

E(q) = Σ_j exp(i(k − k_z) z_j) DFT₂[(exp(ik dz (n_j − 1)) − 1) T_j],  T_j = exp(ik dz Σ_{m<j} (n_m − 1)),
k_z = √(k² − q²): one direction of propagation, nothing scattered twice (A. Colombo et al., J. Appl. Cryst. 55
(2022) 1232; J. Zimmermann et al., Phys. Rev. E 99 (2019) 063309). Since T_{j+1} = T_j exp(ik dz (n_j − 1)),
the sum over slices is ∫ exp(iζz) (∂T/∂z) dz with ζ = k − k_z, and within one material it is known:
κ/(ζ + κ) [exp(iζz) T], κ = k(n − 1). So there are no slices here at all. What is left depends smoothly on ζ,
and is interpolated between a few Chebyshev nodes, each one transform of two matrix products.

F(q) = Σ_z exp(i q_z z) Σ_xy ρ exp(i(q_x x + q_y y)) in the first Born approximation, q_z on Ewald's sphere.
Where `msft` lets the wave pass through smooth bodies, this sums scattering of any shape; what is learned from
both is less bound to either. The detector is `measurement`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ...arrays import Floats
from ...domains.heads import Targets
from ...domains.simulator import Layout, Mix, Row, Simulator
from ...simulate.dataset import digest_of
from ...simulate.draws import choose, draw_all, loguniform, read_priors
from ...types import Image
from ..simulation import count_unevenly, stripes
from .reading import Window
from .specification import LABELS, PARENTS, QUANTITIES

# --- Bodies as a beam sees them: where each line along it enters and leaves, and what is there.

#: Where a line enters and leaves a convex body, (n, n) each; equal where it misses.
Chord = tuple[Floats, Floats]


@dataclass(frozen=True)
class Columns:
    """A body on a square grid across the beam."""

    step: float  #: Of the grid, whose middle is at 0; any unit of length, the same for all.
    edges: Floats  #: (m + 1, n, n), along the beam, ascending: where the material changes.
    #: tuple of m complex, n − 1 of the refractive index n = 1 − δ + iβ between two edges.
    contrast: tuple[complex, ...]

    @property
    def half_depth(self) -> float:
        """Largest distance from the plane z = 0."""
        return float(np.abs(self.edges).max())


def grid(half: float, n: int) -> tuple[float, Floats]:
    """Step and places, (n,), of a grid of n cells that reaches from −half to half."""
    step = 2 * half / n
    return step, np.asarray((np.arange(n) - (n - 1) / 2) * step, dtype=np.float64)


def direction(tilt: float, turn: float) -> Floats:
    """Unit vector of an axis that leaves the plane across the beam by `tilt` and turns by `turn`, radians."""
    return np.array([np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)])


def spheroid(
    x: Floats,
    radius: float,
    polar: float,
    axis: Floats,
    centre: tuple[float, float, float] = (0, 0, 0),
) -> Chord:
    """Chords on a grid of an ellipsoid with `radius` across and `polar` along its unit axis."""
    # r·M·r = 1 with M = (1 − u uᵀ)/a² + u uᵀ/c², a quadratic in z.
    m = (np.eye(3) - np.outer(axis, axis)) / radius**2 + np.outer(axis, axis) / polar**2
    across, up = x[None, :] - centre[0], x[:, None] - centre[1]
    b = (m[0, 2] * across + m[1, 2] * up) / m[2, 2]
    c = (m[0, 0] * across**2 + 2 * m[0, 1] * across * up + m[1, 1] * up**2 - 1) / m[2, 2]
    half = np.sqrt(np.maximum(b * b - c, 0.0))
    return centre[2] - b - half, centre[2] - b + half


def pill_chord(x: Floats, radius: float, length: float, axis: Floats) -> Chord:
    """Chords of a cylinder of `length` between two half spheres of its radius, about 0."""
    # A capsule is convex: its chord is the hull of the chords of cylinder and spheres.
    across, up = x[None, :], x[:, None]
    along = across * axis[0] + up * axis[1]
    s2 = max(1 - axis[2] ** 2, 1e-12)
    b = -along * axis[2] / s2
    c = (across**2 + up**2 - along**2 - radius**2) / s2
    half = np.sqrt(np.maximum(b * b - c, 0.0))
    w = axis[2] if abs(axis[2]) > 1e-9 else 1e-9
    ends = np.sort(np.stack([(-length / 2 - along) / w, (length / 2 - along) / w]), axis=0)
    low, high = np.maximum(-b - half, ends[0]), np.minimum(-b + half, ends[1])
    missed = (b * b < c) | (low >= high)
    chords = [(np.where(missed, np.inf, low), np.where(missed, -np.inf, high))]
    for side in (-0.5, 0.5):
        end = side * length * axis
        first, last = spheroid(x, radius, radius, axis, (end[0], end[1], end[2]))
        hit = last > first
        chords.append((np.where(hit, first, np.inf), np.where(hit, last, -np.inf)))
    low, high = np.min([a for a, _ in chords], axis=0), np.max([b for _, b in chords], axis=0)
    outside = low >= high
    return np.where(outside, 0.0, low), np.where(outside, 0.0, high)


def solid(step: float, chord: Chord, contrast: complex) -> Columns:
    """A convex body of one material."""
    return Columns(step, np.stack(chord), (contrast,))


def nest_bodies(step: float, shell: Chord, core: Chord, outer: complex, inner: complex) -> Columns:
    """A convex body within another."""
    middle = (shell[0] + shell[1]) / 2
    hit = core[1] > core[0]
    a, b = (np.where(hit, np.clip(edge, *shell), middle) for edge in core)
    return Columns(step, np.stack([shell[0], a, b, shell[1]]), (outer, inner, outer))


def fuse_bodies(step: float, first_body: Chord, two: Chord, contrast: complex) -> Columns:
    """Two convex bodies of one material that touch or overlap."""
    hits = [chord[1] > chord[0] for chord in (first_body, two)]
    # Where one of them is missed the other stands for both.
    a = [np.where(hits[0], first_body[k], two[k]) for k in (0, 1)]
    b = [np.where(hits[1], two[k], first_body[k]) for k in (0, 1)]
    first = np.where(a[0] <= b[0], a, b)
    second = np.where(a[0] <= b[0], b, a)
    gap = np.maximum(second[0], first[1])
    end = np.maximum(first[1], second[1])
    return Columns(step, np.stack([first[0], first[1], gap, np.maximum(end, gap)]), (contrast, 0.0, contrast))


# --- The multi-slice Fourier transform (MSFT): the far field of a body, with absorption and phase
# --- shift in it.

ComplexArray = NDArray[np.complexfloating]
#: Nodes beyond half the largest phase ζz: the error of the interpolation then is below 10⁻³ of the field.
_MORE_NODES = 4
#: Against division by zero where ζ = kδ; of k.
_TINY = 1e-7


def far_field(body: Columns, k: float, q_edge: float, size: int) -> ComplexArray:
    """Compute the scattered field (size, size) over a square from −q_edge to q_edge, at pixel centres, times
    a grid cell's area; rows along y, 0 beyond q_edge.
    """
    # `k` = 2π over the wavelength; k and q_edge are in inverse units of the body's length.
    z_max = body.half_depth
    zeta_max = k - np.sqrt(max(k * k - q_edge * q_edge, 0.0))
    number = int(np.ceil(0.6 * zeta_max * z_max)) + _MORE_NODES
    angle = (np.arange(number) + 0.5) * np.pi / number
    nodes = zeta_max * (np.cos(angle) + 1) / 2
    # Coefficients of Chebyshev polynomials from values at the nodes.
    transform = np.cos(np.outer(np.arange(number), angle)) * (2 / number)
    transform[0] /= 2
    columns = _columns(body, k, nodes)
    coefficients = np.tensordot(transform.astype(np.float32), columns, axes=1)
    x = (np.arange(columns.shape[1]) - (columns.shape[1] - 1) / 2) * body.step
    q = detector_axis(q_edge, size)
    waves = np.exp(-1j * np.outer(q, x)).astype(np.complex64)
    images = (waves @ coefficients) @ waves.T
    inside, t = _places(q_edge / k, size)
    # Clenshaw's recurrence, the last coefficient first.
    after, last = np.zeros_like(images[0]), np.zeros_like(images[0])
    for image in images[:0:-1]:
        after, last = image + 2 * t * after - last, after
    field = images[0] + t * after - last
    return np.asarray(np.where(inside, field * np.complex64(body.step**2), 0))


def _columns(body: Columns, k: float, nodes: NDArray[np.float64]) -> ComplexArray:
    """∫ exp(iζz) (∂T/∂z) dz of every line along the beam, (nodes, n, n)."""
    kappa = k * np.array(body.contrast)
    depth = np.diff(body.edges, axis=0)
    phases = 1j * kappa[:, None, None] * depth
    passed = np.exp(np.concatenate([np.zeros_like(phases[:1]), np.cumsum(phases, axis=0)])).astype(
        np.complex64
    )
    edges = body.edges.astype(np.float32)
    field = np.zeros((nodes.size, *edges.shape[1:]), np.complex64)
    for row, zeta in enumerate(nodes):
        weighted = np.exp(1j * np.float32(zeta) * edges) * passed
        for segment, wave_number in enumerate(kappa):
            if wave_number != 0:
                factor = np.complex64(wave_number / (zeta + wave_number + 1j * _TINY * k))
                field[row] += factor * (weighted[segment + 1] - weighted[segment])
    return field


def shift_field(field: ComplexArray, k: float, q_edge: float, place: Sequence[float]) -> ComplexArray:
    """The field of the same body somewhere else, (x, y, z)."""
    q = detector_axis(q_edge, len(field))
    zeta = k - np.sqrt(np.maximum(k * k - q[:, None] ** 2 - q[None, :] ** 2, 0.0))
    phase = zeta * place[2] - q[None, :] * place[0] - q[:, None] * place[1]
    return np.asarray(field * np.exp(1j * phase).astype(np.complex64))


def detector_axis(q_edge: float, size: int) -> NDArray[np.float64]:
    """q at the middles of pixels, (size,)."""
    return np.asarray((np.arange(size) + 0.5 - size / 2) * (2 * q_edge / size))


@lru_cache(maxsize=4)
def _radius(size: int) -> NDArray[np.float64]:
    axis = detector_axis(1.0, size)
    return np.asarray(np.hypot(axis[:, None], axis[None, :]))


def _places(sine: float, size: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which points lie within the circle; their ζ on the interval −1..1, (size, size)."""
    inside = _radius(size) <= 1
    squared = np.minimum(_radius(size), 1.0) ** 2
    # ζ/ζ_max = (1 − cos θ)/(1 − cos θ_max)
    share = (1 - np.sqrt(1 - sine**2 * squared)) / (1 - np.sqrt(1 - sine**2))
    return inside, np.asarray(2 * share - 1, dtype=np.float32)


# --- Images that show no single particle: what must not be tagged with confidence, and teaches a
# --- network so.


def _axes(size: int) -> tuple[Floats, Floats]:
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    return grid[None, :], grid[:, None]


def _powder(size: int, rng: np.random.Generator) -> Floats:
    """Sharp rings of a powder or a standard, on a smooth ground, about a centre that may be elsewhere."""
    x, y = _axes(size)
    off = rng.uniform(-0.8, 0.8, 2) * (rng.random() < 0.4)
    radius = np.hypot(x - off[0], y - off[1])
    first, intensity = rng.uniform(0.1, 0.5), np.exp(-radius / rng.uniform(0.2, 1))
    for order in range(1, int(rng.integers(2, 12))):
        position = first * (order if rng.random() < 0.5 else np.sqrt(order))
        intensity = intensity + rng.uniform(0.2, 3) * np.exp(
            -0.5 * ((radius - position) / rng.uniform(0.005, 0.03)) ** 2
        )
    return np.asarray(intensity)


def _crystal(size: int, rng: np.random.Generator) -> Floats:
    """Spots, of a lattice or anywhere."""
    intensity = np.zeros((size, size))
    number = int(rng.integers(5, 80))
    if rng.random() < 0.5:
        basis = rng.uniform(size / 14, size / 5) * rng.normal(size=(2, 2))
        places = (rng.integers(-9, 10, (number, 2)) @ basis + size / 2).round().astype(int)
    else:
        places = rng.integers(size, size=(number, 2))
    for row, column in places[np.all((places >= 0) & (places < size), axis=1)]:
        intensity[row, column] += rng.exponential()
    x, y = _axes(size)
    return gaussian_filter(intensity, rng.uniform(0.5, 1.8)) + 1e-4 * np.exp(-np.hypot(x, y) / 0.4) + 1e-7


def _speckle(size: int, rng: np.random.Generator) -> Floats:
    field = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    width = np.exp(rng.uniform(0, np.log(8)))
    smooth = gaussian_filter(field.real, width) ** 2 + gaussian_filter(field.imag, width) ** 2
    x, y = _axes(size)
    return np.asarray(smooth * np.exp(-np.hypot(x, y) / rng.uniform(0.2, 3)))


def _stripes(size: int, rng: np.random.Generator) -> Floats:
    """Stripes, as of a camera's read-out or a grazing-incidence rod and its horizon."""
    x, y = _axes(size)
    intensity = stripes(x, y, rng)
    if rng.random() < 0.5:
        intensity = intensity * (y > rng.uniform(-0.5, 0.3)) + 20 * np.exp(-np.abs(x) / 0.03) * (y > 0)
    return np.asarray(intensity + 0.01)


#: (points of a side, generator) to an intensity, nowhere negative.
KINDS: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "powder": _powder,
    "crystal": _crystal,
    "speckle": _speckle,
    "stripes": _stripes,
}


# --- What single-shot images are drawn from: kinds of particles with their tags, sizes, tilts,
# --- materials.

#: How often each kind was found among 7,264 images of helium droplets; Streak and Bent overlap as little as
#: their sum and the number of Prolate allow (242 + 390 − 453).
SEED = {
    "round": 5792, "elliptical": 797, "streak": 63, "bent": 211, "streak_bent": 179, "irregular": 11,
    "empty": 211,
}  # fmt: skip
#: What is found on top, of images that are neither irregular nor empty.
SEED_MORE = {"newton": 460, "double": 218, "layered": 47, "asymmetric": 367}
#: What networks are trained with: rare kinds often enough to be learned.
BALANCED = {
    "round": 25, "elliptical": 20, "streak": 12, "bent": 13, "streak_bent": 12, "irregular": 6, "empty": 12,
}  # fmt: skip
BALANCED_MORE = {"newton": 9, "double": 9, "layered": 9, "asymmetric": 9}
_TAGS = {
    "round": "Round", "elliptical": "Elliptical", "streak": "Streak", "bent": "Bent",
    "irregular": "Asymmetric", "empty": "Empty", "newton": "NewtonRings", "double": "DoubleRings",
    "layered": "Layered", "asymmetric": "Asymmetric",
}  # fmt: skip

_TABLES = read_priors(__file__)
PRIORS = _TABLES["particle"]
#: Seen axis ratio from which on a body is called Elliptical, and up to which Round.
ELLIPTICAL, ROUND = 0.88, 0.93
#: A streak bends by tan(tilt) tan(θ/2) of the window's radius at its edge; from this share on it is Bent.
BENT = 0.10
#: Straight sides from this ratio of length to width, as it is seen, give a streak.
STREAK = 1.8
#: Solids and liquids with their density, g/cm³, and photon energies, keV, from which δ and β are drawn.
MATERIALS = {"He": 0.145, "Ne": 1.44, "Ar": 1.65, "Xe": 3.5, "H2O": 0.92, "SiO2": 2.2, "Ag": 10.5}
ENERGIES = (0.031, 1.5)
_ENERGY_STEPS = 24
#: The multi-slice transform neglects refraction; larger contrasts are not drawn.
_MOST_CONTRAST = 0.06


@cache
def contrasts() -> tuple[tuple[str, float, complex], ...]:
    """Material, photon energy in keV and n − 1, n = 1 − δ + iβ, from the tables that periodictable holds."""
    # Source: B. L. Henke, E. M. Gullikson, J. C. Davis, At. Data Nucl. Data Tables 54 (1993) 181.
    from periodictable.xsf import index_of_refraction

    found_contrasts = []
    for energy in np.geomspace(*ENERGIES, _ENERGY_STEPS):
        for name, density in MATERIALS.items():
            n = complex(index_of_refraction(name, density=density, energy=float(energy)))
            contrast = (n - 1).conjugate()
            if np.isfinite(abs(contrast)) and abs(contrast) < _MOST_CONTRAST:
                found_contrasts.append((name, float(energy), contrast))
    return tuple(found_contrasts)


def draw_sample(
    rng: np.random.Generator,
    kinds: Mapping[str, float],
    second_kinds: Mapping[str, float],
    share_alone: float,
    fixed: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Draw the parameters of one shot: those of `PRIORS` that its kind has, ``kind`` and ``more`` as indices
    into `SEED` and `SEED_MORE` (−1 for none), ``delta``, ``beta``; angles in radians.
    """
    # `kinds` and `more` are relative frequencies, `alone` that of no addition; `fixed` is common to a beam
    # time (``theta`` in radians, ``delta``, ``beta``).
    kind = choose(rng, kinds)
    extra = choose(rng, {"": share_alone, **second_kinds})
    if kind in ("irregular", "empty"):
        extra = ""
    values = draw_all(PRIORS, rng)
    theta, aspect, tilt = values["theta"], values["aspect"], np.radians(values["tilt"])
    if "bent" in kind:
        theta = loguniform(15, 30, rng)
    if fixed and "theta" in fixed:
        theta = float(np.degrees(fixed["theta"]))
    while kind in ("streak", "bent", "streak_bent"):
        apparent, bend = _project(aspect, tilt), np.tan(tilt) * np.tan(np.radians(theta) / 2)
        if ("streak" in kind) == (apparent >= STREAK) and ("bent" in kind) == (bend >= BENT):
            break
        aspect, tilt = PRIORS["aspect"](rng), np.radians(PRIORS["tilt"](rng))
    if kind in ("round", "elliptical"):
        oblate = values["oblate"]
        # Axes in all directions alike.
        tilt = np.arcsin(rng.uniform())
        while (
            not (ROUND, 0.0)[kind == "elliptical"]
            <= _project(oblate, tilt)
            <= (ELLIPTICAL if kind == "elliptical" else 1.0)
        ):
            oblate, tilt = PRIORS["oblate"](rng), np.arcsin(rng.uniform())
        aspect = 1 / oblate
    elif kind == "irregular":
        aspect = 1.0
    contrast = contrasts()[int(rng.integers(len(contrasts())))][2]
    return {
        **values,
        "kind": float(list(SEED).index(kind)),
        "more": float(list(SEED_MORE).index(extra)) if extra else -1.0,
        "theta": float(np.radians(theta)),
        "aspect": float(aspect),
        "tilt": float(tilt),
        "straight": float(rng.random() < 0.7 or "streak" in kind),
        "hollow": float(rng.random() < 0.3),
        "where": float(rng.uniform(0, 2 * np.pi)),
        "delta": -contrast.real,
        "beta": contrast.imag,
        **(fixed or {}),
    }


def tags_of(parameters: Mapping[str, float]) -> dict[str, float]:
    """0 or 1 of each tag of a sample."""
    kind = list(SEED)[int(parameters["kind"])]
    names = kind.split("_") + ([list(SEED_MORE)[int(parameters["more"])]] if parameters["more"] >= 0 else [])
    tags = {_TAGS[name] for name in names}
    tags |= {PARENTS[name] for name in tags if name in PARENTS}
    return {name: float(name in tags) for name in LABELS}


def _project(polar: float, tilt: float) -> float:
    """Polar over equatorial axis of a spheroid's shadow."""
    return float(np.hypot(polar * np.cos(tilt), np.sin(tilt)))


# --- From a sample's parameters to the intensity that it scatters: which body, where, and what is
# --- beside it.

#: Grid cells across a body, and points across the window.
CELLS, SIZE = 64, 128
#: Cells of a grid must be this much finer than half a wave at the window's edge.
_FINE = 0.9
#: Decades below the brightest point of the window that are kept.
DECADES = 7.0
#: Where the half that is beside a large body begins, in radii of both.
_TOUCHING = 0.85


def intensity(parameters: Mapping[str, float], size: int = SIZE, cells: int = CELLS) -> Floats:
    """Compute the scattered intensity (size, size) over a square in q, arbitrary scale, 0 outside its
    inscribed circle and for an empty shot. `cells` is the grid across the body.
    """
    kind = list(SEED)[int(parameters["kind"])]
    if kind == "empty":
        return np.zeros((size, size))
    second_kind = list(SEED_MORE)[int(parameters["more"])] if parameters["more"] >= 0 else ""
    # Unit of length: one over q at the window's edge.
    k = 1 / np.sin(parameters["theta"])
    whole = _body(kind, second_kind, parameters, cells)
    field = far_field(whole, k, 1.0, size)
    if second_kind not in ("newton", "double"):
        return _square(field)
    scale = parameters["second" if second_kind == "newton" else "ratio"]
    other_field = far_field(
        _body(kind, "", {**parameters, "size": parameters["size"] * scale}, cells), k, 1.0, size
    )
    if second_kind == "double":
        # Far apart their fringes are finer than a pixel: intensities add up. The smaller flies where the
        # beam is brighter, or it would not be seen.
        first, second = _square(field), _square(other_field)
        return np.asarray(first + second * (parameters["second"] * first.sum() / max(second.sum(), 1e-30)))
    # Path difference ζΔz: so many fringes between the middle and the edge.
    far = 2 * np.pi * parameters["fringes"] / (k - np.sqrt(k * k - 1))
    aside = 2 * np.pi * parameters["aside"]
    place = aside * np.cos(parameters["where"]), aside * np.sin(parameters["where"]), far
    ratio = np.sqrt(_square(field).sum() / max(_square(other_field).sum(), 1e-30)) * parameters["second"]
    return _square(field + np.complex64(ratio) * shift_field(other_field, k, 1.0, place))


def _square(field: NDArray[np.complexfloating]) -> Floats:
    return np.asarray(field.real.astype(np.float64) ** 2 + field.imag.astype(np.float64) ** 2)


def _body(kind: str, second_kind: str, p: Mapping[str, float], cells: int) -> Columns:
    """Make the body on a grid that it fills, about 0; its axis lies in the plane of beam and x."""
    contrast = complex(-p["delta"], p["beta"])
    axis = direction(p["tilt"], 0.0)
    radius, polar = _semi_axes(kind, p)
    half = 1.02 * max(radius, polar)
    bumped = second_kind == "asymmetric" or kind == "irregular"
    if bumped:
        half = half + p["bump"] * radius * (1 + _TOUCHING)
    half = max(half, 1.0)
    # Finer where a large body needs it: the step must resolve the wave at the edge.
    cells = max(cells, int(np.ceil(2 * half / (np.pi * _FINE))))
    step, x = grid(half, cells)
    prolate = kind in ("streak", "bent", "streak_bent")

    def chord(scale: float = 1.0) -> Chord:
        if prolate and p["straight"]:
            return pill_chord(x, radius * scale, 2 * (polar - radius) * scale, axis)
        return spheroid(x, radius * scale, polar * scale, axis)

    if bumped:
        small = p["bump"] * radius
        reach = _TOUCHING * (radius + small)
        way = direction(0.4 * np.sin(p["where"]), p["where"])
        centre = reach * way
        return fuse_bodies(
            step, chord(), spheroid(x, small, small, way, (centre[0], centre[1], centre[2])), contrast
        )
    if second_kind == "layered":
        inner = 0.0 if p["hollow"] else contrast * p["denser"]
        return nest_bodies(step, chord(), chord(p["core"]), contrast, inner)
    return solid(step, chord(), contrast)


def _semi_axes(kind: str, p: Mapping[str, float]) -> tuple[float, float]:
    """Across and along the axis, such that the mean radius of the shadow is the drawn size."""
    aspect, tilt, size = p["aspect"], p["tilt"], p["size"]
    if kind == "irregular":
        return size, size
    ratio = 1 / aspect if kind in ("round", "elliptical") else aspect
    radius = size / np.sqrt(np.hypot(ratio * np.cos(tilt), np.sin(tilt)))
    return radius, radius * ratio


def as_stored(picture: Floats) -> NDArray[np.float16]:
    """Logarithm, base 10, of an intensity over its largest value; −`DECADES` at least."""
    top = picture.max()
    if top <= 0:
        return np.full(picture.shape, -DECADES, np.float16)
    return np.log10(np.maximum(picture / top, 10**-DECADES)).astype(np.float16)


# --- From a clean pattern to counts on a detector with its stray light and faults, drawn anew each
# --- time.

#: Pixels of a side of the detector; its largest circle is the window.
PIXELS = 96
WINDOW = Window((PIXELS, PIXELS), ((PIXELS - 1) / 2, (PIXELS - 1) / 2), PIXELS / 2)

MEASUREMENT = _TABLES["measurement"]


def project_on_detector(
    picture: NDArray[np.floating], theta: float, turn: float, off: tuple[float, float]
) -> Floats:
    """Project a pattern over q, log intensity (m, m), on a flat detector (PIXELS, PIXELS)."""
    # `theta` is the scattering angle at the window's edge and `turn` about the beam, radians; `off` the true
    # centre less the stated one, pixels.
    from scipy.ndimage import map_coordinates

    pixels = np.arange(PIXELS) - (PIXELS - 1) / 2
    x, y = (pixels[None, :] - off[0]) / WINDOW.edge, (pixels[:, None] - off[1]) / WINDOW.edge
    radius = np.hypot(x, y)
    # On a flat detector the radius goes as tan θ, q across the beam as sin θ.
    stretch = np.cos(np.arctan(radius * np.tan(theta))) / np.cos(theta)
    half = len(picture) / 2
    c, s = np.cos(turn) * stretch * half, np.sin(turn) * stretch * half
    column, row = c * x + s * y + half - 0.5, c * y - s * x + half - 0.5
    projected = map_coordinates(picture.astype(np.float32), [row, column], order=1, mode="nearest")
    return np.asarray(np.where(radius <= 1, 10.0 ** projected.astype(np.float64), 0.0))


def simulate_measurement(
    picture: Floats,
    rng: np.random.Generator,
    exposure: float | None = None,
    *,
    hit: bool = True,
    fixed: Mapping[str, float] | None = None,
) -> Image:
    """Simulate counts of a pattern (PIXELS, PIXELS) on a detector with its faults."""
    # `exposure` is the expected counts of the particle, drawn by default; without a `hit` there is stray
    # light alone; `fixed` sets `MEASUREMENT` values that one detector shares.
    values = draw_all(MEASUREMENT, rng) | dict(fixed or {})
    pixels = np.asarray((np.arange(PIXELS) - (PIXELS - 1) / 2) / WINDOW.edge, dtype=np.float64)
    radius = np.hypot(pixels[:, None], pixels[None, :])
    mask = _mask(values, pixels, radius, rng)
    inside = radius <= 1
    stray = np.exp(-radius / values["reach"]) * inside
    if hit:
        expected = picture / max(float(picture[mask].sum()), 1e-300) * (exposure or values["counts"])
        level = float(expected[mask].sum())
    else:
        expected, level = np.zeros_like(picture), min(exposure or np.inf, 10 * values["empty"])
        level = min(level, values["empty"])
        values["stray"], values["flat"] = rng.dirichlet((1, 1))
    for name, shape in (("stray", stray), ("flat", inside.astype(float))):
        expected = expected + shape * (values[name] * level / max(float(shape[mask].sum()), 1e-9))
    counts = count_unevenly(expected, values["uneven"], rng)
    if values["saturation"]:
        mask &= counts < np.quantile(counts[mask], 1 - values["saturation"]) + 5
    return Image(np.where(mask, counts, 0.0), mask, WINDOW)


def _mask(
    values: Mapping[str, float], pixels: Floats, radius: Floats, rng: np.random.Generator
) -> NDArray[np.bool_]:
    mask = (radius <= 1) & (radius > values["hole"])
    place, across = rng.choice([0.0, rng.uniform(-0.5, 0.5)]), rng.random() < 0.5
    if values["gap"]:
        line = np.abs(pixels - place) < values["gap"] / 2
        mask &= ~(line[:, None] if across else line[None, :])
    if values["beside"]:
        far = pixels * np.sign(values["beside"]) > 1 - abs(values["beside"])
        mask &= ~(far[:, None] if across else far[None, :])
    for row, column in rng.integers(PIXELS, size=(round(values["dead"]), 2)):
        mask[row, column] = False
    return mask


def shot(
    row: Mapping[str, Any],
    rng: np.random.Generator,
    exposure: float | None = None,
    fixed: Mapping[str, float] | None = None,
) -> Image:
    """A measurement of a stored pattern, turned anew; `fixed` as in `simulate_measurement`."""
    off = MEASUREMENT["centre"](rng), MEASUREMENT["centre"](rng)
    if fixed and "centre" in fixed:
        off = fixed["centre"], fixed["centre"]
    picture = project_on_detector(
        row["picture"], row["parameters"]["theta"], float(rng.uniform(0, 2 * np.pi)), off
    )
    hit = float(np.max(row["picture"])) > -DECADES
    return simulate_measurement(picture, rng, exposure, hit=hit, fixed=fixed)


# --- The simulator of single-shot diffraction images: particle → clean pattern → detector → counts.


@dataclass(frozen=True)
class DiffractionSimulator(Simulator):
    """Images of single free particles."""

    #: often, more: how often each kind is, and what is on top of it.
    often: Mapping[str, float] = field(default_factory=lambda: BALANCED)
    more: Mapping[str, float] = field(default_factory=lambda: BALANCED_MORE)
    alone: float = 64.0  #: How often nothing is, on the scale of `more`.

    kinds = tuple(KINDS)
    mix = Mix(rows=48, uses=1, others=6, known=40)

    @property
    def layout(self) -> Layout:
        return Layout(
            stem="shots",
            content="{rows:,} shots",
            rows=256,
            per_round=1024,
            row_bytes=2 * SIZE * SIZE + 400,
            settings=self._settings,
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [{k: astuple(p) for k, p in PRIORS.items()}]
        tables += [dict(self.often), dict(self.more), self.alone, MATERIALS, ENERGIES]
        tables += [ELLIPTICAL, ROUND, BENT, STREAK, DECADES]
        digest = digest_of(tables)
        return {"priors": digest, "size": SIZE, "cells": CELLS}

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return {
            "counts": list(MEASUREMENT["counts"].limits()),
            "kinds": dict(self.often),
            "more": dict(self.more),
        }

    def sample(self, rng: np.random.Generator) -> dict[str, float]:
        return draw_sample(rng, self.often, self.more, self.alone)

    def clean(self, params: Mapping[str, float]) -> Row:
        return {"parameters": dict(params), "picture": as_stored(intensity(params))}

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Image], Targets]:
        """Measure particles anew, each turned anew; besides, ``counts`` and ``kind``."""
        images = [shot(row, rng, exposure) for row in rows]
        tags = [tags_of(row["parameters"]) for row in rows]
        return images, {
            "tags": np.array([[tag[name] for name in LABELS] for tag in tags], dtype=np.float32),
            "quantities": np.stack([_quantities(row["parameters"]) for row in rows]),
            "counts": np.array([float(image.counts.sum()) for image in images]),
            "kind": np.array([list(SEED)[int(row["parameters"]["kind"])] for row in rows]),
        }

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Image:
        """An image of something else, on the same detector; more counts, or it could not be told."""
        level = exposure or max(MEASUREMENT["counts"](rng), 3e3)
        return simulate_measurement(KINDS[kind](PIXELS, rng), rng, level)


def _quantities(p: Mapping[str, float]) -> NDArray[np.float32]:
    """Return quantities on the network's scale; NaN for those the particle lacks."""
    kind = list(SEED)[int(p["kind"])]
    hit = kind != "empty"
    regular = (
        hit and kind != "irregular" and (p["more"] < 0 or list(SEED_MORE)[int(p["more"])] != "asymmetric")
    )
    prolate = regular and kind not in ("round", "elliptical")
    known_quantities = {
        "size": p["size"] if hit else np.nan,
        "axis_ratio": p["aspect"] if regular and kind != "round" else np.nan,
        "tilt": np.degrees(p["tilt"]) if prolate else np.nan,
    }
    values = [(quantity, float(known_quantities[quantity.name])) for quantity in QUANTITIES]
    return np.array(
        [quantity.scale_value(x) if np.isfinite(x) else np.nan for quantity, x in values], dtype=np.float32
    )


SIMULATOR = DiffractionSimulator()


# --- A second simulator of single particles: bodies of voxels of more kinds, planes along the beam
# --- added up.

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


def voxel_field(body: Array, half: float, k: float, q: NDArray[np.float64]) -> NDArray[np.complex64]:
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
    intensity = np.abs(voxel_field(filled, half, 1 / np.sin(theta), q)) ** 2
    return {"picture": as_stored(intensity.astype(np.float64)), "parameters": {"theta": theta}}
