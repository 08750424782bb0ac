"""Samples that no single model is: mixtures, powders, proteins, real bilayers, networks.

A set holds the models that say no more of the sample than is true of it: of a globular protein "an
ellipsoid" is accepted, "a stack of disks" or "a necklace of pearls" is not, however well its curve fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from .accepted import (
    BICONTINUOUS,
    CLUSTER,
    COMPACT,
    ELONGATED,
    FLEXIBLE,
    HOLLOW,
    LONG_PERIOD,
    MULTILAYER,
    RANDOM_PHASES,
    RING,
    STACK,
    VESICLE,
)
from .grid import N_WIDE, WIDE_Q

# --- A clean curve of such a sample, and what an expert would accept as its name.

#: Curves are computed at every fifth point of the wide grid, 160 a decade, and interpolated between.
COARSE = np.arange(0, N_WIDE, 5)
COARSE_Q = WIDE_Q[COARSE]
#: Nothing is computed beyond: features end at 1 Å⁻¹, and resolution reaches a little further.
Q_TOP = 1.6


@dataclass(frozen=True)
class Body:
    """One sample."""

    kind: str  #: One of `drawn.BODIES`.
    #: (N_WIDE,), ln I(q) on the wide grid, any scale; constant beyond `Q_TOP`.
    log_intensity: NDArray[np.float64]
    rg: float  #: Radius of gyration, Å; NaN where there is none.
    #: Form models of sasmodels that an expert would accept as the first answer; empty: none.
    accepted: tuple[str, ...]
    #: From this largest q times Rg on (from this largest q, Å⁻¹, where there is no Rg) no single model
    #: explains the curve; infinite where some accepted model always may, 0 where none ever does.
    outside_from: float = np.inf
    second: float = 0.0  #: 1 with a second component, 0 without one, NaN where both may be said.
    second_below: float = np.inf  #: A window that begins above this, Å⁻¹, does not show the second component.
    named_from: float = 0.0  #: A window that ends below this, Å⁻¹, does not show what the names are of.

    def names(self, q_max: float) -> tuple[str, ...]:
        """What is accepted of a curve that ends at `q_max`, Å⁻¹; empty where it says nothing of it."""
        return self.accepted if q_max > self.named_from else ()

    def labels(self, q_min: float, q_max: float) -> tuple[float, float]:
        """Return in_scope (a single model explains a curve between two q, Å⁻¹) and second (it has a second
        component): 0, 1, or NaN if either may be said.
        """
        reach = q_max * (1.0 if np.isnan(self.rg) else self.rg)
        beyond = reach > self.outside_from and q_min < self.second_below
        second = self.second if beyond or self.second != 1 else np.nan
        return (0.0 if beyond else np.nan), second


def interpolate_on_wide_grid(q: NDArray[np.float64], intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate ln I on the wide grid from points to `Q_TOP`; a power law below the first."""
    from scipy.interpolate import CubicSpline

    log_i = np.log(np.maximum(intensity, 1e-12 * intensity.max()))
    x, log_wide_q = np.log(q), np.log(WIDE_Q)
    slope = (log_i[1] - log_i[0]) / (x[1] - x[0])
    inside = CubicSpline(x, log_i)(np.clip(log_wide_q, x[0], x[-1]))
    return np.asarray(inside + slope * np.minimum(log_wide_q - x[0], 0.0))


# --- Lipid bilayers as they are measured: head groups as Gaussians, uneven leaflets, one layer to
# --- many, open or closed.
#
# Formulas: a Gaussian at distance z and of width σ, area A, adds A exp(−q² σ²/2) cos or sin(q z) to a flat
# layer's amplitude, and a flat layer's curve is |F|²/q². On a sphere it adds 4π A exp(−q² σ²/2) [R sin(q
# R)/q + σ² cos(q R)] (exact for R ≫ σ). Stacks: Caillé's structure factor as Zhang, Suter and Nagle have it
# (Phys. Rev. E 50 (1994) 5047).

_EULER = 0.5772156649


@dataclass(frozen=True)
class Profile:
    """Contrast across one bilayer, a sum of Gaussians."""

    #: area, centre, width: (k,), contrast times length, any unit; Å from the middle; standard deviation in Å.
    area: Floats
    centre: Floats
    width: Floats

    def amplitude(self, q: Floats) -> NDArray[np.complex128]:
        """Fourier transform along the normal, (n,)."""
        damped = self.area * np.exp(-0.5 * np.outer(q, self.width) ** 2)
        return np.asarray(np.sum(damped * np.exp(1j * np.outer(q, self.centre)), axis=1))

    def wrap_on_sphere(self, q: Floats, radius: Floats) -> Floats:
        """Amplitude of a vesicle of each radius of the middle, (m, n)."""
        total = np.zeros((len(radius), len(q)))
        for area, centre, width in zip(self.area, self.centre, self.width, strict=True):
            radii = (radius + centre)[:, None]
            wave = radii * np.sin(q * radii) / q + width**2 * np.cos(q * radii)
            total += 4 * np.pi * area * np.exp(-0.5 * (q * width) ** 2) * wave
        return total


