"""Means over cells of ln q: of a fringe, of a bad point, and how sure they are; scale and background."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.rebinning import cells, coarsened, scale_and_background
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.types import Curve


def test_a_deep_minimum_does_not_outweigh_its_cell() -> None:
    q = np.geomspace(0.01, 0.1, 400)
    intensity = np.sin(q * 1500) ** 2 + 1e-4
    _, mean = cells(q, 0.03 * intensity, 10)
    _, plain = cells(q, np.ones(400), 10)
    np.testing.assert_allclose(mean(intensity), plain(intensity), rtol=0.2)


def test_a_point_of_no_certainty_does_not_count() -> None:
    q, intensity, error = np.geomspace(0.01, 0.1, 50), np.ones(50), np.full(50, 0.05)
    intensity[7], error[7] = 1e6, 1e12
    total, mean = cells(q, error, 5)
    np.testing.assert_allclose(mean(intensity), 1.0, atol=1e-3)
    assert np.all(np.isfinite(total))


def test_cells_without_points_are_left_out() -> None:
    q = np.concatenate((np.geomspace(0.01, 0.02, 10), np.geomspace(0.5, 1.0, 10)))
    total, mean = cells(q, np.full(20, 0.1), 40)
    assert len(total) < 20
    assert np.all(np.diff(mean(q)) > 0)
    # Points of equal uncertainty: the number in each cell over their variance.
    assert np.sum(total) == pytest.approx(20 / 0.1**2)


def test_means_scatter_as_is_said_of_them() -> None:
    rng, q = np.random.default_rng(0), np.geomspace(0.01, 0.1, 60)
    error = rng.uniform(0.01, 0.5, 60)
    total, mean = cells(q, error, 6)
    found = np.array([mean(rng.normal(0.0, error)) for _ in range(2000)])
    np.testing.assert_allclose(found.std(axis=0) * np.sqrt(total), 1.0, atol=0.08)


def test_a_long_curve_is_rebinned_with_its_resolution_and_a_short_one_is_not() -> None:
    q = np.geomspace(0.01, 0.3, 500)
    curve = Curve(q, q**-2, 0.01 * q**-2, dq=0.05 * q, dxl=np.full(500, 0.02))
    coarse, error = coarsened(curve, 0.01 * q**-2)
    assert len(coarse) <= PROBLEM.coarse_points
    np.testing.assert_allclose(coarse.intensity, coarse.q**-2.0, rtol=0.01)
    assert coarse.dq is not None
    np.testing.assert_allclose(coarse.dq, 0.05 * coarse.q, rtol=1e-3)
    assert coarse.dxl == pytest.approx(0.02)
    assert np.all(error > 0.003 * coarse.intensity)
    short = Curve(q[::6], q[::6] ** -2, 0.01 * q[::6] ** -2)
    assert coarsened(short, 0.01 * q[::6] ** -2)[0] is short


def test_scale_and_background_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    shape, weight = rng.random(40), rng.random(40)
    data = 3.0 * shape - 0.2
    scale, background = scale_and_background(shape, weight, data, negative=True)
    assert (float(scale), float(background)) == pytest.approx((3.0, -0.2))
    scale, background = scale_and_background(shape, weight, data)
    assert float(background) == 0.0
    assert float(scale) == pytest.approx((shape * weight) @ data / ((shape * weight) @ shape))
