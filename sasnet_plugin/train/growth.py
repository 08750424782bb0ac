"""The network for growing films: the trunk of `densenet`, and a mean and an error for each quantity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ..data.images.features import CHANNELS, N_CHANNELS, N_PICTURES
from .densenet import DenseConfig, application_trunk, begun, small_trunk, top
from .heads import Heads, gaussian_score

#: Pictures that are looked at: a film without direction is alike on both sides, their difference is noise.
_PICTURES = CHANNELS.index("asymmetry")
#: Level, wavelength and incidence as these films have them, in the units of the features (whose scale is that
#: of another instrument): 0.97 ± 0.03 Å, 0.45 ± 0.09 degrees.
_CENTRE = np.array([0.0, -2.53, 9.2], dtype=np.float32)
_SCALE = np.array([1.0, 0.2, 2.9], dtype=np.float32)


def build_net(labels: Mapping[str, Any], config: DenseConfig | None = None) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    labels : mapping
        ``rows``, ``columns`` and the list ``quantities``.
    config : DenseConfig, optional

    Returns
    -------
    keras.Model
        From ``features`` (n, rows, columns, N_CHANNELS) to a dict: ``quantities`` (n, quantities, 2) mean and
        log standard deviation, scaled; ``scope`` (n, 1) logit that the pattern is of the known kind.
    """
    config = config or DenseConfig()
    n = len(labels["quantities"])
    inputs = keras.Input((int(labels["rows"]), int(labels["columns"]), N_CHANNELS), name="features")
    pictures = folded(inputs[..., :_PICTURES])
    stated = (inputs[:, 0, 0, N_PICTURES:] - _CENTRE) / _SCALE
    if config.trunk == "small":
        x = layers.Flatten()(small_trunk(pictures, stated, config))
    else:
        x = application_trunk(pictures, config)
    x = top(x, stated, config)
    flat = layers.Dense(2 * n, name="quantities_flat", dtype="float32")(x)
    outputs = {
        "quantities": layers.Reshape((n, 2), name="quantities", dtype="float32")(flat),
        "scope": layers.Dense(1, name="scope", dtype="float32")(x),
    }
    return begun(Growth(inputs, outputs, name="growth"), config)


def folded(pictures: Any) -> Any:
    """The mean of both sides of the specular rod, (n, rows, columns / 2, channels), from the middle outwards.

    A film without direction scatters alike to both sides: half as many pixels, each with twice the counts,
    and an answer that a mirror does not change. Where one side is masked the other stands for both; the last
    channel, what was measured, becomes the share of the two.
    """
    columns = pictures.shape[2] // 2
    right, left = pictures[:, :, columns:], ops.flip(pictures[:, :, :columns], axis=2)
    measured = right[..., -1:] + left[..., -1:]
    # Masked pixels are 0 already.
    seen = (right[..., :-1] + left[..., :-1]) / ops.maximum(measured, 1.0)
    return ops.concatenate([seen, measured / 2], axis=-1)


class Growth(Heads):
    """The network for growing films."""

    #: Its maps show one side for both.
    one_side = True

    weights_of_losses = {"quantities": 1.0, "scope": 0.5}

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
        ``quantities`` (n, quantities) scaled, ``in_scope`` (n,) 0 for a stranger.

    Returns
    -------
    dict of scalars
        ``quantities``: Gaussian negative log likelihood, summed over them; ``scope``: binary cross-entropy.
    """
    known = ops.cast(answers["in_scope"], "float32")
    score = ops.sum(gaussian_score(outputs["quantities"], answers["quantities"]), axis=-1)
    logit = outputs["scope"][:, 0]
    return {
        "quantities": ops.sum(known * score) / ops.maximum(ops.sum(known), 1.0),
        "scope": ops.mean(ops.softplus(logit) - known * logit),
    }
