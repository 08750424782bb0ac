"""Errors of layered bodies hold other divisions into core and layer that are as good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.error_estimates import make_fixed_task, spread_over_minima
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

#: A body of 95 Å nearly all of which is core: a weak core in a thick shell has the same curve.
NEARLY_PLAIN = {"radius": 94.0, "thickness": 1.0, "sld_core": 4.4, "sld_shell": 4.5, "sld_solvent": 6.2}
SHELL = {"radius": 60.0, "thickness": 10.0, "sld_core": 1.0, "sld_shell": 2.0, "sld_solvent": 3.0}
WIDEST = 0.08


def measured(values: dict[str, float], relative: float) -> Curve:
    q = np.geomspace(0.004, 0.25, 150)
    exact = call("core_shell_sphere", q, values | {"scale": 0.01, "background": 0.001}).intensity
    sigma = relative * exact
    noisy = exact + sigma * np.random.default_rng(3).standard_normal(q.size)
    return Curve(q, noisy, sigma, dq=np.full_like(q, 1e-7))


def fitted(curve: Curve, start: dict[str, float]) -> ModelFit:
    assert curve.dintensity is not None
    start = start | {"scale": 0.01, "background": 0.001}
    task = Task(curve, curve.dintensity, "core_shell_sphere", None, starts=(start,), budget=Budget(20.0))
    return fit_candidate(task, Bank(bank_path()))


def spread(curve: Curve, fit: ModelFit, given: frozenset[str] = frozenset()) -> dict[str, float]:
    assert curve.dintensity is not None
    return spread_over_minima(make_fixed_task(curve, curve.dintensity, fit, given, WIDEST), np.inf)


def test_both_of_two_minima_are_held() -> None:
    curve = measured(NEARLY_PLAIN, 0.02)
    one = fitted(curve, NEARLY_PLAIN | {"radius": 60.0, "thickness": 35.0, "sld_core": 4.49})
    other = fitted(curve, NEARLY_PLAIN)
    assert one.reduced_chisq == pytest.approx(other.reduced_chisq, abs=0.05)
    for name in ("radius", "thickness"):
        own = one.parameters[name]
        assert own.error is not None
        apart = abs(own.value - other.parameters[name].value)
        assert apart > 10.0
        assert apart < 2.5 * np.hypot(own.error, spread(curve, one)[name])


def test_a_layer_that_the_curve_shows_is_known_as_well_as_before() -> None:
    curve = measured(SHELL, 0.01)
    fit = fitted(curve, SHELL)
    assert fit.parameters["thickness"].value == pytest.approx(10.0, rel=0.05)
    assert all(one == 0 for one in spread(curve, fit).values())


def test_nothing_is_asked_where_a_layer_is_known() -> None:
    curve = measured(NEARLY_PLAIN, 0.02)
    fit = fitted(curve, NEARLY_PLAIN)
    known = replace(fit, derivatives={k: v for k, v in fit.derivatives.items() if k != "thickness"})
    assert spread(curve, known) == {}
    assert spread(curve, fit, frozenset({"radius_pd"})) == {}
