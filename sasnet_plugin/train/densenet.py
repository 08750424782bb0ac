"""Networks for patterns over exit angles: a small DenseNet, or any of Keras' applications, and the heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ..data.images.features import N_CHANNELS, N_PICTURES
from ..simulate.gisas.reading import RESOLUTION
from .heads import Heads, gaussian_score

#: What the names of a small trunk's layers begin with.
TRUNK = "trunk_"
#: Period of the rotation angle and its bins.
PERIOD = 60.0
#: The band's quantiles.
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True)
class DenseConfig:
    """Size of the network.

    Parameters
    ----------
    trunk : str
        ``"small"``, or the name of one of Keras' applications: ``"DenseNet169"`` is the seed's.
    weights : str
        What the trunk begins with: for an application a file of its weights, as Keras writes them; for the
        small one the folder of a finished training run, of any domain. Empty: from scratch.
    stem : int
        Filters of the first convolution. It goes down the rows four by four: along alpha_f a pattern is
        smooth, across it peaks are narrow.
    blocks : tuple of (int, int)
        Layers and growth of each dense block; between two, half of the channels and of each axis are left.
    dense : int
        Width of the dense part.
    dropout : float
    """

    trunk: str = "small"
    weights: str = ""
    stem: int = 32
    blocks: tuple[tuple[int, int], ...] = ((2, 16), (4, 16), (5, 32))
    dense: int = 256
    dropout: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a manifest; of the file of weights its name alone."""
        return {**asdict(self), "weights": Path(self.weights).name}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> DenseConfig:
        """From `to_dict`, also when it has been through JSON, for a network whose weights are loaded next."""
        blocks = tuple((int(n), int(g)) for n, g in raw["blocks"])
        return cls(**{**raw, "blocks": blocks, "weights": ""})


