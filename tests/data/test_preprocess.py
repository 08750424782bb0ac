"""The grid of q: what a curve and one of a sample a few per cent larger have in common."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.data.preprocess import N_GRID, Q_MAX, Q_MIN, features, larger, smaller
from sasnet_plugin.types import Curve

#: Three cells.
FACTOR = (Q_MAX / Q_MIN) ** (3 / N_GRID)


def _curve(radius: float, q: np.ndarray) -> Curve:
    x = q * radius
    intensity = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 1e-4
    return Curve(q, intensity, 0.03 * intensity, 0.05 * q)


def test_a_larger_sample_measured_at_smaller_q_is_the_same_curve_moved() -> None:
    q = np.geomspace(3e-3, 0.4, 150)
    inputs = {"features": features([_curve(60.0, q)])}
    moved = features([_curve(60.0 * FACTOR, q / FACTOR)])
    np.testing.assert_allclose(larger(inputs)["features"], moved, atol=2e-4)
    moved = features([_curve(60.0 / FACTOR, q * FACTOR)])
    np.testing.assert_allclose(smaller(inputs)["features"], moved, atol=2e-4)


@pytest.mark.parametrize("window", [(Q_MIN, 0.1), (1e-3, Q_MAX)])
def test_a_window_at_the_edge_of_the_grid_loses_nothing(window: tuple[float, float]) -> None:
    inputs = {"features": features([_curve(60.0, np.geomspace(*window, 150))])}
    for changed in (larger, smaller):
        np.testing.assert_array_equal(changed(inputs)["features"], inputs["features"])
