"""Hypotheses: what they are called, what they need, and how likely each is before its fit."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import START_VALUES
from sasnet_plugin.fitting.strategy.hypothesis import (
    Beliefs,
    Hypothesis,
    factors_of,
    make_hypothesis,
    priors,
    size_of,
)
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.types import GroupGuess, ModelGuess, Suggestion


def beliefs_of(guesses: list[ModelGuess], *groups: GroupGuess) -> Beliefs:
    return Beliefs(Suggestion("", "", tuple(guesses), groups, 1.0))


@pytest.mark.parametrize(
    ("hypothesis", "name"),
    [
        (Hypothesis("sphere"), "sphere"),
        (Hypothesis("sphere", "hardsphere"), "sphere@hardsphere"),
        (Hypothesis("sphere", "hardsphere", "power_law"), "sphere@hardsphere+power_law"),
    ],
)
def test_a_name_and_back(hypothesis: Hypothesis, name: str) -> None:
    assert hypothesis.name == name
    assert make_hypothesis(hypothesis.pair) == hypothesis


def test_a_body_of_one_material_needs_no_contrast() -> None:
    assert size_of(Hypothesis("sphere")) == 3  # scale, background, radius
    assert size_of(Hypothesis("core_shell_sphere")) == 5  # and the ratio of two contrasts
    assert size_of(Hypothesis("sphere", None, "power_law")) == 5


def test_the_simplest_models_of_likely_groups_come_first() -> None:
    manifest = open_classifier().manifest
    group = next(g for g in manifest.groups if "cylinder" in g.members and len(g.members) > 8)
    guesses = [ModelGuess(m, None, 1 / len(manifest.labels), "") for m in manifest.labels]
    first = beliefs_of(guesses, GroupGuess(group.name, group.members, 0.9)).first()
    assert "cylinder" in first
    assert len(first) <= START_VALUES.near_fits
    assert beliefs_of(guesses, GroupGuess(group.name, group.members, 0.05)).first() == {}


def test_distorted_lattices_are_as_likely_as_each_other() -> None:
    one = beliefs_of([
        ModelGuess("bcc_paracrystal", None, 0.6, ""), ModelGuess("fcc_paracrystal", None, 0.0, "")
    ])  # fmt: skip
    assert (
        one.estimate(Hypothesis("fcc_paracrystal"))
        == one.estimate(Hypothesis("bcc_paracrystal"))
        == pytest.approx(0.2)
    )


def test_nothing_is_impossible_and_a_second_component_has_to_be_likely() -> None:
    known = beliefs_of([ModelGuess("sphere", None, 0.9, ""), ModelGuess("cylinder", None, 0.0, "")])
    sphere = known.estimate(Hypothesis("sphere"))
    assert sphere == pytest.approx(0.9)
    assert 0 < known.estimate(Hypothesis("cylinder")) < 0.1
    assert known.estimate(Hypothesis("sphere", None, "power_law")) < 0.2 * sphere
    assert known.estimate(Hypothesis("superball")) == STRATEGY.least_prior


def test_structure_factors_are_those_that_sasmodels_can_make() -> None:
    assert "hayter_msa" in factors_of("sphere")
    assert factors_of("lamellar") == []
    assert factors_of("/some/plugin.py") == []


def test_what_a_structure_factor_leaves_fixed_is_no_parameter() -> None:
    alone = size_of(Hypothesis("sphere"))
    assert size_of(Hypothesis("sphere", "hardsphere")) == alone + 1
    assert size_of(Hypothesis("sphere", "hayter_msa")) == alone + 2


def test_where_a_fit_explains_the_curve_the_network_is_not_asked_again() -> None:
    manifest = open_classifier().manifest
    sphere = ModelGuess("sphere", "hardsphere", 0.04, "", 0.6, uniform=0.01)
    cylinder = ModelGuess("cylinder", "hardsphere", 0.4, "", 0.9, uniform=0.1)
    shell = ModelGuess("core_shell_bicelle", None, 0.2, "", 1.0, uniform=0.2)
    groups = [
        GroupGuess(g.name, g.members, 0.5)
        for g in manifest.groups
        if {"sphere", "cylinder", "core_shell_bicelle"} & set(g.members)
    ]
    suggestion = Suggestion("", "", (sphere, cylinder, shell), tuple(groups), 1.0)

    def before(*names: str, explained: bool) -> list[float]:
        fits = [ModelFit(*_pair(n), {}, {}, 1.0, 1.0, 1.0, 0.5, 0.1, np.ones(3)) for n in names]
        return priors(suggestion, fits, explained=explained)

    # As common as each other, ten times as likely to the network.
    one, other, rare = before("sphere", "cylinder", "core_shell_bicelle", explained=True)
    assert one == pytest.approx(other) == pytest.approx(4 * rare)
    seen = before("sphere@hardsphere", "cylinder@hardsphere", explained=False)
    assert seen[1] > seen[0]
    hard, sticky, none = before("sphere@hardsphere", "sphere@stickyhardsphere", "sphere", explained=True)
    assert hard == sticky < none
    assert before("sphere+power_law", explained=True)[0] < 0.1 * none


def _pair(name: str) -> tuple[str, str | None]:
    form, _, factor = name.partition("@")
    return form, factor or None
