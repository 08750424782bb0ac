"""One model, fitted: starts, the truth within its error, what is not determined, and no fit that hangs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.ledger import read_spent_time
from sasnet_plugin.fitting.optimize.local_search import LocalMinimum
from sasnet_plugin.fitting.problem.model_curves import ModelCurves, curves_of
from sasnet_plugin.fitting.problem.resolution import coarsen
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy import fit_candidate as module
from sasnet_plugin.fitting.strategy.fit_candidate import (
    Starts,
    TimedSearch,
    distinct,
    enough,
    fit_candidate,
    refine_starts,
    sort_minima,
)
from sasnet_plugin.fitting.strategy.settings import STRATEGY, Pass
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call, load_model
from sasnet_plugin.types import Curve, SasnetError

# --- One model, fitted: starts, the truth within its error, what is not determined, and no fit that
# --- hangs.

Simulated = Callable[..., Curve]


def _task(curve: Curve, model: str, best_chisq: float = float("inf")) -> Task:
    assert curve.dintensity is not None
    return Task(curve, curve.dintensity, model, None, budget=Budget(30.0, best_chisq))


def test_the_best_start_lies_at_the_truth(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    found = refine_starts(_task(curve, "sphere"), bank, read_spent_time())
    assert not found.hopeless
    assert found.found[0].parameters["radius"] == pytest.approx(80.0, rel=0.02)
    assert found.found[0].chisq < 1.5 * len(curve)


def test_a_width_is_found_where_the_curve_has_one(simulated: Simulated, bank: Bank) -> None:
    truth = {"radius": 80.0, "background": 1e-3, "radius_pd": 0.15, "radius_pd_n": 35, "radius_pd_nsigma": 3}
    curve = simulated("sphere", truth)
    best = refine_starts(_task(curve, "sphere"), bank, read_spent_time()).found[0]
    assert best.parameters["radius_pd"] == pytest.approx(0.15, abs=0.04)


@pytest.mark.parametrize("arms", [2, 10])
def test_arms_of_a_star_are_a_whole_number_beyond_those_of_the_library(
    simulated: Simulated, bank: Bank, arms: int
) -> None:
    """sasmodels takes the nearest whole number, and draws no star of more than six."""
    curve = simulated("star_polymer", {"rg_squared": 3600.0, "arms": arms, "scale": 5.0})
    fit = fit_candidate(_task(curve, "star_polymer"), bank)
    assert fit.parameters["arms"].value in ((1.0, 2.0) if arms == 2 else (float(arms),))
    assert "arms" not in fit.free
    size = fit.parameters["rg_squared"]
    assert size.error is not None
    assert abs(size.value - 3600.0) < 4 * size.error


def test_what_is_far_behind_another_model_is_not_followed_to_the_end(
    simulated: Simulated, bank: Bank
) -> None:
    curve = simulated("sphere", {"radius": 80.0})
    found = refine_starts(_task(curve, "lamellar", best_chisq=1.0), bank, read_spent_time())
    assert found.hopeless
    assert len(found.found) == 1
    assert not refine_starts(_task(curve, "lamellar"), bank, read_spent_time()).hopeless


def test_a_model_that_the_user_named_is_fitted_to_its_end(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0})
    task = _task(curve, "lamellar", best_chisq=1.0)
    given_up, alone = fit_candidate(task, bank), fit_candidate(_task(curve, "lamellar"), bank)
    named = fit_candidate(replace(task, named=True), bank)
    assert [fit.given_up for fit in (given_up, named)] == [True, False]
    assert named.chisq == pytest.approx(alone.chisq)


def test_given_starts_replace_those_of_the_bank(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    start = {"radius": 79.0, "sld": 4.0, "sld_solvent": 1.0}
    task = replace(_task(curve, "sphere"), starts=(start,))
    (found,) = refine_starts(task, bank, read_spent_time()).found
    assert found.parameters["radius"] == pytest.approx(80.0, rel=0.02)


TRUTHS = [
    ("sphere", None, {"radius": 80.0, "background": 0.01}),
    ("cylinder", None, {"radius": 20.0, "length": 400.0, "background": 0.01}),
    ("core_shell_sphere", None, {"radius": 60.0, "thickness": 20.0, "background": 0.01}),
    ("mono_gauss_coil", None, {"rg": 60.0, "background": 0.01}),
    ("teubner_strey", None, {"d": 150.0, "xi": 60.0, "background": 0.01}),
    ("sphere", "hardsphere", {"radius": 50.0, "volfraction": 0.25, "background": 0.01}),
]


@pytest.mark.parametrize(("model", "factor", "truth"), TRUTHS)
def test_the_truth_is_found_without_a_hint(
    simulated: Simulated, bank: Bank, model: str, factor: str | None, truth: dict[str, float]
) -> None:
    name = model if factor is None else f"{model}@{factor}"
    curve = simulated(name, truth | ({"radius_effective_mode": 1} if factor else {}))
    assert curve.dintensity is not None
    found = fit_candidate(Task(curve, curve.dintensity, model, factor), bank)
    assert found.name == name
    assert found.reduced_chisq < 1.4
    for key, value in truth.items():
        if key in ("background", "thickness"):  # at this noise and contrast the shell's edge is soft
            continue
        p = found.parameters[key]
        assert p.error is not None
        assert abs(p.value - value) < max(0.05 * value, 4 * p.error)


def test_fixed_stays_and_a_range_holds(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 400.0, "background": 0.01})
    assert curve.dintensity is not None
    task = Task(
        curve, curve.dintensity, "cylinder", None, fixed={"radius": 22.0}, ranges={"length": (100.0, 250.0)}
    )
    found = fit_candidate(task, bank)
    assert found.parameters["radius"].fixed
    assert found.parameters["radius"].value == 22.0
    assert 100.0 <= found.parameters["length"].value <= 250.0


@pytest.mark.parametrize("fixed", [{"background": 0.01}, {"scale": 1.0}])
def test_a_scale_or_background_of_the_users_is_kept_and_the_other_found(
    simulated: Simulated, bank: Bank, fixed: dict[str, float]
) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    found = fit_candidate(Task(curve, curve.dintensity, "sphere", None, fixed=fixed), bank)
    assert found.reduced_chisq < 1.4
    for name, value in fixed.items():
        assert found.parameters[name].fixed
        assert found.parameters[name].value == value
    assert abs(found.parameters["radius"].value - 80.0) < 1.0


def test_a_candidate_far_behind_the_others_gives_up_early(
    simulated: Simulated, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = simulated("sphere", {"radius": 80.0})
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, "lamellar", None)
    calls: list[int] = []
    intensity = ModelCurves.intensity

    def counted(local: ModelCurves, parameters: dict[str, Any]) -> Any:
        calls[-1] += 1
        return intensity(local, parameters)

    monkeypatch.setattr(ModelCurves, "intensity", counted)
    calls.append(0)
    patient = fit_candidate(task, bank)
    calls.append(0)
    hurried = fit_candidate(task, bank, Budget(20.0, 1.0))
    assert patient.reduced_chisq > 20
    assert hurried.reduced_chisq < 3 * patient.reduced_chisq
    assert calls[1] < calls[0]


def test_what_another_fit_leads_to_is_not_given_up_as_soon_as_what_the_bank_does(
    simulated: Simulated,
) -> None:
    """Spheres of another kind of size distribution were, from the first one's values, and came out right."""
    curve = simulated("sphere", {"radius": 80.0})
    task = _task(curve, "sphere", 1.1)
    local = ModelCurves(curve, task.dintensity, "sphere")
    behind = [LocalMinimum({"radius": 85.0}, 2.4 * len(curve))]
    assert TimedSearch(task, read_spent_time()).hopeless(behind, local, 1)
    begun = replace(task, starts=({"radius": 80.0},))
    assert not TimedSearch(begun, read_spent_time()).hopeless(behind, local, 1)


