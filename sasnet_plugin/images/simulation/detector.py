"""From a clean pattern to counts: geometry as stated, resolution, background, mask, Poisson counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ...types import Image
from .measurement import Measurement, sample_measurement
from .window import Window

#: Pixels of margin around the window, from which resolution and misalignment bring counts into it.
MARGIN = 4


def compute_expected_counts(
    clean: NDArray[np.floating],
    window: Window,
    measurement: Measurement,
    mask: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return each pixel's expected counts from a pattern on ``window.add_margin(MARGIN)``, arbitrary scale.
    Their sum over the mask is ``measurement.counts``, as the specular rod has most counts and may be covered.
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
    all_counts = blurred + total * background(window, measurement)
    visible_counts = all_counts.sum() if mask is None else all_counts.sum(where=mask)
    return np.asarray(all_counts * (measurement.counts / visible_counts))


def blur_matrix(
    n: int, n_in: int, first: int, sigma: float, shift: float, pixel: float
) -> NDArray[np.float64]:
    """Return the matrix (n, n_in) that blurs and shifts one axis."""
    # `first` is the first output pixel's input index; sigma, shift (to larger angles) and pixel have one
    # unit.
    # Counts are spread evenly over a pixel; columns sum to 1 but for losses beyond the window.
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


#: Share of measurements with each fault.
SHARES = {"gaps": 0.5, "beamstop": 0.7, "hot": 0.3, "partial": 0.2}
#: Gaps up and across, at most, and their width in degrees.
GAPS, GAP_WIDTH = 2, (0.03, 0.15)
#: Beamstop: half width; a third of them each reach from below to an angle, lie about the specular beam with a
#: height, or cover the whole specular rod.
STOP_HALF, STOP_END, STOP_HEIGHT = (0.03, 0.2), (0.05, 0.6), (0.05, 0.3)
#: Pixels masked as hot, at most.
HOT = 20
#: Least part of the window's height and width that a partial detector covers.
COVERED = 0.6


def sample_mask(window: Window, alpha_i: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a mask, True where a pixel counts; alpha_i in degrees places the specular beam."""
    alpha, phi = window.centres()
    mask = np.ones(window.shape, dtype=bool)
    gaps, stop, hot, partial = (rng.random() < share for share in SHARES.values())
    if gaps:
        for axis, angles in enumerate((alpha, phi)):
            for _ in range(int(rng.integers(0, GAPS, endpoint=True))):
                inside = np.abs(angles - rng.uniform(angles[0], angles[-1])) < rng.uniform(*GAP_WIDTH) / 2
                mask[_index_along(axis, inside)] = False
    if stop:
        across = np.abs(phi) < rng.uniform(*STOP_HALF)
        kind = int(rng.integers(3))
        end, height = rng.uniform(*STOP_END), rng.uniform(*STOP_HEIGHT)
        up = (alpha < end, np.abs(alpha - alpha_i) < height / 2, alpha >= 0)[kind]
        mask[np.outer(up, across)] = False
    if hot:
        n = int(rng.integers(1, HOT, endpoint=True))
        mask[rng.integers(0, window.rows, n), rng.integers(0, window.columns, n)] = False
    if partial:
        for axis, n in enumerate(window.shape):
            covered = int(np.ceil(rng.uniform(COVERED, 1.0) * n))
            # The detector covers the horizon in any case.
            first = 0 if axis == 0 else int(rng.integers(0, n - covered, endpoint=True))
            outside = (np.arange(n) < first) | (np.arange(n) >= first + covered)
            mask[_index_along(axis, outside)] = False
    return mask


def _index_along(axis: int, chosen: NDArray[np.bool_]) -> tuple[slice | NDArray[np.bool_], ...]:
    return (chosen, slice(None)) if axis == 0 else (slice(None), chosen)


def simulate_measurement(
    clean: Callable[[], NDArray[np.floating]],
    window: Window,
    wavelength: float,
    alpha_i: float,
    rng: np.random.Generator,
    *,
    exposure: float | None = None,
) -> tuple[Image, Measurement]:
    """Draw one measurement of a pattern."""
    # `clean` is called once the mask is drawn, for ``window.add_margin(MARGIN)``; wavelength in Å; alpha_i,
    # degrees, is true, stated is what misalignment leaves; exposure is the expected counts of usable pixels,
    # drawn by default.
    measurement = sample_measurement(rng, counts=exposure)
    stated = alpha_i - measurement.shift_alpha
    mask = sample_mask(window, stated, rng)
    counts = count(compute_expected_counts(clean(), window, measurement, mask), mask, rng)
    return Image(counts, mask, window.geometry(wavelength, stated)), measurement


def count(
    expected: NDArray[np.float64], mask: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Poisson counts where the mask is True, 0 elsewhere."""
    # In single precision, as the features have them.
    return np.where(mask, rng.poisson(expected), 0).astype(np.float32).astype(np.float64)