def build_net(labels: Mapping[str, Any], config: DenseConfig | None = None) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    labels : mapping
        ``rows``, ``columns``, ``n_xi`` and the list ``nuisance``.
    config : DenseConfig, optional

    Returns
    -------
    keras.Model
        From ``features`` (n, rows, columns, N_CHANNELS) to a dict: ``xi`` (n, n_xi) logits of p(ξ);
        ``xi_band`` (n, n_xi, 2) the `LOW` and `HIGH` quantile of √(n_xi p) where p is averaged over
        `RESOLUTION`; ``geometry`` (n, quantities, 2) mean and log standard deviation, scaled; ``scope``
        (n, 1) logit that the pattern is of the known kind.
    """
    config = config or DenseConfig()
    n_xi, quantities = int(labels["n_xi"]), len(labels["nuisance"])
    inputs = keras.Input((int(labels["rows"]), int(labels["columns"]), N_CHANNELS), name="features")
    pictures, stated = inputs[..., :N_PICTURES], inputs[:, 0, 0, N_PICTURES:]
    if config.trunk == "small":
        x = two_sides(pictures, stated, config)
    else:
        x = application_trunk(pictures, config)
    x = top(x, stated, config)
    band = layers.Dense(2 * n_xi, name="band_flat", dtype="float32")(x)
    nuisance = layers.Dense(2 * quantities, name="nuisance_flat", dtype="float32")(x)
    outputs = {
        "xi": layers.Dense(n_xi, name="xi", dtype="float32")(x),
        "xi_band": layers.Reshape((n_xi, 2), name="xi_band", dtype="float32")(band),
        "geometry": layers.Reshape((quantities, 2), name="geometry", dtype="float32")(nuisance),
        "scope": layers.Dense(1, name="scope", dtype="float32")(x),
    }
    return begun(Orientation(inputs, outputs, name="orientation"), config)


def begun(net: keras.Model, config: DenseConfig) -> keras.Model:
    """The network; a small trunk begins with the weights of the run that its configuration names."""
    if config.trunk == "small" and config.weights:
        from .transfer import adopt_trunk

        adopt_trunk(net, Path(config.weights))
    return net


def top(x: Any, stated: Any, config: DenseConfig) -> Any:
    """From what a trunk saw, (n, any), and the stated numbers to what the heads read, (n, dense)."""
    x = layers.Concatenate()([x, stated])
    x = layers.Dense(config.dense)(x)
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dense(2 * config.dense, activation="silu")(y)
    if config.dropout:
        y = layers.Dropout(config.dropout)(y)
    x = layers.Add()([x, layers.Dense(config.dense)(y)])
    return layers.LayerNormalization(epsilon=1e-5)(x)


def two_sides(pictures: Any, stated: Any, config: DenseConfig) -> Any:
    """Sum and difference of what one small DenseNet sees on either side of the specular rod.

    Convolutions compare neighbours; what tells a rotation from its mirror image is the difference of pixels
    at φ and −φ, which are far apart. Seen from the middle outwards, the two sides of a mirrored pattern are
    exchanged: the sum stays and the difference changes its sign.
    """
    columns = pictures.shape[2] // 2
    half = keras.Input((pictures.shape[1], columns, N_PICTURES))
    numbers = keras.Input((stated.shape[1],))
    side = keras.Model([half, numbers], layers.Flatten()(small_trunk(half, numbers, config)), name="side")
    right = side([pictures[:, :, columns:], stated])
    left = side([ops.flip(pictures[:, :, :columns], axis=2), stated])
    return layers.Concatenate()([layers.Add()([right, left]), layers.Subtract()([right, left])])


def small_trunk(pictures: Any, stated: Any, config: DenseConfig) -> Any:
    """A DenseNet (Huang et al., CVPR 2017, arXiv:1608.06993) without normalisation, which on a CPU costs more
    than its convolutions.

    Level, wavelength and incidence enter after the first convolution, the same in every place.
    """
    # Names, so that another network's trunk can take these weights over (`transfer.adopt_trunk`).
    x = layers.Conv2D(
        config.stem,
        (8, 5),
        strides=(4, 2),
        padding="same",
        kernel_initializer="he_normal",
        name=f"{TRUNK}stem",
    )(pictures)
    level = layers.Dense(config.stem, name=f"{TRUNK}stated")(stated)
    x = layers.Add()([x, layers.Reshape((1, 1, config.stem))(level)])
    x = layers.Activation("silu")(x)
    for index, (count, growth) in enumerate(config.blocks):
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


def application_trunk(pictures: Any, config: DenseConfig) -> Any:
    """One of Keras' applications without its top, with the user's weights if a file is named.

    Raises
    ------
    SasnetError
        There is no such application, or the file holds other weights.
    """
    from .transfer import application

    x = layers.Conv2D(3, 1, name="as_colours")(pictures)
    body = application(config.trunk, tuple(x.shape[1:]), config.weights)
    return layers.GlobalAveragePooling2D()(body(x))


class Orientation(Heads):
    """The network for p(ξ)."""

    # The first is the figure that is judged, in units of three degrees; the others are proper scores.
    weights_of_losses = {"distance": 1.0, "xi": 0.15, "band": 1.0, "nuisance": 0.03, "scope": 0.3}

    def losses_of(self, outputs: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
        """See `losses`."""
        return losses(outputs, answers)


def losses(outputs: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """Loss of each head, averaged over the patterns it applies to.

    Parameters
    ----------
    outputs : dict
        Of the network.
    answers : dict of arrays
        ``p`` (n, n_xi), ``nuisance`` (n, quantities) scaled, ``in_scope`` (n,) 0 for a stranger.

    Returns
    -------
    dict of scalars
        ``distance``: circular W1 between p and its truth over three degrees; ``xi``: cross-entropy of the
        truth averaged over half of `RESOLUTION`; ``band``: pinball losses of the two quantiles (Koenker &
        Bassett, Econometrica 46 (1978) 33); ``nuisance``: Gaussian negative log likelihood; ``scope``: binary
        cross-entropy.
    """
    known = ops.cast(answers["in_scope"], "float32")
    n_known = ops.maximum(ops.sum(known), 1.0)
    truth = ops.convert_to_tensor(answers["p"])
    n_xi = truth.shape[-1]

    def mean(values: Any) -> Any:
        return ops.sum(known * values) / n_known

    p = ops.softmax(outputs["xi"], axis=-1)
    distance = circular_w1(p, truth) / 3.0

    finer = ops.matmul(truth, smoothing(n_xi, RESOLUTION / 2))
    log_p = ops.log_softmax(outputs["xi"], axis=-1)
    cross = -ops.sum(finer * log_p, axis=-1)

    height = ops.sqrt(n_xi * ops.matmul(truth, smoothing(n_xi, RESOLUTION)) + 1e-8)
    miss_low = height - outputs["xi_band"][..., 0]
    miss_high = height - outputs["xi_band"][..., 1]
    band = ops.mean(_pinball(miss_low, LOW) + _pinball(miss_high, HIGH), axis=-1)

    score = gaussian_score(outputs["geometry"], answers["nuisance"])
    logit = outputs["scope"][:, 0]
    return {
        "distance": mean(distance),
        "xi": mean(cross),
        "band": mean(band),
        "nuisance": mean(ops.sum(score, axis=-1)),
        "scope": ops.mean(ops.softplus(logit) - known * logit),
    }


def circular_w1(p: Any, truth: Any) -> Any:
    """Least work that turns one distribution into another around the period, degrees, (n,).

    Notes
    -----
    W1 = min over c of ∫ |P − Q − c| (Rabin et al., J. Math. Imaging Vision 41 (2011) 147); the best
    c is the median of the difference of the distribution functions.
    """
    n_xi = truth.shape[-1]
    difference = ops.cumsum(p - truth, axis=-1)
    ordered = ops.sort(difference, axis=-1)
    median = ops.stop_gradient(0.5 * (ordered[:, n_xi // 2 - 1] + ordered[:, n_xi // 2]))
    return ops.mean(ops.abs(difference - median[:, None]), axis=-1) * PERIOD


def smoothing(n_xi: int, fwhm: float) -> np.ndarray:
    """Matrix that averages a distribution with a Gaussian around the period, (n_xi, n_xi) float32."""
    sigma = fwhm / np.sqrt(8 * np.log(2)) * n_xi / PERIOD
    steps = np.arange(n_xi)
    apart = np.abs(steps[:, None] - steps)
    apart = np.minimum(apart, n_xi - apart)
    weight = np.exp(-0.5 * (apart / sigma) ** 2)
    return np.asarray(weight / weight.sum(axis=0), dtype=np.float32)


def _pinball(miss: Any, quantile: float) -> Any:
    return ops.maximum(quantile * miss, (quantile - 1) * miss)
