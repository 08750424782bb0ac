"""The grid of q: what a curve and one of a sample a few per cent larger have in common."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.data.preprocess import CHANNELS, N_GRID, Q_MAX, Q_MIN, features, larger, smaller
from sasnet_plugin.data.raw import points
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


def _without(curve: Curve, first: int, count: int) -> Curve:
    return points(curve, np.delete(np.arange(len(curve)), slice(first, first + count)))


@pytest.mark.parametrize("q", [np.geomspace(4e-3, 0.35, 80), np.linspace(4e-3, 0.35, 120)])
def test_a_wide_gap_is_unknown_as_what_lies_beyond_the_window(q: np.ndarray) -> None:
    """A gap of 20 points in the middle; nothing is drawn across it, and the rest is as it was measured."""
    whole, rest = _curve(60.0, q), _without(_curve(60.0, q), 15, 20)
    found = features([rest])[0]
    middle = (np.log(np.sqrt(q[14] * q[35])) - np.log(Q_MIN)) * N_GRID / np.log(Q_MAX / Q_MIN)
    assert not np.any(found[int(middle)])
    known = found[:, CHANNELS.index("valid")] > 0
    assert known[: int(middle)].any()
    assert known[int(middle) :].any()
    # Nothing but the level, the mean over the window, differs where it was measured.
    measured = found[:, CHANNELS.index("measured")] > 0
    uncertainty = CHANNELS.index("log_relative_uncertainty")
    np.testing.assert_allclose(found[measured, uncertainty], features([whole])[0][measured, uncertainty])


@pytest.mark.parametrize(
    "q",
    [
        np.linspace(2e-4, 0.3, 200),  # the first steps are wide in ln q
        np.geomspace(1e-3, 0.3, 12),  # all are
        np.concatenate([np.geomspace(1e-3, 0.02, 60), np.geomspace(0.024, 0.3, 60)]),  # a narrow gap
    ],
)
def test_steps_of_an_instrument_are_no_gap(q: np.ndarray) -> None:
    known = features([_curve(60.0, q)])[0, :, CHANNELS.index("valid")] > 0
    first, last = np.flatnonzero(known)[[0, -1]]
    assert known[first : last + 1].all()
