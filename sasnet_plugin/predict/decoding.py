"""From outputs and what was calibrated to findings, one function for each type of head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..digits import NORMAL_90
from ..domains.heads import Classes, Distribution, Head, Outputs, Parameter, Quantities, Scope, Tags
from .arithmetic import (
    circular_w1,
    distribution_band,
    find_allowed_labels,
    level_of,
    mean_and_sigma,
    shares,
    sigmoid,
    softmax,
)
from .calibration import Calibration, select_by_level
from .classes import ClassesFinding
from .findings import DistributionFinding, QuantitiesFinding, Value
from .tags import TagsFinding

if TYPE_CHECKING:
    from .arithmetic import BoolArray, Floats


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
