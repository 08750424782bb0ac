"""Patterns that are of no known kind of sample: what must not get an answer, and teaches a network so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ...arrays import Floats
from .window import Window

#: (window with its margin, which is filled; angle of incidence in degrees; generator) to a clean pattern of
#: arbitrary scale, nowhere negative.
Kind = Callable[[Window, float, np.random.Generator], Floats]


def _empty(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Nothing but background, flat or sloping, with a specular rod or without."""
    alpha, phi = window.centres()
    slope = np.exp(rng.normal(0, 0.3) * alpha)[:, None] * np.exp(rng.normal(0, 0.3) * phi)[None, :]
    return slope + _rod(window, alpha_i, rng) * (rng.random() < 0.5)


def _rings(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Powder rings or a structure peak about the direct or the reflected beam."""
    radius = _radius(window, alpha_i, rng)
    intensity = _halo(window, alpha_i, rng)
    for _ in range(int(rng.integers(1, 7))):
        radius_of_ring, width = rng.uniform(0.15, 2.2), np.exp(rng.uniform(np.log(0.02), np.log(0.3)))
        strength = np.exp(rng.uniform(-2, 3)) * np.median(intensity)
        intensity = intensity + strength * np.exp(-0.5 * ((radius - radius_of_ring) / width) ** 2)
    return intensity


def _halo(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Small-angle scattering without a preferred direction: a power law with a Guinier region."""
    scale, power = np.exp(rng.uniform(np.log(0.05), np.log(1.0))), rng.uniform(0.7, 2.5)
    halo = (1 + (_radius(window, alpha_i, rng) / scale) ** 2) ** -power
    rod = _rod(window, alpha_i, rng) * (rng.random() < 0.6)
    return np.asarray(halo / halo.mean() + rod, dtype=np.float64)


def _streaks(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Growing islands: one broad correlation peak on either side, and its faint second."""
    alpha, phi = window.centres()
    place, width = rng.uniform(0.12, 1.0), rng.uniform(0.15, 0.5)
    across = sum(
        height / (1 + ((np.abs(phi) - n * place) / (n * width * place)) ** 2)
        for n, height in ((1, 1.0), (2, rng.uniform(0, 0.3)))
    ) + rng.uniform(0, 1) * np.exp(-np.abs(phi) / place)
    wave = 1 + rng.uniform(0, 0.9) * np.cos(2 * np.pi * alpha / rng.uniform(0.2, 1.5) + rng.uniform(0, 6))
    upwards = np.exp(-((alpha / rng.uniform(0.4, 2.0)) ** 2)) * wave
    horizon = 1 + rng.uniform(0, 5) * np.exp(-0.5 * ((alpha - rng.uniform(0.12, 0.35)) / 0.04) ** 2)
    streaks = np.outer(upwards * horizon, across)
    rod = _rod(window, alpha_i, rng)
    return np.asarray(streaks / streaks.mean() + rod, dtype=np.float64)


def _clouds(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Smooth structure anywhere, and spots."""
    rough = rng.normal(size=window.shape)
    smooth = gaussian_filter(rough, np.exp(rng.uniform(np.log(1.0), np.log(12), 2)), mode="reflect")
    clouds = np.exp(rng.uniform(0.5, 3) * smooth / smooth.std())
    for _ in range(int(rng.integers(0, 12))):
        spot = np.zeros_like(clouds)
        spot[rng.integers(clouds.shape[0]), rng.integers(clouds.shape[1])] = 1.0
        clouds += gaussian_filter(spot, rng.uniform(0.5, 3)) * clouds.mean() * np.exp(rng.uniform(1, 6))
    return np.asarray(clouds, dtype=np.float64)


#: Kinds that any window may show, with what makes them.
KINDS: dict[str, Kind] = {
    "empty": _empty,
    "rings": _rings,
    "halo": _halo,
    "streaks": _streaks,
    "clouds": _clouds,
}


def turn_pattern(pattern: NDArray[np.floating], quarters: int) -> Floats:
    """A pattern that lies on its side (1 or 3 quarters) or stands on its head (2), in the same window."""
    rows, columns = pattern.shape
    rotated = np.rot90(pattern, quarters)
    grown = np.pad(
        rotated, [(0, max(0, n - m)) for n, m in zip(pattern.shape, rotated.shape, strict=True)], "edge"
    )
    return np.asarray(grown[:rows, :columns], dtype=np.float64)


def _radius(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Angle from the direct or the reflected beam, or from somewhere near, degrees."""
    alpha, phi = window.centres()
    centre = rng.choice([-1, 1]) * alpha_i + (rng.random() < 0.2) * rng.uniform(-0.5, 0.5)
    squash = rng.uniform(0.7, 1.4) if rng.random() < 0.3 else 1.0
    return np.asarray(np.hypot((alpha[:, None] - centre) * squash, phi[None, :]), dtype=np.float64)


def _rod(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """The specular rod, with its bright spot, over a pattern whose mean is 1."""
    alpha, phi = window.centres()
    across = np.exp(-0.5 * (phi / rng.uniform(0.01, 0.06)) ** 2)
    spot = np.exp(-0.5 * ((alpha - alpha_i) / rng.uniform(0.02, 0.1)) ** 2)
    upwards = np.exp(-alpha / rng.uniform(0.1, 0.8)) * rng.random() + spot
    return np.asarray(np.exp(rng.uniform(1, 8)) * np.outer(upwards, across), dtype=np.float64)
