"""Distances between distributions of a rotation angle."""

from __future__ import annotations

import numpy as np
import pytest
from tinypatterns import folded_w1

from sasnet_plugin.images.gisas.simulation import deltas, sample_orientation
from sasnet_plugin.images.simulation import PERIOD, XI
from sasnet_plugin.predict.arithmetic import circular_w1, mirror_distribution


def at(*angles: float) -> np.ndarray:
    return deltas(np.array(angles), np.full(len(angles), 1 / len(angles)))


@pytest.mark.parametrize(("one", "other", "degrees"), [(3, 8, 5), (59, 1, 2), (0, 30, 30), (10, 50, 20)])
def test_one_angle_is_as_far_from_another_as_the_way_round_the_circle(
    one: float, other: float, degrees: float
) -> None:
    assert circular_w1(at(one), at(other), PERIOD) == pytest.approx(degrees)


def test_it_is_the_cost_of_the_best_transport() -> None:
    # Linear programming on the circle's own metric, which knows nothing of cumulative sums.
    from scipy.optimize import linprog

    rng = np.random.default_rng(1)
    n = 12
    angle = np.arange(n) * 5.0
    cost = np.abs(angle[:, None] - angle)
    cost = np.minimum(cost, 60 - cost)
    for _ in range(5):
        p, q = rng.dirichlet(np.full(n, 0.3), 2)
        sums = np.zeros((2 * n, n * n))
        for i in range(n):
            sums[i, i * n : (i + 1) * n] = 1
            sums[n + i, i::n] = 1
        best = linprog(cost.ravel(), A_eq=sums, b_eq=np.concatenate((p, q)))
        assert circular_w1(p, q, PERIOD) == pytest.approx(best.fun, abs=1e-6)


def test_turning_both_changes_nothing_and_many_are_done_at_once() -> None:
    rng = np.random.default_rng(2)
    p, q = (np.stack([sample_orientation(rng)[1] for _ in range(6)]) for _ in range(2))
    together = circular_w1(p, q, PERIOD)
    assert together.shape == (6,)
    np.testing.assert_allclose(
        circular_w1(np.roll(p, 17, -1), np.roll(q, 17, -1), PERIOD), together, atol=1e-12
    )
    np.testing.assert_allclose(circular_w1(q, p, PERIOD), together, atol=1e-12)


def test_mirror_images_are_folded_onto_each_other() -> None:
    assert np.argmax(mirror_distribution(at(7))) * 0.5 == 53
    assert mirror_distribution(at(0)) @ XI == 0
    assert circular_w1(at(20), at(40), PERIOD) == pytest.approx(20)
    assert folded_w1(at(20), at(40)) == pytest.approx(0, abs=1e-12)
    assert folded_w1(at(20), at(45)) == pytest.approx(5)
