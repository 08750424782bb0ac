"""What each type of head adds to a network: its outputs, and the loss that compares them with what is true.

Examples without a label for a head (NaN, or −1 of a class) do not count in its loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ..domains.heads import Classes, Distribution, Embedding, Head, Quantities, Scope, Tags, outputs_of

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
    """Negative log likelihood of scaled quantities (n, quantities) without constant,
    0 if unlabelled; `found_outputs`
    (n, quantities, 2) are mean and log standard deviation.
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
