"""What is fitted: the likely, the simple, and what the bank says comes near."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.fitting.start_values.screening import (
    Screen,
    extra_pairs,
    order_of,
    plausible,
    screened,
    simple_pairs,
)
from sasnet_plugin.fitting.strategy.candidates import candidates, priors, shortlist
from sasnet_plugin.fitting.task import Pair
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.priors import allowed_structure_factors
from sasnet_plugin.types import Curve, GroupGuess, ModelGuess, Suggestion

Simulated = Callable[..., Curve]
FLAT = Curve(np.geomspace(0.01, 0.3, 50), np.ones(50), np.full(50, 0.01))


def suggestion_of(guesses: list[ModelGuess], *groups: GroupGuess) -> Suggestion:
    return Suggestion("", "", tuple(guesses), groups, 1.0)


def tasks_of(suggestion: Suggestion, structure_factor: str | None = None, **more: object) -> dict[str, float]:
    assert FLAT.dintensity is not None
    found = candidates(suggestion, FLAT, FLAT.dintensity, structure_factor, {}, {}, **more)  # type: ignore[arg-type]
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
    charged, plain, other = priors(suggestion, fits)
    assert charged == pytest.approx(0.4 * 0.8)
    assert plain == pytest.approx(0.4 * 0.9)
    assert other == pytest.approx(0.4 * 0.1 / 4)


def test_simple_pairs_are_those_that_sasmodels_can_make() -> None:
    pairs = simple_pairs()
    assert ("sphere", "hayter_msa") in pairs
    assert ("lamellar", None) in pairs
    assert ("vesicle", "stickyhardsphere") in simple_pairs(["vesicle", "pringle"])
    assert not {("vesicle", "stickyhardsphere"), ("pringle", None)} & set(pairs)
    assert all(factor is None or factor in allowed_structure_factors(form) for form, factor in pairs)
    assert len(set(pairs)) == len(pairs)


def test_a_first_look_finds_what_the_network_did_not_name(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere@hayter_msa", {"radius": 40.0, "volfraction": 0.2, "charge": 25.0})
    assert curve.dintensity is not None
    badness = screened(Screen(curve, curve.dintensity, simple_pairs()), bank)
    assert set(badness) == set(simple_pairs())
    found = extra_pairs(badness, [("lamellar", None)], simple_pairs())
    assert ("sphere", "hayter_msa") in found
    assert ("sphere", None) not in found
    assert not set(extra_pairs(badness, found, simple_pairs())) & set(found)


def test_fast_models_come_first_and_good_ones_among_them() -> None:
    badness = {("sphere", None): 3.0, ("lamellar", None): 1.0, ("pringle", None): 0.1}
    order = sorted(badness, key=lambda pair: order_of(pair, badness))
    assert [form for form, _ in order] == ["lamellar", "sphere", "pringle"]


def test_a_first_look_that_was_cut_short_suggests_nothing() -> None:
    assert extra_pairs({}, [], simple_pairs()) == []
    assert extra_pairs({("sphere", None): np.inf}, [], simple_pairs()) == []
    badness: dict[Pair, float] = {("sphere", None): 1.0, ("lamellar", None): 9.0}
    assert extra_pairs(badness, [], simple_pairs()) == [("sphere", None)]


def test_a_structure_factor_that_changes_nothing_is_not_added() -> None:
    others = [("sphere", "hardsphere"), ("ellipsoid", "hardsphere")]
    badness = {("sphere", None): 1.0, ("ellipsoid", None): 5.0, others[0]: 0.95, others[1]: 0.9}
    assert extra_pairs(badness, [], others) == [("ellipsoid", "hardsphere")]


def test_dear_models_that_look_far_off_are_not_worth_their_time() -> None:
    badness = {("sphere", None): 0.1, ("vesicle", None): 50.0, ("pringle", None): 50.0, ("prism", None): 1.4}
    assert plausible(("vesicle", None), badness)  # fast: it costs nothing to try
    assert not plausible(("pringle", None), badness)
    assert plausible(("prism", None), badness)
    assert plausible(("superball", None), badness)  # not looked at
    # Where nothing comes near, nothing is far off.
    assert plausible(("pringle", None), {("sphere", None): 20.0, ("pringle", None): 50.0})
