"""The trunk for curves: residual convolutions over log q; and what trunks of all kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers

#: What the names of a small trunk's layers begin with.
TRUNK = "trunk_"


def adopt(model: Any, donor: Any) -> int:
    """Take over the weights of every layer that both networks have, by its name and its shapes."""
    theirs = {layer.name: layer for layer in donor.layers}
    equal_layers = [
        one_layer
        for one_layer in model.layers
        if one_layer.weights and _shapes(one_layer) == _shapes(theirs.get(one_layer.name))
    ]
    for layer in equal_layers:
        layer.set_weights(theirs[layer.name].get_weights())
    return len(equal_layers)


def _shapes(layer: Any | None) -> list[Any]:
    return [] if layer is None else [weights.shape for weights in layer.weights]


def residual(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """Build residual convolutions on ``features`` (n, N_GRID, N_CHANNELS), then a dense part, (n, dense)."""
    # Convolutions see features anywhere in log q: twice the size is a shift. The dense part knows where, as
    # sizes and q ranges are not equally likely. Sizes: ``stem``, channels of the first convolution (kernel 9,
    # stride 2); ``stages``, channels and blocks of each, halving resolution after the first; ``attention``,
    # heads of self-attention (0: none); ``dense``, ``dense_blocks``, ``dropout``.
    x = layers.Conv1D(sizes["stem"], 9, strides=2, padding="same", activation="silu")(inputs["features"])
    for channels, blocks in sizes["stages"]:
        x = layers.Conv1D(channels, 3, strides=2, padding="same", activation="silu")(x)
        for _ in range(blocks):
            x = _residual(x, channels)
    if sizes.get("attention"):
        x = _attending(x, sizes["attention"])
    x = layers.Flatten()(x)
    x = layers.Dense(sizes["dense"])(x)
    for _ in range(sizes["dense_blocks"]):
        x = dense_block(x, sizes)
    return layers.LayerNormalization(epsilon=1e-5)(x)


def _attending(x: Any, heads: int) -> Any:
    """Every place looks at every other (Vaswani et al., NeurIPS 2017); convolutions look at neighbours."""
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    return layers.Add()([x, layers.MultiHeadAttention(heads, max(x.shape[-1] // heads, 1))(y, y)])


def dense_block(x: Any, sizes: Mapping[str, Any]) -> Any:
    """A residual block of a dense layer of twice the width."""
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dense(2 * sizes["dense"], activation="silu")(y)
    if sizes["dropout"]:
        y = layers.Dropout(sizes["dropout"])(y)
    return layers.Add()([x, layers.Dense(sizes["dense"])(y)])


def _residual(x: Any, channels: int) -> Any:
    # The last convolution starts at zero, so that a block begins as the identity and needs no
    # normalisation, which costs more than a convolution on a CPU (Zhang et al., Fixup, ICLR 2019).
    y = layers.Conv1D(channels, 3, padding="same", activation="silu")(x)
    y = layers.Conv1D(channels, 3, padding="same", kernel_initializer="zeros")(y)
    return layers.Activation("silu")(layers.Add()([x, y]))
