"""Examples for training and how answers are read: mirrors are exact, scales go there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data.images.features import mirrored as mirrored_features
from sasnet_plugin.simulate.gisas import reading, store
from sasnet_plugin.simulate.gisas.distances import circular_w1, mirrored
from sasnet_plugin.simulate.gisas.geometry import N_XI, XI
from sasnet_plugin.simulate.gisas.nuisance import NAMES, QUANTITIES, SIGNS
from sasnet_plugin.simulate.gisas.orientation import deltas, peak
from sasnet_plugin.simulate.gisas.sample import example
from sasnet_plugin.simulate.gisas.strangers import KINDS
from sasnet_plugin.simulate.gisas.stream import (
    STRANGERS,
    USES,
    Stream,
    answers,
    augment,
    features_of_measured,
    held_out,
    measured_stranger,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("bornagain")
    found = tmp_path_factory.mktemp("bases")
    assert list(store.run(store.plan(found, bases=8, seed=5)))
    return found


def test_same_generator_same_examples(folder: Path) -> None:
    one, other = (Stream(folder, np.random.default_rng(3)).take() for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    for key, value in one[1].items():
        np.testing.assert_array_equal(value, other[1][key])


def test_strangers_have_no_orientation(folder: Path) -> None:
    features, found = Stream(folder, np.random.default_rng(4)).take()
    assert len(features) == USES
    np.testing.assert_array_equal(found["in_scope"], [1] * (USES - STRANGERS) + [0] * STRANGERS)
    np.testing.assert_allclose(found["p"].sum(axis=1), found["in_scope"], atol=1e-5)


def test_augmented_examples_are_mirror_images_or_themselves(folder: Path) -> None:
    features, found = Stream(folder, np.random.default_rng(4)).take()
    turned, other = augment(features, found, np.random.default_rng(0))
    changed = np.array([not np.array_equal(a, b) for a, b in zip(features, turned, strict=True)])
    assert 0 < changed.sum() < len(features)
    np.testing.assert_array_equal(turned[changed], mirrored_features(features[changed]))
    np.testing.assert_allclose(other["p"][changed], mirrored(found["p"][changed]), atol=1e-7)
    np.testing.assert_array_equal(other["nuisance"][changed], found["nuisance"][changed] * SIGNS)
    np.testing.assert_array_equal(other["p"][~changed], found["p"][~changed])


def test_mirror_image_is_measured_by_the_mirrored_distribution(folder: Path) -> None:
    """What augmentation does is what the physics does: bright, noise drowned, the two pictures agree."""
    bases = store.Store(folder)
    basis = bases[0]
    sharp = deltas(np.array([6.0]), np.ones(1))
    from sasnet_plugin.simulate.gisas.basis import mix

    pictures = [mix(basis.half(), p) for p in (sharp, mirrored(sharp))]
    np.testing.assert_allclose(pictures[0][:, ::-1], pictures[1], rtol=1e-5)
    assert np.abs(pictures[0] / pictures[1] - 1).max() > 0.01  # and yet they differ


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_are_measured_like_patterns(folder: Path, kind: str) -> None:
    bases = store.Store(folder)
    basis = bases[1]
    rng = np.random.default_rng(7)
    for _ in range(5):
        found = measured_stranger(kind, basis, basis.half(), bases.window, rng, counts=1e6)
        assert found.counts.sum() == pytest.approx(1e6, rel=0.01)
        assert np.all(found.counts[~found.mask] == 0)
        assert np.all(np.isfinite(features_of_measured([found], bases.window)))


def test_held_out_patterns_come_with_their_truth(folder: Path) -> None:
    held = held_out(
        store.Store(folder),
        np.random.default_rng(1),
        known=9,
        strangers=1,
        family="uniform",
        counts=(1e5, 1e6),
    )
    assert list(held.kind) == ["uniform"] * 9 + list(KINDS)
    assert np.all((held.counts[:9] >= 1e5) & (held.counts[:9] <= 1e6))
    np.testing.assert_allclose(held.p[:9], 1 / N_XI)


def test_quantities_come_back_from_their_scale(folder: Path) -> None:
    one = example(store.Store(folder)[0], np.random.default_rng(2))
    truth = one.nuisance()
    row = answers([one], 0)["nuisance"][0]
    for quantity, scaled in zip(QUANTITIES, row, strict=True):
        value, error = quantity.value(float(scaled), 0.1)
        assert value == pytest.approx(
            max(truth[quantity.name], quantity.floor or -np.inf), rel=1e-4, abs=1e-6
        )
        assert error > 0
    (odd,) = (quantity for quantity in QUANTITIES if quantity.odd)
    assert odd.name == "shift_phi"
    assert odd.scaled(-0.02) == pytest.approx(-odd.scaled(0.02))


def _outputs(rng: np.random.Generator, n: int = 3) -> dict[str, np.ndarray]:
    low = rng.normal(size=(n, N_XI, 1))
    return {
        "xi": rng.normal(size=(n, N_XI)),
        "band": np.concatenate((low, low + 1), axis=2),
        "nuisance": rng.normal(size=(n, len(NAMES), 2)),
        "scope": rng.normal(size=(n, 1)),
    }


def test_reading_of_the_mirror_image_is_the_mirrored_reading() -> None:
    rng = np.random.default_rng(0)
    one, other = _outputs(rng), _outputs(rng)
    straight, turned = reading.read(one, other), reading.read(other, one)
    np.testing.assert_allclose(turned.p, mirrored(straight.p), atol=1e-12)
    np.testing.assert_allclose(turned.low, mirrored(straight.low), atol=1e-12)
    np.testing.assert_allclose(turned.centre, straight.centre * SIGNS, atol=1e-12)
    np.testing.assert_allclose(turned.scope, straight.scope, atol=1e-12)


def test_resolved_distribution_keeps_sum_mean_and_the_even_one() -> None:
    sharp = deltas(np.array([10.0]), np.ones(1))
    found = reading.resolved(sharp)
    assert found.sum() == pytest.approx(1.0)
    assert np.sum(found * XI) == pytest.approx(10.0, abs=1e-6)
    # A Gaussian of the resolution's width.
    np.testing.assert_allclose(found, peak(10.0, reading.RESOLUTION), atol=1e-6)
    np.testing.assert_allclose(reading.resolved(np.full(N_XI, 1 / N_XI)), 1 / N_XI)


def test_wider_bands_hold_more() -> None:
    rng = np.random.default_rng(3)
    found = reading.read(_outputs(rng, 20), _outputs(rng, 20))
    truth = np.stack([peak(float(c), 8.0) for c in rng.uniform(0, 60, 20)])
    shares = [reading.covered(found, truth, scale).mean() for scale in (0.2, 1.0, 5.0)]
    assert shares[0] < shares[1] < shares[2]


def test_uniform_is_nowhere_from_uniform() -> None:
    even = np.full(N_XI, 1 / N_XI)
    assert reading.from_uniform(even) == pytest.approx(0.0)
    single = deltas(np.array([30.0]), np.ones(1))
    assert reading.from_uniform(single) == pytest.approx(float(circular_w1(single, even)))
    assert reading.from_uniform(single) == pytest.approx(15.0, abs=0.3)  # a quarter of the period
