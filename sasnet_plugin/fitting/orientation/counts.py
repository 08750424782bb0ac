"""The pixels of the simulated window that count, from an image of any detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...data.images import rebin, to_window
from ...simulate.gisas.geometry import WINDOW
from ...simulate.images.window import Window
from ...types import DataError, Image
from .settings import INVERSION

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """The pixels of a window that count.

    Parameters
    ----------
    y : (n,) float array
        Counts.
    mask : (rows, columns) bool array
        True at those n pixels.
    coverage : (n,) float array
        Share of each pixel that was measured.
    window : Window
    wavelength : float
        Å.
    alpha_i : float
        Nominal, degrees.
    """

    y: FloatArray
    mask: NDArray[np.bool_]
    coverage: FloatArray
    window: Window
    wavelength: float
    alpha_i: float

    def seen(self, pattern: FloatArray) -> FloatArray:
        """(..., rows, columns) → (..., n): what of a pattern was measured."""
        return np.asarray(pattern[..., self.mask] * self.coverage)

    def spread(self, values: FloatArray) -> FloatArray:
        """(n,) → (rows, columns), 0 where masked."""
        whole = np.zeros(self.window.shape)
        whole[self.mask] = values
        return whole

    @property
    def beside_rod(self) -> NDArray[np.bool_]:
        """Which of the pixels depend on the rotation, (n,); all, where only the specular rod was measured."""
        phi = self.window.centres()[1]
        beside = np.broadcast_to(np.abs(phi) > INVERSION.rod, self.window.shape)[self.mask]
        return np.asarray(beside if np.any(beside) else np.ones(beside.size, dtype=bool))


def on_window(image: Image, window: Window = WINDOW) -> tuple[Counts, Image]:
    """The counts to be explained, and the image as it is shown.

    Counts of pixels that lie on an edge are shared out by area; none is scaled, so that they keep Poisson's
    law as far as the detector's pixels are smaller than the window's.

    Raises
    ------
    DataError
        The image has nothing within the window, is coarser, has negative values or hardly any counts.
    """
    name = image.file or "the image"
    if np.any(image.counts[image.mask] < 0):
        raise DataError(f"{name}: it has negative counts; give counts as measured, without any subtraction.")
    shown = to_window(image, phi=window.phi, alpha_f=window.alpha_f, shape=window.shape)
    found = rebin(
        image, np.linspace(*window.phi, window.columns + 1), np.linspace(*window.alpha_f, window.rows + 1)
    )
    mask = found.coverage >= INVERSION.covered
    y = found.image.counts[mask]
    # An image on this very grid keeps whole counts.
    y = np.where(np.abs(y - np.round(y)) < 1e-6, np.round(y), y)
    if y.sum() < INVERSION.least_counts:
        raise DataError(
            f"{name}: {y.sum():.0f} counts within the window are too few to tell how the lattice is rotated;"
            " measure longer."
        )
    beam = image.geometry
    return Counts(y, mask, found.coverage[mask], window, beam.wavelength, beam.alpha_i), shown
