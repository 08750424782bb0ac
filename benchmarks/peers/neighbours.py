"""Weighted k-nearest neighbours: Euclidean distance of log I, in its leading principal components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Numbers of neighbours tried on a held-out part of the training curves.
CHOICES = (3, 5, 8, 12, 20, 32)


def components(
    train: NDArray[np.floating[Any]], count: int, rng: np.random.Generator, *, sample: int = 20_000
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and leading principal axes, from a sample of the rows.

    Returns
    -------
    mean : (d,) array
    axes : (d, count) array
        Orthonormal, largest variance first; distances between curves are kept as well as `count` numbers can.
    """
    rows = rng.choice(len(train), size=min(sample, len(train)), replace=False)
    chosen = np.asarray(train[rows], dtype=np.float64)
    mean = chosen.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(chosen - mean, rowvar=False))
    order = np.argsort(values)[::-1][:count]
    return mean.astype(np.float32), vectors[:, order].astype(np.float32)


def vote(
    distance: NDArray[np.floating[Any]], label: NDArray[np.integer[Any]], k: int, n_classes: int
) -> NDArray[np.float32]:
    """Probability of each class: share of the k nearest, each weighted by one over its distance.

    Parameters
    ----------
    distance, label : (n, at least k) arrays
        Of the neighbours, nearest first.
    k, n_classes : int

    Returns
    -------
    (n, n_classes) float32 array
    """
    weight = 1.0 / np.maximum(distance[:, :k], 1e-9)
    out = np.zeros((len(label), n_classes))
    np.add.at(out, (np.arange(len(label))[:, None], label[:, :k]), weight)
    return (out / out.sum(axis=1, keepdims=True)).astype(np.float32)


def neighbours(
    train: NDArray[np.floating[Any]],
    label: NDArray[np.integer[Any]],
    test: NDArray[np.floating[Any]],
    n_classes: int,
    rng: np.random.Generator,
    *,
    axes: int = 32,
) -> tuple[NDArray[np.float32], int]:
    """Probabilities for test rows, and the number of neighbours that did best on held-out training rows.

    Parameters
    ----------
    train, test : (n, d), (m, d) arrays
    label : (n,) int array
    n_classes : int
    rng : numpy.random.Generator
    axes : int
        Principal components kept.
    """
    from sklearn.neighbors import NearestNeighbors

    mean, basis = components(train, min(axes, train.shape[1]), rng)
    known = (np.asarray(train, dtype=np.float32) - mean) @ basis
    order = rng.permutation(len(known))
    held, kept = order[: len(order) // 20], order[len(order) // 20 :]
    most = min(max(CHOICES), len(kept))
    # Brute force runs through BLAS; trees gain nothing in this many dimensions.
    distance, index = (
        NearestNeighbors(n_neighbors=most, algorithm="brute").fit(known[kept]).kneighbors(known[held])
    )
    near = label[kept][index]
    right = {
        k: float(np.mean(vote(distance, near, k, n_classes).argmax(axis=1) == label[held]))
        for k in CHOICES
        if k <= most
    }
    best = max(right, key=lambda k: right[k])
    asked = (np.asarray(test, dtype=np.float32) - mean) @ basis
    distance, index = NearestNeighbors(n_neighbors=best, algorithm="brute").fit(known).kneighbors(asked)
    return vote(distance, label[index], best, n_classes), best
