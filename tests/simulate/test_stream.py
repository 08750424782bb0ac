"""Measured examples: the same with the same generator, true in a mirror, others without a label."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.domains import Domain
from sasnet_plugin.domains.sas1d import SAS1D
from sasnet_plugin.images.features import mirror_features as mirrored_features
from sasnet_plugin.images.gisas.simulation import deltas, example, mix
from sasnet_plugin.images.gisas.specification import GEOMETRY, GISAS_HEX
from sasnet_plugin.images.growth.specification import GISAS_GROWTH
from sasnet_plugin.predict.arithmetic import mirror_distribution
from sasnet_plugin.simulate.dataset import (
    Dataset,
    Request,
    Stream,
    append_others,
    augment,
    draw_held_out,
    plan,
    scale_targets,
)

PATTERNS = {"gisas_hex": (GISAS_HEX, "xi"), "gisas_growth": (GISAS_GROWTH, "quantities")}


@pytest.fixture(scope="module", params=PATTERNS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Domain, str, Path]:
    """A domain of patterns, one of its heads, and a shard."""
    pytest.importorskip("bornagain")
    domain, head = PATTERNS[request.param]
    if domain is GISAS_GROWTH:
        return domain, head, request.getfixturevalue("simulated_films")
    folder = tmp_path_factory.mktemp("shards")
    for _ in plan(domain.open_simulator(), folder, Request(rounds=1, seed=4, scale=0.008)).run():
        pass
    return domain, head, folder


def test_a_stream_repeats_with_its_generator_and_never_within(made: tuple[Domain, str, Path]) -> None:
    domain, head, folder = made
    one, other = (Stream(domain, folder, np.random.default_rng(3)) for _ in range(2))
    (inputs, targets), (again, targets_again) = one.take(), other.take()
    for first, second in ((inputs, again), (targets, targets_again)):
        assert all(np.array_equal(first[k], second[k], equal_nan=True) for k in first)
    assert np.all(np.isfinite(inputs["features"]))
    assert not np.array_equal(inputs["features"], one.take()[0]["features"])


def test_other_examples_come_last_and_have_no_label(made: tuple[Domain, str, Path]) -> None:
    domain, head, folder = made
    _, targets = Stream(domain, folder, np.random.default_rng(4)).take()
    simulator = domain.open_simulator()
    known = simulator.mix.rows * simulator.mix.uses - simulator.mix.others
    np.testing.assert_array_equal(targets["scope"], [1] * known + [0] * simulator.mix.others)
    np.testing.assert_array_equal(np.isfinite(targets[head]).all(axis=1), targets["scope"] > 0)
    assert set(targets) == {one.name for one in domain.heads}


def test_augmented_examples_are_mirror_images_or_themselves(made: tuple[Domain, str, Path]) -> None:
    domain, head, folder = made
    inputs, targets = Stream(domain, folder, np.random.default_rng(4)).take()
    turned, true = augment(domain, inputs, targets, np.random.default_rng(0))
    pairs = zip(inputs["features"], turned["features"], strict=True)
    changed = np.array([not np.array_equal(a, b) for a, b in pairs])
    assert 0.2 < changed.mean() < 0.8
    np.testing.assert_array_equal(turned["features"][changed], mirrored_features(inputs["features"][changed]))
    for name, values in true.items():
        np.testing.assert_array_equal(values[~changed], targets[name][~changed])
    if head == "quantities":  # a film without direction is the same in a mirror
        np.testing.assert_array_equal(true[head], targets[head])
        return
    np.testing.assert_allclose(true["xi"][changed], mirror_distribution(targets["xi"][changed]), atol=1e-7)
    signs = np.array([-1 if one.odd else 1 for one in GEOMETRY])
    np.testing.assert_array_equal(true["geometry"][changed], targets["geometry"][changed] * signs)


def test_mirror_image_is_measured_by_the_mirrored_distribution(tmp_path: Path) -> None:
    """What augmentation does is what the physics does: bright, noise drowned, the two pictures agree."""
    pytest.importorskip("bornagain")
    simulator = GISAS_HEX.open_simulator()
    basis = simulator.basis(simulator.clean(simulator.sample(np.random.default_rng(5))))
    sharp = deltas(np.array([6.0]), np.ones(1))
    pictures = [mix(basis.half(), p) for p in (sharp, mirror_distribution(sharp))]
    np.testing.assert_allclose(pictures[0][:, ::-1], pictures[1], rtol=1e-5)
    assert np.abs(pictures[0] / pictures[1] - 1).max() > 0.01  # and yet they differ


def test_other_examples_are_measured_like_patterns(made: tuple[Domain, str, Path]) -> None:
    domain, _, folder = made
    data, rng = Dataset(folder, domain.open_simulator()), np.random.default_rng(7)
    for kind in data.simulator.kinds:
        for _ in range(3):
            found = data.simulator.simulate_unknown(kind, data[1], rng, exposure=1e6)
            assert found.counts.sum() == pytest.approx(1e6, rel=0.01)
            assert np.all(found.counts[~found.mask] == 0)


def test_held_out_sets_come_with_their_truth(made: tuple[Domain, str, Path]) -> None:
    domain, head, folder = made
    data = Dataset(folder, domain.open_simulator())
    options = {"family": "uniform"} if head == "xi" else {}
    held = draw_held_out(
        domain, data, np.random.default_rng(1), known_count=9, others=1, exposure=(1e5, 1e6), **options
    )
    kinds = data.simulator.kinds
    assert list(held.about["kind"][9:]) == list(kinds)
    assert np.all((held.about["counts"][:9] >= 1e5) & (held.about["counts"][:9] <= 1e6))
    assert held.known == held.targets["scope"].sum() == 9
    assert len(held.inputs["features"]) == 9 + len(kinds)
    if head == "xi":
        assert list(held.about["kind"][:9]) == ["uniform"] * 9
        np.testing.assert_allclose(held.targets["xi"][:9], 1 / 120)


def test_an_example_says_what_is_true_and_what_is_stated() -> None:
    pytest.importorskip("bornagain")
    simulator, rng = GISAS_HEX.open_simulator(), np.random.default_rng(4)
    basis = simulator.basis(simulator.clean(simulator.sample(rng)))
    one, again, other = (example(basis, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.image.counts.tobytes() == again.image.counts.tobytes() != other.image.counts.tobytes()
    assert one.collect_drawn() == again.collect_drawn()
    counts, beam = one.measurement.counts, one.image.geometry
    assert abs(one.image.counts.sum() - counts) < 6 * np.sqrt(counts)
    assert beam.alpha_i + one.measurement.shift_alpha == pytest.approx(basis.geometry.alpha_i)
    assert beam.wavelength == basis.geometry.wavelength
    truth = one.collect_drawn()
    for parameter, value in zip(GEOMETRY, scale_targets(GEOMETRY, truth), strict=True):
        back, error = parameter.value(float(value), 0.1)
        least = parameter.floor or -np.inf
        assert back == pytest.approx(max(truth[parameter.name], least), rel=1e-4, abs=1e-6)
        assert error > 0
    with pytest.raises(ValueError, match="another angular range"):
        example(replace(basis, window=simulator.window), rng)


def test_targets_without_a_label_are_nan() -> None:
    heads = GISAS_GROWTH.heads
    found = append_others(heads, {"quantities": np.ones((2, 8), np.float32)}, 2, 1)
    assert np.isnan(found["quantities"][2]).all()
    np.testing.assert_array_equal(found["scope"], [1, 1, 0])


def test_curves_are_streamed_with_the_labels_of_their_heads(shard_folder: Path) -> None:
    inputs, targets = Stream(SAS1D, shard_folder, np.random.default_rng(2)).take()
    known = targets["scope"] == 1
    assert 0.5 < known.mean() < 1
    assert len(inputs["features"]) == len(known)
    # One model is right of a known curve; of others a set may be, as of a mixture's parts.
    np.testing.assert_array_equal(targets["form"][known].sum(axis=1), 1)
    assert (targets["form"][~known].sum(axis=1) > 1).any()
    assert (targets["form"][~known].sum(axis=1) == 0).any()
    np.testing.assert_array_equal(targets["structure_factor"] >= 0, known)
    assert np.isfinite(targets["size"][known]).any()
    said = SAS1D.open_simulator().labels(shard_folder)
    assert targets["form"].shape[1] == len(said["form"]["labels"])
    assert said["structure_factor"]["labels"][0] == ""
