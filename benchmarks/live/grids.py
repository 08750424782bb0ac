"""Simulated grids of samples, composition against temperature, that a curved phase boundary divides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.batch.steering.grid import Grid
from sasnet_plugin.types import Curve

from .series import POINTS, SYSTEMATIC, curve

Floats = NDArray[np.float64]
KINDS = ("spheres to rods", "dilute to interacting", "one to two populations")
#: Counts in the fourth of the points that is weakest.
COUNTS = (100.0, 1000.0)


@dataclass(frozen=True)
class Samples:
    """A grid whose samples are simulated when they are measured."""

    kind: str
    grid: Grid
    q: Floats
    phase: NDArray[np.int64]  #: (n,), 0 or 1, of each sample in the order of the raster.
    clean: Callable[[int], Floats]  #: From a place to I(q) without background, 1 at most.
    counts: float

    def measured(self, place: int, rng: np.random.Generator, times: float = 1.0) -> Curve:
        """A sample as an instrument gives it; the intensity and a flat background differ each time.

        Parameters
        ----------
        times : float
            Counting time over the usual one.
        """
        level = 10 ** rng.uniform(-4, -3)
        true = self.clean(place)
        expected = (true + 1e-3) * self.q**2
        n = np.maximum(expected * times * self.counts / np.quantile(expected, 0.25), 1e-9)
        true = rng.uniform(0.7, 1.3) * (true + level)
        sigma = true * np.hypot(1 / np.sqrt(n), SYSTEMATIC)
        noisy = true + sigma * rng.standard_normal(self.q.size)
        return Curve(self.q, noisy, sigma, file=f"{self.kind} {place:04d}.dat")


def drawn(kind: str, side: int, rng: np.random.Generator) -> Samples:
    """A grid of side × side samples; sizes drift by a fifth along it, as real samples do."""
    grid = Grid(
        {"composition": tuple(np.linspace(0, 1, side)), "temperature": tuple(np.linspace(20, 60, side))}
    )
    x, t = (grid.steps / (side - 1)).T
    edge = rng.uniform(0.35, 0.65) + rng.uniform(-0.5, 0.5) * (t - 0.5)
    edge += rng.uniform(0.05, 0.15) * np.sin(rng.uniform(2, 5) * t + rng.uniform(0, 2 * np.pi))
    phase = (x > edge).astype(np.int64)
    radius = float(np.exp(rng.uniform(np.log(25), np.log(50))))
    sizes = radius * (1 + 0.1 * np.sin(3 * x + rng.uniform(0, 6)) + 0.1 * (t - 0.5))
    q = np.geomspace(0.25 / radius, rng.uniform(7, 10) / radius, POINTS)
    width = {"radius_pd": float(rng.uniform(0.06, 0.12)), "radius_pd_n": 31.0}
    extra = float(rng.uniform(0, 1))

    def clean(place: int) -> Floats:
        own = float(sizes[place])
        found = curve("sphere", q, radius=own, **width)
        if phase[place]:
            found = _other(kind, q, own, width, found, extra)
        return np.asarray(found / found.max())

    counts = float(np.exp(rng.uniform(*np.log(COUNTS))))
    return Samples(kind, grid, q, phase, clean, counts)


def _other(kind: str, q: Floats, radius: float, width: dict[str, float], one: Floats, extra: float) -> Floats:
    """The second phase; `extra` from 0 to 1 says how far it is from the first."""
    if kind == "spheres to rods":
        return curve("cylinder", q, radius=0.7 * radius, length=radius * (8 + 8 * extra), **width)
    if kind == "dilute to interacting":
        return curve("sphere@hardsphere", q, radius=radius, volfraction=0.15 + 0.15 * extra, **width)
    other = curve("sphere", q, radius=radius * (2.2 + 1.5 * extra), **width)
    return one + 0.3 * one.max() * other / other.max()
