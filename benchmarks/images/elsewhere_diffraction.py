"""Diffraction of single particles from voxels: phases of all planes along the beam, added on Ewald's sphere.

A body is a cube of voxels, each with the share of it that is filled. F(q) = Σ_z exp(iq_z z) Σ_xy ρ
exp(i(q_x x + q_y y)) in the first Born approximation: each plane is transformed by an FFT that is padded
fourfold, and its phase is that of Ewald's sphere, q_z = k − √(k² − q²). What the beam has passed
attenuates it. The detector is flat, larger than training's, with a hole for the beam, gaps, hot pixels,
and the beam off its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .elsewhere_files import FORMATS, bars, hit, write

FloatArray = NDArray[np.float64]
#: Voxels along each side, and by how much an FFT is padded.
VOXELS, PAD = 72, 4
#: Of twelve scenes; the last two kinds are no single particles, and must be refused.
KINDS = (
    *("round", "elliptical", "streak", "newton", "empty", "bent"),
    *("round", "double", "elliptical", "asymmetric", "streak", "foreign"),
)
#: The tag that a kind must have, and those that it surely has not.
WANTED = {
    "round": "Round",
    "elliptical": "Elliptical",
    "streak": "Streak",
    "newton": "NewtonRings",
    "empty": "Empty",
    "bent": "Bent",
    "double": "DoubleRings",
    "asymmetric": "Asymmetric",
}
_NEVER = {
    "round": ("Prolate", "Streak", "Bent", "Elliptical", "Empty", "NewtonRings"),
    "elliptical": ("Round", "Bent", "Empty", "NewtonRings", "Streak"),
    "streak": ("Round", "Empty", "NewtonRings", "Spherical/Oblate"),
    "bent": ("Round", "Empty", "NewtonRings", "Spherical/Oblate"),
    "newton": ("Empty", "Prolate", "Streak", "Bent"),
    "double": ("Empty", "Prolate", "Streak", "Bent"),
    "asymmetric": ("Empty", "Round"),
    "empty": ("Round", "Elliptical", "Prolate", "NewtonRings"),
    "foreign": tuple(name for name in WANTED.values() if name != "Empty"),
}
DETECTORS = ((512, 512), (400, 520), (300, 300), (700, 640))


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


def voxels(inside: Any) -> FloatArray:
    """(VOXELS,) * 3 shares that are filled, of a body with x, y, z within ±1; by 8 points in each voxel."""
    fine = (np.arange(2 * VOXELS) + 0.5) / VOXELS - 1
    z, y, x = np.meshgrid(fine, fine, fine, indexing="ij")
    filled = inside(x, y, z).astype(np.float32)
    return filled.reshape(VOXELS, 2, VOXELS, 2, VOXELS, 2).mean(axis=(1, 3, 5))


def ellipsoid(ratio: float, tilt: float, turn: float) -> Any:
    """Of revolution, its axis `ratio` times as long as the others; the longest semi-axis is 0.95."""
    axis = _axis(tilt, turn)
    across = 0.95 / max(ratio, 1.0)

    def inside(x: FloatArray, y: FloatArray, z: FloatArray) -> NDArray[np.bool_]:
        along = axis[0] * x + axis[1] * y + axis[2] * z
        square = x * x + y * y + z * z - along**2
        return square / across**2 + along**2 / (ratio * across) ** 2 < 1

    return inside


def rod(ratio: float, tilt: float, turn: float) -> Any:
    """A cylinder between half spheres, `ratio` times as long as wide in all."""
    axis, radius = _axis(tilt, turn), 0.95 / ratio

    def inside(x: FloatArray, y: FloatArray, z: FloatArray) -> NDArray[np.bool_]:
        along = axis[0] * x + axis[1] * y + axis[2] * z
        beyond = np.maximum(np.abs(along) - (0.95 - radius), 0)
        return x * x + y * y + z * z - along**2 + beyond**2 < radius**2

    return inside


def pair(first: float, second: float, apart: float, turn: float) -> Any:
    """Two spheres that have grown together."""
    x0, y0 = apart * np.cos(turn), apart * np.sin(turn)

    def inside(x: FloatArray, y: FloatArray, z: FloatArray) -> NDArray[np.bool_]:
        one = (x + x0 / 2) ** 2 + (y + y0 / 2) ** 2 + z * z < first**2
        two = (x - x0 / 2) ** 2 + (y - y0 / 2) ** 2 + z * z < second**2
        return one | two

    return inside


def _axis(tilt: float, turn: float) -> tuple[float, float, float]:
    return np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)


def field_of(body: FloatArray, half: float, k: float, q: FloatArray, passed: float) -> NDArray[np.complex128]:
    """Scattered field over a square of q, (n, n), of a body (z, y, x) in a cube of side 2 `half`.

    e to the minus `passed` of the amplitude is left after half of the cube.
    """
    from scipy.ndimage import map_coordinates

    step, padded = 2 * half / VOXELS, PAD * VOXELS
    at = (q * step * padded / (2 * np.pi)) + padded // 2
    rows, columns = np.meshgrid(at, at, indexing="ij")
    square = np.minimum(q[:, None] ** 2 + q[None, :] ** 2, k * k)
    qz = k - np.sqrt(k * k - square)
    # The transform of a voxel's own box.
    box = np.sinc(q * step / (2 * np.pi))
    before, total = np.zeros((VOXELS, VOXELS)), np.zeros((q.size, q.size), complex)
    for number, plane in enumerate(body):
        if plane.any():
            source = np.zeros((padded, padded))
            first = (padded - VOXELS) // 2
            source[first : first + VOXELS, first : first + VOXELS] = plane * np.exp(-passed * before)
            wave = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(source)))
            real, imaginary = (
                map_coordinates(p, [rows + 0.0, columns + 0.0], order=3, mode="nearest")
                for p in (wave.real, wave.imag)
            )
            z = ((number + 0.5) / VOXELS * 2 - 1) * half
            total += (real + 1j * imaginary) * np.exp(1j * qz * z)
        before += plane / VOXELS
    return total * np.outer(box, box)


def pattern(kind: str, theta: float, q: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Intensity over a square of q in units of q at the window's edge, at angle `theta`; any scale."""
    k, size, turn = (
        1 / np.sin(theta),
        float(np.exp(rng.uniform(*np.log((9, 28))))),
        float(rng.uniform(0, 6.3)),
    )
    passed = float(rng.uniform(0, 1.5)) * (rng.random() < 0.5)
    if kind == "round":
        body, half = ellipsoid(rng.uniform(0.96, 1), rng.uniform(0, 1.2), turn), size
    elif kind == "elliptical":
        body, half = ellipsoid(rng.uniform(0.6, 0.8), rng.uniform(0, 0.3), turn), 1.15 * size
    elif kind == "streak":
        body, half = rod(rng.uniform(2.2, 3.6), rng.uniform(0, 0.15), turn), 1.5 * size
    elif kind == "bent":
        body, half = rod(rng.uniform(2.6, 4), rng.uniform(0.75, 1.0), turn), 1.6 * size
    elif kind == "asymmetric":
        body, half = pair(0.55, rng.uniform(0.3, 0.42), 0.72, turn), 1.5 * size
    else:
        body, half = ellipsoid(1.0, 0, 0), size
    first = field_of(voxels(body), half, k, q, passed)
    if kind == "newton":
        fringes = rng.uniform(4, 9)
        square = np.minimum(q[:, None] ** 2 + q[None, :] ** 2, 1.0)
        path = fringes * 2 * np.pi * (k - np.sqrt(k * k - square)) / (k - np.sqrt(k * k - 1))
        aside = rng.uniform(0, 1.0, 2) @ np.stack([np.broadcast_to(q[:, None], path.shape)] * 2).reshape(
            2, -1
        )
        phase = path + 2 * np.pi * aside.reshape(path.shape)
        return np.abs(first * (1 + rng.uniform(0.7, 1) * np.exp(1j * phase))) ** 2
    if kind == "double":
        other = np.abs(field_of(voxels(body), half * rng.uniform(0.4, 0.65), k, q, passed)) ** 2
        one = np.abs(first) ** 2
        return one + other * (rng.uniform(0.6, 1) * one.sum() / other.sum())
    return np.abs(first) ** 2


