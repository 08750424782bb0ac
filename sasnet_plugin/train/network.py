"""The trunk for curves: residual convolutions over log q; and what trunks of all kinds share.

Examples without a label for a head (NaN, or −1 of a class) do not count in its loss.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ..domains import Domain, specification
from ..domains.heads import (
    FRAME_MASK,
    Classes,
    Distribution,
    Embedding,
    Head,
    Quantities,
    Scope,
    Tags,
    outputs_of,
)
from ..types import SasnetError

# --- The trunk for curves: residual convolutions over log q; and what trunks of all kinds share.

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


# --- What each type of head adds to a network: its outputs, and the loss that compares them with
# --- what is true.

#: The quantiles of a distribution's band.
LOW, HIGH = 0.05, 0.95
#: Parts of a distribution's loss: the first is the figure that is reported, in units of three degrees; the
#: others are proper scores.
_DISTANCE, _CROSS, _BAND = 1.0, 0.15, 1.0
_FORBIDDEN = -1e9
#: Among the targets, before a head's name: what an earlier network answers, NaN where that does not count.
BEFORE = "before_"
#: Weight of these answers beside the truth: they say the same on average, and how sure one may be.
KEPT = 2.0


def outputs(heads: tuple[Head, ...], x: Any) -> dict[str, Any]:
    """The outputs of all heads, by name, of what a trunk says, (n, any)."""
    tensors = {}
    for name, shape in outputs_of(heads).items():
        if len(shape) == 1:
            tensors[name] = layers.Dense(shape[0], name=name, dtype="float32")(x)
        else:
            flat = layers.Dense(int(np.prod(shape)), name=f"{name}_flat", dtype="float32")(x)
            # Named in one place, so that the exported file's outputs carry these names.
            tensors[name] = layers.Reshape(shape, name=name, dtype="float32")(flat)
    return tensors


class Network(keras.Model):
    """A functional model whose loss is the weighted sum of its heads'."""

    heads: tuple[Head, ...] = ()
    #: Its maps show one side of a pattern for both.
    one_side = False

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Weighted sum of `losses`; `y` holds the targets by head, and what an earlier network answers."""
        total = sum(
            head.weight * losses(head, y_pred, y, self.heads) for head in self.heads if head.name in y
        )
        heads = [head for head in self.heads if BEFORE + head.name in y]
        return total + KEPT * sum(head.weight * as_before(head, y_pred, y, self.heads) for head in heads)


def losses(
    head: Head, found_outputs: Mapping[str, Any], targets: Mapping[str, Any], heads: tuple[Head, ...]
) -> Any:
    """Return a head's loss over labelled examples; targets as in `domains.heads`."""
    truth = ops.convert_to_tensor(targets[head.name])
    if isinstance(head, Classes):
        return _classes(head, found_outputs, truth, targets, heads)
    if isinstance(head, Scope):
        is_known = _finite(truth)
        # Not known is put out of the way before the loss: the slope of a NaN is one, whatever it is times.
        inside = ops.cast(ops.where(is_known, truth, 0.0), "float32")
        return _mean(_binary(found_outputs[head.name][:, 0], inside), is_known)
    if isinstance(head, Tags):
        return _tags(head, found_outputs[head.name], truth)
    if isinstance(head, Quantities):
        score = gaussian_score(found_outputs[head.name], truth)
        return _mean(ops.sum(score, axis=-1), ops.any(_finite(truth), axis=-1))
    if isinstance(head, Distribution):
        return _distribution(head, found_outputs, truth)
    assert isinstance(head, Embedding)
    return ops.zeros(())


def _classes(
    head: Classes,
    found_outputs: Mapping[str, Any],
    truth: Any,
    targets: Mapping[str, Any],
    heads: tuple[Head, ...],
) -> Any:
    """Cross-entropy; given another class, among the labels that go with it."""
    # Targets (n, labels) hold 1 for each label that is right: −ln of their probabilities' sum; rows of 0 have
    # no label.
    right = _right(truth, len(head.labels))
    logits, is_given = _logits(head, found_outputs, targets, heads)
    is_known = ops.logical_and(ops.any(right > 0, axis=-1), is_given)
    share = ops.logsumexp(ops.log_softmax(logits, axis=-1) + ops.where(right > 0, 0.0, _FORBIDDEN), axis=-1)
    return _mean(-share, is_known)


