"""Calibrated probabilities are probabilities, and masks mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tinyzoo import FACTORS, FORMS, GROUPS, heads_of, manifest_entries

from sasnet_plugin.domains.heads import outputs_of
from sasnet_plugin.predict.arithmetic import sigmoid, softmax
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.decoding import Choice, compute_in_scope, decode
from sasnet_plugin.predict.findings import QuantitiesFinding

HEADS = heads_of()
SAID = manifest_entries()["calibration"]
LOGITS = st.floats(-60, 60, width=32)


def outputs(form: np.ndarray, n: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    others = {
        name: rng.normal(size=(n, *shape)).astype(np.float32) for name, shape in outputs_of(HEADS).items()
    }
    return others | {
        "form": form.astype(np.float32),
        "structure_factor": rng.normal(scale=4, size=(n, len(FORMS), len(FACTORS))).astype(np.float32),
        "scope": rng.normal(size=(n, 1)).astype(np.float32),
        "size": np.tile(np.array([[2.0, -2.0]], dtype=np.float32), (n, 1)),
    }


def classes(form: np.ndarray, keep: np.ndarray | None = None) -> list[ClassesFinding]:
    return [row[0] for row in decode(HEADS, outputs(form, len(form)), SAID, Choice(len(FORMS), keep))]


@given(arrays(np.float32, (3, len(FORMS)), elements=LOGITS))
def test_probabilities_sum_to_one_and_keep_the_order_of_the_logits(form: np.ndarray) -> None:
    for row, found in zip(form, classes(form), strict=True):
        assert found.probability.sum() == pytest.approx(1, abs=1e-12)
        assert sum(group.probability for group in found.groups) == pytest.approx(1, abs=1e-12)
        ((_, given_form),) = found.given
        assert np.allclose(given_form.sum(axis=1), 1, atol=1e-12)
        assert np.all(np.diff(found.probability[np.argsort(row)]) >= 0)


def test_temperature_divides_the_logits() -> None:
    form = np.array([[0.0, 3.0, 0.0, 0.0, 0.0, 0.0]])
    (answer,) = classes(form)
    assert answer.probability[1] / answer.probability[0] == pytest.approx(np.exp(3.0 / 1.5))


def test_structure_factors_that_sasmodels_does_not_allow_get_nothing() -> None:
    for found in classes(np.zeros((2, len(FORMS)))):
        ((_, p),) = found.given
        lamellar = FORMS.index("lamellar")
        assert p[lamellar, 0] == 1
        assert np.all(p[lamellar, 1:] == 0)
        assert np.all(p[FORMS.index("sphere")] > 0)


def test_group_is_the_sum_of_its_members() -> None:
    rng = np.random.default_rng(3)
    for found in classes(rng.normal(size=(4, len(FORMS)))):
        of = {group.name: group.probability for group in found.groups}
        for name, members in GROUPS:
            columns = [FORMS.index(member) for member in members]
            assert of[name] == pytest.approx(found.probability[columns].sum())


@given(
    arrays(np.float32, (2, len(FORMS)), elements=st.floats(-20, 20, width=32)),
    st.lists(st.booleans(), min_size=len(FORMS), max_size=len(FORMS)).filter(any),
)
def test_restriction_renormalises_over_what_is_left(form: np.ndarray, kept: list[bool]) -> None:
    keep = np.array(kept)
    everything = np.array([found.probability for found in classes(form)])
    restricted = np.array([found.probability for found in classes(form, keep)])
    assert np.all(restricted[:, ~keep] == 0)
    expected = everything[:, keep] / everything[:, keep].sum(axis=1, keepdims=True)
    assert np.allclose(restricted[:, keep], expected, rtol=1e-9, atol=0)


def test_scope_is_platt_scaled() -> None:
    scope = next(head for head in HEADS if head.name == "scope")
    assert compute_in_scope(scope, {"scope": np.array([[2.0]])}, SAID["scope"])[0] == pytest.approx(
        1 / (1 + np.exp(-(1.2 * 2.0 + 0.1)))
    )


@pytest.mark.parametrize(("log_sigma", "known"), [(-2.0, True), (-1.0, False)])
def test_size_is_a_length_where_it_is_known_to_a_factor_of_two(log_sigma: float, known: bool) -> None:
    raw = outputs(np.zeros((1, len(FORMS))), 1) | {"size": np.array([[2.0, log_sigma]])}
    ((_, found, *_),) = decode(HEADS, raw, SAID)
    assert isinstance(found, QuantitiesFinding)
    assert (
        {name: v.value for name, v in found.present_values.items()} == pytest.approx({"rg": 100.0})
    ) == known


@given(arrays(np.float64, 5, elements=st.floats(-1e4, 1e4)))
def test_extreme_logits_do_not_overflow(x: np.ndarray) -> None:
    with np.errstate(over="raise", invalid="raise"):
        assert softmax(x).sum() == pytest.approx(1)
        assert np.allclose(sigmoid(x) + sigmoid(-x), 1)
