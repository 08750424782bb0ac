"""A contrastive embedding of points: two disturbed copies of one lie together, others apart; no labels.

Source: T. Chen, S. Kornblith, M. Norouzi, G. Hinton, ICML 2020 (arXiv:2002.05709).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .autoencoder import Layer, train_encoder


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


def fit(
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
