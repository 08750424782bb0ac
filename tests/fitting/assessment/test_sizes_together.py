"""A spread of all sizes of a particle against a resolution that no file states; the curve is a formula."""

from __future__ import annotations

import numpy as np
from scipy.special import j1

from sasnet_plugin import fit
from sasnet_plugin.types import Curve


def cylinders(q: np.ndarray, radius: float, length: float) -> np.ndarray:
    """V² P(q), averaged over orientations (A. Guinier, G. Fournet, 1955)."""
    cosine, weight = np.polynomial.legendre.leggauss(150)
    cosine, weight = 0.5 * (cosine + 1), 0.5 * weight
    x = q[:, None] * radius * np.sqrt(1 - cosine**2)
    amplitude = 2 * j1(x) / x * np.sinc(q[:, None] * length * cosine / (2 * np.pi))
    return np.asarray((radius**2 * length) ** 2 * amplitude**2 @ weight)


def test_discs_of_several_sizes_hold_the_truth_where_a_resolution_is_supposed() -> None:
    q = np.geomspace(0.005, 0.3, 150)
    steps = np.linspace(-4, 4, 17)
    exact = sum(np.exp(-(s**2) / 2) * cylinders(q, 80 * (1 + 0.07 * s), 30 * (1 + 0.07 * s)) for s in steps)
    exact = exact / exact[0] + 1e-4
    sigma = 0.02 * exact
    curve = Curve(q, exact + sigma * np.random.default_rng(5).standard_normal(q.size), sigma)
    result = fit(curve, models=("cylinder",), structure_factor="none", workers=1)
    radius = result.fits[0].parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 80.0) < 2.5 * radius.error
    assert radius.error < 0.05 * radius.value


def hard_spheres(x: np.ndarray, fraction: float) -> np.ndarray:
    """S of q times the diameter (J. K. Percus, G. J. Yevick, Phys. Rev. 110 (1958) 1)."""
    a = (1 + 2 * fraction) ** 2 / (1 - fraction) ** 4
    b = -6 * fraction * (1 + fraction / 2) ** 2 / (1 - fraction) ** 4
    sine, cosine = np.sin(x), np.cos(x)
    terms = a * (sine - x * cosine) / x**2
    terms += b * (2 * x * sine + (2 - x**2) * cosine - 2) / x**3
    terms += (
        fraction * a / 2 * (4 * ((3 * x**2 - 6) * cosine + (x**3 - 6 * x) * sine + 6) / x**5 - cosine / x)
    )
    return np.asarray(1 / (1 + 24 * fraction * terms / x))


def test_interacting_spheres_of_several_sizes_hold_the_truth_where_a_resolution_is_supposed() -> None:
    """Neighbours as large as each other: no fit has that, and a resolution looks the same."""
    q, size = np.linspace(0.008, 0.3, 400), 35 * (1 + 0.06 * np.linspace(-4, 4, 33))
    x = q[:, None] * size
    form = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 * hard_spheres(2 * x, 0.15)
    exact = form @ (size**6 * np.exp(-((size / 35 - 1) ** 2) / 2 / 0.06**2))
    exact = exact / exact[0] + 1e-4
    sigma = 0.005 * exact
    curve = Curve(q, exact + sigma * np.random.default_rng(6).standard_normal(q.size), sigma)
    result = fit(curve, models=("sphere",), structure_factor="hardsphere", workers=1)
    radius = result.fits[0].parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 35.0) < 2.5 * radius.error
    assert radius.error < 0.05 * radius.value
