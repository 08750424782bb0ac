"""Networks that sort diffraction images, and the profiles that novelty is measured by.

Source: R. T. Q. Chen, X. Li, R. Grosse, D. Duvenaud, NeurIPS 2018 (arXiv:1802.04942).

Source: T. Chen, S. Kornblith, M. Norouzi, G. Hinton, ICML 2020 (arXiv:2002.05709).

``python -m sasnet_plugin.images.diffraction.training`` writes ``sorting.npz`` beside the installed
network and names it in the registry; a quarter of an hour on one core, nearly all of it for voxels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...domains.simulator import HeldOut
from ...predict.predictor import open_predictor
from ...simulate.dataset import Dataset
from ...types import Image
from ...zoo import list_registered, register
from . import simulation
from .prediction import BANK, FILE, SHARE, STRIDES, Bank, Layers, apply_layers, profiles, read
from .reading import CHANNELS, RINGS, bin_images, compute_ring_inputs, rings
from .simulation import SIMULATOR, draw_sample, shot, tags_of
from .specification import NAME

if TYPE_CHECKING:
    from ...train.package import Finished, Trained

# --- A β-TCVAE of points: a latent space whose directions vary independently, learned without
# --- labels.

#: Weights and offsets of a layer.
Layer = tuple[Floats, Floats]


@dataclass(frozen=True)
class AutoencoderConfig:
    """How an autoencoder is trained."""

    #: Widths of the encoder's layers; the decoder's are the same, turned round.
    hidden: tuple[int, ...] = (128, 64)
    latent: int = 10  #: Directions of the latent space.
    beta: float = 4.0  #: Weight of the total correlation; 1 is a plain variational autoencoder.
    #: steps, batch: some ten thousand points are seen a hundred times.
    steps: int = 3000
    batch: int = 128
    learning_rate: float = 1e-3
    noise: float = 0.5  #: Standard deviation of what need not be reconstructed, over that of the points.


def silu(x: NDArray[np.floating]) -> Floats:
    """x over 1 + exp(−x), the activation of all layers but the last."""
    return np.asarray(x * (0.5 * (1 + np.tanh(0.5 * np.asarray(x, dtype=np.float64)))))


def fit_autoencoder(
    points: NDArray[np.floating], seed: int, config: AutoencoderConfig = AutoencoderConfig()
) -> tuple[Layer, ...]:
    """Train an autoencoder on points (n, d) and return its encoder's layers, `silu` between."""
    # The loss is reconstruction + KL(q(z|x) ‖ q(z)) + β KL(q(z) ‖ Π q(z_j)) + Σ KL(q(z_j) ‖ p(z_j)), with
    # q(z) by minibatch-weighted sampling.
    import keras
    from keras import layers, ops

    keras.utils.set_random_seed(seed)
    number, width = np.shape(points)

    class Autoencoder(keras.Model):
        """Encoder, decoder, and the loss of both."""

        def __init__(self) -> None:
            super().__init__()
            # The random draws that survive a jit of the training step.
            self.random = keras.random.SeedGenerator(seed)
            self.encoder = [layers.Dense(n, activation="silu") for n in config.hidden]
            self.mean, self.log_variance = layers.Dense(config.latent), layers.Dense(config.latent)
            widths = config.hidden[::-1]
            self.decoder = [
                *[layers.Dense(n, activation="silu") for n in widths],
                layers.Dense(width),
            ]

        def call(self, x: Any) -> Any:
            y = x
            for layer in self.encoder:
                y = layer(y)
            mean, log_variance = self.mean(y), ops.clip(self.log_variance(y), -10.0, 4.0)
            z = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.random)
            y = z
            for layer in self.decoder:
                y = layer(y)
            misfit = 0.5 * ops.sum(ops.square(y - x), axis=-1) / config.noise**2
            self.add_loss(ops.mean(misfit + penalty(z, mean, log_variance)))
            return y

    def penalty(z: Any, mean: Any, log_variance: Any) -> Any:
        def density(at: Any, of: Any, log_v: Any) -> Any:
            return -0.5 * (np.log(2 * np.pi) + log_v + ops.square(at - of) / ops.exp(log_v))

        own_density = ops.sum(density(z, mean, log_variance), axis=-1)
        prior = ops.sum(density(z, 0.0, ops.zeros_like(z)), axis=-1)
        pair_densities = density(z[:, None], mean[None], log_variance[None])
        weight = float(np.log(config.batch * number))
        whole = ops.logsumexp(ops.sum(pair_densities, axis=-1), axis=1) - weight
        apart = ops.sum(ops.logsumexp(pair_densities, axis=1) - weight, axis=-1)
        return (own_density - whole) + config.beta * (whole - apart) + (apart - prior)

    model = Autoencoder()
    return train_encoder(model, (*model.encoder, model.mean), points, seed, config)


