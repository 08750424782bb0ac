"""Images that show no scattering of a material: what must not be tagged, and teaches a network so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from ....arrays import Floats
from ....simulate.draws import draw_all
from ....types import Image
from ...simulation.artefacts import stripes
from ..reading.centre import centre_of
from ..reading.features import window
from .detector import MEASUREMENT, count_pixels, draw_place, gaps

Shape = tuple[int, int]


def _axes(shape: Shape) -> tuple[Floats, Floats]:
    rows, columns = shape
    return np.linspace(-1, 1, columns)[None, :], np.linspace(-1, 1, rows)[:, None]


def _empty(shape: Shape, rng: np.random.Generator) -> Floats:
    """Nothing but a flat ground."""
    return np.ones(shape)


def _clouds(shape: Shape, rng: np.random.Generator) -> Floats:
    """Structure of all sizes anywhere, as in a photograph or a micrograph; or its edges alone."""
    rough = np.fft.rfft2(rng.normal(size=shape))
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    smooth = np.fft.irfft2(rough / np.maximum(f, 0.01) ** rng.uniform(1, 2.2), shape)
    smooth = smooth / smooth.std()
    if rng.random() < 0.3:
        return np.hypot(sobel(smooth, 0), sobel(smooth, 1)) + 0.05
    return np.exp(rng.uniform(0.4, 1.5) * smooth)


def _stripes(shape: Shape, rng: np.random.Generator) -> Floats:
    """Stripes and steps, as of a camera's read-out or a test pattern."""
    x, y = _axes(shape)
    found_stripes = stripes(x, y, rng)
    if rng.random() < 0.5:
        found_stripes = found_stripes * np.where(
            (x * rng.normal() + y * rng.normal()) > rng.normal(0, 0.3), 1.0, 0.1
        )
    return np.asarray(found_stripes + 0.01)


def _horizon(shape: Shape, rng: np.random.Generator) -> Floats:
    """Grazing incidence: nothing below the horizon, a rod and streaks above it."""
    x, y = _axes(shape)
    x, up = x - rng.uniform(-0.5, 0.5), rng.uniform(-0.3, 0.8) - y
    intensity = np.exp(-np.abs(x) / rng.uniform(0.05, 0.4)) + 20 * np.exp(
        -np.abs(x) / rng.uniform(0.01, 0.04)
    )
    position, wide = rng.uniform(0.15, 0.6), rng.uniform(0.02, 0.1)
    intensity = intensity + rng.uniform(0.5, 5) * np.exp(-0.5 * ((np.abs(x) - position) / wide) ** 2)
    intensity = (
        intensity * np.exp(-up / rng.uniform(0.2, 1)) * (1 + 3 * np.exp(-0.5 * ((up - 0.15) / 0.03) ** 2))
    )
    return np.asarray(np.where(up > 0, intensity, 1e-3 * intensity.max()))


def _blobs(shape: Shape, rng: np.random.Generator) -> Floats:
    """Bright areas anywhere, about no centre: cells, particles in a microscope, hot areas of a detector."""
    intensity = np.full(shape, rng.uniform(0.02, 0.5))
    for _ in range(int(rng.integers(1, 40))):
        spot = np.zeros(shape)
        spot[rng.integers(shape[0]), rng.integers(shape[1])] = 1.0
        wide = np.exp(rng.uniform(np.log(1.5), np.log(12)))
        spot = gaussian_filter(spot, wide, truncate=3)
        intensity = (
            intensity
            + (spot > 0.3 * spot.max() if rng.random() < 0.5 else spot / spot.max()) * rng.exponential()
        )
    return intensity


def _halves(shape: Shape, rng: np.random.Generator) -> Floats:
    """A slope, modules of unequal level, or a frame that was read half."""
    x, y = _axes(shape)
    intensity = np.exp(rng.normal(0, 1) * x + rng.normal(0, 1) * y)
    number = int(rng.integers(1, 5))
    levels = rng.gamma(1.0, 1.0, (number, int(rng.integers(1, 5)))) + 0.02
    blocks = np.kron(levels, np.ones([-(-n // k) for n, k in zip(shape, levels.shape, strict=True)]))
    return np.asarray(intensity * blocks[: shape[0], : shape[1]])


#: (rows and columns, generator) to an intensity, nowhere negative.
KINDS: dict[str, Callable[[Shape, np.random.Generator], Floats]] = {
    "empty": _empty,
    "clouds": _clouds,
    "stripes": _stripes,
    "horizon": _horizon,
    "blobs": _blobs,
    "halves": _halves,
}
#: Fewer counts a pixel than this could not be told from weak scattering, but of empty images.
_LEAST = 2.0


def foreign(kind: str, rng: np.random.Generator, exposure: float | None = None) -> Image:
    """Simulate one of `KINDS` on a detector with gaps and zingers; exposure in expected counts."""
    values = draw_all(MEASUREMENT, rng)
    place = draw_place(values, rng)
    picture = KINDS[kind](place.shape, rng)
    level = values["counts"] if exposure is None else exposure / picture.size
    if kind != "empty":
        level = max(level, _LEAST)
    dark = gaps(values, place.shape, rng)
    counts = count_pixels(picture * (level / picture.mean()), values, dark, rng)
    centre = place.centre if values["stated"] else centre_of(counts, ~dark)[0]
    return Image(np.where(dark, 0.0, counts), ~dark, window(place.shape, centre))
