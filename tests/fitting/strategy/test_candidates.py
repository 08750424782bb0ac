"""What is fitted: the likely, the simple, and what the bank says comes near."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.candidates import (
    priors,
    shortlist,
    suggested_tasks,
    with_patience,
    with_start,
)
from sasnet_plugin.fitting.task import FitOptions, Start, Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.types import Curve, GroupGuess, ModelGuess, Suggestion

Simulated = Callable[..., Curve]
FLAT = Curve(np.geomspace(0.01, 0.3, 50), np.ones(50), np.full(50, 0.01))


def suggestion_of(guesses: list[ModelGuess], *groups: GroupGuess) -> Suggestion:
    return Suggestion("", "", tuple(guesses), groups, 1.0)


def tasks_of(suggestion: Suggestion, structure_factor: str | None = None, **more: object) -> dict[str, float]:
    assert FLAT.dintensity is not None
    options = FitOptions(structure_factor=structure_factor)
    found = suggested_tasks(suggestion, FLAT, FLAT.dintensity, options, **more)  # type: ignore[arg-type]
    assert len({t.name for t in found}) == len(found)
    return {t.name: t.probability for t in found}


def test_the_simplest_models_of_likely_groups_are_fitted_too() -> None:
    manifest = open_classifier().manifest
    group = next(g for g in manifest.groups if "cylinder" in g.members and len(g.members) > 8)
    rare = sorted(group.members, key=lambda m: -len(manifest.inputs["parameters"][m]))[:5]
    order = [*rare, *(m for m in manifest.labels if m not in rare)]
    guesses = [ModelGuess(m, None, 1 / len(order), "") for m in order]
    whole = suggestion_of(guesses, GroupGuess(group.name, group.members, 0.9))
    chosen = [g.name for g in shortlist(whole, 5, manifest).models]
    assert chosen[:5] == rare
    assert "cylinder" in chosen
    assert len(chosen) <= 8
    unlikely = suggestion_of(guesses, GroupGuess(group.name, group.members, 0.05))
    assert [g.name for g in shortlist(unlikely, 5, manifest).models] == rare


def test_distorted_lattices_are_compared_together() -> None:
    one = suggestion_of([ModelGuess("bcc_paracrystal", None, 0.6, "")])
    assert set(tasks_of(one)) == {"sc_paracrystal", "bcc_paracrystal", "fcc_paracrystal"}


def test_each_model_comes_with_its_likely_structure_factors() -> None:
    sure = suggestion_of([ModelGuess("sphere", "hayter_msa", 0.6, "", 0.95)])
    assert set(tasks_of(sure)) == {"sphere@hayter_msa", "sphere@hardsphere"}
    unsure = suggestion_of([ModelGuess("sphere", "hayter_msa", 0.6, "", 0.7)])
    found = tasks_of(unsure)
    assert set(found) == {"sphere@hayter_msa", "sphere", "sphere@hardsphere"}
    assert found["sphere@hayter_msa"] == pytest.approx(0.42)
    assert found["sphere"] == pytest.approx(0.18)
    assert set(tasks_of(unsure, "none")) == {"sphere"}
    assert set(tasks_of(unsure, "squarewell")) == {"sphere@squarewell"}
    assert set(tasks_of(unsure, pairs=[("lamellar", None)])) == {*found, "lamellar"}


def test_members_of_a_group_start_alike_and_structure_factors_do_not() -> None:
    def fit(model: str, factor: str | None) -> ModelFit:
        return ModelFit(model, factor, {}, {}, 1.0, 1.0, 1.0, 0.0, 0.0, np.ones(1))

    suggestion = suggestion_of(
        [
            ModelGuess("vesicle", "hayter_msa", 0.7, "balls", 0.8),
            ModelGuess("sphere", None, 0.1, "balls", 0.9),
        ],
        GroupGuess("balls", ("sphere", "vesicle", "onion"), 0.8),
    )
    fits = [fit("vesicle", "hayter_msa"), fit("sphere", None), fit("sphere", "hayter_msa")]
    fits += [fit("vesicle", None), fit("vesicle", "squarewell")]
    charged, plain, other, alone, attracted = priors(suggestion, fits)
    assert charged == pytest.approx(0.4 * 0.8)
    assert plain == pytest.approx(0.4 * 0.9)
    assert other == pytest.approx(0.4 * 0.1 / 4)
    # Bodies that do not interact are commoner than those of any other interaction.
    assert alone > 3 * attracted


def _task(model: str, probability: float = 0.0) -> Task:
    assert FLAT.dintensity is not None
    return Task(FLAT, FLAT.dintensity, model, None, probability)


def test_an_expensive_model_that_is_nearly_certain_has_the_time_of_the_others() -> None:
    tasks = [_task("superball", 0.9), _task("sphere", 0.05)]
    first, last = with_patience(tasks)
    assert (first.model, last.model) == ("sphere", "superball")
    assert first.budget.seconds < tasks[0].budget.seconds < last.budget.seconds
    # What is expensive in sasmodels is not where a table stands for it.
    for likely in (_task("fcc_paracrystal", 0.9), _task("superball", 0.3)):
        assert with_patience([likely, _task("sphere")]) == [likely, _task("sphere")]


def test_a_start_goes_to_its_model_or_brings_it_along() -> None:
    q = np.geomspace(0.01, 0.1, 20)
    curve, sigma = Curve(q, q**-1.0), 0.1 * q
    start = Start("sphere", "hardsphere", {"radius": 40.0, "sld": 3.0}, {"sld": 3.0})
    tasks = [
        Task(curve, sigma, "cylinder", None),
        Task(curve, sigma, "sphere", "hardsphere", fixed={"sld": 1.0}),
    ]
    own = with_start(tasks, start, curve, sigma, FitOptions())
    assert [task.name for task in own] == ["cylinder", "sphere@hardsphere"]
    assert own[0].extra is None
    assert own[1].extra == start.parameters
    assert own[1].fixed == {"sld": 1.0}  # what the user says counts
    more = with_start(tasks[:1], start, curve, sigma, FitOptions(ranges={"radius": (1.0, 90.0)}))
    assert [task.name for task in more] == ["sphere@hardsphere", "cylinder"]
    assert more[0].extra == start.parameters
    assert more[0].fixed == {"sld": 3.0}
    assert more[0].ranges == {"radius": (1.0, 90.0)}
