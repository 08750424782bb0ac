"""A trunk for images about a beam: profile over rings, map that closes around the beam, image, few facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers, ops


def build_beam_trunk(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """Build convolutions over each input and a joint dense block, (n, dense)."""
    # Inputs: ``profile`` (n, rings, channels) over log distance, ``map`` (n, rings, sectors, channels),
    # ``picture`` (n, rows, columns, channels), ``beam`` (n, facts). Sizes: channels of each, halving all
    # axes; ``steps`` of the profile's first residual blocks; ``dense``; ``dropout``.
    features = [
        *_profile(inputs["profile"], sizes["profile"], sizes["steps"]),
        *_map(inputs["map"], sizes["map"]),
        *_picture(inputs["picture"], sizes["picture"]),
        inputs["beam"],
    ]
    x = layers.Dense(sizes["dense"], activation="silu")(layers.Concatenate()(features))
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dropout(sizes["dropout"])(layers.Dense(sizes["dense"], activation="silu")(x))
    return layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, layers.Dense(sizes["dense"])(y)]))


def _profile(x: Any, channels: Any, steps: Any) -> list[Any]:
    """What lies where, and what there is of it anywhere: orders lie alike wherever the first one is."""
    for number, wide in enumerate(channels):
        x = layers.Conv1D(wide, 3 if number else 7, strides=2, padding="same", activation="silu")(x)
        for step in steps if not number else (1,):
            y = layers.Conv1D(wide, 5, dilation_rate=step, padding="same", activation="silu")(x)
            y = layers.Conv1D(wide, 1, kernel_initializer="zeros")(y)
            x = layers.Activation("silu")(layers.Add()([x, y]))
    local_features = layers.Flatten()(layers.Conv1D(16, 1, activation="silu")(x))
    return [local_features, layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)]


def _map(z: Any, channels: Any) -> list[Any]:
    """Around the beam nothing is first: mean and largest over the azimuth, ring by ring."""
    for wide in channels:
        z = layers.Conv2D(wide, 3, strides=2, activation="silu", kernel_initializer="he_normal")(
            _close_ring(z)
        )
    y = layers.Conv2D(channels[-1], 3, activation="silu", kernel_initializer="he_normal")(_close_ring(z))
    z = layers.Add()([z, layers.Conv2D(channels[-1], 1, kernel_initializer="zeros")(y)])
    around = ops.concatenate([ops.mean(z, axis=2), ops.max(z, axis=2)], axis=-1)
    local_features = layers.Flatten()(layers.Conv1D(32, 1, activation="silu")(around))
    return [local_features, ops.max(around, axis=1), ops.mean(around, axis=1)]


def _close_ring(z: Any) -> Any:
    """One more ring of nothing on either side, and around the azimuth the last sector before the first."""
    z = ops.concatenate([z[:, :, -1:], z, z[:, :, :1]], axis=2)
    return ops.pad(z, ((0, 0), (1, 1), (0, 0), (0, 0)))


def _picture(z: Any, channels: Any) -> list[Any]:
    for wide in channels:
        z = layers.Conv2D(
            wide, 3, strides=2, padding="same", activation="silu", kernel_initializer="he_normal"
        )(z)
    y = layers.Conv2D(channels[-1], 3, padding="same", activation="silu", kernel_initializer="he_normal")(z)
    z = layers.Add()([z, layers.Conv2D(channels[-1], 1, kernel_initializer="zeros")(y)])
    return [layers.GlobalMaxPooling2D()(z), layers.GlobalAveragePooling2D()(z)]
