"""Starts of a candidate: the truth among them, a width where the data ask for one, and hopeless ones left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from sasnet_plugin.fitting.strategy.refine_starts import refined_starts
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]


def _task(curve: Curve, model: str, best_chisq: float = float("inf")) -> Task:
    assert curve.dintensity is not None
    return Task(curve, curve.dintensity, model, None, budget=Budget(30.0, best_chisq))


def test_the_best_start_lies_at_the_truth(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    found = refined_starts(_task(curve, "sphere"), bank, time.process_time())
    assert not found.hopeless
    assert found.found[0].parameters["radius"] == pytest.approx(80.0, rel=0.02)
    assert found.found[0].chisq < 1.5 * len(curve)


def test_a_width_is_found_where_the_curve_has_one(simulated: Simulated, bank: Bank) -> None:
    truth = {"radius": 80.0, "background": 1e-3, "radius_pd": 0.15, "radius_pd_n": 35, "radius_pd_nsigma": 3}
    curve = simulated("sphere", truth)
    best = refined_starts(_task(curve, "sphere"), bank, time.process_time()).found[0]
    assert best.parameters["radius_pd"] == pytest.approx(0.15, abs=0.04)


def test_what_is_far_behind_another_model_is_not_followed_to_the_end(
    simulated: Simulated, bank: Bank
) -> None:
    curve = simulated("sphere", {"radius": 80.0})
    found = refined_starts(_task(curve, "lamellar", best_chisq=1.0), bank, time.process_time())
    assert found.hopeless
    assert len(found.found) == 1
    assert not refined_starts(_task(curve, "lamellar"), bank, time.process_time()).hopeless


def test_given_starts_replace_those_of_the_bank(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    start = {"radius": 79.0, "sld": 4.0, "sld_solvent": 1.0}
    task = replace(_task(curve, "sphere"), starts=(start,))
    (found,) = refined_starts(task, bank, time.process_time()).found
    assert found.parameters["radius"] == pytest.approx(80.0, rel=0.02)
