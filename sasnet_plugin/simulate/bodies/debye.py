"""Scattering of many points from the distances between them.

Debye's sum, I(q) = f²(q) Σᵢⱼ wᵢ wⱼ sin(q rᵢⱼ)/(q rᵢⱼ) (Debye, Ann. Phys. 351 (1915) 809), over a
histogram of the distances.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arrays import Floats
from .body import COARSE_Q, Q_TOP

#: Bins of the distances. A bin's width w damps what oscillates at q by (q w)²/24: 1 % at 0.5/w.
BINS = 1500


def distances(points: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Distances of all pairs and the products of their weights, (n (n − 1)/2,) each."""
    from scipy.spatial.distance import pdist

    first, second = np.triu_indices(len(points), 1)
    return pdist(points), weights[first] * weights[second]


def sum_debye(
    pairs: Sequence[tuple[Floats, Floats]], weights: Sequence[Floats]
) -> tuple[Floats, Floats, float]:
    """Compute Debye's sum over conformations of equal size, `pairs` of `distances`, Å; returns q from 1/(100
    Rg) or the grid's first point to `Q_TOP`, Å⁻¹, I (1 at q = 0) and Rg, Å, weights as contrast.
    """
    edges = np.linspace(0.0, max(float(r.max()) for r, _ in pairs) * (1 + 1e-9), BINS + 1)
    width = edges[1]
    density, self_sum, total, second_moment = np.zeros(BINS), 0.0, 0.0, 0.0
    for (r, product), w in zip(pairs, weights, strict=True):
        density += np.bincount((r / width).astype(np.intp), product, BINS)[:BINS]
        self_sum += float(w @ w)
        total += float(w.sum()) ** 2
        second_moment += float(product @ r**2)
    rg = float(np.sqrt(max(second_moment, 0.0) / total))
    q = COARSE_Q[(COARSE_Q >= min(0.1 / max(rg, 1e-9), 0.5)) & (COARSE_Q <= Q_TOP)]
    middle = (edges[:-1] + edges[1:]) / 2
    intensity = (self_sum + 2 * np.sinc(np.outer(q, middle) / np.pi) @ density) / total
    return q, intensity, rg
