"""Levenberg-Marquardt with few Jacobians: to the minimum, and to the bound where that lies outside."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.least_squares import Problem, least_squares

FREE = np.full(2, np.inf)


def rosenbrock(x: np.ndarray) -> np.ndarray:
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def slopes(x: np.ndarray) -> np.ndarray:
    return np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])


def test_along_a_bent_valley_to_its_end_with_fewer_jacobians_than_steps() -> None:
    asked = []

    def jacobian(x: np.ndarray) -> np.ndarray:
        asked.append(x)
        return slopes(x)

    found = least_squares(
        Problem(rosenbrock, jacobian, -FREE, FREE), np.array([-1.2, 1.0]), steps=200, enough=1e-12
    )
    assert found == pytest.approx([1.0, 1.0], abs=1e-4)
    assert len(asked) < 100


def test_a_minimum_outside_is_met_at_the_bound() -> None:
    high = np.array([0.5, np.inf])
    found = least_squares(
        Problem(rosenbrock, slopes, -FREE, high), np.array([0.0, 0.0]), steps=100, enough=1e-12
    )
    assert found == pytest.approx([0.5, 0.25], abs=1e-4)


def test_what_moves_nothing_stays() -> None:
    def flat(x: np.ndarray) -> np.ndarray:
        return np.array([x[0] - 3.0, 1.0])

    problem = Problem(flat, lambda _: np.array([[1.0, 0.0], [0.0, 0.0]]), -FREE, FREE)
    assert least_squares(problem, np.zeros(2), steps=50, enough=1e-12) == pytest.approx([3.0, 0.0], abs=1e-6)
