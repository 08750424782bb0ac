"""Patterns that are no film of clusters, in a window of the growth domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..gisas.strangers import KINDS as HEX_KINDS
from ..images.window import Window
from .film import Film

#: Kinds of `gisas.strangers` that need no lattice, and one of our own.
KINDS = ("empty", "rings", "halo", "clouds", "turned")


@dataclass(frozen=True)
class Scene:
    """Where a stranger is seen.

    Parameters
    ----------
    window : Window
        It is filled, margin included.
    geometry : Film
        Whose angle of incidence places the beams.
    """

    window: Window
    geometry: Film


def stranger(
    kind: str, scene: Scene, clean: NDArray[np.floating], rng: np.random.Generator
) -> NDArray[np.float64]:
    """A clean pattern of one of the `KINDS`, (rows, columns), arbitrary scale.

    Parameters
    ----------
    kind : str
    scene : Scene
    clean : (rows, columns) float array
        The pattern of a film, for the one that is turned.
    rng : numpy.random.Generator
    """
    if kind == "turned":
        found = np.rot90(clean, int(rng.choice([1, 3])))
        rows, columns = clean.shape
        pad = [(0, max(0, n - m)) for n, m in zip(clean.shape, found.shape, strict=True)]
        return np.asarray(np.pad(found, pad, "edge")[:rows, :columns], dtype=np.float64)
    like: Any = scene
    none = np.empty(0, dtype=np.float32)
    return np.asarray(HEX_KINDS[kind](like, none, rng), dtype=np.float64)
