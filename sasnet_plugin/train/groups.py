"""Groups of models that data rarely tell apart, from what the network confuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Groups to cut the dendrogram into.
N_GROUPS = 36


def confusion_similarity(probability: NDArray[np.floating], truth: NDArray[np.intp]) -> NDArray[np.float64]:
    """How alike two models look to the network.

    The mean predicted probabilities of the curves of one model are a distribution over all models; two
    models are as alike as these distributions overlap (Bhattacharyya's coefficient Σ √(p q), 1 for the
    same distribution, 0 for disjoint ones).

    Parameters
    ----------
    probability : (n, k) float array
        Calibrated probabilities of held-out curves.
    truth : (n,) int array

    Returns
    -------
    similarity : (k, k) float array
        Symmetric, ones on the diagonal.
    """
    k = probability.shape[1]
    mean = np.zeros((k, k))
    np.add.at(mean, truth, probability)
    mean /= np.maximum(mean.sum(axis=1, keepdims=True), 1e-12)
    root = np.sqrt(mean)
    similarity = root @ root.T
    np.fill_diagonal(similarity, 1.0)
    return np.asarray(similarity)


def link(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hierarchical clustering (average linkage) of 1 − similarity; scipy's linkage matrix."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    distance = np.clip(1 - similarity, 0, None)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(linkage(squareform(distance, checks=False), method="average"))


def cut(
    linkage: NDArray[np.float64],
    forms: Sequence[str],
    similarity: NDArray[np.float64],
    n_groups: int = N_GROUPS,
) -> list[tuple[str, tuple[str, ...]]]:
    """Cut the dendrogram into groups, each named after its most central member.

    Returns
    -------
    list of (name, members)
        Every model in exactly one group; larger groups first.
    """
    from scipy.cluster.hierarchy import fcluster

    label = fcluster(linkage, t=min(n_groups, len(forms)), criterion="maxclust")
    groups = []
    for value in np.unique(label):
        rows = np.flatnonzero(label == value)
        central = int(rows[int(np.argmax(similarity[np.ix_(rows, rows)].sum(axis=1)))])
        name = forms[central] if rows.size == 1 else f"{forms[central]} and alike"
        groups.append((name, tuple(forms[int(row)] for row in rows)))
    return sorted(groups, key=lambda group: (-len(group[1]), group[0]))
