"""Patterns that are not of ordered particles upright on a surface: what must not get an orientation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..images import out_of_distribution as images
from .basis import Basis, mix
from .orientation import sample_orientation

#: Those of `images.out_of_distribution`, and three that are made of patterns of this domain.
KINDS = ("empty", "rings", "halo", "streaks", "lone", "turned", "moved", "clouds")


def out_of_distribution(
    kind: str, basis: Basis, half: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float64]:
    """A clean pattern of one of the `KINDS`.

    Parameters
    ----------
    kind : str
    basis : Basis
        Its window, margin included, is filled.
    half : (61, rows, columns) float32 array
        `basis.half()`.
    rng : numpy.random.Generator

    Returns
    -------
    (rows, columns) float array
        Arbitrary scale, nowhere negative.
    """
    if kind == "lone":  # the same particles without any order
        return np.asarray(basis.amplitude, dtype=np.float64)
    if kind in ("turned", "moved"):
        known = mix(half, sample_orientation(rng)[1])
        return images.turned(known, int(rng.integers(1, 4))) if kind == "turned" else _moved(known, rng)
    return images.KINDS[kind](basis.window, basis.geometry.alpha_i, rng)


def _moved(known: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float64]:
    """A pattern of ordered particles under a wrong geometry: far off its place, or at another scale."""
    rows, columns = known.shape
    factor = np.exp(rng.choice([-1, 1]) * rng.uniform(0.45, 1.2)) if rng.random() < 0.5 else 1.0
    shift = rng.choice([-1, 1]) * rng.uniform(8, 24) if factor == 1.0 else 0.0
    row = np.clip(np.arange(rows) * factor, 0, rows - 1).astype(int)
    middle = (columns - 1) / 2
    column = np.clip((np.arange(columns) - middle) * factor + middle - shift, 0, columns - 1).astype(int)
    return np.asarray(known[np.ix_(row, column)], dtype=np.float64)
