"""Minima beside the one that a start leads to: sizes off by a fringe, and whole numbers, found by trying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.local_search import LocalMinimum
from sasnet_plugin.fitting.optimize.neighbour_search import (
    counts_of,
    neighbour_search,
    other_counts,
    other_sizes,
    sizes_of,
)
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


def test_the_least_of_many_minima_is_reached_and_then_nothing_more_is_tried() -> None:
    tried: list[float] = []

    def refine(start: dict[str, Any]) -> LocalMinimum:
        """Minima every 4 %, ever lower towards 1000."""
        tried.append(start["length"])
        minimum = 1000.0 * 1.04 ** round(float(np.log(start["length"] / 1000.0) / np.log(1.04)))
        return LocalMinimum({"length": minimum}, 1.0 + abs(np.log(minimum / 1000.0)) * 100)

    def scan(start: LocalMinimum) -> LocalMinimum:
        propose = other_sizes(["length"])
        return neighbour_search(start, propose, refine, rounds=3, needed_fall=0.1, enough=1.5)[-1]

    best = scan(refine({"length": 1320.0}))
    assert best.parameters["length"] == pytest.approx(1000.0)
    count = len(tried)
    assert scan(best) is best
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


def test_counts_are_those_of_the_body_not_of_its_parameters() -> None:
    def of(name: str) -> list[str]:
        info = load_model(name).info
        return counts_of(info, {p.name: p.default for p in info.parameters.call_parameters})

    assert of("lamellar_stack_paracrystal") == ["Nlayers"]
    assert of("multilayer_vesicle") == ["n_shells"]
    assert of("onion") == []  # n_shells says how many layers have parameters
    assert of("core_multi_shell") == []
    assert of("sphere") == []


def test_the_least_is_found_from_far_and_each_count_is_tried_once() -> None:
    tried: list[float] = []

    def refine(start: dict[str, Any]) -> LocalMinimum | None:
        tried.append(start["n"])
        return None if start["n"] > 80 else LocalMinimum(start, (start["n"] - 37.0) ** 2 + 1.0)

    begin = LocalMinimum({"n": 6.0}, 962.0)
    best = neighbour_search(begin, other_counts(["n"]), refine, rounds=8)[-1]
    assert best.parameters["n"] == 37.0
    assert len(tried) == len(set(tried))


def test_nothing_better_leaves_what_there_was() -> None:
    start = LocalMinimum({"n": 5.0}, 1.0)
    assert neighbour_search(start, other_counts(["n"]), lambda p: LocalMinimum(p, 2.0), rounds=8) == [start]


def test_the_layers_of_a_stack_are_found(simulated: Callable[..., Curve], bank: Bank) -> None:
    truth = {"thickness": 40.0, "Nlayers": 8, "d_spacing": 180.0, "sigma_d": 0.12, "background": 0.01}
    curve = simulated("lamellar_stack_paracrystal", truth)
    assert curve.dintensity is not None
    found = fit_candidate(Task(curve, curve.dintensity, "lamellar_stack_paracrystal", None), bank)
    assert found.reduced_chisq < 1.4
    assert abs(found.parameters["Nlayers"].value - 8) <= 1
    assert abs(found.parameters["d_spacing"].value - 180.0) < 1.0
