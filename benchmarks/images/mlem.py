"""Maximum-likelihood expectation maximisation: a distribution at a known geometry, stopped in time.

L. A. Shepp and Y. Vardi, IEEE Trans. Med. Imaging 1 (1982) 113: weights stay positive and the likelihood
rises with each step; run to the end, noise turns a smooth distribution into spikes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.orientation.linear import deviance

FloatArray = NDArray[np.float64]
#: Steps after which the held-back counts are looked at, more each time, and at most.
_FIRST, _GROWTH, _MOST = 10, 1.4, 3_000


def mlem(columns: FloatArray, y: FloatArray, weights: FloatArray, steps: int) -> FloatArray:
    """So many steps of expectation maximisation.

    Parameters
    ----------
    columns : (k, n) float array
        What the weights multiply; not negative.
    y : (n,) float array
        Counts.
    weights : (k,) float array
        Where to begin; positive.
    steps : int

    Returns
    -------
    (k,) float array
    """
    seen = np.maximum(columns.sum(axis=1), 1e-300)
    for _ in range(steps):
        expected = np.maximum(weights @ columns, 1e-12)
        weights = weights * (columns @ (y / expected)) / seen
    return weights


def even(columns: FloatArray, y: FloatArray) -> FloatArray:
    """A beginning that prefers nothing: every weight alike, with the sum of the counts."""
    return np.full(len(columns), float(y.sum() / columns.sum()))


def stopped(
    columns: FloatArray, y: FloatArray, rng: np.random.Generator, *, begin: FloatArray | None = None
) -> tuple[FloatArray, int]:
    """Expectation maximisation, stopped where half of the counts predict the other half best.

    Each count is thrown to one side or the other, which leaves two independent patterns of half the counts.
    What a half can bear the whole can bear as well, and twice the steps, as it has half the noise.

    Parameters
    ----------
    columns : (k, n) float array
    y : (n,) float array
        Whole counts.
    rng : numpy.random.Generator
    begin : (k,) float array, optional
        Default: `even`.

    Returns
    -------
    weights : (k,) float array
    steps : int
    """
    start = even(columns, y) if begin is None else begin
    half = rng.binomial(np.round(y).astype(np.int64), 0.5).astype(float)
    weights, done, best, steps, more = start / 2, 0, np.inf, 0, _FIRST
    while done < _MOST:
        weights = mlem(columns, half, weights, more)
        done += more
        loss = float(deviance(y - half, weights @ columns).sum())
        if loss < best:
            best, steps = loss, done
        elif done > 4 * steps:
            break
        more = int(np.ceil(more * _GROWTH))
    steps *= 2
    return mlem(columns, y, start, steps), steps
