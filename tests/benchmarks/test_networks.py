"""The networks of the benchmark: shapes, inputs, learning, going on after a kill."""

import numpy as np
import pytest

from benchmarks.curves.contest import answer
from benchmarks.curves.contestants import for_protocol_a
from benchmarks.curves.peers.neural import Schedule, probabilities, read_clock, train
from benchmarks.curves.peers.residual import Size, build_residual, channels
from benchmarks.curves.peers.sasnets import build_sasnets
from benchmarks.curves.protocol_a import FixedGrid

SMALL = Size(stem=8, stages=((8, 1), (16, 1)), dense=16)


def problem(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Guinier and Porod curves of any size and level, (n, 100) ln I, and their class."""
    rng = np.random.default_rng(seed)
    q = np.logspace(-3, 0, 100)
    label = rng.integers(2, size=n)
    rg = 10 ** rng.uniform(0.5, 1.2, (n, 1))
    log_i = np.where(label[:, None] == 0, -((q * rg) ** 2) / 3, -4 * np.log(q))
    return np.maximum(log_i + rng.uniform(-2, 2, (n, 1)), -11).astype(np.float32), label


def inputs(rows, rng):
    return channels(rows)


def test_sasnets_has_the_parameters_of_its_layers():
    # 6·1·128+128, 6·128·64+64, 100 points -> 95 -> 23 -> 18 -> 4: 4·64·32+32, 32·83+83.
    network = build_sasnets(100, 1, 83)
    expected = (6 * 128 + 128) + (6 * 128 * 64 + 64) + (4 * 64 * 32 + 32) + (32 * 83 + 83)
    assert network.count_params() == expected
    assert network.output_shape == (None, 83)


def test_channels_hold_shape_slope_and_level_apart():
    log_i = np.linspace(0.0, -5.0, 100)[None]
    first, louder = channels(log_i), channels(log_i + 3.0)
    np.testing.assert_allclose(first[..., :2], louder[..., :2], atol=1e-5)
    assert np.all(louder[..., 2] > first[..., 2])
    np.testing.assert_allclose(np.std(first[0, :, 1]), 0, atol=1e-5)


def test_a_network_learns_and_goes_on_after_a_kill(tmp_path):
    curves, label = problem(256, 0)
    test, true = problem(100, 1)
    schedule = Schedule(epochs=10, batch=32, learning_rate=3e-3)

    class KilledError(Exception):
        pass

    said: list[str] = []

    def until_three(text: str) -> None:
        said.append(text)
        if len(said) == 3:
            raise KilledError

    def build():
        return build_residual(100, 4, 2, SMALL)

    with pytest.raises(KilledError):
        train(build, inputs, curves, label, schedule, tmp_path, until_three)
    seconds, epochs = read_clock(tmp_path / "clock.json")
    assert epochs == 3
    said.clear()
    network, total = train(build, inputs, curves, label, schedule, tmp_path, said.append)
    assert [text.split(":")[0] for text in said] == [f"epoch {k}" for k in range(4, 11)]
    assert total > seconds
    probability = probabilities(network, inputs, test)
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-5)
    assert np.mean(probability.argmax(axis=1) == true) > 0.9


def test_contestants_of_the_fixed_grid_answer_for_every_test_curve(tmp_path):
    curves, label = problem(60, 0)
    test, true = problem(20, 1)
    data = FixedGrid(("guinier", "porod"), curves, label, test, true)
    entrants = for_protocol_a(
        data, epochs=1, peer_epochs=1, rounds=1, threads=1, mixed=False, say=lambda text: None
    )
    assert [c.key for c in entrants] == ["knn", "sasnets-log", "sasnets-raw", "ours", "trees"]
    for contestant in entrants:
        found = answer(contestant, tmp_path, {"seed": 0})
        assert found.probability.shape == (20, 2)
        np.testing.assert_allclose(found.probability.sum(axis=1), 1, rtol=1e-3)
