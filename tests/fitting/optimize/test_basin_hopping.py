"""Random steps out of a local minimum that a fit has ended in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.basin_hopping import basin_hopping, random_step
from sasnet_plugin.fitting.optimize.local_search import LocalMinimum
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.types import Curve

SHELLS = {
    "radius": 60.0,
    "thickness": 25.0,
    "sld_core": 1.0,
    "sld_shell": 3.0,
    "sld_solvent": 6.0,
    "radius_pd": 0.1,
    "radius_pd_type": "gaussian",
    "radius_pd_n": 15,
}


def test_steps_stay_within_limits_and_leave_what_is_fixed() -> None:
    info, rng = load_model("core_shell_sphere").info, np.random.default_rng(0)
    table = {p.name: p for p in info.parameters.call_parameters}
    fixed = frozenset({"radius", "sld_solvent", "background"})
    every = [random_step(info, SHELLS | {"background": 0.1}, rng, fixed, 15) for _ in range(500)]
    changed = {n for one in every for n in one if one[n] != (SHELLS | {"background": 0.1}).get(n)}
    assert fixed.isdisjoint(changed)
    assert {"thickness", "sld_core", "sld_shell"} <= changed
    for one in every:
        assert all(table[n].limits[0] <= one[n] <= table[n].limits[1] for n in ("thickness", "sld_core"))


def test_two_sizes_are_exchanged() -> None:
    info, rng = load_model("core_shell_sphere").info, np.random.default_rng(1)
    every = [random_step(info, SHELLS, rng, frozenset(), 15) for _ in range(100)]
    exchanged = [one for one in every if (one["radius"], one["thickness"]) == (25.0, 60.0)]
    assert 5 < len(exchanged) < 30


def test_the_walk_ends_where_nothing_is_left_to_look_for_and_where_nothing_is_found() -> None:
    info, calls = load_model("sphere").info, list[dict[str, Any]]()

    def walk(enough: float, refine: Callable[[dict[str, Any]], LocalMinimum | None]) -> list[LocalMinimum]:
        calls.clear()
        start = LocalMinimum({"radius": 50.0, "sld": 1.0, "sld_solvent": 6.0}, 100.0)
        return basin_hopping(
            info, [start], lambda p: calls.append(p) or refine(p), np.random.default_rng(2),
            fixed=frozenset(), points=15, enough=enough, going=lambda: True,
        )  # fmt: skip

    # Each step is a little better.
    found = walk(10.0, lambda p: LocalMinimum(p, 100.0 * 0.8 ** len(calls)))
    assert found[0].chisq <= 10.0
    assert [f.chisq for f in found] == sorted(f.chisq for f in found)
    assert len(calls) == 11
    assert len(walk(10.0, lambda p: None)) == 1
    assert len(calls) < 2000


SLDS = {"sld_core": 1.0, "sld_shell": 4.0, "sld_solvent": 6.3}
TURNED = {"sld_core": 4.0, "sld_shell": 1.0}


@pytest.mark.parametrize(
    ("model", "truth", "caught"),
    [
        # Core and shell have changed places, in size and in contrast.
        (
            "core_shell_sphere",
            {"radius": 40.0, "thickness": 90.0, **SLDS},
            {"radius": 90.0, "thickness": 40.0, **TURNED},
        ),
        (
            "core_shell_cylinder",
            {"radius": 20.0, "thickness": 40.0, "length": 400.0, **SLDS},
            {"radius": 40.0, "thickness": 20.0, "length": 100.0, **TURNED},
        ),
        # Prolate and oblate.
        (
            "ellipsoid",
            {"radius_polar": 200.0, "radius_equatorial": 40.0},
            {"radius_polar": 15.0, "radius_equatorial": 120.0},
        ),
    ],
)
def test_a_fit_in_another_minimum_reaches_the_truth(
    simulated: Callable[..., Curve], bank: Bank, model: str, truth: dict[str, float], caught: dict[str, float]
) -> None:
    curve = simulated(model, truth | {"background": 0.01})
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, model, None, starts=(truth | caught,), budget=Budget(30.0))
    hopping = replace(task, starts=(), extra=truth | caught, basin_hopping=True)
    stuck, free = fit_candidate(task, bank), fit_candidate(hopping, bank)
    assert stuck.reduced_chisq > 10
    assert free.reduced_chisq < 1.3
    for name in caught.keys() - TURNED.keys():
        assert free.parameters[name].value == pytest.approx(truth[name], rel=0.05)
