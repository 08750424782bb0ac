"""Weighted k-nearest neighbours: Euclidean distance of log I, in its leading principal components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 32
#: A neighbour's vote is its distance to minus one of these, tried on a held-out part of the training curves:
#: a large one is as good as asking fewer neighbours, yet still ranks all of them.
POWERS = (1.0, 2.0, 4.0, 8.0, 16.0)


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
    distance: NDArray[np.floating[Any]], label: NDArray[np.integer[Any]], power: float, n_classes: int
) -> NDArray[np.float32]:
    """Probability of each class: share of the neighbours, each weighted by distance to the minus `power`.

    Parameters
    ----------
    distance, label : (n, k) arrays
        Of the neighbours, nearest first.
    power : float
    n_classes : int

    Returns
    -------
    (n, n_classes) float32 array
    """
    relative = np.maximum(distance, 1e-9) / np.maximum(distance[:, :1], 1e-9)
    out = np.zeros((len(label), n_classes))
    np.add.at(out, (np.arange(len(label))[:, None], label), relative**-power)
    return (out / out.sum(axis=1, keepdims=True)).astype(np.float32)


def neighbours(
    train: NDArray[np.floating[Any]],
    label: NDArray[np.integer[Any]],
    test: NDArray[np.floating[Any]],
    n_classes: int,
    rng: np.random.Generator,
    *,
    axes: int = 32,
) -> tuple[NDArray[np.float32], float]:
    """Probabilities for test rows, and the power of the distance that did best on held-out training rows.

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
    # Brute force runs through BLAS; trees gain nothing in this many dimensions.
    search = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(kept)), algorithm="brute").fit(known[kept])
    distance, index = search.kneighbors(known[held])
    near = label[kept][index]
    right = {p: np.mean(vote(distance, near, p, n_classes).argmax(axis=1) == label[held]) for p in POWERS}
    best = max(right, key=lambda power: right[power])
    asked = (np.asarray(test, dtype=np.float32) - mean) @ basis
    distance, index = search.fit(known).kneighbors(asked)
    return vote(distance, label[index], best, n_classes), best
