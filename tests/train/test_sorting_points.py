"""What diffraction images are sorted by: the second simulator, the small network, bodies of other code."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.predict.images import sorting as points
from sasnet_plugin.simulate.diffraction import voxels
from sasnet_plugin.simulate.diffraction.measurement import shot
from sasnet_plugin.train import sorting


def test_a_ball_of_voxels_scatters_as_the_closed_formula_says() -> None:
    z, y, x = voxels._fine()
    n = voxels.VOXELS
    ball = (x * x + y * y + z * z < 0.9**2).astype(np.float32).reshape(n, 2, n, 2, n, 2).mean(axis=(1, 3, 5))
    half, k = 12.0, 1 / np.sin(np.radians(25))
    q = np.linspace(-0.7, 0.7, 61)
    found = np.abs(voxels.field(ball, half, k, q)) ** 2
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
    for name, draw in voxels.BODIES.items():
        body = draw(rng)
        edge = max(np.abs(body[0]).max(), np.abs(body[:, -1]).max(), np.abs(body[:, :, 0]).max())
        assert body.any(), name
        assert edge == 0, name
    image = shot(voxels.pattern("pair", rng), rng, 1e4)
    assert image.counts[image.mask].sum() == pytest.approx(1e4, rel=0.7)


def test_several_networks_are_one_whose_logits_are_their_mean() -> None:
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1, 2], 60)
    values = (rng.normal(size=(180, 4)) + 3 * np.eye(3)[label] @ rng.normal(size=(3, 4))).astype(np.float32)
    layers = sorting.fit(values, label, 2)
    single = [sorting.fit(values, label, 1)]
    assert points.applied(layers, values).argmax(axis=1) == pytest.approx(label, abs=2)
    assert np.mean(points.applied(layers, values).argmax(axis=1) == label) > 0.9
    assert layers[0][0].shape == (4, 2 * single[0][0][0].shape[1])
    assert np.max(np.abs(points.applied(layers, 1e6 * values))) <= points.SURE


def test_layers_of_another_network_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"tags": np.array([[-20.0, 3.0]]), "quantities": np.zeros((1, 1, 2))}
    monkeypatch.setattr(points, "_layers", lambda: ())
    assert points.points(outputs).tolist() == [[-8.0, 3.0]]
    points._stored.cache_clear()
    assert points._stored("of no network") == ()
    points._stored.cache_clear()


def test_bodies_of_other_code_are_sorted_better_than_by_tags() -> None:
    pytest.importorskip("sklearn")
    from sklearn.metrics import adjusted_rand_score

    from benchmarks.images.formula_bodies import KINDS
    from benchmarks.images.formula_bodies import shot as formula
    from sasnet_plugin.batch.sorting.mixture import fit
    from sasnet_plugin.data.diffraction.features import of_rings
    from sasnet_plugin.data.diffraction.polar import of_images, rings
    from sasnet_plugin.predict.predictor import open_predictor

    rng = np.random.default_rng(40)
    kinds = np.arange(240) % len(KINDS)
    found = of_rings(rings(of_images([formula(KINDS[kind], rng) for kind in kinds])))
    outputs = open_predictor("diffraction").runtime.run(found)

    def rand(z: np.ndarray) -> float:
        clusters = fit(z, np.random.default_rng(1), len(KINDS)).clusters(z)[0]
        return float(adjusted_rand_score(kinds, clusters))

    assert rand(points.points(outputs)) > rand(np.clip(outputs["tags"], -8, 8)) + 0.05
