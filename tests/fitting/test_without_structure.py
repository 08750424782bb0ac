"""A curve that is a constant and noise has no model and no size, by `fit` as by `suggest`."""

from __future__ import annotations

import re

import numpy as np
import pytest

import sasnet_plugin
from sasnet_plugin.data.no_structure import constant
from sasnet_plugin.types import Curve

Q = np.geomspace(0.005, 0.4, 150)


def _flat(seed: int, level: float = 5.0) -> Curve:
    sigma = np.full(Q.size, 0.02 * level)
    return Curve(Q, level + sigma * np.random.default_rng(seed).normal(size=Q.size), sigma)


def _value(headline: str) -> tuple[float, float]:
    found = re.fullmatch(r"No structure: constant ([\d.]+) ± ([\d.]+)( cm⁻¹)?\.", headline)
    assert found is not None, headline
    return float(found[1]), float(found[2])


def test_fit_and_suggest_name_the_same_constant() -> None:
    curve = _flat(1)
    result = sasnet_plugin.fit(curve, workers=1, progress=False)
    value, error = _value(result.headline)
    assert abs(value - 5.0) < 4 * error
    assert error == pytest.approx(0.1 / np.sqrt(Q.size), rel=0.25)
    assert not result.fits
    notes = " ".join(sasnet_plugin.suggest(curve).notes)
    assert f"{value} ± {error}" in notes


@pytest.mark.parametrize("factor", [1 / 3, 1.0, 3.0, None])
def test_noise_alone_is_a_constant_however_wrong_its_uncertainties(factor: float | None) -> None:
    """The scatter of neighbours says how large the noise is; its error of the mean is right."""
    off = []
    for seed in range(200):
        curve = _flat(seed)
        assert curve.dintensity is not None
        sigma = None if factor is None else factor * curve.dintensity
        found = constant(curve.q, curve.intensity, sigma)
        if found is not None:
            off.append((found.value - 5.0) / found.error)
    assert len(off) >= 197
    assert np.std(off) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("points", [40, 100])
def test_few_points_of_noise_are_a_constant(points: int) -> None:
    """The noise estimate of few points is itself uncertain; a test at four of its deviations knows that."""
    rng, q = np.random.default_rng(8), np.linspace(0.01, 0.4, points)
    curves = 5.0 + 0.1 * rng.normal(size=(1000, points))
    constants = sum(constant(q, intensity, np.full(points, 0.1)) is not None for intensity in curves)
    assert constants >= 985


@pytest.mark.parametrize("seed", range(5))
def test_particles_whose_scattering_is_twice_the_noise_are_structure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = Q * rng.uniform(30, 100)
    sphere = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    assert constant(Q, 10 + 2 * sphere + rng.normal(size=Q.size), np.ones(Q.size)) is None


def test_a_narrow_peak_and_a_rising_line_are_structure() -> None:
    curve = _flat(3)
    assert curve.dintensity is not None
    peak = 1.0 * np.exp(-0.5 * ((Q - 0.1) / 0.003) ** 2)
    assert constant(Q, curve.intensity + peak, curve.dintensity) is None
    assert constant(Q, curve.intensity * (1 + 0.3 * Q), curve.dintensity) is None


def test_a_power_law_alone_has_an_exponent_and_no_size() -> None:
    clean = 1e-6 * Q**-3.2 + 0.02
    sigma = 0.02 * clean
    curve = Curve(Q, clean + sigma * np.random.default_rng(9).normal(size=Q.size), sigma)
    result = sasnet_plugin.fit(curve, workers=1, progress=False)
    assert result.best is not None
    assert result.best.model == "power_law"
    assert "exponent 3.2" in result.headline
    assert "Å" not in result.headline
