"""Curves of the fitting benchmark: of sasmodels' own where training's shortcuts show."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.fitting.task import problem
from benchmarks.fitting.truth import of_product
from sasnet_plugin.fitting.problem.free_parameters import completed
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.settings import PROBLEM

SEED = 2026


def told(index: int) -> tuple[float, float]:
    """Reduced χ² of sasmodels told the truth, over the truth's: of the exact problem and of training's."""
    found = []
    for exact in (True, False):
        given = problem(index, SEED, exact=exact)
        truth = completed(given.parameters, PROBLEM.width_points["fast"])
        residual, _, _ = ModelCurves(given.curve, given.dintensity, given.name, per_decade=800).solved(truth)
        found.append(float(residual @ residual) / len(given.curve) / given.truth)
    return found[0], found[1]


def test_where_a_power_law_is_smeared_across_q_of_zero_sasmodels_reaches_the_truth() -> None:
    """Problem 55: q⁻⁴ with a resolution as wide as the first q."""
    exact, training = told(55)
    assert exact < 1.1 < 10 < training


def test_a_problem_that_agrees_is_left_as_it_is() -> None:
    """So that rows of contestants stay comparable."""
    exact, other = problem(4, SEED), problem(4, SEED, exact=False)
    assert np.array_equal(exact.curve.intensity, other.curve.intensity)
    assert exact.parameters == other.parameters


def test_the_volume_fraction_of_hollow_bodies_is_that_of_the_matter() -> None:
    """A vesicle of radius 100 with a wall of 25 has (125³ - 100³)/125³ of its volume as matter."""
    found = of_product(
        "vesicle", {"radius": 100.0, "thickness": 25.0, "volfraction": 0.05}, {"volfraction": 0.3}
    )
    assert found["volfraction"] == pytest.approx(0.3 * (1 - 0.8**3), rel=1e-6)
    assert of_product("sphere", {"radius": 50.0}, {"volfraction": 0.3}) == {"volfraction": pytest.approx(0.3)}
