"""Refinement within a time: at least one start, no more than the time allows, and what no slope leads to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sasnet_plugin.fitting.ledger import read_spent_time
from sasnet_plugin.fitting.optimize.local_search import LocalMinimum
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.strategy.fit_candidate import TimedSearch, distinct, sort_minima
from sasnet_plugin.fitting.strategy.settings import STRATEGY, Pass
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]
STARTS = [{"radius": radius, "sld": 4.0, "sld_solvent": 1.0} for radius in (45.0, 52.0, 60.0)]


def _search(curve: Curve, seconds: float, best_chisq: float = np.inf) -> tuple[TimedSearch, ModelCurves]:
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, "sphere", None, budget=Budget(seconds, best_chisq))
    return TimedSearch(task, read_spent_time()), ModelCurves(curve, curve.dintensity, "sphere")


def test_one_start_is_refined_however_little_time_there_is(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 50.0, "background": 0.01})
    how = Pass(0.5, (0.02, 0.0), 10)
    timed, local = _search(curve, 0.0)
    assert len(timed.follow(local, STARTS, how)) <= 1
    timed, local = _search(curve, 60.0)
    found = timed.follow(local, STARTS, how)
    assert found[0].parameters["radius"] == min(
        (f.parameters["radius"] for f in found), key=lambda r: abs(r - 50)
    )
    assert abs(found[0].parameters["radius"] - 50.0) < 1.0


def test_a_start_that_is_good_enough_ends_the_search(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 50.0, "background": 0.01})
    timed, local = _search(curve, 60.0)
    exact = {"radius": 50.0, "sld": 4.0, "sld_solvent": 1.0}
    assert len(timed.follow(local, [exact, *STARTS], STRATEGY.coarse)) == 1


def test_hopeless_is_what_no_later_stage_can_make_up_for(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 50.0, "background": 0.01})
    n, (rough, coarse) = len(curve), STRATEGY.gain
    timed, local = _search(curve, 8.0, best_chisq=3.0)
    assert timed.hopeless([LocalMinimum({}, 3.1 * rough * n)], local, 0)
    assert not timed.hopeless([LocalMinimum({}, 3.1 * coarse * n)], local, 0)
    assert timed.hopeless([LocalMinimum({}, 3.1 * coarse * n)], local, 1)
    # Where another model explains the curve, less is of interest.
    timed, local = _search(curve, 8.0, best_chisq=1.0)
    assert timed.hopeless([LocalMinimum({}, 2.0 * n)], local, 1)
    assert not timed.hopeless([LocalMinimum({}, 1.2 * n)], local, 1)
    # Where nothing was fitted before, everything may still be the best.
    timed, local = _search(curve, 8.0)
    assert not timed.hopeless([LocalMinimum({}, 1e9)], local, 1)


def test_a_parameter_has_to_earn_its_place_and_one_minimum_counts_once(simulated: Simulated) -> None:
    _, local = _search(simulated("sphere", {"radius": 50.0, "background": 0.01}), 8.0)
    plain, spread = {"radius": 50.0}, {"radius": 50.0, "radius_pd": 0.1}
    first, second = sort_minima([LocalMinimum(spread, 100.0), LocalMinimum(plain, 102.0)], local)
    assert (first.parameters, second.parameters) == (plain, spread)
    assert len(distinct([LocalMinimum({}, 100.0), LocalMinimum({}, 100.05), LocalMinimum({}, 120.0)])) == 2
