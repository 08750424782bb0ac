"""How unevenly a detector counts: in a ring of an image that is alike all around all pixels see the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats

    Index = NDArray[np.intp]

#: Rows of pixels from a detector's border that may count less than the rest.
RIM = 16
#: Standard deviations by which a row must count less; Newton's steps.
_SURE, _PASSES = 3.0, 12
#: A step in ln g after which no more are taken.
_STILL = 1e-6
#: Sectors of a ring that are compared, and rings about each that scatter alike.
_SECTORS, _NEIGHBOURS = 12, 9


def border(shape: tuple[int, int]) -> Index:
    """(rows, columns) distance of each pixel from the image's border, pixels; 0 of the outermost."""
    ways = [np.minimum(np.arange(n), n - 1 - np.arange(n)) for n in shape]
    return np.asarray(np.minimum(ways[0][:, None], ways[1][None, :]), dtype=np.intp)


def rim_efficiency(ring: Index, row: Index, weight: Floats, values: Floats, variance: Floats) -> Floats:
    """Estimate (RIM,) what border rows count relative to inner pixels of the same ring; 1 from the first row
    that is not lower by `_SURE` standard deviations.
    """
    # Values are weight · I(ring) · g(row), g = 1 beyond `RIM`: maximum likelihood by Newton's steps in ln g,
    # rings profiled out, H = diag(Σ_r m) - Σ_r m mᵀ/Σm. Reduced values count as counts of their relative
    # error.
    rows = np.minimum(row, RIM)
    number = int(ring.max()) + 1
    cell, size = ring * (RIM + 1) + rows, number * (RIM + 1)
    exposure, total, spread = (
        np.bincount(cell, quantity, size).reshape(number, RIM + 1) for quantity in (weight, values, variance)
    )
    has_values = (total.sum(axis=1) > 0) & (spread.sum(axis=1) > 0)
    if not has_values.any():
        return np.ones(RIM)
    exposure, total, spread = exposure[has_values], np.maximum(total[has_values], 0.0), spread[has_values]
    total = total * (total.sum(axis=1) / spread.sum(axis=1))[:, None]
    log_g = np.zeros(RIM + 1)
    for _ in range(_PASSES):
        expected = exposure * np.exp(log_g)
        expected *= (total.sum(axis=1) / expected.sum(axis=1))[:, None]
        shared = expected / np.maximum(expected.sum(axis=1, keepdims=True), 1e-300)
        matrix = (np.diag(expected.sum(axis=0)) - expected.T @ shared)[:RIM, :RIM]
        # A row that shares no ring with others stays as it is, with no end to its error.
        matrix = matrix + 1e-3 * np.eye(RIM)
        step = np.linalg.solve(matrix, (total - expected).sum(axis=0)[:RIM])
        log_g[:RIM] = np.clip(log_g[:RIM] + np.clip(step, -1.0, 1.0), -5.0, 1.0)
        if np.max(np.abs(step)) < _STILL:
            break
    less = -log_g[:RIM] > _SURE * np.sqrt(np.diag(np.linalg.inv(matrix)))
    # From the border inwards without a gap: other rows are uneven, but no rim.
    return np.where(np.logical_and.accumulate(less), np.exp(log_g[:RIM]), 1.0)


def scatter(ring: Index, angle: Floats, weight: Floats, values: Floats, variance: Floats) -> Floats:
    """Return the relative variance (rings,) of each ring's mean from the scatter of sectors beyond counting;
    `angle` around the beam in radians.
    """
    # Sectors c have expectation m_c = w_c Σn/Σw and variance v_c + τ² m_c²; τ² is the excess of squares of n
    # - m over v (1 - w_c/Σw), over Σm², of neighbouring rings. The mean then has τ² Σw_c²/(Σw_c)². Areas
    # wider than a sector, as near the beam, are not covered.
    number = int(ring.max()) + 1
    sector = np.floor(angle * (_SECTORS / (2 * np.pi))).astype(np.intp) % _SECTORS
    cell, size = ring * _SECTORS + sector, number * _SECTORS
    exposure, total, spread = (
        np.bincount(cell, quantity, size).reshape(number, _SECTORS) for quantity in (weight, values, variance)
    )
    whole = np.maximum(exposure.sum(axis=1, keepdims=True), 1e-300)
    expected = exposure * (total.sum(axis=1, keepdims=True) / whole)
    excess = ((total - expected) ** 2 - spread * (1 - exposure / whole)).sum(axis=1)
    window = np.ones(_NEIGHBOURS)
    excess, square = (
        np.convolve(quantity, window)[_NEIGHBOURS // 2 : _NEIGHBOURS // 2 + number]
        for quantity in (excess, (expected**2).sum(axis=1))
    )
    tau2 = np.maximum(excess, 0.0) / np.maximum(square, 1e-300)
    return np.asarray(tau2 * (exposure**2).sum(axis=1) / whole[:, 0] ** 2)
