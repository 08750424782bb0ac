"""An image seen around the beam: profile and angular harmonics in rings of q, and their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ....types import Image
from .geometry import SmallAngle
from .resolution import compute_ring_resolution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats

#: Rings: 62 a decade, a step of 3.8 %: a velocity selector's resolution in one standard deviation, and four
#: rings in a fringe at q·radius of 20.
N_RINGS, Q_LEAST, Q_MOST = 192, 6e-4, 0.78
EDGES = np.geomspace(Q_LEAST, Q_MOST, N_RINGS + 1)
RINGS = np.sqrt(EDGES[1:] * EDGES[:-1])
#: Sectors of ten degrees; at least four for each period of the highest harmonic.
N_SECTORS = 36
ORDERS = (2, 4, 6)
#: What scatters is alike at q and −q: these orders are the instrument's own. The first is left to a wrong
#: centre, as which it appears, and only keeps out of the others.
ODD = (1, 3, 5)
_LN_STEP = float(np.log(Q_MOST / Q_LEAST) / N_RINGS)
#: Of the mean's inverse variance, what is added to each harmonic's: without data it is 0, not anything.
_RIDGE = 1e-3


@dataclass(frozen=True)
class Polar:
    """Counts around the beam."""

    #: counts, exposure: (N_RINGS, N_SECTORS), of reduced data as many counts as have their relative error.
    counts: Floats
    exposure: Floats
    #: (N_RINGS,), spread of q along q, one standard deviation, Å⁻¹; NaN where it is not known.
    along: Floats
    scale: Floats  #: (N_RINGS,), intensity that one count over one of exposure stands for; 1 of counts.

    @property
    def rate(self) -> Floats:
        """(N_RINGS,) mean of counts over exposure, 0 where nothing was seen."""
        exposure = self.exposure.sum(axis=1)
        return np.divide(self.counts.sum(axis=1), exposure, out=np.zeros(N_RINGS), where=exposure > 0)


def cells(geometry: SmallAngle, mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which pixels lie in a cell, (rows · columns,), and in which, ring · N_SECTORS + sector, of those."""
    used: NDArray[np.bool_] = mask.ravel() & (geometry.weight.ravel() > 0)
    # Single precision places pixels well enough, at half the time.
    qx, qy = (component.ravel()[used].astype(np.float32) for component in (geometry.qx, geometry.qy))
    square = qx * qx + qy * qy
    ring = ((0.5 * np.log(np.maximum(square, 1e-12)) - np.log(Q_LEAST)) / _LN_STEP).astype(np.int32)
    inside = (square >= Q_LEAST**2) & (ring < N_RINGS)
    if not inside.all():
        ring, qx, qy = ring[inside], qx[inside], qy[inside]
        used[np.flatnonzero(used)[~inside]] = False
    turn = np.arctan2(qy, qx) * np.float32(N_SECTORS / (2 * np.pi)) + np.float32(N_SECTORS)
    return used, ring * N_SECTORS + turn.astype(np.int32) % N_SECTORS


def polar(image: Image) -> Polar:
    """Sort an image's pixels (geometry `SmallAngle`) into rings and sectors about the beam's centre."""
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
        along = compute_ring_resolution(geometry.setting, RINGS)[0]
    return Polar(counts, exposure, along, scale)


def _basis(orders: tuple[int, ...], sectors: int) -> Floats:
    """(sectors, 2 len(orders)): cos and sin of each order, each averaged over its sector."""
    middle = (np.arange(sectors) + 0.5) * (2 * np.pi / N_SECTORS)
    columns = []
    for order in orders:
        blunted = np.sinc(order / N_SECTORS)
        columns += [blunted * np.cos(order * middle), blunted * np.sin(order * middle)]
    return np.stack(columns, axis=1)


def _products(basis: Floats) -> Floats:
    return np.asarray((basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1))


