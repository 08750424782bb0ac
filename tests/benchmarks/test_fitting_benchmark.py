"""The benchmark of fits: its curves are sasmodels' own, and which parameters count as recovered."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.fitting.fitting import parameters_recovered
from benchmarks.fitting.task import Problem, problem
from benchmarks.fitting.truth import of_product
from sasnet_plugin.fitting.problem.free_parameters import complete_distributions
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.types import Curve

SEED = 2026
Q = np.geomspace(0.01, 0.1, 20)


def _given(form: str, factor: str | None, parameters: dict[str, float]) -> Problem:
    return Problem(0, Curve(Q, np.ones(20)), np.ones(20), form, factor, parameters, 1.0)


def test_within_a_tenth_or_three_sigma() -> None:
    given = _given("ellipsoid", None, {"radius_polar": 100.0, "radius_equatorial": 50.0, "sld": 3.0})
    row = {"values": {"radius_polar": [109.0, 0.1], "radius_equatorial": [60.0, 3.0], "sld": [3.0, 0.1]}}
    assert parameters_recovered(row, given) == {"radius_polar": True, "radius_equatorial": False}
    row["values"]["radius_equatorial"] = [60.0, 3.5]
    assert parameters_recovered(row, given)["radius_equatorial"]
    row["values"]["radius_polar"] = [111.0, None]
    assert not parameters_recovered(row, given)["radius_polar"]


def test_what_the_unit_of_intensity_decides_does_not_count() -> None:
    given = _given("gauss_lorentz_gel", None, {"gauss_scale": 100.0, "cor_length_static": 100.0})
    row = {"values": {"gauss_scale": [1.0, 0.1], "cor_length_static": [101.0, 1.0], "background": [0.1, 0.1]}}
    assert parameters_recovered(row, given) == {"cor_length_static": True}


def test_what_the_truth_has_not_does_not_count() -> None:
    given = _given("sphere", "hardsphere", {"radius": 50.0, "volfraction": 0.2})
    row = {"values": {"radius": [50.0, 1.0], "radius_pd": [0.05, 0.01], "volfraction": [0.4, 0.01]}}
    assert parameters_recovered(row, given) == {"radius": True, "volfraction": False}


def chisq_of_truth(index: int) -> tuple[float, float]:
    """Reduced χ² of sasmodels told the truth, over the truth's: of the exact problem and of training's."""
    found = []
    for exact in (True, False):
        given = problem(index, SEED, exact=exact)
        truth = complete_distributions(given.parameters, PROBLEM.width_points["fast"])
        residual, _, _ = ModelCurves(given.curve, given.dintensity, given.name, per_decade=800).solve(truth)
        found.append(float(residual @ residual) / len(given.curve) / given.truth)
    return found[0], found[1]


def test_where_a_power_law_is_smeared_across_q_of_zero_sasmodels_reaches_the_truth() -> None:
    """Problem 55: q⁻⁴ with a resolution as wide as the first q."""
    exact, training = chisq_of_truth(55)
    assert exact < 1.1 < 10 < training


def test_a_problem_that_agrees_is_left_as_it_is() -> None:
    """So that answers of different commits stay comparable."""
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
