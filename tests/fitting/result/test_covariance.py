"""Errors and correlations of fitted parameters are those of repeated measurements."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.finish import strong_pairs
from sasnet_plugin.fitting.result.reported_values import correlations, errors_of


def test_correlations_are_those_of_repeated_measurements() -> None:
    # A straight line far from its origin: slope and offset trade places; r = -mean(x)/rms(x).
    x = np.linspace(10.0, 11.0, 40)
    found = correlations({"offset": np.ones(40), "slope": 1e6 * x})
    expected = -np.mean(x) / np.sqrt(np.mean(x**2))
    assert found[0, 1] == pytest.approx(expected, abs=1e-6)
    rng = np.random.default_rng(5)
    fitted = np.array([np.polyfit(x, rng.standard_normal(40), 1) for _ in range(400)])
    assert np.corrcoef(fitted.T)[0, 1] == pytest.approx(expected, abs=1e-3)
    without = correlations({"offset": np.ones(40), "idle": np.zeros(40)})
    assert without[0, 0] == pytest.approx(1)
    assert np.isnan(without[0, 1])


def test_errors_from_derivatives_are_those_of_a_straight_line() -> None:
    """Of y = a + b x at unit error: var(b) = 1/Σ(x - mean)², var(a) = 1/n + mean²/Σ(x - mean)²."""
    x = np.linspace(1.0, 3.0, 21)
    found = errors_of({"a": np.ones(21), "b": x, "idle": np.zeros(21)})
    spread = np.sum((x - x.mean()) ** 2)
    assert found["b"] == pytest.approx(1 / np.sqrt(spread))
    assert found["a"] == pytest.approx(np.sqrt(1 / 21 + x.mean() ** 2 / spread))
    assert np.isnan(found["idle"])


def test_contrast_and_scale_are_named_as_a_pair() -> None:
    x = np.linspace(1.0, 3.0, 21)
    found = strong_pairs({"scale": x, "sld": -2 * x + 1e-6 * x**2, "radius": x**3})
    assert next(iter(found)) == ("scale", "sld")
    assert found["scale", "sld"] == pytest.approx(1.0, abs=1e-3)
