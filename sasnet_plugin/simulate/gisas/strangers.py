"""Patterns that are not of ordered particles upright on a surface: what must not get an orientation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ..images.window import Window
from .basis import Basis, mix
from .geometry import N_HALF
from .orientation import sample_orientation

FloatArray = NDArray[np.float64]


def stranger(kind: str, basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """A clean pattern of one of the `KINDS`.

    Parameters
    ----------
    kind : str
    basis : Basis
        Its window, margin included, is filled; some kinds are made of its patterns.
    half : (61, rows, columns) float32 array
        `basis.half()`.
    rng : numpy.random.Generator

    Returns
    -------
    (rows, columns) float array
        Arbitrary scale, nowhere negative.
    """
    return np.asarray(KINDS[kind](basis, half, rng), dtype=np.float64)


def _empty(basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """Nothing but background, flat or sloping, with a specular rod or without."""
    alpha, phi = basis.window.centres()
    slope = np.exp(rng.normal(0, 0.3) * alpha)[:, None] * np.exp(rng.normal(0, 0.3) * phi)[None, :]
    return slope + _rod(basis.window, basis.geometry.alpha_i, rng) * (rng.random() < 0.5)


def _rings(basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """Powder rings or a structure peak about the direct or the reflected beam."""
    radius = _radius(basis, rng)
    found = _halo(basis, half, rng)
    for _ in range(int(rng.integers(1, 7))):
        at, width = rng.uniform(0.15, 2.2), np.exp(rng.uniform(np.log(0.02), np.log(0.3)))
        strength = np.exp(rng.uniform(-2, 3)) * np.median(found)
        found = found + strength * np.exp(-0.5 * ((radius - at) / width) ** 2)
    return found


def _halo(basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """Small-angle scattering without a preferred direction: a power law with a Guinier region."""
    scale, power = np.exp(rng.uniform(np.log(0.05), np.log(1.0))), rng.uniform(0.7, 2.5)
    found = (1 + (_radius(basis, rng) / scale) ** 2) ** -power
    rod = _rod(basis.window, basis.geometry.alpha_i, rng) * (rng.random() < 0.6)
    return np.asarray(found / found.mean() + rod, dtype=np.float64)


def _streaks(basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """Growing islands: one broad correlation peak on either side, and its faint second."""
    alpha, phi = basis.window.centres()
    at, width = rng.uniform(0.12, 1.0), rng.uniform(0.15, 0.5)
    across = sum(
        height / (1 + ((np.abs(phi) - n * at) / (n * width * at)) ** 2)
        for n, height in ((1, 1.0), (2, rng.uniform(0, 0.3)))
    ) + rng.uniform(0, 1) * np.exp(-np.abs(phi) / at)
    wave = 1 + rng.uniform(0, 0.9) * np.cos(2 * np.pi * alpha / rng.uniform(0.2, 1.5) + rng.uniform(0, 6))
    upwards = np.exp(-((alpha / rng.uniform(0.4, 2.0)) ** 2)) * wave
    horizon = 1 + rng.uniform(0, 5) * np.exp(-0.5 * ((alpha - rng.uniform(0.12, 0.35)) / 0.04) ** 2)
    found = np.outer(upwards * horizon, across)
    rod = _rod(basis.window, basis.geometry.alpha_i, rng)
    return np.asarray(found / found.mean() + rod, dtype=np.float64)


def _lone(basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """The same particles without any order."""
    return np.asarray(basis.amplitude, dtype=np.float64)


def _turned(basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """A pattern of ordered particles that lies on its side or stands on its head."""
    known = _known(half, rng)
    rows, columns = known.shape
    turned = np.rot90(known, int(rng.integers(1, 4)))
    grown = np.pad(
        turned, [(0, max(0, n - m)) for n, m in zip(known.shape, turned.shape, strict=True)], "edge"
    )
    return np.asarray(grown[:rows, :columns], dtype=np.float64)


def _moved(basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """A pattern of ordered particles under a wrong geometry: far off its place, or at another scale."""
    known = _known(half, rng)
    rows, columns = known.shape
    factor = np.exp(rng.choice([-1, 1]) * rng.uniform(0.45, 1.2)) if rng.random() < 0.5 else 1.0
    shift = rng.choice([-1, 1]) * rng.uniform(8, 24) if factor == 1.0 else 0.0
    row = np.clip(np.arange(rows) * factor, 0, rows - 1).astype(int)
    middle = (columns - 1) / 2
    column = np.clip((np.arange(columns) - middle) * factor + middle - shift, 0, columns - 1).astype(int)
    return np.asarray(known[np.ix_(row, column)], dtype=np.float64)


def _clouds(basis: Basis, half: NDArray[np.float32], rng: np.random.Generator) -> FloatArray:
    """Smooth structure anywhere, and spots."""
    rough = rng.normal(size=basis.window.shape)
    smooth = gaussian_filter(rough, np.exp(rng.uniform(np.log(1.0), np.log(12), 2)), mode="reflect")
    found = np.exp(rng.uniform(0.5, 3) * smooth / smooth.std())
    for _ in range(int(rng.integers(0, 12))):
        spot = np.zeros_like(found)
        spot[rng.integers(found.shape[0]), rng.integers(found.shape[1])] = 1.0
        found += gaussian_filter(spot, rng.uniform(0.5, 3)) * found.mean() * np.exp(rng.uniform(1, 6))
    return np.asarray(found, dtype=np.float64)


#: Kinds, with what makes them.
KINDS = {
    "empty": _empty,
    "rings": _rings,
    "halo": _halo,
    "streaks": _streaks,
    "lone": _lone,
    "turned": _turned,
    "moved": _moved,
    "clouds": _clouds,
}


def _known(half: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.floating]:
    assert len(half) == N_HALF
    return mix(half, sample_orientation(rng)[1])


def _radius(basis: Basis, rng: np.random.Generator) -> FloatArray:
    """Angle from the direct or the reflected beam, or from somewhere near, degrees."""
    alpha, phi = basis.window.centres()
    centre = rng.choice([-1, 1]) * basis.geometry.alpha_i + (rng.random() < 0.2) * rng.uniform(-0.5, 0.5)
    squash = rng.uniform(0.7, 1.4) if rng.random() < 0.3 else 1.0
    return np.asarray(np.hypot((alpha[:, None] - centre) * squash, phi[None, :]), dtype=np.float64)


def _rod(window: Window, alpha_i: float, rng: np.random.Generator) -> FloatArray:
    """The specular rod, with its bright spot, over a pattern whose mean is 1."""
    alpha, phi = window.centres()
    across = np.exp(-0.5 * (phi / rng.uniform(0.01, 0.06)) ** 2)
    spot = np.exp(-0.5 * ((alpha - alpha_i) / rng.uniform(0.02, 0.1)) ** 2)
    upwards = np.exp(-alpha / rng.uniform(0.1, 0.8)) * rng.random() + spot
    return np.asarray(np.exp(rng.uniform(1, 8)) * np.outer(upwards, across), dtype=np.float64)
