"""Means over cells of ln q: of a fringe, of a bad point, and how well they are known."""

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.rebinning import cells


def test_a_deep_minimum_does_not_stand_for_its_cell():
    q = np.geomspace(0.01, 0.1, 400)
    intensity = np.sin(q * 1500) ** 2 + 1e-4
    _, mean = cells(q, 0.03 * intensity, 10)
    _, plain = cells(q, np.ones(400), 10)
    np.testing.assert_allclose(mean(intensity), plain(intensity), rtol=0.2)


def test_a_point_of_no_certainty_does_not_count():
    q, intensity, error = np.geomspace(0.01, 0.1, 50), np.ones(50), np.full(50, 0.05)
    intensity[7], error[7] = 1e6, 1e12
    total, mean = cells(q, error, 5)
    np.testing.assert_allclose(mean(intensity), 1.0, atol=1e-3)
    assert np.all(np.isfinite(total))


def test_cells_without_points_are_left_out():
    q = np.concatenate((np.geomspace(0.01, 0.02, 10), np.geomspace(0.5, 1.0, 10)))
    total, mean = cells(q, np.full(20, 0.1), 40)
    assert len(total) < 20
    assert np.all(np.diff(mean(q)) > 0)
    # Points of equal uncertainty: the number in each cell over their variance.
    assert np.sum(total) == pytest.approx(20 / 0.1**2)


def test_means_scatter_as_is_said_of_them():
    rng, q = np.random.default_rng(0), np.geomspace(0.01, 0.1, 60)
    error = rng.uniform(0.01, 0.5, 60)
    total, mean = cells(q, error, 6)
    found = np.array([mean(rng.normal(0.0, error)) for _ in range(2000)])
    np.testing.assert_allclose(found.std(axis=0) * np.sqrt(total), 1.0, atol=0.08)
