"""An image about its beam: over the logarithm of the distance, and in cells of distance and azimuth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ....arrays import Floats

#: Rings of the profile, and between which distances they lie, where the longer side is 128. Their widths are
#: in proportion to the distance: a lattice's orders lie the same steps apart wherever its first ring is.
RINGS, NEAREST, FARTHEST, SIDE = 320, 3.0, 180.0, 128.0
#: Rings of the map to the farthest corner, and sectors.
MAP_RINGS, SECTORS = 64, 128
#: Harmonics whose amplitudes are read.
HARMONICS = 6
CHANNELS, MAP_CHANNELS = 7 + HARMONICS, 4
#: Rings over which the ground below a peak is averaged.
_GROUND = 25
#: Share of a circle that must be measured for its rate to be read.
_SEEN = 0.01
#: Decades over which rates are read.
DECADES = 4.0
#: Counts of the mean rate that are added to everything, so that where nothing was measured nothing is said.
_PRIOR = 0.3


@dataclass(frozen=True)
class Pixels:
    """An image as it is worked with."""

    #: counts, area: (rows, columns), counts, and what share of each pixel was measured.
    counts: Floats
    area: Floats
    #: column, row, edge: of the beam; distance of the farthest corner.
    column: float
    row: float
    edge: float

    @cached_property
    def mean(self) -> float:
        return float(self.counts.sum() / max(self.area.sum(), 1e-9))

    def rate(self, counts: Floats, area: Floats) -> Floats:
        """Counts over area and over the image's mean, in decades; 0 where next to nothing was measured."""
        mean = self.mean + 0.1
        log_rate = np.log10((counts + _PRIOR) / (area + _PRIOR / mean) / mean)
        return np.asarray(np.clip(log_rate, -DECADES, DECADES))

    @cached_property
    def offsets(self) -> tuple[Floats, Floats]:
        """Columns and rows from the beam, (1, columns) and (rows, 1)."""
        y, x = np.ogrid[: self.counts.shape[0], : self.counts.shape[1]]
        return np.asarray(x - self.column), np.asarray(y - self.row)

    @cached_property
    def radius(self) -> Floats:
        return np.hypot(*self.offsets)

    @cached_property
    def cells(self) -> tuple[Floats, Floats]:
        """Counts and measured area of cells of ring and sector, (MAP_RINGS, SECTORS) each."""
        # Cells near the beam are smaller than pixels; those in which no pixel's middle lies have their share
        # of the nearest one.
        x, y = self.offsets
        ring = np.minimum((self.radius * (MAP_RINGS / self.edge)).astype(np.int32), MAP_RINGS - 1)
        # From −π on, so that nothing has to be taken modulo 2π; 0 is −π, too.
        turn = ((np.arctan2(y, x) + np.pi) * (SECTORS / (2 * np.pi))).astype(np.int32)
        cell = (ring * SECTORS + np.minimum(turn, SECTORS - 1)).ravel()
        shape, number = (MAP_RINGS, SECTORS), MAP_RINGS * SECTORS
        sums, areas = (
            np.asarray(np.bincount(cell, values.ravel(), number).reshape(shape), dtype=np.float64)
            for values in (self.counts, self.area)
        )
        missed = np.flatnonzero(np.bincount(cell, minlength=number) == 0)
        step = self.edge / MAP_RINGS
        r = (missed // SECTORS + 0.5) * step
        angle = (missed % SECTORS + 0.5) * (2 * np.pi / SECTORS) - np.pi
        column = np.rint(self.column + r * np.cos(angle)).astype(int)
        row = np.rint(self.row + r * np.sin(angle)).astype(int)
        inside = (0 <= column) & (column < self.counts.shape[1]) & (0 <= row) & (row < self.counts.shape[0])
        missed, column, row, r = missed[inside], column[inside], row[inside], r[inside]
        share = np.minimum(r * step * (2 * np.pi / SECTORS), 1.0)
        sums.ravel()[missed] = self.counts[row, column] * share
        areas.ravel()[missed] = self.area[row, column] * share
        return sums, areas


def profile_of(pixels: Pixels) -> Floats:
    """(RINGS, CHANNELS): of each ring, rate; the same over the ground around it; how many standard
    deviations of counting it lies above that; counts; share of the circle that was measured; how far its
    cells scatter beyond counting; the brightest of them; amplitudes of harmonics.
    """
    step = max(pixels.counts.shape) / SIDE
    edges = np.geomspace(NEAREST * step, FARTHEST * step, RINGS + 1)
    bins = (2 * pixels.radius).astype(int).ravel()
    # Rings are narrower than half a pixel near the beam: what half a pixel holds is shared among them.
    number = max(int(bins.max()) + 1, int(2 * edges[-1]) + 2)
    inner = np.arange(number + 1) / 2
    count, area = (
        np.diff(np.interp(edges, inner, np.append(0.0, np.cumsum(np.bincount(bins, values.ravel(), number)))))
        for values in (pixels.counts, pixels.area)
    )
    decades = pixels.rate(count, area)
    near = np.ones(_GROUND)
    ground = np.convolve(count, near, "same"), np.convolve(area, near, "same")
    expected = area * ground[0] / np.maximum(ground[1], 1e-9)
    circle = np.pi * np.diff(edges**2)
    is_seen = area > _SEEN * circle
    channels = np.stack(
        [
            decades * is_seen,
            np.clip(2 * (decades - pixels.rate(*ground)), -DECADES, DECADES) * is_seen,
            np.arcsinh((count - expected) / np.sqrt(expected + 1)) / 3 * is_seen,
            np.log10(1 + count) / 3,
            np.minimum(area / circle, 1.2),
        ],
        axis=1,
    )
    middle = np.sqrt(edges[1:] * edges[:-1])
    ring = np.minimum((middle * (MAP_RINGS / pixels.edge)).astype(int), MAP_RINGS - 1)
    return np.concatenate([channels, _measure_unevenness(*pixels.cells)[ring]], axis=1)


def map_of(pixels: Pixels) -> Floats:
    """(MAP_RINGS, SECTORS, MAP_CHANNELS): of each cell, rate over the image's, and over its ring's, in
    decades; how many standard deviations of counting it lies off its ring; what was measured of it.
    """
    sums, areas = pixels.cells
    good = areas > 0.1
    ring = (sums.sum(axis=1) + _PRIOR) / np.maximum(areas.sum(axis=1), _PRIOR)
    expected = ring[:, None] * areas
    over = 2 * np.log10((sums + 0.5) / (expected + 0.5))
    miss = np.arcsinh((sums - expected) / np.sqrt(expected + 1)) / 3
    channels = [pixels.rate(sums, areas) * good, np.clip(over, -DECADES, DECADES) * good, miss * good]
    return np.stack([*channels, np.minimum(areas / 2, 2.0)], axis=2)


def _measure_unevenness(sums: Floats, areas: Floats) -> Floats:
    """Return how uneven each ring of the map is around the beam."""
    count, area = sums.sum(axis=1), areas.sum(axis=1)
    rate = (count + _PRIOR) / np.maximum(area, _PRIOR)
    good = areas > 0.1
    expected = rate[:, None] * areas
    miss = np.where(good, (sums - expected) / np.sqrt(expected + 1), 0.0)
    cells = np.maximum(good.sum(axis=1), 1)
    scatter = np.log10(1 + (miss**2).sum(axis=1) / cells) / 2
    bright = np.arcsinh(miss.max(axis=1)) / 4
    relative = np.where(good, sums / np.maximum(expected, _PRIOR) - 1, 0.0)
    waves = np.fft.rfft(relative, axis=1)[:, 1 : HARMONICS + 1] / cells[:, None]
    noise = 1 / np.maximum(count, 1.0)
    amplitude = np.sqrt(np.maximum(np.abs(waves) ** 2 - noise[:, None], 0.0)).clip(0, 1.5)
    return np.concatenate([scatter[:, None], bright[:, None], amplitude], axis=1)
