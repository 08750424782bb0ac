"""Verification by simulated twins, where data would decide, and an answer when nothing explains the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.api import assemble
from sasnet_plugin.fitting.assessment import discriminate as decide
from sasnet_plugin.fitting.assessment.assess import NONE_EXPLAINS, judge
from sasnet_plugin.fitting.assessment.bootstrap_check import COUNT, compare
from sasnet_plugin.fitting.assessment.goodness_of_fit import verify
from sasnet_plugin.fitting.assessment.ranking import alike, ranked
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]


def _fitted(curve: Curve, bank: Bank, *models: str, **fixed: float) -> list[ModelFit]:
    assert curve.dintensity is not None
    fits = [fit_candidate(Task(curve, curve.dintensity, model, None, 0.5, fixed), bank) for model in models]
    return ranked(fits, len(curve))


def _part(curve: Curve, low: float, high: float) -> Curve:
    kept = (curve.q >= low) & (curve.q <= high)
    columns = {n: getattr(curve, n)[kept] for n in ("q", "intensity", "dintensity", "dq")}
    return replace(curve, **columns)


def test_the_truth_is_one_of_its_twins_and_the_same_data_get_the_same_answer(
    simulated: Simulated, bank: Bank
) -> None:
    curve = simulated("core_shell_sphere", {"radius": 60.0, "thickness": 20.0, "background": 0.01})
    order = _fitted(curve, bank, "core_shell_sphere")
    fits, verification, notes = judge(curve, curve.dintensity, order, np.random.default_rng(1))
    twins = verification.twins
    assert twins is not None
    assert twins.count == COUNT
    assert twins.taken >= 0.9 * COUNT
    assert twins.measured_taken
    assert twins.sentences == ()
    assert fits[0].warnings == ()
    assert [note for note in notes if "points of q a decade" not in note] == []
    again = judge(curve, curve.dintensity, order, np.random.default_rng(1))[1]
    assert again.as_dict() == verification.as_dict()


def test_a_measurement_stands_out_among_twins_of_a_wrong_fit(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 300.0, "background": 0.01})
    order = _fitted(curve, bank, "mono_gauss_coil")
    twins = compare(open_classifier(), curve, curve.dintensity, order[0], np.random.default_rng(2))
    assert twins is not None
    assert twins.taken > COUNT / 3
    assert not twins.measured_taken
    assert twins.probability_quantile < 0.05
    assert any(f"{twins.taken} of {COUNT} simulated twins" in s for s in twins.sentences)


def test_a_model_that_the_network_does_not_know_has_no_group(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    own = replace(_fitted(curve, bank, "sphere")[0], model="/models/mine.py")
    twins = compare(open_classifier(), curve, curve.dintensity, own, np.random.default_rng(3))
    assert twins is not None
    assert twins.group == ""
    assert twins.sentences == ()


def test_none_explains_two_models_and_bragg_peaks_together(simulated: Simulated, bank: Bank) -> None:
    coil = simulated("mono_gauss_coil", {"i_zero": 10.0, "rg": 150.0})
    q = coil.q
    stack = np.exp(-0.5 * ((q - 0.11) / 0.004) ** 2) + 0.5 * np.exp(-0.5 * ((q - 0.22) / 0.006) ** 2)
    balls = simulated("sphere", {"radius": 25.0}).intensity
    exact = coil.intensity + 3 * balls / balls.max() + stack
    sigma = 0.02 * exact
    curve = Curve(q, exact + sigma * np.random.default_rng(4).standard_normal(q.size), sigma, dq=coil.dq)
    order = _fitted(curve, bank, "sphere", "mono_gauss_coil", "teubner_strey", "lamellar")
    result = assemble(curve, sigma, order, [])
    assert not result.verified
    assert NONE_EXPLAINS in result.notes
    assert result.verification is not None
    assert result.verification.chisq_quantile > 0.999
    assert result.best is not None
    assert any("hang together" in w for w in result.best.warnings)
    assert result.as_dict()["verification"]["worst_q"] == list(result.verification.worst)


def test_where_a_sphere_and_guiniers_law_part(simulated: Simulated, bank: Bank) -> None:
    whole = simulated("sphere", {"radius": 50.0, "background": 1e-3})
    curve = _part(whole, 0.0, 0.02)  # q·Rg < 0.8: both are parabolas
    order = _fitted(curve, bank, "sphere", "guinier", background=1e-3)
    assert alike(order) == [order[1].name]
    (sentence,) = decide.sentences(curve, curve.dintensity, order[0], order[1:])
    first, second = (fit.name for fit in order)
    assert sentence.startswith(f"{first} and {second}: no difference in this q range; data beyond")
    found = decide.beyond(curve, curve.dintensity, order[0], order[1])
    assert found is not None
    assert found.above is not None
    assert found.below is None
    assert 0.02 < found.above < 0.1
    # And so it is: with data as far as that and a little more, they are told apart.
    longer = _part(whole, 0.0, 1.5 * found.above)
    assert alike(_fitted(longer, bank, "sphere", "guinier", background=1e-3)) == []


def test_what_no_data_would_decide_and_what_is_too_dear_to_ask(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    order = _fitted(curve, bank, "sphere", "core_shell_sphere")
    (sentence,) = decide.sentences(curve, curve.dintensity, order[0], order[1:])
    assert sentence.endswith("no difference in this q range; no data of this kind would decide.")
    dear = [replace(order[1], model="superball")]
    (sentence,) = decide.sentences(curve, curve.dintensity, order[0], dear)
    assert sentence == f"{order[0].name} and superball: no difference in this q range."
    broken = replace(order[1], parameters={"no_such_parameter": order[1].parameters["scale"]})
    assert decide.beyond(curve, curve.dintensity, order[0], broken) is None


@pytest.mark.parametrize("slit", [0.0, 0.02])
def test_continued_fits_agree_with_the_fit_at_the_edge(simulated: Simulated, bank: Bank, slit: float) -> None:
    curve = simulated("sphere", {"radius": 30.0, "background": 0.01}, slit=slit)
    (fit,) = _fitted(curve, bank, "sphere")
    wide, cell, noise = decide._continued(curve, curve.dintensity, fit)
    assert np.all(np.diff(wide.q) > 0)
    assert np.all((wide.q < curve.q[0]) == (cell < 0))
    assert np.all((wide.q > curve.q[-1]) == (cell > 0))
    assert np.all(noise > 0)
    low = decide._theory(wide, fit)[cell == -1]
    assert low == pytest.approx(np.full(low.size, fit.theory[0]), rel=0.05)


def test_noise_that_is_larger_in_one_part_is_said_with_its_place() -> None:
    q = np.geomspace(0.01, 0.3, 150)
    sigma = np.full(150, 0.02)
    noise = np.random.default_rng(6).standard_normal(150) * np.where(q > 0.15, 4.0, 1.0)
    curve = Curve(q, 1 + sigma * noise, sigma)
    chisq = float(np.sum(noise**2))
    fit = ModelFit("m", None, {}, {}, chisq, chisq / 150, chisq, 0.5, 0.1, np.ones(150))
    (sentence,) = verify(curve, sigma, fit).sentences
    assert "0.3 Å⁻¹" in sentence
    assert "too small there" in sentence
    assert "elsewhere 1." in sentence or "elsewhere 0.9" in sentence
