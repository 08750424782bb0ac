"""X-ray scattering of materials by textbook formulas over q, on detectors with stops, gaps and hot pixels.

Rings are pseudo-Voigt peaks where the lattice's own rule puts them; halos Lorentzians; bodies spheres
with the Percus–Yevick factor of hard spheres; a crystal's spots stand where Ewald's sphere cuts its
lattice, turned at random; grains are spots around a ring one by one. Each scene has one subject with its
tags, so much stronger than all else that nobody would argue; what is a matter of degree is not judged.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..independent_curves import structure_factors
from .elsewhere_files import FORMATS, FloatArray, Tagged, ball, bars, hit, write

#: Of twelve scenes; the last is no scattering at all, and must have no tag.
KINDS = (
    *("lamellar", "halo", "low_q", "fcc", "textured", "crystal"),
    *("grains", "bcc", "hard_spheres", "one_ring", "halo_two", "foreign"),
)
_SHARP = ("ring", "many_rings", "bcc", "fcc", "single_crystal", "polycrystalline", "higher_orders")
_SOFT = ("halo", "amorphous")
#: Tags that a subject must have, and those that it surely has not.
TAGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "lamellar": (("ring", "higher_orders"), (*_SOFT, "single_crystal", "polycrystalline", "textured")),
    "halo": (("halo",), (*_SHARP, "textured")),
    "halo_two": (_SOFT, (*_SHARP, "textured")),
    "low_q": (("diffuse_low_q",), (*_SHARP, *_SOFT, "textured")),
    "fcc": (("ring", "many_rings"), (*_SOFT, "single_crystal", "textured", "bcc", "polycrystalline")),
    "bcc": (("ring", "many_rings"), (*_SOFT, "single_crystal", "textured", "fcc", "polycrystalline")),
    "textured": (("ring", "textured"), (*_SOFT, "single_crystal")),
    "crystal": (("single_crystal",), _SOFT),
    "grains": (("ring", "polycrystalline"), _SOFT),
    "hard_spheres": (
        ("structure_factor",),
        ("single_crystal", "many_rings", "bcc", "fcc", "polycrystalline"),
    ),
    "one_ring": (("ring",), (*_SOFT, "single_crystal", "many_rings", "bcc", "fcc", "polycrystalline")),
    "foreign": ((), _SHARP),
}
STOPS = ("circular_beamstop", "linear_beamstop", "")
DETECTORS = ((256, 256), (190, 480), (600, 470), (400, 400))


def allowed(lattice: str) -> FloatArray:
    """√(h² + k² + l²) of a cubic lattice's reflections over that of the first, and its multiplicity."""
    n = np.arange(-4, 5)
    h, k, j = (v.ravel() for v in np.meshgrid(n, n, n))
    square = h * h + k * k + j * j
    same = (h % 2 == k % 2) & (k % 2 == j % 2)
    there = ((h + k + j) % 2 == 0 if lattice == "bcc" else same) & (0 < square) & (square <= 14)
    values, often = np.unique(square[there], return_counts=True)
    return np.stack([np.sqrt(values / values[0]), often / values], axis=1)


def voigt(q: FloatArray, at: float, fwhm: float, share: float = 0.3) -> FloatArray:
    """Pseudo-Voigt of height 1, of which so much is Lorentzian."""
    x = 2 * (q - at) / fwhm
    return share / (1 + x * x) + (1 - share) * np.exp(-np.log(2) * x * x)


def hard_spheres(q: FloatArray, radius: float, fraction: float, spread: float) -> FloatArray:
    """P(q) S(q) of spheres, Percus and Yevick; P averaged over a Gaussian of sizes."""
    steps, line = np.linspace(-2, 2, 15), np.linspace(0, 1.01 * q.max(), 3000)
    sizes = radius * (1 + spread * steps)
    amplitudes = sizes**3 * ball(np.maximum(line[:, None] * sizes, 1e-3))
    factor = structure_factors.hard_spheres(line, radius, fraction)
    return np.interp(q, line, amplitudes**2 @ np.exp(-(steps**2) / 2) * factor)


def halos(q: FloatArray, rng: np.random.Generator, second: float) -> FloatArray:
    at = rng.uniform(0.45, 0.7)
    return voigt(q, at, 0.42 * at, 0.2) + second * voigt(q, 1.8 * at, 0.6 * at, 0.1)


def grains(q: FloatArray, phi: FloatArray, first: float, rng: np.random.Generator) -> FloatArray:
    """Spots around three rings one by one, and weak rings."""
    found = 0.02 * sum(voigt(q, first * order, 0.03 * first) for order in (1.0, 1.414, 1.732))
    for order in (1.0, 1.414, 1.732):
        for turn in rng.uniform(-np.pi, np.pi, int(rng.integers(15, 45))):
            off = np.abs(np.angle(np.exp(1j * (phi - turn)))) * q / 0.014
            found += rng.exponential() * voigt(q, first * order, 0.03 * first) * np.exp(-off * off / 2)
    return np.asarray(found)


def cubic(q: FloatArray, first: float, lattice: str) -> FloatArray:
    rings = (w * voigt(q, 0.4 * first / 0.36 * at, 0.025 * first, 0.2) for at, w in allowed(lattice))
    return np.asarray(sum(rings))


