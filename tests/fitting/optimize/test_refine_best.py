"""The chosen fit by other methods: posteriors against what is known, minima not worse, limits that hold."""

from __future__ import annotations

import json

import numpy as np
import pytest

import sasnet_plugin
from optimize.spheres import TRUTH, lm_fit, refinement, sphere_curve
from sasnet_plugin.fitting.api import bank_path
from sasnet_plugin.fitting.optimize.refine_best import refine, refine_best
from sasnet_plugin.fitting.pool import Workers
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.task import Method
from sasnet_plugin.types import SasnetError


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
        assert "nothing better" in answer.notes[0]
    if name == "de":
        assert answer.fit.reduced_chisq < 2
        assert answer.fit.parameters["radius"].value == pytest.approx(60.0, rel=0.01)
        assert answer.fit.parameters["radius"].error is not None


def test_at_the_minimum_the_values_stay_and_it_is_said() -> None:
    curve = sphere_curve()
    found = lm_fit(curve, TRUTH)
    answer = refine(refinement(curve, found, Method("amoeba")))
    assert answer.fit.parameters == found.parameters
    assert answer.notes == ("The amoeba found nothing better than Levenberg-Marquardt.",)


def test_hours_of_samples_end_with_the_time_limit() -> None:
    curve = sphere_curve()
    assert curve.dintensity is not None
    found = lm_fit(curve, TRUTH)
    hours = Method("dream", samples=10_000_000)
    with Workers(bank_path(), 1) as pool:
        list(pool.run(refine, [refinement(curve, found, Method("amoeba"))], 120.0))  # the process is up
        # It minds its time: its samples count.
        rng = np.random.default_rng(1)
        fit, notes = refine_best(pool, curve, curve.dintensity, found, hours, 5.0, rng)
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


@pytest.mark.parametrize("options", [{"name": "annealing"}, {"samples": 0}, {"samples": 10**9}, {"burn": -1}])
def test_impossible_methods_are_one_sentence(options: dict[str, object]) -> None:
    with pytest.raises(SasnetError, match=r"\.$"):
        Method(**{"name": "dream", **options})  # type: ignore[arg-type]
