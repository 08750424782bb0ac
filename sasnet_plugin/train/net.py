"""The network: a residual convolutional trunk over log q and heads for each question asked of a curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import keras
from keras import layers, ops

from ..data.preprocess import N_CHANNELS, N_GRID
from .heads import Heads


@dataclass(frozen=True)
class NetConfig:
    """Size of the network.

    Parameters
    ----------
    stem : int
        Channels of the first convolution (kernel 9, stride 2).
    stages : tuple of (int, int)
        Channels and residual blocks of each stage; stages after the first halve the resolution.
    dense : int
        Width of the dense residual part.
    dense_blocks : int
    dropout : float
    """

    stem: int = 32
    stages: tuple[tuple[int, int], ...] = ((64, 1), (128, 2), (256, 1))
    dense: int = 512
    dense_blocks: int = 2
    dropout: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> NetConfig:
        """From `to_dict`, also when it has been through JSON."""
        return cls(**{**raw, "stages": tuple(tuple(stage) for stage in raw["stages"])})


def build(labels: Mapping[str, Any], config: NetConfig | None = None) -> keras.Model:
    """Build the network for the ``forms`` and ``structure_factors`` of a data set."""
    return build_net(len(labels["forms"]), len(labels["structure_factors"]), config)


def build_net(n_forms: int, n_factors: int, config: NetConfig | None = None) -> keras.Model:
    """Build the network.

    Convolutions see features wherever they lie in log q: a body twice the size is the same curve moved.
    The dense part knows where it lies, as sizes and windows are not all equally likely.

    Parameters
    ----------
    n_forms, n_factors : int
        Form models; structure factors (without "none").
    config : NetConfig, optional

    Returns
    -------
    keras.Model
        From ``features`` (n, N_GRID, N_CHANNELS) to a dict of logits ``form`` (n, n_forms),
        ``structure_factor`` (n, n_forms, 1 + n_factors), ``scope`` (n, 1) and ``size`` (n, 2): log10 Rg in Å
        and the log of its standard deviation.
    """
    config = config or NetConfig()
    inputs = keras.Input((N_GRID, N_CHANNELS), name="features")
    x = layers.Conv1D(config.stem, 9, strides=2, padding="same", activation="silu")(inputs)
    for channels, blocks in config.stages:
        x = layers.Conv1D(channels, 3, strides=2, padding="same", activation="silu")(x)
        for _ in range(blocks):
            x = _residual(x, channels)
    x = layers.Flatten()(x)
    x = layers.Dense(config.dense)(x)
    for _ in range(config.dense_blocks):
        y = layers.LayerNormalization(epsilon=1e-5)(x)
        y = layers.Dense(2 * config.dense, activation="silu")(y)
        if config.dropout:
            y = layers.Dropout(config.dropout)(y)
        x = layers.Add()([x, layers.Dense(config.dense)(y)])
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    factor = layers.Dense(n_forms * (1 + n_factors), name="factor_logits", dtype="float32")(x)
    # Named in one place, so that the exported file's outputs carry the names of the heads.
    outputs = {
        "form": layers.Dense(n_forms, name="form", dtype="float32")(x),
        "structure_factor": layers.Reshape(
            (n_forms, 1 + n_factors), name="structure_factor", dtype="float32"
        )(factor),
        "scope": layers.Dense(1, name="scope", dtype="float32")(x),
        "size": layers.Dense(2, name="size", dtype="float32")(x),
    }
    return Sas1D(inputs, outputs, name="curves")


class Sas1D(Heads):
    """The network for curves."""

    weights_of_losses = {"form": 1.0, "structure_factor": 0.5, "scope": 0.5, "size": 0.05}

    def losses_of(self, outputs: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
        """See `losses`."""
        return losses(outputs, answers)


def _residual(x: Any, channels: int) -> Any:
    # The last convolution starts at zero, so that a block begins as the identity and needs no
    # normalisation, which costs more than a convolution on a CPU (Zhang et al., Fixup, ICLR 2019).
    y = layers.Conv1D(channels, 3, padding="same", activation="silu")(x)
    y = layers.Conv1D(channels, 3, padding="same", kernel_initializer="zeros")(y)
    return layers.Activation("silu")(layers.Add()([x, y]))


def losses(outputs: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """Loss of each head, averaged over the examples it applies to.

    Parameters
    ----------
    outputs : dict
        Of the network.
    answers : dict of arrays
        ``form`` (n,) int, -1 for a stranger; ``structure_factor`` (n,) int; ``allowed`` (n, 1 + n_factors),
        0 where the true form takes that structure factor and very negative where not; ``in_scope`` (n,);
        ``log_rg`` (n,) and ``has_rg`` (n,).

    Returns
    -------
    dict of scalars
        ``form``: cross-entropy; ``structure_factor``: cross-entropy given the true form;
        ``scope``: binary cross-entropy; ``size``: Gaussian negative log likelihood of log10 Rg.
    """
    known = ops.cast(answers["in_scope"], "float32")
    n_known = ops.maximum(ops.sum(known), 1.0)
    form = ops.maximum(answers["form"], 0)
    n_forms = outputs["form"].shape[-1]
    one_hot = ops.one_hot(form, n_forms, dtype="float32")

    log_p = ops.log_softmax(outputs["form"], axis=-1)
    form_loss = -ops.sum(known * ops.sum(one_hot * log_p, axis=-1)) / n_known

    given = ops.sum(one_hot[..., None] * outputs["structure_factor"], axis=1) + answers["allowed"]
    log_s = ops.log_softmax(given, axis=-1)
    picked = ops.one_hot(answers["structure_factor"], log_s.shape[-1], dtype="float32")
    factor_loss = -ops.sum(known * ops.sum(picked * log_s, axis=-1)) / n_known

    logit = outputs["scope"][:, 0]
    scope_loss = ops.mean(ops.softplus(logit) - known * logit)

    mean, log_sigma = outputs["size"][:, 0], ops.clip(outputs["size"][:, 1], -4.0, 2.0)
    has_rg = ops.cast(answers["has_rg"], "float32")
    miss = (answers["log_rg"] - mean) * ops.exp(-log_sigma)
    # Far outliers (a Guinier region below the window) must not drown the rest.
    nll = ops.minimum(0.5 * ops.square(miss), 20.0 + 0.1 * ops.abs(miss)) + log_sigma
    size_loss = ops.sum(has_rg * nll) / ops.maximum(ops.sum(has_rg), 1.0)
    return {"form": form_loss, "structure_factor": factor_loss, "scope": scope_loss, "size": size_loss}
