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
    """What rows of pixels along the border count of what pixels further in count at the same q.

    Parameters
    ----------
    ring : (n,) int array
        Ring of each pixel.
    row : (n,) int array
        `border` of each.
    weight, values, variance : (n,) float arrays
        What each sees, counts, and the variance of counts.

    Returns
    -------
    (RIM,) float array
        1 from the first row inwards on that does not count less by `_SURE` standard deviations; never above.

    Notes
    -----
    Values are weight · I(ring) · g(row), with g = 1 beyond `RIM` rows: maximum likelihood of counts, by
    Newton's steps in ln g with each ring's intensity profiled out, H = diag(Σ_r m) - Σ_r m mᵀ/Σm. Reduced
    values are taken for as many counts as have their relative error.
    """
    rows = np.minimum(row, RIM)
    number = int(ring.max()) + 1
    cell, size = ring * (RIM + 1) + rows, number * (RIM + 1)
    seen, total, spread = (
        np.bincount(cell, one, size).reshape(number, RIM + 1) for one in (weight, values, variance)
    )
    known = (total.sum(axis=1) > 0) & (spread.sum(axis=1) > 0)
    if not known.any():
        return np.ones(RIM)
    seen, total, spread = seen[known], np.maximum(total[known], 0.0), spread[known]
    total = total * (total.sum(axis=1) / spread.sum(axis=1))[:, None]
    log_g = np.zeros(RIM + 1)
    for _ in range(_PASSES):
        expected = seen * np.exp(log_g)
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
    """Variance of each ring's mean by how its sectors scatter beyond counting, over the square of the mean.

    Parameters
    ----------
    angle : (n,) array
        Of each pixel around the beam, radians; the others as of `rim_efficiency`.

    Returns
    -------
    (rings,) array

    Notes
    -----
    Sectors c of a ring have the expectation m_c = w_c Σn/Σw and the variance v_c + τ² m_c²; τ² is what the
    squares of n - m have more than v (1 - w_c/Σw), over Σm², of neighbouring rings together. The ring's mean
    then has the relative variance τ² Σw_c²/(Σw_c)². Areas that are wider than a sector, as all are near the
    beam, move neighbouring rings alike, which this does not hold.
    """
    number = int(ring.max()) + 1
    sector = np.floor(angle * (_SECTORS / (2 * np.pi))).astype(np.intp) % _SECTORS
    cell, size = ring * _SECTORS + sector, number * _SECTORS
    seen, total, spread = (
        np.bincount(cell, one, size).reshape(number, _SECTORS) for one in (weight, values, variance)
    )
    whole = np.maximum(seen.sum(axis=1, keepdims=True), 1e-300)
    expected = seen * (total.sum(axis=1, keepdims=True) / whole)
    more = ((total - expected) ** 2 - spread * (1 - seen / whole)).sum(axis=1)
    window = np.ones(_NEIGHBOURS)
    more, square = (
        np.convolve(one, window)[_NEIGHBOURS // 2 : _NEIGHBOURS // 2 + number]
        for one in (more, (expected**2).sum(axis=1))
    )
    tau2 = np.maximum(more, 0.0) / np.maximum(square, 1e-300)
    return np.asarray(tau2 * (seen**2).sum(axis=1) / whole[:, 0] ** 2)
