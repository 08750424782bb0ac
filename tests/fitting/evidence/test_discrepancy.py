"""Shared errors have the covariance that they say."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy, correlation
from sasnet_plugin.types import Curve

from .simulated import CLEAN, STATED, Q


def test_a_shape_is_matern_s_covariance_of_its_level() -> None:
    for shape in Discrepancy(Curve(Q, CLEAN, STATED), STATED).shapes(CLEAN):
        gain = shape.level / STATED
        direct = correlation(np.log(Q), shape.length) * np.outer(gain, gain)
        found = (shape.vectors * shape.values) @ shape.vectors.T
        # Points within a cell share all of it.
        assert np.linalg.norm(found - direct) < 0.05 * np.linalg.norm(direct)


def test_many_points_at_one_q_are_no_more_shapes() -> None:
    q = np.sort(np.concatenate([Q, Q * 1.0001, Q * 1.0002]))
    curve = Curve(q, np.interp(q, Q, CLEAN), np.interp(q, Q, STATED))
    dense = Discrepancy(curve, curve.dintensity)  # type: ignore[arg-type]
    assert dense.shapes(curve.intensity)[0].values.size <= Q.size
    assert dense.shapes(curve.intensity)[0].vectors.shape[0] == q.size
    # Three times as many points: the variance of their sum grows by as much.
    once = Discrepancy(Curve(Q, CLEAN, STATED), STATED)
    assert dense.shapes(curve.intensity)[0].values[-1] == pytest.approx(
        3 * once.shapes(CLEAN)[0].values[-1], rel=0.05
    )


def test_neighbours_are_alike_and_far_points_are_not() -> None:
    found = correlation(np.array([0.0, 0.01, 3.0]), 0.3)
    assert np.diag(found) == pytest.approx(1.0)
    assert found[0, 1] > 0.99
    assert found[0, 2] < 1e-5


def test_a_level_is_no_lower_than_what_is_known_of_it() -> None:
    """Where a curve is nothing but noise about zero, an error is no share of that."""
    noise = 1e-3 * np.random.default_rng(1).standard_normal(Q.size)
    data = Discrepancy(Curve(Q, noise, np.full(Q.size, 1e-3)), np.full(Q.size, 1e-3))
    assert np.all(data.local_mean > 1e-4)
    assert np.all(np.isfinite(data.ratios))
