"""Scores of classifications and of values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def f1_scores(truths: Sequence[str], answers: Sequence[str]) -> dict[str, float]:
    """F1 of each class that occurs in `truths`: the harmonic mean of precision and recall.

    An answer that is none of these classes lowers the recall of the true class and no precision.
    """
    scores = {}
    for name in dict.fromkeys(truths):
        pairs = list(zip(truths, answers, strict=True))
        hits = sum(truth == name == answer for truth, answer in pairs)
        scores[name] = 2 * hits / sum((truth == name) + (answer == name) for truth, answer in pairs)
    return scores


def share_right(right: Sequence[bool]) -> str:
    """Number of right ones, their share in per cent, and its standard error.

    The error is the standard deviation of the share's posterior under a uniform prior, which is not zero
    where all are right.
    """
    number, count = len(right), sum(right)
    if not number:
        return "none"
    mean = (count + 1) / (number + 2)
    error = math.sqrt(mean * (1 - mean) / (number + 3))
    return f"{count} of {number} ({100 * count / number:.1f} ± {100 * error:.1f} %)"


def likeliest_class(probabilities: Mapping[str, float], classes: Mapping[str, Sequence[str]]) -> str:
    """The class with the largest sum of its models' probabilities, or a likelier model of no class.

    Parameters
    ----------
    probabilities : mapping of str to float
        Of models, by their names.
    classes : mapping of str to sequence of str
        The models that mean each class.
    """
    sums = {name: sum(probabilities.get(model, 0.0) for model in models) for name, models in classes.items()}
    named = {model for models in classes.values() for model in models}
    sums |= {model: value for model, value in probabilities.items() if model not in named}
    return max(sums, key=lambda name: sums[name])


def agree(value: float, error: float, other: float, other_error: float, errors: float = 2.0) -> bool:
    """Whether two values differ by no more than so many of their combined standard deviations."""
    return abs(value - other) <= errors * math.hypot(error, other_error)
