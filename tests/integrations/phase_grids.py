"""Simulated samples, composition against temperature: spheres and rods with a curved boundary between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.batch.steering.phases import Grid
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

Floats = NDArray[np.float64]
#: Points of a curve, relative error of its brightest one, counts in the fourth of the points that is weakest.
POINTS, SYSTEMATIC, COUNTS = 150, 0.005, (100.0, 1000.0)
#: Of the true pairs of neighbours across the boundary, so many lie within so many steps of a believed one.
SHARE, NEAR = 0.95, 1.0


@dataclass(frozen=True)
class Samples:
    """A grid whose samples are simulated when they are measured."""

    grid: Grid
    q: Floats
    phase: NDArray[np.int64]  #: (n,), 0 or 1, of each sample in the order of the raster.
    clean: tuple[Floats, ...]  #: I(q) of each without background, 1 at most.
    counts: float

    def measure(self, place: int, rng: np.random.Generator) -> Curve:
        """Measure a sample; the intensity and a flat background differ each time."""
        level = 10 ** rng.uniform(-4, -3)
        true = self.clean[place]
        expected = (true + 1e-3) * self.q**2
        n = np.maximum(expected * self.counts / np.quantile(expected, 0.25), 1e-9)
        true = rng.uniform(0.7, 1.3) * (true + level)
        sigma = true * np.hypot(1 / np.sqrt(n), SYSTEMATIC)
        return Curve(self.q, true + sigma * rng.standard_normal(self.q.size), sigma, file=f"{place:04d}.dat")


def draw_samples(side: int, rng: np.random.Generator) -> Samples:
    """Draw side × side samples; sizes drift by a fifth along the grid, as real samples do."""
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
    width, slimness = {"radius_pd": float(rng.uniform(0.06, 0.12)), "radius_pd_n": 31}, 8 + 8 * rng.uniform()
    clean = []
    for size, is_rod in zip(sizes, phase, strict=True):
        rod = {"radius": 0.7 * size, "length": size * slimness}
        curve = call("cylinder", q, rod | width) if is_rod else call("sphere", q, {"radius": size} | width)
        clean.append(curve.intensity / curve.intensity.max())
    return Samples(grid, q, phase, tuple(clean), float(np.exp(rng.uniform(*np.log(COUNTS)))))


def is_boundary_known(samples: Samples, phases: Sequence[str]) -> bool:
    """Whether the believed boundary is the true one, both ways."""
    grid = samples.grid
    pairs = grid.neighbours
    middle = (grid.steps[pairs[:, 0]] + grid.steps[pairs[:, 1]]) / 2
    believed = np.array([phases[first] != phases[second] for first, second in pairs])
    true = samples.phase[pairs[:, 0]] != samples.phase[pairs[:, 1]]
    if not believed.any():
        return False
    distance = np.abs(middle[true][:, None] - middle[believed][None]).max(axis=-1)
    return bool(
        np.mean(distance.min(axis=1) <= NEAR) >= SHARE and np.mean(distance.min(axis=0) <= NEAR) >= SHARE
    )