def _logits(
    head: Classes, found_outputs: Mapping[str, Any], targets: Mapping[str, Any], heads: tuple[Head, ...]
) -> tuple[Any, Any]:
    """Logits (n, labels), of what another class leaves where one is given, and whether it is known, (n,)."""
    logits = found_outputs[head.name]
    if not head.given:
        return logits, ops.ones_like(logits[:, 0], dtype="bool")
    earlier_head = next(is_single for is_single in heads if is_single.name == head.given)
    assert isinstance(earlier_head, Classes)
    right_labels = _right(ops.convert_to_tensor(targets[head.given]), len(earlier_head.labels))
    # Of one class alone it is known which labels go with it.
    is_single = ops.sum(right_labels, axis=-1) == 1
    right_labels = right_labels * ops.cast(is_single, "float32")[:, None]
    return ops.sum(right_labels[..., None] * logits, axis=1) + ops.matmul(
        right_labels, _forbidden(head, earlier_head)
    ), is_single


def as_before(
    head: Head, found_outputs: Mapping[str, Any], targets: Mapping[str, Any], heads: tuple[Head, ...]
) -> Any:
    """Cross-entropy with what an earlier network answers (`kept_answers`), where that counts."""
    earlier = ops.convert_to_tensor(targets[BEFORE + head.name])
    is_known = ops.all(_finite(earlier), axis=-1)
    earlier = ops.where(is_known[:, None], earlier, 0.0)
    if isinstance(head, Classes):
        logits, is_given = _logits(head, found_outputs, targets, heads)
        score = -ops.sum(earlier * ops.log_softmax(logits, axis=-1), axis=-1)
        return _mean(score, ops.logical_and(is_known, is_given))
    return _mean(ops.sum(_binary(found_outputs[head.name], earlier), axis=-1), is_known)


def _right(truth: Any, labels: int) -> Any:
    """Which labels are right, (n, labels) of 0 and 1, of classes (n,) or of such an array."""
    if len(truth.shape) == 2:
        return ops.cast(truth, "float32")
    is_known = ops.cast(truth >= 0, "float32")
    return ops.one_hot(ops.maximum(truth, 0), labels, dtype="float32") * is_known[:, None]


def _forbidden(head: Classes, earlier_head: Classes) -> np.ndarray:
    """(labels before, labels) float32: 0 where they go together, very negative where not."""
    table = np.full((len(earlier_head.labels), len(head.labels)), _FORBIDDEN, dtype=np.float32)
    table[:, 0] = 0
    for row, label in enumerate(earlier_head.labels):
        for allowed in head.allowed.get(label, ()):
            table[row, head.labels.index(allowed)] = 0
    return table


def _tags(head: Tags, logits: Any, truth: Any) -> Any:
    """Binary cross-entropy, summed over known tags; those that are there weigh as the head says."""
    is_known = _finite(truth)
    filled = ops.where(is_known, truth, 0.0)
    # A tensor: torch's refuse to be multiplied with an array before them.
    weight = ops.convert_to_tensor([head.positive_weight.get(label, 1.0) for label in head.labels], "float32")
    score = _binary(logits, filled) * (1 + (weight - 1) * filled) * ops.cast(is_known, "float32")
    return _mean(ops.sum(score, axis=-1), ops.any(is_known, axis=-1))


def _distribution(head: Distribution, found_outputs: Mapping[str, Any], truth: Any) -> Any:
    """Circular W1 over three degrees, cross-entropy of the truth averaged over half of the resolution, and
    pinball losses of the band's two quantiles (Koenker & Bassett, Econometrica 46 (1978) 33).
    """
    is_known = ops.all(_finite(truth), axis=-1)
    truth = ops.where(is_known[:, None], truth, 1.0 / head.bins)
    logits, band = found_outputs[head.name], found_outputs[f"{head.name}_band"]
    distance = circular_w1(ops.softmax(logits, axis=-1), truth, head.period) / 3.0
    finer = ops.matmul(truth, smoothing(head, head.resolution / 2))
    cross = -ops.sum(finer * ops.log_softmax(logits, axis=-1), axis=-1)
    height = ops.sqrt(head.bins * ops.matmul(truth, smoothing(head, head.resolution)) + 1e-8)
    pinball = _pinball(height - band[..., 0], LOW) + _pinball(height - band[..., 1], HIGH)
    return _mean(_DISTANCE * distance + _CROSS * cross + _BAND * ops.mean(pinball, axis=-1), is_known)


