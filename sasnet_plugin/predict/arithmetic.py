"""From logits to probabilities and distributions, averaged over symmetries; double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..domains import Domain
from ..domains.heads import Classes, Distribution, Head, Inputs, Outputs, Quantities

BoolArray = NDArray[np.bool_]

#: A band's lower end below this, as a root of the share over the uniform one, is none.
_NOTHING = 0.15


def softmax(logits: NDArray[np.floating], mask: BoolArray | None = None) -> Floats:
    """Softmax over the last axis; exactly zero where `mask` is False."""
    x = np.asarray(logits, dtype=np.float64)
    if mask is not None:
        x = np.where(mask, x, -np.inf)
    weight: Floats = np.exp(x - x.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    return weight


def sigmoid(x: NDArray[np.floating]) -> Floats:
    """Logistic function, without overflow at either end."""
    tail = np.exp(-np.abs(np.asarray(x, dtype=np.float64)))
    return np.asarray(np.where(np.asarray(x) >= 0, 1.0, tail) / (1.0 + tail))


def find_allowed_labels(head: Classes, labels_given: tuple[str, ...]) -> BoolArray:
    """Which labels go with each class of the other head, (given, labels); the first always does."""
    return np.array(
        [
            [
                index == 0 or label in head.allowed.get(label_given, ())
                for index, label in enumerate(head.labels)
            ]
            for label_given in labels_given
        ]
    )


def shares(output: NDArray[np.floating]) -> Floats:
    """Share of each angle, (n, bins), of the output of `Distribution`."""
    return softmax(output)


def smooth_distribution(p: NDArray[np.floating], head: Distribution) -> Floats:
    """Distributions averaged with a Gaussian of the head's resolution around the period, (…, bins)."""
    sigma = head.resolution / np.sqrt(8 * np.log(2))
    modes = np.exp(-2 * (np.pi * sigma * np.arange(head.bins // 2 + 1) / head.period) ** 2)
    smoothed = np.fft.irfft(
        np.fft.rfft(np.asarray(p, dtype=np.float64), axis=-1) * modes, n=head.bins, axis=-1
    )
    return np.asarray(np.maximum(smoothed, 0.0))


def distribution_band(
    p: Floats, quantiles: Floats, scale: float, head: Distribution
) -> tuple[Floats, Floats]:
    """Return ends (n, bins) of the band of averaged p, from quantiles (n, bins, 2) of √(bins · p)."""
    # They are widened by one factor from held-out patterns (conformal quantile regression: Romano, Patterson
    # & Candès, NeurIPS 2019, arXiv:1905.03222).
    height = np.sqrt(head.bins * smooth_distribution(p, head))
    low = height - scale * np.maximum(height - quantiles[..., 0], 0.0)
    high = height + scale * np.maximum(quantiles[..., 1] - height, 0.0)
    low = np.where(low < _NOTHING, 0.0, low)
    return np.asarray(low**2 / head.bins), np.asarray(high**2 / head.bins)


def circular_w1(p: NDArray[np.floating], q: Any, period: float) -> Floats:
    """Return the earth mover's distance on a circle, in the period's unit: ∫ |F − G − median(F − G)| with
    cumulative sums from any origin (M. Werman, S. Peleg and A. Rosenfeld, Comput. Vision Graph. 32 (1985)
    328; J. Rabin, J. Delon and Y. Gousseau, J. Math. Imaging Vis. 41 (2011) 147).
    """
    difference = np.cumsum(np.asarray(p, dtype=np.float64) - np.asarray(q, dtype=np.float64), axis=-1)
    middle = np.median(difference, axis=-1, keepdims=True)
    return np.asarray(np.abs(difference - middle).mean(axis=-1) * period)


def mirror_distribution(p: NDArray[np.floating]) -> Floats:
    """The distribution of period − angle, along the last axis."""
    return np.asarray(np.roll(np.asarray(p, dtype=np.float64)[..., ::-1], 1, axis=-1))


def ask_network(
    domain: Domain, heads: tuple[Head, ...], ask: Callable[[Inputs], Outputs], inputs: Inputs
) -> Outputs:
    """Average the outputs of a network (`ask`) over the domain's variants and symmetries."""
    if domain.variants:  # all at once: a few measurements alone cost the network half as much again
        varied = [inputs, *(variant(inputs) for variant in domain.variants)]
        joined = ask({name: np.concatenate([one[name] for one in varied]) for name in inputs})
        outputs: Outputs = {name: np.mean(np.split(x, len(varied)), axis=0) for name, x in joined.items()}
    else:
        outputs = ask(inputs)
    for symmetry in domain.symmetries:
        outputs = average_mirror(heads, outputs, ask(symmetry(inputs)))
    return outputs


def average_mirror(heads: tuple[Head, ...], straight: Outputs, turned: Outputs) -> dict[str, Floats]:
    """Average outputs for measurements and their mirror images; of distributions the shares."""
    straight_outputs, turned_outputs = _double(straight), _double(turned)
    averages: dict[str, Floats] = {}
    for head in heads:
        name = head.name
        if isinstance(head, Distribution):
            p = (softmax(straight_outputs[name]) + mirror_distribution(softmax(turned_outputs[name]))) / 2
            averages[name] = np.log(np.maximum(p, 1e-300))
            band = f"{name}_band"
            averages[band] = np.stack(
                [
                    (straight_outputs[band][..., k] + mirror_distribution(turned_outputs[band][..., k])) / 2
                    for k in (0, 1)
                ],
                axis=-1,
            )
            continue
        second = turned_outputs[name]
        if isinstance(head, Quantities):
            second = second.reshape(len(second), -1, 2) * _signs(head)
        averages[name] = (straight_outputs[name].reshape(second.shape) + second) / 2
    return averages


def _double(outputs: Outputs) -> dict[str, Floats]:
    return {name: np.asarray(values, dtype=np.float64) for name, values in outputs.items()}


def _signs(head: Quantities) -> Floats:
    """(parameters, 2) of mean and width in the mirror image: an odd quantity has the other sign there."""
    return np.array([[-1.0 if parameter.odd else 1.0, 1.0] for parameter in head.parameters])


def level_of(outputs: Outputs, n: int) -> Floats:
    """How much was measured, (n,), on which calibration may depend; 0 where a domain has no such number."""
    return np.asarray(outputs.get("level", np.zeros(n)), dtype=np.float64)


def mean_and_sigma(output: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Mean and standard deviation, (n, parameters) each, of the output of `Quantities`."""
    values = np.asarray(output, dtype=np.float64)
    values = values.reshape(len(values), -1, 2)
    return values[..., 0], np.exp(np.clip(values[..., 1], -5.0, 2.0))
