"""Form factors of textbooks, written out here so that nothing of the package tests itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.types import Curve

Array = NDArray[np.float64]


def sphere(q: Array, radius: float) -> Array:
    """P(q) of a homogeneous sphere (Rayleigh 1911)."""
    x = q * radius
    form: Array = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    return form


def coil(q: Array, rg: float) -> Array:
    """P(q) of a Gaussian coil (Debye 1947)."""
    u = (q * rg) ** 2
    form: Array = 2 * (np.expm1(-u) + u) / u**2
    return form


def rod(q: Array, length: float) -> Array:
    """P(q) of an infinitely thin rod (Neugebauer 1943), Si(x) by its integral."""
    x = q * length
    t = (np.arange(4000) + 0.5) / 4000
    si = np.array([np.mean(np.sinc(one * t / np.pi)) * one for one in x])
    form: Array = 2 * si / x - (np.sin(x / 2) / (x / 2)) ** 2
    return form


def hard_spheres(q: Array, radius: float, phi: float) -> Array:
    """S(q) of Percus and Yevick (N. W. Ashcroft and J. Lekner, Phys. Rev. 145 (1966) 83)."""
    x = 2 * q * radius
    a = (1 + 2 * phi) ** 2 / (1 - phi) ** 4
    b = -6 * phi * (1 + phi / 2) ** 2 / (1 - phi) ** 4
    c = phi * a / 2
    sine, cosine = np.sin(x), np.cos(x)
    g = (
        a * (sine - x * cosine) / x**2
        + b * (2 * x * sine + (2 - x**2) * cosine - 2) / x**3
        + c * (-(x**4) * cosine + 4 * ((3 * x**2 - 6) * cosine + (x**3 - 6 * x) * sine + 6)) / x**5
    )
    factor: Array = 1 / (1 + 24 * phi * g / x)
    return factor


def measured(q: Array, clean: Array, noise: float = 0.02, seed: int = 0) -> Curve:
    """With relative noise, stated."""
    sigma = noise * np.abs(clean)
    return Curve(q, clean + sigma * np.random.default_rng(seed).standard_normal(q.size), sigma)
