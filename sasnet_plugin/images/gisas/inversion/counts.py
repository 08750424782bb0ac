"""The pixels of the simulated window that count, from an image of any detector."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....types import DataError, Image
from ...reading import rebin, to_window
from ...reading.rebin import edges_of
from ...simulation.window import Window
from ..simulation.geometry import WINDOW
from .settings import INVERSION


@dataclass(frozen=True)
class Counts:
    """The pixels of a window that count."""

    y: Floats
    mask: NDArray[np.bool_]  #: (rows, columns), true at those n pixels.
    coverage: Floats  #: (n,), share of each pixel that was measured.
    window: Window
    wavelength: float  #: Å.
    alpha_i: float  #: Nominal, degrees.
    #: By which the columns lie to the right of the window's, degrees: the window is symmetric about φ = 0,
    #: and the detector's pixels need not end there.
    offset: float = 0.0

    def select_measured(self, pattern: Floats) -> Floats:
        """(..., rows, columns) → (..., n): what of a pattern was measured."""
        return np.asarray(pattern[..., self.mask] * self.coverage)

    def spread(self, values: Floats) -> Floats:
        """(n,) → (rows, columns), 0 where masked."""
        whole = np.zeros(self.window.shape)
        whole[self.mask] = values
        return whole

    @property
    def rotation_mask(self) -> NDArray[np.bool_]:
        """Which of the pixels depend on the rotation, (n,); all, where only the specular rod was measured."""
        phi = self.window.centres()[1] + self.offset
        off_rod = np.broadcast_to(np.abs(phi) > INVERSION.rod, self.window.shape)[self.mask]
        return np.asarray(off_rod if np.any(off_rod) else np.ones(off_rod.size, dtype=bool))


def bin_on_window(image: Image, window: Window = WINDOW) -> tuple[Counts, Image]:
    """Bin the detector to whole blocks of the window's pixels, and return the image as shown."""
    # Blocks keep Poisson statistics and do not share narrow peaks between columns; uneven steps are rebinned
    # by area. Raises DataError if the window is empty, the image coarser, negative or almost without counts.
    name = image.file or "the image"
    if np.any(image.counts[image.mask] < 0):
        raise DataError(f"{name}: it has negative counts; give counts as measured, without any subtraction.")
    blocks, offset, across, along = _make_blocks(image, window)
    shown_image = to_window(
        image, phi=(across[0], across[-1]), alpha_f=(along[0], along[-1]), shape=blocks.shape
    )
    rebinned = rebin(image, across, along)
    mask = rebinned.coverage >= INVERSION.covered
    y = rebinned.image.counts[mask]
    # An image on this very grid keeps whole counts.
    y = np.where(np.abs(y - np.round(y)) < 1e-6 * np.maximum(y, 1.0), np.round(y), y)
    if y.sum() < INVERSION.least_counts:
        raise DataError(
            f"{name}: {y.sum():.0f} counts in the analysed range are too few to determine the rotation"
            f" of the lattice; measure longer."
        )
    beam = image.geometry
    return Counts(
        y, mask, rebinned.coverage[mask], blocks, beam.wavelength, beam.alpha_i, offset
    ), shown_image


def bin_in_bands(counts: Counts, number: int) -> Counts:
    """Add rows of counts up in bands of one height that are measured whole."""
    # A last rest of rows is left out.
    window = counts.window
    height = max(1, window.rows // number)
    bands = window.rows // height
    coverage = np.zeros(window.shape)
    coverage[counts.mask] = counts.coverage

    def sum_rows(values: Floats) -> Floats:
        return np.asarray(values[: bands * height].reshape(bands, height, -1).sum(axis=1))

    covered = sum_rows(coverage) / height
    mask = covered >= INVERSION.covered
    top = window.alpha_f[0] + bands * height * window.pixel[0]
    return replace(
        counts,
        y=sum_rows(counts.spread(counts.y))[mask],
        mask=mask,
        coverage=covered[mask],
        window=replace(window, rows=bands, alpha_f=(window.alpha_f[0], top)),
    )


#: Pixels of the detector by which its edges may depart from even steps.
_EVEN = 0.2


def _make_blocks(image: Image, window: Window) -> tuple[Window, float, Floats, Floats]:
    """Make a window of pixel blocks, its columns' offset, and the edges of columns and rows."""
    # It is no larger than the image, and the one that was given where the image has other steps than even
    # ones.
    phi, alpha_f = edges_of(image.geometry.phi), edges_of(image.geometry.alpha_f)
    width, height = (float(edges[-1] - edges[0]) / (edges.size - 1) for edges in (phi, alpha_f))
    if not _blocks_fit(phi, width, window.phi, window.pixel[1]) or not _blocks_fit(
        alpha_f, height, window.alpha_f, window.pixel[0]
    ):
        across = np.linspace(*window.phi, window.columns + 1)
        return window, 0.0, across, np.linspace(*window.alpha_f, window.rows + 1)
    up, columns = (
        max(1, round(size / step)) for size, step in zip(window.pixel, (height, width), strict=True)
    )
    # The edges next to φ = 0 and at the horizon or above it.
    middle = round(-float(phi[0]) / width)
    bottom = max(int(np.ceil((window.alpha_f[0] - float(alpha_f[0])) / height - 1e-6)), 0)
    middle = int(np.clip(middle, 0, phi.size - 1))
    half = _whole(min(window.phi[1] / width, max(middle, phi.size - 1 - middle)), columns)
    rows = _whole(min((window.alpha_f[1] - float(alpha_f[bottom])) / height, alpha_f.size - 1 - bottom), up)
    across = _locate_edges(phi, middle + columns * np.arange(-half, half + 1), width)
    along = _locate_edges(alpha_f, bottom + up * np.arange(rows + 1), height)
    offset, reach = float(across[half]), half * columns * width
    blocks = Window(rows, 2 * half, (-reach, reach), (float(along[0]), float(along[-1])))
    return _convert_axes(blocks, window), offset if abs(offset) > 1e-9 else 0.0, across, along


def _convert_axes(blocks: Window, window: Window) -> Window:
    """Blocks as BornAgain has their angles; of an image on the window itself that one."""
    axes_pairs = [*blocks.shape, *blocks.phi, *blocks.alpha_f], [*window.shape, *window.phi, *window.alpha_f]
    if np.allclose(*axes_pairs, rtol=1e-9):
        return window
    limits = [(_axis(low), _axis(high)) for low, high in (blocks.phi, blocks.alpha_f)]
    return replace(blocks, phi=limits[0], alpha_f=limits[1])


def _blocks_fit(edges: Floats, step: float, limits: tuple[float, float], pixel: float) -> bool:
    """Whether an axis has even steps, at least as fine as the window's pixels, and lies in it in part."""
    even = np.linspace(edges[0], edges[-1], edges.size)
    inside = edges[0] < limits[1] - step and edges[-1] > limits[0] + step
    return bool(inside and step <= 1.01 * pixel and np.max(np.abs(edges - even)) <= _EVEN * step)


def _axis(angle: float) -> float:
    """An angle as a window has it, degrees: BornAgain takes the values of its axes for tangents."""
    return float(np.degrees(np.tan(np.radians(angle))))


def _locate_edges(edges: Floats, index: NDArray[np.int_], step: float) -> Floats:
    """Edges of pixels by their number, also of some beyond the image."""
    inside = np.clip(index, 0, edges.size - 1)
    return np.asarray(edges[inside] + (index - inside) * step)


def _whole(pixels: float, block: int) -> int:
    """Blocks that hold so many pixels, the last one all but a tenth."""
    return max(1, int(np.ceil(pixels / block - 0.1)))