Draw = Callable[[FloatArray, FloatArray, float, np.random.Generator], Any]
#: Intensity of a scene's subject against q, in units of q half a detector from its middle, the azimuth, and q
#: of a first peak; any scale.
SUBJECTS: dict[str, Draw] = {
    "lamellar": lambda q, _, first, rng: sum(
        voigt(q, first * n, 0.05 * first) * np.exp(-0.5 * (n - 1)) for n in (1, 2, 3)
    ),
    "halo": lambda q, _, first, rng: halos(q, rng, 0.0),
    "halo_two": lambda q, _, first, rng: halos(q, rng, 0.5),
    "low_q": lambda q, _, first, rng: np.exp(-((q * rng.uniform(6, 14)) ** 2) / 3) + 1e-3 * (q + 0.01) ** -2,
    "fcc": lambda q, _, first, rng: cubic(q, first, "fcc"),
    "bcc": lambda q, _, first, rng: cubic(q, first, "bcc"),
    "textured": lambda q, phi, first, rng: (
        (0.05 + np.exp(-2 * np.sin(phi - rng.uniform(0, 3)) ** 2 / 0.3)) * voigt(q, first, 0.06 * first)
    ),
    "one_ring": lambda q, _, first, rng: voigt(q, first, 0.08 * first),
    "grains": grains,
    "crystal": lambda q, phi, first, rng: spots(q, phi, first, rng),
    "hard_spheres": lambda q, _, first, rng: hard_spheres(q, rng.uniform(4, 9), rng.uniform(0.3, 0.42), 0.06),
}


def spots(q: FloatArray, phi: FloatArray, first: float, rng: np.random.Generator) -> FloatArray:
    """Of a cubic crystal seen along one of its axes, a degree off; Ewald's sphere is nearly flat."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec([*rng.normal(0, 0.015, 2), rng.uniform(0, 6.3)]).as_matrix()
    x, y, found = q * np.cos(phi), q * np.sin(phi), np.zeros_like(q)
    for h in range(-5, 6):
        for k in range(-5, 6):
            for j in (-1, 0, 1):
                if (h, k, j) == (0, 0, 0) or (h + k + j) % 2:
                    continue
                at = turn @ np.array([h, k, j]) * first / np.sqrt(2)
                off = at[2] - (at[0] ** 2 + at[1] ** 2) / 30
                near = (x - at[0]) ** 2 + (y - at[1]) ** 2
                lit = np.exp(-((off / 0.05) ** 2) - 0.8 * (at @ at)) * rng.exponential()
                found += lit * np.exp(-near / (2 * 0.007**2))
    return found


def other(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """A photograph, as it were: dark and bright areas with edges, and a slope."""
    from scipy.ndimage import gaussian_filter

    y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
    found = 1 + x * rng.uniform(-0.8, 0.8) + y * rng.uniform(-0.5, 0.8)
    for _ in range(12):
        a, b, w, h = rng.uniform(0, 1, 4)
        inside = (x > a) & (x < a + w / 2) & (y > b) & (y < b + h / 2)
        found = np.where(inside, found * rng.uniform(0.3, 3), found)
    return gaussian_filter(found, 1.5)


def shadow(kind: str, x: FloatArray, y: FloatArray, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Where the beamstop stands, x and y from the beam in reference lengths."""
    if kind == "circular_beamstop":
        return np.hypot(x, y) < rng.uniform(0.06, 0.12)
    if kind == "linear_beamstop":
        half = rng.uniform(0.03, 0.05)
        return (np.abs(x) < half) & (y < 2 * half)
    return np.zeros(x.shape, bool)


def scene(index: int, seed: int, folder: Path) -> tuple[Path, Tagged]:
    """A file, its TOML where it has one, and what it shows."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng([seed, 7, index])
    kind, shape = KINDS[index % len(KINDS)], DETECTORS[(index // 2) % len(DETECTORS)]
    stop, half = STOPS[int(rng.integers(3))], max(shape) / 2
    centre = [n * rng.uniform(0.38, 0.62) for n in shape[::-1]]
    row, column = np.mgrid[: shape[0], : shape[1]]
    x, y = (column - centre[0]) / half, (row - centre[1]) / half
    counts = float(10 ** rng.uniform(-0.3, 2.3))
    if kind == "foreign":
        stop, rate = "", other(shape, rng)
        rate *= counts / rate.mean()
    else:
        r, wide = np.maximum(np.hypot(x, y), 1e-3), np.radians(rng.uniform(2, 20))
        q = np.sin(np.arctan(r * np.tan(wide)) / 2) / np.sin(wide / 2)
        first = float(rng.uniform(0.22, 0.5))
        rate = gaussian_filter(SUBJECTS[kind](q, np.arctan2(y, x), first, rng), 0.7)
        lit = q > 0.1
        rate = counts * (rate / rate[lit].mean() + float(np.exp(rng.uniform(*np.log((0.02, 0.4))))))
        rate += counts * rng.uniform(0.02, 0.2) * np.exp(-q / 0.06) * 10
        rate[shadow(stop, x, y, rng)] *= 0.004
    seen = rng.poisson(np.minimum(rate, 1e7)).astype(np.int64)
    gaps = bars(shape, rng, 5) if index % 3 == 0 else np.zeros(shape, bool)
    if index % 4 == 1:
        hit(seen, 6, rng)
    path = folder / f"scene{index}.{FORMATS[index % len(FORMATS)]}"
    stated: dict[str, Any] = {"direct_beam": centre} if index % 2 and kind != "foreign" else {}
    write(path, seen, gaps, **stated)
    return path, Tagged(kind, *TAGS[kind], counts, stop)
