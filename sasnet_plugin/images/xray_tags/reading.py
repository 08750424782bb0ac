"""X-ray scattering images of materials: read with the beam found, as rings and a polar map.

A sample's turn about the beam moves the map around, which its convolutions do not mind, and leaves what is
said of the rings as it is. The image shows what does not lie about the beam: stops, gaps, a beam that was
taken for elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...data.advice import geometry
from ...data.toml_files import overlay_settings
from ...domains import ReadOptions, Seen
from ...types import DataError, Image
from .. import reading
from ..diffraction.reading import (
    SMALLEST,
    Setup,
    Window,
    blocks,
    make_title,
    mask_of,
    same_shape,
    select_images,
    setup_of,
)
from ..sans.reading import find_centre

# --- Images of fewer pixels: counts and measured area of blocks.


def bin_counts(counts: Floats, good: NDArray[np.bool_], most: int) -> tuple[Floats, Floats, int]:
    """Sum counts and usable pixels over square blocks so that the longer side has at most `most`, and return
    the block's side, pixels.
    """
    block = -(-max(counts.shape) // most)
    if block == 1:
        return np.where(good, counts, 0.0), good.astype(float), 1
    return sum_blocks(np.where(good, counts, 0.0), block), sum_blocks(good.astype(float), block), block


def sum_blocks(values: Floats, block: int) -> Floats:
    """Sum over blocks; the last may reach over the border, where nothing is."""
    rows, columns = (-(-n // block) * block for n in values.shape)
    whole = np.zeros((rows, columns))
    whole[: values.shape[0], : values.shape[1]] = values
    return np.asarray(whole.reshape(rows // block, block, columns // block, block).sum(axis=(1, 3)))


# --- Where the beam meets a detector, from the image alone: rings about it are even, and halves
# --- turned alike.

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
    """Share of what varies in an image that rings about a place take away, and the variance left."""
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


# --- An image about its beam: over the logarithm of the distance, and in cells of distance and
# --- azimuth.

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


# --- What the network reads of an X-ray scattering image: rings about the beam, a map over ring and
# --- azimuth, the image itself, and where the beam is.

#: Pixels of the longer side that are worked with at most; finer images are summed to it, counts and all.
WORK = 136
#: Pixels of a side of the image that is read, two of the others each.
PICTURE = WORK // 2
PICTURE_CHANNELS, FACTS = 3, 9


def window(shape: tuple[int, int], centre: tuple[float, float]) -> Window:
    """The circle about the beam that reaches to the farthest corner of the image."""
    rows, columns = shape
    x = max(abs(centre[0] + 0.5), abs(columns - 0.5 - centre[0]))
    y = max(abs(centre[1] + 0.5), abs(rows - 0.5 - centre[1]))
    return Window(shape, centre, float(np.hypot(x, y)))


def inputs(images: Sequence[Image]) -> dict[str, NDArray[np.float32]]:
    """Compute the classifier's input: ``profile`` (n, RINGS, CHANNELS), ``map`` (n, MAP_RINGS, SECTORS,
    MAP_CHANNELS), ``picture`` (n, PICTURE, PICTURE, PICTURE_CHANNELS), ``beam`` (n, FACTS), ``level`` (n,),
    log10 of the mean counts.
    """
    image_inputs = [_compute_inputs(image) for image in images]
    return {name: np.stack([arrays[name] for arrays in image_inputs]) for name in image_inputs[0]}


def mirror_inputs(inputs_given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What would be read of images seen from behind: the same tags."""
    return {
        **inputs_given,
        "map": inputs_given["map"][:, :, ::-1],
        "picture": inputs_given["picture"][:, :, ::-1],
    }


