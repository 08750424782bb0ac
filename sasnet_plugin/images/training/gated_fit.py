"""Fits of what labels add to the logits of tags, to labelled images and simulated scenes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...predict.arithmetic import sigmoid
from ...train.last_layer import Change

#: Of what the last layer reads: numbers that are alike in all scenes tell a gate nothing.
_LEAST_SPREAD = 1e-3
#: Of a gate through which everything passes.
_OPEN = 20.0


@dataclass(frozen=True)
class Settings:
    """How it is fitted and judged."""

    #: Simulated ones that are replayed; 0: whatever the images, labels change the answers.
    scenes: int = 2000
    folds: int = 5  #: Each image is held out of one of so many fits.
    least: int = 4  #: Images with a tag, and without it, below which it stays as it was.
    #: Of the pull to no change; one for all tags, that of the least held-out loss.
    strengths: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    #: Of all scenes together in a fit, with one for that of all labelled images: so it is decided who wins
    #: where a user means something else than the simulator by a tag of images that look alike.
    weight: float = 2.0
    #: Of the pull of the gate, on numbers of unit spread, with one for the weight of all scenes together.
    gate: float = 0.01
    sure: float = 1.0  #: Standard errors by which a tag's held-out loss must fall.


@dataclass(frozen=True)
class Told:
    """What a fit reads: labelled images, then simulated scenes."""

    seen: Floats  #: (n, size + 1), as of `Layer.read`.
    logits: Floats  #: (n, labels), before any labels, calibrated.
    truth: Floats  #: (n, labels), by the user; of a scene what the network said of it before any labels.
    images: int  #: The first so many are the user's.
    #: (images, labels), the truth by which a strength is chosen; NaN where the user has but accepted a
    #: suggestion.
    judged: Floats

    def select(self, rows: NDArray[np.bool_]) -> Told:
        number = int(rows[: self.images].sum())
        judged = self.judged[rows[: self.images]]
        return Told(self.seen[rows], self.logits[rows], self.truth[rows], number, judged)


def choose_change(knowledge: Told, fitted: Sequence[int], settings: Settings) -> tuple[Change, Floats]:
    """The change of the best strength, and what it adds to each logit by a fit that left the image out."""
    folds = np.random.default_rng(0).permutation(len(knowledge.seen)) % settings.folds
    held_changes = {strength: np.zeros_like(knowledge.logits) for strength in settings.strengths}
    for fold in range(settings.folds):
        outside = folds == fold
        inside = knowledge.select(~outside)
        gate = _gate(inside, settings.gate)
        for strength, added in held_changes.items():
            change = Change(gate, _weights(inside, gate, fitted, strength, settings.weight))
            added[outside] = change.compute_addition(knowledge.seen[outside])
    images = slice(knowledge.images)

    def loss(strength: float) -> float:
        losses = cross_entropy(knowledge.logits[images] + held_changes[strength][images], knowledge.judged)
        return float(np.nansum(losses[:, fitted]))

    best = min(held_changes, key=loss)
    gate = _gate(knowledge, settings.gate)
    return Change(gate, _weights(knowledge, gate, fitted, best, settings.weight)), held_changes[best]


def _gate(knowledge: Told, strength: float) -> Floats:
    """Fit the gate of a `Change`, labelled images and scenes weighing alike in all."""
    scenes = knowledge.seen[knowledge.images :]
    if not len(scenes):
        return np.append(np.zeros(knowledge.seen.shape[1] - 1), _OPEN)
    middle, spread = scenes.mean(axis=0), scenes.std(axis=0) + _LEAST_SPREAD
    middle[-1], spread[-1] = 0.0, 1.0
    is_own = np.arange(len(knowledge.seen)) < knowledge.images
    weight = np.where(is_own, 1 / knowledge.images, 1 / len(scenes))
    gate = _fit((knowledge.seen - middle) / spread, is_own.astype(float), weight, 0.0, strength) / spread
    gate[-1] -= middle @ gate
    return gate


def _weights(knowledge: Told, gate: Floats, fitted: Sequence[int], strength: float, scenes: float) -> Floats:
    passed = knowledge.seen * np.asarray(sigmoid(knowledge.seen @ gate))[:, None]
    weights = np.zeros((knowledge.seen.shape[1], knowledge.truth.shape[1]))
    is_own = np.arange(len(passed)) < knowledge.images
    weight = np.where(is_own, 1.0, scenes * knowledge.images / max(len(passed) - knowledge.images, 1))
    for k in fitted:
        is_known = np.isfinite(knowledge.truth[:, k])
        weights[:, k] = _fit(
            passed[is_known],
            knowledge.truth[is_known, k],
            weight[is_known],
            knowledge.logits[is_known, k],
            strength,
        )
    return weights


def _fit(
    x: Floats,
    y: Floats,
    weight: Floats,
    offset: Floats | float,
    strength: float,
) -> Floats:
    """w of logistic regression of offset + x·w, pulled to nothing."""
    from scipy.optimize import minimize

    def loss(w: Floats) -> tuple[float, Floats]:
        logit = offset + x @ w
        value = float((weight * cross_entropy(logit, y)).sum() + 0.5 * strength * w @ w)
        return value, x.T @ (weight * (np.asarray(sigmoid(logit)) - y)) + strength * w

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x)


def cross_entropy(logits: Floats, truth: Floats) -> Floats:
    """Cross-entropy of each example; NaN where its tag is not known."""
    return np.asarray(np.logaddexp(0, logits) - truth * logits)
