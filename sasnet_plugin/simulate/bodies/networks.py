"""Porous solids and interwoven phases: Gaussian random fields that are cut at a level.

A field with correlation g(r), cut so that a share φ is one phase, has the two-point correlation of Berk
(Phys. Rev. A 44 (1991) 5069) and Teubner (Europhys. Lett. 14 (1991) 403).
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats
from . import accepted
from .body import COARSE_Q, Q_TOP, Body, interpolate_on_wide_grid


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
    names = accepted.BICONTINUOUS if wave else accepted.RANDOM_PHASES
    return Body("porous", interpolate_on_wide_grid(q, intensity), np.nan, names)
