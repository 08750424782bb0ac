"""Rows and columns of a detector that count noise: the edges of modules whose readout is broken."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats

BoolArray = NDArray[np.bool_]
#: Lines next to each other that are noisy, at most; parts of a line, and share of them that must stand out.
_WIDEST, _PARTS, _SHARE = 4, 12, 0.5
#: Times the lines on both sides, and counts, by which a noisy line stands out.
_FACTOR, _OFFSET = 10.0, 25.0
#: Relative difference of pixels next to each other in it, in the median: a streak is smooth along itself, and
#: counting leaves 0.1 of 25 counts.
_JUMPS = 0.2


def noisy_lines(counts: Floats, good: BoolArray) -> BoolArray:
    """Find lines a few pixels wide that stand out from both sides all along the detector, (rows, columns)."""
    seen_pixels = np.where(good, counts, np.nan)
    rows, columns = (_find_noisy_rows(pixels) for pixels in (seen_pixels, seen_pixels.T))
    return np.asarray((rows[:, None] | columns[None, :]) & good)


def _find_noisy_rows(pixels: Floats) -> BoolArray:
    measured = np.isfinite(pixels)
    mean = np.where(measured, pixels, 0.0).sum(axis=1) / np.maximum(measured.sum(axis=1), 1)
    # Most images have none, and medians take their time.
    if not _standing_out(mean[None])[0].any():
        return np.zeros(len(pixels), dtype=bool)
    parts = np.array_split(pixels, min(_PARTS, pixels.shape[1]), axis=1)
    levels = np.stack([_medians(part) for part in parts])
    noisy_rows = np.asarray(_standing_out(levels).mean(axis=0) >= _SHARE)
    for row in np.flatnonzero(noisy_rows):
        noisy_rows[row] = _jumps(pixels[row]) > _JUMPS
    return noisy_rows


def _jumps(line: Floats) -> float:
    """Median of |a − b|/(a + b) of pixels next to each other."""
    line = line[np.isfinite(line)]
    return float(np.median(np.abs(np.diff(line)) / np.maximum(line[1:] + line[:-1], 1.0)))


def _medians(part: Floats) -> Floats:
    """Median of each row; 0 where nothing was measured."""
    medians = np.zeros(len(part))
    has_values = np.isfinite(part).any(axis=1)
    medians[has_values] = np.nanmedian(part[has_values], axis=1)
    return medians


def _standing_out(levels: Floats) -> NDArray[Any]:
    """(parts, rows): far above the least of a few rows before, and of a few behind."""
    level_before, behind = (np.full(levels.shape, np.inf) for _ in range(2))
    for far in range(1, _WIDEST + 1):
        level_before[:, far:] = np.minimum(level_before[:, far:], levels[:, :-far])
        behind[:, :-far] = np.minimum(behind[:, :-far], levels[:, far:])
    return np.asarray(levels > _FACTOR * np.maximum(level_before, behind) + _OFFSET)
