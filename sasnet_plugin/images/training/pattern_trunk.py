"""Trunks for patterns under grazing incidence: a small DenseNet or a Keras application.

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

from ...train.trunks import TRUNK, adopt, dense_block
from ...types import SasnetError
from ..reading.features import CHANNELS, N_PICTURES

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
    """The mean of both sides of the specular rod, (n, rows, columns / 2, channels), from the middle
    outwards.
    """
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
