"""Valleys beside the one that a start lies in: fringes of a size that is off by some of them look alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.local_search import Polished
from sasnet_plugin.fitting.optimize.neighbour_search import crossed, sizes_of
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call, load_model
from sasnet_plugin.types import Curve


def test_sizes_are_the_lengths_of_the_body_longest_first() -> None:
    info = load_model("cylinder@hardsphere").info
    values = {p.name: float(p.default) for p in info.parameters.call_parameters}
    found = sizes_of(load_model("cylinder").info, values | {"radius": 20.0, "length": 400.0}, frozenset())
    assert found == ["length", "radius"]
    assert sizes_of(load_model("cylinder").info, values, frozenset({"length"})) == ["radius"]
    assert sizes_of(load_model("mono_gauss_coil").info, {"i_zero": 1.0}, frozenset()) == []


def test_the_deepest_of_many_valleys_is_reached_and_then_nothing_more_is_tried() -> None:
    tried: list[float] = []

    def polish(start: dict[str, Any]) -> Polished:
        """Valleys every 4 %, ever deeper towards 1000."""
        tried.append(start["length"])
        valley = 1000.0 * 1.04 ** round(float(np.log(start["length"] / 1000.0) / np.log(1.04)))
        return Polished({"length": valley}, 1.0 + abs(np.log(valley / 1000.0)) * 100)

    best = crossed(["length"], polish({"length": 1320.0}), polish, enough=1.5)
    assert best.parameters["length"] == pytest.approx(1000.0)
    count = len(tried)
    assert crossed(["length"], best, polish, enough=1.5) is best
    assert len(tried) == count


@pytest.mark.parametrize(("radius", "length"), [(180.0, 985.0), (110.0, 1760.0)])
def test_a_long_cylinder_is_found_among_its_fringes(bank: Bank, radius: float, length: float) -> None:
    q = np.geomspace(0.001, 0.5, 200)
    clean = call("cylinder", q, {"radius": radius, "length": length}).intensity + 0.01
    sigma = 0.03 * clean
    noise = np.random.default_rng(5).standard_normal(200)
    curve = Curve(q, clean + sigma * noise, sigma, file="cylinder.dat")
    found = fit_candidate(Task(curve, sigma, "cylinder", None, budget=Budget(30.0)), bank)
    assert found.reduced_chisq < 1.5
    assert found.parameters["length"].value == pytest.approx(length, rel=0.02)
    assert found.parameters["radius"].value == pytest.approx(radius, rel=0.01)
