"""Quick models in sums: where their curve is sasmodels' own, and what has to change for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.costs import cost
from sasnet_plugin.fitting.problem.sums import all_exact, all_nearest, own_cost
from sasnet_plugin.simulate.quick_models.quick import is_exact, nearest_exact

Q = np.geomspace(0.01, 0.3, 40)
CRYSTAL: dict[str, Any] = {"dnn": 400.0, "d_factor": 0.1, "radius": 80.0}


def _sum(values: dict[str, Any]) -> dict[str, Any]:
    return {"A_power": 4.0, "A_scale": 1.0} | {f"B_{key}": value for key, value in values.items()}


@pytest.mark.parametrize("width", [0.1, 0.001])
def test_a_lattice_is_as_exact_in_a_sum_as_alone(width: float) -> None:
    crystal = CRYSTAL | {"d_factor": width}
    assert all_exact("fcc_paracrystal", crystal) == is_exact("fcc_paracrystal", crystal)
    assert all_exact("power_law+fcc_paracrystal", _sum(crystal)) == is_exact("fcc_paracrystal", crystal)
    moved = nearest_exact("fcc_paracrystal", crystal)
    assert all_nearest("power_law+fcc_paracrystal", _sum(crystal)) == {f"B_{k}": v for k, v in moved.items()}
    assert all_exact("fcc_paracrystal", crystal | moved)


def test_beside_a_body_that_the_quick_model_only_approximates_a_sum_is_not_exact() -> None:
    assert all_exact("power_law+sphere", _sum({"radius": 50.0}))
    assert not all_exact("power_law+cylinder", _sum({"radius": 20.0, "length": 400.0}))


def test_a_sum_costs_what_its_components_do() -> None:
    lattice = cost("fcc_paracrystal", CRYSTAL, Q, quick=False)
    assert own_cost("fcc_paracrystal", CRYSTAL, Q) == lattice
    whole = own_cost("power_law+fcc_paracrystal", _sum(CRYSTAL), Q)
    assert whole == pytest.approx(lattice + cost("power_law", {}, Q, quick=False))
