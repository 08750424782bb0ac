"""A power law that appears at low q is found; particles that grow, noise and a larger background are none."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.model_free.changes import Upturn, find_upturn

Q = np.geomspace(0.004, 0.3, 150)


def sphere(radius: float) -> np.ndarray:
    """I(q) of spheres with a spread of 10 %, cm⁻¹."""
    radii = radius * np.linspace(0.7, 1.3, 41)
    weight = np.exp(-0.5 * ((radii / radius - 1) / 0.1) ** 2)
    x = Q[:, None] * radii
    amplitude = radii**3 * 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return 1e-5 * (amplitude**2 @ weight) / (radii**3 @ weight) + 0.003


def found_between(
    before: np.ndarray, after: np.ndarray, *, error: float = 0.01, stated: float = 1.0, seed: int = 0
) -> Upturn | None:
    rng = np.random.default_rng(seed)
    both = []
    for true in (before, after):
        sigma = error * true + 1e-5
        both += [true + sigma * rng.standard_normal(Q.size), stated * sigma]
    return find_upturn(Q, *both)


@pytest.mark.parametrize("strength", [0.3, 2.0, 50.0])
@pytest.mark.parametrize("exponent", [2.5, 3.0, 4.0])
def test_a_power_law_is_found_with_its_exponent(strength: float, exponent: float) -> None:
    law = strength * sphere(50.0)[0] * (Q / Q[0]) ** -exponent
    for seed in range(5):
        found = found_between(sphere(50.0), 1.1 * sphere(50.0) + law, seed=seed)
        assert found is not None
        assert abs(found.exponent - exponent) < max(5 * found.error, 0.3)
        assert found.share == pytest.approx(strength / (1.1 + strength), rel=0.3)
        assert found_between(1.1 * sphere(50.0) + law, sphere(50.0), seed=seed) is None


def test_a_power_law_is_found_beside_particles_that_grow_a_little() -> None:
    law = sphere(50.0)[0] * (Q / Q[0]) ** -4.0
    found = found_between(sphere(50.0), sphere(51.5) + law)
    assert found is not None
    assert found.exponent == pytest.approx(4.0, abs=0.4)


@pytest.mark.parametrize("stated", [0.5, 1.0, 2.0])
def test_noise_growth_and_background_are_no_power_law(stated: float) -> None:
    for seed in range(10):
        for after in (sphere(50.0), sphere(51.0), sphere(67.0), sphere(35.0), 2 * sphere(50.0) + 0.01):
            assert found_between(sphere(50.0), after, stated=stated, seed=seed) is None
