"""Trunks of networks for images: patterns under grazing incidence, rings and polar maps about a beam.

The DenseNet is used as suits a pattern's symmetry. They take ``features`` (n, rows, columns, N_CHANNELS):
pictures first, then numbers that are the same in every pixel (level, wavelength, incidence). Sizes are

- ``trunk``: "small", or the name of one of Keras' applications: "DenseNet169" is the seed's;
- ``weights``: what the trunk begins with: for an application a file of its weights, as Keras writes them; for
  the small one the folder of a finished training run, of any domain; empty: from scratch;
- ``stem``: filters of the first convolution, which goes down the rows four by four: along alpha_f a
  pattern is smooth, across it peaks are narrow;
- ``blocks``: layers and growth of each dense block; between two, half of the channels and of each axis are
  left;
- ``dense``, ``dropout``: of the dense part.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ...train.network import TRUNK, adopt, dense_block
from ...types import SasnetError
from ..features import CHANNELS, N_PICTURES

# --- A trunk for images about a beam: profile over rings, map that closes around the beam, image,
# --- few facts.


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


# --- A trunk for what is seen in rings about a beam, over ln q: fringes at any size, and where they
# --- lie.


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


# --- Trunks for patterns under grazing incidence: a small DenseNet or a Keras application.

#: What Keras' loaders raise for a file that is none, or of other layers or shapes; where some layers find
#: nothing in the file they only warn.
_REFUSED = (OSError, ValueError, KeyError, AttributeError, UserWarning)


def application(name: str, shape: tuple[int, ...], weights: str = "") -> Any:
    """Build an application of ``keras.applications``, such as "DenseNet169", without its top, for three
    colours. `weights` is a ``save_weights`` file with or without the top; empty: from scratch, nothing is
    downloaded. Raises SasnetError for unknown names or files.
    """
    build = getattr(keras.applications, name, None)
    if not callable(build):
        known_names = ", ".join(sorted(k for k in dir(keras.applications) if k[0].isupper()))
        raise SasnetError(f"{name}: Keras has no such application; choose one of {known_names}, or small.")
    try:
        body = build(include_top=False, weights=None, input_shape=shape)
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise SasnetError(f"{name}: cannot be built for pictures of {shape} ({reason}).") from None
    if weights:
        _load(body, build, name, Path(weights))
    return body


def _load(body: Any, build: Any, name: str, path: Path) -> None:
    if not path.is_file():
        raise SasnetError(f"{path}: there is no such file of weights; check the path.")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            body.load_weights(path)
            return
        except _REFUSED:
            pass
        whole = build(include_top=True, weights=None)
        try:
            whole.load_weights(path)
        except _REFUSED:
            raise SasnetError(
                f"{path}: does not hold weights of Keras' {name}; save them with its save_weights()."
            ) from None
    adopt(body, whole)


#: Pictures that are looked at: a film without direction is alike on both sides, their difference is noise.
_PICTURES = CHANNELS.index("asymmetry")
#: Level, wavelength and incidence as these films have them, in the units of the features (whose scale is that
#: of another instrument): 0.97 ± 0.03 Å, 0.45 ± 0.09 degrees.
_CENTRE = np.array([0.0, -2.53, 9.2], dtype=np.float32)
_SCALE = np.array([1.0, 0.2, 2.9], dtype=np.float32)


def two_sides(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """Both sides of the specular rod, with what tells one from the other; (n, dense)."""
    pictures, stated = _parts(inputs, N_PICTURES)
    if sizes["trunk"] != "small":
        return _top(_application(pictures, sizes), stated, sizes)
    return _top(_sum_and_difference(pictures, stated, sizes), stated, sizes)


def one_side(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """The mean of both sides, of films without direction; (n, dense)."""
    pictures, stated = _parts(inputs, _PICTURES)
    pictures, stated = fold(pictures), (stated - _CENTRE) / _SCALE
    if sizes["trunk"] != "small":
        return _top(_application(pictures, sizes), stated, sizes)
    return _top(layers.Flatten()(small(pictures, stated, sizes)), stated, sizes)


def _parts(inputs: Mapping[str, Any], pictures: int) -> tuple[Any, Any]:
    features = inputs["features"]
    return features[..., :pictures], features[:, 0, 0, N_PICTURES:]


def _top(x: Any, stated: Any, sizes: Mapping[str, Any]) -> Any:
    """Build from a trunk's output (n, any) and stated numbers what the heads read, (n, dense)."""
    x = layers.Dense(sizes["dense"])(layers.Concatenate()([x, stated]))
    return layers.LayerNormalization(epsilon=1e-5)(dense_block(x, sizes))


