"""Tests of frames and of the points of a curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ..arrays import Floats
from ..types import Curve
from .results import Signal

_PARTS = 5


def measure_signal(q: Floats, intensity: Floats, sigma: Floats) -> tuple[Signal, ...]:
    """Return points and signal of parts of the curve of equal width in q."""
    edges = np.linspace(q[0], q[-1] * (1 + 1e-9), _PARTS + 1)
    parts = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = (q >= low) & (q < high)
        if inside.any():
            ratio = float(np.median(intensity[inside] / sigma[inside]))
            parts.append(Signal(float(low), float(high), int(inside.sum()), ratio))
    return tuple(parts)


def longest_run_probability(points: int, run: int) -> float:
    """Probability that `points` fair coins show a run of equal sides of at least this length.

    M. F. Schilling, Coll. Math. J. 21 (1990) 196, by the recurrence for runs of either side.
    """
    if run <= 1:
        return 1.0
    # shares[k]: probability that no run has reached `run`, and that the last one has length k + 1.
    shares = np.zeros(run - 1)
    shares[0] = 1.0
    for _ in range(points - 1):
        shares = np.concatenate([[0.5 * shares.sum()], 0.5 * shares[:-1]])
    return float(1 - shares.sum())


def compare_frames(frames: Sequence[Curve]) -> float:
    """Return the smallest p-value of all pairs of frames, times the number of pairs, at most 1 (CorMap)."""
    pairs = list(combinations(frames, 2))
    smallest = 1.0
    for one, other in pairs:
        same = np.intersect1d(one.q, other.q)
        signs = np.sign(one.intensity[np.isin(one.q, same)] - other.intensity[np.isin(other.q, same)])
        signs = signs[signs != 0]
        if signs.size < 2:
            continue
        ends = np.flatnonzero(np.diff(signs))
        run = int(np.diff(np.concatenate([[-1], ends, [signs.size - 1]])).max())
        smallest = min(smallest, longest_run_probability(int(signs.size), run))
    return min(1.0, smallest * max(math.comb(len(frames), 2), 1))