def train_encoder(
    model: Any, encoder: Sequence[Any], points: NDArray[np.floating], seed: int, config: Any
) -> tuple[Layer, ...]:
    """Train a model on scaled points (n, d) and return its encoder's layers for unscaled ones."""
    import keras

    values = np.asarray(points, dtype=np.float64)
    middle, spread = values.mean(axis=0), float(values.std()) or 1.0
    scaled = ((values - middle) / spread).astype(np.float32)
    model.compile(optimizer=keras.optimizers.Adam(config.learning_rate), jit_compile=False)
    rng = np.random.default_rng(seed)
    for start in range(0, config.steps, 100):
        rows = rng.integers(len(scaled), size=min(100, config.steps - start) * config.batch)
        model.fit(scaled[rows], batch_size=config.batch, epochs=1, verbose=0, shuffle=False)
    found_weights = [[np.asarray(w, dtype=np.float64) for w in layer.get_weights()] for layer in encoder]
    # Points come as they are: their middle and scale go into the first layer.
    first, offset = found_weights[0]
    found_weights[0] = [first / spread, offset - middle / spread @ first]
    return tuple((weights, offsets) for weights, offsets in found_weights)


def encode(points: NDArray[np.floating], encoder: tuple[Layer, ...]) -> Floats:
    """Latent means of points, (n, latent); without Keras."""
    x = np.asarray(points, dtype=np.float64)
    for number, (weights, offsets) in enumerate(encoder):
        x = x @ weights + offsets
        if number < len(encoder) - 1:
            x = silu(x)
    return x


# --- A contrastive embedding of points: two disturbed copies of one lie together, others apart; no
# --- labels.


@dataclass(frozen=True)
class ContrastiveConfig:
    """How a contrastive embedding is trained."""

    hidden: tuple[int, ...] = (128, 64)  #: Widths of the encoder's layers.
    latent: int = 10  #: Directions of the embedding.
    head: int = 32  #: Width of the layers behind it, which only training has.
    kept: float = 0.7  #: Share of a point's entries that a copy keeps; the others are the mean's.
    noise: float = 0.3  #: Standard deviation of what is added to a copy, over that of the points.
    temperature: float = 0.2  #: Of the softmax over similarities.
    steps: int = 1500
    batch: int = 128
    learning_rate: float = 1e-3


def fit_contrastive(
    points: NDArray[np.floating], seed: int, config: ContrastiveConfig = ContrastiveConfig()
) -> tuple[Layer, ...]:
    """Train an encoder (see `autoencoder.fit`) on points (n, d) that do not depend on rotation."""
    # The loss of copies i and j among 2N is -ln of exp(s_ij/T) over Σ_k≠i exp(s_ik/T), with s the cosine of
    # the head's outputs.
    import keras
    from keras import layers, ops

    keras.utils.set_random_seed(seed)

    class Contrast(keras.Model):
        """Encoder, head, and the loss of two copies."""

        def __init__(self) -> None:
            super().__init__()
            self.random = keras.random.SeedGenerator(seed)
            self.encoder = [layers.Dense(n, activation="silu") for n in config.hidden]
            self.embedding = layers.Dense(config.latent)
            self.head = [layers.Dense(config.head, activation="silu"), layers.Dense(config.head)]

        def call(self, x: Any) -> Any:
            views = ops.concatenate([self.disturb(x), self.disturb(x)])
            for layer in (*self.encoder, self.embedding, *self.head):
                views = layer(views)
            unit = views / ops.maximum(ops.norm(views, axis=-1, keepdims=True), 1e-6)
            number = ops.shape(x)[0]
            alike = ops.matmul(unit, ops.transpose(unit)) / config.temperature
            alike = alike - 1e9 * ops.eye(2 * number)
            partners = ops.concatenate([ops.arange(number, 2 * number), ops.arange(number)])
            self.add_loss(
                ops.mean(keras.losses.sparse_categorical_crossentropy(partners, alike, from_logits=True))
            )
            return views

        def disturb(self, x: Any) -> Any:
            is_kept = keras.random.uniform(ops.shape(x), seed=self.random) < config.kept
            noise = config.noise * keras.random.normal(ops.shape(x), seed=self.random)
            return ops.where(is_kept, x, 0.0) + noise

    model = Contrast()
    return train_encoder(model, (*model.encoder, model.embedding), points, seed, config)


