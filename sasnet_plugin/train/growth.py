"""The network for growing films: the trunk of `densenet`, and a mean and an error for each quantity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from .densenet import DenseConfig, body
from .heads import Heads, gaussian_score

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
    n = len(labels["quantities"])
    inputs, x = body(
        int(labels["rows"]), int(labels["columns"]), config or DenseConfig(), centre=_CENTRE, scale=_SCALE
    )
    flat = layers.Dense(2 * n, name="quantities_flat", dtype="float32")(x)
    outputs = {
        "quantities": layers.Reshape((n, 2), name="quantities", dtype="float32")(flat),
        "scope": layers.Dense(1, name="scope", dtype="float32")(x),
    }
    return Growth(inputs, outputs, name="growth")


class Growth(Heads):
    """The network for growing films."""

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
