"""A detector: q of its pixels, beamstops and their holders, gaps, stray light, counts and zingers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....simulate.draws import Prior
from ...simulation.artefacts import count_unevenly

BoolArray = NDArray[np.bool_]
#: Pixels of the longer side; half of it is the reference radius.
PIXELS = 128
REFERENCE = PIXELS / 2
#: How often each beamstop is.
STOPS = {"": 26, "circular": 30, "linear": 34, "wedge": 10}

MEASUREMENT = {
    "short": Prior("uniform 0.5 1", "", "shorter over longer side of the detector", 0.3),
    "theta": Prior("loguniform 1 35", "degrees", "scattering angle 2θ at the reference radius"),
    "aside": Prior(
        "uniform 0.2 0.9", "", "beam off the middle, in halves of the sides; else within 0.2", 0.4
    ),
    "off_image": Prior("uniform 0.03 0.5", "", "beam beyond an edge, in reference radii", 0.03),
    "resolution": Prior("loguniform 0.5 1.6", "pixels", "beam and pixel, one standard deviation"),
    "counts": Prior("loguniform 0.1 3000", "", "of the sample a pixel, mean, expected"),
    "background": Prior("loguniform 0.001 0.15", "", "flat background over the sample's counts"),
    "high_background": Prior("loguniform 0.6 4", "", "the same, where it is high", 0.14),
    "parasitic": Prior("loguniform 0.01 1.5", "", "scattering of slits and windows over the sample's", 0.6),
    "reach": Prior("loguniform 0.03 0.2", "", "over which it falls by e, in reference radii"),
    "direct": Prior("loguniform 1 100", "", "the beam itself over the sample's, where no stop is", 0.6),
    "disk": Prior("loguniform 0.02 0.2", "", "radius of a circular stop, in reference radii"),
    "bar": Prior("loguniform 0.008 0.07", "", "half of the width of a linear stop, in reference radii"),
    "head": Prior("uniform 0.02 0.06", "", "radius of the disk at its end, in reference radii", 0.3),
    "wedge": Prior("uniform 4 13", "degrees", "half of the angle of a wedge"),
    "transmission": Prior("loguniform 0.001 0.03", "", "of a stop", 0.7),
    "masked": Prior("uniform 1 1", "", "the stop is masked in the file", 0.2),
    "gap": Prior("uniform 1 4", "pixels", "width of gaps between modules, masked", 0.35),
    "zingers": Prior("integer 1 12", "pixels", "hit by cosmic rays", 0.3),
    "dead": Prior("integer 1 15", "pixels", "without counts", 0.3),
    "uneven": Prior("uniform 0 0.05", "", "scatter of the pixels' gain, not known", 0.6),
    "stated": Prior("uniform 1 1", "", "the beam's place is stated; else it is found in the image", 0.6),
    "error": Prior("uniform 0 1.2", "pixels", "scatter of the stated place"),
}


@dataclass(frozen=True)
class Place:
    """Where a detector stands."""

    shape: tuple[int, int]  #: Rows and columns.
    centre: tuple[float, float]  #: Column and row of the beam.
    theta: float  #: Scattering angle at the reference radius, radians.

    def polar(self) -> tuple[Floats, Floats]:
        """q of the pixels over that at the reference radius, and the azimuth in radians."""
        # q = 4π/λ sin(θ/2) with tan θ = r/L on a flat detector across the beam.
        x, y = self.offsets()
        angle = np.arctan(np.hypot(x, y) * np.tan(self.theta))
        return np.asarray(np.sin(angle / 2) / np.sin(self.theta / 2)), np.arctan2(y, x)

    def offsets(self) -> tuple[Floats, Floats]:
        """Columns and rows from the beam, in reference radii, as grids."""
        rows, columns = self.shape
        x = (np.arange(columns) - self.centre[0]) / REFERENCE
        y = (np.arange(rows) - self.centre[1]) / REFERENCE
        grid = np.meshgrid(x, y)
        return np.asarray(grid[0]), np.asarray(grid[1])

    @property
    def sees_beam(self) -> bool:
        return -0.5 <= self.centre[0] < self.shape[1] - 0.5 and -0.5 <= self.centre[1] < self.shape[0] - 0.5


def draw_place(values: Mapping[str, float], rng: np.random.Generator) -> Place:
    """A detector's shape and the beam on it, or beside it."""
    short = round(PIXELS * (values["short"] or 1.0))
    shape = (PIXELS, short) if rng.random() < 0.5 else (short, PIXELS)
    half = np.array([shape[1], shape[0]]) / 2
    direction = rng.uniform(-1, 1, 2)
    direction /= np.abs(direction).max()
    if values["off_image"]:
        offset = direction * half + np.sign(direction) * (np.abs(direction) == 1) * (
            values["off_image"] * REFERENCE
        )
    else:
        offset = direction * half * (values["aside"] or rng.uniform(0, 0.2))
    column, row = half - 0.5 + offset
    return Place(shape, (float(column), float(row)), float(np.radians(values["theta"])))


