"""Our network for the fixed grid of protocol (a): the trunk of sasnet's network with one head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray


@dataclass(frozen=True)
class Size:
    """Size of the network."""

    stem: int = 32  #: Channels of the first convolution.
    #: Channels and residual blocks; each stage halves the resolution.
    stages: tuple[tuple[int, int], ...] = ((64, 1), (128, 2), (256, 1))
    dense: int = 512  #: Width of the dense residual part.
    dropout: float = 0.1


def build_residual(n_points: int, n_channels: int, n_classes: int, size: Size | None = None) -> Any:
    """Build it, ending in logits (see `sasnet_plugin.train.trunks.residual` for the reasons)."""
    size = size or Size()
    inputs = keras.Input((n_points, n_channels))
    x = layers.Conv1D(size.stem, 5, padding="same", activation="silu")(inputs)
    for channels, blocks in size.stages:
        x = layers.Conv1D(channels, 3, strides=2, padding="same", activation="silu")(x)
        for _ in range(blocks):
            y = layers.Conv1D(channels, 3, padding="same", activation="silu")(x)
            # Starts at zero, so that a block begins as the identity and needs no normalisation.
            y = layers.Conv1D(channels, 3, padding="same", kernel_initializer="zeros")(y)
            x = layers.Activation("silu")(layers.Add()([x, y]))
    x = layers.Dense(size.dense)(layers.Flatten()(x))
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dropout(size.dropout)(layers.Dense(2 * size.dense, activation="silu")(y))
    x = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, layers.Dense(size.dense)(y)]))
    return keras.Model(inputs, layers.Dense(n_classes, dtype="float32")(x), name="residual")


def channels(log_i: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Shape, slope and level of curves on a common log-q grid.

    Parameters
    ----------
    log_i : (n, n_q) array
        ln I, absolute: scale is 1 in protocol (a), so the level says something.

    Returns
    -------
    (n, n_q, 4) float32 array
        ln I less its mean; its slope in grid steps; its mean; ln I itself; each scaled to order one.
    """
    mean = log_i.mean(axis=1, keepdims=True)
    slope = np.gradient(log_i, axis=1)
    level = np.broadcast_to(mean, log_i.shape)
    return np.stack((0.4 * (log_i - mean), 3.0 * slope, 0.2 * level, 0.2 * log_i), axis=-1).astype(np.float32)