def test_correlations_are_of_parameters_that_the_fit_reports(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    bent = replace(curve, intensity=curve.intensity * (1 + 0.9 * np.sin(6 * np.log(curve.q))))
    # The width of its distribution goes to zero on such a curve, and a width of zero is not reported.
    for model in ("mono_gauss_coil", "vesicle"):
        found = fit_candidate(Task(bent, curve.dintensity, model, None), bank)
        assert {name for pair in found.correlations for name in pair} <= set(found.free)


def test_without_time_the_refined_start_stands(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 300.0})
    assert curve.dintensity is not None
    near = ({"radius": 20.0, "length": 300.0, "sld": 4.0, "sld_solvent": 1.0},)
    task = Task(curve, curve.dintensity, "cylinder", None, starts=near, budget=Budget(1e-3))
    found = fit_candidate(task, bank)
    assert found.reduced_chisq < 2
    assert {"radius", "length"} <= set(found.free)


def test_a_start_where_the_model_has_no_value_is_no_fit(
    simulated: Simulated, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sasmodels.direct_model import call_kernel

    curve = simulated("sphere", {"radius": 40.0, "background": 0.01})
    # By rounding, sasmodels' hayter_msa has no value at about half of all charges below 0.03 e.
    base = {
        "scale": 0.005, "background": 0.016, "radius": 39.0, "sld": 4.0, "sld_solvent": 1.0,
        "volfraction": 0.147, "radius_effective": 34.0, "concentration_salt": 0.0,
    }  # fmt: skip
    tried = ({**base, "charge": charge} for charge in np.geomspace(1e-3, 0.03, 200))
    kernel = load_model("sphere@hayter_msa").make_kernel([curve.q])
    there = next(p for p in tried if np.isnan(call_kernel(kernel, p)).any())
    starts = Starts([LocalMinimum(there, 1e3)], None, hopeless=True)
    monkeypatch.setattr(module, "refine_starts", lambda *_: starts)
    task = replace(_task(curve, "sphere"), structure_factor="hayter_msa")
    with pytest.raises(SasnetError, match="sphere@hayter_msa: no starting values give a finite curve"):
        fit_candidate(task, bank)


def test_an_effective_radius_that_a_user_gives_is_that_of_the_structure_factor(
    simulated: Simulated, bank: Bank
) -> None:
    """Spheres of 50 Å that keep a distance of 150 Å, as charge or a layer of solvent makes them."""
    truth = {
        "radius": 50.0, "radius_effective": 75.0, "radius_effective_mode": 0, "volfraction": 0.2,
        "sld": 4.0, "sld_solvent": 1.0, "background": 0.01,
    }  # fmt: skip
    curve = simulated("sphere@hardsphere", truth)
    task = replace(_task(curve, "sphere"), structure_factor="hardsphere")
    given = fit_candidate(replace(task, fixed={"radius_effective": 75.0}), bank)
    fitted = fit_candidate(replace(task, ranges={"radius_effective": (40.0, 120.0)}), bank)
    for fit in (given, fitted):
        assert fit.reduced_chisq < 1.3
        assert fit.parameters["radius"].value == pytest.approx(50.0, rel=0.02)
        assert fit.parameters["radius_effective"].value == pytest.approx(75.0, rel=0.02)
        assert fit.parameters["volfraction"].value == pytest.approx(0.2, rel=0.05)
    assert fit_candidate(task, bank).reduced_chisq > 10 * fitted.reduced_chisq


# --- Refinement within a time: at least one start, no more than the time allows, and what no slope
# --- leads to.

STARTS = [{"radius": radius, "sld": 4.0, "sld_solvent": 1.0} for radius in (45.0, 52.0, 60.0)]


def _search(curve: Curve, seconds: float, best_chisq: float = np.inf) -> tuple[TimedSearch, ModelCurves]:
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, "sphere", None, budget=Budget(seconds, best_chisq))
    return TimedSearch(task, read_spent_time()), ModelCurves(curve, curve.dintensity, "sphere")