def _sum_and_difference(pictures: Any, stated: Any, sizes: Mapping[str, Any]) -> Any:
    """Sum and difference of what one small DenseNet sees on either side of the specular rod."""
    # Convolutions compare neighbours; what tells a rotation from its mirror image is the difference of pixels
    # at φ and −φ, which are far apart. Seen from the middle outwards, the two sides of a mirrored pattern are
    # exchanged: the sum stays and the difference changes its sign.
    columns = pictures.shape[2] // 2
    half = keras.Input((pictures.shape[1], columns, N_PICTURES))
    numbers = keras.Input((stated.shape[1],))
    side = keras.Model([half, numbers], layers.Flatten()(small(half, numbers, sizes)), name="side")
    right = side([pictures[:, :, columns:], stated])
    left_half = side([ops.flip(pictures[:, :, :columns], axis=2), stated])
    return layers.Concatenate()([layers.Add()([right, left_half]), layers.Subtract()([right, left_half])])


def fold(pictures: Any) -> Any:
    """The mean of both sides of the specular rod, (n, rows, columns / 2, channels), from the middle out."""
    # A film without direction scatters alike to both sides: half as many pixels, each with twice the counts,
    # and an answer that a mirror does not change. Where one side is masked the other stands for both; the
    # last channel, what was measured, becomes the share of the two.
    columns = pictures.shape[2] // 2
    right, left_half = pictures[:, :, columns:], ops.flip(pictures[:, :, :columns], axis=2)
    measured = right[..., -1:] + left_half[..., -1:]
    # Masked pixels are 0 already.
    mean_intensity = (right[..., :-1] + left_half[..., :-1]) / ops.maximum(measured, 1.0)
    return ops.concatenate([mean_intensity, measured / 2], axis=-1)


def small(pictures: Any, stated: Any, sizes: Mapping[str, Any]) -> Any:
    """A DenseNet (Huang et al., CVPR 2017, arXiv:1608.06993) without normalisation, which on a CPU costs more
    than its convolutions.
    """
    # Level, wavelength and incidence enter after the first convolution, the same in every place.
    # Names, so that another network's trunk can take these weights over (`network.adopt_trunk`).
    x = layers.Conv2D(
        sizes["stem"],
        (8, 5),
        strides=(4, 2),
        padding="same",
        kernel_initializer="he_normal",
        name=f"{TRUNK}stem",
    )(pictures)
    level = layers.Dense(sizes["stem"], name=f"{TRUNK}stated")(stated)
    x = layers.Add()([x, layers.Reshape((1, 1, sizes["stem"]))(level)])
    x = layers.Activation("silu")(x)
    for index, (count, growth) in enumerate(sizes["blocks"]):
        if index:
            x = _conv(x.shape[-1] // 2, 1, f"halved{index}")(x)
            x = layers.AveragePooling2D(2)(x)
        for number in range(count):
            y = _conv(growth, 3, f"block{index}_{number}")(x)
            x = layers.Concatenate()([x, y])
    return _conv(40, 1, "last")(x)


def _conv(filters: int, size: int, name: str) -> Any:
    return layers.Conv2D(
        filters,
        size,
        padding="same",
        activation="silu",
        kernel_initializer="he_normal",
        name=f"{TRUNK}{name}",
    )


def _application(pictures: Any, sizes: Mapping[str, Any]) -> Any:
    """Build one with the user's weights, if a file is named; errors as `application`."""
    x = layers.Conv2D(3, 1, name="as_colours")(pictures)
    body = application(sizes["trunk"], tuple(x.shape[1:]), sizes["weights"])
    return layers.GlobalAveragePooling2D()(body(x))