BASIS = np.concatenate([np.ones((N_SECTORS, 1)), _basis(ORDERS, N_SECTORS)], axis=1)
_PAIRS = _products(BASIS)
_ODD_BASIS = _basis(ODD, N_SECTORS // 2)
_ODD_PAIRS = _products(_ODD_BASIS)


def harmonics(polar_image: Polar) -> tuple[Floats, Floats]:
    """Return cos and sin of each order over each ring's mean, (N_RINGS, 2 len(ORDERS)), whatever is masked,
    and their counting errors, infinite if not visible.
    """
    # Least squares of n = w Σ c_k B_k with variance w r (mean rate r): Σ w B Bᵀ c = Σ n B, covariance r times
    # the inverse.
    rate, columns = polar_image.rate, BASIS.shape[1]
    matrix = (polar_image.exposure @ _PAIRS).reshape(N_RINGS, columns, columns)
    exposure = polar_image.exposure.sum(axis=1)
    matrix = matrix + np.where(exposure > 0, _RIDGE * exposure, 1.0)[:, None, None] * np.diag(
        [0.0] + [1.0] * 6
    )
    matrix[exposure <= 0, 0, 0] = 1.0
    relative, error = _divide_by_mean(matrix, polar_image.counts @ BASIS, rate, rate > 0)
    return relative[:, 1:], error[:, 1:]


def _divide_by_mean(
    matrix: Floats, right: Floats, rate: Floats, is_known: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Solutions of each ring's normal equations over its mean rate, and errors; infinite where not known."""
    inverse = np.linalg.inv(matrix)
    mean = np.where(is_known, rate, 1.0)[:, None]
    relative = np.einsum("rij,rj->ri", inverse, right) / mean
    variance = np.einsum("rii->ri", inverse) / mean
    is_valid = is_known[:, None]
    return np.where(is_valid, relative, 0.0), np.where(is_valid, np.sqrt(np.maximum(variance, 0.0)), np.inf)


def odd_harmonics(polar_image: Polar) -> tuple[Floats, Floats]:
    """Return harmonics of orders `ODD` but the first, over the mean, which no sample has, as `harmonics`
    does, (N_RINGS, 4).
    """
    # Uneven detectors, windows or one-sided shadows make them, with even orders of about that size, which
    # look like a sample's axis. The difference of opposite sectors is free of the sample; half has variance r
    # (1/w + 1/w')/4.
    half = N_SECTORS // 2
    rate, first, second = (
        polar_image.rate[:, None],
        polar_image.exposure[:, :half],
        polar_image.exposure[:, half:],
    )
    has_rates = (first > 0) & (second > 0) & (rate > 0)
    rates = [np.divide(part, w, out=np.zeros_like(w), where=has_rates)
            for part,
            w in ((polar_image.counts[:, :half], first), (polar_image.counts[:, half:], second))]  # fmt: skip
    # Of (r - r')/2 over the mean, times the mean.
    weight = np.divide(4 * first * second, first + second, out=np.zeros_like(first), where=has_rates)
    columns = _ODD_BASIS.shape[1]
    total = weight.sum(axis=1)
    matrix = (weight @ _ODD_PAIRS).reshape(N_RINGS, columns, columns)
    matrix += np.where(total > 0, _RIDGE * total, 1.0)[:, None, None] * np.eye(columns)
    right = (weight * (rates[0] - rates[1]) / 2) @ _ODD_BASIS
    relative, error = _divide_by_mean(matrix, right, polar_image.rate, has_rates.sum(axis=1) >= 2 * columns)
    return relative[:, 2:], error[:, 2:]


def excess(polar_image: Polar) -> Floats:
    """(N_RINGS,) χ² over degrees of freedom of the sectors of a ring about its mean; 1 where nothing is
    told.
    """
    # Spots and textures make it large where no low harmonic does.
    expected = polar_image.exposure * polar_image.rate[:, None]
    has_expectation = expected > 0
    terms = np.divide(
        (polar_image.counts - expected) ** 2, expected, out=np.zeros_like(expected), where=has_expectation
    )
    number = has_expectation.sum(axis=1)
    return np.where(number > 1, terms.sum(axis=1) / np.maximum(number - 1, 1), 1.0)
