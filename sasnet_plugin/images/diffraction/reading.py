"""Single-shot diffraction images: read in a stream, features that do not turn with the particle.

Around a ring the intensity is I(φ) = Σ I_n exp(inφ). A particle that turns by α turns I_n by a phase nα
and leaves |I_n| as it is; counting adds to |I_n|² what is known from the counts, and this is taken off.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.advice import DO_NOT_GIVE_UNIT, SETTINGS_GIVEN, geometry
from ...data.limits import HDF5, LIMITS, content, too_large
from ...data.toml_files import (
    overlay_settings,
    parse_assignments,
    parse_settings,
    read_sidecar_settings,
)
from ...domains import ReadOptions
from ...types import DataError, Image
from .. import nexus, reading
from ..nexus import ImageSettings, make_truncation_error, not_an_image
from ..sans.reading import find_centre

# --- Where the pixels of a diffraction image lie: a flat detector, the beam's centre, the window.


@dataclass(frozen=True)
class Window:
    """The largest circle of a flat detector that is looked at, and what of the geometry is known."""

    shape: tuple[int, int]  #: Rows and columns of the detector.
    centre: tuple[float, float]  #: Column and row of the beam, from 0 at the middle of the first pixel.
    edge: float  #: Radius of the circle, pixels.
    wavelength: float | None = None  #: Å.
    distance: float | None = None  #: From sample to detector, mm.
    pixel_size: float | None = None  #: mm.

    def check(self, name: str) -> None:
        """Raise DataError if the circle is entirely off the detector."""
        rows, columns = self.shape
        column, row = self.centre
        if not (-self.edge < column < columns + self.edge and -self.edge < row < rows + self.edge):
            raise DataError(
                f"{name}: the beam at column {column:.6g} and row {row:.6g} is far off the detector; give it"
                f" {geometry('direct_beam=[COLUMN,ROW]')}."
            )

    @property
    def theta(self) -> float | None:
        """Scattering angle at the window's edge, radians; None where the geometry is not known."""
        if not self.distance or not self.pixel_size:
            return None
        return float(np.arctan(self.edge * self.pixel_size / self.distance))

    @property
    def q_edge(self) -> float | None:
        """q at the window's edge, k sin θ as across the beam, Å⁻¹; None where the geometry is not known."""
        if self.theta is None or not self.wavelength:
            return None
        return float(2 * np.pi / self.wavelength * np.sin(self.theta))


# --- Counts of an image in rings and sectors about the beam, and harmonics around each ring.

#: Rings and sectors.
RINGS, SECTORS = 40, 64
#: Each pixel is split into so many each way, of a window of this many pixels of radius at most.
_PARTS, _SPLIT_UP_TO = 2, 150.0
#: Share of a cell that must be measured, or it is filled from the opposite one or by its ring's mean.
_COVERED = 0.25
#: Of a ring: below this share nothing is said of its harmonics.
_RING_COVERED = 0.3


@dataclass(frozen=True)
class Polar:
    """Images in cells."""

    counts: NDArray[np.float32]  #: (n, RINGS, SECTORS)
    area: NDArray[np.float32]  #: (n, RINGS, SECTORS), unmasked pixels of each cell.
    whole: NDArray[np.float32]  #: (RINGS, SECTORS), pixels of a cell, masked or not.
    #: (RINGS,), by how much less its counts scatter than Poisson counts: rings share pixels.
    shared: NDArray[np.float32]


