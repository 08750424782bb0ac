"""From an image of any detector to the counts of the window that is simulated."""

from __future__ import annotations

import numpy as np

from ...data.images import rebin, to_window
from ...simulate.gisas.geometry import WINDOW
from ...simulate.images.window import Window
from ...types import DataError, Image
from .forward import Counts

#: A pixel of the window counts if so much of it was measured: peaks are narrower than a pixel, and a part of
#: one says little of the whole.
COVERED = 0.95
#: Fewer counts say nothing.
_LEAST = 100


def on_window(image: Image, window: Window = WINDOW) -> tuple[Counts, Image]:
    """The counts to be explained, and the image as it is shown.

    Counts of pixels that lie on an edge are shared out by area; none is scaled, so that they keep Poisson's
    law as far as the detector's pixels are smaller than the window's.

    Parameters
    ----------
    image : Image
    window : Window

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
        image,
        np.linspace(*window.phi, window.columns + 1),
        np.linspace(*window.alpha_f, window.rows + 1),
    )
    mask = found.coverage >= COVERED
    y = found.image.counts[mask]
    # An image on this very grid keeps whole counts.
    y = np.where(np.abs(y - np.round(y)) < 1e-6, np.round(y), y)
    if y.sum() < _LEAST:
        raise DataError(
            f"{name}: {y.sum():.0f} counts within the window are too few to tell how the lattice is rotated;"
            " measure longer."
        )
    return Counts(
        y, mask, found.coverage[mask], window, image.geometry.wavelength, image.geometry.alpha_i
    ), shown
