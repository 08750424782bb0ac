"""Counts of an image in rings and sectors about the beam, and harmonics around each ring.

Around a ring the intensity is I(φ) = Σ I_n exp(inφ). A particle that turns by α turns I_n by a phase nα
and leaves |I_n| as it is; counting adds to |I_n|² what is known from the counts, and this is taken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....types import Image
from .frame import Window

#: Rings and sectors.
RINGS, SECTORS = 40, 64
#: Each pixel is split into so many each way, of a window of this many pixels of radius at most.
_PARTS, _SPLIT_UP_TO = 2, 150.0
#: Share of a cell that must be measured, or it is filled from the opposite one or by its ring's mean.
_COVERED = 0.25
#: Of a ring: below this share nothing is said of its harmonics.
_RING_COVERED = 0.3


@dataclass(frozen=True)
class Polar:
    """Images in cells."""

    counts: NDArray[np.float32]  #: (n, RINGS, SECTORS)
    area: NDArray[np.float32]  #: (n, RINGS, SECTORS), unmasked pixels of each cell.
    whole: NDArray[np.float32]  #: (RINGS, SECTORS), pixels of a cell, masked or not.
    #: (RINGS,), by how much less its counts scatter than Poisson counts: rings share pixels.
    shared: NDArray[np.float32]


@lru_cache(maxsize=16)
def _cells(
    shape: tuple[int, int], centre: tuple[float, float], edge: float
) -> tuple[Any, NDArray[np.float32]]:
    """Sparse matrix from pixels to cells, (RINGS · SECTORS, pixels); see `Polar.shared`."""
    from scipy.sparse import csr_matrix

    parts = _PARTS if edge <= _SPLIT_UP_TO else 1
    shift = (np.arange(parts) + 0.5) / parts - 0.5
    y = (np.arange(shape[0])[:, None] + shift).ravel() - centre[1]
    x = (np.arange(shape[1])[:, None] + shift).ravel() - centre[0]
    radius = np.hypot(y[:, None], x[None, :])
    ring = (radius * (RINGS / edge)).astype(np.int32)
    angle = np.arctan2(y[:, None], x[None, :]) / (2 * np.pi) % 1.0
    sector = np.minimum((angle * SECTORS).astype(np.int32), SECTORS - 1)
    inside = ring < RINGS
    pixel = (
        np.arange(shape[0]).repeat(parts)[:, None] * shape[1] + np.arange(shape[1]).repeat(parts)[None, :]
    )[inside]
    weights = np.full(pixel.size, 1 / parts**2, np.float32)
    cell = (ring * SECTORS + sector)[inside]
    size = shape[0] * shape[1]
    by_ring = csr_matrix((weights, (cell // SECTORS, pixel)), shape=(RINGS, size))
    squares, sums = by_ring.multiply(by_ring).sum(axis=1), by_ring.sum(axis=1)
    shared = np.asarray(squares / np.maximum(sums, 1e-9), dtype=np.float32).ravel()
    return csr_matrix((weights, (cell, pixel)), shape=(RINGS * SECTORS, size)), shared


def count_in_cells(window: Window, counts: NDArray[Any], masks: NDArray[np.bool_]) -> Polar:
    """Count frames (n, rows, columns) of one geometry in cells, where masks are true."""
    matrix, shared = _cells(window.shape, window.centre, window.edge)
    inside = masks.reshape(len(masks), -1)
    flat = np.where(inside, counts.reshape(len(counts), -1), 0).astype(np.float32)
    sums = (matrix @ flat.T).T.reshape(-1, RINGS, SECTORS)
    area = (matrix @ inside.T.astype(np.float32)).T.reshape(-1, RINGS, SECTORS)
    whole = np.asarray(matrix.sum(axis=1), dtype=np.float32).reshape(RINGS, SECTORS)
    return Polar(sums, np.broadcast_to(area, sums.shape), whole, shared)


def bin_images(images: Sequence[Image]) -> Polar:
    polars: list[Polar] = []
    for window, alike in groupby(images, key=lambda image: image.geometry):
        group = list(alike)
        polars.append(
            count_in_cells(window, np.stack([i.counts for i in group]), np.stack([i.mask for i in group]))
        )
    counts, area = (np.concatenate([getattr(f, name) for f in polars]) for name in ("counts", "area"))
    return Polar(counts, area, polars[0].whole, polars[0].shared)


@dataclass(frozen=True)
class Rings:
    """What is seen of each ring."""

    rate: NDArray[np.float32]  #: (n, RINGS), mean counts a pixel.
    counts: NDArray[np.float32]  #: (n, RINGS)
    coverage: NDArray[np.float32]  #: (n, RINGS), share of the ring's cells that were measured.
    harmonics: NDArray[np.complex64]  #: (n, RINGS, SECTORS // 2 + 1), I_n over the rate.
    noise: NDArray[np.float32]  #: (n, RINGS), what counting adds to the square of each of them.

    @property
    def amplitude(self) -> NDArray[np.float32]:
        """(n, RINGS, SECTORS // 2 + 1) |I_n|/I_0 without what counting adds; negative where that is more."""
        squared = np.abs(self.harmonics) ** 2 - self.noise[..., None]
        return np.asarray(np.sign(squared) * np.sqrt(np.abs(squared)), dtype=np.float32)


def rings(polar: Polar) -> Rings:
    """Harmonics around each ring; cells that were not measured are filled, by the opposite one where it
    was.
    """
    area, counts = polar.area, polar.counts
    good = area > _COVERED * np.maximum(np.median(polar.whole, axis=1), 0.25)[:, None]
    covered = good.mean(axis=2)
    area = np.where(good, area, 0.0)
    counts = np.where(good, counts, 0.0)
    total = counts.sum(axis=2)
    rate = total / np.maximum(area.sum(axis=2), 1e-6)
    safe = np.maximum(rate, 1e-9)[..., None]
    relative = np.where(good, counts / np.maximum(area, 1e-6) / safe - 1, 0.0)
    opposite = np.roll(relative, SECTORS // 2, axis=2)
    relative = np.where(good, relative, opposite)
    # Of Poisson counts c in an area a the rate c/a has the variance c/a².
    variance = np.where(good, counts / np.maximum(area, 1e-6) ** 2, 0.0) / safe**2
    usable = (covered >= _RING_COVERED) & (rate > 0)
    harmonics = np.fft.rfft(relative, axis=2) / SECTORS
    noise = polar.shared * variance.sum(axis=2) / np.maximum(covered, 1e-3) / SECTORS**2
    return Rings(
        rate.astype(np.float32),
        total.astype(np.float32),
        covered.astype(np.float32),
        np.where(usable[..., None], harmonics, 0).astype(np.complex64),
        np.where(usable, noise, 0).astype(np.float32),
    )


def cross_correlation(polar: Polar) -> NDArray[np.float32]:
    """Two-point correlation along each ring, (n, RINGS, SECTORS − 1), at Δ = 2π j / SECTORS, j from 1."""
    # C(q, Δ) = ⟨I(q, φ) I(q, φ + Δ)⟩ over the pairs that both were measured, as (C − ⟨I⟩²)/⟨I⟩²; Δ = 0, where
    # counting correlates with itself, is left out (R. P. Kurta et al., Adv. Chem. Phys. 161 (2016) 1).
    good = polar.area > 0
    rate = np.where(good, polar.counts / np.maximum(polar.area, 1e-6), 0.0)
    pairs = np.fft.irfft(np.abs(np.fft.rfft(good.astype(np.float32), axis=2)) ** 2, SECTORS, axis=2)
    products = np.fft.irfft(np.abs(np.fft.rfft(rate, axis=2)) ** 2, SECTORS, axis=2)
    mean = rate.sum(axis=2, keepdims=True) / np.maximum(good.sum(axis=2, keepdims=True), 1)
    correlation = products / np.maximum(pairs, 0.5) / np.maximum(mean, 1e-9) ** 2 - 1
    return np.where((pairs > 0.5) & (mean > 0), correlation, 0.0)[..., 1:].astype(np.float32)
