"""From a file to diffraction images in a stream; centre, window and mask from its first frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....data.settings_tables import overlay_settings
from ....domains import ReadOptions
from ....types import DataError, Image
from ...reading import masks
from ...sans.reading.centre import find_centre
from .frame import Window
from .settings import Setup, setup_of
from .stacks import SMALLEST, Block, blocks, make_title, mask_of, same_shape, select_images

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

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
        limit = masks.integer_limit(block.frames)
        if limit is not None:
            good_pixels &= block.frames < limit
        yield Frames(block.start, np.where(good_pixels, counts, 0), good_pixels, window, notes, block.total)


def _find_marked_bad(block: Block) -> NDArray[np.bool_]:
    return masks.find_marked_bad(block.frames)


def _place_window(
    block: Block, given_setup: Setup, given_mask: NDArray[np.bool_] | None, file: str
) -> tuple[Window, NDArray[np.bool_], tuple[str, ...]]:
    """Window, mask and notes of a file from its first frames."""
    setup, shape = overlay_settings(given_setup, block.setup), (block.frames.shape[1], block.frames.shape[2])
    masks.check_counts(block.frames[0], file)
    bad = _find_marked_bad(block)
    total = np.where(bad, 0, np.nan_to_num(block.frames.astype(np.float64))).sum(axis=0)
    unmeasured, notes = masks.find_unmeasured(np.where(bad.all(axis=0), np.nan, total), block.bad)
    good = ~unmeasured
    if given_mask is not None:
        good &= ~same_shape(given_mask, shape, str(given_setup.mask_file), file)
    masks.check_mask(good, SMALLEST**2, file)
    hot = masks.hot_pixels(total, good)
    good = good & ~hot
    if len(block.frames) >= _FEW or float(np.median(total[good])) >= _LIT:
        dark = masks.shadows(total, good)
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
    return [f"{subject} excluded: {masks.share(pixels)}."] if pixels.any() else []


def _centre(total: NDArray[np.float64], good: NDArray[np.bool_]) -> tuple[tuple[float, float], str]:
    """Column and row about which the image is alike under half a turn, else its middle; and which it is."""
    rows, columns = total.shape
    column, row, like = find_centre(total, good)
    inside = -0.1 * columns < column < 1.1 * columns and -0.1 * rows < row < 1.1 * rows
    if like < _SYMMETRIC or not inside:
        middle = (columns - 1) / 2, (rows - 1) / 2
        return middle, "No centre was found in the images; the middle of the detector was used."
    return (column, row), f"The centre was found from the images: column {column:.1f}, row {row:.1f}."