def stop(kind: str, values: Mapping[str, float], place: Place, rng: np.random.Generator) -> Floats:
    """Share of each pixel in the shadow of a beamstop, maybe thinner than a pixel: a disk; a bar from an
    edge, with round end or disk; a wedge with its tip on the beam (`STOPS`).
    """
    if not kind:
        return np.zeros(place.shape)
    # Stops stand a little off the beam, and mostly along a side of the detector.
    aside, above = rng.normal(0, 0.015, 2)
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.3 else rng.integers(4) * np.pi / 2
    angle += rng.normal(0, 0.03)
    past, tip = rng.uniform(0.5, 2.5) * values["bar"], rng.uniform(0.03, 0.1)

    def is_inside(x: Floats, y: Floats) -> BoolArray:
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        if kind == "circular":
            return np.asarray(np.hypot(x, y) < values["disk"])
        if kind == "linear":
            end = np.hypot(np.maximum(-along - past + values["bar"], 0), across) < values["bar"]
            bar = (np.abs(across) < values["bar"]) & (along > -past) & (end | (along > 0))
            return np.asarray(bar | (np.hypot(x, y) < values["head"]))
        width = (along + tip) * np.tan(np.radians(values["wedge"])) + 0.008
        return np.asarray((along + tip > 0) & (np.abs(across) < width))

    x, y = place.offsets()
    quarter = 0.25 / REFERENCE
    parts = [
        is_inside(x - aside + column * quarter, y - above + row * quarter)
        for column in (-1, 1)
        for row in (-1, 1)
    ]
    return np.mean(parts, axis=0)


def gaps(values: Mapping[str, float], shape: tuple[int, int], rng: np.random.Generator) -> BoolArray:
    """Pixels between modules."""
    is_gap = np.zeros(shape, dtype=bool)
    if values["gap"]:
        width = max(1, round(values["gap"]))
        for axis, length in enumerate(shape):
            number = int(rng.integers(0, 4))
            for line in range(1, number + 1):
                position = round(line * length / (number + 1))
                is_gap[
                    (slice(position, position + width), slice(None))
                    if axis == 0
                    else (slice(None), slice(position, position + width))
                ] = True
    return is_gap


def count_pixels(
    expected: Floats, values: Mapping[str, float], dark: BoolArray, rng: np.random.Generator
) -> Floats:
    """Draw Poisson counts of pixels of unequal gain, some dead or hit by cosmic rays; `dark` are masked."""
    counts = count_unevenly(expected, values["uneven"], rng)
    flat = counts.ravel()
    hit = rng.integers(flat.size, size=int(values["zingers"]))
    flat[hit] += np.exp(rng.uniform(np.log(30), np.log(3e4), hit.size))
    flat[rng.integers(flat.size, size=int(values["dead"]))] = 0
    counts[dark] = 0
    return counts
