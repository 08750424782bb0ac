"""Probabilities under the prior of practice: Bayes' rule, known names, and the uniform ones beside."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sasnet_plugin
from sasnet_plugin.domains.heads import Classes
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.predict.class_prior import (
    EVERYDAY,
    LEVELS,
    RARE,
    SPECIAL,
    SPHERES,
    USUAL,
    common,
    interacting,
)
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.decoding import Choice, decode
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.simulate.priors import model_info
from sasnet_plugin.types import SasnetError, Suggestion


@pytest.fixture(scope="module")
def both(example_data: Path) -> tuple[Suggestion, Suggestion]:
    (curve,) = sasnet_plugin.load(example_data / "apoferritin.txt")
    labels = len(open_classifier().manifest.labels)
    return sasnet_plugin.suggest(curve, top=labels), sasnet_plugin.suggest(curve, top=labels, prior="uniform")


def test_probabilities_follow_from_the_uniform_ones_by_bayes_rule(
    both: tuple[Suggestion, Suggestion], example_data: Path
) -> None:
    weighted, uniform = both
    before = {guess.name: guess.probability for guess in uniform.models}
    (curve,) = sasnet_plugin.load(example_data / "apoferritin.txt")
    predictor = open_predictor()
    # Of a model with what may be its structure factor: each pair as often as in practice.
    (answer,) = predictor.answers([curve], predictor.choice(len(before), prior="uniform"))
    finding = answer.finding(ClassesFinding)
    assert finding is not None
    (head, given) = finding.given[0]
    labels = finding.head.labels
    pairs = common(labels) * (given * interacting(labels, head.labels)).sum(axis=1)
    frequency = dict(zip(labels, pairs, strict=True))
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


def test_structure_factors_go_with_spheres_more_often_than_with_rods() -> None:
    labels, factors = ("sphere", "vesicle", "cylinder"), ("", "hardsphere")
    weight = interacting(labels, factors)
    assert (weight[:2] == 1).all()
    assert weight[2, 0] == 1
    assert weight[2, 1] == pytest.approx(USUAL / EVERYDAY)
    models = open_classifier().manifest.labels
    assert {m for m in models if model_info(m).category == "shape:sphere"} == SPHERES


def test_what_depends_on_the_class_follows_by_bayes_rule() -> None:
    """Equal shares of a sphere and a rod, both with equal shares of a structure factor."""
    form = Classes("form", "model", labels=("sphere", "cylinder"))
    allowed = dict.fromkeys(form.labels, ("hardsphere",))
    factor = Classes("factor", labels=("", "hardsphere"), given="form", allowed=allowed)
    outputs = {"form": np.zeros((1, 2)), "factor": np.zeros((1, 2, 2))}
    said: dict[str, dict[str, Any]] = {"form": {"temperature": 1.0}, "factor": {"temperature": 1.0}}
    choice = Choice(given_prior=partial(interacting, form.labels))
    ((found,),) = decode((form, factor), outputs, said, choice)
    ratio = USUAL / EVERYDAY
    assert found.probability[1] == pytest.approx((1 + ratio) / (3 + ratio))
    assert found.given[0][1][1, 1] == pytest.approx(ratio / (1 + ratio))
    assert found.given[0][1][0].tolist() == pytest.approx([0.5, 0.5])
    assert found.uniform.tolist() == [0.5, 0.5]


def test_a_prior_that_does_not_exist_is_one_sentence(example_data: Path) -> None:
    (curve,) = sasnet_plugin.load(example_data / "apoferritin.txt")
    with pytest.raises(SasnetError, match="choose common or uniform"):
        sasnet_plugin.suggest(curve, prior="flat")


def test_models_left_out_have_no_share(example_data: Path) -> None:
    (curve,) = sasnet_plugin.load(example_data / "apoferritin.txt")
    found = sasnet_plugin.suggest(curve, top=78, models=["sphere", "vesicle", "line"])
    assert np.isclose(sum(guess.probability for guess in found.models), 1.0)
    assert {guess.name for guess in found.models} == {"sphere", "vesicle", "line"}
