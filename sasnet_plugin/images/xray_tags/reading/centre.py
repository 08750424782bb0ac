"""Where the beam meets a detector, from the image alone: rings about it are even, and halves turned alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...sans.reading.centre import find_centre
from .blocks import bin_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats

Place = tuple[float, float]
#: Pixels of the longer side in which the beam is looked for, first and then.
_COARSE, _FINE = 34, 68
#: Correlation of the image with itself, turned about the beam, from which on symmetry alone tells the beam.
_SYMMETRIC = 0.3
#: Places along each side where the search begins, how far beyond the image they reach, in its sides, and of
#: how many of them it goes on.
_STARTS, _BEYOND, _BEST = 7, 0.25, 2
#: Share of the picture's scatter that rings about the beam must take away for it to be found by them.
_EVEN = 0.3


@dataclass(frozen=True)
class _Picture:
    """Counts as 2√(n + 3/8), which scatter by 1 wherever they are (Anscombe, Biometrika 35 (1948) 246)."""

    #: values, x, y: (n,), of the blocks that were measured, less their mean; columns and rows.
    values: Floats
    x: Floats
    y: Floats
    block: int  #: Pixels of a block's side.
    shape: tuple[int, int]  #: Rows and columns of blocks.

    def scatter(self, place: Place) -> float:
        """Sum of squares about the mean of each ring, a block wide, around a place in blocks."""
        ring = np.hypot(self.x - place[0], self.y - place[1]).astype(int)
        number, total = np.bincount(ring), np.bincount(ring, self.values)
        even = (total * total / np.maximum(number, 1)).sum()
        return float((self.values * self.values).sum() - even)

    def least(self, place: Place, step: float, last: float) -> tuple[float, Place]:
        """The least scatter that steps along the sides lead to, in blocks, and where it is."""
        best = self.scatter(place)
        while step >= last:
            for across, up in ((step, 0.0), (-step, 0.0), (0.0, step), (0.0, -step)):
                moved = (place[0] + across, place[1] + up)
                scatter = self.scatter(moved)
                if scatter < best:
                    best, place = scatter, moved
                    break
            else:
                step /= 2
        return best, place

    def pixel(self, place: Place) -> Place:
        return (place[0] + 0.5) * self.block - 0.5, (place[1] + 0.5) * self.block - 0.5

    def own(self, pixel: Place) -> Place:
        return (pixel[0] + 0.5) / self.block - 0.5, (pixel[1] + 0.5) / self.block - 0.5


def centre_of(counts: Floats, good: NDArray[np.bool_]) -> tuple[Place, bool]:
    """Return column and row of the beam, and whether it was found (else the middle)."""
    # Symmetry under half a turn holds for any sample, but fails near the border or far off. Rings scatter
    # least about the true place. The best of the scatter's minima and the symmetric place is taken.
    blocks = bin_counts(counts, good, _FINE)
    coarse, fine = _picture(*bin_counts(counts, good, _COARSE)), _picture(*blocks)
    rows, columns = counts.shape
    middle = ((columns - 1) / 2, (rows - 1) / 2)
    if coarse is None or fine is None:
        return middle, False
    shares = np.linspace(-_BEYOND, 1 + _BEYOND, _STARTS)
    starts = [(x * coarse.shape[1] - 0.5, y * coarse.shape[0] - 0.5) for x in shares for y in shares]
    starts = sorted(starts, key=coarse.scatter)[:_BEST]
    symmetric = _find_by_symmetry(*blocks, counts.shape)
    if symmetric is not None:
        starts.append(coarse.own(symmetric))
    _, best = min(coarse.least(start, 2.0, 0.5) for start in starts)
    scatter, best = fine.least(fine.own(coarse.pixel(best)), 1.0, 0.12)
    column, row = fine.pixel(best)
    # A picture that is the same everywhere has no scatter but that of rounding.
    total = float((fine.values**2).sum())
    if scatter > (1 - _EVEN) * total - 1e-6 * fine.values.size or not _is_near(column, row, counts.shape):
        return (middle, False) if symmetric is None else (symmetric, True)
    return (column, row), True


def explain_by_rings(counts: Floats, good: NDArray[np.bool_], place: Place) -> tuple[float, float]:
    """Share of what varies in an image that rings about a place take away, and the variance that they
    leave.
    """
    # The latter is 1 where counting noise alone is left.
    fine = _picture(*bin_counts(counts, good, _FINE))
    if fine is None:
        return 0.0, 0.0
    total, variance_left = float((fine.values**2).sum()), fine.scatter(fine.own(place))
    return 1 - variance_left / max(total, 1e-9), variance_left / fine.values.size


def _picture(sums: Floats, area: Floats, block: int) -> _Picture | None:
    is_measured = area >= 0.5 * block * block
    if not is_measured.any():
        return None
    y, x = np.nonzero(is_measured)
    values = 2 * np.sqrt(np.maximum(sums[is_measured], 0.0) / area[is_measured] * block**2 + 0.375)
    shape = (sums.shape[0], sums.shape[1])
    return _Picture(values - values.mean(), x.astype(float), y.astype(float), block, shape)


def _find_by_symmetry(sums: Floats, area: Floats, block: int, shape: tuple[int, ...]) -> Place | None:
    is_measured = area >= 0.5 * block * block
    column, row, like = find_centre(np.where(is_measured, sums / np.maximum(area, 1e-9), 0.0), is_measured)
    column, row = ((coordinate + 0.5) * block - 0.5 for coordinate in (column, row))
    return (column, row) if like >= _SYMMETRIC and _is_near(column, row, shape) else None


def _is_near(column: float, row: float, shape: tuple[int, ...]) -> bool:
    """Whether a place is not farther beside the image than starts reach, and a little more."""
    rows, columns = shape
    low, high = -_BEYOND - 0.15, 1 + _BEYOND + 0.15
    return bool(low * columns < column < high * columns and low * rows < row < high * rows)
