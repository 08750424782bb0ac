"""Train what diffraction images are sorted by, on bodies of two simulators.

``python -m sasnet_plugin.images.diffraction.training.sorting`` writes ``sorting.npz`` beside the installed
network and names it in the registry; a quarter of an hour on one core, nearly all of it for voxels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....types import Image
from ..labels import NAME
from ..prediction.sorting import FILE, STRIDES, Layers, apply_layers, read
from ..reading.features import CHANNELS, compute_ring_inputs
from ..reading.polar import RINGS, bin_images, rings
from ..simulation import voxels
from ..simulation.measurement import shot
from ..simulation.samples import draw_sample
from ..simulation.simulator import SIMULATOR

Array = NDArray[np.float32]
#: Kinds of the package's first simulator, each with what is on top of it.
KINDS = (
    *(("round", more) for more in ("", "newton", "double", "layered", "asymmetric")),
    *(("elliptical", more) for more in ("", "layered", "newton")),
    *((name, "") for name in ("streak", "bent", "streak_bent", "irregular")),
)
#: Decades of the counts; images that are held at once.
_COUNTS, _PART = (4.0, 6.0), 240
#: Of the draws of either simulator.
_SEEDS = (31, 5), (31, 6)


@dataclass(frozen=True)
class SortingConfig:
    """How the small networks are trained."""

    #: passed, of_voxels: images of a kind from either simulator; of voxels an image takes ten times as long.
    passed: int = 1500
    of_voxels: int = 500
    #: Whose probabilities are averaged: what one made up about a body of neither simulator is halved.
    networks: int = 2
    #: Rings that a convolution sees at once: with strides, a fringe of up to a quarter of the window.
    taps: int = 5
    #: filters, hidden: outputs of each convolution, and neurons of each layer behind them.
    filters: tuple[int, ...] = (32, 32, 64)
    hidden: tuple[int, ...] = (64, 32)
    dropout: float = 0.3  #: Share of the neurons that are left out at a time.
    decay: float = 1e-3  #: Decay of weights.
    rounds: int = 15
    batch: int = 128
    learning_rate: float = 2e-3


@dataclass(frozen=True)
class Shots:
    """What networks learn from."""

    features: Array  #: (n, rings, channels)
    said: Array  #: (n, d), by the large network, see `images.diffraction.prediction.sorting.read`.
    label: NDArray[np.intp]  #: (n,), kinds of the first simulator, those of the second after them.


def first(kind: int, rng: np.random.Generator) -> Image:
    """A measured shot of the multi-slice simulator."""
    name, second_kind = KINDS[kind]
    beam = {"theta": float(np.radians(rng.uniform(10, 28)))}
    sample = draw_sample(
        rng, {name: 1}, {second_kind: 1} if second_kind else {}, 0 if second_kind else 1, beam
    )
    return shot(SIMULATOR.clean(sample), rng, float(10 ** rng.uniform(*_COUNTS)))


def second(kind: int, rng: np.random.Generator) -> Image:
    """A measured shot of voxels."""
    return shot(voxels.pattern(list(voxels.BODIES)[kind], rng), rng, float(10 ** rng.uniform(*_COUNTS)))


def draw_shots(
    make: Callable[[int, np.random.Generator], Image], kinds: int, number_each: int, rng: np.random.Generator
) -> Shots:
    """So many shots of every kind, in turn."""
    from ....predict.predictor import open_predictor

    label = np.arange(kinds * number_each) % kinds
    features, tag_outputs = [], []
    for start in range(0, label.size, _PART):
        inputs = compute_ring_inputs(
            rings(bin_images([make(int(kind), rng) for kind in label[start : start + _PART]]))
        )
        features.append(inputs["features"])
        tag_outputs.append(read(open_predictor(NAME).runtime.run(inputs)))
    return Shots(np.concatenate(features), np.concatenate(tag_outputs), label)


def join_shots(shots: Shots, other_second: Shots, kinds: int) -> Shots:
    """Shots of both simulators, those of the second labelled from `kinds` on."""
    return Shots(
        np.concatenate([shots.features, other_second.features]),
        np.concatenate([shots.said, other_second.said]),
        np.concatenate([shots.label, other_second.label + kinds]),
    )


def fit(shots: Shots, looks: int, seed: int, config: SortingConfig = SortingConfig()) -> Layers:
    """Train a network to tell the kinds of each simulator apart, `looks` of the first."""
    # Each shot's loss covers its own simulator's kinds, so differences between simulators are not learned.
    import keras

    keras.utils.set_random_seed(seed)
    centre, spread = _scales(shots.features, (0, 1))
    middle, wide = _scales(shots.said, (0,))
    model = _model(shots.said.shape[1], int(shots.label.max()) + 1, config)
    steps = config.rounds * -(-shots.label.size // config.batch)
    slower = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)
    model.compile(keras.optimizers.AdamW(slower, weight_decay=config.decay), _loss(looks))
    read_by = [(shots.features - centre) / spread, (shots.said - middle) / wide]
    model.fit(read_by, shots.label, batch_size=config.batch, epochs=config.rounds, verbose=0)
    layers = [tuple(layer.get_weights()) for layer in model.layers if layer.get_weights()]
    # Scales go into the layers that read what they belong to.
    layers[0] = _absorb_scaling(layers[0], centre, spread)
    weights, offsets = layers[len(STRIDES)]
    split_row = len(weights) - len(middle)
    last, offsets = _absorb_scaling((weights[split_row:], offsets), middle, wide)
    layers[len(STRIDES)] = np.concatenate([weights[:split_row], last]), offsets
    return tuple((w.astype(np.float32), b.astype(np.float32)) for w, b in layers)


def _scales(values: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    return values.mean(axis=axes), values.std(axis=axes) + np.float32(1e-3)


def _absorb_scaling(layer: tuple[Array, ...], middle: Array, spread: Array) -> tuple[Array, Array]:
    """Adapt a layer trained on scaled values (mean 0, spread 1) to unscaled ones."""
    weights = layer[0] / spread[:, None]
    return weights, layer[1] - (middle @ weights).reshape(-1, weights.shape[-1]).sum(axis=0)


def _model(tag_count: int, kinds: int, config: SortingConfig) -> Any:
    import keras
    from keras import layers

    features, tag_inputs = keras.Input((RINGS, CHANNELS)), keras.Input((tag_count,))
    z = features
    for filters, stride in zip(config.filters, STRIDES, strict=True):
        z = layers.Conv1D(filters, config.taps, strides=stride, activation="relu")(z)
    z = layers.Concatenate()([layers.Flatten()(z), tag_inputs])
    for neurons in config.hidden:
        z = layers.Dense(neurons, activation="relu")(layers.Dropout(config.dropout)(z))
    return keras.Model([features, tag_inputs], layers.Dense(kinds)(z))


def _loss(looks: int) -> Callable[[Any, Any], Any]:
    """-ln of the true kind's probability among those of its own simulator."""
    from keras import ops

    def loss(label: Any, logits: Any) -> Any:
        parts = logits[:, :looks], logits[:, looks:]
        log_probabilities = ops.concatenate([ops.log_softmax(part, axis=-1) for part in parts], axis=-1)
        label_mask = ops.one_hot(ops.cast(ops.reshape(label, (-1,)), "int32"), logits.shape[-1])
        return -ops.sum(label_mask * log_probabilities, axis=-1)

    return loss


