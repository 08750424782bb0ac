"""Contestants: answers are kept, neighbours and trees find what is there, networks resume."""

import json

import numpy as np
import pytest

from benchmarks.curves.contest import Answer, Contestant, answer
from benchmarks.curves.peers.neighbours import components, neighbours, vote
from benchmarks.curves.peers.trees import boost

CURVES = 60


def two_shapes(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Exponential and power-law decays of any strength, with noise: (n, 40) ln I and their class."""
    q = np.geomspace(0.01, 1.0, 40)
    label = rng.integers(2, size=n)
    strength = rng.uniform(2.0, 4.0, (n, 1))
    log_i = np.where(label[:, None] == 0, -strength * q, -strength * np.log(q))
    return (log_i + 0.05 * rng.standard_normal(log_i.shape)).astype(np.float32), label


def kept(counter: list[int]) -> Contestant:
    def run(folder):
        counter.append(1)
        return Answer(np.eye(3), 12.0, 5, "remark", {"factor": np.arange(3)})

    return Contestant("one", "One", {"epochs": 2}, run)


def test_an_answer_is_given_once_and_read_afterwards(tmp_path):
    runs: list[int] = []
    for _ in range(2):
        found = answer(kept(runs), tmp_path, {"seed": 1})
        np.testing.assert_array_equal(found.probability, np.eye(3))
        np.testing.assert_array_equal((found.extra or {})["factor"], np.arange(3))
        assert (found.seconds, found.parameters, found.remark) == (12.0, 5, "remark")
    assert len(runs) == 1


def test_other_data_are_answered_anew(tmp_path):
    runs: list[int] = []
    answer(kept(runs), tmp_path, {"seed": 1})
    answer(kept(runs), tmp_path, {"seed": 2})
    assert len(runs) == 2


def test_a_contestant_that_dies_leaves_no_answer_behind(tmp_path):
    def fail(folder):
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        answer(Contestant("one", "One", {"epochs": 2}, fail), tmp_path, {"seed": 1})
    runs: list[int] = []
    answer(kept(runs), tmp_path, {"seed": 1})
    assert len(runs) == 1


def test_votes_weigh_a_power_of_the_distance():
    # Class 0 at distance 1, class 1 at distances 2 and 4: weights 1 and 1/2 + 1/4, or 1 and 1/4 + 1/16.
    distance, label = np.array([[1.0, 2.0, 4.0]]), np.array([[0, 1, 1]])
    np.testing.assert_allclose(vote(distance, label, 1.0, 2), [[4 / 7, 3 / 7]], rtol=1e-6)
    np.testing.assert_allclose(vote(distance, label, 2.0, 2), [[16 / 21, 5 / 21]], rtol=1e-6)
    # Only the ratios of distances matter.
    np.testing.assert_allclose(
        vote(1e-5 * distance, label, 16.0, 2), vote(distance, label, 16.0, 2), rtol=1e-5
    )


def test_principal_axes_keep_distances_of_data_that_lie_in_a_plane():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((50, 2)) @ rng.standard_normal((2, 12))
    mean, axes = components(data, 2, rng)
    inside = (data - mean) @ axes
    expected = np.linalg.norm(data[:, None] - data[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(inside[:, None] - inside[None], axis=2), expected, atol=1e-4)


def test_neighbours_tell_two_shapes_apart():
    rng = np.random.default_rng(0)
    train, label = two_shapes(rng, 300)
    test, true = two_shapes(rng, CURVES)
    probability, power = neighbours(train, label, test, 2, rng, axes=8)
    assert np.mean(probability.argmax(axis=1) == true) > 0.95
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-5)
    assert power >= 1


def test_trees_go_on_where_they_were_killed(tmp_path):
    rng = np.random.default_rng(0)
    train, label = two_shapes(rng, 300)
    test, true = two_shapes(rng, CURVES)
    said: list[str] = []
    boost(train, label, test, 2, tmp_path, said.append, rounds=10, threads=1)
    first = json.loads((tmp_path / "clock.json").read_text())
    said.clear()
    probability, seconds, leaves = boost(train, label, test, 2, tmp_path, said.append, rounds=20, threads=1)
    assert len(said) == 1
    assert said[0].startswith("20 rounds")
    assert seconds > first
    # Two classes, twenty rounds: forty trees of at least two leaves here.
    assert leaves >= 80
    assert np.mean(probability.argmax(axis=1) == true) > 0.95