@lru_cache(maxsize=16)
def _cells(
    shape: tuple[int, int], centre: tuple[float, float], edge: float
) -> tuple[Any, NDArray[np.float32]]:
    """Sparse matrix from pixels to cells, (RINGS · SECTORS, pixels); see `Polar.shared`."""
    from scipy.sparse import csr_matrix

    parts = _PARTS if edge <= _SPLIT_UP_TO else 1
    shift = (np.arange(parts) + 0.5) / parts - 0.5
    y = (np.arange(shape[0])[:, None] + shift).ravel() - centre[1]
    x = (np.arange(shape[1])[:, None] + shift).ravel() - centre[0]
    radius = np.hypot(y[:, None], x[None, :])
    ring = (radius * (RINGS / edge)).astype(np.int32)
    angle = np.arctan2(y[:, None], x[None, :]) / (2 * np.pi) % 1.0
    sector = np.minimum((angle * SECTORS).astype(np.int32), SECTORS - 1)
    inside = ring < RINGS
    pixel = (
        np.arange(shape[0]).repeat(parts)[:, None] * shape[1] + np.arange(shape[1]).repeat(parts)[None, :]
    )[inside]
    weights = np.full(pixel.size, 1 / parts**2, np.float32)
    cell = (ring * SECTORS + sector)[inside]
    size = shape[0] * shape[1]
    by_ring = csr_matrix((weights, (cell // SECTORS, pixel)), shape=(RINGS, size))
    squares, sums = by_ring.multiply(by_ring).sum(axis=1), by_ring.sum(axis=1)
    shared = np.asarray(squares / np.maximum(sums, 1e-9), dtype=np.float32).ravel()
    return csr_matrix((weights, (cell, pixel)), shape=(RINGS * SECTORS, size)), shared


def count_in_cells(window: Window, counts: NDArray[Any], masks: NDArray[np.bool_]) -> Polar:
    """Count frames (n, rows, columns) of one geometry in cells, where masks are true."""
    matrix, shared = _cells(window.shape, window.centre, window.edge)
    inside = masks.reshape(len(masks), -1)
    flat = np.where(inside, counts.reshape(len(counts), -1), 0).astype(np.float32)
    sums = (matrix @ flat.T).T.reshape(-1, RINGS, SECTORS)
    area = (matrix @ inside.T.astype(np.float32)).T.reshape(-1, RINGS, SECTORS)
    whole = np.asarray(matrix.sum(axis=1), dtype=np.float32).reshape(RINGS, SECTORS)
    return Polar(sums, np.broadcast_to(area, sums.shape), whole, shared)


def bin_images(images: Sequence[Image]) -> Polar:
    polars: list[Polar] = []
    for window, alike in groupby(images, key=lambda image: image.geometry):
        group = list(alike)
        polars.append(
            count_in_cells(window, np.stack([i.counts for i in group]), np.stack([i.mask for i in group]))
        )
    counts, area = (np.concatenate([getattr(f, name) for f in polars]) for name in ("counts", "area"))
    return Polar(counts, area, polars[0].whole, polars[0].shared)


@dataclass(frozen=True)
class Rings:
    """What is seen of each ring."""

    rate: NDArray[np.float32]  #: (n, RINGS), mean counts a pixel.
    counts: NDArray[np.float32]  #: (n, RINGS)
    coverage: NDArray[np.float32]  #: (n, RINGS), share of the ring's cells that were measured.
    harmonics: NDArray[np.complex64]  #: (n, RINGS, SECTORS // 2 + 1), I_n over the rate.
    noise: NDArray[np.float32]  #: (n, RINGS), what counting adds to the square of each of them.

    @property
    def amplitude(self) -> NDArray[np.float32]:
        """(n, RINGS, SECTORS // 2 + 1) |I_n|/I_0 without what counting adds; negative where that is more."""
        squared = np.abs(self.harmonics) ** 2 - self.noise[..., None]
        return np.asarray(np.sign(squared) * np.sqrt(np.abs(squared)), dtype=np.float32)


def rings(polar: Polar) -> Rings:
    """Harmonics around each ring; cells that were not measured are filled, by the opposite one if it was."""
    area, counts = polar.area, polar.counts
    good = area > _COVERED * np.maximum(np.median(polar.whole, axis=1), 0.25)[:, None]
    covered = good.mean(axis=2)
    area = np.where(good, area, 0.0)
    counts = np.where(good, counts, 0.0)
    total = counts.sum(axis=2)
    rate = total / np.maximum(area.sum(axis=2), 1e-6)
    safe = np.maximum(rate, 1e-9)[..., None]
    relative = np.where(good, counts / np.maximum(area, 1e-6) / safe - 1, 0.0)
    opposite = np.roll(relative, SECTORS // 2, axis=2)
    relative = np.where(good, relative, opposite)
    # Of Poisson counts c in an area a the rate c/a has the variance c/a².
    variance = np.where(good, counts / np.maximum(area, 1e-6) ** 2, 0.0) / safe**2
    usable = (covered >= _RING_COVERED) & (rate > 0)
    harmonics = np.fft.rfft(relative, axis=2) / SECTORS
    noise = polar.shared * variance.sum(axis=2) / np.maximum(covered, 1e-3) / SECTORS**2
    return Rings(
        rate.astype(np.float32),
        total.astype(np.float32),
        covered.astype(np.float32),
        np.where(usable[..., None], harmonics, 0).astype(np.complex64),
        np.where(usable, noise, 0).astype(np.float32),
    )


def cross_correlation(polar: Polar) -> NDArray[np.float32]:
    """Two-point correlation along each ring, (n, RINGS, SECTORS − 1), at Δ = 2π j / SECTORS, j from 1."""
    # C(q, Δ) = ⟨I(q, φ) I(q, φ + Δ)⟩ over the pairs that both were measured, as (C − ⟨I⟩²)/⟨I⟩²; Δ = 0, where
    # counting correlates with itself, is left out (R. P. Kurta et al., Adv. Chem. Phys. 161 (2016) 1).
    good = polar.area > 0
    rate = np.where(good, polar.counts / np.maximum(polar.area, 1e-6), 0.0)
    pairs = np.fft.irfft(np.abs(np.fft.rfft(good.astype(np.float32), axis=2)) ** 2, SECTORS, axis=2)
    products = np.fft.irfft(np.abs(np.fft.rfft(rate, axis=2)) ** 2, SECTORS, axis=2)
    mean = rate.sum(axis=2, keepdims=True) / np.maximum(good.sum(axis=2, keepdims=True), 1)
    correlation = products / np.maximum(pairs, 0.5) / np.maximum(mean, 1e-9) ** 2 - 1
    return np.where((pairs > 0.5) & (mean > 0), correlation, 0.0)[..., 1:].astype(np.float32)


# --- What the network reads of a diffraction image: what does not turn with the particle.

#: Harmonics whose amplitudes are read one by one; those up to the second number together; those read with
#: their sign, after the image was turned to its own axis.
HARMONICS, TOGETHER, SIGNED = 8, 24, 4
CHANNELS = 3 + HARMONICS + 1 + SIGNED
#: Counts within the window below which an image shows nothing that could be sorted.
LEAST_COUNTS = 50
#: Decades over which the rate is read.
_DECADES = 4.0
#: Largest amplitude that is read; a single bright cell has up to one.
_MOST = 1.5


def inputs(images: Sequence[Image]) -> dict[str, NDArray[np.float32]]:
    """Compute ``features`` (n, RINGS, CHANNELS) and ``level`` (n,), log10 of the counts."""
    return compute_ring_inputs(rings(bin_images(images)))


def compute_ring_inputs(found_rings: Rings) -> dict[str, NDArray[np.float32]]:
    """`inputs` of what was seen of the rings."""
    # Channels: rate over its mean in decades; counts; coverage; |I_1| to |I_8|; |I_9| to |I_24| together; and
    # the real parts of I_1 to I_4 in the frame of the image's own axis, the phase of I_2 over all rings.
    level = np.log10(1 + found_rings.counts.sum(axis=1))
    has_counts = (found_rings.rate > 0) & (found_rings.coverage > 0)
    decades = np.where(has_counts, np.log10(np.maximum(found_rings.rate, 1e-12)), np.nan)
    middle = np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in decades])
    relative = np.clip(np.nan_to_num(decades - middle[:, None]), -_DECADES, _DECADES)
    amplitude = found_rings.amplitude
    squared = np.sign(amplitude) * amplitude**2
    rest = squared[..., HARMONICS + 1 : TOGETHER + 1].sum(axis=2)
    channels = [
        relative,
        np.log10(1 + found_rings.counts) / 3,
        found_rings.coverage,
        *np.moveaxis(np.clip(amplitude[..., 1 : HARMONICS + 1], -_MOST, _MOST), 2, 0),
        np.clip(np.sign(rest) * np.sqrt(np.abs(rest)), -_MOST, _MOST),
        *np.moveaxis(np.clip(upright(found_rings), -_MOST, _MOST), 2, 0),
    ]
    return {
        "features": np.stack(channels, axis=2).astype(np.float32),
        "level": level.astype(np.float32),
    }


def upright(found_rings: Rings) -> NDArray[np.float32]:
    """Real parts of I_1 to I_4 where the image is turned to its own axis, (n, RINGS, SIGNED)."""
    # Of the two ways round, the one that the odd harmonics are positive in.
    harmonics = found_rings.harmonics[..., 1 : SIGNED + 1]
    weight = np.sqrt(found_rings.counts)[..., None]
    axis = np.angle((weight * harmonics[..., 1:2]).sum(axis=1, keepdims=True)) / 2
    turned = (harmonics * np.exp(-1j * axis * np.arange(1, SIGNED + 1))).real
    odd = (weight * turned)[..., ::2].sum(axis=(1, 2), keepdims=True)
    sign = np.where(np.arange(1, SIGNED + 1) % 2 == 1, np.where(odd < 0, -1.0, 1.0), 1.0)
    return np.asarray(turned * sign, dtype=np.float32)


def amplitudes(found_rings: Rings) -> NDArray[np.float32]:
    """|I_1| to |I_8| of each ring over its mean, (n, any): alike whatever the turn."""
    amplitude = found_rings.amplitude[..., 1 : HARMONICS + 1].clip(-1, 1)
    return np.asarray(amplitude.reshape(len(amplitude), RINGS * HARMONICS))


# --- What a TOML file or the user says about diffraction images: centre, mask, data set, geometry.

#: Name -> (least, largest, unit); extreme ultraviolet to hard X-rays.
_LIMITS = {
    "wavelength": (0.1, 2000.0, "Å"),
    "distance": (1.0, 60_000.0, "mm"),
    "pixel_size": (0.001, 20.0, "mm"),
    "direct_beam": (-1e5, 1e5, "pixels"),
    "radius": (8.0, 1e4, "pixels"),
}


@dataclass(frozen=True)
class Setup:
    """Settings of the images of a file; None where nothing is said."""

    #: wavelength, distance, pixel_size: Å, mm, mm. Tags and sorting need none of them; sizes in nm do.
    wavelength: float | None = None
    distance: float | None = None
    pixel_size: float | None = None
    direct_beam: tuple[float, float] | None = None  #: Column and row of the beam, counted from 0.
    radius: float | None = None  #: Of the window about it, pixels.
    mask_file: str | None = None  #: An image of the same shape, not zero where a pixel is to be left out.
    dataset: str | None = None  #: Path of the images within an HDF5 file.


def setup_of(path: Path, texts: Sequence[str]) -> Setup:
    """Combine the user's settings ``name=value`` with TOML files next to a file. Raises DataError for
    unknown names or wrong values.
    """
    return overlay_settings(
        _parse_setup(parse_assignments(texts, "direct_beam=[512,500]"), str(SETTINGS_GIVEN)),
        read_sidecar_settings(path, _parse_setup),
    )


def _parse_setup(table: Mapping[str, Any], file: str) -> Setup:
    return parse_settings(Setup, table, file, {"direct_beam": 2}, _LIMITS)


# --- Stacks of frames, a block at a time: CXI and other HDF5, numpy arrays, images of detectors'
# --- formats.

_NPY = b"\x93NUMPY"
#: Bytes of frames that are held at once, and frames at most.
_BLOCK_BYTES, _BLOCK = 32 * 2**20, 256
#: Rows and columns below which an array is no image.
SMALLEST = 24


@dataclass(frozen=True)
class Block:
    """Some frames of a file, one after the other."""

    start: int  #: Number of the first, from 0.
    frames: NDArray[Any]  #: (m, rows, columns), as stored.
    bad: NDArray[np.bool_] | None  #: (rows, columns), the file's own mask.
    setup: Setup  #: What the file says.
    total: int


def blocks(path: Path, file: str, dataset: str | None = None, start: int = 0) -> Iterator[Block]:
    """Yield a file's frames from number `start`, some megabytes at once. Raises DataError if it is missing,
    damaged or holds no images.
    """
    first = content(path, file, expectation="a detector image", size=64)
    if first.startswith(HDF5):
        yield from _read_hdf5(path, file, dataset, start)
    elif first.startswith(_NPY):
        yield from _read_numpy(path, file, start)
    else:
        with closing(reading.frames(path, file, dataset)) as frames:
            for number, frame in enumerate(frames):
                values = np.asarray(frame.values)
                if values.ndim != 2 or min(values.shape) < SMALLEST:
                    raise not_an_image(file, values.shape)
                setup = _setup(frame.geometry)
                if number >= start:
                    yield Block(number, values[None], frame.bad, setup, 1)


def _read_numpy(path: Path, file: str, start: int) -> Iterator[Block]:
    try:
        stack = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise make_truncation_error(file) from error
    _check(stack.shape, stack.dtype, file)
    if stack.ndim == 2 or not stack.flags.c_contiguous:
        yield from _slice_stack(stack, start, None, Setup())
        return
    # Mapped anew for each block: pages of a map that stays count as this process' memory.
    place, dtype, (total, *shape) = stack.offset, stack.dtype, stack.shape
    del stack
    frame_bytes = math.prod(shape) * dtype.itemsize
    step = max(1, min(_BLOCK, _BLOCK_BYTES // frame_bytes))
    for first in range(start, total, step):
        number = min(step, total - first)
        part = np.memmap(path, dtype, "r", place + first * frame_bytes, (number, *shape))
        yield Block(first, np.array(part), None, Setup(), total)


def _read_hdf5(path: Path, file: str, dataset: str | None, start: int) -> Iterator[Block]:
    with nexus.stacks(path, file, dataset) as stacks:
        first, total, setup = 0, stacks.number, _setup(stacks.geometry)
        for stack in stacks.arrays:
            _check(stack.shape[-2:], stack.dtype, file)
            number = math.prod(stack.shape[:-2])
            if first + number > start:
                for block in _slice_stack(stack, max(start - first, 0), stacks.bad, setup):
                    yield replace(block, start=first + block.start, total=total)
            first += number


def _check(shape: tuple[int, ...], dtype: Any, file: str) -> None:
    if len(shape) not in (2, 3) or min(shape[-2:]) < SMALLEST or dtype.kind not in "iuf":
        raise not_an_image(file, shape)
    if shape[-1] * shape[-2] > LIMITS.pixels:
        raise too_large(file, f"images of {shape[-2]} x {shape[-1]} pixels", "those of a detector")


def _slice_stack(stack: Any, start: int, bad: Any, setup: Setup) -> Iterator[Block]:
    """Blocks of a stack; of one with more dimensions than three a frame at a time."""
    frame_bytes = math.prod(stack.shape[-2:]) * stack.dtype.itemsize
    step = max(1, min(_BLOCK, _BLOCK_BYTES // frame_bytes))
    if stack.ndim != 3:
        for first, index in enumerate(np.ndindex(stack.shape[:-2])):
            if first >= start:
                yield Block(first, np.asarray(stack[index])[None], bad, setup, math.prod(stack.shape[:-2]))
        return
    for first in range(start, len(stack), step):
        yield Block(first, np.asarray(stack[first : first + step]), bad, setup, len(stack))


def _setup(settings: ImageSettings) -> Setup:
    width = settings.pixel_size[0] if settings.pixel_size else None
    return Setup(settings.wavelength, settings.distance, width, settings.direct_beam)


def frame_number(path: Path, entry: str | None) -> int | None:
    """Parse an entry's frame number from 0; None if none is asked for. Raises DataError for anything else."""
    if entry is None:
        return None
    digits = entry.removeprefix("frame").strip()
    if not digits.isdigit() or int(digits) < 1:
        raise DataError(f"{path}: there is no entry {entry}; give a frame's number, from 1.")
    return int(digits) - 1


def select_images(
    path: str | os.PathLike[str],
    options: ReadOptions,
    images: Callable[[Path, tuple[str, ...], int], Iterator[Image]],
) -> Iterator[Image]:
    """Yield a file's images, or the one whose number is given, by `images` (path, settings, first number).
    Raises DataError for an unreadable file, an unknown entry, or a unit of q.
    """
    path = Path(path)
    if options.q_unit is not None:
        raise DataError(f"{path}: such images have no q axis; {DO_NOT_GIVE_UNIT}.")
    number, geometry = frame_number(path, options.entry), tuple(options.geometry)
    if number is None:
        yield from images(path, geometry, 0)
        return
    image = next(images(path, geometry, number), None)
    if image is None:
        raise DataError(f"{path}: there is no frame {number + 1}; the file holds fewer.")
    yield image


def make_title(number: int, total: int) -> str:
    """Entry of a frame whose number is from 0; empty of the only one."""
    return f"frame {number + 1}" if total > 1 else ""


def same_shape(mask: NDArray[np.bool_], shape: tuple[int, int], name: str, file: str) -> NDArray[np.bool_]:
    """Return a mask of the images' shape; else DataError names its file."""
    if mask.shape != shape:
        raise DataError(f"{name}: is not a mask of the shape of {file}; give one of the same detector.")
    return mask


def mask_of(path: str) -> NDArray[np.bool_]:
    """Read a mask file, which excludes pixels that are not zero. Raises DataError without image."""
    frame = next(iter(reading.frames(Path(path), path)), None)
    if frame is None:
        raise DataError(f"{path}: holds no mask; give an image that is not zero at pixels to exclude.")
    return np.asarray(frame.values != 0)


# --- From a file to diffraction images in a stream; centre, window and mask from its first frames.

#: A centre is trusted from this correlation of the image with its turned self on.
_SYMMETRIC = 0.3
#: Frames of which the sum shows gaps, hole and hot pixels; with fewer, dark pixels may be dark by chance.
_FEW = 8
#: Counts a pixel around them from which on dark pixels are a gap, and 16 or 8 bits' largest is saturated.
_LIT = 5.0


@dataclass(frozen=True)
class Frames:
    """Some frames of a file, ready for `polar.count_in_cells`."""

    start: int  #: Number of the first in its file, from 0.
    counts: NDArray[np.float32]  #: (m, rows, columns)
    masks: NDArray[np.bool_]  #: (m, rows, columns)
    window: Window
    notes: tuple[str, ...]
    total: int


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """The images of a file one by one, or the one whose number is given."""
    return select_images(path, options, _images)


def _images(path: Path, geometry: tuple[str, ...], start: int) -> Iterator[Image]:
    for block in frames(path, geometry, start):
        for row, (counts, mask) in enumerate(zip(block.counts, block.masks, strict=True)):
            entry = make_title(block.start + row, block.total)
            yield Image(np.where(mask, counts, 0.0), mask, block.window, str(path), entry, block.notes)


def frames(path: Path, geometry: tuple[str, ...] = (), start: int = 0) -> Iterator[Frames]:
    """Yield a file's frames from number `start` in blocks with masks, one block in memory; `geometry` as in
    `settings.Setup`. Raises DataError if the file or the centre cannot be read.
    """
    setup = setup_of(path, geometry)
    given_mask = mask_of(setup.mask_file) if setup.mask_file else None
    placed: tuple[Window, NDArray[np.bool_], tuple[str, ...]] | None = None
    # What is found of a stack is found from its first frames, wherever reading goes on.
    if start:
        placed = _place_window(
            next(iter(blocks(path, str(path), setup.dataset))), setup, given_mask, str(path)
        )
    for block in blocks(path, str(path), setup.dataset, start):
        placed = placed or _place_window(block, setup, given_mask, str(path))
        window, good, notes = placed
        if block.frames.shape[1:] != window.shape:
            raise DataError(f"{path}: its frames have different shapes; give one file for each shape.")
        counts = np.nan_to_num(block.frames.astype(np.float32), posinf=0.0, neginf=0.0)
        good_pixels = good & ~_find_marked_bad(block)
        limit = reading.integer_limit(block.frames)
        if limit is not None:
            good_pixels &= block.frames < limit
        yield Frames(block.start, np.where(good_pixels, counts, 0), good_pixels, window, notes, block.total)


def _find_marked_bad(block: Block) -> NDArray[np.bool_]:
    return reading.find_marked_bad(block.frames)


def _place_window(
    block: Block, given_setup: Setup, given_mask: NDArray[np.bool_] | None, file: str
) -> tuple[Window, NDArray[np.bool_], tuple[str, ...]]:
    """Window, mask and notes of a file from its first frames."""
    setup, shape = overlay_settings(given_setup, block.setup), (block.frames.shape[1], block.frames.shape[2])
    reading.check_counts(block.frames[0], file)
    bad = _find_marked_bad(block)
    total = np.where(bad, 0, np.nan_to_num(block.frames.astype(np.float64))).sum(axis=0)
    unmeasured, notes = reading.find_unmeasured(np.where(bad.all(axis=0), np.nan, total), block.bad)
    good = ~unmeasured
    if given_mask is not None:
        good &= ~same_shape(given_mask, shape, str(given_setup.mask_file), file)
    reading.check_mask(good, SMALLEST**2, file)
    hot = reading.hot_pixels(total, good)
    good = good & ~hot
    if len(block.frames) >= _FEW or float(np.median(total[good])) >= _LIT:
        dark = reading.shadows(total, good)
        good &= ~dark
        notes += _describe_excluded("A gap, a hole or a shadow was", dark)
    notes += _describe_excluded("Hot pixels were", hot)
    centre = setup.direct_beam
    if centre is None:
        centre, note = _centre(np.where(good, total, 0.0), good)
        notes.append(note)
    edge = setup.radius or min(shape) / 2
    window = Window(shape, centre, edge, setup.wavelength, setup.distance, setup.pixel_size)
    window.check(file)
    return replace(window, centre=(round(centre[0] * 4) / 4, round(centre[1] * 4) / 4)), good, tuple(notes)


def _describe_excluded(subject: str, pixels: NDArray[np.bool_]) -> list[str]:
    return [f"{subject} excluded: {reading.share(pixels)}."] if pixels.any() else []


def _centre(total: NDArray[np.float64], good: NDArray[np.bool_]) -> tuple[tuple[float, float], str]:
    """Column and row about which the image is alike under half a turn, else its middle; and which it is."""
    rows, columns = total.shape
    column, row, like = find_centre(total, good)
    inside = -0.1 * columns < column < 1.1 * columns and -0.1 * rows < row < 1.1 * rows
    if like < _SYMMETRIC or not inside:
        middle = (columns - 1) / 2, (rows - 1) / 2
        return middle, "No centre was found in the images; the middle of the detector was used."
    return (column, row), f"The centre was found from the images: column {column:.1f}, row {row:.1f}."
