"""Networks that read rings: self-attention, Grad-CAM++, and an autoencoder that keeps kinds apart."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from keras import ops

from sasnet_plugin.images.diffraction import sorting, training
from sasnet_plugin.images.diffraction.reading import CHANNELS, RINGS
from sasnet_plugin.images.diffraction.specification import DIFFRACTION
from sasnet_plugin.images.report import grad_cam
from sasnet_plugin.images.training.attention import maps_and_gradients
from sasnet_plugin.train.network import build

SIZES = {**DIFFRACTION.network.sizes, "stem": 8, "stages": ((8, 1), (8, 1)), "dense": 16}
FEATURES = np.random.default_rng(0).normal(size=(2, RINGS, CHANNELS)).astype(np.float32)


def network(**changed: int) -> keras.Model:
    settings = {"inputs": {"features": [RINGS, CHANNELS]}, "labels": {}, "net": {**SIZES, **changed}}
    return build(DIFFRACTION, settings)


def test_grad_cam_finds_the_rings_that_raise_the_score() -> None:
    inputs = keras.Input((RINGS, 1))
    maps = keras.layers.Conv1D(1, 1, use_bias=False, kernel_initializer="ones")(inputs)
    model = keras.Model(inputs, {"one": keras.layers.Flatten()(keras.layers.Cropping1D((10, 26))(maps))})
    features = np.abs(FEATURES[:1, :, :1]) + 1
    found, gradients = maps_and_gradients(model, features, lambda out: ops.sum(out["one"], axis=-1))
    np.testing.assert_allclose(found[..., 0, :], features, rtol=1e-6)
    assert gradients[0, :, 0, 0].nonzero()[0].tolist() == [10, 11, 12, 13]
    assert grad_cam(found[0], gradients[0]).shape == (RINGS, 1)


def test_the_network_for_diffraction_images_can_be_asked_where_it_looks() -> None:
    maps, gradients = maps_and_gradients(network(), FEATURES, lambda out: out["tags"][:, 0])
    assert maps.shape == gradients.shape
    assert maps.shape[1] == RINGS // 8  # the stem and two stages each halve the rings
    assert np.abs(gradients).max() > 0


def test_with_self_attention_a_far_ring_changes_what_is_said_of_another() -> None:
    def moved(heads: int) -> float:
        """How much the innermost place of what the dense part reads changes with the outermost ring."""
        model = network(attention=heads)
        flat = next(layer for layer in model.layers if isinstance(layer, keras.layers.Flatten))
        read = keras.Model(model.inputs[0], flat.input)
        other = FEATURES.copy()
        other[:, -1] += 3.0
        found, changed = (np.asarray(read(x, training=False)) for x in (FEATURES, other))
        return float(np.abs(changed - found)[:, 0].max())

    assert moved(0) == 0.0
    assert moved(2) > 1e-6


def test_an_autoencoder_s_latent_space_keeps_kinds_apart_and_is_stored_with_the_clusters() -> None:
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(2, 30))
    kind = np.repeat([0, 1], 150)
    points = directions[kind] + 0.1 * rng.normal(size=(300, 30))
    config = training.AutoencoderConfig(hidden=(16,), latent=2, steps=100, batch=64, learning_rate=1e-2)
    found = sorting.fit(points, rng, 2, training.fit_autoencoder(points, 1, config))
    labels, probability = found.clusters(points)
    same = np.mean((labels == labels[0]) == (kind == 0))
    assert same > 0.97
    again = sorting.Mixture.from_arrays(found.as_arrays())
    np.testing.assert_array_equal(again.clusters(points)[1], probability)


def test_a_contrastive_embedding_keeps_kinds_apart_whatever_is_not_seen_of_a_point() -> None:
    rng = np.random.default_rng(3)
    directions = rng.normal(size=(2, 30))
    kind = np.repeat([0, 1], 150)
    points = directions[kind] + 0.3 * rng.normal(size=(300, 30))
    config = training.ContrastiveConfig(
        hidden=(16,), latent=4, head=8, steps=200, batch=64, learning_rate=1e-2
    )
    encoder = training.fit_contrastive(points, 1, config)
    assert [weights.shape for weights, _ in encoder] == [(30, 16), (16, 4)]
    there = training.encode(points, encoder)
    blind = np.where(rng.random(points.shape) < 0.7, points, points.mean(axis=0))
    again = training.encode(blind, encoder)
    middles = np.stack([there[kind == k].mean(axis=0) for k in (0, 1)])
    nearest = np.linalg.norm(again[:, None] - middles, axis=2).argmin(axis=1)
    assert np.mean(nearest == kind) > 0.95
