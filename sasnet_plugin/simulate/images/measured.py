"""A clean pattern as a detector counts it: geometry as stated, mask, resolution, Poisson counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...types import Image
from .detector import expected_counts
from .masks import sample_mask
from .measurement import Measurement, sample_measurement
from .window import Window


def measured(
    clean: Callable[[], NDArray[np.floating]],
    window: Window,
    wavelength: float,
    alpha_i: float,
    rng: np.random.Generator,
    *,
    exposure: float | None = None,
) -> tuple[Image, Measurement]:
    """Draw one measurement of a pattern.

    Parameters
    ----------
    clean : callable
        () to the pattern in ``window.with_margin(MARGIN)``, arbitrary scale; called once the mask is drawn.
    window : Window
    wavelength : float
        Å.
    alpha_i : float
        The true angle of incidence, degrees; the image has what is stated with the data, which the
        misalignment of the sample sets off.
    rng : numpy.random.Generator
    exposure : float, optional
        Expected counts of the pixels that count; default: drawn.
    """
    measurement = sample_measurement(rng, counts=exposure)
    stated = alpha_i - measurement.shift_alpha
    mask = sample_mask(window, stated, rng)
    counts = count(expected_counts(clean(), window, measurement, mask), mask, rng)
    return Image(counts, mask, window.geometry(wavelength, stated)), measurement


def count(
    expected: NDArray[np.float64], mask: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Poisson counts where the mask is True, 0 elsewhere."""
    # In single precision, as the features have them.
    return np.where(mask, rng.poisson(expected), 0).astype(np.float32).astype(np.float64)
