"""The forward model: the simulated detector's counts, and derivatives with the geometry."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.images.gisas.inversion import (
    INDEX,
    PARAMETERS,
    State,
    bin_on_window,
    deviance,
    fit_weights,
    quadratic,
    state,
)
from sasnet_plugin.images.gisas.simulation import peak, sample_orientation
from sasnet_plugin.images.simulation import PERIOD
from sasnet_plugin.predict.arithmetic import circular_w1
from sasnet_plugin.types import Image

Make = Callable[..., Image]


def test_the_model_is_the_generator_s(now: State, measured: Make) -> None:
    """What the inversion expects is what the simulated detector counts."""
    p = sample_orientation(np.random.default_rng(2), family="peaks")[1]
    counts = bin_on_window(measured(p, counts=1e9))[0]
    exact = State(now.inner, counts, now.factors)
    weights = fit_weights(exact)[0]
    columns = np.concatenate((exact.backgrounds, (p @ exact.patterns)[None]))
    form = quadratic(columns, counts.y, counts.y + 1, np.zeros((0, counts.y.size)), np.zeros(0), np.zeros(0))
    expected = form.nonnegative() @ columns
    assert deviance(counts.y, expected, 0.0).mean() == pytest.approx(1.0, abs=0.1)
    # Spiky, as weights of least loss are, but in place.
    assert circular_w1(weights / weights.sum(), p, PERIOD) < 1.0


@pytest.mark.parametrize("name", [p.name for p in PARAMETERS if p.name != "oxide"])
def test_derivatives_are_differences_of_whole_models(now: State, name: str) -> None:
    weights = 1e5 * peak(7.0, 8.0)
    parameter = PARAMETERS[INDEX[name]]
    found = now.jacobian(weights, 1e3)[INDEX[name]]
    ends = []
    for sign in (1, -1):
        inner = now.inner.copy()
        inner[INDEX[name]] += sign * 2 * parameter.step
        moved = state(now.counts, inner)
        # The scale of the patterns follows the particles; here it must not.
        scale = moved.factors.every.mean() / now.factors.every.mean()
        ends.append(scale * (weights @ moved.patterns) + 1e3 * moved.backgrounds[1])
    true = (ends[0] - ends[1]) / (4 * parameter.step)
    assert np.linalg.norm(found - true) < 0.05 * np.linalg.norm(true)