def foreign(q: FloatArray, rng: np.random.Generator) -> tuple[str, FloatArray]:
    """Powder rings, spots of a crystal, or what many particles scatter."""
    r = np.hypot(q[:, None], q[None, :])
    which = int(rng.integers(3))
    if which == 0:
        at = rng.uniform(0.2, 0.4) * np.sqrt([1, 2, 3, 4, 5, 6, 8])
        rings = sum(
            w * np.exp(-(((r - a) / 0.012) ** 2) / 2) for a, w in zip(at, rng.uniform(1, 3, 7), strict=True)
        )
        return "powder", np.asarray(rings + 0.05 * np.exp(-r / 0.4))
    if which == 1:
        found, cell = 0.002 * np.exp(-r / 0.4), rng.uniform(0.12, 0.25)
        turn = rng.uniform(0, 1.5)
        for h in range(-8, 9):
            for j in range(-8, 9):
                x, y = (
                    cell * (h * np.cos(turn) - j * np.sin(turn)),
                    cell * (h * np.sin(turn) + j * np.cos(turn)),
                )
                near = (q[None, :] - x) ** 2 + (q[:, None] - y) ** 2
                found = found + rng.exponential() * np.exp(-near / (2 * 0.008**2)) * np.exp(
                    -2 * (x * x + y * y)
                )
        return "crystal", found
    # A hundred spheres anywhere: speckle under one form factor.
    places = rng.uniform(-60, 60, (100, 2))
    waves = np.exp(1j * np.outer(q, places[:, 0]))[:, None, :] * np.exp(1j * np.outer(q, places[:, 1]))[None]
    x = np.maximum(8 * r, 1e-3)
    return "speckle", np.abs(waves.sum(axis=2)) ** 2 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


