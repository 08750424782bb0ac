"""Curves that no model of small-angle scattering explains: crystals, reflectivity, powders; no code of
training.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Q = np.geomspace(2e-3, 1.2, 6000)
#: N = h² + k² + l² (h² + hk + k² of the hexagonal) of the allowed reflections.
PHASES = {
    "Pn3m": (2, 3, 4, 6, 8, 9, 10, 11, 12, 14),
    "Im3m": (2, 4, 6, 8, 10, 12, 14, 16, 18),
    "Ia3d": (6, 8, 14, 16, 20, 22, 24, 26),
    "p6mm": (1, 3, 4, 7, 9, 12, 13),
}


def lines(at: Floats, strength: Floats, width: Floats, gaussian: float) -> Floats:
    """Σ of pseudo-Voigt lines on `Q`."""
    x = (Q - at[:, None]) / width[:, None]
    shape = (1 - gaussian) / (1 + x**2) + gaussian * np.exp(-np.log(2) * x**2)
    return np.asarray(strength / width @ shape)


def crystal(rng: np.random.Generator) -> tuple[Floats, tuple[float, float]]:
    """A cubic or hexagonal phase of lipids or block copolymers: five reflections or more in the window."""
    squares = np.array(PHASES[str(rng.choice(list(PHASES)))], dtype=float)
    first = float(np.exp(rng.uniform(np.log(0.03), np.log(0.12))))
    at = first * np.sqrt(squares / squares[0])
    # Amplitudes fall as the contrast's edges are soft; Lorentz factor of a powder.
    soft = rng.uniform(0.15, 0.35) / first
    strength = rng.exponential(1.0, at.size) * np.exp(-((at * soft) ** 2)) / at**2
    strength[0] = max(strength[0], 2 * strength[1:].max())
    width = first * rng.uniform(0.008, 0.03) * np.ones_like(at)
    peaks = lines(at, strength, width, rng.random())
    base = peaks.max() * 10 ** rng.uniform(-3, -1.3) * (Q / first) ** -rng.uniform(1.0, 3.5)
    window = (first * rng.uniform(0.2, 0.6), min(first * rng.uniform(2.8, 5.0), 0.6))
    return peaks + base + peaks.max() * 10 ** rng.uniform(-4, -2.5), window


def powder(rng: np.random.Generator) -> tuple[Floats, tuple[float, float]]:
    """A powder of a zeolite, a drug, a framework: orthorhombic cells of 8 to 30 Å, Wilson's statistics."""
    a, b, c = rng.uniform(8, 30, 3)
    found = [
        2 * np.pi * np.sqrt((h / a) ** 2 + (k / b) ** 2 + (m / c) ** 2)
        for h, k, m in itertools.product(range(6), repeat=3)
        if h or k or m
    ]
    at = np.sort([q for q in found if q < 1.15])
    strength = rng.exponential(1.0, at.size) / at**2
    width = np.hypot(2 * np.pi / rng.uniform(300, 2000), 0.002) * np.ones_like(at)
    peaks = lines(at, strength, width, rng.random())
    halo = rng.uniform(0.0, 0.3) * np.exp(-(((Q - 0.9) / 0.4) ** 2))
    upturn = 10 ** rng.uniform(-3, -1) * (Q / 0.1) ** -rng.uniform(2.5, 4)
    return peaks / peaks.max() + halo + upturn + 0.01, (rng.uniform(0.02, 0.1), 1.0)


def reflectivity(rng: np.random.Generator) -> tuple[Floats, tuple[float, float]]:
    """Parratt's recursion of one to four layers on silicon, rough interfaces (Phys. Rev. 95 (1954) 359)."""
    count = int(rng.integers(1, 5))
    sld = np.concatenate([[0.0], rng.uniform(0.5, 9.0, count), [2.07]]) * 1e-6
    thick = np.concatenate([[0.0], np.exp(rng.uniform(np.log(30), np.log(800), count)), [0.0]])
    rough = rng.uniform(2, 15, count + 1)
    k = np.sqrt((Q[:, None] / 2) ** 2 - 4 * np.pi * (sld - sld[0]) + 0j)
    r = np.zeros(Q.size, dtype=complex)
    for layer in range(count, -1, -1):
        above, below = k[:, layer], k[:, layer + 1]
        fresnel = (above - below) / (above + below) * np.exp(-2 * above * below * rough[layer] ** 2)
        turned = r * np.exp(2j * below * thick[layer + 1])
        r = (fresnel + turned) / (1 + fresnel * turned)
    return np.maximum(np.abs(r) ** 2, 1e-12), (rng.uniform(0.006, 0.012), rng.uniform(0.15, 0.3))


KINDS: dict[str, Callable[[np.random.Generator], tuple[Floats, tuple[float, float]]]] = {
    "crystals": crystal,
    "powders": powder,
    "reflectivity": reflectivity,
}
