"""What is known of a map after some of its points: a Gaussian process for each label, and its entropy.

The labels of an aspect ("sphere-like", "rod-like", …) are regressed as indicators with a common kernel
(C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, 2006, section 6.5), which takes
the network's probabilities as they are and has a posterior in closed form. A label is right at a point where
its process exceeds all others. One label more, "something not seen yet", has a small share before
anything is measured, so that what is far from all measurements is not taken for known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import ndtr

from ...arrays import Floats

#: What no measurement has shown so far.
UNSEEN = "something not seen yet"


class BeliefSettings(NamedTuple):
    """How a map is believed to look before it is measured."""

    unseen: float = 0.15  #: Share of the label that no measurement has shown.
    #: Correlation lengths that are tried on each axis, as shares of the axis.
    lengths: tuple[float, ...] = (0.1, 0.2, 0.4, 0.8)
    #: Of these the most likely before anything is measured: a phase covers a third of an axis.
    usual: float = 0.3
    factor: float = 2.0  #: By which lengths differ from the usual one, one standard deviation.
    noise: tuple[float, ...] = (0.01, 0.1)  #: Variances of an indicator about its process that are tried.
    nodes: int = 7  #: Of the integral over the winning process.
    least: float = 0.2  #: A label that has so much nowhere is no label of its own.


SETTINGS = BeliefSettings()


@dataclass(frozen=True)
class Belief:
    """An aspect of a map after some measurements."""

    labels: tuple[str, ...]  #: The last is `UNSEEN`.
    mean: Floats  #: (labels, n), of the indicators' processes at all points.
    covariance: Floats  #: (n, n), common to the labels.
    noise: float  #: Variance of a measured indicator about its process.

    @property
    def variance(self) -> Floats:
        """(n,) of the processes."""
        return np.maximum(np.diagonal(self.covariance), 1e-9)

    def probability(self) -> Floats:
        """(labels, n) that a label is right at a point."""
        return wins(self.mean, self.variance)

    def predict_update(self, place: int) -> tuple[Floats, Floats, Floats]:
        """Predict what a measurement at a place would leave: chance of each label (labels,), means of the
        processes after each label (labels, labels, n; first index is the label shown), and variance (n,).
        """
        column = self.covariance[:, place]
        total = column[place] + self.noise
        chance = wins(self.mean[:, [place]], self.variance[[place]])[:, 0]
        surprise = np.eye(len(self.labels)) - self.mean[:, place]
        mean = self.mean[None] + surprise[:, :, None] * (column / total)[None, None]
        return chance, mean, np.maximum(self.variance - column**2 / total, 1e-9)


def wins(mean: Floats, variance: Floats) -> Floats:
    """Probability of each normal variable to be the largest: mean (..., labels, n), variance (n,)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(SETTINGS.nodes)
    z = mean / np.sqrt(variance)
    probabilities = np.zeros_like(z)
    labels = z.shape[-2]
    for t, w in zip(nodes, weights, strict=True):
        for label in range(labels):
            other_labels = np.delete(z, label, axis=-2)
            probabilities[..., label, :] += w * np.prod(
                ndtr(z[..., label, None, :] - other_labels + t), axis=-2
            )
    return np.asarray(probabilities / np.maximum(probabilities.sum(axis=-2, keepdims=True), 1e-300))


def entropy(probability: Floats) -> Floats:
    """Bits that are open, summed over the labels, the last axis but one."""
    safe = np.maximum(probability, 1e-12)
    return np.asarray(-np.sum(safe * np.log2(safe), axis=-2))


def compute_belief(steps: Floats, places: Sequence[int], shares: Sequence[Mapping[str, float]]) -> Belief:
    """Return the map after measurements at `places` (repeats allowed), indices into `steps` (n, axes)."""
    # `shares` are label probabilities.
    settings = SETTINGS
    labels = (
        *sorted({name for one_share in shares for name, p in one_share.items() if p >= settings.least}),
        UNSEEN,
    )
    prior = np.full(len(labels), (1 - settings.unseen) / max(len(labels) - 1, 1))
    prior[-1] = settings.unseen
    if not places:
        variance = settings.unseen * (1 - settings.unseen)
        kernel = variance * _kernel(steps, steps, _lengths(steps, settings.usual))
        return Belief(labels, np.repeat(prior[:, None], len(steps), 1), kernel, settings.noise[1])
    y = np.array([[one_share.get(name, 0.0) for one_share in shares] for name in labels])
    y[-1] += np.maximum(1 - y.sum(axis=0), 0.0)
    y -= prior[:, None]
    # An indicator that is one with probability p varies by p (1 - p).
    amplitude = float(np.mean(prior * (1 - prior)))
    measured_steps = steps[list(places)]
    best: tuple[float, Floats, float] | None = None
    for share in product(settings.lengths, repeat=steps.shape[1]):
        lengths = _lengths(steps, np.array(share))
        covariance_here = amplitude * _kernel(measured_steps, measured_steps, lengths)
        penalty = float(np.sum((np.log(np.array(share) / settings.usual) / np.log(settings.factor)) ** 2)) / 2
        for noise in settings.noise:
            score = _evidence(covariance_here, noise, y) - penalty
            if best is None or score > best[0]:
                best = score, lengths, noise
    assert best is not None
    _, lengths, noise = best
    return _posterior(labels, prior, y, steps, list(places), amplitude, lengths, noise)


def _posterior(
    labels: tuple[str, ...], prior: Floats, y: Floats, steps: Floats, places: list[int], amplitude: float,
    lengths: Floats, noise: float,
) -> Belief:  # fmt: skip
    kernel = amplitude * _kernel(steps, steps, lengths)
    across = kernel[places]
    lower = cholesky(across[:, places] + noise * np.eye(len(places)), lower=True)
    mean = prior[:, None] + y @ cho_solve((lower, True), across)
    solution = np.asarray(solve_triangular(lower, across, lower=True))
    return Belief(labels, np.asarray(mean), kernel - solution.T @ solution, noise)


def _evidence(kernel: Floats, noise: float, y: Floats) -> float:
    """Log marginal likelihood of indicators (labels, m), but for a constant."""
    lower = cholesky(kernel + noise * np.eye(len(kernel)), lower=True, check_finite=False)
    white = solve_triangular(lower, y.T, lower=True, check_finite=False)
    # Indicators sum to one: one label of them says nothing of its own.
    free = (len(y) - 1) / len(y)
    return float(-0.5 * free * np.sum(white**2) - (len(y) - 1) * np.sum(np.log(np.diagonal(lower))))


def _lengths(steps: Floats, share: float | Floats) -> Floats:
    """Correlation lengths in steps of the grid, a step and a half at least."""
    return np.asarray(np.maximum(share * np.maximum(steps.max(axis=0), 1.0), 1.5))


def _kernel(first: Floats, second: Floats, lengths: Floats) -> Floats:
    """Matérn's covariance of smoothness 3/2: boundaries are sharper than what is smooth for ever."""
    apart = (first[:, None] - second[None]) / lengths
    r = np.sqrt(3 * np.sum(apart**2, axis=-1))
    return np.asarray((1 + r) * np.exp(-r))
