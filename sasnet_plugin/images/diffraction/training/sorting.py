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
from ..prediction.sorting import FILE, STRIDES, Layers, applied, read
from ..reading.features import CHANNELS, of_rings
from ..reading.polar import RINGS, of_images, rings
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
    name, more = KINDS[kind]
    beam = {"theta": float(np.radians(rng.uniform(10, 28)))}
    sample = draw_sample(rng, {name: 1}, {more: 1} if more else {}, 0 if more else 1, beam)
    return shot(SIMULATOR.clean(sample), rng, float(10 ** rng.uniform(*_COUNTS)))


def second(kind: int, rng: np.random.Generator) -> Image:
    """A measured shot of voxels."""
    return shot(voxels.pattern(list(voxels.BODIES)[kind], rng), rng, float(10 ** rng.uniform(*_COUNTS)))


def drawn(
    make: Callable[[int, np.random.Generator], Image], kinds: int, each: int, rng: np.random.Generator
) -> Shots:
    """So many shots of every kind, in turn."""
    from ....predict.predictor import open_predictor

    label = np.arange(kinds * each) % kinds
    features, said = [], []
    for start in range(0, label.size, _PART):
        inputs = of_rings(rings(of_images([make(int(kind), rng) for kind in label[start : start + _PART]])))
        features.append(inputs["features"])
        said.append(read(open_predictor(NAME).runtime.run(inputs)))
    return Shots(np.concatenate(features), np.concatenate(said), label)


def joined(one: Shots, other: Shots, kinds: int) -> Shots:
    """Shots of both simulators, those of the second labelled from `kinds` on."""
    return Shots(
        np.concatenate([one.features, other.features]),
        np.concatenate([one.said, other.said]),
        np.concatenate([one.label, other.label + kinds]),
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
    layers[0] = _scaled(layers[0], centre, spread)
    weights, offsets = layers[len(STRIDES)]
    at = len(weights) - len(middle)
    last, offsets = _scaled((weights[at:], offsets), middle, wide)
    layers[len(STRIDES)] = np.concatenate([weights[:at], last]), offsets
    return tuple((w.astype(np.float32), b.astype(np.float32)) for w, b in layers)


def _scales(values: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    return values.mean(axis=axes), values.std(axis=axes) + np.float32(1e-3)


def _scaled(layer: tuple[Array, ...], middle: Array, spread: Array) -> tuple[Array, Array]:
    """Adapt a layer trained on scaled values (mean 0, spread 1) to unscaled ones."""
    weights = layer[0] / spread[:, None]
    return weights, layer[1] - (middle @ weights).reshape(-1, weights.shape[-1]).sum(axis=0)


def _model(said: int, kinds: int, config: SortingConfig) -> Any:
    import keras
    from keras import layers

    one, other = keras.Input((RINGS, CHANNELS)), keras.Input((said,))
    z = one
    for filters, stride in zip(config.filters, STRIDES, strict=True):
        z = layers.Conv1D(filters, config.taps, strides=stride, activation="relu")(z)
    z = layers.Concatenate()([layers.Flatten()(z), other])
    for neurons in config.hidden:
        z = layers.Dense(neurons, activation="relu")(layers.Dropout(config.dropout)(z))
    return keras.Model([one, other], layers.Dense(kinds)(z))


def _loss(looks: int) -> Callable[[Any, Any], Any]:
    """-ln of the true kind's probability among those of its own simulator."""
    from keras import ops

    def loss(label: Any, logits: Any) -> Any:
        parts = logits[:, :looks], logits[:, looks:]
        known = ops.concatenate([ops.log_softmax(part, axis=-1) for part in parts], axis=-1)
        own = ops.one_hot(ops.cast(ops.reshape(label, (-1,)), "int32"), logits.shape[-1])
        return -ops.sum(own * known, axis=-1)

    return loss


def right(layers: Layers, shots: Shots, looks: int) -> float:
    """Share of the shots whose kind is named, among those of its simulator."""
    logits = applied(layers, shots.features, shots.said)
    own = (shots.label < looks)[:, None] == (np.arange(logits.shape[1]) < looks)
    return float(np.mean(np.where(own, logits, -np.inf).argmax(axis=1) == shots.label))


def stored(networks: Sequence[Layers], looks: int, network: str) -> dict[str, Any]:
    """Arrays of the file, in half precision, and the sha256 of the large network that they go with."""
    found: dict[str, Any] = {"network": np.array(network), "looks": np.array(looks)}
    found["size"] = np.array([len(networks), len(networks[0])])
    for k, layers in enumerate(networks):
        for n, (weights, offsets) in enumerate(layers):
            found |= {
                f"{k}/{n}/weights": weights.astype(np.float16),
                f"{k}/{n}/offsets": offsets.astype(np.float16),
            }
    return found


def install(home: Path, networks: Sequence[Layers], looks: int) -> None:
    """Put the file beside a packaged network and name it in its manifest and in the registry."""
    from ....zoo import register

    manifest = home / "manifest.json"
    said = json.loads(manifest.read_text(encoding="utf-8"))
    np.savez_compressed(home / FILE, **stored(networks, looks, said["sha256"]["model.onnx"]))
    said["sha256"][FILE] = hashlib.sha256((home / FILE).read_bytes()).hexdigest()
    manifest.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    register(home)


def main() -> None:
    from ....zoo import registered

    home, config, looks = registered()[NAME], SortingConfig(), len(KINDS)
    one, other = (np.random.default_rng(seed) for seed in _SEEDS)
    shots = joined(
        drawn(first, looks, config.passed, one),
        drawn(second, len(voxels.BODIES), config.of_voxels, other),
        looks,
    )
    networks = [fit(shots, looks, seed, config) for seed in range(config.networks)]
    install(home, networks, looks)
    share = 100 * np.mean([right(layers, shots, looks) for layers in networks])
    print(f"{home / FILE}: the kind of {share:.0f} % of the training shots is recognised.")


if __name__ == "__main__":
    main()
