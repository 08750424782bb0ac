"""How far two distributions of the rotation angle are apart; the angle is a circle of 60 degrees."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .geometry import PERIOD


def circular_w1(p: ArrayLike, q: ArrayLike, *, period: float = PERIOD) -> NDArray[np.float64]:
    """Earth mover's distance on a circle.

    Parameters
    ----------
    p, q : (..., n) float arrays
        Shares of n evenly spaced angles; each sums to 1.
    period : float
        Degrees.

    Returns
    -------
    (...) float array
        Degrees, at most half a period.

    Notes
    -----
    ∫ |F − G − median(F − G)| with F and G the cumulative sums from any origin (M. Werman, S. Peleg and
    A. Rosenfeld, Comput. Vision Graph. 32 (1985) 328; J. Rabin, J. Delon and Y. Gousseau, J. Math. Imaging
    Vis. 41 (2011) 147).
    """
    difference = np.cumsum(np.asarray(p, dtype=np.float64) - np.asarray(q, dtype=np.float64), axis=-1)
    middle = np.median(difference, axis=-1, keepdims=True)
    return np.asarray(np.abs(difference - middle).mean(axis=-1) * period)


def mirrored(p: ArrayLike) -> NDArray[np.float64]:
    """The distribution of 60° − ξ, along the last axis."""
    p = np.asarray(p, dtype=np.float64)
    return np.asarray(np.roll(p[..., ::-1], 1, axis=-1))


def folded(p: ArrayLike) -> NDArray[np.float64]:
    """The distribution with its mirror image: the mean of p(ξ) and p(60° − ξ)."""
    return np.asarray((np.asarray(p, dtype=np.float64) + mirrored(p)) / 2)


def folded_w1(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """`circular_w1` of what is left when ξ and 60° − ξ are not told apart, degrees."""
    return circular_w1(folded(p), folded(q))


def total_variation(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """Σ|p − q|/2 along the last axis, 0..1: blind to how far apart two angles are."""
    return np.asarray(np.abs(np.asarray(p, dtype=np.float64) - np.asarray(q)).sum(axis=-1) / 2)
