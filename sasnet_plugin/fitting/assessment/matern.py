"""A smooth random process along ln q of Matérn's covariance, ν = 3/2, and its filter.

Its covariance is (1 + d) exp(-d) with d = √3 |Δ ln q|/length. Such a process is two states of a Kalman filter
(J. Hartikainen and S. Särkkä, IEEE MLSP 2010), so that its likelihood is linear in the number of points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: In place of no length at all, where nothing is shared.
_SHORTEST = 1e-9


def correlation(log_q: Array, length: float) -> Array:
    """(n, n) between points at `log_q`."""
    far = np.sqrt(3.0) * np.abs(np.subtract.outer(log_q, log_q)) / length
    return np.asarray((1 + far) * np.exp(-far))


def filtered(log_q: Array, gain: Array, length: Array, columns: Array) -> tuple[Array, Array]:
    """Innovations (n, k, m) of m columns and variances (n, k) of gain times the process plus unit noise.

    Parameters
    ----------
    log_q : (n,) float array
        Rising.
    gain : (n, k) float array
        Of k processes.
    length : (k,) float array
        Their correlation lengths, in ln q; 0 where nothing is shared.
    columns : (n, m) float array
    """
    rate = np.sqrt(3.0) / np.maximum(length, _SHORTEST)
    steps = np.diff(log_q, prepend=log_q[0])
    shape = (rate.size, columns.shape[1])
    value, slope = np.zeros(shape), np.zeros(shape)
    # Covariance of the two states; at rest 1, 0, rate².
    vv, vs, ss = np.ones(rate.size), np.zeros(rate.size), rate**2
    innovation, variance = np.empty((log_q.size, *shape)), np.empty((log_q.size, rate.size))
    for i, (step, column) in enumerate(zip(steps, columns, strict=True)):
        kept = np.exp(-rate * step)
        a, b = kept * (1 + rate * step), kept * step
        c, d = -kept * rate**2 * step, kept * (1 - rate * step)
        value, slope = a[:, None] * value + b[:, None] * slope, c[:, None] * value + d[:, None] * slope
        one, three = vv - 1, ss - rate**2
        vv, vs, ss = (
            a * a * one + 2 * a * b * vs + b * b * three + 1,
            a * c * one + (a * d + b * c) * vs + b * d * three,
            c * c * one + 2 * c * d * vs + d * d * three + rate**2,
        )
        h = gain[i]
        total = h**2 * vv + 1
        left = column[None, :] - h[:, None] * value
        to_value, to_slope = h * vv / total, h * vs / total
        value, slope = value + to_value[:, None] * left, slope + to_slope[:, None] * left
        ss, vs, vv = ss - to_slope * h * vs, vs - to_value * h * vs, vv - to_value * h * vv
        innovation[i], variance[i] = left, total
    return innovation, variance