def profile(rng: np.random.Generator) -> Profile:
    """Draw a bilayer of 28 to 50 Å between its heads, for X-rays (0.6) or neutrons."""
    # X-rays: heads of 2.5 to 5 Å above water, chains below it, a trough of methyl ends. Neutrons in heavy
    # water: chains far below, heads between. In a third the leaflets differ, by up to 30 %.
    half, head = rng.uniform(14.0, 25.0), rng.uniform(2.5, 5.0)
    uneven = rng.uniform(-0.3, 0.3) if rng.random() < 1 / 3 else 0.0
    # The chains: Gaussians side by side over the thickness, which make a plateau with soft edges.
    chain = half - head
    places = np.linspace(-chain, chain, max(5, int(chain / 2)))
    pitch = places[1] - places[0]
    if rng.random() < 0.6:
        heads, chains, methyl = rng.uniform(0.6, 1.4), -rng.uniform(0.1, 0.5), -rng.uniform(0.3, 1.2)
    else:
        heads, chains, methyl = -rng.uniform(0.1, 0.8), -rng.uniform(0.7, 1.0), -rng.uniform(0.0, 0.2)
    area = [heads * head * 2.5 * (1 + uneven), heads * head * 2.5 * (1 - uneven), methyl * 4.0]
    area += [chains * pitch] * len(places)
    centre = [half * (1 + 0.1 * uneven), -half, 0.0, *places]
    width = [head, head, rng.uniform(2.0, 4.0), *([0.8 * pitch] * len(places))]
    return Profile(np.array(area), np.array(centre), np.array(width))


def caille(q: Floats, spacing: float, layers: int, eta: float) -> Floats:
    """Structure factor per layer (n,) of a stack of fluctuating layers; q in Å⁻¹, spacing in Å, eta is
    Caillé's parameter of the first order, 0 to 0.5.
    """
    phase, strength = q * spacing, eta * (q * spacing / (2 * np.pi)) ** 2
    total = np.ones_like(q)
    for k in range(1, layers):
        decay = np.exp(-strength * (_EULER + np.log(np.pi * k)))
        total += 2 * (1 - k / layers) * np.cos(k * phase) * decay
    return np.asarray(np.maximum(total, 0.0))


