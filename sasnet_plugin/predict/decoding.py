"""What is fitted on held-out data, one function for each type of head; plain data, as a manifest holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..digits import NORMAL_90
from ..domains.heads import (
    Classes,
    Distribution,
    Embedding,
    Head,
    Outputs,
    Parameter,
    Quantities,
    Scope,
    Tags,
    Targets,
)
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
    softmax,
)
from .classes import ClassesFinding
from .findings import DistributionFinding, QuantitiesFinding, Value
from .tags import TagsFinding

if TYPE_CHECKING:
    from .arithmetic import BoolArray


# --- What is fitted on held-out data, one function for each type of head; plain data, as a manifest
# --- holds it.

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
        return _calibrate_classes(head, outputs, targets, heads)
    if isinstance(head, Scope):
        return _scope(head, outputs, targets)
    if isinstance(head, Tags):
        return _calibrate_tags(head, outputs, targets)
    if isinstance(head, Quantities):
        return _calibrate_quantities(head, outputs, targets)
    if isinstance(head, Distribution):
        return _calibrate_distribution(head, outputs, targets)
    assert isinstance(head, Embedding)
    return {}


def _calibrate_classes(
    head: Classes, outputs: Outputs, targets: Targets, heads: Mapping[str, Head]
) -> dict[str, Any]:
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


def _calibrate_tags(head: Tags, outputs: Outputs, targets: Targets) -> dict[str, Any]:
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


def _calibrate_quantities(head: Quantities, outputs: Outputs, targets: Targets) -> dict[str, Any]:
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


def _calibrate_distribution(head: Distribution, outputs: Outputs, targets: Targets) -> dict[str, Any]:
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


# --- From outputs and what was calibrated to findings, one function for each type of head.


@dataclass(frozen=True)
class Choice:
    """What is wanted of the heads that name classes."""

    top: int = 5  #: Classes and groups that are listed.
    #: (labels,), classes that are considered; the probabilities are renormalised over them.
    keep: BoolArray | None = None
    #: (labels,), relative frequency of each class in practice; None: each as often as in training.
    prior: Floats | None = None
    #: From the labels of what depends on the class to how often each goes with each, (labels, own labels).
    given_prior: Callable[[Sequence[str]], Floats] | None = None


def decode(
    heads: Sequence[Head],
    outputs: Outputs,
    calibration: Mapping[str, Calibration],
    choice: Choice | None = None,
) -> list[list[Any]]:
    """Decode outputs of n examples (averaged over symmetries) into findings in the order of heads; a
    dependent class is part of its parent's, scope and embeddings have none.
    """
    choice = choice or Choice()
    columns: dict[str, list[Any]] = {}
    for head in heads:
        calibration_here = calibration.get(head.name, {})
        match head:
            case Classes() if head.given:
                columns[head.given] = _decode_given(
                    head, columns[head.given], outputs, calibration_here, choice
                )
            case Classes():
                columns[head.name] = _classes(head, outputs, calibration_here, choice)
            case Tags():
                columns[head.name] = _tags(head, outputs, calibration_here)
            case Quantities():
                columns[head.name] = _quantities(head, outputs, calibration_here)
            case Distribution():
                columns[head.name] = _distribution(head, outputs, calibration_here)
    return [list(row) for row in zip(*columns.values(), strict=True)]


def _classes(
    head: Classes, outputs: Outputs, calibration: Calibration, choice: Choice
) -> list[ClassesFinding]:
    p = softmax(np.asarray(outputs[head.name]) / calibration["temperature"], choice.keep)
    class_findings = [
        ClassesFinding(head, probability, top=choice.top, keep=choice.keep) for probability in p
    ]
    if choice.prior is None:
        return class_findings
    weighted = p * choice.prior
    weighted /= weighted.sum(axis=1, keepdims=True)
    return [
        replace(probability, probability=likely, uniform=probability.probability)
        for probability, likely in zip(class_findings, weighted, strict=True)
    ]


def _decode_given(
    head: Classes,
    class_findings: Sequence[ClassesFinding],
    outputs: Outputs,
    calibration: Calibration,
    choice: Choice,
) -> list[ClassesFinding]:
    """Classes of another head, `class_findings`, with those of a head that depends on it."""
    p = compute_given_probability(
        head, class_findings[0].head.labels if class_findings else (), outputs, calibration
    )
    weight = None if choice.given_prior is None else choice.given_prior(head.labels)
    return [
        _combine_with_given(class_finding, head, p[row], weight)
        for row, class_finding in enumerate(class_findings)
    ]


def _combine_with_given(
    classes: ClassesFinding, head: Classes, given_probability: Floats, prior: Floats | None
) -> ClassesFinding:
    """Classes with what depends on them, as often together as they are in practice."""
    if prior is None:
        return replace(classes, given=(*classes.given, (head, given_probability)))
    together = given_probability * prior
    share = together.sum(axis=1)
    weighted = classes.probability * share
    uniform = classes.probability if classes.uniform is None else classes.uniform
    with np.errstate(invalid="ignore"):
        of_each = np.where(share[:, None] > 0, together / share[:, None], given_probability)
    return replace(
        classes,
        probability=weighted / weighted.sum(),
        uniform=uniform,
        given=(*classes.given, (head, of_each)),
    )


def compute_in_scope(head: Scope, outputs: Outputs, calibration: Calibration) -> Floats:
    """(n,) 0..1; how much each looks like anything that the network knows."""
    logit = np.asarray(outputs[head.name], dtype=np.float64)[:, 0]
    return sigmoid(calibration["slope"] * logit + calibration["offset"])


def compute_given_probability(
    head: Classes, labels: tuple[str, ...], outputs: Outputs, calibration: Calibration
) -> Floats:
    """(n, labels, own labels) probability, given each class of the other head; 0 where not allowed."""
    return softmax(
        np.asarray(outputs[head.name]) / calibration["temperature"], find_allowed_labels(head, labels)
    )


def _tags(head: Tags, outputs: Outputs, calibration: Calibration) -> list[TagsFinding]:
    logits = np.asarray(outputs[head.name], dtype=np.float64)
    p = sigmoid(np.asarray(calibration["slope"]) * logits + np.asarray(calibration["offset"]))
    least = dict(zip(head.labels, calibration.get("threshold", [0.5] * len(head.labels)), strict=True))
    tag_findings = []
    for row in p:
        probability = dict(zip(head.labels, map(float, row), strict=True))
        # A tag implies its parent, so that it is never the likelier of the two; chains from the root on.
        for _ in head.parents:
            for child, parent in head.parents.items():
                probability[child] = min(probability[child], probability[parent])
        rest = 1 - probability.get(head.alone, 0.0)
        probability = {k: p if k == head.alone else min(p, rest) for k, p in probability.items()}
        tag_findings.append(TagsFinding(head, probability, _present(head, probability, least)))
    return tag_findings


def _present(head: Tags, probability: Mapping[str, float], least: Mapping[str, float]) -> tuple[str, ...]:
    """Select the tags to report: none without its parent, none beside one that excludes all others."""
    if head.alone and probability[head.alone] >= max(least[head.alone], 0.5):
        return (head.alone,)
    present = {name for name, p in probability.items() if p >= least[name]} - {head.alone}
    for _ in head.parents:
        present -= {child for child, parent in head.parents.items() if parent not in present}
    return tuple(filter(present.__contains__, head.labels))


def _quantities(head: Quantities, outputs: Outputs, calibration: Calibration) -> list[QuantitiesFinding]:
    centre, sigma = mean_and_sigma(outputs[head.name])
    levels = level_of(outputs, len(centre))
    factor = (
        select_by_level(calibration["factors"], levels) if calibration.get("factors") else np.ones_like(sigma)
    )
    # Of a band the factor is its half width, of an error one standard deviation.
    if head.interval == "band":
        half, error = factor * sigma, factor * sigma / NORMAL_90
    else:
        half, error = factor * sigma * NORMAL_90, factor * sigma
    findings = []
    for row in range(len(centre)):
        values: dict[str, Value | None] = {}
        for k, parameter in enumerate(head.parameters):
            is_known = sigma[row, k] <= head.least_known
            numbers = float(centre[row, k]), float(error[row, k]), float(half[row, k])
            values[parameter.name] = _value(parameter, *numbers) if is_known else None
        findings.append(QuantitiesFinding(head, values))
    return findings


def add_stated(finding: QuantitiesFinding, measurement: Any) -> QuantitiesFinding:
    """A finding with what is stated with its measurement, corrected where a shift of it was estimated."""
    values = dict(finding.values)
    for stated in finding.head.stated:
        stated_value = float(getattr(measurement.geometry, stated.name))
        shift = values.get(stated.shift)
        if stated.shift and shift is None:
            continue
        x, error = (shift.value, shift.error) if shift else (0.0, 0.0)
        half = NORMAL_90 * error
        values[stated.name] = Value(
            stated_value + x, error, stated_value + x - half, stated_value + x + half, stated.unit
        )
    return replace(finding, values=values)


def _value(parameter: Parameter, centre: float, error: float, half: float) -> Value:
    value, deviation = parameter.value(centre, error)
    low, high = (parameter.value(centre + side * half, 0.0)[0] for side in (-1, 1))
    return Value(value, deviation, low, high, parameter.unit)


def select_for_class(finding: QuantitiesFinding, classes: ClassesFinding | None) -> QuantitiesFinding:
    """A finding without the values that the likeliest class has none of."""
    if classes is None:
        return finding
    best = classes.head.labels[int(classes.probability.argmax())]
    other_names = {
        parameter.name for parameter in finding.head.parameters if parameter.of and best not in parameter.of
    }
    return replace(finding, values={k: v for k, v in finding.values.items() if k not in other_names})


def _distribution(
    head: Distribution, outputs: Outputs, calibration: Calibration
) -> list[DistributionFinding]:
    p = shares(outputs[head.name])
    quantiles = np.asarray(outputs[f"{head.name}_band"], dtype=np.float64)
    low, high = distribution_band(p, quantiles, calibration["band"], head)
    alike = np.full(len(p), np.nan)
    if calibration.get("uniform"):
        table = select_by_level(calibration["uniform"], level_of(outputs, len(p)))
        distance = circular_w1(p, 1 / head.bins, head.period)
        below = np.sum(table < distance[:, None], axis=1)
        alike = (1 + table.shape[1] - below) / (1 + table.shape[1])
    # The band is that of the running mean; a narrow peak of the answer itself may stand above it.
    return [
        DistributionFinding(
            head, p[row], np.minimum(low[row], p[row]), np.maximum(high[row], p[row]), float(alike[row])
        )
        for row in range(len(p))
    ]
