"""Which fit explains the data best, and which the data cannot tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.result.fit_result import ModelFit

#: Fits whose BIC differ by less are not told apart (Kass & Raftery, J. Am. Stat. Assoc. 90 (1995) 773: "not
#: worth more than a bare mention" to "positive").
SAME_BIC = 2.0
#: The network's probability counts, but no model is ruled out by it before it was fitted.
_LEAST_PRIOR = 0.002


def ranked(fits: Sequence[ModelFit], prior: Sequence[float] | None = None) -> list[ModelFit]:
    """Give each fit its weight, best first.

    The evidence is exp(-BIC/2) (Schwarz, Ann. Stat. 6 (1978) 461) times the prior. Where
    even the best fit has a reduced χ² above 1, the uncertainties are taken to be too small by its root, as
    otherwise a per cent of difference between two bad fits would decide with certainty.

    Parameters
    ----------
    fits : sequence of ModelFit
    prior : sequence of float, optional
        What each model has before it is fitted; default: the network's probability.

    Returns
    -------
    list of ModelFit
        By falling weight; the weights sum to one.
    """
    if not fits:
        return []
    best = min(f.reduced_chisq for f in fits)
    tempering = max(best, 1.0)
    penalty = np.array([f.bic - f.chisq for f in fits])
    chisq = np.array([f.chisq for f in fits])
    before = np.array([f.probability for f in fits] if prior is None else prior)
    log_weight = -0.5 * (chisq / tempering + penalty) + np.log(np.maximum(before, _LEAST_PRIOR))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    found = [replace(f, weight=float(w)) for f, w in zip(fits, weight, strict=True)]
    return sorted(found, key=lambda f: -f.weight)


def explains(reduced_chisq: float, points: int) -> bool:
    """Whether χ² is within its own scatter: by three standard deviations, and by a fifth at least.

    Parameters
    ----------
    reduced_chisq : float
    points : int
        Of the curve.
    """
    return bool(reduced_chisq < 1 + max(3 * np.sqrt(2 / max(points, 1)), 0.2))


def doubtful(reduced_chisq: float, points: int) -> bool:
    """Whether χ² is larger than expected by its scatter: one right fit in six is, and many wrong ones.

    One that is not a number is doubtful, too.

    Parameters
    ----------
    reduced_chisq : float
    points : int
        Of the curve.
    """
    return not reduced_chisq < 1 + np.sqrt(2 / max(points, 1))


def alike(fits: Sequence[ModelFit]) -> list[str]:
    """Names of the fits that this curve cannot tell from the best one."""
    if not fits:
        return []
    tempering = max(min(f.reduced_chisq for f in fits), 1.0)
    best = fits[0]
    return [
        f.name for f in fits[1:] if abs(f.chisq - best.chisq) / tempering < SAME_BIC + abs(_k(f) - _k(best))
    ]


def _k(fit: ModelFit) -> int:
    return len(fit.free)
