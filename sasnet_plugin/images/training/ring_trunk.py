"""A trunk for what is seen in rings about a beam, over ln q: fringes at any size, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers

from ...train.trunks import dense_block


def build_ring_trunk(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """Build dilated residual convolutions over ``features`` (n, rings, channels), then a dense part that
    knows positions; (n, dense).
    """
    # Twice the size is a shift in ln q, which convolutions see alike; fringes crowd at large q, so distances
    # vary. Largest and mean are read besides, as sizes and q ranges are not equally likely. Sizes: ``stages``
    # (channels and dilations of residual blocks; each halves the rings), ``where``: channels with positions,
    # ``dense``, ``dropout``.
    x = inputs["features"]
    for number, (channels, steps) in enumerate(sizes["stages"]):
        x = layers.Conv1D(channels, 3 if number else 7, strides=2, padding="same", activation="silu")(x)
        for step in steps:
            x = _block(x, channels, step)
    local_features = layers.Flatten()(layers.Conv1D(sizes["where"], 1, activation="silu")(x))
    x = layers.Concatenate()(
        [local_features, layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)]
    )
    x = layers.Dense(sizes["dense"], activation="silu")(x)
    # Layers are known by the order in which they are made, where a packaged network is begun with.
    x = dense_block(x, sizes)
    return layers.LayerNormalization(epsilon=1e-5)(x)


def _block(x: Any, channels: int, step: int) -> Any:
    # The last convolution begins at zero: the block is the identity then, and needs no normalisation.
    y = layers.Conv1D(channels, 3, dilation_rate=step, padding="same", activation="silu")(x)
    y = layers.Conv1D(channels, 1, kernel_initializer="zeros")(y)
    return layers.Activation("silu")(layers.Add()([x, y]))
