"""Layers fit their spacing, spheres of a crystal its cell, and no intensity is negative."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.bumps_fit import Reported, fit_by_bumps
from sasnet_plugin.fitting.optimize.local_search import refine
from sasnet_plugin.fitting.problem.experiment import experiment, rebuilt
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.problem.overlaps import is_negative, is_too_low, lowest_intensity, overlaps
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.service.interactive import Evaluator, Place
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve, SasnetError


@pytest.mark.parametrize(
    ("form", "body", "distance", "touching"),
    [
        ("lamellar_stack_caille", "thickness", "d_spacing", 1.0),
        ("lamellar_stack_paracrystal", "thickness", "d_spacing", 1.0),
        ("sc_paracrystal", "radius", "dnn", 0.5),
        ("fcc_paracrystal", "radius", "dnn", 0.5),
    ],
)
def test_bodies_may_touch_and_no_more(form: str, body: str, distance: str, touching: float) -> None:
    assert not overlaps(form, {body: 99.9 * touching, distance: 100.0})
    assert overlaps(form, {body: 100.1 * touching, distance: 100.0})


def test_a_fit_turns_back_where_layers_would_be_thicker_than_their_spacing() -> None:
    q = np.geomspace(0.01, 0.3, 40)
    curve = Curve(q, 1 / q, 0.03 / q)
    local = ModelCurves(curve, 0.03 / q, "sphere+lamellar_stack_paracrystal")
    stack = {"A_radius": 60.0, "B_thickness": 99.0, "B_d_spacing": 100.0, "B_Nlayers": 10.0}
    assert np.all(np.isfinite(local.intensity(stack)))
    assert np.all(np.isnan(local.intensity(stack | {"B_thickness": 101.0})))


#: Within sasmodels' limits, and S(q) is negative: -1 at every q where there is no solution, and in part.
STICKY = {"volfraction": 0.3, "perturb": 0.01, "stickiness": 0.05}
WELL = {"volfraction": 0.2, "welldepth": 1.5, "wellwidth": 3.0}


@pytest.mark.parametrize(("factor", "values"), [("stickyhardsphere", STICKY), ("squarewell", WELL)])
def test_a_negative_structure_factor_has_no_curve(factor: str, values: dict[str, float]) -> None:
    q = np.geomspace(0.002, 0.3, 60)
    bare = call(factor, q, values | {"radius_effective": 50.0}).intensity
    assert np.min(bare) < -0.01, "sasmodels does have it: else this tests nothing"
    curve, name = Curve(q, 1 / q, 0.03 / q), f"sphere@{factor}"
    sphere = {"radius": 50.0, "radius_effective": 50.0, "radius_effective_mode": 0, "scale": 1.0}
    for quick in (True, False):
        local = ModelCurves(curve, 0.03 / q, name, quick=quick)
        assert np.all(np.isnan(local.intensity(sphere | values)))
        assert np.all(local.solve(sphere | values)[0] == PROBLEM.no_value)
    # With a background that lifts all of it above 0, too.
    fitness = experiment(curve, 0.03 / q, name, sphere | values | {"background": 1e6})
    assert np.all(np.isnan(fitness.theory()))
    assert np.all(np.abs(fitness.residuals()) == PROBLEM.no_value)
    with pytest.raises(SasnetError, match="positive curve"):
        Evaluator().theory(Place(""), curve, name, sphere | values)


def test_a_positive_structure_factor_and_rounding_are_curves() -> None:
    q = np.geomspace(0.002, 0.3, 60)
    curve = Curve(q, 1 / q, 0.03 / q)
    local = ModelCurves(curve, 0.03 / q, "sphere@hardsphere")
    assert np.all(local.intensity({"radius": 50.0, "volfraction": 0.3}) > 0)
    assert not is_negative(np.array([1.0, 1e-3, -1e-13]))
    assert not is_negative(np.array([np.nan, 1.0]))
    assert not is_negative(np.zeros(3))
    assert is_negative(np.array([1.0, -1e-3]))
    assert is_negative(np.full(4, -1.0))


def test_no_fit_of_sticky_spheres_ends_where_they_have_no_solution() -> None:
    q = np.geomspace(0.005, 0.3, 60)
    clean = 0.01 * call("sphere", q, {"radius": 50.0, "sld": 4.0, "sld_solvent": 1.0}).intensity + 0.02
    noise = np.random.default_rng(2).standard_normal(q.size)
    curve = Curve(q, clean * (1 + 0.03 * noise), 0.03 * clean)
    local = ModelCurves(curve, 0.03 * clean, "sphere@stickyhardsphere")
    start = {"radius": 50.0, "volfraction": 0.25, "perturb": 0.05, "stickiness": 0.2}
    found = refine(local, start)
    assert found is not None
    assert found.chisq < 1e6
    assert np.all(local.intensity(found.parameters) > 0)


def test_a_curve_may_fall_as_low_as_the_data_and_no_lower() -> None:
    positive, subtracted = np.array([1.0, 0.1]), np.array([1.0, -0.1])
    assert lowest_intensity(positive) == 0.0
    assert lowest_intensity(subtracted) == -0.1
    assert is_too_low(np.array([1.0, -0.05]), positive)
    assert not is_too_low(np.array([1.0, -0.05]), subtracted)
    assert not is_too_low(np.array([1.0, -1e-12]), positive), "rounding"


@pytest.mark.parametrize("subtracted", [0.0, 0.03])
@pytest.mark.parametrize("model", ["lorentz", "polymer_excl_volume"])
def test_no_background_makes_a_fit_negative_where_the_data_are_not(
    model: str, subtracted: float, bank: Bank
) -> None:
    """Models that fall more slowly than the data would be best with a background far below all points."""
    q = np.geomspace(0.006, 0.3, 40)
    measured = call("guinier", q, {"rg": 40.0}).intensity + 0.001 - subtracted
    curve, dintensity = Curve(q, measured, np.full(40, 0.01)), np.full(40, 0.01)
    fit = fit_candidate(Task(curve, dintensity, model, None), bank)
    final = fit_by_bumps(Reported(curve, dintensity, fit))
    for ended in (fit, final):
        assert not is_too_low(ended.theory, measured)
        assert ended.parameters["background"].fixed
        assert any(warning.startswith("background is fixed at ") for warning in ended.warnings)
    assert final.parameters["background"].value == pytest.approx(min(0.0, 0.001 - subtracted), abs=2e-3)
    given = {"background": (-1.0, 1.0)}
    asked = fit_candidate(Task(curve, dintensity, model, None, ranges=given), bank)
    assert is_too_low(asked.theory, measured), "the user allowed it: else this tests nothing"


def test_a_background_below_zero_stays_where_too_much_was_subtracted(bank: Bank) -> None:
    q = np.geomspace(0.006, 0.3, 40)
    measured = call("guinier", q, {"rg": 40.0}).intensity - 0.03
    curve, dintensity = Curve(q, measured, np.full(40, 0.01)), np.full(40, 0.01)
    fit = fit_candidate(Task(curve, dintensity, "guinier", None), bank)
    assert not fit.parameters["background"].fixed
    assert fit.parameters["background"].value == pytest.approx(-0.03, abs=1e-3)


def test_bumps_turns_back_where_the_background_makes_the_fit_negative(bank: Bank) -> None:
    q = np.geomspace(0.006, 0.3, 40)
    measured = call("guinier", q, {"rg": 40.0}).intensity + 0.001
    curve, dintensity = Curve(q, measured, np.full(40, 0.01)), np.full(40, 0.01)
    fit = fit_candidate(Task(curve, dintensity, "guinier", None), bank)
    _, fitness = rebuilt(curve, dintensity, fit)
    fitness.model.background.value = -0.01
    fitness.update()
    assert np.all(np.isnan(fitness.theory()))
    fitness.model.background.value = 0.002
    fitness.update()
    assert np.all(fitness.theory() > 0)
