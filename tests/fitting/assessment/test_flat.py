"""Errors where χ² is no parabola: as far as another fit with the parameter held there is as good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.error_estimates import (
    errors_beside_held,
    errors_to_add,
    make_fixed_task,
)
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

#: Polymer coils of very many lengths: for much wider a curve is hardly another.
COILS = {"rg": 180.0, "polydispersity": 40.0, "i_zero": 100.0, "scale": 1.0, "background": 0.01}
WIDEST = 0.08


def measured(model: str, values: dict[str, Any], q: np.ndarray) -> Curve:
    """A curve with errors of 2 % of I, one draw of them, whose resolution matters to nothing."""
    exact = call(model, q, values).intensity
    dintensity = 0.02 * exact
    noisy = exact + dintensity * np.random.default_rng(5).standard_normal(q.size)
    return Curve(q, noisy, dintensity, dq=np.full_like(q, 1e-7))


def fit(curve: Curve, model: str, start: dict[str, Any], **known: Any) -> ModelFit:
    """From a start, with what is fixed or has a range."""
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, model, None, starts=(start,), budget=Budget(20.0), **known)
    return fit_candidate(task, Bank(bank_path()))


def added(curve: Curve, found: ModelFit, given: set[str]) -> tuple[dict[str, float], dict[str, float]]:
    """What adds to its errors, and what of it comes from what the fit holds."""
    assert curve.dintensity is not None
    asked = make_fixed_task(curve, curve.dintensity, found, frozenset(given), WIDEST)
    return errors_to_add(asked), errors_beside_held(asked)


def test_a_parabola_adds_nothing() -> None:
    values = {"radius": 60.0, "sld": 4.0, "sld_solvent": 1.0, "scale": 0.01, "background": 0.01}
    curve = measured("sphere", values, np.geomspace(0.005, 0.3, 150))
    found = fit(curve, "sphere", values)
    every, held = added(curve, found, {"radius_pd"})
    own = found.parameters["radius"].error
    assert own is not None
    assert np.hypot(own, every["radius"]) == pytest.approx(np.hypot(own, held.get("radius", 0.0)), rel=0.1)


def test_an_error_reaches_where_other_fits_are_as_good() -> None:
    curve = measured("poly_gauss_coil", COILS, np.geomspace(0.004, 0.3, 150))
    found = fit(curve, "poly_gauss_coil", COILS)
    every, _ = added(curve, found, set())
    p = found.parameters["polydispersity"]
    far = 10 * p.value
    there = fit(curve, "poly_gauss_coil", COILS | {"polydispersity": far}, fixed={"polydispersity": far})
    assert there.chisq < found.chisq + 4
    assert p.error is not None
    error = float(np.hypot(p.error, every["polydispersity"]))
    assert p.error < (far - p.value) / 2 < error


def test_an_error_stays_in_the_range_of_a_user() -> None:
    curve = measured("poly_gauss_coil", COILS, np.geomspace(0.004, 0.3, 150))
    found = fit(curve, "poly_gauss_coil", COILS, ranges={"polydispersity": (2.0, 100.0)})
    p = found.parameters["polydispersity"]
    assert p.error is not None
    every, held = added(curve, found, {"polydispersity"})
    most = np.hypot(max(p.error, 49.0), held.get("polydispersity", 0.0))
    assert np.hypot(p.error, every["polydispersity"]) <= most
    wide = replace(found, parameters={**found.parameters, "polydispersity": replace(p, high=1e6)})
    assert added(curve, wide, set())[0]["polydispersity"] > most
