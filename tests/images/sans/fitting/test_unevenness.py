"""Detectors that count unevenly, in the likelihood of an image's fit: bands that hold."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.sans.fitting import Unevenness, bumps_at, covariance, unevenness, whitening
from tests.images.sans.fitting import rods

SIZES = {"radius": rods.RADIUS, "aspect": rods.ASPECT, "radius_pd": rods.SPREAD}
TRUTH = {**SIZES, "p2": 0.6, "director": rods.DIRECTOR}


def test_whitened_residuals_are_those_of_the_covariance() -> None:
    rng = np.random.default_rng(1)
    variance, together = rng.uniform(1, 4, 30), rng.normal(size=(30, 4))
    found, matrix = whitening(variance, together), np.diag(variance) + together @ together.T
    residuals = rng.normal(size=(30, 2))
    white = found.apply(residuals)
    np.testing.assert_allclose(white.T @ white, residuals.T @ np.linalg.solve(matrix, residuals), rtol=1e-9)
    assert found.log_determinant == pytest.approx(np.linalg.slogdet(matrix)[1])


def test_sizes_of_efficiency_fields_are_found_again() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1, 1, (2, 900))
    fields, expected, pixels = (
        [bumps_at(x, y, 0.3), bumps_at(x, y, 0.1)],
        np.full(900, 1e3),
        np.full(900, 9.0),
    )
    efficiency = 0.08 * fields[1] @ rng.standard_normal(fields[1].shape[1])
    efficiency += 0.15 / 3 * rng.standard_normal(900)
    counts = rng.poisson(expected * np.maximum(1 + efficiency, 0.1))
    found = unevenness(counts - expected, expected[:, None], expected, pixels, fields)
    assert found.areas[1] == pytest.approx(0.08, rel=0.25)
    assert found.pixels == pytest.approx(0.15, rel=0.3)
    assert found.areas[0] < 0.04


def test_the_covariance_grows_with_what_the_detector_does() -> None:
    expected, pixels = np.full(50, 1e4), np.full(50, 4.0)
    x = np.linspace(-1, 1, 50)
    fields = [bumps_at(x, x**2, 0.3)]
    even, odd = (covariance(expected, pixels, fields, Unevenness(s, np.array([s]))) for s in (0.0, 0.1))
    total = expected / np.linalg.norm(expected)
    assert np.linalg.norm(even.apply(total)) == pytest.approx(0.01, rel=0.02)
    assert np.linalg.norm(odd.apply(total)) < 0.5 * np.linalg.norm(even.apply(total))
