"""Orientation averages of bodies whose amplitude is a sum of cross-sections times profiles along an axis.

A body such as a box or an elliptic cylinder has the amplitude F = Σₖ Xₖ(q_ab, φ) Zₖ(q_c), with
q_ab = q √(1 − u²) and q_c = q u of the axis' cosine u. Then

    ⟨F²⟩(q) = ∫₀¹ du Σₖₗ ⟨Xₖ Xₗ⟩(q_ab) Zₖ(q_c) Zₗ(q_c),

and the averages over the azimuth φ depend on q_ab alone: they are made once for a body and interpolated,
where an average in two angles makes them anew at every q and u. That takes a tenth of the time, with as many
points of quadrature as the phases need; `separable` has the bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from .quadrature import gauss_legendre

#: Points of quadrature: for a phase qr so many times it, and so many besides; at most, as sasmodels has them.
SLOPE, LEAST, MOST = 0.6, 12, 500
#: Steps of the number of points.
LADDER = (20, 32, 50, 76, 110, 160, 230, 340, MOST)
#: Steps of q_ab times the cross-section's half width, between which averages are interpolated: even ones up
#: to the phase that `MOST` points follow, then even ones of the logarithm, with nothing left to resolve.
STEP, _LOG_STEP = 0.3, 0.02
_FOLLOWED = (MOST - LEAST) / SLOPE


@dataclass(frozen=True)
class Body:
    """What `average_orientations` needs of a body."""

    #: (q_ab (m, 1), φ/φ_max (1, n)) → the cross-sections Xₖ, list of (m, n) arrays.
    across: Callable[[Floats, Floats], list[Floats]]
    along: Callable[[Floats], list[Floats]]  #: q_c (...) → the profiles Zₖ, list of arrays.
    #: half_width, half_length: largest distance from the axis, and along it, Å.
    half_width: float
    half_length: float


def average_orientations(body: Body, q: Floats) -> Floats:
    """Return ⟨F²⟩ over all orientations, (n,); q in Å⁻¹, ascending."""
    from scipy.interpolate import CubicSpline

    grid = _grid(float(q[-1]), body.half_width)
    pairs = CubicSpline(grid, _azimuth(body, grid))
    out = np.empty_like(q)
    points = _points(q * max(body.half_length, body.half_width))
    for n in np.unique(points):
        rows = points == n
        u, weight = rule(int(n))
        q_rows = q[rows][:, None]
        profiles = body.along(q_rows * u)
        across = pairs(q_rows * np.sqrt(1 - u**2))
        total: Floats = np.zeros(across.shape[:-1])
        pair = 0
        for k, first in enumerate(profiles):
            for second in profiles[k:]:
                total += (1.0 if second is first else 2.0) * across[..., pair] * first * second
                pair += 1
        out[rows] = total @ weight
    return out


def _grid(q_max: float, half_width: float) -> Floats:
    """q_ab between which averages are interpolated, Å⁻¹."""
    reach = q_max * half_width
    even = np.arange(0.0, min(reach, _FOLLOWED) + 4 * STEP, STEP)
    if reach > _FOLLOWED:
        count = int(np.log(reach / even[-1]) / _LOG_STEP) + 4
        even = np.append(even, even[-1] * np.exp(_LOG_STEP * np.arange(1, max(count, 4))))
    even[0] = 1e-6
    return np.asarray(even / half_width)


def _azimuth(body: Body, grid: Floats) -> Floats:
    """⟨Xₖ Xₗ⟩ over the azimuth for k ≤ l, (m, pairs)."""
    points, parts = _points(grid * body.half_width), []
    for n in np.unique(points):
        turn, weight = rule(int(n))
        sections = body.across(grid[points == n][:, None], turn[None, :])
        parts.append(
            np.stack(
                [(a * b) @ weight for k, a in enumerate(sections) for b in sections[k:]],
                axis=-1,
            )
        )
    return np.concatenate(parts)


def _points(phase: Floats) -> NDArray[np.intp]:
    return step_of(LADDER, SLOPE * phase + LEAST)


def step_of(ladder: Sequence[int], target: Floats) -> NDArray[np.intp]:
    """The first steps of a ladder that are as many points as wanted, or its last."""
    steps = np.array(ladder)
    return steps[np.minimum(np.searchsorted(steps, target), steps.size - 1)]


@cache
def rule(n: int) -> tuple[Floats, Floats]:
    """Nodes and weights on (0, 1)."""
    x, weight = gauss_legendre(n)
    return (x + 1) / 2, weight / 2