def circular_w1(p: Any, truth: Any, period: float) -> Any:
    """Return the least work (n,) to turn one distribution into another around the period, in its unit."""
    # W1 = min over c of ∫ |P − Q − c| (Rabin et al., J. Math. Imaging Vision 41 (2011) 147); the best c is
    # the median of the difference.
    bins = truth.shape[-1]
    difference = ops.cumsum(p - truth, axis=-1)
    ordered = ops.sort(difference, axis=-1)
    median = ops.stop_gradient(0.5 * (ordered[:, bins // 2 - 1] + ordered[:, bins // 2]))
    return ops.mean(ops.abs(difference - median[:, None]), axis=-1) * period


def smoothing(head: Distribution, fwhm: float) -> np.ndarray:
    """Matrix that averages a distribution with a Gaussian around the period, (bins, bins) float32."""
    sigma = fwhm / np.sqrt(8 * np.log(2)) * head.bins / head.period
    steps = np.arange(head.bins)
    apart = np.abs(steps[:, None] - steps)
    apart = np.minimum(apart, head.bins - apart)
    weight = np.exp(-0.5 * (apart / sigma) ** 2)
    return np.asarray(weight / weight.sum(axis=0), dtype=np.float32)


def gaussian_score(found_outputs: Any, truth: Any) -> Any:
    """Negative log likelihood of scaled quantities (n, quantities) without constant, 0 if unlabelled;
    `found_outputs` (n, quantities, 2) are mean and log standard deviation.
    """
    truth = ops.convert_to_tensor(truth)
    is_known = _finite(truth)
    centre, raw = found_outputs[..., 0], found_outputs[..., 1]
    log_sigma = ops.clip(raw, -5.0, 2.0)
    # Beyond the clip nothing would pull it back: a head that strayed there once was lost.
    strayed = ops.square(raw - log_sigma)
    miss = (ops.where(is_known, truth, 0.0) - centre) * ops.exp(-log_sigma)
    # Far outliers must not drown the rest.
    score = ops.minimum(0.5 * ops.square(miss), 20.0 + 0.1 * ops.abs(miss)) + log_sigma + strayed
    return ops.where(is_known, score, 0.0)


def _binary(logit: Any, truth: Any) -> Any:
    return ops.softplus(logit) - truth * logit


def _pinball(miss: Any, quantile: float) -> Any:
    return ops.maximum(quantile * miss, (quantile - 1) * miss)


def _finite(values: Any) -> Any:
    return ops.logical_not(ops.isnan(values))


def _mean(values: Any, is_known: Any) -> Any:
    is_known = ops.cast(is_known, "float32")
    return ops.sum(is_known * values) / ops.maximum(ops.sum(is_known), 1.0)


# --- A domain's network: its trunk by name, frames of a set pooled, and its heads.


def heads_of(domain: Domain, options: Mapping[str, Mapping[str, Any]]) -> tuple[Head, ...]:
    """Return a domain's heads with the training data's ``labels`` and, for dependent classes, ``allowed``."""
    heads: list[Head] = []
    for head in domain.heads:
        head_options = options.get(head.name)
        if isinstance(head, Classes) and head_options:
            allowed = {key: tuple(names) for key, names in head_options.get("allowed", {}).items()}
            head = replace(head, labels=tuple(head_options["labels"]), allowed=allowed)
        heads.append(head)
    return tuple(heads)


def build(domain: Domain, settings: Mapping[str, Any]) -> Network:
    """Build the network from ``inputs`` (shapes), ``labels`` as in `heads_of` and ``net`` sizes."""
    heads = heads_of(domain, settings["labels"])
    # Sets of fewer frames than most are read without those that are not there.
    sets = bool(domain.network.pooling)
    inputs = {
        name: keras.Input((None, *shape[1:]) if sets else tuple(shape), name=name)
        for name, shape in sorted(settings["inputs"].items())
    }
    trunk, sizes = domain.network.trunk, dict(settings["net"])
    if sets:
        x = _pool_frames(trunk, inputs, sizes, domain.network.pooling)
    else:
        x = trunk(inputs, sizes)
    # One input is taken as it is, several by their names.
    model_inputs = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    network = Network(model_inputs, outputs(heads, x), name=domain.name)
    network.heads = heads
    network.one_side = domain.network.one_side
    weights = sizes.get("weights", "")
    if weights and Path(weights).is_dir():
        adopt_trunk(network, Path(weights))
    return network


class Frames(layers.Layer):
    """From frames one after the other to sets of them, however many frames the sets of this batch have."""

    def call(self, x: Any, there: Any) -> Any:
        """(n · frames, channels) to (n, frames, channels), of (n, frames) which are there."""
        return ops.reshape(x, (-1, ops.shape(there)[1], x.shape[-1]))

    def compute_output_shape(self, x_shape: Any, there_shape: Any) -> Any:
        return (*there_shape, x_shape[-1])


def _pool_frames(trunk: Any, inputs: Mapping[str, Any], sizes: Mapping[str, Any], pooling: str) -> Any:
    """What a trunk says of the frames of a set, as one: their mean, or weighted by a softmax of their own."""
    # Attention as by Ilse, Tomczak & Welling, ICML 2018 (arXiv:1802.04712).
    frame_inputs = {k: keras.Input(v.shape[2:], name=k) for k, v in inputs.items() if k != FRAME_MASK}
    of_frame = keras.Model(frame_inputs, trunk(frame_inputs, sizes), name="frame")
    flat = {k: ops.reshape(inputs[k], (-1, *inputs[k].shape[2:])) for k in frame_inputs}
    x = of_frame(flat)
    x = Frames(name="frames")(x, inputs[FRAME_MASK])
    mask = ops.cast(inputs[FRAME_MASK], "float32")[..., None]
    score = layers.Dense(1, name="attention")(ops.tanh(x)) if pooling == "attention" else ops.zeros_like(mask)
    weight = mask if pooling == "sum" else ops.softmax(score + (mask - 1) * 1e9, axis=1)
    pooled = ops.sum(weight * x, axis=1)
    return dense_block(pooled, sizes) if pooling == "sum" else pooled


def settings_of(run: Path) -> dict[str, Any]:
    """Return a finished run's settings. Raises SasnetError if it has not finished."""
    path = run / "settings.json"
    if not path.exists() or not (run / "final.weights.h5").exists():
        raise SasnetError(f"{run}: holds no finished training run; run 'sasnet train' to its end first.")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def load(run: Path, domain: Domain) -> tuple[Network, dict[str, Any]]:
    """Return the trained network in float32, and settings. Raises SasnetError if unfinished."""
    settings = settings_of(run)
    keras.mixed_precision.set_global_policy("float32")
    model = build(domain, {**settings, "net": {**settings["net"], "weights": ""}})
    model.load_weights(run / "final.weights.h5")
    return model, settings


def adopt_trunk(model: Any, run: Path) -> int:
    """Start a small trunk (in place) from a finished run of any domain; fewer pictures take the donor's
    first, as features agree. Raises SasnetError without finished run, or for other layers or shapes.
    """
    policy = keras.mixed_precision.global_policy()
    donor, _ = load(run, specification(settings_of(run)["domain"]))
    keras.mixed_precision.set_global_policy(policy)
    theirs = {layer.name: layer for layer in leaves(donor) if layer.name.startswith(TRUNK)}
    ours = [layer for layer in leaves(model) if layer.name.startswith(TRUNK)]
    if not ours or {layer.name for layer in ours} != set(theirs):
        raise SasnetError(
            f"{run}: its network has another trunk (shared layers); choose a run with trunk=small and the"
            " same sizes."
        )
    for layer in ours:
        weight_pairs = zip(layer.weights, theirs[layer.name].get_weights(), strict=True)
        weights = [
            _first_channels(their_weight, len(target.shape), target.shape)
            for target, their_weight in weight_pairs
        ]
        if [weight.shape for weight in weights] != [tuple(weight.shape) for weight in layer.weights]:
            raise SasnetError(f"{run}: its trunk has other shapes (layer {layer.name}); set the same sizes.")
        layer.set_weights(weights)
    return len(ours)


def _first_channels(weight: Any, axes: int, shape: Sequence[int]) -> Any:
    """Select the channels of a kernel that a smaller shape has too."""
    return weight[:, :, : shape[2]] if axes == 4 else weight


def leaves(model: Any) -> list[Any]:
    """Layers, those of a network inside the network, such as what reads each frame of a set, in its place."""
    parts = (leaves(layer) if hasattr(layer, "layers") else [layer] for layer in model.layers)
    return [layer for part in parts for layer in part]
