"""Measured patterns of growing films with their truth: film → pattern → detector → Poisson counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..gisas.sample import count
from ..gisas.stream import Measured
from ..images.detector import MARGIN, expected_counts
from ..images.masks import sample_mask
from ..images.measurement import Measurement, sample_measurement
from ..images.window import Window
from .film import WINDOW, Film
from .pattern import pattern


@dataclass(frozen=True)
class Example(Measured):
    """One measured pattern and what is true of it.

    Parameters
    ----------
    film : Film
        The true one.
    measurement : Measurement
    """

    film: Film
    measurement: Measurement


def example(
    film: Film,
    rng: np.random.Generator,
    *,
    window: Window = WINDOW,
    clean: NDArray[np.floating] | None = None,
    counts: float | None = None,
) -> Example:
    """Draw one measurement of a film.

    Parameters
    ----------
    film : Film
    rng : numpy.random.Generator
    window : Window
    clean : (rows + MARGIN, columns + 2 MARGIN) float array, optional
        Its pattern in ``window.with_margin(MARGIN)``, where it is at hand.
    counts : float, optional
        Expected counts of the pixels that count; default: drawn.
    """
    if clean is None:
        clean = pattern(film, window.with_margin(MARGIN))
    measurement = sample_measurement(rng, counts=counts)
    stated = film.alpha_i - measurement.shift_alpha
    mask = sample_mask(window, stated, rng)
    return Example(
        counts=count(expected_counts(clean, window, measurement, mask), mask, rng),
        mask=mask,
        wavelength=film.wavelength,
        alpha_i=stated,
        film=film,
        measurement=measurement,
    )