def test_one_start_is_refined_however_little_time_there_is(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 50.0, "background": 0.01})
    how = Pass(0.5, (0.02, 0.0), 10)
    timed, local = _search(curve, 0.0)
    assert len(timed.follow(local, STARTS, how)) <= 1
    timed, local = _search(curve, 60.0)
    found = timed.follow(local, STARTS, how)
    assert found[0].parameters["radius"] == min(
        (f.parameters["radius"] for f in found), key=lambda r: abs(r - 50)
    )
    assert abs(found[0].parameters["radius"] - 50.0) < 1.0


def test_a_start_that_is_good_enough_ends_the_search(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 50.0, "background": 0.01})
    timed, local = _search(curve, 60.0)
    exact = {"radius": 50.0, "sld": 4.0, "sld_solvent": 1.0}
    assert len(timed.follow(local, [exact, *STARTS], STRATEGY.coarse)) == 1


def test_a_search_ends_where_its_minimum_explains_all_points_though_not_their_means() -> None:
    """Means over cells miss how deep the dips of a precise curve are."""
    q = np.geomspace(0.002, 0.5, 150)
    clean = call("sphere", q, {"radius": 180.0, "background": 1e-3}).intensity
    error = 0.004 * clean
    curve = Curve(q, clean + error * np.random.default_rng(2).standard_normal(q.size), error)
    task = Task(curve, error, "sphere", None)
    local = curves_of(task, PROBLEM.sparse, data=coarsen(curve, error))

    def minimum_at(radius: float) -> LocalMinimum:
        chisq, values = local.better({"radius": radius, "sld": 1.0, "sld_solvent": 6.0}, (np.inf, {}))
        return LocalMinimum(values, chisq)

    def is_enough(radius: float, restarts: float = np.inf) -> bool:
        search = TimedSearch(replace(task, restarts=restarts), read_spent_time())
        return module._Enough(search, local)(minimum_at(radius))

    assert minimum_at(180.0).chisq > 2 * enough(local)
    assert is_enough(180.0)
    assert not is_enough(150.0)
    # What is begun again, though it explains the curve, looks for less.
    assert not is_enough(180.0, restarts=20)


