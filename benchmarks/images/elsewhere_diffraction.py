"""Diffraction of single particles from voxels: phases of all planes along the beam, added on Ewald's sphere.

A body is a cube of voxels, each with the share of it that is filled. F(q) = Σ_z exp(iq_z z) Σ_xy ρ
exp(i(q_x x + q_y y)) in the first Born approximation: each plane is transformed by an FFT that is padded
fourfold, and its phase is that of Ewald's sphere, q_z = k − √(k² − q²). What the beam has passed
attenuates it. The detector is flat, larger than training's, with a hole for the beam, gaps, hot pixels,
and the beam off its middle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .elsewhere_files import FORMATS, FloatArray, ball, bars, hit, write

#: Voxels along each side, and by how much an FFT is padded.
VOXELS, PAD = 72, 4
#: Of twelve scenes; the last kind is no single particle, and must be refused.
KINDS = (
    *("round", "elliptical", "streak", "newton", "empty", "bent"),
    *("round", "double", "elliptical", "asymmetric", "streak", "foreign"),
)
#: The tag that a kind must have, and those that it surely has not.
TAGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "round": ("Round", ("Prolate", "Streak", "Bent", "Elliptical", "Empty", "NewtonRings")),
    "elliptical": ("Elliptical", ("Round", "Bent", "Empty", "NewtonRings", "Streak")),
    "streak": ("Streak", ("Round", "Empty", "NewtonRings", "Spherical/Oblate")),
    "bent": ("Bent", ("Round", "Empty", "NewtonRings", "Spherical/Oblate")),
    "newton": ("NewtonRings", ("Empty", "Prolate", "Streak", "Bent")),
    "double": ("DoubleRings", ("Empty", "Prolate", "Streak", "Bent")),
    "asymmetric": ("Asymmetric", ("Empty", "Round")),
    "empty": ("Empty", ("Round", "Elliptical", "Prolate", "NewtonRings")),
}

DETECTORS = ((512, 512), (400, 520), (300, 300), (700, 640))
#: Whether a point is inside, from its place along an axis and its squared distance from that.
Inside = Callable[[FloatArray, FloatArray], NDArray[np.bool_]]


@dataclass(frozen=True)
class Truth:
    kind: str
    wanted: str  #: The tag that it must have; empty where it must be refused.
    never: tuple[str, ...]  #: Tags that it surely has not.
    counts: float

    @property
    def foreign(self) -> bool:
        """No single particle: it must be refused."""
        return not self.wanted


def voxels(tilt: float, turn: float, inside: Inside) -> FloatArray:
    """(VOXELS,) * 3 shares that are filled, of a body within ±1; by 8 points in each voxel."""
    fine = (np.arange(2 * VOXELS) + 0.5) / VOXELS - 1
    z, y, x = np.meshgrid(fine, fine, fine, indexing="ij")
    along = np.cos(tilt) * np.cos(turn) * x + np.cos(tilt) * np.sin(turn) * y + np.sin(tilt) * z
    filled = inside(along, x * x + y * y + z * z - along**2).astype(np.float32)
    return filled.reshape(VOXELS, 2, VOXELS, 2, VOXELS, 2).mean(axis=(1, 3, 5))


def ellipsoid(ratio: float) -> Inside:
    """Of revolution, its axis `ratio` times as long as the others; the longest semi-axis is 0.95."""
    across = 0.95 / max(ratio, 1.0)
    return lambda along, square: square / across**2 + along**2 / (ratio * across) ** 2 < 1


def rod(ratio: float) -> Inside:
    """A cylinder between half spheres, `ratio` times as long as wide in all."""
    radius = 0.95 / ratio
    return lambda along, square: square + np.maximum(np.abs(along) - (0.95 - radius), 0) ** 2 < radius**2


def pair(first: float, second: float, apart: float) -> Inside:
    """Two spheres that have grown together."""
    return lambda along, square: (
        ((along + apart / 2) ** 2 + square < first**2) | ((along - apart / 2) ** 2 + square < second**2)
    )


def field_of(body: FloatArray, half: float, k: float, q: FloatArray, passed: float) -> NDArray[np.complex128]:
    """Scattered field over a square of q, (n, n), of a body (z, y, x) in a cube of side 2 `half`.

    e to the minus `passed` of the amplitude is left after half of the cube.
    """
    from scipy.ndimage import map_coordinates

    step, padded = 2 * half / VOXELS, PAD * VOXELS
    at = (q * step * padded / (2 * np.pi)) + padded // 2
    places = np.meshgrid(at, at, indexing="ij")
    qz = k - np.sqrt(k * k - np.minimum(q[:, None] ** 2 + q[None, :] ** 2, k * k))
    # The transform of a voxel's own box.
    box = np.sinc(q * step / (2 * np.pi))
    before, total = np.zeros((VOXELS, VOXELS)), np.zeros((q.size, q.size), complex)
    inner = slice((padded - VOXELS) // 2, (padded + VOXELS) // 2)
    for number, plane in enumerate(body):
        if plane.any():
            source = np.zeros((padded, padded))
            source[inner, inner] = plane * np.exp(-passed * before)
            wave = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(source)))
            real, imaginary = (
                map_coordinates(part, places, order=3, mode="nearest") for part in (wave.real, wave.imag)
            )
            z = ((number + 0.5) / VOXELS * 2 - 1) * half
            total += (real + 1j * imaginary) * np.exp(1j * qz * z)
        before += plane / VOXELS
    return total * np.outer(box, box)


#: Of a kind: draws the body, its tilt, and half of the cube over the drawn size.
BODIES: dict[str, Callable[[np.random.Generator], tuple[Inside, float, float]]] = {
    "round": lambda rng: (ellipsoid(rng.uniform(0.96, 1)), rng.uniform(0, 1.2), 1),
    "elliptical": lambda rng: (ellipsoid(rng.uniform(0.6, 0.8)), rng.uniform(0, 0.3), 1.15),
    "streak": lambda rng: (rod(rng.uniform(2.2, 3.6)), rng.uniform(0, 0.15), 1.5),
    "bent": lambda rng: (rod(rng.uniform(2.6, 4)), rng.uniform(0.75, 1.0), 1.6),
    "asymmetric": lambda rng: (pair(0.55, rng.uniform(0.3, 0.42), 0.72), 0, 1.5),
}


def pattern(kind: str, theta: float, q: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Intensity over a square of q in units of q at the window's edge, at angle `theta`; any scale."""
    k, size = 1 / np.sin(theta), float(np.exp(rng.uniform(*np.log((9, 28)))))
    turn, passed = float(rng.uniform(0, 6.3)), float(rng.uniform(0, 1.5)) * (rng.random() < 0.5)
    inside, tilt, factor = BODIES[kind](rng) if kind in BODIES else (ellipsoid(1.0), 0, 1)
    body, half = voxels(tilt, turn, inside), factor * size
    first = field_of(body, half, k, q, passed)
    if kind == "newton":
        fringes = rng.uniform(4, 9)
        square = np.minimum(q[:, None] ** 2 + q[None, :] ** 2, 1.0)
        path = fringes * 2 * np.pi * (k - np.sqrt(k * k - square)) / (k - np.sqrt(k * k - 1))
        phase = path + 2 * np.pi * rng.uniform(0, 1.0, 2).sum() * q[:, None]
        first = first * (1 + rng.uniform(0.7, 1) * np.exp(1j * phase))
    intensity = np.abs(first) ** 2
    if kind == "double":
        other = np.abs(field_of(body, half * rng.uniform(0.4, 0.65), k, q, passed)) ** 2
        intensity = intensity + other * (rng.uniform(0.6, 1) * intensity.sum() / other.sum())
    return intensity


