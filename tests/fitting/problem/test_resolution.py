"""Resolution: the same integral however finely sampled; means over cells of ln q; scale and background."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.resolution import (
    cells,
    coarsen,
    has_resolution,
    resolution,
    sampling_needed,
    scale_and_background,
)
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.simulate.grid import WIDE_Q, pinhole_matrix, slit_matrix
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

Q = np.geomspace(0.003, 0.3, 90)


def curve_of(**columns: np.ndarray) -> Curve:
    return Curve(Q, np.ones_like(Q), 0.01 * np.ones_like(Q), **columns)


def sphere(q: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(call("sphere", q, {"radius": radius}).intensity)


@pytest.mark.parametrize(
    "columns", [{"dq": 0.05 * Q}, {"dxl": np.full(Q.size, 0.03)}], ids=["pinhole", "slit"]
)
def test_fine_sampling_is_the_integral_and_coarse_is_not(columns: dict[str, np.ndarray]) -> None:
    """A sphere of 1200 Å has a fringe each 0.0026 Å⁻¹, the points are up to 0.015 Å⁻¹ apart."""
    curve = curve_of(**columns)
    matrix = pinhole_matrix(Q, curve.dq) if curve.dq is not None else slit_matrix(Q, curve.dxl)
    exact = matrix @ sphere(WIDE_Q, 1200.0)
    errors = {}
    for per_decade in (None, PROBLEM.finest):
        found = resolution(curve, per_decade)
        errors[per_decade] = np.abs(found.apply(sphere(found.q_calc, 1200.0)) / exact - 1)
    assert np.quantile(errors[PROBLEM.finest], 0.9) < 0.02
    assert np.quantile(errors[None], 0.9) > 0.2


def test_a_resolution_narrower_than_the_sampling_leaves_the_curve_as_it_is() -> None:
    found = resolution(curve_of(dq=np.full(Q.size, 1e-6)), 200)
    assert found.apply(sphere(found.q_calc, 80.0)) == pytest.approx(sphere(Q, 80.0), rel=1e-3)


def test_sampling_is_as_coarse_as_the_body_allows() -> None:
    chosen = {}
    for radius in (5.0, 20000.0):
        exact = pinhole_matrix(Q, 0.05 * Q) @ sphere(WIDE_Q, radius)
        curve = Curve(Q, exact, 0.02 * exact, dq=0.05 * Q)

        def residual(per_decade: int | None, curve: Curve = curve, radius: float = radius) -> np.ndarray:
            found = resolution(curve, per_decade)
            return np.asarray(found.apply(sphere(found.q_calc, radius)) / curve.dintensity)

        chosen[radius] = sampling_needed(residual)
    assert chosen[5.0] is None
    assert chosen[20000.0] == PROBLEM.finest


def test_without_widths_there_is_no_resolution() -> None:
    assert not has_resolution(curve_of())
    assert not has_resolution(curve_of(dq=np.zeros(Q.size)))
    assert resolution(curve_of(), 200).q_calc == pytest.approx(Q)


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
    coarse, error = coarsen(curve, 0.01 * q**-2)
    assert len(coarse) <= PROBLEM.sparse
    np.testing.assert_allclose(coarse.intensity, coarse.q**-2.0, rtol=0.01)
    assert coarse.dq is not None
    np.testing.assert_allclose(coarse.dq, 0.05 * coarse.q, rtol=1e-3)
    assert coarse.dxl == pytest.approx(0.02)
    assert np.all(error > 0.003 * coarse.intensity)
    short = Curve(q[::8], q[::8] ** -2, 0.01 * q[::8] ** -2)
    assert coarsen(short, 0.01 * q[::8] ** -2)[0] is short


def test_scale_and_background_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    shape, weight = rng.random(40), rng.random(40)
    data = 3.0 * shape - 0.2
    scale, background = scale_and_background(shape, weight, data, lowest=-np.inf)
    assert (float(scale), float(background)) == pytest.approx((3.0, -0.2))
    scale, background = scale_and_background(shape, weight, data, lowest=-0.1)
    assert float(background) == -0.1
    assert float(scale) == pytest.approx((shape * weight) @ (data + 0.1) / ((shape * weight) @ shape))
    scale, background = scale_and_background(shape, weight, data)
    assert float(background) == 0.0
    assert float(scale) == pytest.approx((shape * weight) @ data / ((shape * weight) @ shape))
