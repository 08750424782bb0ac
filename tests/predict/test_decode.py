"""Calibrated probabilities are probabilities, and masks mean what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tinyzoo import FACTORS, FORMS, GROUPS, manifest_entries

from sasnet_plugin.predict import Outputs, decode
from sasnet_plugin.predict.decode import sigmoid, softmax
from sasnet_plugin.zoo import parse_manifest

MANIFEST = parse_manifest(json.dumps(manifest_entries()), "manifest.json")
LOGITS = st.floats(-60, 60, width=32)


def outputs(form: np.ndarray, n: int, seed: int = 0) -> Outputs:
    rng = np.random.default_rng(seed)
    return Outputs(
        form.astype(np.float32),
        rng.normal(scale=4, size=(n, len(FORMS), len(FACTORS))).astype(np.float32),
        rng.normal(size=(n, 1)).astype(np.float32),
        np.tile(np.array([[2.0, -2.0]], dtype=np.float32), (n, 1)),
    )


@given(arrays(np.float32, (3, len(FORMS)), elements=LOGITS))
def test_probabilities_sum_to_one_and_keep_the_order_of_the_logits(form: np.ndarray) -> None:
    answer = decode(outputs(form, 3), MANIFEST)
    assert np.allclose(answer.form.sum(axis=1), 1, atol=1e-12)
    assert np.allclose(answer.group.sum(axis=1), 1, atol=1e-12)
    assert np.allclose(answer.structure_factor.sum(axis=2), 1, atol=1e-12)
    order = np.argsort(form, axis=1)
    assert np.all(np.diff(np.take_along_axis(answer.form, order, axis=1), axis=1) >= 0)


def test_temperature_divides_the_logits() -> None:
    form = np.array([[0.0, 3.0, 0.0, 0.0, 0.0, 0.0]])
    answer = decode(outputs(form, 1), MANIFEST)
    assert answer.form[0, 1] / answer.form[0, 0] == pytest.approx(np.exp(3.0 / 1.5))


def test_structure_factors_that_sasmodels_does_not_allow_get_nothing() -> None:
    answer = decode(outputs(np.zeros((2, len(FORMS))), 2), MANIFEST)
    lamellar = FORMS.index("lamellar")
    assert np.all(answer.structure_factor[:, lamellar, 0] == 1)
    assert np.all(answer.structure_factor[:, lamellar, 1:] == 0)
    assert np.all(answer.structure_factor[:, FORMS.index("sphere")] > 0)


def test_group_is_the_sum_of_its_members() -> None:
    rng = np.random.default_rng(3)
    answer = decode(outputs(rng.normal(size=(4, len(FORMS))), 4), MANIFEST)
    for index, (_, members) in enumerate(GROUPS):
        columns = [FORMS.index(name) for name in members]
        assert np.allclose(answer.group[:, index], answer.form[:, columns].sum(axis=1))


@given(
    arrays(np.float32, (2, len(FORMS)), elements=st.floats(-20, 20, width=32)),
    st.lists(st.booleans(), min_size=len(FORMS), max_size=len(FORMS)).filter(any),
)
def test_restriction_renormalises_over_what_is_left(form: np.ndarray, kept: list[bool]) -> None:
    keep = np.array(kept)
    everything = decode(outputs(form, 2), MANIFEST).form
    restricted = decode(outputs(form, 2), MANIFEST, keep).form
    assert np.all(restricted[:, ~keep] == 0)
    expected = everything[:, keep] / everything[:, keep].sum(axis=1, keepdims=True)
    assert np.allclose(restricted[:, keep], expected, rtol=1e-9, atol=0)


def test_scope_is_platt_scaled() -> None:
    raw = outputs(np.zeros((1, len(FORMS))), 1)._replace(scope=np.array([[2.0]], dtype=np.float32))
    assert decode(raw, MANIFEST).in_scope[0] == pytest.approx(1 / (1 + np.exp(-(1.2 * 2.0 + 0.1))))


def test_size_is_a_length() -> None:
    answer = decode(outputs(np.zeros((1, len(FORMS))), 1), MANIFEST)
    assert answer.rg[0] == pytest.approx(100.0)
    assert answer.rg_spread[0] == pytest.approx(np.exp(-2))


@given(arrays(np.float64, 5, elements=st.floats(-1e4, 1e4)))
def test_extreme_logits_do_not_overflow(x: np.ndarray) -> None:
    with np.errstate(over="raise", invalid="raise"):
        assert softmax(x).sum() == pytest.approx(1)
        assert np.allclose(sigmoid(x) + sigmoid(-x), 1)