def foreign(q: FloatArray, rng: np.random.Generator) -> tuple[str, FloatArray]:
    """Powder rings, spots of a crystal, or what many particles scatter."""
    r = np.hypot(q[:, None], q[None, :])
    which = int(rng.integers(3))
    if which == 0:
        at = rng.uniform(0.2, 0.4) * np.sqrt([1, 2, 3, 4, 5, 6, 8])
        heights = zip(at, rng.uniform(1, 3, 7), strict=True)
        rings = sum(height * np.exp(-(((r - a) / 0.012) ** 2) / 2) for a, height in heights)
        return "powder", np.asarray(rings + 0.05 * np.exp(-r / 0.4))
    if which == 1:
        spots, cell = 0.002 * np.exp(-r / 0.4), rng.uniform(0.12, 0.25)
        along = cell * np.exp(1j * rng.uniform(0, 1.5))
        for h in range(-8, 9):
            for j in range(-8, 9):
                at = (h + 1j * j) * along
                near = (q[None, :] - at.real) ** 2 + (q[:, None] - at.imag) ** 2
                height = rng.exponential() * np.exp(-2 * abs(at) ** 2)
                spots = spots + height * np.exp(-near / (2 * 0.008**2))
        return "crystal", spots
    # A hundred spheres anywhere: speckle under one form factor.
    places = rng.uniform(-60, 60, (100, 2))
    waves = np.exp(1j * np.outer(q, places[:, 0]))[:, None, :] * np.exp(1j * np.outer(q, places[:, 1]))[None]
    return "speckle", np.abs(waves.sum(axis=2)) ** 2 * ball(np.maximum(8 * r, 1e-3)) ** 2