def test_hopeless_is_what_no_later_stage_can_make_up_for(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 50.0, "background": 0.01})
    n, (rough, coarse) = len(curve), STRATEGY.gain
    timed, local = _search(curve, 8.0, best_chisq=3.0)
    assert timed.hopeless([LocalMinimum({}, 3.1 * rough * n)], local, 0)
    assert not timed.hopeless([LocalMinimum({}, 3.1 * coarse * n)], local, 0)
    assert timed.hopeless([LocalMinimum({}, 3.1 * coarse * n)], local, 1)
    # Where another model explains the curve, less is of interest.
    timed, local = _search(curve, 8.0, best_chisq=1.0)
    assert timed.hopeless([LocalMinimum({}, 2.0 * n)], local, 1)
    assert not timed.hopeless([LocalMinimum({}, 1.2 * n)], local, 1)
    # Where nothing was fitted before, everything may still be the best.
    timed, local = _search(curve, 8.0)
    assert not timed.hopeless([LocalMinimum({}, 1e9)], local, 1)


def test_a_parameter_has_to_earn_its_place_and_one_minimum_counts_once(simulated: Simulated) -> None:
    _, local = _search(simulated("sphere", {"radius": 50.0, "background": 0.01}), 8.0)
    plain, spread = {"radius": 50.0}, {"radius": 50.0, "radius_pd": 0.1}
    first, second = sort_minima([LocalMinimum(spread, 100.0), LocalMinimum(plain, 102.0)], local)
    assert (first.parameters, second.parameters) == (plain, spread)
    assert len(distinct([LocalMinimum({}, 100.0), LocalMinimum({}, 100.05), LocalMinimum({}, 120.0)])) == 2
