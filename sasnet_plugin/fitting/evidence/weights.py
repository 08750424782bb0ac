"""Fits of one curve by their evidence: weights, and which of them the data do not distinguish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..result.model_fit import ModelFit
from ..result.residuals import SharedError
from .discrepancy import Discrepancy
from .marginal import evidence
from .settings import EVIDENCE


@dataclass(frozen=True)
class Weighed:
    """Fits of one curve with their weights."""

    fits: tuple[ModelFit, ...]  #: By falling weight; the weights sum to one.
    errors: Mapping[str, SharedError]  #: What neighbouring residuals of each share, by its name.


def weigh_fits(
    discrepancy: Discrepancy, fits: Sequence[ModelFit], prior: Sequence[float] | None = None
) -> Weighed:
    """Weight each fit by its marginal likelihood times its prior; default: the classifier's probability."""
    if not fits:
        return Weighed((), {})
    evidences = [evidence(discrepancy, fit) for fit in fits]
    log_evidence = np.array([-0.5 * one_evidence.minus_two_log for one_evidence in evidences])
    weight = shares(log_evidence + _log_before(fits, prior))
    weighed_fits = [
        replace(fit, weight=float(w), log_evidence=float(z))
        for fit, w, z in zip(fits, weight, log_evidence, strict=True)
    ]
    return Weighed(
        tuple(sorted(weighed_fits, key=lambda fit: (-fit.weight, fit.reduced_chisq))),
        {fit.name: one_evidence.shared for fit, one_evidence in zip(fits, evidences, strict=True)},
    )


def _log_before(fits: Sequence[ModelFit], prior: Sequence[float] | None) -> NDArray[np.float64]:
    prior_weight = np.array([fit.probability for fit in fits] if prior is None else prior)
    return np.asarray(np.log(np.maximum(prior_weight, EVIDENCE.least_prior)))


def alike(fits: Sequence[ModelFit]) -> list[str]:
    """Names of the fits whose evidence is not strongly less than that of the first, nor strongly more."""
    # What is known of models before these data makes no difference to what the data distinguish. One without
    # weight counts as another (`assess.as_the_simpler`).
    if not fits:
        return []
    first = fits[0].log_evidence
    near = [fit for fit in fits[1:] if 2 * abs(fit.log_evidence - first) < EVIDENCE.strong]
    return [fit.name for fit in near if fit.weight > 0]


def shares(log_weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights whose sum is 1; equal ones where none is finite."""
    most = np.max(log_weight)
    weight = np.exp(log_weight - most) if np.isfinite(most) else np.ones(log_weight.size)
    return np.asarray(weight / np.sum(weight))
