"""A trunk for images in rings about a beam: the rings' profile, and a map that closes around the beam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers, ops


def rings_and_map(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """Convolutions over the rings' profile, and over a map of ring and azimuth; (n, dense).

    Parameters
    ----------
    inputs : mapping
        ``profile`` (n, rings, channels), ``map`` (n, rings, sectors, channels).
    sizes : mapping
        ``profile``, ``map``: channels of the convolutions, each halves the rings, on the map also the
        sectors; ``dense``; ``dropout``.

    Returns
    -------
    (n, dense) tensor
    """
    x = inputs["profile"]
    for number, channels in enumerate(sizes["profile"]):
        x = layers.Conv1D(channels, 3 if number else 7, strides=2, padding="same", activation="silu")(x)
        y = layers.Conv1D(channels, 3, padding="same", activation="silu")(x)
        y = layers.Conv1D(channels, 3, padding="same", kernel_initializer="zeros")(y)
        x = layers.Activation("silu")(layers.Add()([x, y]))
    # What lies where, and what there is of it anywhere.
    seen = [layers.Flatten()(layers.Conv1D(24, 1, activation="silu")(x)), layers.GlobalMaxPooling1D()(x)]
    z = inputs["map"]
    for channels in sizes["map"]:
        z = layers.Conv2D(channels, 3, strides=2, activation="silu", kernel_initializer="he_normal")(
            _closed(z)
        )
    # Around the beam nothing is first: mean and largest over the azimuth, ring by ring.
    around = ops.concatenate([ops.mean(z, axis=2), ops.max(z, axis=2)], axis=-1)
    seen += [layers.Flatten()(layers.Conv1D(48, 1, activation="silu")(around)), ops.max(around, axis=1)]
    x = layers.Dense(sizes["dense"], activation="silu")(layers.Concatenate()(seen))
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dropout(sizes["dropout"])(layers.Dense(sizes["dense"], activation="silu")(x))
    return layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, layers.Dense(sizes["dense"])(y)]))


def _closed(z: Any) -> Any:
    """One more ring of nothing on either side, and around the azimuth the last sector before the first."""
    z = ops.concatenate([z[:, :, -1:], z, z[:, :, :1]], axis=2)
    return ops.pad(z, ((0, 0), (1, 1), (0, 0), (0, 0)))