def scene(index: int, seed: int, folder: Path) -> tuple[Path, Truth]:
    """A file, its TOML where it has one, and what it shows."""
    from scipy.ndimage import map_coordinates

    rng = np.random.default_rng([seed, 5, index])
    kind, shape = KINDS[index % len(KINDS)], DETECTORS[index % len(DETECTORS)]
    edge = min(shape) / 2
    theta = np.radians(rng.uniform(18, 28) if kind == "bent" else rng.uniform(4, 20))
    centre = [n / 2 + edge * rng.uniform(-0.12, 0.12) for n in shape[::-1]]
    y, x = np.mgrid[: shape[0], : shape[1]]
    x, y = (x - centre[0]) / edge, (y - centre[1]) / edge
    r = np.maximum(np.hypot(x, y), 1e-6)
    q = np.linspace(-1.35, 1.35, 300)
    shown, clean = kind, np.zeros((q.size, q.size))
    if kind == "foreign":
        shown, clean = foreign(q, rng)
    elif kind != "empty":
        clean = pattern(kind, theta, q, rng)
    # On a flat detector the distance goes as tan θ, q across the beam as sin θ.
    stretch = np.sin(np.arctan(r * np.tan(theta))) / np.sin(theta) / r
    at = [(v * stretch - q[0]) / (q[1] - q[0]) for v in (y, x)]
    floor = max(clean.max() * 1e-9, 1e-300)
    rate = np.exp(map_coordinates(np.log(np.maximum(clean, floor)), at, order=1, mode="nearest"))
    hole = r < rng.uniform(0.04, 0.12)
    counts = float(10 ** rng.uniform(3.7, 6.2))
    window = (r <= 1) & ~hole
    stray = np.exp(-r / rng.uniform(0.15, 0.4))
    rate, share = (
        (0 * rate, 1.0) if kind == "empty" else (rate / rate[window].sum(), rng.uniform(0.003, 0.08))
    )
    rate = rate + share * stray / stray[window].sum() + rng.uniform(0.005, 0.1) * share**0.5 / window.sum()
    seen = rng.poisson(counts * rate).astype(np.int64)
    gaps = bars(shape, rng) | hole if index % 3 else hole
    hit(seen, 8, rng)
    path = folder / f"shot{index}.{FORMATS[index % len(FORMATS)]}"
    stated: dict[str, Any] = {"direct_beam": centre} if index % 2 else {}
    write(path, seen, gaps, **stated)
    others = tuple(name for name, _ in TAGS.values() if name != "Empty")
    wanted, never = TAGS.get(kind, ("", others))
    return path, Truth(shown, wanted, never, counts)
