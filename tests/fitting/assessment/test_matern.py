"""A smooth process along ln q: its filter is its covariance."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.matern import correlation, filtered

LOG_Q = np.sort(np.random.default_rng(1).uniform(-4, 0, 40))


@pytest.mark.parametrize("length", [0.05, 0.3, 2.0])
def test_the_filter_whitens_by_the_covariance(length: float) -> None:
    rng = np.random.default_rng(2)
    gain, values = rng.uniform(0.5, 3, LOG_Q.size), rng.standard_normal((LOG_Q.size, 2))
    innovation, variance = filtered(LOG_Q, gain[:, None], np.array([length]), values)
    covariance = np.outer(gain, gain) * correlation(LOG_Q, length) + np.eye(LOG_Q.size)
    white = innovation[:, 0] / np.sqrt(variance)
    np.testing.assert_allclose(white.T @ white, values.T @ np.linalg.solve(covariance, values), rtol=1e-8)
    assert np.log(variance).sum() == pytest.approx(np.linalg.slogdet(covariance)[1])


def test_neighbours_are_alike_and_far_points_are_not() -> None:
    found = correlation(np.array([-3.0, -2.99, -1.0]), 0.3)
    np.testing.assert_allclose(np.diag(found), 1.0)
    assert found[0, 1] > 0.99
    assert found[0, 2] < 0.01
    # (1 + d) exp(-d) at one length, d = sqrt(3).
    assert correlation(np.array([0.0, 0.5]), 0.5)[0, 1] == pytest.approx(0.48335772)


def test_without_a_length_nothing_is_shared() -> None:
    values = np.ones((LOG_Q.size, 1))
    innovation, variance = filtered(LOG_Q, np.full((LOG_Q.size, 1), 2.0), np.array([0.0]), values)
    np.testing.assert_allclose(innovation[:, 0, 0], 1.0, atol=1e-9)
    np.testing.assert_allclose(variance[:, 0], 5.0)
