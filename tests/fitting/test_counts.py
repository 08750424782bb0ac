"""Whole numbers in a model: found by trying, as no slope leads there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sasnet_plugin.fitting.optimize.integer_search import climbed, counts_of
from sasnet_plugin.fitting.optimize.local_search import Polished
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.types import Curve


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

    def polish(start: dict[str, Any]) -> Polished | None:
        tried.append(start["n"])
        return None if start["n"] > 80 else Polished(start, (start["n"] - 37.0) ** 2 + 1.0)

    best = climbed(["n"], Polished({"n": 6.0}, 962.0), polish)
    assert best.parameters["n"] == 37.0
    assert len(tried) == len(set(tried))


def test_nothing_better_leaves_what_there_was() -> None:
    start = Polished({"n": 5.0}, 1.0)
    assert climbed(["n"], start, lambda p: Polished(p, 2.0)) is start


def test_the_layers_of_a_stack_are_found(simulated: Callable[..., Curve], bank: Bank) -> None:
    truth = {"thickness": 40.0, "Nlayers": 8, "d_spacing": 180.0, "sigma_d": 0.12, "background": 0.01}
    curve = simulated("lamellar_stack_paracrystal", truth)
    assert curve.dintensity is not None
    found = fit_candidate(Task(curve, curve.dintensity, "lamellar_stack_paracrystal", None), bank)
    assert found.reduced_chisq < 1.4
    assert abs(found.parameters["Nlayers"].value - 8) <= 1
    assert abs(found.parameters["d_spacing"].value - 180.0) < 1.0
