"""An image seen around the beam: profile and angular harmonics in rings of q, and their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...types import Image
from .geometry import SmallAngle
from .resolution import at_radius

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

#: Rings: 62 a decade, a step of 3.8 %: a velocity selector's resolution in one standard deviation, and four
#: rings in a fringe at q·radius of 20.
N_RINGS, Q_LEAST, Q_MOST = 192, 6e-4, 0.78
EDGES = np.geomspace(Q_LEAST, Q_MOST, N_RINGS + 1)
RINGS = np.sqrt(EDGES[1:] * EDGES[:-1])
#: Sectors of ten degrees; at least four for each period of the highest harmonic.
N_SECTORS = 36
ORDERS = (2, 4, 6)
_LN_STEP = float(np.log(Q_MOST / Q_LEAST) / N_RINGS)
#: Of the mean's inverse variance, what is added to each harmonic's: without data it is 0, not anything.
_RIDGE = 1e-3


@dataclass(frozen=True)
class Polar:
    """Counts around the beam.

    Parameters
    ----------
    counts, exposure : (N_RINGS, N_SECTORS) float arrays
        Of reduced data as many counts as have their relative error.
    along : (N_RINGS,) float array
        Spread of q along q, one standard deviation, Å⁻¹; NaN where it is not known.
    scale : (N_RINGS,) float array
        Intensity that one count over one of exposure stands for; 1 of counts.
    """

    counts: FloatArray
    exposure: FloatArray
    along: FloatArray
    scale: FloatArray

    @property
    def rate(self) -> FloatArray:
        """(N_RINGS,) mean of counts over exposure, 0 where nothing was seen."""
        seen = self.exposure.sum(axis=1)
        return np.divide(self.counts.sum(axis=1), seen, out=np.zeros(N_RINGS), where=seen > 0)


def cells(geometry: SmallAngle, mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which pixels lie in a cell, (rows · columns,), and in which, ring · N_SECTORS + sector, of those."""
    used: NDArray[np.bool_] = mask.ravel() & (geometry.weight.ravel() > 0)
    # Single precision places pixels well enough, at half the time.
    qx, qy = (one.ravel()[used].astype(np.float32) for one in (geometry.qx, geometry.qy))
    square = qx * qx + qy * qy
    ring = ((0.5 * np.log(np.maximum(square, 1e-12)) - np.log(Q_LEAST)) / _LN_STEP).astype(np.int32)
    inside = (square >= Q_LEAST**2) & (ring < N_RINGS)
    if not inside.all():
        ring, qx, qy = ring[inside], qx[inside], qy[inside]
        used[np.flatnonzero(used)[~inside]] = False
    turn = np.arctan2(qy, qx) * np.float32(N_SECTORS / (2 * np.pi)) + np.float32(N_SECTORS)
    return used, ring * N_SECTORS + turn.astype(np.int32) % N_SECTORS


def polar(image: Image) -> Polar:
    """Sort the pixels of an image into rings and sectors.

    Parameters
    ----------
    image : Image
        Its geometry is a `SmallAngle`; q is counted from the middle of the beam.
    """
    geometry: SmallAngle = image.geometry
    used, cell = cells(geometry, image.mask)
    ring = cell // N_SECTORS
    values, weight = image.counts.ravel()[used], geometry.weight.ravel()[used]
    number = np.maximum(np.bincount(ring, minlength=N_RINGS), 1)
    scale = np.ones(N_RINGS)
    if geometry.error is not None:
        # Values of one weight, with errors: as many counts as have the same relative error.
        mean = np.bincount(ring, values, N_RINGS) / number
        variance = np.bincount(ring, geometry.error.ravel()[used] ** 2, N_RINGS) / number
        # Where the sample scatters less than its background, the error alone says how much was counted.
        least = np.maximum(mean, np.sqrt(variance / number))
        scale = np.divide(variance, least, out=np.ones(N_RINGS), where=(variance > 0) & (least > 0))
        values = values / scale[ring]
    size = N_RINGS * N_SECTORS
    shape = N_RINGS, N_SECTORS
    counts = np.asarray(np.bincount(cell, values, size), dtype=np.float64).reshape(shape)
    exposure = np.asarray(np.bincount(cell, weight, size), dtype=np.float64).reshape(shape)
    along = np.full(N_RINGS, np.nan)
    if geometry.along is not None:
        total = np.bincount(ring, geometry.along.ravel()[used], N_RINGS)
        along = np.where(total > 0, total / number, np.nan)
    elif geometry.setting is not None:
        along = at_radius(geometry.setting, RINGS)[0]
    return Polar(counts, exposure, along, scale)


def _basis() -> FloatArray:
    """(N_SECTORS, 1 + 2 len(ORDERS)): 1, then cos and sin of each order, each averaged over its sector."""
    middle = (np.arange(N_SECTORS) + 0.5) * (2 * np.pi / N_SECTORS)
    columns = [np.ones(N_SECTORS)]
    for order in ORDERS:
        blunted = np.sinc(order / N_SECTORS)
        columns += [blunted * np.cos(order * middle), blunted * np.sin(order * middle)]
    return np.stack(columns, axis=1)


BASIS = _basis()
_PAIRS = (BASIS[:, :, None] * BASIS[:, None, :]).reshape(N_SECTORS, -1)


def harmonics(found: Polar) -> tuple[FloatArray, FloatArray]:
    """Harmonics of each ring over its mean, whatever sectors are masked.

    Returns
    -------
    relative : (N_RINGS, 2 len(ORDERS)) float array
        cos and sin of each order, over the mean.
    error : (N_RINGS, 2 len(ORDERS)) float array
        One standard deviation by counting; infinite where nothing was seen.

    Notes
    -----
    Least squares of n = w Σ c_k B_k with the variance w r of counts about the ring's mean rate r: the
    normal equations are Σ w B Bᵀ c = Σ n B, and the covariance is r times the inverse.
    """
    rate, columns = found.rate, BASIS.shape[1]
    matrix = (found.exposure @ _PAIRS).reshape(N_RINGS, columns, columns)
    seen = found.exposure.sum(axis=1)
    matrix = matrix + np.where(seen > 0, _RIDGE * seen, 1.0)[:, None, None] * np.diag([0.0] + [1.0] * 6)
    matrix[seen <= 0, 0, 0] = 1.0
    inverse = np.linalg.inv(matrix)
    fitted = np.einsum("rij,rj->ri", inverse, found.counts @ BASIS)
    there = (rate > 0)[:, None]
    mean = np.where(there, rate[:, None], 1.0)
    relative = np.where(there, fitted[:, 1:] / mean, 0.0)
    variance = np.einsum("rii->ri", inverse)[:, 1:] / mean
    error = np.where(there, np.sqrt(np.maximum(variance, 0.0)), np.inf)
    return relative, error


def excess(found: Polar) -> FloatArray:
    """(N_RINGS,) χ² over degrees of freedom of the sectors of a ring about its mean; 1 where nothing is told.

    Spots and textures make it large where no low harmonic does.
    """
    expected = found.exposure * found.rate[:, None]
    there = expected > 0
    terms = np.divide((found.counts - expected) ** 2, expected, out=np.zeros_like(expected), where=there)
    number = there.sum(axis=1)
    return np.where(number > 1, terms.sum(axis=1) / np.maximum(number - 1, 1), 1.0)
