"""The realistic protocol's scores, its peers' inputs, its stored data, the shares of the learning curve."""

from dataclasses import replace

import numpy as np
import pytest
from tinyzoo import FORMS, write_zoo

from benchmarks.curves import ours, protocol_b
from benchmarks.curves.learning_curve import share_of
from sasnet_plugin.data.preprocess import N_CHANNELS, N_GRID, features_of_rows
from sasnet_plugin.simulate.curve_simulator import SIMULATOR
from sasnet_plugin.simulate.labelled import Examples
from sasnet_plugin.simulate.shards import Request, plan
from sasnet_plugin.types import SasnetError

MODELS = ("sphere", "cylinder", "guinier", "hardsphere")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    list(plan(SIMULATOR, folder, Request(rounds=2, seed=1, models=MODELS, limit=6)).run())
    return folder


def example(n: int) -> Examples:
    zeros = np.zeros(n)
    return Examples(
        features=np.zeros((n, 1, 1), np.float32),
        form=np.arange(n) % 2,
        structure_factor=zeros.astype(int),
        in_scope=zeros,
        log_rg=zeros,
        log_radius=zeros,
        shows_interaction=zeros,
        size_q=zeros,
        instrument=np.where(np.arange(n) < n // 2, 0, 3),
        counts=zeros,
        decades=zeros,
        kind=zeros.astype(int),
        accepted=np.zeros((n, 2), bool),
        second=zeros,
    )


def test_inputs_of_peers_are_the_curve_on_its_window_and_zero_outside():
    q = np.geomspace(0.005, 0.3, 60)
    intensity = 1e4 * np.exp(-((30 * q) ** 2) / 3) + 1.0
    values = features_of_rows(q, intensity[None], 0.001 * intensity[None])
    kept = values[..., protocol_b.KEPT]
    window = kept[0, :, 1] > 0
    raw = protocol_b.raw_input(kept)[0, :, 0]
    assert np.all(raw[~window] == 0)
    assert raw[window].max() == pytest.approx(1.0)
    # The last cells hold the background, 1 of 1e4.
    assert raw[window][-1] == pytest.approx(1e-4, rel=0.2)
    log = protocol_b.log_input(kept)[0, :, 0]
    np.testing.assert_allclose(np.exp(3 * (log[window] - log[window].max())), raw[window], rtol=1e-4)
    assert protocol_b.flat(kept).shape == (1, 128)


def test_inputs_of_peers_do_not_depend_on_the_scale():
    q = np.geomspace(0.005, 0.3, 60)
    intensity = np.exp(-((30 * q) ** 2) / 3) + 1e-3
    rows = np.stack((intensity, 1e5 * intensity))
    kept = features_of_rows(q, rows, 0.02 * rows)[..., protocol_b.KEPT]
    first, second = protocol_b.raw_input(kept)
    np.testing.assert_allclose(first, second, rtol=1e-4)


def test_structure_factor_scores_do_not_reward_always_saying_none():
    true = np.array([0] * 8 + [1, 2])
    score = protocol_b.structure_factor_scores(np.zeros(10, int), true)
    assert score == {"overall": 0.8, "without": 1.0, "with": 0.0, "balanced": 0.5}


def test_structure_factor_is_summed_over_the_forms():
    # The first form alone says none (0.5 · 0.9); together 0.45 + 0.05 against 0.05 + 0.45 + more.
    form = np.array([[0.4, 0.3, 0.3]])
    given = np.array([[[0.9, 0.1], [0.2, 0.8], [0.2, 0.8]]])
    assert ours.marginal_factor(form, given).tolist() == [1]


def test_answers_of_the_zoo_follow_the_order_of_the_test_set(tmp_path, monkeypatch):
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "zoo")))
    rng = np.random.default_rng(0)
    shape = (8, N_GRID, N_CHANNELS)
    test = replace(example(8), features=rng.standard_normal(shape, dtype=np.float32))
    first = ours.from_zoo(test, FORMS)
    turned = ours.from_zoo(test, FORMS[::-1])
    np.testing.assert_allclose(first.probability, turned.probability[:, ::-1])
    np.testing.assert_allclose(first.probability.sum(axis=1), 1)
    np.testing.assert_array_equal(first.extra["factor"], turned.extra["factor"])
    # Four linear heads on the mean of the channels, and the 16 numbers of their shapes.
    heads = len(FORMS) + 5 * len(FORMS) + 1 + 2
    assert first.parameters == heads * (N_CHANNELS + 1) + 16
    with pytest.raises(SasnetError, match="other form models"):
        ours.from_zoo(test, ("sphere", "pringle"))


def test_scores_of_a_perfect_and_of_an_undecided_contestant():
    test = example(8)
    perfect = np.eye(2)[test.form]
    score = protocol_b.scores(perfect, test, np.array([0, 1]), test.structure_factor)
    assert (score["top1"], score["group"], score["ece"]) == (1.0, 1.0, 0.0)
    undecided = protocol_b.scores(np.full((8, 2), 0.5), test, None)
    assert undecided["top1"] == 0.0
    assert np.isnan(undecided["group"])
    assert np.isnan(undecided["structure_factor_overall"])


def test_examples_for_peers_resume_and_hold_every_model(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(protocol_b, "PART", 60)
    parts = protocol_b.plan(shards, tmp_path, total=150, seed=0)
    assert [p.count for p in parts] == [60, 60, 30]
    assert len(list(protocol_b.build(parts[:1]))) == 1
    assert len(list(protocol_b.build(parts))) == 2
    features, form = protocol_b.load(parts)
    assert features.shape[0] == form.size == 150
    assert set(form.tolist()) == {0, 1, 2}
    again = protocol_b.plan(shards, tmp_path / "again", total=150, seed=0)
    list(protocol_b.build(again[1:2]))
    with np.load(again[1].path) as file:
        np.testing.assert_array_equal(file["features"], features[60:120])


def test_frozen_test_set_is_drawn_once(shards, tmp_path):
    path = tmp_path / "test.npz"
    first = protocol_b.frozen_test(shards, path, per_model=2, seed=0)
    assert np.bincount(first.form).tolist() == [2, 2, 2]
    second = protocol_b.frozen_test(tmp_path / "nowhere", path, per_model=2, seed=0)
    np.testing.assert_array_equal(first.features, second.features)


def test_a_share_of_the_curves_is_the_same_share_of_every_model(shards, tmp_path):
    assert share_of(shards, tmp_path / "half", 0.5) == dict.fromkeys(MODELS, 1)
    assert share_of(shards, tmp_path / "all", 1.0) == dict.fromkeys(MODELS, 2)
    assert len(list((tmp_path / "half").glob("*.h5"))) == len(MODELS)