# --- The bank of simulated profiles that diffraction images are compared with, written beside their
# --- network.

#: Profiles of the bank, and their counts: enough that counting hides nothing.
PROFILES, COUNTS = 4000, 3e6
#: Counts for which limits are found, and simulated shots for each.
LEVELS, SHOTS = (1e2, 1e3, 1e4, 1e5, 1e6, 1e7), 400
#: Images at once.
_BATCH = 256


def finish(trained: Trained, held_out: HeldOut, calibration: dict[str, dict[str, Any]]) -> Finished:
    """Write ``novelty.npz``: training shots as measured, and how far validation shots are from them."""
    from ...train.package import Finished

    rng, simulator = np.random.default_rng(31), trained.domain.open_simulator()
    data, validation = Dataset(trained.data, simulator), Dataset(trained.validation, simulator)
    rows = [data[int(row)] for row in rng.permutation(len(data))[:PROFILES]]
    parts = [
        profiles(simulator.measure(rows[start : start + _BATCH], rng, exposure=COUNTS)[0])
        for start in range(0, len(rows), _BATCH)
    ]
    decades, covered = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("decades", "seen")
    )
    no_levels = np.zeros(0)
    bank = Bank(
        decades.astype(np.float16),
        covered,
        np.array([_empty(row) for row in rows]),
        no_levels,
        no_levels,
        no_levels,
    )
    rest = [validation[row] for row in range(len(validation))]

    def limit(subset: Sequence[Mapping[str, Any]], counts: float, empty: bool) -> float:
        shots = [subset[int(row)] for row in rng.integers(len(subset), size=SHOTS)]
        found_profiles = profiles(simulator.measure(shots, rng, exposure=counts)[0])
        return float(np.quantile(bank.distances(found_profiles, empty=empty), 1 - SHARE))

    dark = [row for row in rest if _empty(row)]
    limits = np.array([(limit(rest, counts, False), limit(dark, counts, True)) for counts in LEVELS])
    path = trained.target / BANK
    known_bank = replace(bank, levels=np.log10(LEVELS), limits=limits[:, 0], empty_limits=limits[:, 1])
    np.savez_compressed(path, **asdict(known_bank))
    heads = f"{len(trained.heads)} heads, {held_out.known:,} examples held out, {len(rows):,} profiles"
    return Finished(heads=trained.heads, files=(path,), summary=heads)


def _empty(row: Mapping[str, Any]) -> bool:
    return tags_of(row["parameters"])["Empty"] > 0


# --- Train what diffraction images are sorted by, on bodies of two simulators.

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
    return shot(
        simulation.pattern(list(simulation.BODIES)[kind], rng), rng, float(10 ** rng.uniform(*_COUNTS))
    )


def draw_shots(
    make: Callable[[int, np.random.Generator], Image], kinds: int, number_each: int, rng: np.random.Generator
) -> Shots:
    """So many shots of every kind, in turn."""
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


def fit_sorting(shots: Shots, looks: int, seed: int, config: SortingConfig = SortingConfig()) -> Layers:
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
    model.optimizer.build(model.trainable_variables)  # else the first step is traced twice
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
    manifest = home / "manifest.json"
    told_manifest = json.loads(manifest.read_text(encoding="utf-8"))
    np.savez_compressed(home / FILE, **pack_networks(networks, looks, told_manifest["sha256"]["model.onnx"]))
    told_manifest["sha256"][FILE] = hashlib.sha256((home / FILE).read_bytes()).hexdigest()
    manifest.write_text(json.dumps(told_manifest, indent=1) + "\n", encoding="utf-8")
    register(home)


def main() -> None:
    home, config, looks = list_registered()[NAME], SortingConfig(), len(KINDS)
    training_rng, test_rng = (np.random.default_rng(seed) for seed in _SEEDS)
    shots = join_shots(
        draw_shots(first, looks, config.passed, training_rng),
        draw_shots(second, len(simulation.BODIES), config.of_voxels, test_rng),
        looks,
    )
    networks = [fit_sorting(shots, looks, seed, config) for seed in range(config.networks)]
    install(home, networks, looks)
    share = 100 * np.mean([right(layers, shots, looks) for layers in networks])
    print(f"{home / FILE}: the networks recognise {share:.0f} % of the training shots.")


if __name__ == "__main__":
    main()