def right(layers: Layers, shots: Shots, looks: int) -> float:
    """Share of the shots whose kind is named, among those of its simulator."""
    logits = apply_layers(layers, shots.features, shots.said)
    same_simulator = (shots.label < looks)[:, None] == (np.arange(logits.shape[1]) < looks)
    return float(np.mean(np.where(same_simulator, logits, -np.inf).argmax(axis=1) == shots.label))


def pack_networks(networks: Sequence[Layers], looks: int, network: str) -> dict[str, Any]:
    """Arrays of the file, in half precision, and the sha256 of the large network that they go with."""
    arrays: dict[str, Any] = {"network": np.array(network), "looks": np.array(looks)}
    arrays["size"] = np.array([len(networks), len(networks[0])])
    for k, layers in enumerate(networks):
        for n, (weights, offsets) in enumerate(layers):
            arrays |= {
                f"{k}/{n}/weights": weights.astype(np.float16),
                f"{k}/{n}/offsets": offsets.astype(np.float16),
            }
    return arrays


def install(home: Path, networks: Sequence[Layers], looks: int) -> None:
    """Put the file beside a packaged network and name it in its manifest and in the registry."""
    from ....zoo import register

    manifest = home / "manifest.json"
    told_manifest = json.loads(manifest.read_text(encoding="utf-8"))
    np.savez_compressed(home / FILE, **pack_networks(networks, looks, told_manifest["sha256"]["model.onnx"]))
    told_manifest["sha256"][FILE] = hashlib.sha256((home / FILE).read_bytes()).hexdigest()
    manifest.write_text(json.dumps(told_manifest, indent=1) + "\n", encoding="utf-8")
    register(home)


def main() -> None:
    from ....zoo import list_registered

    home, config, looks = list_registered()[NAME], SortingConfig(), len(KINDS)
    training_rng, test_rng = (np.random.default_rng(seed) for seed in _SEEDS)
    shots = join_shots(
        draw_shots(first, looks, config.passed, training_rng),
        draw_shots(second, len(voxels.BODIES), config.of_voxels, test_rng),
        looks,
    )
    networks = [fit(shots, looks, seed, config) for seed in range(config.networks)]
    install(home, networks, looks)
    share = 100 * np.mean([right(layers, shots, looks) for layers in networks])
    print(f"{home / FILE}: the networks recognise {share:.0f} % of the training shots.")


if __name__ == "__main__":
    main()