def scene(index: int, seed: int, folder: Path) -> tuple[Path, Truth]:
    """A file, its TOML where it has one, and what it shows."""
    from scipy.ndimage import map_coordinates

    rng = np.random.default_rng([seed, 5, index])
    kind = KINDS[index % len(KINDS)]
    shape = DETECTORS[index % len(DETECTORS)]
    edge = min(shape) / 2
    theta = np.radians(rng.uniform(18, 28) if kind == "bent" else rng.uniform(4, 20))
    centre = shape[1] / 2 + edge * rng.uniform(-0.12, 0.12), shape[0] / 2 + edge * rng.uniform(-0.12, 0.12)
    y, x = np.mgrid[: shape[0], : shape[1]]
    x, y = (x - centre[0]) / edge, (y - centre[1]) / edge
    r = np.maximum(np.hypot(x, y), 1e-6)
    q = np.linspace(-1.35, 1.35, 300)
    said = kind
    if kind == "empty":
        clean = np.zeros((q.size, q.size))
    elif kind == "foreign":
        said, clean = foreign(q, rng)
    else:
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
    rate = rate / rate[window].sum() if kind != "empty" else 0 * rate
    share = rng.uniform(0.003, 0.08) if kind != "empty" else 1.0
    rate = rate + share * stray / stray[window].sum() + rng.uniform(0.005, 0.1) * share**0.5 / window.sum()
    seen = rng.poisson(counts * rate).astype(np.int64)
    gaps = bars(shape, rng) | hole if index % 3 else hole
    hit(seen, 8, rng)
    path = folder / f"shot{index}.{FORMATS[index % len(FORMATS)]}"
    write(path, seen, gaps)
    if index % 2:
        path.with_suffix(".toml").write_text(f"direct_beam = [{centre[0]!r}, {centre[1]!r}]\n")
    return path, Truth(said, WANTED.get(kind, ""), _NEVER[kind], counts)
