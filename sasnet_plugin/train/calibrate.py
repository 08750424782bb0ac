"""Calibration on held-out data: temperatures, Platt scaling of the scope, and its threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Share of curves of known models that the threshold may wrongly call strangers.
FALSE_ALARMS = 0.05


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[np.intp]) -> float:
    """Temperature T that minimises the cross-entropy of softmax(logits/T).

    Source: Guo et al., On calibration of modern neural networks, ICML 2017 (arXiv:1706.04599).

    Parameters
    ----------
    logits : (n, k) float array
        Forbidden classes as very negative numbers.
    truth : (n,) int array
    """
    from scipy.optimize import minimize_scalar

    x = np.asarray(logits, dtype=np.float64)
    x = x - x.max(axis=1, keepdims=True)
    right = x[np.arange(len(x)), truth]

    def nll(log_t: float) -> float:
        scaled = x * np.exp(-log_t)
        return float(np.mean(np.log(np.sum(np.exp(scaled), axis=1)) - right * np.exp(-log_t)))

    best = minimize_scalar(nll, bounds=(np.log(0.2), np.log(10.0)), method="bounded")
    return float(np.exp(best.x))


def fit_platt(logit: NDArray[np.floating], truth: NDArray[np.floating]) -> tuple[float, float]:
    """Slope a and offset b of sigmoid(a x + b) by logistic regression, both classes weighted equally.

    Source: Platt, Probabilistic outputs for support vector machines, 1999.

    Parameters
    ----------
    logit : (n,) float array
    truth : (n,) array of 0 and 1
    """
    from scipy.optimize import minimize

    x, y = np.asarray(logit, float), np.asarray(truth, float)
    weight = np.where(y > 0, 0.5 / max(y.sum(), 1), 0.5 / max((1 - y).sum(), 1))

    def nll(p: NDArray[np.float64]) -> float:
        z = p[0] * x + p[1]
        return float(np.sum(weight * (np.logaddexp(0, z) - y * z)))

    found = minimize(nll, np.array([1.0, 0.0]), method="BFGS")
    return float(found.x[0]), float(found.x[1])


def scope_threshold(in_scope: NDArray[np.floating]) -> float:
    """The in_scope below which 5 % of the curves of known models fall.

    Parameters
    ----------
    in_scope : (n,) float array
        Calibrated scores of held-out curves of known models.
    """
    return float(np.quantile(in_scope, FALSE_ALARMS))
