"""A β-TCVAE of points: a latent space whose directions vary independently, learned without labels.

Source: R. T. Q. Chen, X. Li, R. Grosse, D. Duvenaud, NeurIPS 2018 (arXiv:1802.04942).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats

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


def fit(
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
