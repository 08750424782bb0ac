"""Correlations of fitted parameters, and the derivatives that they come from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.covariance import correlations, derivatives, strong_pairs
from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]


def test_correlations_are_those_of_repeated_measurements() -> None:
    # A straight line far from its origin: slope and offset trade places; r = -mean(x)/rms(x).
    x = np.linspace(10.0, 11.0, 40)
    found = correlations(np.stack([np.ones(40), 1e6 * x], axis=1))
    expected = -np.mean(x) / np.sqrt(np.mean(x**2))
    assert found[0, 1] == pytest.approx(expected, abs=1e-6)
    rng = np.random.default_rng(5)
    fitted = np.array([np.polyfit(x, rng.standard_normal(40), 1) for _ in range(400)])
    assert np.corrcoef(fitted.T)[0, 1] == pytest.approx(expected, abs=1e-3)
    without = correlations(np.stack([np.ones(40), np.zeros(40)], axis=1))
    assert without == pytest.approx(np.eye(2))


def test_derivatives_leave_the_model_as_it_was(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    fitness = experiment(curve, curve.dintensity, "sphere", {"radius": 80.0, "background": 0.01})
    fitness.model.radius.range(10.0, 80.0)  # no room above
    before = fitness.residuals().copy()
    slopes = derivatives(fitness, ["scale", "background", "radius"])
    assert fitness.residuals() == pytest.approx(before, abs=1e-12)
    # Residuals are (I - theory)/σ or its negative: a background moves all of them by 1/σ.
    assert np.abs(slopes[:, 1]) == pytest.approx(1 / curve.dintensity, rel=1e-6)
    assert np.abs(slopes[:, 2]).max() > 0


def test_contrast_and_scale_are_named_as_a_pair(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    fitness = experiment(curve, curve.dintensity, "sphere", {"radius": 80.0, "background": 0.01})
    found = strong_pairs(fitness, ["scale", "background", "radius", "sld"])
    assert list(found) == [("scale", "sld")]
    # In a solvent of larger density, a larger density of the sphere lessens the contrast.
    assert found["scale", "sld"] == pytest.approx(1.0, abs=1e-3)
