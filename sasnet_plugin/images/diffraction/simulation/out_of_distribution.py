"""Images that show no single particle: what must not be tagged with confidence, and teaches a network so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from ....arrays import Floats
from ...simulation.artefacts import stripes


def _axes(size: int) -> tuple[Floats, Floats]:
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    return grid[None, :], grid[:, None]


def _powder(size: int, rng: np.random.Generator) -> Floats:
    """Sharp rings of a powder or a standard, on a smooth ground, about a centre that may be elsewhere."""
    x, y = _axes(size)
    off = rng.uniform(-0.8, 0.8, 2) * (rng.random() < 0.4)
    radius = np.hypot(x - off[0], y - off[1])
    first, intensity = rng.uniform(0.1, 0.5), np.exp(-radius / rng.uniform(0.2, 1))
    for order in range(1, int(rng.integers(2, 12))):
        position = first * (order if rng.random() < 0.5 else np.sqrt(order))
        intensity = intensity + rng.uniform(0.2, 3) * np.exp(
            -0.5 * ((radius - position) / rng.uniform(0.005, 0.03)) ** 2
        )
    return np.asarray(intensity)


def _crystal(size: int, rng: np.random.Generator) -> Floats:
    """Spots, of a lattice or anywhere."""
    intensity = np.zeros((size, size))
    number = int(rng.integers(5, 80))
    if rng.random() < 0.5:
        basis = rng.uniform(size / 14, size / 5) * rng.normal(size=(2, 2))
        places = (rng.integers(-9, 10, (number, 2)) @ basis + size / 2).round().astype(int)
    else:
        places = rng.integers(size, size=(number, 2))
    for row, column in places[np.all((places >= 0) & (places < size), axis=1)]:
        intensity[row, column] += rng.exponential()
    x, y = _axes(size)
    return gaussian_filter(intensity, rng.uniform(0.5, 1.8)) + 1e-4 * np.exp(-np.hypot(x, y) / 0.4) + 1e-7


def _speckle(size: int, rng: np.random.Generator) -> Floats:
    """Speckle of many scatterers, without an envelope of a particle."""
    field = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    width = np.exp(rng.uniform(0, np.log(8)))
    smooth = gaussian_filter(field.real, width) ** 2 + gaussian_filter(field.imag, width) ** 2
    x, y = _axes(size)
    return np.asarray(smooth * np.exp(-np.hypot(x, y) / rng.uniform(0.2, 3)))


def _stripes(size: int, rng: np.random.Generator) -> Floats:
    """Stripes, as of a camera's read-out or a grazing-incidence rod and its horizon."""
    x, y = _axes(size)
    intensity = stripes(x, y, rng)
    if rng.random() < 0.5:
        intensity = intensity * (y > rng.uniform(-0.5, 0.3)) + 20 * np.exp(-np.abs(x) / 0.03) * (y > 0)
    return np.asarray(intensity + 0.01)


#: (points of a side, generator) to an intensity, nowhere negative.
KINDS: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "powder": _powder,
    "crystal": _crystal,
    "speckle": _speckle,
    "stripes": _stripes,
}
