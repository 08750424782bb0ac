"""What may be tried next: the worthiest first, and by no more than a curve asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.start_values.screening import Screen, screen_pairs
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.strategy.hypothesis import Beliefs, Hypothesis, size_of
from sasnet_plugin.fitting.strategy.moves import (
    again,
    boost,
    factors,
    list_expected,
    looks_for_sums,
    open_steps,
    plain,
    propose_continuation,
    propose_nested,
    propose_restarts,
    propose_salt,
    resolutions,
    rivals_of_sum,
    sums,
)
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.strategy.state import State
from sasnet_plugin.fitting.task import Budget, FitOptions
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.priors import list_structure_factors
from sasnet_plugin.simulate.size_distributions import distribution_keywords
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]
CHARGED = {
    "radius": 60.0, "volfraction": 0.15, "charge": 30.0, "background": 0.01, "radius_effective_mode": 1,
}  # fmt: skip
P = Parameter(0.01, 0.001, "1/cm", False, 0.0, 1.0)


def state_of(curve: Curve) -> State:
    assert curve.dintensity is not None
    suggestion = open_classifier().suggest([curve], top=78)[0]
    return State(curve, curve.dintensity, Beliefs(suggestion), FitOptions())


def fitted(state: State, bank: Bank, hypothesis: Hypothesis, **how: Any) -> None:
    task = state.task(hypothesis, budget=Budget(20.0), **how)
    state.keep(hypothesis, fit_candidate(task, bank))


def like(curve: Curve, name: str, size: float, free: int, rng: np.random.Generator) -> ModelFit:
    """A fit whose residuals are independent noise of a size."""
    assert curve.dintensity is not None
    residual = size * rng.standard_normal(len(curve))
    chisq = float(residual @ residual)
    parameters = {f"p{i}": Parameter(1.0, 0.1, "", False, 0.0, 2.0) for i in range(free)}
    theory = curve.intensity - residual * curve.dintensity
    bic = chisq + free * np.log(len(curve))
    return ModelFit(name, None, parameters, {}, chisq, chisq / (len(curve) - free), bic, 0.5, 0.1, theory)


def bent(curve: Curve) -> ModelFit:
    """A fit of spheres with a smooth misfit that no noise explains."""
    assert curve.dintensity is not None
    theory = curve.intensity * (1 + 0.4 * np.sin(4 * np.log(curve.q)))
    chisq = float(np.sum(((curve.intensity - theory) / curve.dintensity) ** 2))
    return ModelFit("sphere", None, {}, {}, chisq, chisq / len(curve), chisq, 0.5, 0.1, theory)


def test_the_simplest_models_of_the_likely_groups_come_first(simulated: Simulated) -> None:
    state = state_of(simulated("sphere", {"radius": 80.0, "background": 0.01}))
    steps = open_steps(state)
    due = [step.hypothesis.name for step in steps if step.due and step.hypothesis]
    assert due[0] == "sphere"
    assert set(due) >= set(state.beliefs.first())
    assert steps[: len(due)] == [step for step in steps if step.due]


def test_a_slow_model_that_is_expected_waits_for_what_is_worth_more(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    state = state_of(curve)
    known = state.beliefs.suggestion
    models = [replace(g, probability=0.7) if g.name == "barbell" else g for g in known.models]
    state.beliefs = Beliefs(replace(known, models=tuple(models)))
    assert "barbell" in state.beliefs.first()
    state.keep(Hypothesis("sphere"), replace(bent(curve), per_decade=80))
    assert not state.is_explained()
    order = [step.key for step in open_steps(state)]
    slow = next(step for step in open_steps(state) if step.key == ("fit", Hypothesis("barbell")))
    assert not slow.due
    assert slow.worth > STRATEGY.price
    assert order.index(("measured", Hypothesis("sphere", as_measured=True))) < order.index(slow.key)


def test_broad_sizes_are_tried_before_an_interaction_is_believed(simulated: Simulated, bank: Bank) -> None:
    """The large particles of a broad distribution scatter as if all of them attracted each other."""
    broad = {"radius_pd": 0.45, **distribution_keywords("radius", "lognormal", 0.45, 101)}
    state = state_of(simulated("sphere", {"radius": 25.0, "background": 0.01, **broad}))
    fitted(state, bank, Hypothesis("sphere", "stickyhardsphere"))
    steps = {step.key[2]: step for step in open_steps(state) if step.key[0] == "sizes"}
    assert steps.keys() == {"gaussian", "lognormal", "schulz"}
    assert all(step.due and step.hypothesis == Hypothesis("sphere") for step in steps.values())
    task = steps["lognormal"].task
    assert task is not None
    found = fit_candidate(task, bank)
    width = found.parameters["radius_pd"]
    assert found.reduced_chisq < 1.2
    assert width.value == pytest.approx(0.45, abs=4 * (width.error or 0.0))


def test_what_is_quick_comes_before_a_slow_model_that_is_likelier(simulated: Simulated) -> None:
    """An ellipsoid that the network takes for a superball is fitted before that takes all the time."""
    shape = {"radius_polar": 55.0, "radius_equatorial": 160.0, "background": 0.01}
    state = state_of(simulated("ellipsoid", shape))
    known, chances = state.beliefs.suggestion, {"superball": 0.9, "ellipsoid": 0.05}
    models = [replace(g, probability=chances.get(g.name, 0.0)) for g in known.models]
    state.beliefs = Beliefs(replace(known, models=tuple(models)))
    order = [step.hypothesis.form for step in open_steps(state) if step.hypothesis]
    assert order.index("ellipsoid") < order.index("superball")
    # Not what the network holds for nothing.
    assert order.index("superball") < (order.index("cylinder") if "cylinder" in order else np.inf)


def test_where_a_fit_leaves_noise_alone_little_else_is_worth_its_time(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    state, rng = state_of(curve), np.random.default_rng(1)
    state.keep(Hypothesis("sphere"), like(curve, "sphere", 0.95, 4, rng))
    worthy = [step for step in open_steps(state) if step.worth > STRATEGY.price]
    assert not any(step.pairs or step.search for step in worthy)
    assert not any(step.key[0] == "restart" for step in worthy)
    assert not any(step.hypothesis and step.hypothesis.second for step in worthy)
    assert not any(step.hypothesis and step.hypothesis.cost == "slow" for step in worthy)


def test_noise_larger_than_stated_is_explained_and_a_smooth_misfit_is_not(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    state = state_of(curve)
    state.keep(Hypothesis("sphere"), like(curve, "sphere", 2.0, 4, np.random.default_rng(2)))
    assert state.is_explained()
    smooth = state_of(curve)
    smooth.keep(Hypothesis("sphere"), bent(curve))
    assert not smooth.is_explained()
    assert boost(smooth, 6) == STRATEGY.most_boost * smooth.estimate_chance_to_explain()
    assert any(step.search is None and step.pairs for step in open_steps(smooth))


def test_a_parameter_more_has_to_gain_its_place(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    state = state_of(curve)
    state.keep(Hypothesis("sphere"), like(curve, "sphere", 0.95, 4, np.random.default_rng(3)))
    six, eight = boost(state, 6, again=True), boost(state, 8, again=True)
    assert eight == pytest.approx(six / len(curve))  # ½ ln n for each, in ln of the evidence


def test_charged_spheres_taken_for_hard_ones_are_found(simulated: Simulated, bank: Bank) -> None:
    state = state_of(simulated("sphere@hayter_msa", CHARGED))
    start = {"radius": 60.0, "scale": 1.0, "background": 0.01}
    fitted(state, bank, Hypothesis("sphere"), starts=(start,))
    fitted(state, bank, Hypothesis("sphere", "hardsphere"), starts=({**start, "volfraction": 0.2},))
    more = {step.hypothesis.structure_factor: step.task for step in factors(state) if step.hypothesis}
    assert set(more) == set(list_structure_factors("sphere")) - {"hardsphere"}
    # What a factor has of its own does not go on to the next.
    assert all("charge" not in (t.extra or {}) for name, t in more.items() if t and name != "hayter_msa")
    charged = more["hayter_msa"]
    assert charged is not None
    found = fit_candidate(charged, bank)
    assert found.reduced_chisq < 1.3 < min(f.reduced_chisq for f in state.fits.values())
    assert found.parameters["radius"].value == pytest.approx(60.0, rel=0.03)


def test_spheres_apart_are_not_fitted_with_every_structure_factor(simulated: Simulated, bank: Bank) -> None:
    state = state_of(simulated("sphere", {"radius": 60.0, "background": 0.01}))
    start = {"radius": 60.0, "scale": 1.0, "background": 0.01}
    fitted(state, bank, Hypothesis("sphere"), starts=(start,))
    fitted(state, bank, Hypothesis("sphere", "hardsphere"), starts=({**start, "volfraction": 0.05},))
    assert list(factors(state)) == []


def test_a_sum_is_held_against_other_sums_and_its_body_alone(simulated: Simulated, bank: Bank) -> None:
    """A Lorentzian and a coil look alike beside a body; data tell them apart where both are fitted."""
    truth = {"A_scale": 1.0, "A_radius": 45.0, "B_rg": 90.0, "B_scale": 1000.0, "B_i_zero": 1.0,
             "background": 0.01}  # fmt: skip
    state = state_of(simulated("sphere+mono_gauss_coil", truth))
    lorentz = Hypothesis("sphere", None, "lorentz")
    fitted(state, bank, lorentz)
    rivals = {step.hypothesis.name: step.task for step in rivals_of_sum(state) if step.hypothesis}
    assert {"sphere", "sphere+power_law", "sphere+mono_gauss_coil", "ellipsoid+lorentz"} <= set(rivals)
    coil = rivals["sphere+mono_gauss_coil"]
    alone = next(step.task for step in rivals_of_sum(state) if step.key[0] == "alone")
    assert coil is not None
    assert alone is not None
    assert coil.fixed == {"B_i_zero": 1.0}  # another name of its scale
    assert alone.starts[0]["radius"] == pytest.approx(45.0, rel=0.1)
    right = fit_candidate(coil, bank, Budget(4.0))
    assert right.bic < state.fits[lorentz].bic - 10


def test_a_rival_of_a_sum_in_a_wrong_minimum_is_begun_anew(simulated: Simulated) -> None:
    """Spheres and a power law begun at the values of core-shell spheres had been led astray."""
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    state, rng = state_of(curve), np.random.default_rng(1)
    best, rival = Hypothesis("core_shell_sphere", None, "power_law"), Hypothesis("sphere", None, "power_law")
    state.keep(best, replace(like(curve, best.name, 1.0, 4, rng), parameters={"background": P}))
    state.keep(rival, like(curve, rival.name, 30.0, 4, rng))
    assert rival in {step.hypothesis for step in rivals_of_sum(state)}
    state.keep(rival, like(curve, rival.name, 1.1, 4, rng))
    assert rival not in {step.hypothesis for step in rivals_of_sum(state)}


def test_a_body_alone_is_fitted_again_where_its_sum_has_become_it(simulated: Simulated, bank: Bank) -> None:
    """A search of the lattice alone can miss the minimum that its sum with next to nothing has found."""
    lattice = {"dnn": 239.0, "d_factor": 0.1, "radius": 102.0, "radius_pd": 0.28}
    state = state_of(simulated("bcc_paracrystal", {**lattice, "scale": 1.0, "background": 0.01}))
    both = Hypothesis("bcc_paracrystal", None, "power_law")
    start = {f"A_{name}": value for name, value in lattice.items()} | {"B_scale": 1e-9, "background": 0.01}
    task = state.task(both, starts=(start,), beside=True, budget=Budget(20.0))
    found = fit_candidate(task, bank)
    worse = {name: 20 * getattr(found, name) for name in ("chisq", "reduced_chisq", "bic")}
    seen = tuple(replace(one, fraction=0.5) for one in found.components)
    state.keep(both, replace(found, **worse, components=seen))
    state.done |= {step.key for step in rivals_of_sum(state)}
    state.keep(both, found)
    (alone,) = (step for step in rivals_of_sum(state) if step.key not in state.done)
    assert alone.hypothesis == Hypothesis("bcc_paracrystal")
    assert alone.task is not None
    right = fit_candidate(alone.task, bank, Budget(10.0, best_chisq=found.reduced_chisq))
    assert right.reduced_chisq == pytest.approx(found.reduced_chisq, rel=0.02)


def test_near_sums_are_fitted_though_only_they_were_looked_up(simulated: Simulated, bank: Bank) -> None:
    """Two sizes of spheres, of which the network sees that they are two: no single model was looked up."""
    truth = {"A_scale": 1.0, "A_radius": 40.0, "B_radius": 117.0, "B_scale": 0.05, "background": 0.01}
    state = state_of(simulated("sphere+sphere", truth))
    fitted(state, bank, Hypothesis("sphere"))
    (look,) = looks_for_sums(state)
    state.residuals |= screen_pairs(Screen(state.curve, state.dintensity, look.pairs), bank)
    assert all("+" in model for model, _ in state.residuals)
    best = max(sums(state), key=lambda step: step.worth)
    assert best.hypothesis == Hypothesis("sphere", None, "sphere")


def test_what_explains_the_curve_is_not_searched_for_again(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    state, rng = state_of(curve), np.random.default_rng(4)
    state.keep(Hypothesis("sphere"), like(curve, "sphere", 0.95, 4, rng))
    state.keep(Hypothesis("ellipsoid"), like(curve, "ellipsoid", 1.5, 4, rng))
    assert {step.hypothesis.name for step in propose_restarts(state) if step.hypothesis} == {"ellipsoid"}


def test_what_a_user_excludes_is_never_tried(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    suggestion = open_classifier().suggest([curve], top=78)[0]
    options = FitOptions(exclude=("sphere", "power_law"))
    state = State(curve, curve.dintensity, Beliefs(suggestion), options)
    theory = curve.intensity * (1 + 0.4 * np.sin(4 * np.log(curve.q)))
    chisq = float(np.sum(((curve.intensity - theory) / curve.dintensity) ** 2))
    state.keep(
        Hypothesis("ellipsoid"), ModelFit("ellipsoid", None, {}, {}, chisq, 30.0, chisq, 0.5, 0.1, theory)
    )
    steps = open_steps(state)
    tried = {part for step in steps if (h := step.hypothesis) for part in (h.form, h.second)}
    asked = {part for step in steps for pair in step.pairs for part in pair[0].split("+")}
    assert steps
    assert not {"sphere", "power_law"} & (tried | asked)


def test_salt_is_tried_beside_charged_bodies_alone(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    state, rng = state_of(curve), np.random.default_rng(5)
    charged = like(curve, "sphere", 3.0, 4, rng)
    none = Parameter(0.0, None, "M", True, 0.0, 0.0)
    charged = replace(charged, parameters={**charged.parameters, "concentration_salt": none})
    state.keep(Hypothesis("sphere", "hayter_msa"), charged)
    state.keep(Hypothesis("ellipsoid"), like(curve, "ellipsoid", 3.0, 4, rng))
    (step,) = propose_salt(state)
    assert step.task is not None
    assert step.hypothesis == Hypothesis("sphere", "hayter_msa")
    assert step.task.starts[0]["concentration_salt"] == STRATEGY.some_salt


def interacting(curve: Curve, name: str, free: int, rng: np.random.Generator) -> State:
    """A state in which a product explains the curve to its noise."""
    state = state_of(curve)
    form, _, factor = name.partition("@")
    state.keep(Hypothesis(form, factor or None), like(curve, name, 0.95, free, rng))
    return state


def test_a_body_that_explains_is_held_against_simpler_ones_that_interact(simulated: Simulated) -> None:
    curve = simulated("sphere@hardsphere", {"radius": 30.0, "volfraction": 0.2, "background": 0.01})
    state = interacting(curve, "core_shell_cylinder@squarewell", 9, np.random.default_rng(5))
    worth = {step.hypothesis.form: step.worth for step in plain(state) if step.hypothesis}
    assert worth["sphere"] > STRATEGY.price
    # Nothing is simpler than a sphere.
    sphere = interacting(curve, "sphere@hardsphere", 4, np.random.default_rng(5))
    assert list(plain(sphere)) == []


def test_a_broad_peak_is_held_against_spheres_that_repel_each_other(simulated: Simulated) -> None:
    """A peak of seven parameters is no particle; what makes it may be simpler."""
    curve = simulated("sphere@hardsphere", {"radius": 30.0, "volfraction": 0.2, "background": 0.01})
    state = interacting(curve, "broad_peak", 7, np.random.default_rng(5))
    worth = {step.hypothesis.name: step.worth for step in plain(state) if step.hypothesis}
    assert worth["sphere@hardsphere"] > STRATEGY.price


def test_simpler_bodies_are_no_question_where_nothing_interacts(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 30.0, "background": 0.01})
    state = state_of(curve)
    state.keep(
        Hypothesis("core_shell_sphere"), like(curve, "core_shell_sphere", 0.95, 7, np.random.default_rng(6))
    )
    assert list(plain(state)) == []


def test_the_factor_of_what_explains_is_compared_however_unlikely_its_form(simulated: Simulated) -> None:
    curve = simulated("sphere@hardsphere", {"radius": 30.0, "volfraction": 0.2, "background": 0.01})
    state = interacting(curve, "vesicle@hardsphere", 6, np.random.default_rng(7))
    found = {step.hypothesis.name: step for step in factors(state) if step.hypothesis}
    assert set(found) == {f"vesicle@{name}" for name in list_structure_factors("vesicle")[1:]}
    best, other = Hypothesis("vesicle", "hardsphere"), Hypothesis("vesicle", "squarewell")
    assert state.beliefs.rather(best, other) + state.beliefs.rather(other, best) == pytest.approx(1.0)
    assert state.beliefs.rather(other, best) > state.beliefs.estimate(other)


def test_another_structure_factor_is_fitted_to_the_end_however_far_off_it_begins(
    simulated: Simulated, bank: Bank
) -> None:
    """Charged micelles explain hard ones; of these the rough pass is off by a hundred times as much."""
    values = {
        "radius": 60.0, "thickness": 32.0, "sld_core": 5.0, "sld_shell": 1.5, "sld_solvent": 6.3,
        "volfraction": 0.2, "radius_pd": 0.13, "background": 0.01,
    }  # fmt: skip
    state = state_of(simulated("core_shell_sphere@hardsphere", values))
    charged = Hypothesis("core_shell_sphere", "hayter_msa")
    fitted(state, bank, charged)
    state.keep(charged, like(state.curve, "core_shell_sphere@hayter_msa", 0.95, 8, np.random.default_rng(3)))
    step = next(s for s in factors(state) if s.hypothesis and s.hypothesis.structure_factor == "hardsphere")
    assert step.task is not None
    state.keep(step.hypothesis or charged, fit_candidate(step.task, bank))
    hard = state.fits[Hypothesis("core_shell_sphere", "hardsphere")]
    assert hard.reduced_chisq < 1.3
    assert hard.parameters["radius"].value == pytest.approx(60.0, rel=0.03)


def test_what_is_simpler_but_for_the_resolution_is_asked_for_it(simulated: Simulated) -> None:
    """A file that states none: an instrument has one, and a wrong model with more parameters takes it up."""
    curve = replace(simulated("sphere", {"radius": 30.0, "background": 0.01}), dq=None)
    rng = np.random.default_rng(11)
    state = state_of(curve)
    state.keep(Hypothesis("core_shell_sphere"), like(curve, "core_shell_sphere", 0.95, 7, rng))
    assert list(resolutions(state)) == []
    sphere = Hypothesis("sphere")
    state.keep(sphere, like(curve, "sphere", 1.4, 4, rng))
    assert [step.key[1] for step in resolutions(state)] == [sphere]
    # As many parameters are no simpler explanation.
    state.fits[sphere] = like(curve, "sphere", 1.4, 7, rng)
    assert list(resolutions(state)) == []


def test_what_explains_is_looked_for_once_more_where_less_may_be_left(simulated: Simulated) -> None:
    """A minimum that is off by less than χ² scatters may be a wrong one; below what is expected none is."""
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    state, rng = state_of(curve), np.random.default_rng(4)
    sphere, n = Hypothesis("sphere"), len(curve)
    left = like(curve, "sphere", 1.0, 3, rng)
    state.keep(sphere, replace(left, chisq=1.05 * n, reduced_chisq=1.05, bic=1.05 * n))
    assert [step.hypothesis for step in again(state)] == [sphere]
    assert all(step.worth > STRATEGY.price for step in again(state))
    state.keep(sphere, replace(left, chisq=0.9 * n, reduced_chisq=0.9, bic=0.9 * n))
    assert list(again(state)) == []


def test_a_sum_that_has_become_a_simpler_one_is_fitted_as_that(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    state = state_of(curve)
    fit = like(curve, "fuzzy_sphere+power_law", 1.0, 0, np.random.default_rng(4))
    values = {
        "A_scale": 1.0, "A_radius": 80.0, "A_fuzziness": 1e-4, "A_sld": 4.0, "A_sld_solvent": 1.0,
        "B_scale": 1e-5, "B_power": 3.0, "background": 0.01,
    }  # fmt: skip
    units = {"A_radius": "Ang", "A_fuzziness": "Ang"}
    known = {n: Parameter(v, 0.1 * v, units.get(n, ""), False, 0.0, 1e3) for n, v in values.items()}
    state.keep(Hypothesis("fuzzy_sphere", None, "power_law"), replace(fit, parameters=known))
    (step,) = propose_nested(state)
    assert step.hypothesis == Hypothesis("sphere", None, "power_law")
    assert step.task is not None
    assert step.task.starts[0]["A_radius"] == 80.0


def test_what_the_network_expects_is_compared_however_many_parameters_it_has(simulated: Simulated) -> None:
    curve = simulated("rpa", {"background": 0.01})
    suggestion = state_of(curve).beliefs.suggestion
    first = tuple(replace(g, probability=0.7) for g in suggestion.models if g.name == "rpa")
    others = tuple(replace(g, probability=0.3 * g.probability) for g in suggestion.models if g.name != "rpa")
    state = replace(state_of(curve), beliefs=Beliefs(replace(suggestion, models=first + others)))
    rpa, lorentz = Hypothesis("rpa"), Hypothesis("lorentz")
    state.fits[lorentz] = like(curve, "lorentz", 1.0, 3, np.random.default_rng(1))
    assert state.is_explained()
    assert size_of(rpa) > 5 + state.size(lorentz)
    assert max(step.worth for step in open_steps(state) if step.key == ("fit", rpa)) > STRATEGY.price


def test_the_best_fit_goes_on_where_its_time_was_up(simulated: Simulated, bank: Bank) -> None:
    """A stack of lamellae costs more than a fit of its class has; what stands at a cut fit is no answer."""
    truth = {"thickness": 55.0, "d_spacing": 220.0, "sigma_d": 0.16, "Nlayers": 60.0, "background": 0.01}
    state = state_of(simulated("lamellar_stack_paracrystal", truth))
    stack = Hypothesis("lamellar_stack_paracrystal")
    off = truth | {"thickness": 70.0, "sigma_d": 0.2}
    task = state.task(stack, starts=(off,), budget=Budget(0.02))
    state.keep(stack, fit_candidate(task, bank))
    assert state.fits[stack].cut
    before = state.fits[stack].chisq
    (step,) = propose_continuation(state)
    assert step.task is not None
    assert step.worth > STRATEGY.price
    state.keep(stack, fit_candidate(step.task, bank))
    assert not state.fits[stack].cut
    assert state.fits[stack].chisq < before
    assert list(propose_continuation(state)) == []


def test_what_its_fit_has_ruled_out_hides_no_other_near_shape(simulated: Simulated) -> None:
    """Cubes: the library comes nearest with superballs, whose fit is far off, and then with boxes."""
    state = state_of(simulated("core_shell_cylinder", {"radius": 12.0, "thickness": 14.0, "length": 28.0}))
    rng, superballs = np.random.default_rng(2), Hypothesis("superball")
    best, boxes = Hypothesis("core_shell_cylinder"), Hypothesis("parallelepiped")
    state.keep(best, like(state.curve, best.form, 1.3, 6, rng))
    state.residuals = dict.fromkeys((h.pair for h in state.possible), 2.0)
    state.residuals |= {superballs.pair: 0.1, boxes.pair: 0.3, best.pair: 0.5}

    def offered() -> dict[Hypothesis | None, float]:
        return {step.hypothesis: step.worth for step in open_steps(state) if step.key[0] == "fit"}

    assert boxes not in offered()
    state.keep(superballs, like(state.curve, superballs.form, 3.0, 6, rng))
    assert offered()[boxes] > STRATEGY.price
    # One that fits as well as the best is not ruled out.
    state.fits[superballs] = like(state.curve, superballs.form, 1.3, 6, rng)
    assert boxes not in offered()


def test_the_likeliest_model_is_begun_anew_where_one_of_more_parameters_fits(simulated: Simulated) -> None:
    sphere = {"radius": 46.0, "thickness": 11.0, "sld_core": 3.0, "sld_shell": 1.0, "sld_solvent": 6.0}
    state = state_of(simulated("core_shell_sphere", sphere | {"radius_pd": 0.09, "radius_pd_n": 35}))
    rng, likeliest = np.random.default_rng(3), Hypothesis("core_shell_sphere")
    assert state.beliefs.estimate(likeliest) > 0.3
    state.keep(likeliest, replace(bent(state.curve), model="core_shell_sphere"))
    state.keep(Hypothesis("core_shell_bicelle"), like(state.curve, "core_shell_bicelle", 1.0, 9, rng))
    (step,) = [step for step in propose_restarts(state) if step.hypothesis == likeliest]
    assert step.task is not None
    assert step.is_worthy
    assert step.task.budget.best_chisq == np.inf
    # Where the fit that explains needs no more, the likeliest is hardly begun anew.
    state.fits[Hypothesis("core_shell_bicelle")] = like(state.curve, "core_shell_bicelle", 1.0, 0, rng)
    assert not any(s.is_worthy for s in propose_restarts(state) if s.hypothesis == likeliest)


def test_what_a_slow_model_becomes_is_fitted_where_it_is_expected() -> None:
    """The network takes cubes for superballs, whose curves cost seconds; boxes cost milliseconds."""
    # Without resolution, for which a superball would take a quarter of a minute.
    q = np.geomspace(0.004, 0.4, 120)
    exact = call("superball", q, {"length_a": 60.0, "exponent_p": 12.0}).intensity + 0.001
    sigma = 0.02 * exact + 1e-6 * exact.max()
    state = state_of(Curve(q, exact + sigma * np.random.default_rng(0).standard_normal(q.size), sigma))
    assert state.beliefs.first()["superball"] > 0.3
    expected = list_expected(state)
    assert expected[Hypothesis("parallelepiped")] > STRATEGY.simple_prior
    steps = {step.hypothesis: step for step in open_steps(state) if step.key[0] == "fit"}
    assert steps[Hypothesis("parallelepiped")].due
    assert not steps[Hypothesis("superball")].due


def test_the_more_of_what_is_likely_has_failed_the_less_is_expected_of_the_rest(simulated: Simulated) -> None:
    """Without any fit a model explains as many curves as in the library; none is left where all failed."""
    state = state_of(simulated("sphere", {"radius": 80.0, "background": 0.01}))
    before = state.estimate_chance_to_explain()
    assert before == pytest.approx(STRATEGY.in_library)
    order = sorted(state.beliefs.guesses.values(), key=lambda guess: -guess.probability)
    chances = []
    for guess in order[:3]:
        state.keep(Hypothesis(guess.name), replace(bent(state.curve), model=guess.name))
        chances.append(state.estimate_chance_to_explain())
    assert before > chances[0] > chances[1] > chances[2] > 0
    # Another model with the probability that is left, or a second component: Bayes' rule.
    rest, two = 1 - sum(guess.probability for guess in order[:3]), state.beliefs.two
    left = STRATEGY.in_library * ((1 - two) * rest + two)
    assert chances[2] == pytest.approx(left / (left + 1 - STRATEGY.in_library))


def test_uncertainties_beyond_any_calibration_are_searched_with_an_error_of_intensity(bank: Bank) -> None:
    """Spheres with a wave of 1.5 % that no model has, measured to a hundredth of that."""
    q = np.geomspace(0.004, 0.3, 150)
    exact = call("sphere", q, {"radius": 60.0, "radius_pd": 0.15, "background": 0.01}).intensity
    intensity = exact * (1 + 0.015 * np.sin(7 * np.log(q)))
    state = state_of(Curve(q, intensity, 1e-4 * exact))
    fitted(state, bank, Hypothesis("sphere"))
    assert state.is_too_precise
    rough = state.within(0.025)
    fitted(rough, bank, Hypothesis("sphere"))
    assert rough.is_explained()
    assert not rough.is_too_precise
    assert rough.fits[Hypothesis("sphere")].parameters["radius"].value == pytest.approx(60, rel=0.02)
    # Where that was searched, little is expected of what was not.
    before = state.estimate_chance_to_explain()
    state.rough = rough
    assert state.estimate_chance_to_explain() < 0.3 * before
