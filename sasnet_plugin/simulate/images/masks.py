"""Which pixels count: gaps between modules, beamstop, hot pixels, a window that is covered in part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .window import Window

#: Share of measurements with each fault.
SHARES = {"gaps": 0.5, "beamstop": 0.7, "hot": 0.3, "partial": 0.2}
#: Gaps up and across, at most, and their width in degrees.
GAPS, GAP_WIDTH = 2, (0.03, 0.15)
#: Beamstop: half width; a third of them each reach from below to an angle, lie about the specular beam with a
#: height, or cover the whole specular rod.
STOP_HALF, STOP_END, STOP_HEIGHT = (0.03, 0.2), (0.05, 0.6), (0.05, 0.3)
#: Pixels masked as hot, at most.
HOT = 20
#: Least part of the window's height and width that a partial detector covers.
COVERED = 0.6


def sample_mask(window: Window, alpha_i: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a mask.

    Parameters
    ----------
    window : Window
    alpha_i : float
        Where the specular beam is, degrees.
    rng : numpy.random.Generator

    Returns
    -------
    (rows, columns) bool array
        True where the pixel counts.
    """
    alpha, phi = window.centres()
    mask = np.ones(window.shape, dtype=bool)
    gaps, stop, hot, partial = (rng.random() < share for share in SHARES.values())
    if gaps:
        for axis, angles in enumerate((alpha, phi)):
            for _ in range(int(rng.integers(0, GAPS, endpoint=True))):
                inside = np.abs(angles - rng.uniform(angles[0], angles[-1])) < rng.uniform(*GAP_WIDTH) / 2
                mask[_along(axis, inside)] = False
    if stop:
        across = np.abs(phi) < rng.uniform(*STOP_HALF)
        kind = int(rng.integers(3))
        end, height = rng.uniform(*STOP_END), rng.uniform(*STOP_HEIGHT)
        up = (alpha < end, np.abs(alpha - alpha_i) < height / 2, alpha >= 0)[kind]
        mask[np.outer(up, across)] = False
    if hot:
        n = int(rng.integers(1, HOT, endpoint=True))
        mask[rng.integers(0, window.rows, n), rng.integers(0, window.columns, n)] = False
    if partial:
        for axis, n in enumerate(window.shape):
            covered = int(np.ceil(rng.uniform(COVERED, 1.0) * n))
            # The detector covers the horizon in any case.
            first = 0 if axis == 0 else int(rng.integers(0, n - covered, endpoint=True))
            outside = (np.arange(n) < first) | (np.arange(n) >= first + covered)
            mask[_along(axis, outside)] = False
    return mask


def _along(axis: int, chosen: NDArray[np.bool_]) -> tuple[slice | NDArray[np.bool_], ...]:
    return (chosen, slice(None)) if axis == 0 else (slice(None), chosen)
