"""A second component is found where there is one, and not asked for where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.assess import assess, ranked
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.strategy.two_components import (
    asked_for,
    first_alone,
    intricate,
    other_sums,
    sums_to_fit,
)
from sasnet_plugin.fitting.task import Budget, FitOptions, Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

TRUTH = {
    "A_radius": 40.0, "A_radius_pd": 0.1, "A_radius_pd_n": 25, "A_scale": 1.0, "B_scale": 3e-6,
    "B_power": 3.0, "background": 0.01,
}  # fmt: skip


def _fitted(curve: Curve, bank: Bank, name: str) -> Any:
    assert curve.dintensity is not None
    return fit_candidate(Task(curve, curve.dintensity, name, None), bank, Budget(4.0))


@pytest.fixture(scope="module")
def upturn(simulated: Callable[..., Curve]) -> Curve:
    return simulated("sphere+power_law", TRUTH)


def test_spheres_with_an_upturn_are_found_and_shares_are_theirs(upturn: Curve, bank: Bank) -> None:
    assert upturn.dintensity is not None
    alone, both = (_fitted(upturn, bank, name) for name in ("sphere", "sphere+power_law"))
    assert both.reduced_chisq < 1.4
    for name in ("A_radius", "B_power"):
        p = both.parameters[name]
        assert abs(p.value - TRUTH[name]) < max(4 * p.error, 0.01 * TRUTH[name])
    assert asked_for(upturn, upturn.dintensity, [alone], [both]) == [both]
    share = both.components[0]
    assert share.name == "sphere"
    assert 0.5 < share.fraction < 1
    assert 0 < share.error < 0.1
    answer = assess(upturn, upturn.dintensity, [alone, both])
    assert answer.best is not None
    assert answer.best.name == "sphere+power_law"
    assert any("of the scattering" in note for note in answer.notes)
    assert answer.as_dict()["fits"][0]["components"][1]["component"] == "power_law"


def test_spheres_alone_are_given_none(simulated: Callable[..., Curve], bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 40.0, "background": 0.01})
    assert curve.dintensity is not None
    alone, both = (_fitted(curve, bank, name) for name in ("sphere", "sphere+power_law"))
    assert asked_for(curve, curve.dintensity, [alone], [both]) == []
    assert not intricate(curve, alone)


def test_the_simplest_sums_come_first_and_none_where_materials_are_given(upturn: Curve, pool: Any) -> None:
    assert upturn.dintensity is not None
    suggestion = open_classifier().suggest([upturn], top=3)[0]
    options = FitOptions(fixed={"background": 0.01})
    given = (pool, upturn, upturn.dintensity, suggestion)
    tasks, failed = sums_to_fit(*given, options, [], {("sphere", None): 5.0}, 0.6, 20.0)
    assert failed == ()
    assert "sphere+power_law" in [t.name for t in tasks][:2]
    assert tasks[0].fixed["background"] == 0.01
    assert sums_to_fit(*given, replace(options, fixed={"scale": 1.0}), [], {}, 1.0, 20.0) == ([], ())
    # Nothing is nearer than what is there already.
    assert sums_to_fit(*given, options, [], {("sphere", None): 1e-3}, 0.6, 20.0)[0] == []
    assert np.isfinite(tasks[0].budget.seconds)


def test_a_sum_is_held_against_other_sums_of_its_body(simulated: Callable[..., Curve], bank: Bank) -> None:
    """A Lorentzian and a coil look alike beside a body; data tell them apart where both are fitted."""
    truth = {
        "A_scale": 1.0,
        "A_radius": 45.0,
        "B_rg": 90.0,
        "B_scale": 1000.0,
        "B_i_zero": 1.0,
        "background": 0.01,
    }
    curve = simulated("sphere+mono_gauss_coil", truth)
    assert curve.dintensity is not None
    fixed = {"B_i_zero": 1.0}
    tasks = [
        Task(curve, curve.dintensity, "sphere", None),
        Task(curve, curve.dintensity, "sphere+lorentz", None),
    ]
    fits = [_fitted(curve, bank, task.name) for task in tasks]
    others = {task.name: task for task in other_sums(tasks, fits)}
    assert {"sphere+power_law", "sphere+mono_gauss_coil", "ellipsoid+lorentz"} <= set(others)
    assert "sphere+lorentz" not in others
    assert others["sphere+mono_gauss_coil"].fixed == fixed  # another name of its scale
    assert others["sphere+power_law"].fixed == {}
    right = fit_candidate(others["sphere+mono_gauss_coil"], bank, Budget(4.0))
    assert right.bic < fits[1].bic - 10
    assert abs(right.parameters["B_rg"].value - 90.0) < 4 * right.parameters["B_rg"].error
    assert other_sums(tasks[:1], fits[:1]) == []


def test_the_body_of_a_sum_is_also_fitted_alone_from_there(
    simulated: Callable[..., Curve], bank: Bank
) -> None:
    """A single model whose search has ended elsewhere is no reason for a second component."""
    curve = simulated("ellipsoid", {"radius_polar": 30.0, "radius_equatorial": 60.0, "background": 0.01})
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, "ellipsoid", None)
    elsewhere = fit_candidate(
        replace(task, fixed={"radius_polar": 70.0, "radius_equatorial": 45.0}), bank, Budget(4.0)
    )
    both = _fitted(curve, bank, "ellipsoid+power_law")
    assert elsewhere.reduced_chisq > 2 > both.reduced_chisq
    sums = [task, Task(curve, curve.dintensity, "ellipsoid+power_law", None)]
    (again,) = first_alone(sums, [elsewhere, both])
    assert again.name == "ellipsoid"
    alone = fit_candidate(again, bank, Budget(4.0))
    assert alone.parameters["radius_polar"].value == pytest.approx(30.0, rel=0.02)
    assert alone.bic < both.bic
    assert first_alone([task], [elsewhere]) == []


def test_a_second_component_that_is_hardly_needed_stands_beside_the_single_model() -> None:
    """Its evidence must be larger by 10 in BIC to come first; below, and above none, it is named."""
    q = np.geomspace(0.01, 0.3, 200)
    curve = Curve(q, np.ones(200) + 0.1 * np.random.default_rng(4).standard_normal(200), 0.1 * np.ones(200))

    def of(name: str, free: int, gain: float) -> ModelFit:
        chisq = 200.0 - gain
        known = {f"p{i}": Parameter(1.0, 0.1, "", False, 0.0, 2.0) for i in range(free)}
        bic = chisq + free * np.log(200)
        return ModelFit(name, None, known, {}, chisq, chisq / (200 - free), bic, 0.5, 0.1, np.ones(200))

    alone = of("sphere", 4, 0.0)
    for gain, kept, leads in ((5.0, False, False), (15.0, True, False), (30.0, True, True)):
        both = of("sphere+power_law", 6, gain)
        found = asked_for(curve, np.full(200, 0.1), [alone], [both])
        assert (found == [both]) == kept
        assert (ranked([alone, both])[0].name == both.name) == leads
