"""Curves of bilayers, and of layers below an upturn, layer by layer: no code of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

Floats = NDArray[np.float64]
Q = np.geomspace(2e-3, 0.9, 700)
Z = np.arange(-60.0, 60.01, 0.5)


def slabs(rng: np.random.Generator) -> Floats:
    """Contrast on `Z` of slabs with soft edges: head, chains, methyl, chains, head."""
    neutrons = rng.random() < 0.4
    head, tail, methyl = rng.uniform(6, 11), rng.uniform(10, 18), rng.uniform(2, 6)
    levels = (
        [-0.4, -1.0, -1.05]
        if neutrons
        else [rng.uniform(0.5, 1.5), -rng.uniform(0.1, 0.4), -rng.uniform(0.4, 1.2)]
    )
    other = levels[0] * rng.uniform(0.7, 1.3) if rng.random() < 0.3 else levels[0]
    widths = np.array([head, tail, methyl, tail, head * rng.uniform(0.9, 1.1)])
    edges = np.concatenate([[0.0], np.cumsum(widths)]) - widths.sum() / 2
    values = [levels[0], levels[1], levels[2], levels[1], other]
    found, soft = np.zeros_like(Z), rng.uniform(1.5, 3.0)
    for low, high, value in zip(edges[:-1], edges[1:], values, strict=True):
        found += value * (erf((Z - low) / soft) - erf((Z - high) / soft)) / 2
    return found


def across(profile: Floats, q: Floats = Q) -> NDArray[np.complex128]:
    """Σ ρ(z) exp(i q z) Δz."""
    return np.asarray(np.exp(1j * np.outer(q, Z)) @ profile * (Z[1] - Z[0]))


def sheets(rng: np.random.Generator) -> Floats:
    """One flat layer, all directions."""
    return np.asarray(np.abs(across(slabs(rng))) ** 2 / Q**2)


def closed(rng: np.random.Generator, layers: int = 1, count: int = 160) -> Floats:
    """Shells about a common centre, their radius Schulz-distributed; outer layers follow at a spacing."""
    profile, mean, width = slabs(rng), np.exp(rng.uniform(np.log(90), np.log(450))), rng.uniform(0.06, 0.3)
    radii = np.maximum(rng.gamma(1 / width**2, mean * width**2, count), 40.0)
    spacing = rng.uniform(60, 75)
    total = np.zeros_like(Q)
    moment = (profile * (Z[1] - Z[0]))[:, None]
    for radius in radii:
        amplitude = np.zeros_like(Q)
        for layer in range(layers):
            r = (radius + layer * spacing + rng.normal(0, 1.5) * (layer > 0) + Z)[:, None]
            amplitude += np.sum(moment * 4 * np.pi * r * np.sin(r * Q) / Q, axis=0)
        total += amplitude**2
    return total / count


def stack(rng: np.random.Generator, spacing: float | None = None, count: int = 60) -> tuple[Floats, float]:
    """Layers in a row, each at a random distance from the last (paracrystal): curve and spacing in Å."""
    profile = slabs(rng)
    spacing = rng.uniform(52, 75) if spacing is None else spacing
    layers, wander = int(rng.integers(2, 25)), rng.uniform(0.01, 0.08) * spacing
    total = np.zeros_like(Q)
    for _ in range(count):
        n = max(1, int(rng.poisson(layers)))
        at = np.cumsum(spacing + wander * rng.standard_normal(n))
        total += np.abs(np.sum(np.exp(1j * np.outer(Q, at)), axis=1)) ** 2 / n
    return total / count * np.abs(across(profile)) ** 2 / Q**2, float(spacing)


def crystalline(rng: np.random.Generator, count: int = 60) -> tuple[Floats, float]:
    """Lamellae of a semicrystalline polymer, thicknesses gamma-distributed; curve and long period in Å."""
    period, share = np.exp(rng.uniform(np.log(80), np.log(350))), rng.uniform(0.25, 0.75)
    width, edge = rng.uniform(0.1, 0.3), rng.uniform(3.0, 12.0)
    total = np.zeros_like(Q)
    for _ in range(count):
        n = int(rng.integers(10, 40))
        thick = rng.gamma(1 / width**2, share * period * width**2, n)
        gap = rng.gamma(1 / width**2, (1 - share) * period * width**2, n)
        ends = np.cumsum(np.column_stack([gap, thick]).ravel())
        begin, end = ends[0::2], ends[1::2]
        wave = (np.exp(1j * np.outer(Q, end)) - np.exp(1j * np.outer(Q, begin))) / (1j * Q)[:, None]
        # The mean is what a stack without end would have: it does not scatter.
        length = ends[-1]
        mean = thick.sum() / length * (np.exp(1j * Q * length) - 1) / (1j * Q)
        total += np.abs(wave.sum(axis=1) - mean) ** 2 / n
    return total / count / Q**2 * np.exp(-((Q * edge) ** 2)), float(period)


def hump(rng: np.random.Generator) -> tuple[Floats, float]:
    """One peak, pseudo-Voigt, with its place as 2π/q in Å."""
    place, width, share = np.exp(rng.uniform(np.log(0.02), np.log(0.3))), rng.uniform(0.1, 0.45), rng.random()
    x = (Q / place - 1) / width
    return share / (1 + x**2) + (1 - share) * np.exp(-np.log(2) * x**2) + 0.005, float(2 * np.pi / place)


def with_upturn(curve: Floats, spacing: float, rng: np.random.Generator) -> Floats:
    """A power law that is as strong as the first peak at 0.25 to 0.8 of its q."""
    first = 2 * np.pi / spacing
    peak = float(curve[(Q > 0.8 * first) & (Q < 1.2 * first)].max())
    return curve + peak * (Q / (first * rng.uniform(0.25, 0.8))) ** -rng.uniform(2.0, 4.0)
