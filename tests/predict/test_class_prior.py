"""Probabilities under the prior of practice: Bayes' rule, known names, and the uniform ones beside."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import sasnet_plugin
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.predict.class_prior import LEVELS, RARE, SPECIAL, common
from sasnet_plugin.types import SasnetError, Suggestion


@pytest.fixture(scope="module")
def both(example_data: Path) -> tuple[Suggestion, Suggestion]:
    (curve,) = sasnet_plugin.load(example_data / "apoferritin.txt")
    labels = len(open_classifier().manifest.labels)
    return sasnet_plugin.suggest(curve, top=labels), sasnet_plugin.suggest(curve, top=labels, prior="uniform")


def test_probabilities_follow_from_the_uniform_ones_by_bayes_rule(
    both: tuple[Suggestion, Suggestion],
) -> None:
    weighted, uniform = both
    before = {guess.name: guess.probability for guess in uniform.models}
    frequency = dict(zip(before, common(list(before)), strict=True))
    evidence = sum(before[name] * frequency[name] for name in before)
    for guess in weighted.models:
        assert guess.uniform == pytest.approx(before[guess.name])
        assert guess.probability == pytest.approx(before[guess.name] * frequency[guess.name] / evidence)
    assert sum(group.probability for group in weighted.groups) == pytest.approx(1.0)
    assert {guess.uniform for guess in uniform.models} == {None}


def test_what_needs_magnetic_contrast_is_not_the_first_answer_for_a_protein_in_water(
    both: tuple[Suggestion, Suggestion],
) -> None:
    weighted, uniform = ({g.name: g.probability for g in one.models} for one in both)
    assert weighted["micromagnetic_FF_3D"] < 0.1 * uniform["micromagnetic_FF_3D"]
    assert max(weighted, key=lambda name: weighted[name]) in ("vesicle", "core_shell_sphere", "sphere")


def test_every_model_of_the_prior_is_one_of_sasmodels_and_has_one_level() -> None:
    from sasmodels.core import list_models

    counts = Counter(name for names in LEVELS.values() for name in names)
    assert set(counts) <= set(list_models())
    assert set(counts.values()) == {1}
    assert list(common(["sphere", "micromagnetic_FF_3D", "not_a_model"])) == [max(LEVELS), SPECIAL, RARE]


def test_a_prior_that_does_not_exist_is_one_sentence(example_data: Path) -> None:
    (curve,) = sasnet_plugin.load(example_data / "apoferritin.txt")
    with pytest.raises(SasnetError, match="choose common or uniform"):
        sasnet_plugin.suggest(curve, prior="flat")


def test_models_left_out_have_no_share(example_data: Path) -> None:
    (curve,) = sasnet_plugin.load(example_data / "apoferritin.txt")
    found = sasnet_plugin.suggest(curve, top=78, models=["sphere", "vesicle", "line"])
    assert np.isclose(sum(guess.probability for guess in found.models), 1.0)
    assert {guess.name for guess in found.models} == {"sphere", "vesicle", "line"}
