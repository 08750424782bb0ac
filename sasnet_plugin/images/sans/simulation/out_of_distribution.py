"""Images that show no sample's scattering: empty beams, textures, spots anywhere, broken electronics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ....arrays import Floats
from ..reading.geometry import SmallAngle

#: (geometry, generator) to intensities of any scale, nowhere negative.
Kind = Callable[[SmallAngle, np.random.Generator], Floats]


def _empty(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """An empty beam: background, flat or sloping a little, and what slits scatter close to the beamstop."""
    rows, columns = geometry.shape
    y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)[None, :]
    flat = np.exp(rng.normal(0, 0.15) * x + rng.normal(0, 0.15) * y)
    near = float(np.median(geometry.q)) * rng.uniform(0.05, 0.2)
    return flat + rng.uniform(0, 20) * np.exp(-geometry.q / near)


def _texture(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """Clouds of any size."""
    from scipy.ndimage import gaussian_filter

    size = np.exp(rng.uniform(np.log(1.0), np.log(0.25 * min(geometry.shape)), 2))
    rough = gaussian_filter(rng.standard_normal(geometry.shape), size, mode="wrap")
    return np.asarray(np.exp(rng.uniform(0.5, 2.5) * rough / rough.std()))


def _draw_scattered_spots(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """Spots at places of no lattice, over a weak halo: crystals, ice, stray reflections."""
    intensity = 0.02 * np.exp(-geometry.q / float(geometry.q.max()) * rng.uniform(0, 6))
    for _ in range(int(rng.integers(1, 16))):
        row, column = (int(rng.integers(n)) for n in geometry.shape)
        apart = np.hypot(geometry.qx - geometry.qx[row, column], geometry.qy - geometry.qy[row, column])
        width = float(geometry.q.max()) * np.exp(rng.uniform(np.log(0.005), np.log(0.05)))
        intensity = intensity + np.exp(rng.uniform(-2, 1)) * np.exp(-0.5 * (apart / width) ** 2)
    return np.asarray(intensity)


def _stripes(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """Rows, columns or blocks that count as they like: electronics at fault."""
    rows, columns = geometry.shape
    size = (int(rng.choice([1, 2, 8, 16])), int(rng.choice([rows, 16]))) if rng.random() < 0.5 else (16, 16)
    blocks = np.exp(
        rng.normal(0, rng.uniform(0.4, 2), (rows // min(size[1], rows) + 1, columns // size[0] + 1))
    )
    stripes = np.kron(blocks, np.ones((min(size[1], rows), size[0])))[:rows, :columns]
    return np.asarray(stripes if rng.random() < 0.5 else stripes * np.exp(-geometry.q / geometry.q.max()))


def _direct_beam(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """The beam beside its beamstop, or its reflection, brighter than anything else."""
    row, column = (int(n * rng.uniform(0.1, 0.9)) for n in geometry.shape)
    apart = np.hypot(geometry.qx - geometry.qx[row, column], geometry.qy - geometry.qy[row, column])
    width = float(geometry.q.max()) * rng.uniform(0.01, 0.06)
    return np.exp(-0.5 * (apart / width) ** 2) + np.exp(rng.uniform(-9, -4))


KINDS: dict[str, Kind] = {
    "empty": _empty,
    "texture": _texture,
    "scattered_spots": _draw_scattered_spots,
    "stripes": _stripes,
    "direct_beam": _direct_beam,
}
