"""What is fitted on held-out data, one function for each type of head; plain data, as a manifest holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.heads import Classes, Distribution, Embedding, Head, Outputs, Quantities, Scope, Tags, Targets
from .arithmetic import (
    Floats,
    circular_w1,
    distribution_band,
    find_allowed_labels,
    level_of,
    mean_and_sigma,
    shares,
    sigmoid,
    smooth_distribution,
)

#: What is stored of one head.
Calibration = Mapping[str, Any]

#: The in_scope of an example that is as likely to be of an unknown kind.
EVEN = 0.5
#: Share of the truth that a band is to hold, and that one standard deviation holds.
COVERAGE, ONE_SIGMA = 0.9, 0.6827
#: Between which the threshold of a tag is chosen.
THRESHOLDS = (0.2, 0.8)
#: Classes of equal numbers by level in which bands and the test of uniform are calibrated: how much a network
#: knows of its errors in short and in long measurements need not be the same.
BAND_CLASSES, UNIFORM_CLASSES = 10, 5
#: Quantiles of the distance of uniform samples in each class: p values in steps of a sixtieth.
QUANTILES = 60
#: Largest level of the last class.
_NO_END = 99.0
_FLAT = 1e-9


def calibrate(head: Head, outputs: Outputs, targets: Targets, heads: Mapping[str, Head]) -> dict[str, Any]:
    """Calibrate a head on held-out outputs (averaged over symmetries, with ``level`` (n,) if any) and targets
    of `domains.heads`; returns plain data for `decoding.decode`.
    """
    if isinstance(head, Classes):
        return _classes(head, outputs, targets, heads)
    if isinstance(head, Scope):
        return _scope(head, outputs, targets)
    if isinstance(head, Tags):
        return _tags(head, outputs, targets)
    if isinstance(head, Quantities):
        return _quantities(head, outputs, targets)
    if isinstance(head, Distribution):
        return _distribution(head, outputs, targets)
    assert isinstance(head, Embedding)
    return {}


def _classes(head: Classes, outputs: Outputs, targets: Targets, heads: Mapping[str, Head]) -> dict[str, Any]:
    truth = np.asarray(targets[head.name])
    rows = truth >= 0
    logits = np.asarray(outputs[head.name], dtype=np.float64)
    if head.given:
        given_head = heads[head.given]
        assert isinstance(given_head, Classes)
        given_class = np.asarray(targets[head.given])
        rows &= given_class >= 0
        allowed = find_allowed_labels(head, given_head.labels)[given_class]
        logits = np.where(allowed, logits[np.arange(len(given_class)), given_class], -1e9)
        rows &= allowed.sum(axis=1) > 1  # where there is a choice at all
    return {"temperature": fit_temperature(logits[rows], truth[rows])}


def _scope(head: Scope, outputs: Outputs, targets: Targets) -> dict[str, Any]:
    logit, truth = np.asarray(outputs[head.name], dtype=np.float64)[:, 0], np.asarray(targets[head.name])
    decided = np.isfinite(truth)
    logit, truth = logit[decided], truth[decided]
    slope, offset = fit_platt(logit, truth)
    return {
        "slope": slope,
        "offset": offset,
        "threshold": scope_threshold(sigmoid(slope * logit[truth > 0] + offset), head.refused),
    }


def _tags(head: Tags, outputs: Outputs, targets: Targets) -> dict[str, Any]:
    logits, truth = np.asarray(outputs[head.name], dtype=np.float64), np.asarray(targets[head.name], float)
    pairs = []
    for column in range(len(head.labels)):
        rows = np.isfinite(truth[:, column])
        has_both = np.unique(truth[rows, column]).size == 2
        pairs.append(
            fit_platt(logits[rows, column], truth[rows, column], balanced=False) if has_both else (1.0, 0.0)
        )
    slope, offset = (np.array(values) for values in zip(*pairs, strict=True))
    p = sigmoid(slope * logits + offset)
    least = [best_threshold(p[:, column], truth[:, column]) for column in range(len(head.labels))]
    return {"slope": slope.tolist(), "offset": offset.tolist(), "threshold": least}


def best_threshold(p: Floats, truth: Floats) -> float:
    """Return the probability, 0.2 to 0.8, of the largest F1 of a tag; truth is 0, 1 or NaN."""
    is_known = np.isfinite(truth)
    p, is_true = p[is_known], truth[is_known] > 0.5
    levels = np.linspace(*THRESHOLDS, 61)
    is_called = p[:, None] >= levels
    f1 = (
        2
        * np.sum(is_called & is_true[:, None], axis=0)
        / np.maximum(is_called.sum(axis=0) + is_true.sum(), 1)
    )
    # The middle of all levels as good as the best within a hundredth: the best alone is chance.
    return float(np.median(levels[f1 >= f1.max() - 0.01])) if is_true.any() else 0.5


def _quantities(head: Quantities, outputs: Outputs, targets: Targets) -> dict[str, Any]:
    if not head.interval:
        return {"factors": []}
    centre, sigma = mean_and_sigma(outputs[head.name])
    miss = np.abs(np.asarray(targets[head.name], dtype=np.float64) - centre) / sigma
    rows = np.isfinite(miss).any(axis=1)
    share, number = (COVERAGE, BAND_CLASSES) if head.interval == "band" else (ONE_SIGMA, 1)
    return {
        "factors": split_by_level(
            level_of(outputs, len(miss))[rows],
            miss[rows],
            number,
            lambda values_here: [float(x) for x in np.nanquantile(values_here, share, axis=0)],
        )
    }


def _distribution(head: Distribution, outputs: Outputs, targets: Targets) -> dict[str, Any]:
    truth = np.asarray(targets[head.name], dtype=np.float64)
    rows = np.isfinite(truth).all(axis=1) & (truth.sum(axis=1) > 0.5)
    p = shares(outputs[head.name])
    flat = rows & (np.ptp(truth, axis=1) < _FLAT)
    smooth = smooth_distribution(truth[rows], head)
    quantiles = np.asarray(outputs[f"{head.name}_band"], dtype=np.float64)[rows]

    def measure_coverage(scale: float) -> float:
        low, high = distribution_band(p[rows], quantiles, scale, head)
        return float(np.mean((smooth >= low - 1e-9) & (smooth <= high + 1e-9)))

    return {
        "band": least_scale(measure_coverage, COVERAGE),
        "uniform": split_by_level(
            level_of(outputs, len(p))[flat],
            circular_w1(p[flat], 1 / head.bins, head.period)[:, None],
            UNIFORM_CLASSES,
            _distances,
        ),
    }


def _distances(values: Floats) -> list[float]:
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return [float(f"{x:.4g}") for x in np.quantile(values[:, 0], levels)]


def least_scale(coverage: Callable[[float], float], share: float) -> float:
    """The least factor with which bands hold a share of the truth, by bisection between 0.05 and 20."""
    low, high = 0.05, 20.0
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if coverage(middle) < share else (low, middle)
    return high


def split_by_level(
    levels: Floats, values: Floats, number: int, numbers: Callable[[Floats], list[float]]
) -> list[list[Any]]:
    """Numbers of each of some classes of equal numbers by level, [[largest level, numbers], …]."""
    # The last class has no upper end.
    classes: list[list[Any]] = []
    for rows in np.array_split(np.argsort(levels, kind="stable"), number):
        if rows.size:
            classes.append([float(levels[rows[-1]]), numbers(values[rows])])
    if classes:
        classes[-1][0] = _NO_END
    return classes


def select_by_level(classes: list[list[Any]], levels: NDArray[np.floating]) -> Floats:
    """Numbers of the class that each level is in, (n, numbers); beyond the last end the last one's."""
    ends = np.array([end for end, _ in classes])
    class_index = np.minimum(np.searchsorted(ends, levels), len(ends) - 1)
    return np.array([numbers for _, numbers in classes])[class_index]


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[Any]) -> float:
    """Return T that minimises the cross-entropy of softmax(logits/T); forbidden classes are very negative
    (Guo et al., On calibration of modern neural networks, ICML 2017, arXiv:1706.04599).
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


def fit_platt(
    logit: NDArray[np.floating], truth: NDArray[Any], *, balanced: bool = True
) -> tuple[float, float]:
    """Fit slope a and offset b of sigmoid(a x + b) by logistic regression, `balanced` with equal class
    weights (Platt, Probabilistic outputs for support vector machines, 1999).
    """
    from scipy.optimize import minimize

    x, y = np.asarray(logit, float), np.asarray(truth, float)
    weight = np.full(len(y), 1 / max(len(y), 1))
    if balanced:
        weight = np.where(y > 0, 0.5 / max(y.sum(), 1), 0.5 / max((1 - y).sum(), 1))

    def nll(p: NDArray[np.float64]) -> float:
        z = p[0] * x + p[1]
        return float(np.sum(weight * (np.logaddexp(0, z) - y * z)))

    optimum = minimize(nll, np.array([1.0, 0.0]), method="BFGS")
    return float(optimum.x[0]), float(optimum.x[1])


def scope_threshold(in_scope: NDArray[np.floating], refused: float) -> float:
    """Return the in_scope below which the share `refused` of known examples fall, at most 0.5."""
    # in_scope is calibrated with as many unknown ones. Where the two separate better, fewer need refusal: of
    # single-shot diffraction these would be frames without a particle.
    return min(float(np.quantile(in_scope, refused)), EVEN)
