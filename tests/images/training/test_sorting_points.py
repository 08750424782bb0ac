"""What diffraction images are sorted by: the second simulator, the small network, bodies of other code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.images.diffraction import prediction as points
from sasnet_plugin.images.diffraction import simulation, training
from sasnet_plugin.images.diffraction.simulation import shot


def test_a_ball_of_voxels_scatters_as_the_closed_formula_says() -> None:
    z, y, x = simulation._fine()
    n = simulation.VOXELS
    ball = (x * x + y * y + z * z < 0.9**2).astype(np.float32).reshape(n, 2, n, 2, n, 2).mean(axis=(1, 3, 5))
    half, k = 12.0, 1 / np.sin(np.radians(25))
    q = np.linspace(-0.7, 0.7, 61)
    found = np.abs(simulation.voxel_field(ball, half, k, q)) ** 2
    across = q[:, None] ** 2 + q[None, :] ** 2
    total = np.sqrt(across + (k - np.sqrt(k * k - across)) ** 2) * half * 0.9
    expected = (3 * (np.sin(total) - total * np.cos(total)) / np.maximum(total, 1e-9) ** 3) ** 2
    expected[30, 30] = 1.0
    assert np.max(np.abs(found / found[30, 30] - expected)) < 2e-3
    # Where it is bright the decades are right, too.
    bright = expected > 1e-3
    assert np.median(np.abs(np.log10(found / found[30, 30])[bright] - np.log10(expected[bright]))) < 0.02


def test_every_kind_of_body_fits_its_cube_and_is_shown() -> None:
    rng = np.random.default_rng(3)
    for name, draw in simulation.BODIES.items():
        body = draw(rng)
        edge = max(np.abs(body[0]).max(), np.abs(body[:, -1]).max(), np.abs(body[:, :, 0]).max())
        assert body.any(), name
        assert edge == 0, name
    image = shot(simulation.pattern("pair", rng), rng, 1e4)
    assert image.counts[image.mask].sum() == pytest.approx(1e4, rel=0.7)


def small(rng: np.random.Generator) -> training.Shots:
    """Shots whose fringes' spacing tells two kinds of the first simulator and two of the second apart."""
    label = np.arange(240) % 4
    ring = np.arange(40)[None, :, None]
    phase = rng.uniform(0, 1.5, (240, 1, 16))
    features = (
        np.sin(ring * (0.5 + 0.7 * (label % 2))[:, None, None] + phase) + 2.0 + label[:, None, None] // 2
    )
    said = rng.normal(5.0, 3.0, (240, 17))
    return training.Shots(features.astype(np.float32), said.astype(np.float32), label)


CONFIG = training.SortingConfig(filters=(8, 8, 8), hidden=(16, 8), rounds=90, dropout=0.0, batch=32)


@pytest.fixture(scope="module")
def learned() -> tuple[training.Shots, Any, Any]:
    """Shots, Keras' network that was trained on them, and its layers."""
    pytest.importorskip("keras")
    shots, made, build = small(np.random.default_rng(0)), [], training._model
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training, "_model", lambda *given: made.append(build(*given)) or made[-1])
        layers = training.fit_sorting(shots, 2, 0, CONFIG)
    return shots, made[0], layers


def test_kinds_are_learned_from_fringes_within_each_simulator(learned: tuple[Any, ...]) -> None:
    _, _, layers = learned
    new = small(np.random.default_rng(1))
    assert training.right(layers, new, 2) > 0.95
    # Each simulator's images are named in the other's vocabulary, too, and alike.
    z = points.likeness((layers,), 2, new.features, new.said)
    assert z.shape == (240, 4)
    assert np.sum(z**2, axis=1) == pytest.approx(1 + points.LOOKS**2, abs=1e-5)
    assert np.mean(z[:, 2:].argmax(axis=1) == new.label % 2) > 0.9


def test_layers_do_what_keras_does(learned: tuple[Any, ...]) -> None:
    shots, network, layers = learned
    scaled = [
        (v - v.mean(axis=a)) / (v.std(axis=a) + 1e-3) for v, a in ((shots.features, (0, 1)), (shots.said, 0))
    ]
    theirs = network.predict(scaled, verbose=0)
    assert points.apply_layers(layers, shots.features, shots.said) == pytest.approx(theirs, abs=2e-3)


def test_what_is_stored_is_read_for_its_own_network_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    shapes = (5, 16, 8), (5, 8, 8), (5, 8, 8), (6 * 8 + 17, 16), (16, 4)
    networks = [
        tuple(
            (rng.normal(size=s).astype(np.float32), rng.normal(size=s[-1]).astype(np.float32)) for s in shapes
        )
        for _ in range(2)
    ]
    path = tmp_path / points.FILE
    np.savez_compressed(path, **training.pack_networks(networks, 3, "this one"))
    monkeypatch.setattr("sasnet_plugin.zoo.find_checked", lambda name, file: path)
    points._read_stored.cache_clear()
    found, looks = points._read_stored("this one")
    assert (len(found), len(found[0]), looks) == (2, 5, 3)
    assert found[1][3][0] == pytest.approx(networks[1][3][0], abs=2e-3)
    assert points._read_stored("of another network") == ((), 0)
    points._read_stored.cache_clear()


def test_without_networks_of_its_own_tags_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"tags": np.array([[-20.0, 3.0]]), "quantities": np.zeros((1, 1, 2))}
    monkeypatch.setattr(points, "_open_installed", lambda: ((), 0))
    assert points.points({"features": np.zeros((1, 40, 16))}, outputs).tolist() == [[-8.0, 3.0]]


def test_bodies_of_other_code_are_sorted_better_than_by_tags() -> None:
    pytest.importorskip("sklearn")
    from formula_bodies import KINDS
    from formula_bodies import shot as formula
    from sklearn.metrics import adjusted_rand_score

    from sasnet_plugin.images.diffraction.reading import bin_images, compute_ring_inputs, rings
    from sasnet_plugin.images.diffraction.sorting import fit
    from sasnet_plugin.predict.predictor import open_predictor

    rng = np.random.default_rng(40)
    kinds = np.arange(240) % len(KINDS)
    found = compute_ring_inputs(rings(bin_images([formula(KINDS[kind], rng) for kind in kinds])))
    outputs = open_predictor("diffraction").runtime.run(found)

    def rand(z: np.ndarray) -> float:
        clusters = fit(z, np.random.default_rng(1), len(KINDS)).clusters(z)[0]
        return float(adjusted_rand_score(kinds, clusters))

    assert rand(points.points(found, outputs)) > rand(np.clip(outputs["tags"], -8, 8)) + 0.1
