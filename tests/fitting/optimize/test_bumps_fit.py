"""Reported fits are those of Bumps: its values, its χ², its covariance, and never worse than their start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize import bumps_fit
from sasnet_plugin.fitting.optimize.bumps_fit import Reported, fit_by_bumps, fitter_for
from sasnet_plugin.fitting.problem.experiment import TimeUpError, experiment_of
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.types import Curve

from .spheres import LIMITS, TRUTH, lm_fit, sphere_curve

CURVE = sphere_curve()


def started(values: dict[str, float], free: tuple[str, ...] = tuple(TRUTH)) -> ModelFit:
    """A sphere at these values, as a search might leave it."""
    parameters = {
        name: Parameter(value, None, "", False, *LIMITS[name])
        if name in free
        else Parameter(value, None, "", True, value, value)
        for name, value in values.items()
    }
    fit = ModelFit("sphere", None, parameters, {}, 0.0, 0.0, 0.0, 1.0, 0.0, np.zeros(len(CURVE)))
    return at_its_values(fit)


def at_its_values(fit: ModelFit) -> ModelFit:
    from sasnet_plugin.fitting.problem.experiment import rebuilt

    _, fitness = rebuilt(CURVE, sigma(CURVE), fit)
    chisq = float(np.sum(fitness.residuals() ** 2))
    return replace(fit, chisq=chisq, theory=np.asarray(fitness.theory()))


def sigma(curve: Curve) -> np.ndarray:
    assert curve.dintensity is not None
    return curve.dintensity


def by_bumps(fit: ModelFit) -> ModelFit:
    return fit_by_bumps(Reported(CURVE, sigma(CURVE), fit))


def test_values_and_errors_are_those_of_bumps_own_interface() -> None:
    expected = lm_fit(CURVE, TRUTH)
    found = by_bumps(started(TRUTH))
    assert found.chisq == pytest.approx(expected.chisq, rel=1e-9)
    for name in TRUTH:
        value, error = found.parameters[name].value, found.parameters[name].error
        assert value == pytest.approx(expected.parameters[name].value, abs=1e-3 * (error or 0))
        assert error == pytest.approx(expected.parameters[name].error, rel=1e-3)
    assert found.fitter.startswith("bumps ")
    assert found.fitter.endswith(", lm")


@pytest.mark.parametrize("name", TRUTH)
def test_one_free_parameter_ends_at_the_minimum(name: str) -> None:
    """Bumps 1.0.5's lm stops before it, and says that it succeeded."""
    best = by_bumps(started(TRUTH))
    values = {key: p.value for key, p in best.parameters.items()}
    found = by_bumps(started(values | {name: 1.05 * values[name]}, free=(name,)))
    assert found.chisq == pytest.approx(best.chisq, rel=1e-6)
    assert found.fitter.endswith(f", {fitter_for(1)}")
    assert fitter_for(1) != "lm"


def test_a_fit_never_becomes_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Bumps ends at a higher χ² the start stands, and a warning says so."""
    best = by_bumps(started(TRUTH))

    def astray(problem: object, fitter: str) -> None:
        problem.setp(1.1 * problem.getp())  # type: ignore[attr-defined]

    monkeypatch.setattr(bumps_fit, "run_bumps", astray)
    found = by_bumps(best)
    assert found.chisq == pytest.approx(best.chisq, rel=1e-12)
    assert {n: p.value for n, p in found.parameters.items()} == {
        n: p.value for n, p in best.parameters.items()
    }
    assert any("starting values are kept" in warning for warning in found.warnings)


def test_without_time_the_search_stands_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(problem: object, fitter: str) -> None:
        raise TimeUpError

    monkeypatch.setattr(bumps_fit, "run_bumps", late)
    fit = started(TRUTH)
    found = by_bumps(fit)
    assert found.parameters == fit.parameters
    assert not found.fitter
    assert any("no time" in warning for warning in found.warnings)


def test_quick_slopes_lead_to_the_minimum_of_sasmodels_own_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long cylinders cost sasmodels a hundred times the quick curve; the fit is the same."""
    q = np.geomspace(0.003, 0.3, 60)
    values = {"radius": 40.0, "length": 4000.0, "radius_pd": 0.1, "sld": 4.0, "sld_solvent": 1.0}
    limits = {"scale": (0.0, np.inf), "background": (-np.inf, np.inf), "radius": (10, 100)}
    limits |= {"length": (400, 40000), "radius_pd": (0, 1)}
    parameters = {
        name: Parameter(value, None, "", name not in limits, *limits.get(name, (value, value)))
        for name, value in ({"scale": 0.01, "background": 0.1} | values).items()
    }
    curve = Curve(q, np.ones(q.size), np.ones(q.size))
    fit = ModelFit(
        "cylinder", None, parameters, {"radius": "gaussian"}, 0, 0, 0, 1, 0, np.zeros(q.size), pd_points=15
    )
    clean = experiment_of(curve, sigma(curve), fit).theory()
    noise = 0.03 * clean * np.random.default_rng(1).standard_normal(q.size)
    curve = Curve(q, clean + noise, 0.03 * clean)
    off = {"length": 3900.0, "radius": 40.2, "radius_pd": 0.11}
    moved = {name: replace(p, value=off.get(name, p.value)) for name, p in parameters.items()}
    task = Reported(curve, sigma(curve), replace(fit, parameters=moved))
    with monkeypatch.context() as patch:
        patch.setattr(bumps_fit, "_is_quicker", lambda *_: False)
        expected = fit_by_bumps(task)
    with monkeypatch.context() as patch:
        patch.setattr(bumps_fit, "minimise_by_bumps", lambda *_: pytest.fail("not on sasmodels' own"))
        found = fit_by_bumps(task)
    assert found.chisq <= expected.chisq * (1 + 1e-6)
    own = experiment_of(curve, sigma(curve), found)
    assert found.chisq == pytest.approx(float(np.sum(own.residuals() ** 2)), rel=1e-12)
    for name in limits:
        value, error = expected.parameters[name].value, expected.parameters[name].error
        assert error is not None
        assert found.parameters[name].value == pytest.approx(value, abs=0.1 * error)
        assert found.parameters[name].error == pytest.approx(error, rel=0.02)
    assert found.fitter == expected.fitter


def test_what_widened_an_error_stays() -> None:
    """An error of the search that is larger than its slopes say was widened; Bumps' is widened as much."""
    plain = by_bumps(started(TRUTH))
    radius = plain.parameters["radius"]
    assert radius.error is not None
    wider = replace(plain, parameters={**plain.parameters, "radius": replace(radius, error=3 * radius.error)})
    found = by_bumps(wider)
    assert found.parameters["radius"].error == pytest.approx(3 * radius.error, rel=1e-3)
    assert found.parameters["scale"].error == pytest.approx(plain.parameters["scale"].error, rel=1e-3)
