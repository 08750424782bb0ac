"""The likelihood about a fit: elimination, non-negative weights, expansion in rounding's limits."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.gisas.inversion import Quadratic, quadratic


def test_elimination_is_the_minimum_over_what_is_eliminated() -> None:
    rng = np.random.default_rng(0)
    columns, others = rng.random((3, 40)), rng.normal(size=(2, 40))
    y, expected = rng.poisson(50, 40).astype(float), np.full(40, 50.0)
    precision, target = np.array([0.5, 2.0]), np.array([1.0, -1.0])
    form = quadratic(columns, y, expected, others, precision, target, tolerance=0.0)
    c = np.array([10.0, 20.0, 30.0])

    def loss(b: np.ndarray) -> float:
        chi = (y - c @ columns - b @ others) ** 2 / expected
        return 0.5 * float(chi.sum() + precision @ (b - target) ** 2)

    best = form.best_others(c)
    assert 0.5 * c @ form.m @ c - form.v @ c + 0.5 * form.rest == pytest.approx(loss(best))
    for step in np.vstack((np.eye(2), -np.eye(2))):
        assert loss(best + 1e-3 * step) > loss(best)


def test_non_negative_weights_cannot_be_bettered() -> None:
    rng = np.random.default_rng(1)
    columns = rng.random((6, 50))
    y = np.maximum(np.array([1.0, 0, 0, 2, 0, 0]) @ columns + rng.normal(size=50), 0)
    form = quadratic(columns, y, np.ones(50), np.zeros((0, 50)), np.zeros(0), np.zeros(0), tolerance=0.0)
    c = form.nonnegative()
    slope = form.m @ c - form.v
    assert np.all(c >= 0)
    assert np.all(slope > -1e-6)
    assert abs(slope @ c) < 1e-6


def test_a_form_that_rounding_has_left_below_zero_is_solved_all_the_same() -> None:
    """Two weights that do the same: their sum is determined, and a third one by itself."""
    m = np.array([[1.0, 1.0 + 1e-9, 0.0], [1.0 + 1e-9, 1.0, 0.0], [0.0, 0.0, 4.0]])
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(m + 1e-11 * np.eye(3))
    none = (np.zeros((0, 3)), np.zeros(0), np.zeros((0, 0)))
    found = Quadratic(m, np.array([2.0, 2.0, 12.0]), 0.0, *none).nonnegative()
    assert np.all(found >= 0)
    assert found[0] + found[1] == pytest.approx(2.0, rel=1e-4)
    assert found[2] == pytest.approx(3.0, rel=1e-4)
