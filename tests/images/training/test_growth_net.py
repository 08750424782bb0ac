"""The network for growing films learns, is honest about its errors, and can be asked where it looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from keras import ops

from sasnet_plugin.images.features import N_CHANNELS, N_PICTURES
from sasnet_plugin.images.gisas.specification import GISAS_HEX
from sasnet_plugin.images.growth.specification import FILM, GISAS_GROWTH
from sasnet_plugin.images.report import grad_cam
from sasnet_plugin.images.training.attention import maps_and_gradients
from sasnet_plugin.images.training.trunks import fold
from sasnet_plugin.simulate.dataset import Stream
from sasnet_plugin.train.network import build
from sasnet_plugin.types import SasnetError

SHAPE = {"features": [64, 64, N_CHANNELS]}
TINY = {**GISAS_HEX.network.sizes, "stem": 8, "blocks": ((1, 4), (1, 8)), "dense": 32}
SETTINGS = {"inputs": SHAPE, "labels": {}, "net": TINY}
NAMES = [one.name for one in FILM]


def test_the_specification_leads_to_a_network_that_learns(simulated_films: Path) -> None:
    stream = Stream(GISAS_GROWTH, simulated_films, np.random.default_rng(1))
    parts = [stream.take() for _ in range(6)]
    features = np.concatenate([part[0]["features"] for part in parts])
    answers = {key: np.concatenate([part[1][key] for part in parts]) for key in parts[0][1]}
    keras.utils.set_random_seed(1)
    model = build(GISAS_GROWTH, SETTINGS)
    model.compile(optimizer=keras.optimizers.Adam(3e-3))
    first = model.evaluate(features, answers, verbose=0)
    model.fit(features, answers, batch_size=64, epochs=12, verbose=0)
    assert model.evaluate(features, answers, verbose=0) < first - 1.0
    found = model.predict(features, verbose=0)
    assert found["quantities"].shape == (len(features), len(NAMES), 2)
    distance = found["quantities"][:, NAMES.index("distance"), 0]
    known = answers["scope"] > 0
    assert np.corrcoef(distance[known], answers["quantities"][known, NAMES.index("distance")])[0, 1] > 0.5


def test_attention_lies_on_the_pixels_that_the_score_is_made_of() -> None:
    inputs = keras.Input((16, 12, 1), name="features")
    maps = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", name="maps")(inputs)
    cut = keras.layers.Cropping2D(((10, 2), (3, 5)))(maps)
    model = keras.Model(inputs, {"one": keras.layers.Flatten()(cut)})
    features = np.random.default_rng(0).uniform(1, 2, (1, 16, 12, 1)).astype(np.float32)
    found, gradients = maps_and_gradients(model, features, lambda out: ops.sum(out["one"] ** 2, axis=-1) / 2)
    np.testing.assert_allclose(found, features, rtol=1e-6)
    expected = np.zeros_like(features)
    expected[:, 10:14, 3:7] = features[:, 10:14, 3:7]
    np.testing.assert_allclose(gradients, expected, rtol=1e-6)


def test_the_growth_network_s_attention_is_a_map() -> None:
    model = build(GISAS_GROWTH, SETTINGS)
    features = np.random.default_rng(0).normal(size=(2, 64, 64, N_CHANNELS)).astype(np.float32)
    maps, gradients = maps_and_gradients(model, features, lambda out: out["quantities"][:, 0, 0])
    assert maps.shape == gradients.shape
    assert maps.ndim == 4
    assert np.abs(gradients).max() > 0
    assert grad_cam(maps[0], gradients[0]).shape == maps.shape[1:3]


def test_a_trunk_that_sees_one_side_after_the_other_is_put_together() -> None:
    """The orientation network: what raises the score by pixels on the left is found on the left."""
    model = build(GISAS_HEX, SETTINGS)
    features = np.random.default_rng(0).normal(size=(1, 64, 64, N_CHANNELS)).astype(np.float32)
    maps, gradients = maps_and_gradients(model, features, lambda out: out["xi"][:, 0])
    assert maps.shape == gradients.shape
    assert maps.shape[2] % 2 == 0
    changed = features.copy()
    changed[:, :, 2:12, :3] += 3.0
    other, _ = maps_and_gradients(model, changed, lambda out: out["xi"][:, 0])
    off = np.abs(other - maps).sum(axis=(0, 1, 3))
    half = off.size // 2
    assert off[:half].sum() > 10 * off[half:].sum()


def test_a_mirror_and_a_mask_on_one_side_change_nothing() -> None:
    model = build(GISAS_GROWTH, SETTINGS)
    half = np.random.default_rng(0).uniform(0.1, 1, size=(1, 64, 32, N_CHANNELS)).astype(np.float32)
    even = np.concatenate((half[:, :, ::-1], half), axis=2)
    even[..., N_PICTURES:] = 0.3
    even[..., 2] = 1.0
    found = model.predict(even, verbose=0)["quantities"]
    uneven = even.copy()
    uneven[:, :, 40:, :2] *= 1.5
    one = model.predict(uneven, verbose=0)["quantities"]
    other = model.predict(uneven[:, :, ::-1], verbose=0)["quantities"]
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(one - found).max() > 1e-3
    covered = even.copy()
    covered[:, 10:20, 5:20, :3] = 0.0
    shares = fold(ops.convert_to_tensor(covered[..., :3]))
    np.testing.assert_allclose(np.asarray(ops.convert_to_numpy(shares))[..., :2], half[..., :2], rtol=1e-6)


def test_a_network_without_pictures_has_no_attention() -> None:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, {"one": keras.layers.Dense(1)(inputs)})
    with pytest.raises(SasnetError, match="convolutions"):
        maps_and_gradients(model, np.zeros((1, 4), np.float32), lambda out: out["one"][:, 0])
