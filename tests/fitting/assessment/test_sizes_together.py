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
