"""Parameters from a curve: a regression with mean and spread, and a normalizing flow, on a common trunk.

The flow is made of affine couplings (Dinh, Sohl-Dickstein & Bengio, ICLR 2017) whose scales and shifts see
the trunk's answer (as in Ardizzone et al., arXiv:1907.02392). Targets of few numbers are joined by numbers
drawn from a normal distribution: a coupling needs two halves, and these let it have several peaks.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

Array = NDArray[np.float32]
LAYERS, HIDDEN, LEAST = 6, 64, 4
#: Of ln spread in the regression, and of ln scale in a coupling.
_SPREAD, _SCALE = 5.0, 2.0


def trunk() -> Any:
    """From features (n, N_GRID, N_CHANNELS) to 128 numbers."""
    return keras.Sequential(
        [
            layers.Conv1D(16, 9, strides=4, padding="same", activation="silu"),
            layers.Conv1D(32, 5, strides=2, padding="same", activation="silu"),
            layers.Conv1D(48, 5, strides=2, padding="same", activation="silu"),
            layers.Flatten(),
            layers.Dense(128, activation="silu"),
            layers.Dense(128, activation="silu"),
        ]
    )


@keras.saving.register_keras_serializable("sasnet_benchmarks")
class Estimator(keras.Model):
    """Both heads; its output is the sum of their negative log-likelihoods, one number a curve.

    Parameters
    ----------
    size : int
        Numbers to estimate, standardised.
    seed : int
        Of the order in which couplings see the numbers.
    """

    def __init__(self, size: int, seed: int = 0, **rest: Any) -> None:
        super().__init__(**rest)
        self.size, self.wide = size, max(size, LEAST)
        rng = np.random.default_rng(seed)
        self.orders = [np.roll(rng.permutation(self.wide), k) for k in range(LAYERS)]
        self.first = self.wide // 2
        self.trunk = trunk()
        self.mean, self.spread = layers.Dense(size), layers.Dense(size)
        self.nets = [
            keras.Sequential(
                [
                    layers.Dense(HIDDEN, activation="silu"),
                    layers.Dense(HIDDEN, activation="silu"),
                    layers.Dense(2 * (self.wide - self.first), kernel_initializer="zeros"),
                ]
            )
            for _ in range(LAYERS)
        ]

    def call(self, inputs: Any) -> Any:
        features, target = inputs
        seen = self.trunk(features)
        mean, log_spread = self.gaussian(seen)
        residual = (target[:, : self.size] - mean) * ops.exp(-log_spread)
        gaussian = ops.sum(0.5 * residual**2 + log_spread, axis=1)
        z, log_det = self.to_normal(target, seen)
        return gaussian + ops.sum(0.5 * z**2, axis=1) - log_det

    def gaussian(self, seen: Any) -> tuple[Any, Any]:
        """Mean and ln spread of the regression."""
        return self.mean(seen), _SPREAD * ops.tanh(self.spread(seen) / _SPREAD)

    def to_normal(self, x: Any, seen: Any) -> tuple[Any, Any]:
        """From numbers to standard normal ones, and the logarithm of the determinant."""
        total = 0.0
        for order, net in zip(self.orders, self.nets, strict=True):
            x = ops.take(x, order, axis=1)
            still, moved = x[:, : self.first], x[:, self.first :]
            log_scale, shift = self._coupling(net, still, seen)
            x = ops.concatenate([still, moved * ops.exp(log_scale) + shift], axis=1)
            total = total + ops.sum(log_scale, axis=1)
        return x, total

    def from_normal(self, z: Any, seen: Any) -> Any:
        """From standard normal numbers to samples."""
        z = ops.convert_to_tensor(z)
        for order, net in zip(reversed(self.orders), reversed(self.nets), strict=True):
            still, moved = z[:, : self.first], z[:, self.first :]
            log_scale, shift = self._coupling(net, still, seen)
            z = ops.concatenate([still, (moved - shift) * ops.exp(-log_scale)], axis=1)
            z = ops.take(z, np.argsort(order), axis=1)
        return z

    def _coupling(self, net: Any, still: Any, seen: Any) -> tuple[Any, Any]:
        found = net(ops.concatenate([still, seen], axis=1))
        log_scale, shift = ops.split(found, 2, axis=1)
        return _SCALE * ops.tanh(log_scale / _SCALE), shift


def train(features: Array, target: Array, seed: int, *, epochs: int, batch: int = 128) -> Estimator:
    """Fit both heads by maximum likelihood.

    Parameters
    ----------
    features : (n, N_GRID, N_CHANNELS) float32 array
    target : (n, p) float32 array
        Standardised.
    seed : int
    epochs : int
    """
    keras.utils.set_random_seed(seed)
    model = Estimator(target.shape[1], seed)
    extra = model.wide - model.size
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((len(target), extra)).astype(np.float32)
    steps = epochs * -(-len(target) // batch)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps, warmup_target=2e-3, warmup_steps=50)
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-4, clipnorm=1.0),
        loss=lambda _, nll: ops.mean(nll),
    )
    known = np.concatenate([target, noise], axis=1)
    model.fit((features, known), np.zeros(len(target)), batch_size=batch, epochs=epochs, verbose=0)
    return model


def likely(model: Estimator, features: Array) -> tuple[Array, Array]:
    """Mean and spread of the regression, (n, p) each."""
    mean, log_spread = model.gaussian(model.trunk(features))
    return ops.convert_to_numpy(mean), np.exp(ops.convert_to_numpy(log_spread))


def samples(model: Estimator, features: Array, count: int, rng: np.random.Generator) -> Array:
    """Draws of the flow for one curve: (count, p), the first from the centre of the normal distribution."""
    z = rng.standard_normal((count, model.wide)).astype(np.float32)
    z[0] = 0.0
    seen = ops.repeat(model.trunk(features), count, axis=0)
    return np.asarray(ops.convert_to_numpy(model.from_normal(z, seen))[:, : model.size])
