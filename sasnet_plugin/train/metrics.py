"""How good a classifier is: ranks, groups, calibration, separation of what is out of scope (numpy only).

Probabilities are (n, k) arrays with one row per curve, answers (n,) arrays with the index of the true class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ranks(probability: NDArray[Any], answer: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Return the place of the true class (0 first) by probability (n, k) or anything monotonic."""
    # Ties and NaN count against the classifier, so equal probabilities earn nothing.
    probability = np.asarray(probability)
    own_probability = np.take_along_axis(probability, np.asarray(answer)[:, None], axis=1)
    return np.sum(~(probability < own_probability), axis=1) - 1


def top_k(probability: NDArray[Any], answer: NDArray[np.integer[Any]], k: int) -> float:
    """Share of curves whose true class is among the `k` most probable."""
    return float(np.mean(ranks(probability, answer) < k))


def marginal_factor(form: NDArray[Any], givens_index: NDArray[Any]) -> NDArray[np.intp]:
    """Return the most probable structure factor (n,), 0 for none, whatever the form."""
    return np.asarray(np.einsum("nf,nfs->ns", form, givens_index).argmax(axis=1))


def group_index(groups: Sequence[Sequence[str]], names: Sequence[str]) -> NDArray[np.intp]:
    """Return each class' group (k,). Raises ValueError if a class is in none or several."""
    places = _places(groups)
    missing = [name for name in names if name not in places]
    if missing:
        raise ValueError(f"{', '.join(missing)}: in no group.")
    return np.array([places[name] for name in names], dtype=np.intp)


def _places(groups: Sequence[Sequence[str]]) -> dict[str, int]:
    places: dict[str, int] = {}
    for name, index in [(name, index) for index, members in enumerate(groups) for name in members]:
        if places.setdefault(name, index) != index:
            raise ValueError(f"{name} is in two groups.")
    return places


def group_probability(probability: NDArray[Any], index: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sum class probabilities (n, k) by group, (n, groups), with `index` of `group_index`."""
    member = np.zeros((len(index), int(index.max()) + 1))
    member[np.arange(len(index)), index] = 1.0
    return np.asarray(probability, dtype=np.float64) @ member


def group_accuracy(
    probability: NDArray[Any], answer: NDArray[np.integer[Any]], index: NDArray[np.intp]
) -> float:
    """Share of curves whose most probable group is the one of the true class."""
    return top_k(group_probability(probability, index), index[answer], 1)


def confusion_matrix(
    answer: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], n_classes: int
) -> NDArray[np.intp]:
    """Counts, (true class, predicted class)."""
    matrix = np.zeros((n_classes, n_classes), dtype=np.intp)
    np.add.at(matrix, (answer, predicted), 1)
    return matrix


def find_confused_pairs(
    matrix: NDArray[np.intp], names: Sequence[str], top: int
) -> list[tuple[str, str, float]]:
    """List the `top` pairs of classes most taken for each other, with the mean share."""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    mutual = np.triu(0.5 * (share + share.T), 1)
    order = np.argsort(-mutual, axis=None, kind="stable")[:top]
    pairs = np.column_stack(np.unravel_index(order, mutual.shape))
    return [(names[a], names[b], float(mutual[a, b])) for a, b in pairs if mutual[a, b] > 0]


def recall(answer: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]]) -> dict[int, float]:
    """Share found right of each class that occurs."""
    return {int(c): float(np.mean(predicted[answer == c] == c)) for c in np.unique(answer)}


def compute_balanced_accuracy(answer: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]]) -> float:
    """Mean over the classes that occur of their recall, so that a frequent class does not hide a rare one."""
    return float(np.mean(list(recall(answer, predicted).values())))


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy in bins of equal width."""

    edges: NDArray[np.float64]  #: (bins + 1,)
    count: NDArray[np.intp]  #: (bins,)
    confidence: NDArray[np.float64]  #: (bins,), mean in the bin; NaN where it is empty.
    accuracy: NDArray[np.float64]  #: (bins,), share right in the bin; NaN where it is empty.


def reliability(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15) -> Reliability:
    """Compute the reliability diagram of the first answer's confidence 0..1; bins are open below and closed
    above, the first closed.
    """
    value = np.asarray(confidence, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    edges = np.linspace(0.0, 1.0, bins + 1)
    bins_of = np.clip(np.searchsorted(edges, value, side="left") - 1, 0, bins - 1)
    count = np.bincount(bins_of, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(bins_of, weights=value, minlength=bins) / count
        accuracy = np.bincount(bins_of, weights=right, minlength=bins) / count
    return Reliability(edges, count, mean, accuracy)


def compute_calibration_error(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15) -> float:
    """Mean over curves of |accuracy − confidence| of their bin (Guo et al., ICML 2017, eq. 3)."""
    table = reliability(confidence, correct, bins=bins)
    used = table.count > 0
    gap = np.abs(table.accuracy[used] - table.confidence[used])
    return float(np.sum(table.count[used] * gap) / table.count.sum())


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties half. Raises ValueError if one is empty."""
    # Mann and Whitney's U over the number of pairs (Hanley & McNeil, Radiology 143 (1982) 29).
    high, low = np.asarray(positive, dtype=np.float64), np.sort(np.asarray(negative, dtype=np.float64))
    if not high.size or not low.size:
        raise ValueError("The area under the ROC curve needs examples of both classes.")
    below = np.searchsorted(low, high, side="left")
    not_above = np.searchsorted(low, high, side="right")
    return float(np.mean(0.5 * (below + not_above)) / low.size)
