"""The chosen fit by other methods: posteriors against what is known, minima not worse, limits that hold."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import sasnet_plugin
from optimize.spheres import TRUTH, lm_fit, refinement, sphere_curve
from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.optimize.refine_best import Refinement, refine, refine_best
from sasnet_plugin.fitting.pool import Workers
from sasnet_plugin.fitting.problem.experiment import rebuilt
from sasnet_plugin.fitting.request import FitRequest
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.settings import OPTIMIZE
from sasnet_plugin.fitting.task import Method
from sasnet_plugin.types import Curve, SasnetError
from sasnet_plugin.zoo import bank_path


@pytest.fixture(scope="module")
def sampled() -> tuple[Curve, ModelFit, ModelFit]:
    """A sphere whose parameters are settled well, by LM and by DREAM."""
    curve = sphere_curve()
    found = lm_fit(curve, TRUTH)
    answer = refine(refinement(curve, found, Method("dream", samples=5000, burn=50)))
    assert answer.notes == ()
    return curve, found, answer.fit


def test_the_95_per_cent_interval_holds_the_truth_and_is_as_wide_as_lm_says(
    sampled: tuple[Curve, ModelFit, ModelFit],
) -> None:
    _, before, after = sampled
    posterior = after.posterior
    assert posterior is not None
    assert posterior.converged
    assert posterior.names == before.free
    for name, truth in TRUTH.items():
        low, high = posterior.interval95[name]
        assert low < truth < high
        error = before.parameters[name].error
        assert error is not None
        assert 1 / 1.5 < (high - low) / (2 * 1.96 * error) < 1.5
        low, high = posterior.interval68[name]
        assert 1 / 1.5 < (high - low) / (2 * error) < 1.5
        assert low < after.parameters[name].value < high
    assert after.chisq <= before.chisq + 1e-9


def test_a_pair_that_does_the_same_is_correlated_in_the_samples() -> None:
    # Below qR = 1 a larger sphere and a larger scale both lift I(q).
    curve = sphere_curve(q_max=0.02, noise=0.005)
    start = {k: v for k, v in TRUTH.items() if k != "background"}
    found = lm_fit(curve, start)
    found = replace(
        found, parameters={**found.parameters, "background": Parameter(0.01, None, "", True, 0.01, 0.01)}
    )
    problem, _ = rebuilt(curve, np.asarray(curve.dintensity), found)
    covariance = problem.cov(problem.getp())
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    after = refine(refinement(curve, found, Method("dream", samples=2000, burn=60))).fit
    assert after.posterior is not None
    assert after.posterior.names == ("scale", "radius")
    seen = float(np.corrcoef(after.posterior.samples.T)[0, 1])
    assert expected < -0.7
    assert abs(seen - expected) < 0.1


def test_the_same_seed_gives_the_same_samples_and_leaves_the_global_state_alone() -> None:
    curve = sphere_curve(points=20)
    found = lm_fit(curve, TRUTH)
    np.random.seed(7)  # noqa: NPY002
    untouched = np.random.random(3)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    one, same, other = (
        refine(refinement(curve, found, Method("dream", samples=900, burn=5), seed=s)).fit.posterior
        for s in (1, 1, 2)
    )
    assert np.array_equal(np.random.random(3), untouched)  # noqa: NPY002
    assert multiprocessing.active_children() == []  # bumps has not started a pool of its own
    assert one is not None
    assert same is not None
    assert other is not None
    assert np.array_equal(one.samples, same.samples)
    assert not np.array_equal(one.samples, other.samples)


def test_a_run_that_is_cut_short_says_so_and_half_of_it_is_burn_in(monkeypatch: pytest.MonkeyPatch) -> None:
    curve = sphere_curve()
    found = lm_fit(curve, TRUTH)
    # A clock that counts: every look at it takes 10 ms, however busy the machine is.
    began = time.time()
    ticks = itertools.count()
    real = {"perf_counter": time.perf_counter, "process_time": time.process_time}
    clock = SimpleNamespace(time=lambda: began + 0.01 * next(ticks), **real)
    monkeypatch.setattr("sasnet_plugin.fitting.optimize.refine_best.time", clock)
    method = Method("dream", samples=900_000, burn=1000)
    assert curve.dintensity is not None
    answer = refine(Refinement(curve, curve.dintensity, found, method, began + 40.0, 5))
    monkeypatch.undo()
    assert "cut short" in answer.notes[0]
    assert answer.fit.posterior is not None
    # 4000 looks, one for each curve and one for each step of 30 chains; half of the steps count.
    assert answer.fit.posterior.draws == pytest.approx(2000, rel=0.1)
    # The chains have hardly burnt in, but began with the right spread.
    low, high = answer.fit.posterior.interval95["radius"]
    error = found.parameters["radius"].error
    assert error is not None
    assert 0.5 < (high - low) / (3.92 * error) < 2
    nothing = refine(refinement(curve, found, Method("dream"), seconds=-1.0))
    assert nothing.fit.posterior is None
    assert any("no time" in note for note in nothing.notes)
    assert nothing.fit.parameters == found.parameters


def test_of_very_many_draws_a_part_is_kept_and_burn_in_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(OPTIMIZE, kept_draws=1000)  # of 4000
    monkeypatch.setattr("sasnet_plugin.fitting.optimize.refine_best.OPTIMIZE", settings)
    curve = sphere_curve(points=15)
    found = lm_fit(curve, TRUTH)
    after = refine(refinement(curve, found, Method("dream", samples=4000, burn=40))).fit
    assert after.posterior is not None
    assert 900 <= after.posterior.draws <= 1100
    assert after.posterior.converged


@pytest.mark.parametrize("name", ["amoeba", "de"])
def test_from_a_bad_start_nothing_ends_worse_than_lm(name: str) -> None:
    curve = sphere_curve()
    bad = lm_fit(curve, {**TRUTH, "radius": 150.0})
    assert bad.reduced_chisq > 100  # LM ends in another minimum
    answer = refine(refinement(curve, bad, Method(name)))
    assert answer.fit.chisq <= bad.chisq
    residual = (curve.intensity - answer.fit.theory) / curve.dintensity
    assert float(residual @ residual) == pytest.approx(answer.fit.chisq)
    assert len(answer.notes) == 1
    if answer.fit.chisq == bad.chisq:
        assert "no better fit" in answer.notes[0]
    if name == "de":
        assert answer.fit.reduced_chisq < 2
        assert answer.fit.parameters["radius"].value == pytest.approx(60.0, rel=0.01)
        assert answer.fit.parameters["radius"].error is not None


def test_at_the_minimum_the_values_stay_and_it_is_said() -> None:
    curve = sphere_curve()
    found = lm_fit(curve, TRUTH)
    answer = refine(refinement(curve, found, Method("amoeba")))
    assert answer.fit.parameters == found.parameters
    assert answer.notes == ("The amoeba found no better fit than Levenberg-Marquardt.",)


def test_hours_of_samples_end_with_the_time_limit() -> None:
    curve = sphere_curve()
    assert curve.dintensity is not None
    found = lm_fit(curve, TRUTH)
    hours = Method("dream", samples=10_000_000)
    with Workers(bank_path(), 1) as pool:
        list(pool.run(refine, [refinement(curve, found, Method("amoeba"))], 120.0))  # the process is up
        # It minds its time: its samples count.
        rng = np.random.default_rng(1)
        ledger = Ledger(pool, time.monotonic() + 5.0)
        fit, notes = refine_best(ledger, curve, curve.dintensity, found, hours, 5.0, rng)
        # It does not: it is killed, and the fit stands.
        ((_, answer),) = pool.run(refine, [refinement(curve, found, hours, seconds=1e6)], 1.0)
    assert isinstance(answer, SasnetError)
    assert "time limit" in str(answer)
    assert any("cut short" in note for note in notes)
    assert fit.posterior is not None
    assert fit.posterior.draws < 1_000_000


def test_dream_from_the_python_call_to_json_and_corner_plot() -> None:
    curve = sphere_curve()
    result = sasnet_plugin.fit(
        curve, models=["sphere"], structure_factor="none", workers=1, method="dream", samples=2000, burn=40,
        time_limit=120,
    )  # fmt: skip
    assert result.best is not None
    posterior = result.best.posterior
    assert posterior is not None
    low, high = posterior.interval95["radius"]
    assert low < TRUTH["radius"] < high
    parameters = json.loads(json.dumps(result.as_dict()))["fits"][0]["parameters"]
    assert parameters["radius"]["interval95"] == [low, high]
    assert parameters["radius"]["interval68"] == list(posterior.interval68["radius"])
    assert "interval95" not in parameters["sld"]
    figure = result.corner()
    k = len(posterior.names)
    assert len(figure.axes) == k * (k + 1) // 2
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == list(posterior.names)


def test_without_samples_there_is_no_corner_plot() -> None:
    curve = sphere_curve()
    found = lm_fit(curve, TRUTH)
    assert curve.dintensity is not None
    result = FitResult(curve, curve.dintensity, (found,))
    with pytest.raises(SasnetError, match='method="dream"'):
        result.corner()
    assert "interval95" not in result.as_dict()["fits"][0]["parameters"]["radius"]


@pytest.mark.parametrize(
    "options", [{"method": "annealing"}, {"samples": 0}, {"samples": 10**9}, {"burn": -1}]
)
def test_impossible_methods_are_one_sentence(options: dict[str, object]) -> None:
    with pytest.raises(SasnetError, match=r"\.$"):
        FitRequest(**{"method": "dream", **options})  # type: ignore[arg-type]
