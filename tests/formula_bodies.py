"""Diffraction of single particles from closed formulas: amplitudes of spheres, spheroids and rods in 3D.

Nothing of the package's simulators: F(q) of each body is written down (Guinier & Fournet, Small-angle
scattering of X-rays (1955)), q lies on Ewald's sphere, the detector is flat with a hole for the beam.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.images.diffraction.reading import Window
from sasnet_plugin.types import Image

Floats = NDArray[np.float64]
#: q along the particle's axis and across it, half its largest size being 1, to an amplitude.
Amplitude = Callable[[Floats, Floats], NDArray[np.complex128]]
KINDS = ("sphere", "layered", "oblate", "prolate", "pill", "pair")
PIXELS = 96
WINDOW = Window((PIXELS, PIXELS), ((PIXELS - 1) / 2, (PIXELS - 1) / 2), PIXELS / 2)
#: Scattering angle at the window's edge, degrees; radius of the hole in it; flat background over the counts.
THETA, HOLE, FLAT = 25.0, 0.08, 0.01
#: q at the window's edge times half the largest size of a body as wide as long, and what is longer is larger.
_SIZE, _LONGER = (9.0, 26.0), {"oblate": 1.1, "prolate": 1.35, "pill": 1.35, "pair": 1.3}


def ball(x: Floats) -> Floats:
    """3 (sin x − x cos x)/x³."""
    x = np.maximum(x, 1e-4)
    return np.asarray(3 * (np.sin(x) - x * np.cos(x)) / x**3)


def spheroid(along: float, across: float) -> Amplitude:
    """Semi-axes along the axis and across it."""
    return lambda qz, qr: ball(np.hypot(qz * along, qr * across)).astype(complex)


def layered(core: float, density: float) -> Amplitude:
    """A core of that radius and density in a ball of 1."""

    def amplitude(qz: Floats, qr: Floats) -> NDArray[np.complex128]:
        q = np.hypot(qz, qr)
        return (ball(q) + (density - 1) * core**3 * ball(q * core)).astype(complex)

    return amplitude


def pill(radius: float) -> Amplitude:
    """A cylinder between half spheres, of half length 1 in all: slices along the axis."""
    from scipy.special import j1

    def amplitude(qz: Floats, qr: Floats) -> NDArray[np.complex128]:
        u, w = np.polynomial.legendre.leggauss(48)
        total = np.zeros(qz.shape)
        straight = 1 - radius
        for low, high in ((0.0, straight), (straight, 1.0)):
            for z, weight in zip((u + 1) / 2 * (high - low) + low, w * (high - low) / 2, strict=True):
                wide = np.sqrt(radius**2 - max(z - straight, 0.0) ** 2)
                x = np.maximum(qr * wide, 1e-6)
                total += weight * np.cos(qz * z) * wide**2 * 2 * j1(x) / x
        return total.astype(complex)

    return amplitude


def pair(first: float, second: float) -> Amplitude:
    """Two spheres that touch."""
    off = (first + second) / 2

    def amplitude(qz: Floats, qr: Floats) -> NDArray[np.complex128]:
        q = np.hypot(qz, qr)
        one, other = first**3 * ball(q * first), second**3 * ball(q * second)
        return np.asarray(one * np.exp(1j * qz * off) + other * np.exp(-1j * qz * off))

    return amplitude


def body(kind: str, rng: np.random.Generator) -> Amplitude:
    """One of a kind, its shape drawn."""
    if kind == "layered":
        density = rng.uniform(2, 4) if rng.random() < 0.7 else 0.0
        return layered(rng.uniform(0.5, 0.8), density)
    if kind == "pair":
        return pair(0.5, rng.uniform(0.32, 0.44))
    if kind == "pill":
        return pill(1 / rng.uniform(2, 3.6))
    if kind == "prolate":
        return spheroid(1.0, 1 / rng.uniform(2, 3.3))
    return spheroid(1.0 if kind == "sphere" else rng.uniform(0.45, 0.75), 1.0)


def shot(kind: str, rng: np.random.Generator, counts: float = 1e5) -> Image:
    """A measured image of a body at any tilt."""
    axis = (a := rng.normal(size=3)) / np.linalg.norm(a)
    size = min(float(np.exp(rng.uniform(*np.log(_SIZE)))) * _LONGER.get(kind, 1.0), 30.0)
    return measured(body(kind, rng), axis, size, rng, counts)


def measured(
    amplitude: Amplitude, axis: Floats, size: float, rng: np.random.Generator, counts: float
) -> Image:
    """An image of one body.

    Parameters
    ----------
    axis : (3,) array
        Unit vector of the body's axis; the beam is the last direction.
    size : float
        q at the window's edge times half the body's largest size.
    """
    theta = np.radians(THETA)
    at = (np.arange(PIXELS) - (PIXELS - 1) / 2) / (PIXELS / 2)
    x, y = np.meshgrid(at, at)
    r = np.maximum(np.hypot(x, y), 1e-6)
    angle = np.arctan(r * np.tan(theta))
    # Of the largest q in the window, sin θ in units of the wavenumber.
    k = 1 / np.sin(theta)
    qx, qy, qz = k * np.sin(angle) * x / r, k * np.sin(angle) * y / r, k * (1 - np.cos(angle))
    along = size * (qx * axis[0] + qy * axis[1] + qz * axis[2])
    across = np.sqrt(np.maximum(size**2 * (qx**2 + qy**2 + qz**2) - along**2, 0.0))
    rate = np.abs(amplitude(along, across)) ** 2
    mask = (r <= 1) & (r > HOLE)
    rate = rate / rate[mask].sum() + FLAT / mask.sum()
    return Image(np.where(mask, rng.poisson(counts * rate), 0.0), mask, WINDOW)
