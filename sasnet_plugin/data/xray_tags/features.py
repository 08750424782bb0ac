"""What the network reads of an X-ray scattering image: rings about the beam, and a map over ring and azimuth.

A sample's turn about the beam moves the map around, which its convolutions do not mind, and leaves what is
said of the rings as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...types import Image
from ..diffraction.frame import Window
from ..sans.centre import find_centre

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

#: Pixels of the longer side that are worked with at most; finer images are summed to it, counts and all.
WORK = 136
#: Rings from the beam to the farthest corner, sectors, and rings of the map, two of the others each.
RINGS, SECTORS = 96, 64
MAP_RINGS = RINGS // 2
#: Harmonics whose amplitudes are read.
HARMONICS = 6
CHANNELS, MAP_CHANNELS = 6 + HARMONICS, 4
#: Pixels of the longer side in which the beam is looked for, and from which correlation of the image with its
#: turned self on it is found.
_COARSE, _SYMMETRIC = 68, 0.3
#: Rings over which the ground below a peak is averaged.
_GROUND = 13
#: Decades over which rates are read.
_DECADES = 4.0


def window(shape: tuple[int, int], centre: tuple[float, float]) -> Window:
    """The circle about the beam that reaches to the farthest corner of the image."""
    rows, columns = shape
    x = max(abs(centre[0] + 0.5), abs(columns - 0.5 - centre[0]))
    y = max(abs(centre[1] + 0.5), abs(rows - 0.5 - centre[1]))
    return Window(shape, centre, float(np.hypot(x, y)))


def summed(counts: FloatArray, good: NDArray[np.bool_], most: int) -> tuple[FloatArray, FloatArray, int]:
    """Counts and good pixels of blocks, as many a side that no more than `most` blocks are left.

    Returns
    -------
    counts, area : (rows, columns) array
    block : int
        Pixels of a block's side.
    """
    block = -(-max(counts.shape) // most)
    if block == 1:
        return np.where(good, counts, 0.0), good.astype(float), 1
    rows, columns = (-(-n // block) * block for n in counts.shape)
    found = []
    for values in (np.where(good, counts, 0.0), good.astype(float)):
        whole = np.zeros((rows, columns))
        whole[: counts.shape[0], : counts.shape[1]] = values
        found.append(whole.reshape(rows // block, block, columns // block, block).sum(axis=(1, 3)))
    return found[0], found[1], block


def centre_of(counts: FloatArray, good: NDArray[np.bool_]) -> tuple[tuple[float, float], bool]:
    """Column and row of the beam by the image's symmetry, and whether it was found; else the middle.

    Parameters
    ----------
    counts : (rows, columns) array
    good : (rows, columns) bool array
    """
    coarse, area, block = summed(counts, good, _COARSE)
    there = area >= 0.5 * block * block
    rate = np.where(there, coarse / np.maximum(area, 1e-9), 0.0)
    rows, columns = counts.shape
    if there.any():
        column, row, like = find_centre(rate, there)
        column, row = ((at + 0.5) * block - 0.5 for at in (column, row))
        if like >= _SYMMETRIC and -0.3 * columns < column < 1.3 * columns and -0.3 * rows < row < 1.3 * rows:
            return (column, row), True
    return ((columns - 1) / 2, (rows - 1) / 2), False


def inputs(images: Sequence[Image]) -> dict[str, NDArray[np.float32]]:
    """``profile`` (n, RINGS, CHANNELS), ``map`` (n, MAP_RINGS, SECTORS, MAP_CHANNELS), ``level`` (n,), the
    decimal logarithm of the mean counts.

    Parameters
    ----------
    images : sequence of Image
        With a window about the beam as their geometry.
    """
    found = [_of_image(image) for image in images]
    return {
        name: np.stack([one[name] for one in found]).astype(np.float32)
        for name in ("profile", "map", "level")
    }


def _of_image(image: Image) -> dict[str, Any]:
    counts, area, block = summed(image.counts, image.mask, WORK)
    column, row = ((at + 0.5) / block - 0.5 for at in image.geometry.centre)
    edge = image.geometry.edge / block
    y, x = np.ogrid[: counts.shape[0], : counts.shape[1]]
    ring = np.minimum((np.hypot(x - column, y - row) * (RINGS / edge)).astype(int), RINGS - 1)
    turn = np.arctan2(y - row, x - column) / (2 * np.pi) % 1.0
    cell = (ring * SECTORS + np.minimum((turn * SECTORS).astype(int), SECTORS - 1)).ravel()
    # In blocks: a block of which half was measured counts as half.
    area = area / block**2
    sums, areas, whole = (
        np.bincount(cell, values.ravel(), RINGS * SECTORS).reshape(RINGS, SECTORS).astype(float)
        for values in (counts, area, np.ones(area.shape))
    )
    mean = float(counts.sum() / max(area.sum(), 1e-9))
    coarse = [values.reshape(MAP_RINGS, 2, SECTORS).sum(axis=1) for values in (sums, areas)]
    return {
        "profile": _profile(sums, areas, whole, mean),
        "map": _map(coarse[0], coarse[1], mean),
        "level": np.log10(1 + mean),
    }


def _profile(sums: FloatArray, areas: FloatArray, whole: FloatArray, mean: float) -> FloatArray:
    """Of each ring: rate over the image's in decades; the same over the ground around it; counts; coverage;
    how far its cells scatter beyond counting; the brightest; amplitudes of harmonics.
    """
    count, area = sums.sum(axis=1), areas.sum(axis=1)
    seen = area > 0.3
    rate = (count + 0.3) / np.maximum(area, 0.3)
    decades = np.where(seen, np.log10(rate / (mean + 0.1)), 0.0)
    ground = _running(decades, seen)
    good = areas > 0.25
    expected = rate[:, None] * areas
    miss = np.where(good, (sums - expected) / np.sqrt(expected + 1), 0.0)
    cells = np.maximum(good.sum(axis=1), 1)
    scatter = np.log10(1 + (miss**2).sum(axis=1) / cells) / 2
    bright = np.arcsinh(miss.max(axis=1)) / 4
    relative = np.where(good, sums / np.maximum(expected, 0.3) - 1, 0.0)
    # Pairs of rings: at the innermost, cells are smaller than pixels.
    waves = np.fft.rfft(relative, axis=1)[:, 1 : HARMONICS + 1] / cells[:, None]
    noise = 1 / np.maximum(count, 1.0) * (cells / SECTORS)
    amplitude = np.sqrt(np.maximum(np.abs(waves) ** 2 - noise[:, None], 0.0)).clip(0, 1.5)
    channels = [
        np.clip(decades, -_DECADES, _DECADES),
        np.where(seen, np.clip(2 * (decades - ground), -_DECADES, _DECADES), 0.0),
        np.log10(1 + count) / 3,
        area / np.maximum(whole.sum(axis=1), 1),
        scatter,
        bright,
    ]
    return np.concatenate([np.stack(channels, axis=1), amplitude], axis=1)


def _running(values: FloatArray, seen: NDArray[np.bool_]) -> FloatArray:
    """Running mean over `_GROUND` rings of those that were seen."""
    kernel = np.ones(_GROUND)
    number = np.convolve(seen.astype(float), kernel, "same")
    return np.asarray(np.convolve(np.where(seen, values, 0.0), kernel, "same") / np.maximum(number, 1))


def _map(sums: FloatArray, areas: FloatArray, mean: float) -> FloatArray:
    """Of each cell: rate over the image's, and over its ring's, in decades; how many standard deviations
    of counting it lies off its ring; what was measured of it.
    """
    good = areas > 0.25
    ring = (sums.sum(axis=1) + 0.3) / np.maximum(areas.sum(axis=1), 0.3)
    expected = ring[:, None] * areas
    rate = np.log10((sums + 0.3) / np.maximum(areas, 0.25) / (mean + 0.1))
    over = np.log10((sums + 0.5) / (expected + 0.5))
    miss = np.arcsinh((sums - expected) / np.sqrt(expected + 1)) / 3
    found = [np.clip(values, -_DECADES, _DECADES) * good for values in (rate, 2 * over, miss)]
    return np.stack([*found, np.minimum(areas / 2, 3.0)], axis=2)