def turn_inputs(inputs_given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What would be read of images upside down: the same tags."""
    half = inputs_given["map"].shape[2] // 2
    turned = np.roll(inputs_given["map"], half, axis=2)
    return {**inputs_given, "map": turned, "picture": inputs_given["picture"][:, ::-1, ::-1]}


def _compute_inputs(image: Image) -> dict[str, NDArray[np.float32]]:
    counts, area, block = bin_counts(image.counts, image.mask, WORK)
    column, row = ((coordinate + 0.5) / block - 0.5 for coordinate in image.geometry.centre)
    # In blocks: a block of which half was measured counts as half.
    pixels = Pixels(counts, area / block**2, column, row, image.geometry.edge / block)
    inputs_made = {
        "profile": profile_of(pixels),
        "map": map_of(pixels),
        "picture": _feature_picture(pixels),
        "beam": _beam(pixels),
        "level": np.asarray(np.log10(1 + pixels.mean)),
    }
    return {name: values.astype(np.float32) for name, values in inputs_made.items()}


def _feature_picture(pixels: Pixels) -> Floats:
    """Return for each pixel log10 of rate over the image's, what was measured, and log10 of distance."""
    counts, area, radius = (sum_blocks(v, 2) for v in (pixels.counts, pixels.area, pixels.radius))
    channels = np.stack([pixels.rate(counts, area), area / 4, np.log10(1 + radius / 4)], axis=2)
    picture = np.zeros((PICTURE, PICTURE, PICTURE_CHANNELS))
    top, left_edge = ((PICTURE - n) // 2 for n in counts.shape)
    picture[top : top + counts.shape[0], left_edge : left_edge + counts.shape[1]] = channels
    return picture


def _beam(pixels: Pixels) -> Floats:
    """Decades of counts in the mean, and of the brightest cell of the second brightest ring; where the beam
    is; the shape; the rate around the beam.
    """
    shape = pixels.counts.shape
    aside = np.sort(
        [
            abs(coordinate - (n - 1) / 2) / (n / 2)
            for coordinate, n in zip((pixels.row, pixels.column), shape, strict=True)
        ]
    )
    radius = pixels.radius
    inner = [radius < reach * max(shape) for reach in (0.015, 0.04)]
    rates = [
        float(pixels.rate(np.asarray(pixels.counts[near].sum()), np.asarray(pixels.area[near].sum())))
        for near in inner
    ]
    bright = np.sort(pixels.cells[0].max(axis=1))[-2]
    return np.array(
        [
            np.log10(pixels.mean + 0.01),
            np.log10(1 + bright),
            *np.minimum(aside, 3.0),
            float(aside[1] > 1),
            pixels.edge / max(shape),
            min(shape) / max(shape),
            *rates,
        ]
    )


# --- Rows and columns of a detector that count noise: the edges of modules whose readout is broken.

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


# --- From a file to X-ray scattering images: bad pixels left out, the beam by header, user, or
# --- symmetry.

#: Counts of an image below which nothing is tagged: the faintest of training has some thousand.
LEAST_COUNTS = 300
#: Shorter over longer side below which an image is a strip: training has 0.5 at least, 0.4 is right as well.
SHORTEST = 0.35
#: The beam may be this many of the longer side off the image; farther it was mistyped.
_FARTHEST = 2.0


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """The images of a file as `diffraction.stacks.select_images` gives them."""
    # Gaps that the file marks, saturated and hot pixels are left out. Shadows of beamstops stay: they are
    # among the tags.
    return select_images(path, options, _images)


def _images(path: Path, geometry: tuple[str, ...], start: int) -> Iterator[Image]:
    settings = setup_of(path, geometry)
    given_mask = mask_of(settings.mask_file) if settings.mask_file else None
    for block in blocks(path, str(path), settings.dataset, start):
        setup = overlay_settings(settings, block.setup)
        for row, frame in enumerate(block.frames):
            entry = make_title(block.start + row, block.total)
            yield _image(frame, block.bad, given_mask, setup, str(path), entry)


def check_image(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """An image as it is; of no known kind where it has hardly any counts, or is a strip."""
    total = float(image.counts.sum())
    short, long = sorted(image.counts.shape)
    if total < LEAST_COUNTS:
        note = f"The image has {total:.3g} counts in all, too few to tag; give the detector's own counts."
    elif short < SHORTEST * long:
        note = (
            f"The image is a strip of {short} by {long} pixels. Edges of shadows resemble pieces of"
            f" rings, and the training data hold no such strips. Average it to a curve instead."
        )
    else:
        return Seen(image, image.notes)
    return Seen(image, (*image.notes, note), known=False)


def _exclude_faulty(counts: Floats, good: BoolArray, notes: list[str]) -> None:
    for label, faulty in (("Rows and columns of noise", noisy_lines), ("Hot pixels", reading.hot_pixels)):
        if (is_faulty := faulty(counts, good)).any():
            good &= ~is_faulty
            notes.append(f"{label} were excluded: {reading.share(is_faulty)}.")


def _image(
    frame: NDArray[Any],
    bad: NDArray[np.bool_] | None,
    given_mask: NDArray[np.bool_] | None,
    setup: Setup,
    file: str,
    entry: str,
) -> Image:
    shape = (frame.shape[0], frame.shape[1])
    reading.check_counts(frame, f"{file} ({entry})" if entry else file)
    unmeasured, notes = reading.find_unmeasured(
        frame, None if bad is None else same_shape(bad, shape, file, file)
    )
    good = ~unmeasured
    if given_mask is not None:
        good &= ~same_shape(given_mask, shape, str(setup.mask_file), file)
    counts = np.where(good, np.nan_to_num(frame.astype(np.float64), posinf=0.0, neginf=0.0), 0.0)
    good &= ~_find_saturated(frame, notes)
    reading.check_mask(good, SMALLEST**2, file)
    _exclude_faulty(counts, good, notes)
    centre = setup.direct_beam
    if centre is None:
        centre, note = _centre(counts, good)
        notes.append(note)
    _check_near(centre, shape, file)
    return Image(np.where(good, counts, 0.0), good, window(shape, centre), file, entry, tuple(notes))


def _centre(counts: NDArray[np.float64], good: NDArray[np.bool_]) -> tuple[tuple[float, float], str]:
    """Column and row of the beam, and where they are from."""
    centre, is_found = centre_of(counts, good)
    if is_found:
        return (
            centre,
            f"The beam was found by the image's symmetry: column {centre[0]:.1f}, row {centre[1]:.1f}.",
        )
    return centre, (
        "No beam was found in the image; its middle was used, so tags of rings are less certain. Give"
        f" the beam centre {geometry('direct_beam=[COLUMN,ROW]')}."
    )


def _find_saturated(frame: NDArray[Any], notes: list[str]) -> NDArray[np.bool_]:
    """Pixels at the detector's limit; where most are the image is a picture, and its detector not faulty."""
    limit = reading.integer_limit(frame)
    full = np.zeros(frame.shape, dtype=np.bool_) if limit is None else np.asarray(frame >= limit)
    if not 0 < np.mean(full) < 0.5:
        return np.zeros_like(full)
    notes.append(f"Saturated pixels were excluded: {reading.share(full)}.")
    return full


def _check_near(centre: tuple[float, float], shape: tuple[int, int], file: str) -> None:
    off = max(abs(centre[k] - shape[1 - k] / 2) for k in (0, 1))
    if off > _FARTHEST * max(shape):
        raise DataError(
            f"{file}: the beam at column {centre[0]:.6g} and row {centre[1]:.6g} is far off the detector;"
            f" give it {geometry('direct_beam=[COLUMN,ROW]')}."
        )
