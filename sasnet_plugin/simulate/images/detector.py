"""From a clean pattern to the expected counts of a detector: resolution, misalignment, background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .measurement import Measurement
from .window import Window

#: Pixels of margin around the window, from which resolution and misalignment bring counts into it.
MARGIN = 4


def expected_counts(
    clean: NDArray[np.floating],
    window: Window,
    measurement: Measurement,
    mask: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """What each pixel counts on average.

    Parameters
    ----------
    clean : (rows + MARGIN, columns + 2 MARGIN) float array
        A pattern of `window.with_margin(MARGIN)`, arbitrary scale.
    window : Window
    measurement : Measurement
    mask : (rows, columns) bool array, optional
        True where the pixel counts; default: everywhere.

    Returns
    -------
    (rows, columns) float array
        Its sum over the mask is ``measurement.counts``: the specular rod, which a beamstop may cover, has
        most of a pattern's counts.
    """
    up = blur_matrix(
        window.rows,
        window.rows + MARGIN,
        0,
        measurement.sigma_alpha,
        measurement.shift_alpha,
        window.pixel[0],
    )
    across = blur_matrix(
        window.columns,
        window.columns + 2 * MARGIN,
        MARGIN,
        measurement.sigma_phi,
        measurement.shift_phi,
        window.pixel[1],
    )
    blurred = up @ clean.astype(np.float64) @ across.T
    total = blurred.sum()
    every = blurred + total * background(window, measurement)
    seen = every.sum() if mask is None else every.sum(where=mask)
    return np.asarray(every * (measurement.counts / seen))


def blur_matrix(
    n: int, n_in: int, first: int, sigma: float, shift: float, pixel: float
) -> NDArray[np.float64]:
    """Matrix that blurs and shifts one axis.

    Parameters
    ----------
    n, n_in : int
        Pixels that come out and go in.
    first : int
        Index of the first pixel that comes out among those that go in.
    sigma, shift, pixel : float
        Standard deviation of the Gaussian, shift towards larger angles, pixel; in one unit.

    Returns
    -------
    (n, n_in) float array
        Share of each pixel's counts that another gets, the counts spread evenly over the pixel: a column sums
        to 1 except for what leaves the window.
    """
    # It depends on the difference of the two indices alone.
    steps = np.arange(first - n_in, first + n + 1, dtype=np.float64)
    ramp = _ramp(steps * pixel - shift, sigma)
    shares = np.diff(ramp, 2) / pixel
    return np.asarray(shares[np.arange(n)[:, None] + n_in - 1 - np.arange(n_in)])


def _ramp(x: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Integral of the Gaussian's distribution function: max(x, 0), rounded over sigma."""
    if sigma == 0:
        return np.maximum(x, 0.0)
    z = x / sigma
    return np.asarray(x * ndtr(z) + sigma * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def background(window: Window, measurement: Measurement) -> NDArray[np.float64]:
    """Background over the pattern's sum, (rows, columns): flat, and decaying from the horizon's middle."""
    alpha, phi = window.centres()
    upwards = np.exp(-alpha / measurement.diffuse_alpha)
    across = 1 / (1 + (phi / measurement.diffuse_phi) ** 2)
    decaying = np.outer(upwards / upwards.sum(), across / across.sum())
    return np.asarray(measurement.flat / alpha.size / phi.size + measurement.diffuse * decaying)
