"""The samples that could be measured: a grid of compositions, temperatures or whatever is set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...types import SasnetError

Ints = NDArray[np.int64]
#: Points of a grid at most: the covariance of all with all is held, 2 MB at 500 and 130 MB at 4,000.
MOST = 4000


@dataclass(frozen=True)
class Grid:
    """All combinations of the values of some axes, the last axis fastest, as a raster goes."""

    #: Values of each axis in their order; neighbours count as equally different, so that a concentration may
    #: ascend by factors.
    axes: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        if not self.axes:
            raise SasnetError("the grid has no axes; name at least one with its values.")
        axes = {str(name): tuple(map(float, values)) for name, values in self.axes.items()}
        for name, values in axes.items():
            if not values or not all(map(math.isfinite, values)) or len(set(values)) < len(values):
                raise SasnetError(
                    f"the grid's axis {name!r} needs values that are finite and differ; it has"
                    f" {', '.join(map(repr, values)) or 'none'}."
                )
        if math.prod(map(len, axes.values())) > MOST:
            raise SasnetError(
                f"the grid has more than {MOST:,} points; take wider steps, and refine where the boundary is."
            )
        object.__setattr__(self, "axes", axes)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(len, self.axes.values()))

    def __len__(self) -> int:
        return math.prod(self.shape)

    @cached_property
    def steps(self) -> Floats:
        """(n, axes) places of all points in steps of the grid."""
        return np.stack(np.unravel_index(np.arange(len(self)), self.shape), axis=1).astype(np.float64)

    def point(self, place: int) -> dict[str, float]:
        indices = np.unravel_index(place, self.shape)
        pairs = zip(self.axes.items(), indices, strict=True)
        return {name: values[int(k)] for (name, values), k in pairs}

    def place(self, point: Mapping[str, object]) -> int:
        """Find the raster point nearest to a point. Raises SasnetError if an axis is missing."""
        indices = []
        for name, values in self.axes.items():
            try:
                value = float(point[name])  # type: ignore[arg-type]
            except (KeyError, TypeError, ValueError):
                value = math.nan
            if not math.isfinite(value):
                raise SasnetError(
                    f"a point of the grid needs a finite value of {name!r}; {dict(point)!r} has none."
                )
            indices.append(int(np.argmin(np.abs(np.array(values) - value))))
        return int(np.ravel_multi_index(indices, self.shape))

    @cached_property
    def neighbours(self) -> Ints:
        """(pairs, 2) places one step apart."""
        number = np.arange(len(self)).reshape(self.shape)
        pairs = []
        for axis in range(number.ndim):
            low, high = np.delete(number, -1, axis), np.delete(number, 0, axis)
            pairs.append(np.stack([low.ravel(), high.ravel()], axis=1))
        return np.concatenate(pairs).astype(np.int64)

    def words(self, place: int) -> str:
        return ", ".join(f"{name} {value:.4g}" for name, value in self.point(place).items())


def spread(grid: Grid, taken_places: Sequence[int]) -> int:
    """The place that is farthest from those taken, in shares of each axis; the first is the middle."""
    scale = np.maximum(np.array(grid.shape) - 1, 1)
    scaled = grid.steps / scale
    if not taken_places:
        return int(np.argmin(np.sum((scaled - 0.5) ** 2, axis=1)))
    nearest = np.min([np.sum((scaled - scaled[index]) ** 2, axis=1) for index in taken_places], axis=0)
    return int(np.argmax(nearest))
