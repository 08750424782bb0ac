"""Ranking by evidence, and the whole answer where nothing explains the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.assess import Misfits, alike, assess, ranked
from sasnet_plugin.fitting.assessment.excused import NONE_EXPLAINS
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.result.verdict import DOES_NOT
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.fitting.verdict.tell import told
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]
N = 100


def _fit(
    model: str, chisq: float, k: int, probability: float = 0.5, theory: np.ndarray | None = None
) -> ModelFit:
    parameters = {f"p{i}": Parameter(1.0, 0.1, "Ang", False, 0.0, 2.0) for i in range(k)}
    bic = chisq + k * np.log(N)
    shown = np.ones(N) if theory is None else theory
    return ModelFit(model, None, parameters, {}, chisq, chisq / (N - k), bic, probability, 0.1, shown)


def test_a_parameter_must_earn_its_keep() -> None:
    order = ranked([_fit("large", 90.0, 6), _fit("small", 91.0, 3)])
    assert [f.model for f in order] == ["small", "large"]
    # exp(ΔBIC/2) with ΔBIC = 3 ln 100 - 1.
    assert order[0].weight / order[1].weight == pytest.approx(np.exp(1.5 * np.log(100) - 0.5))
    assert sum(f.weight for f in order) == pytest.approx(1.0)


def test_the_network_decides_between_equals_and_rules_nothing_out() -> None:
    order = ranked([_fit("a", 98.0, 3, 0.1), _fit("b", 98.0, 3, 0.4), _fit("c", 60.0, 3, 0.0)])
    assert [f.model for f in order] == ["c", "b", "a"]
    assert order[1].weight / order[2].weight == pytest.approx(4.0)


def test_a_prior_may_be_given_instead() -> None:
    fits = [_fit("a", 98.0, 3, 0.1), _fit("b", 98.0, 3, 0.4)]
    order = ranked(fits, [0.3, 0.1])
    assert [f.model for f in order] == ["a", "b"]
    assert order[0].weight / order[1].weight == pytest.approx(3.0)


def test_bad_fits_are_not_distinguished_with_certainty() -> None:
    good = ranked([_fit("a", 100.0, 3), _fit("b", 110.0, 3)])
    bad = ranked([_fit("a", 10_000.0, 3), _fit("b", 10_010.0, 3)])
    assert good[0].weight > 0.99
    assert bad[0].weight < 0.55


def test_a_shared_error_does_not_put_a_much_worse_fit_above_a_better_one() -> None:
    fits = [_fit("worse", 21.0 * N, 4), _fit("better", 3.0 * N, 8), _fit("near", 9.0 * N, 4)]
    # As a systematic error of its own excuses each, the simplest would be far ahead.
    excused = Misfits(np.array([100.0, 130.0, 105.0]), np.array([f.bic - f.chisq for f in fits]), shared=True)
    order = ranked(fits, None, excused)
    assert [f.model for f in order] == ["near", "better", "worse"]
    assert order[1].weight == order[2].weight
    # With one parameter less a fit is hardly simpler, and then a smaller factor is enough.
    fits = [_fit("worse", 2.2 * N, 6), _fit("better", 1.03 * N, 7)]
    excused = Misfits(np.array([90.0, 100.0]), np.array([f.bic - f.chisq for f in fits]), shared=True)
    assert [f.model for f in ranked(fits, None, excused)] == ["better", "worse"]
    # To a χ² below 1 none is worse than another.
    fits = [_fit("simple", 0.9 * N, 4), _fit("flexible", 0.1 * N, 8)]
    assert ranked(fits, None, Misfits(np.zeros(2), np.array([20.0, 40.0]), shared=True))[0].model == "simple"


def test_a_value_that_no_sample_has_is_held_against_a_fit() -> None:
    sound, lens = _fit("core_shell_sphere", 98.0, 3), _fit("capped_cylinder", 96.0, 3)
    lens.parameters["length"] = lens.parameters.pop("p0")
    assert ranked([sound, lens])[0].model == "capped_cylinder"
    lens.parameters["length"] = Parameter(0.03, 6.7, "Ang", False, 0.0, 2.0)
    assert ranked([sound, lens])[0].model == "core_shell_sphere"
    # Not against what the user gave, and evidence beyond doubt still decides.
    lens.parameters["length"] = Parameter(0.03, None, "Ang", True, 0.0, 2.0)
    assert ranked([sound, lens])[0].model == "capped_cylinder"
    lens = replace(lens, chisq=60.0, bic=60.0 + 3 * np.log(N))
    lens.parameters["length"] = Parameter(0.03, 6.7, "Ang", False, 0.0, 2.0)
    assert ranked([sound, lens])[0].model == "capped_cylinder"


def test_models_without_a_difference_are_named() -> None:
    order = ranked([_fit("a", 98.0, 3), _fit("b", 98.5, 3), _fit("c", 150.0, 3)])
    assert alike(order) == ["b"]


def test_none_explains_two_models_and_bragg_peaks_together(simulated: Simulated, bank: Bank) -> None:
    coil = simulated("mono_gauss_coil", {"i_zero": 10.0, "rg": 150.0})
    q = coil.q
    stack = np.exp(-0.5 * ((q - 0.11) / 0.004) ** 2) + 0.5 * np.exp(-0.5 * ((q - 0.22) / 0.006) ** 2)
    balls = simulated("sphere", {"radius": 25.0}).intensity
    exact = coil.intensity + 3 * balls / balls.max() + stack
    sigma = 0.02 * exact
    curve = Curve(q, exact + sigma * np.random.default_rng(4).standard_normal(q.size), sigma, dq=coil.dq)
    models = ("sphere", "mono_gauss_coil", "teubner_strey", "lamellar")
    fits = [fit_candidate(Task(curve, sigma, model, None, 0.5), bank) for model in models]
    result = assess(curve, sigma, fits)
    assert not result.verified
    assert NONE_EXPLAINS in result.notes
    assert result.verification is not None
    assert result.verification.chisq_quantile > 0.999
    assert result.best is not None
    assert any("not random" in w for w in result.best.warnings)
    assert told(result).verdict.level == DOES_NOT
    assert result.as_dict()["verification"]["worst_q"] == list(result.verification.worst)
