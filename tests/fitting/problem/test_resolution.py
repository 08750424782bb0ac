"""Resolution in fits: the same integral however fine it is sampled, and fine where fringes need it."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.problem.resolution import has_resolution, resolution, sampling_needed
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
        fitness = experiment(curve, 0.02 * exact, "sphere", {"radius": radius, "background": 0.0})
        chosen[radius] = sampling_needed(fitness, curve)
    assert chosen[5.0] is None
    assert chosen[20000.0] == PROBLEM.finest


def test_without_widths_there_is_no_resolution() -> None:
    assert not has_resolution(curve_of())
    assert not has_resolution(curve_of(dq=np.zeros(Q.size)))
    assert resolution(curve_of(), 200).q_calc == pytest.approx(Q)
