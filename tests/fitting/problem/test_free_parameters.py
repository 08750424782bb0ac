"""What is fitted: what the data distinguish, within ranges, and size distributions where data ask for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.free_parameters import (
    add_surroundings,
    complete_distributions,
    dielectric_constant_of_water,
    fittable,
    independent,
    other_kinds,
    points_needed,
    select_accepted,
)
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]


def test_layers_beyond_the_last_are_not_fitted() -> None:
    info = load_model("core_multi_shell").info
    names = fittable(info, {"n": 2, "thickness2_pd": 0.1})
    assert {"thickness1", "thickness2", "thickness2_pd", "sld2", "radius"} <= set(names)
    assert not {"thickness3", "sld3", "n", "thickness1_pd"} & set(names)


def test_a_combination_of_others_is_no_parameter_of_its_own() -> None:
    x = np.linspace(0, 1, 50)
    columns = {"a": np.ones(50), "b": x, "c": 2 - 3 * x, "none": np.zeros(50), "d": x**2}
    assert independent(columns) == ["a", "b", "d"]


def test_what_has_no_effect_to_speak_of_does_not_stand_for_what_is_determined() -> None:
    """A length that is far beyond what is seen has a slope still, which is one of a size that is seen."""
    q = np.linspace(0.01, 0.1, 30)
    columns = {"scale": np.ones(30), "long": 1e-9 * q, "radius": 50 * q}
    assert independent(columns) == ["scale", "long"]
    assert independent(columns, {"long": 1e3, "radius": 100.0}) == ["scale", "radius"]


def test_parameters_of_another_model_are_left_out() -> None:
    info = load_model("sphere").info
    given = {"radius": 50.0, "radius_pd": 0.1, "radius_pd_n": 15, "length": 400.0}
    assert select_accepted(info, given) == {k: v for k, v in given.items() if k != "length"}


def _needed(curve: Curve, width: float, radius: float) -> int:
    assert curve.dintensity is not None
    local = ModelCurves(curve, curve.dintensity, "sphere", per_decade=200)
    start = complete_distributions({"radius": radius, "radius_pd": width}, 35)
    return points_needed("sphere", start, lambda p: local.solve(p)[0])


def test_a_wider_distribution_of_a_larger_body_needs_more_points(simulated: Simulated) -> None:
    narrow = _needed(simulated("sphere", {"radius": 10.0, "background": 0.01}), 0.05, 10.0)
    wide = _needed(simulated("sphere", {"radius": 400.0, "background": 0.01}), 0.3, 400.0)
    assert narrow < wide <= PROBLEM.one_width_points["fast"]


def test_fewer_points_change_the_curve_by_little_of_its_uncertainty(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 60.0, "background": 0.01})
    assert curve.dintensity is not None
    local = ModelCurves(curve, curve.dintensity, "sphere", per_decade=200)
    start = complete_distributions({"radius": 60.0, "radius_pd": 0.1}, 35)
    count = points_needed("sphere", start, lambda p: local.solve(p)[0])
    most = PROBLEM.one_width_points["fast"]
    assert count < most
    few, dense = (complete_distributions(start, points) for points in (count, most))
    change = local.solve(few)[0] - local.solve(dense)[0]
    assert np.mean(change**2) < 0.01


def test_other_kinds_change_the_kind_and_its_range_alone_or_leave_it_out() -> None:
    start = complete_distributions({"radius": 60.0, "radius_pd": 0.1}, 15)
    found = other_kinds(start)
    assert found.pop("none") == {"radius": 60.0}
    assert {kind: p["radius_pd_type"] for kind, p in found.items()} == {
        "lognormal": "lognormal", "schulz": "schulz",
    }  # fmt: skip
    assert found == {kind: complete_distributions(p, 15) for kind, p in found.items()}
    assert all(p["radius"] == 60.0 and p["radius_pd"] == 0.1 for p in found.values())
    assert other_kinds({"radius": 60.0}) == {}


@pytest.mark.parametrize("width", [0.0, 0.15])
def test_a_monodisperse_body_gets_no_width_and_a_spread_one_its_own(
    simulated: Simulated, bank: Bank, width: float
) -> None:
    like = simulated("sphere", {"radius": 40.0, "background": 0.01})
    assert like.dintensity is not None
    # Smeared at more points than sasmodels takes: its own would look like a width.
    exact = ModelCurves(like, like.dintensity, "sphere", per_decade=800)
    # One fit keeps the kind of the library's nearest curve; other kinds are other steps of a search.
    spread = {"radius_pd": width, "radius_pd_type": "schulz"} if width else {}
    clean = exact.intensity(complete_distributions({"radius": 40.0, **spread}, 35))[0] + 0.01
    noise = np.random.default_rng(3).standard_normal(len(like))
    sigma = 0.02 * clean
    curve = replace(like, intensity=clean + sigma * noise, dintensity=sigma)
    found = fit_candidate(Task(curve, sigma, "sphere", None), bank)
    assert found.reduced_chisq < 1.4
    assert ("radius_pd" in found.free) == bool(width)
    if width:
        p = found.parameters["radius_pd"]
        assert p.error is not None
        assert abs(p.value - width) < 4 * p.error


def test_charges_are_in_water_at_25_degrees_unless_told() -> None:
    # Malmberg & Maryott (1956), table 3: 87.74 at 0 °C, 78.30 at 25 °C, 55.65 at 100 °C.
    for celsius, published in ((0.0, 87.74), (25.0, 78.30), (100.0, 55.65)):
        assert dielectric_constant_of_water(celsius + 273.15) == pytest.approx(published, abs=0.1)
    assert add_surroundings("hayter_msa", {})["temperature"] == 298.15
    warm = add_surroundings("hayter_msa", {"temperature": 373.15})
    assert warm["dielectconst"] == pytest.approx(55.65, abs=0.1)
    given = {"temperature": 300.0, "dielectconst": 40.0, "radius": 30.0}
    assert add_surroundings("hayter_msa", given) == given
    assert "temperature" not in add_surroundings("hayter_msa", {}, ["temperature"])
    assert add_surroundings("hardsphere", {"radius": 3.0}) == {"radius": 3.0}
    assert add_surroundings("hayter_msa", {}, prefix="A_")["A_temperature"] == 298.15
