"""The marginal likelihood of a sample: what is known of a parameter beforehand costs nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy
from sasnet_plugin.fitting.evidence.linear import minus_two_log
from sasnet_plugin.fitting.evidence.marginal import marginal
from sasnet_plugin.types import Curve

POINTS = 60
NOTHING = np.zeros(0)


def measured(seed: int) -> tuple[Discrepancy, np.ndarray, np.ndarray]:
    """A flat curve with 5 % of noise, its theory, and its residuals in uncertainties."""
    q, theory = np.geomspace(0.01, 0.3, POINTS), np.ones(POINTS)
    noise = np.random.default_rng(seed).standard_normal(POINTS)
    curve = Curve(q, theory + 0.05 * noise, np.full(POINTS, 0.05))
    return Discrepancy(curve, np.full(POINTS, 0.05)), theory, -noise


def lost(slopes: list[np.ndarray], wide: np.ndarray, prior: tuple[np.ndarray, np.ndarray]) -> float:
    among, theories, residuals = zip(*(measured(i) for i in range(len(slopes))), strict=True)
    return minus_two_log(among, theories, residuals, slopes, prior, wide)


def free(k: int) -> tuple[np.ndarray, np.ndarray]:
    return NOTHING, np.zeros((0, k))


def test_of_one_curve_it_is_that_of_a_single_fit() -> None:
    among, theory, residual = measured(0)
    slopes, wide = np.column_stack([np.full(POINTS, 20.0), np.linspace(-9, 30, POINTS)]), np.array([3.0, 0.5])
    alone = marginal(among, theory, residual, slopes * wide).minus_two_log
    assert lost([slopes], wide, free(2)) == pytest.approx(alone, rel=1e-6)


def test_a_scale_known_by_calibration_costs_what_it_can_move() -> None:
    """The volume of a Gaussian prior over that of a posterior, known in closed form."""
    one = np.full((POINTS, 1), 20.0)  # a scale's slope where I is 20 uncertainties
    wide = lost([one], np.array([3.7]), free(1))
    calibrated = lost([one], np.array([np.inf]), (np.zeros(1), np.array([[1 / 0.03]])))
    precise = POINTS * 20.0**2
    between = np.log1p(3.7**2 * precise) - np.log1p(0.03**2 * precise)
    assert wide - calibrated == pytest.approx(between, abs=1.0)  # slow errors know less of the scale
    nothing = lost([one], np.array([1e-6]), free(1))
    assert calibrated - nothing < 4.5
    assert wide - nothing > 9.0


def test_what_curves_share_costs_once() -> None:
    column = np.full((POINTS, 1), 20.0)
    shared = lost([column, column], np.array([3.7]), free(1))
    own = lost(
        [np.hstack([column, 0 * column]), np.hstack([0 * column, column])], np.array([3.7, 3.7]), free(2)
    )
    assert own - shared > 6.0


def test_without_a_slow_error_it_is_the_density_of_all_points() -> None:
    """Against the Gaussian density of two curves whose scale has a prior, no slow error being thought of."""
    rng = np.random.default_rng(3)
    slopes = [rng.standard_normal((POINTS, 1)) for _ in range(2)]
    with_, without = (lost(slopes, np.array([w]), free(1)) for w in (0.2, 1e-9))
    residual = np.concatenate([measured(i)[2] for i in range(2)])
    column = np.vstack(slopes)
    exact = [
        -2 * multivariate_normal.logpdf(residual, cov=np.eye(2 * POINTS) + w**2 * column @ column.T)
        for w in (0.2, 0.0)
    ]
    assert with_ - without == pytest.approx(exact[0] - exact[1], abs=0.5)


def test_order_of_the_curves_makes_no_difference() -> None:
    rng = np.random.default_rng(5)
    slopes = [rng.standard_normal((POINTS, 2)) for _ in range(2)]
    among, theories, residuals = zip(*(measured(i) for i in range(2)), strict=True)
    wide = np.array([1.0, 2.0])
    one, other = (
        minus_two_log(among[::s], theories[::s], residuals[::s], slopes[::s], free(2), wide) for s in (1, -1)
    )
    assert one == pytest.approx(other, abs=0.3)
