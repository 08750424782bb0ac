"""Expectation maximisation, a contestant of the benchmark of orientations."""

from __future__ import annotations

import numpy as np

from benchmarks.images.mlem import even, mlem, stopped
from sasnet_plugin.fitting.orientation.linear import deviance


def test_expectation_maximisation_never_loses_and_stops_earlier_with_fewer_counts() -> None:
    rng = np.random.default_rng(4)
    at, centres = np.linspace(0, 1, 200), np.linspace(0, 1, 40)
    columns = np.exp(-0.5 * ((at - centres[:, None]) / 0.05) ** 2) + 0.01
    true = np.exp(-0.5 * ((centres - 0.4) / 0.1) ** 2)
    steps = []
    for counts in (3e3, 3e6):
        expected = true @ columns
        y = rng.poisson(expected * counts / expected.sum()).astype(float)
        weights, losses = even(columns, y), []
        for _ in range(4):
            weights = mlem(columns, y, weights, 20)
            losses.append(deviance(y, weights @ columns, 0.0).sum())
        assert np.all(np.diff(losses) <= 1e-6)
        steps.append(stopped(columns, y, rng)[1])
    assert steps[0] < steps[1]