def draw_stacks(q: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Structure factor of stacks of 2 to 40 layers, about as many in each, some alone, and spacing in Å."""
    # Spacing 45 to 75 Å or, swollen, to 200 Å; η 0.02 to 0.4; up to 40 % of the layers are in no stack.
    spacing = rng.uniform(45, 75) if rng.random() < 0.7 else rng.uniform(75, 200)
    most = int(np.exp(rng.uniform(np.log(2), np.log(40))))
    eta, share_alone = (
        np.exp(rng.uniform(np.log(0.02), np.log(0.4))),
        rng.uniform(0.0, 0.4) * (rng.random() < 0.5),
    )
    sizes = np.unique(np.maximum(2, np.round(most * np.array([0.7, 1.0, 1.3])).astype(int)))
    spacings = spacing * (1 + rng.uniform(0.0, 0.02) * np.array([-1.2, 0.0, 1.2]))
    factor = np.mean([caille(q, d, int(n), eta) for n in sizes for d in spacings], axis=0)
    return np.asarray(share_alone + (1 - share_alone) * factor), spacing


def single(q: Floats, rng: np.random.Generator) -> Floats:
    """Sheets without an end in the window, all directions, (n,)."""
    return np.asarray(np.abs(profile(rng).amplitude(q)) ** 2 / q**2)


def stacks(q: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Such sheets in stacks: their curve, (n,), and the q of their first order, Å⁻¹."""
    factor, spacing = draw_stacks(q, rng)
    return single(q, rng) * factor, 2 * np.pi / spacing


def vesicles(q: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Closed bilayers, mean radius 80 to 800 Å, relative width 0.05 to 0.4: curve, and that radius."""
    mean, sigma = np.exp(rng.uniform(np.log(80), np.log(800))), rng.uniform(0.05, 0.4)
    # Nodes closer than half a wave of the largest q that is resolved; beyond it fringes have gone.
    count = int(np.clip(6 * sigma * mean * 0.15 / np.pi * 2, 40, 300))
    t = np.linspace(-3, 3, count) + rng.uniform(-3, 3) / count
    radius, weight = mean * np.exp(sigma * t), np.exp(-0.5 * t**2)
    layer_profile = profile(rng)
    intensity = weight @ layer_profile.wrap_on_sphere(q, radius) ** 2 / weight.sum()
    # At large q the fringes of the nodes are none of the distribution: what is left is a flat layer's.
    sheet = (
        np.abs(layer_profile.amplitude(q)) ** 2
        * (4 * np.pi) ** 2
        * float(weight @ radius**2 / weight.sum())
        / (2 * q**2)
    )
    share = 1 / (1 + (q * mean * sigma * 6 / count / 1.2) ** 8)
    return share * intensity + (1 - share) * sheet, float(mean)


def bilayer(rng: np.random.Generator) -> Body:
    """One to many bilayers, open or closed."""
    q = COARSE_Q[(COARSE_Q >= 3e-4) & (COARSE_Q <= Q_TOP)]
    kind = rng.random()
    if kind < 0.3:
        return Body("bilayer", interpolate_on_wide_grid(q, single(q, rng)), np.nan, VESICLE)
    if kind < 0.6:
        return Body("bilayer", interpolate_on_wide_grid(q, vesicles(q, rng)[0]), np.nan, VESICLE)
    layered, first = stacks(q, rng)
    if kind < 0.9:
        return Body(
            "bilayer",
            interpolate_on_wide_grid(q, layered),
            np.nan,
            MULTILAYER,
            named_from=1.3 * first,
        )
    # Vesicles with some stacks among them.
    closed = vesicles(q, rng)[0]
    index = np.searchsorted(q, 0.1)
    intensity = closed / closed[index] + np.exp(rng.uniform(-1.5, 1.5)) * layered / layered[index]
    names = (*VESICLE, *MULTILAYER)
    return Body(
        "bilayer", interpolate_on_wide_grid(q, intensity), np.nan, names, 1.3 * first, 1.0, second_below=first
    )


# --- Where the residues of proteins are: folded domains of helices and strands, chains without a
# --- fold, water around.
#
# Geometry is the textbook's (Creighton, Proteins, 1993): an α helix rises 1.5 Å and turns 100° a residue on
# a radius of 2.3 Å, helices lie 9.5 Å apart; a strand rises 3.3 Å, strands of a sheet lie 4.8 Å and sheets
# 10 Å apart. So a residue takes about 120 to 160 Å³, as it does in crystals.

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


# --- Scattering of many points from the distances between them.
#
# Debye's sum, I(q) = f²(q) Σᵢⱼ wᵢ wⱼ sin(q rᵢⱼ)/(q rᵢⱼ) (Debye, Ann. Phys. 351 (1915) 809), over a
# histogram of the distances.

#: Bins of the distances. A bin's width w damps what oscillates at q by (q w)²/24: 1 % at 0.5/w.
BINS = 1500


def distances(points: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Distances of all pairs and the products of their weights, (n (n − 1)/2,) each."""
    from scipy.spatial.distance import pdist

    first, second = np.triu_indices(len(points), 1)
    return pdist(points), weights[first] * weights[second]


def sum_debye(
    pairs: Sequence[tuple[Floats, Floats]], weights: Sequence[Floats]
) -> tuple[Floats, Floats, float]:
    """Compute Debye's sum over conformations of equal size, `pairs` of `distances`, Å; returns q from 1/(100
    Rg) or the grid's first point to `Q_TOP`, Å⁻¹, I (1 at q = 0) and Rg, Å, weights as contrast.
    """
    edges = np.linspace(0.0, max(float(r.max()) for r, _ in pairs) * (1 + 1e-9), BINS + 1)
    width = edges[1]
    density, self_sum, total, second_moment = np.zeros(BINS), 0.0, 0.0, 0.0
    for (r, product), w in zip(pairs, weights, strict=True):
        density += np.bincount((r / width).astype(np.intp), product, BINS)[:BINS]
        self_sum += float(w @ w)
        total += float(w.sum()) ** 2
        second_moment += float(product @ r**2)
    rg = float(np.sqrt(max(second_moment, 0.0) / total))
    q = COARSE_Q[(COARSE_Q >= min(0.1 / max(rg, 1e-9), 0.5)) & (COARSE_Q <= Q_TOP)]
    middle = (edges[:-1] + edges[1:]) / 2
    intensity = (self_sum + 2 * np.sinc(np.outer(q, middle) / np.pi) @ density) / total
    return q, intensity, rg


# --- Porous solids and interwoven phases: Gaussian random fields that are cut at a level.
#
# A field with correlation g(r), cut so that a share φ is one phase, has the two-point correlation of Berk
# (Phys. Rev. A 44 (1991) 5069) and Teubner (Europhys. Lett. 14 (1991) 403).


def cut(correlation: Floats, level: float) -> Floats:
    """Covariance of the phase where a unit Gaussian field exceeds a level, (n,): ∫₀ᵍ exp(−α²/(1 + t))/(2π √(1
    − t²)) dt, here over t = sin u.
    """
    u, w = np.polynomial.legendre.leggauss(24)
    top = np.arcsin(np.clip(correlation, -1, 1))
    nodes_here = top[:, None] * (u + 1) / 2
    return np.asarray((np.exp(-(level**2) / (1 + np.sin(nodes_here))) @ w) * top / (4 * np.pi))


def transform(q: Floats, r: Floats, gamma: Floats) -> Floats:
    """4π ∫ γ(r) r² sin(q r)/(q r) dr by trapezoids, (n,)."""
    step = r[1] - r[0]
    return np.asarray(4 * np.pi * step * (np.sinc(np.outer(q, r) / np.pi) @ (gamma * r**2)))


def porous(rng: np.random.Generator) -> Body:
    """Two phases, with a preferred distance (half) or without one, whose surfaces are rough."""
    scale = float(np.exp(rng.uniform(np.log(8), np.log(800))))
    r = np.linspace(0, 16 * scale, 1600)
    rough = scale * np.exp(rng.uniform(np.log(0.02), np.log(0.3)))
    wave = rng.random() < 0.5
    spread = np.sqrt(r**2 + rough**2) - rough
    g = np.exp(-spread / scale)
    if wave:
        period = scale * rng.uniform(1.0, 4.0)
        g = g * np.sinc(2 * r / period)
    level = float(rng.normal(0, 0.8))
    gamma = cut(g, level)
    # Beyond 0.3/step the trapezoids are none of the transform; there it is Porod's law.
    q = COARSE_Q[(COARSE_Q >= 1e-4) & (COARSE_Q <= Q_TOP)]
    last = min(0.3 / (r[1] - r[0]), 4.0 / rough)
    inside = q <= last
    intensity = np.empty_like(q)
    intensity[inside] = np.maximum(transform(q[inside], r, gamma), 0)
    tail = intensity[inside][-1]
    intensity[~inside] = tail * (q[~inside] / q[inside][-1]) ** -4.0
    names = BICONTINUOUS if wave else RANDOM_PHASES
    return Body("porous", interpolate_on_wide_grid(q, intensity), np.nan, names)


# --- Bodies in two sizes, or over a wide range of sizes: spheres, ellipsoids, rods and plates.
#
# The prior: two log-normal populations (number of bodies) whose sizes differ by 1.5 to 8 and whose curves
# cross at 0.1 to 0.9 of the low-q intensity; or one, σ 0.3 to 0.9.

#: Of the shape of unit size: its curve up to this q, 60 points a unit of ln q.
_X = np.exp(np.arange(np.log(1e-3), np.log(3e3), 1 / 150))


def sphere(x: Floats) -> Floats:
    """|F|² of a sphere of radius 1, 1 at 0 (Rayleigh 1911)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        f = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return np.asarray(np.where(x < 1e-2, np.exp(-(x**2) / 5), f**2))


def spheroid(x: Floats, ratio: float) -> Floats:
    """|F|² of a spheroid, half axes (1, 1, ratio), all directions, 1 at 0."""
    u, w = np.polynomial.legendre.leggauss(48)
    u, w = (u + 1) / 2, w / 2
    return np.asarray(w @ np.array([sphere(x * np.sqrt(1 + u_i**2 * (ratio**2 - 1))) for u_i in u]))


def average_sizes(x: Floats, curve: Floats, q: Floats, size: float, sigma: float) -> Floats:
    """Average |F|² (at x = q times size) over log-normal sizes weighted by volume squared, (n,), not
    normalised; q in Å⁻¹, median size in Å, sigma of its logarithm.
    """
    t = np.linspace(-4, 4, int(np.clip(160 * sigma, 9, 120)) | 1)
    # Weighted by size to the sixth the distribution is the same, six σ² further on.
    shift = sigma * t + 6 * sigma**2
    weight = np.exp(-0.5 * t**2)
    log_curve, log_x = np.log(np.maximum(curve, 1e-30)), np.log(x)
    log_positions = np.log(q * size)[:, None] + shift
    return np.asarray(np.exp(np.interp(log_positions, log_x, log_curve)) @ weight / weight.sum())


def population(rng: np.random.Generator) -> Body:
    """Two sizes of one shape, or one wide distribution."""
    names: tuple[str, ...]
    if rng.random() < 0.6:
        curve, names = sphere(_X), ("sphere", "fuzzy_sphere", "core_shell_sphere")
    else:
        ratio = float(np.exp(rng.choice([-1, 1]) * rng.uniform(np.log(1.5), np.log(8))))
        curve = spheroid(_X, ratio)
        names = COMPACT if 1 / 3 < ratio < 3 else ELONGATED
        if ratio < 1 / 3:
            names = ("ellipsoid", "cylinder", "elliptical_cylinder", "triaxial_ellipsoid")
    q = COARSE_Q[(COARSE_Q >= 1e-4) & (COARSE_Q <= Q_TOP)]
    size = float(np.exp(rng.uniform(np.log(15), np.log(1500))))
    if rng.random() < 0.35:
        sigma = rng.uniform(0.3, 0.9)
        average = average_sizes(_X, curve, q, size, sigma)
        return Body(
            "population",
            interpolate_on_wide_grid(q, average),
            np.nan,
            names,
            np.inf,
            0.0 if sigma < 0.4 else np.nan,
        )
    large = size * float(np.exp(rng.uniform(np.log(1.5), np.log(8))))
    large_average = average_sizes(_X, curve, q, size, rng.uniform(0.04, 0.3))
    two = average_sizes(_X, curve, q, large, rng.uniform(0.04, 0.3))
    share = float(np.exp(rng.uniform(np.log(0.1), np.log(9.0))))
    # Where the large ones have lost half of their intensity, the small ones are so many times what is left.
    index = int(np.searchsorted(q, rng.uniform(1.0, 4.0) / large))
    average = two / two[index] + share * large_average / large_average[index]
    return Body("population", interpolate_on_wide_grid(q, average), np.nan, names, 1.5 / large, 1.0)


# --- Aggregates of equal bodies, with single ones beside them.
#
# Clusters grow body by body so that their radius of gyration keeps to Rg = a (N/k)^(1/D), D 1.5 to 2.8, k
# 1.0 to 1.4 (Filippov et al., J. Colloid Interface Sci. 229 (2000) 261, for sequential clusters).


def cluster(bodies: int, dimension: float, prefactor: float, rng: np.random.Generator) -> Floats:
    """Return centres (bodies, 3) of touching spheres of radius 1, about their centre of mass."""
    # Each next one lies at the distance that the radius of gyration asks for, in one of 200 directions where
    # it touches and does not overlap; else on the surface.
    points = np.array([[-1.0, 0, 0], [1.0, 0, 0]])
    while len(points) < bodies:
        n = len(points) + 1
        centre = points.mean(axis=0)
        target_square = (n / prefactor) ** (2 / dimension) * n
        square = np.sum((points - centre) ** 2)
        away = np.sqrt(max((target_square - square) * n / (n - 1), 4.0))
        directions = rng.standard_normal((200, 3))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        # Towards each body's surface: places that touch it, nearest to the distance that is asked for.
        touching = points[rng.integers(len(points), size=200)] + 2.0 * directions
        nearest = np.linalg.norm(touching[:, None] - points, axis=2).min(axis=1)
        miss = np.abs(np.linalg.norm(touching - centre, axis=1) - away) + 100.0 * (nearest < 2.0 - 1e-6)
        points = np.vstack([points, touching[np.argmin(miss)]])
    return points - points.mean(axis=0)


def aggregate(rng: np.random.Generator) -> Body:
    """Clusters of 2 to 250 spheres or spheroids of 10 to 300 Å, single ones beside them in a half."""
    n = int(np.exp(rng.uniform(np.log(2), np.log(250))))
    points = cluster(n, rng.uniform(1.5, 2.8), rng.uniform(1.0, 1.4), rng)
    radius = float(np.exp(rng.uniform(np.log(10), np.log(300))))
    round_ = rng.random() < 0.7
    curve = sphere(_X) if round_ else spheroid(_X, float(rng.uniform(0.4, 2.0)))
    weights = 1 + rng.uniform(0, 0.3) * rng.standard_normal(n)
    q, total, rg = sum_debye([distances(radius * points, weights)], [weights])
    # The wide grid begins below the first q: what is needed is the factor beside that of one body.
    body = average_sizes(_X, curve, q, radius, rng.uniform(0.02, 0.25))
    body = body / average_sizes(_X, curve, np.array([1e-6]), radius, 0.02)
    factor = total * n
    single = rng.random() < 0.5
    if single:
        factor = factor + np.exp(rng.uniform(np.log(0.2), np.log(5.0)))
    names: tuple[str, ...] = CLUSTER
    if n < 12 or single:
        names = (*names, *(("sphere", "fuzzy_sphere") if round_ else COMPACT))
    if n < 12:
        names = (*names, "pearl_necklace", "linear_pearls", "raspberry")
    # A spheroid or a necklace has another curve from its own size on.
    outside = 0.0 if single and n > 12 else np.inf
    second = 1.0 if single and n > 12 else np.nan
    return Body(
        "aggregate",
        interpolate_on_wide_grid(q, body * factor),
        rg if not single else np.nan,
        names,
        outside,
        second,
    )


# --- Faceted and rough particles: convex polyhedra without symmetry, surfaces that are no plane.
#
# A convex body is cut into tetrahedra from its middle. Across a direction, the area of a tetrahedron's
# sections is a quadratic B-spline over its corners (Curry & Schoenberg, J. Anal. Math. 17 (1966) 71), so
# its amplitude is a divided difference of exponentials, V 3! [z₀ z₁ z₂ z₃] exp(i q z)/(i q)³.

#: Directions over half of the sphere; the curve is kept to a few per cent up to q times size of a hundred.
DIRECTIONS = 150
_FACETED_X = np.exp(np.arange(np.log(0.3), np.log(250), 1 / 60))


def polyhedron(corners: Floats, x: Floats = _FACETED_X) -> tuple[Floats, float]:
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
    x = np.concatenate([low, _FACETED_X, high])
    curve = np.concatenate(
        [np.exp(-((low * rg) ** 2) / 3), curve, curve[-60:].mean() * (_FACETED_X[-30] / high) ** 4]
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
        COMPACT,
    )


# --- Proteins and complexes: pseudo-atoms of residues, with water around them, folded, assembled,
# --- or without a fold.
#
# The prior: 60 to 900 residues a domain, log-uniform; half axes log-normal, σ 0.25. X-rays (0.65): a
# residue is its electrons less the water that it displaces, Gaussians both, so that its form factor rises
# against that of a bead; neutrons: a bead. Water: none in 0.15, else 0.05 to 0.4 of a residue's contrast a
# place, log-uniform.

#: More residues are represented by so many of them; what single residues scatter is that of all.
MOST = 1500
#: From this largest q Rg on, an exact curve of a protein is none of an ellipsoid any more.
NO_ELLIPSOID = 8.0
_ENSEMBLE = 10
#: Square root of the ratio of the largest to the smallest principal moment: longer bodies are elongated.
_LONG, _LONGISH = 2.8, 2.0


def residue(q: Floats, rng: np.random.Generator) -> Floats:
    """Return a residue's form factor (n,), 1 at q = 0."""
    # Gaussian clouds: atoms spread over 1.1 to 1.5 Å (one axis), electrons exp(−a q²), a 0.2 to 0.35 Å², and
    # displaced water exp(−0.5 q²), volume 16 Å³ (Fraser et al., J. Appl. Cryst. 11 (1978) 693).
    spread = np.exp(-0.5 * (rng.uniform(1.1, 1.5) * q) ** 2)
    if rng.random() < 0.35:
        return np.asarray(spread)
    water = rng.uniform(2.0, 4.5)
    atoms = np.exp(-rng.uniform(0.2, 0.35) * q**2)
    return np.asarray(spread * ((1 + water) * atoms - water * np.exp(-0.5 * q**2)))


def protein(rng: np.random.Generator) -> Body:
    """A folded protein, a complex of some, or domains on linkers."""
    build = _ARCHITECTURES[int(rng.choice(len(_ARCHITECTURES), p=_SHARES))]
    conformations, names = build(rng)
    scattering = _scattering(conformations, rng)
    return Body(
        "protein", scattering[0], scattering[1], names or list_accepted_names(conformations[0]), NO_ELLIPSOID
    )


def flexible(rng: np.random.Generator) -> Body:
    """Draw an unfolded chain: 40 to 600 residues, persistence 5 to 20 Å, in poor to good solvents."""
    # Distances grow by (|i − j|/10)^(ν − 1/2) beyond ten residues, ν 0.48 to 0.62.
    n = int(np.exp(rng.uniform(np.log(40), np.log(600))))
    chains = coil(n, rng.uniform(5.0, 20.0), _ENSEMBLE, rng)
    first, second = np.triu_indices(n, 1)
    swelling = np.maximum((second - first) / 10.0, 1.0) ** (rng.uniform(0.48, 0.62) - 0.5)
    pairs, weights = [], []
    for chain in chains:
        w = 1 + 0.25 * rng.standard_normal(n)
        r, product = distances(chain, w)
        pairs.append((r * swelling, product))
        weights.append(w)
    q, intensity, rg = sum_debye(pairs, weights)
    return Body("flexible", interpolate_on_wide_grid(q, intensity * residue(q, rng) ** 2), rg, FLEXIBLE)


def list_accepted_names(points: Floats) -> tuple[str, ...]:
    """What is accepted of a solid body, by how long it is: (n, 3) points, Å."""
    moments = np.linalg.eigvalsh(np.cov(points.T))
    ratio = float(np.sqrt(moments[-1] / moments[0]))
    if ratio > _LONG:
        return ELONGATED
    return COMPACT if ratio < _LONGISH else (*COMPACT, *ELONGATED)


def _scattering(conformations: list[Floats], rng: np.random.Generator) -> tuple[Floats, float]:
    """ln I on the wide grid, and Rg in Å, of residues and the water around them."""
    hydration = 0.0 if rng.random() < 0.15 else float(np.exp(rng.uniform(np.log(0.05), np.log(0.4))))
    pairs, weights = [], []
    for points in conformations:
        water = shell(points, rng) if hydration and len(points) < 4 * MOST else np.empty((0, 3))
        w = np.concatenate([1 + 0.25 * rng.standard_normal(len(points)), np.full(len(water), hydration)])
        pair, w = _thin_pairs(np.concatenate([points, water]), w, rng)
        pairs.append(pair)
        weights.append(w)
    q, intensity, rg = sum_debye(pairs, weights)
    return interpolate_on_wide_grid(q, intensity * residue(q, rng) ** 2), rg


def _thin_pairs(
    points: Floats, weights: Floats, rng: np.random.Generator
) -> tuple[tuple[Floats, Floats], Floats]:
    """Pairs of `MOST` of the points, weighted as all pairs are, and the weights of all."""
    n = len(points)
    if n <= MOST:
        return distances(points, weights), weights
    selection = rng.choice(n, MOST, replace=False)
    r, product = distances(points[selection], weights[selection])
    return (r, product * (n * (n - 1)) / (MOST * (MOST - 1))), weights


def _residues(rng: np.random.Generator, most: int = 900) -> int:
    return int(np.exp(rng.uniform(np.log(60), np.log(most))))


def _axes(rng: np.random.Generator, sigma: float = 0.25) -> Floats:
    return np.asarray(np.exp(sigma * rng.standard_normal(3)))


_Built = tuple[list[Floats], tuple[str, ...]]


def _globular(rng: np.random.Generator) -> _Built:
    return [domain(_residues(rng), _axes(rng), rng)], ()


def _long(rng: np.random.Generator) -> _Built:
    """One domain of axis ratio up to five, or domains in a row, fixed."""
    if rng.random() < 0.4:
        return [domain(_residues(rng), np.array([1.0, 1.0, rng.uniform(2, 5)]), rng)], ()
    parts, position = [], np.zeros(3)
    for _ in range(int(rng.integers(2, 5))):
        part = domain(_residues(rng, 300), _axes(rng), rng)
        reach = 1.7 * np.sqrt(np.mean(np.sum(part**2, axis=1)))
        step = rotation(rng)[0] * 0.8 + np.array([0.0, 0.0, 0.8])
        position = position + reach * step / np.linalg.norm(step)
        parts.append(part + position)
    return [np.concatenate(parts)], ()


def _ring(rng: np.random.Generator) -> _Built:
    n = int(rng.integers(2, 9))
    unit = domain(_residues(rng, 400), _axes(rng), rng)
    half = 1.25 * np.sqrt(np.mean(np.sum(unit**2, axis=1)))
    radius = half / np.sin(np.pi / n)
    two = n > 2 and rng.random() < 0.4
    parts = []
    for level in range(1 + two):
        for k in range(n):
            angle = 2 * np.pi * (k + 0.5 * level) / n
            turn = np.array(
                [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
            )
            parts.append((unit + [radius, 0, (2 * level - 1) * half * two]) @ turn.T)
    return [np.concatenate(parts)], RING if n > 4 else ()


def _cage(rng: np.random.Generator) -> _Built:
    """Equal subunits on a sphere: 12 to 60 places of a Fibonacci lattice."""
    n = int(rng.integers(12, 61))
    unit = domain(_residues(rng, 250), _axes(rng), rng)
    half = 1.25 * np.sqrt(np.mean(np.sum(unit**2, axis=1)))
    radius = half * np.sqrt(n) * rng.uniform(0.9, 1.15) / 1.8
    k = np.arange(n) + 0.5
    z, turn = 1 - 2 * k / n, np.pi * (1 + np.sqrt(5)) * k
    directions = np.column_stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z])
    parts = [unit @ rotation(rng).T + radius * direction for direction in directions]
    return [np.concatenate(parts)], HOLLOW


def _link_domains(rng: np.random.Generator) -> _Built:
    """One to three domains with linkers and tails of 10 to 120 residues, in several conformations."""
    count = int(rng.integers(1, 4))
    domains = [domain(_residues(rng, 350), _axes(rng), rng) for _ in range(count)]
    linkers = [int(rng.integers(10, 120)) for _ in range(count)]
    persistence = rng.uniform(5.0, 20.0)
    chains = [coil(n, persistence, _ENSEMBLE // 2, rng) for n in linkers]
    conformations = []
    for k in range(_ENSEMBLE // 2):
        parts, end = [], np.zeros(3)
        for domain_points, linker in zip(domains, chains, strict=True):
            body = domain_points @ rotation(rng).T
            reach = np.linalg.norm(body, axis=1).max() + BOND
            direction = rotation(rng)[0]
            body = body + end + reach * direction
            chain = linker[k] - linker[k][0] + end + 1.8 * reach * direction
            parts += [body, chain]
            end = chain[-1]
        conformations.append(np.concatenate(parts))
    names = (*COMPACT, *ELONGATED, *FLEXIBLE)
    return conformations, names


_ARCHITECTURES: tuple[Callable[[np.random.Generator], _Built], ...] = (
    _globular,
    _long,
    _ring,
    _cage,
    _link_domains,
)
_SHARES = (0.4, 0.17, 0.18, 0.1, 0.15)


# --- A power-law upturn with what stands in it: Bragg orders of layers, a long period, a
# --- correlation peak.
#
# The prior: q⁻¹·⁵ to q⁻⁴·² that is equal to the rest between a quarter and four times the first peak's q;
# the sample's own spacing 20 to 800 Å, log-uniform.

_Q = COARSE_Q[(COARSE_Q >= 3e-4) & (COARSE_Q <= Q_TOP)]


def two_phase_stack(q: Floats, spacing: float, fraction: float, width: float, edge: float) -> Floats:
    """Scattering (n,) of endless alternating crystalline and amorphous layers of relative thickness spread
    `width`; q in Å⁻¹, `spacing` (mean long period) and `edge` (boundary's spread) in Å, `fraction`
    crystalline.
    """
    # Hosemann and Tsvankin: I ∝ q⁻⁴ Re[(1 − H_c)(1 − H_a)/(1 − H_c H_a)] across layers, H the (Gaussian)
    # characteristic function of a thickness, and q⁻² for all directions.
    characteristic = [
        np.exp(1j * q * part - 0.5 * (width * q * part) ** 2)
        for part in (fraction * spacing, (1 - fraction) * spacing)
    ]
    across = (1 - characteristic[0]) * (1 - characteristic[1]) / (1 - characteristic[0] * characteristic[1])
    return np.asarray(np.maximum(across.real, 1e-12) / q**4 * np.exp(-((q * edge) ** 2)))


def orders(q: Floats, spacing: float, rng: np.random.Generator) -> Floats:
    """Two to five orders of a spacing, Lorentzians or Gaussians, wider from order to order."""
    width = np.exp(rng.uniform(np.log(0.01), np.log(0.1))) * 2 * np.pi / spacing
    peaks = np.zeros_like(q)
    for order in range(1, int(rng.integers(2, 6)) + 1):
        x = (q - order * 2 * np.pi / spacing) / (width * order ** rng.uniform(0, 2))
        height = order ** -rng.uniform(1.0, 4.0) * np.exp(0.5 * rng.standard_normal())
        peaks += height * (1 / (1 + x**2) if rng.random() < 0.5 else np.exp(-0.5 * x**2))
    return peaks + np.exp(rng.uniform(-6, -3))


def upturn(rng: np.random.Generator) -> Body:
    """Layers, a long period or one peak, below an upturn."""
    kind = rng.random()
    names: tuple[str, ...]
    first = 2 * np.pi / float(np.exp(rng.uniform(np.log(20), np.log(800))))
    second = 1.0
    if kind < 0.35:
        (rest, first), names = stacks(_Q, rng), STACK
    elif kind < 0.7:
        sizes = rng.uniform(0.2, 0.8), rng.uniform(0.08, 0.3), rng.uniform(0.0, 0.5) / first
        rest, names = two_phase_stack(_Q, 2 * np.pi / first, *sizes), LONG_PERIOD
    elif kind < 0.85:
        rest, names = orders(_Q, 2 * np.pi / first, rng), MULTILAYER
    else:
        # One peak: with a power law it is what broad_peak is.
        width = np.exp(rng.uniform(np.log(0.05), np.log(0.5)))
        rest, names = 1 / (1 + (np.abs(_Q / first - 1) / width) ** rng.uniform(1.8, 3.0)), ("broad_peak",)
        second = np.nan
    index = min(int(np.searchsorted(_Q, first * np.exp(rng.uniform(-1.4, 1.4)))), len(_Q) - 1)
    # Not above the first order, or it could not be seen.
    near = (_Q > 0.7 * first) & (_Q < 1.3 * first)
    level = min(float(rest[index]), float(rest[near].max())) * np.exp(rng.uniform(-1.5, 1.0))
    added = level * (_Q / _Q[index]) ** -rng.uniform(1.5, 4.2)
    leads_to = float(_Q[(added > rest) & (_Q < first)].max(initial=0.0))
    outside = np.inf if np.isnan(second) else 1.3 * first
    log_i = interpolate_on_wide_grid(_Q, rest + added)
    return Body("upturn", log_i, np.nan, names, outside, second, 0.7 * leads_to, 1.3 * first)


# --- Bodies for training: drawn, some of them at hand for several measurements.

#: Generator of each kind, and its share.
BODIES: Mapping[str, tuple[Callable[[np.random.Generator], Body], float]] = {
    "protein": (protein, 0.28),
    "flexible": (flexible, 0.1),
    "bilayer": (bilayer, 0.18),
    "upturn": (upturn, 0.15),
    "population": (population, 0.12),
    "aggregate": (aggregate, 0.08),
    "porous": (porous, 0.05),
    "faceted": (particle, 0.04),
}


def body(rng: np.random.Generator) -> Body:
    names = list(BODIES)
    kind = names[int(rng.choice(len(names), p=[share for _, share in BODIES.values()]))]
    return BODIES[kind][0](rng)


class Drawn:
    """An endless supply of bodies, `kept` at hand and each measured `uses` times on average: a body takes
    tens of milliseconds, a measurement a tenth of one.
    """

    def __init__(self, rng: np.random.Generator, *, kept: int = 256, uses: int = 10) -> None:
        self._rng, self._most, self._uses = rng, kept, uses
        self._kept: list[Body] = []

    def draw(self, count: int) -> list[Body]:
        """So many, no two of them the same where there are enough."""
        for _ in range(1 + count // self._uses):
            if len(self._kept) < self._most:
                self._kept.append(body(self._rng))
            else:
                self._kept[int(self._rng.integers(self._most))] = body(self._rng)
        picked = self._rng.choice(len(self._kept), size=count, replace=count > len(self._kept))
        return [self._kept[int(index)] for index in picked]
