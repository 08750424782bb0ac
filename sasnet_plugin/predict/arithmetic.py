"""From logits to probabilities and distributions; double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.heads import Classes, Distribution

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: A band's lower end below this, as a root of the share over the uniform one, is none.
_NOTHING = 0.15


def softmax(logits: NDArray[np.floating], mask: BoolArray | None = None) -> FloatArray:
    """Softmax over the last axis; exactly zero where `mask` is False."""
    x = np.asarray(logits, dtype=np.float64)
    if mask is not None:
        x = np.where(mask, x, -np.inf)
    weight: FloatArray = np.exp(x - x.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    return weight


def sigmoid(x: NDArray[np.floating]) -> FloatArray:
    """Logistic function, without overflow at either end."""
    tail = np.exp(-np.abs(np.asarray(x, dtype=np.float64)))
    return np.asarray(np.where(np.asarray(x) >= 0, 1.0, tail) / (1.0 + tail))


def allowed_labels(head: Classes, given: tuple[str, ...]) -> BoolArray:
    """Which labels go with each class of the other head, (given, labels); the first always does."""
    return np.array(
        [
            [index == 0 or label in head.allowed.get(one, ()) for index, label in enumerate(head.labels)]
            for one in given
        ]
    )


def shares(output: NDArray[np.floating]) -> FloatArray:
    """Share of each angle, (n, bins), of the output of `Distribution`."""
    return softmax(output)


def smoothed(p: NDArray[np.floating], head: Distribution) -> FloatArray:
    """Distributions averaged with a Gaussian of the head's resolution around the period, (…, bins)."""
    sigma = head.resolution / np.sqrt(8 * np.log(2))
    modes = np.exp(-2 * (np.pi * sigma * np.arange(head.bins // 2 + 1) / head.period) ** 2)
    found = np.fft.irfft(np.fft.rfft(np.asarray(p, dtype=np.float64), axis=-1) * modes, n=head.bins, axis=-1)
    return np.asarray(np.maximum(found, 0.0))


def distribution_band(
    p: FloatArray, quantiles: FloatArray, scale: float, head: Distribution
) -> tuple[FloatArray, FloatArray]:
    """Ends of the band of p averaged over the head's resolution, (n, bins) each.

    The network's quantiles, widened about its answer by one factor that held-out patterns need (conformal
    quantile regression: Romano, Patterson & Candès, NeurIPS 2019, arXiv:1905.03222).

    Parameters
    ----------
    p : (n, bins) array
    quantiles : (n, bins, 2) array
        Of √(bins · p).
    scale : float
        That factor.
    """
    height = np.sqrt(head.bins * smoothed(p, head))
    low = height - scale * np.maximum(height - quantiles[..., 0], 0.0)
    high = height + scale * np.maximum(quantiles[..., 1] - height, 0.0)
    low = np.where(low < _NOTHING, 0.0, low)
    return np.asarray(low**2 / head.bins), np.asarray(high**2 / head.bins)


def circular_w1(p: NDArray[np.floating], q: Any, period: float) -> FloatArray:
    """Earth mover's distance of distributions on a circle, (…), in the unit of the period.

    Notes
    -----
    ∫ |F − G − median(F − G)| with F and G the cumulative sums from any origin (M. Werman, S. Peleg and
    A. Rosenfeld, Comput. Vision Graph. 32 (1985) 328; J. Rabin, J. Delon and Y. Gousseau, J. Math. Imaging
    Vis. 41 (2011) 147).
    """
    difference = np.cumsum(np.asarray(p, dtype=np.float64) - np.asarray(q, dtype=np.float64), axis=-1)
    middle = np.median(difference, axis=-1, keepdims=True)
    return np.asarray(np.abs(difference - middle).mean(axis=-1) * period)


def mirrored(p: NDArray[np.floating]) -> FloatArray:
    """The distribution of period − angle, along the last axis."""
    return np.asarray(np.roll(np.asarray(p, dtype=np.float64)[..., ::-1], 1, axis=-1))
