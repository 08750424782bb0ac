"""Starts of what repeats: maxima of a curve give the distance, whatever the bank's curves have."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin import fit
from sasnet_plugin.fitting.start_values.repeats import distances, repeating
from sasnet_plugin.fitting.start_values.screening import from_bank
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

STACK = {"thickness": 30.0, "Nlayers": 20.0, "d_spacing": 74.0, "sigma_d": 0.08}


def stack() -> Curve:
    q = np.geomspace(5e-4, 0.5, 150)
    clean = call("lamellar_stack_paracrystal", q, STACK).intensity
    clean = clean / clean.max() + 1e-6
    sigma = 0.004 * clean
    return Curve(q, clean + sigma * np.random.default_rng(3).standard_normal(q.size), sigma)


def test_a_prominent_maximum_of_a_stack_is_its_distance() -> None:
    assert any(one == pytest.approx(74.0, rel=0.05) for one in distances(stack()))


def test_what_falls_all_the_way_repeats_nowhere() -> None:
    q = np.geomspace(1e-3, 0.5, 100)
    assert distances(Curve(q, q**-4.0, 0.01 * q**-4.0)) == []


def test_starts_have_the_distance_and_the_length_of_the_nearest_curve(bank: Bank) -> None:
    curve = stack()
    task = Task(curve, curve.dintensity, "lamellar_stack_paracrystal", None, budget=Budget(8.0))
    near = from_bank(task, bank)
    found = repeating(task, bank, near, lambda values: values["thickness"])
    assert any(values["d_spacing"] == pytest.approx(74.0, rel=0.05) for values in found)
    body = Task(curve, curve.dintensity, "sphere", None, budget=Budget(8.0))
    assert repeating(body, bank, from_bank(body, bank), lambda values: 0.0) == []


def test_a_stack_is_found_however_many_layers_the_nearest_curves_have(bank: Bank) -> None:
    curve = stack()
    found = fit_candidate(
        Task(curve, curve.dintensity, "lamellar_stack_paracrystal", None, budget=Budget(8.0)), bank
    )
    assert found.reduced_chisq < 1.5
    assert found.parameters["d_spacing"].value == pytest.approx(74.0, rel=0.01)
    assert found.parameters["Nlayers"].value == 20.0


def test_a_stack_that_the_first_fringe_counts_is_found() -> None:
    """sasmodels' defaults: 20 layers 400 Å apart, sharper than the points are dense."""
    q = np.geomspace(5e-4, 0.5, 150)
    clean = call("lamellar_stack_caille", q, {"background": 0.001}).intensity
    sigma = 0.004 * clean
    curve = Curve(q, clean + sigma * np.random.default_rng(1).standard_normal(q.size), sigma)
    best = fit(curve, models=["lamellar_stack_caille"], workers=1).best
    assert best is not None
    assert best.reduced_chisq < 1.4
    assert best.parameters["d_spacing"].value == pytest.approx(400.0, rel=1e-3)
    assert best.parameters["Nlayers"].value == 20.0
