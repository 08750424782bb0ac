"""The prior of p(ξ) as a map from the unit cube: what a sampler moves through, many distributions at once.

Uniform points of the cube give the distributions of `sample_orientation`. Every kind's numbers are always
there, used or not, so that kinds and numbers of peaks can change in one move.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from .geometry import N_XI, PERIOD, XI
from .priors import DELTAS, FAMILIES, FWHM, LEAST, PARTS, PEAKS

_KINDS = ("deltas", "peaks", "uniform")


def _families() -> tuple[Floats, NDArray[np.bool_]]:
    """Ends of the families' shares of the first coordinate, and the kinds that each has."""
    shares, kinds = [], []
    for name, share in FAMILIES.items():
        if name != "mixture":
            shares.append(share)
            kinds.append([kind == name for kind in _KINDS])
            continue
        numbers = range(PARTS[0], PARTS[1] + 1)
        for number in numbers:
            subsets = [bits for bits in range(2 ** len(_KINDS)) if bits.bit_count() == number]
            for bits in subsets:
                shares.append(share / len(numbers) / len(subsets))
                kinds.append([bool(bits >> k & 1) for k in range(len(_KINDS))])
    return np.cumsum(shares)[:-1], np.array(kinds)


_ENDS, _HAS = _families()
#: Coordinates: family, number of angles, angles, their shares, number of peaks, centres, widths, their
#: shares, shares of the kinds.
FAMILY, N_DELTAS = 0, 1
ANGLES = slice(2, 2 + DELTAS[1])
ANGLE_SHARES = slice(ANGLES.stop, ANGLES.stop + DELTAS[1])
N_PEAKS = ANGLE_SHARES.stop
CENTRES = slice(N_PEAKS + 1, N_PEAKS + 1 + PEAKS[1])
WIDTHS = slice(CENTRES.stop, CENTRES.stop + PEAKS[1])
PEAK_SHARES = slice(WIDTHS.stop, WIDTHS.stop + PEAKS[1])
KIND_SHARES = slice(PEAK_SHARES.stop, PEAK_SHARES.stop + len(_KINDS))
DIMENSIONS = KIND_SHARES.stop
#: Coordinates that are integers, and those that go round the circle.
CHOICES = np.array([FAMILY, N_DELTAS, N_PEAKS])
ROUND = np.r_[ANGLES, CENTRES]


def distributions(points: Floats, *, between: bool = False) -> Floats:
    """Turn points (n, DIMENSIONS) of the unit cube into distributions (n, 120) that sum to 1."""
    # With `between`, a single angle is the cubic through its four grid neighbours (two slightly negative), so
    # that patterns of any angle are sums of the grid's. Otherwise its bin has all of it.
    n = len(points)
    has = _HAS[np.searchsorted(_ENDS, points[:, FAMILY], side="right")]
    kind = _normalise_shares(points[:, KIND_SHARES], has)
    p = np.repeat(kind[:, 2:] / N_XI, N_XI, axis=1)
    used = np.arange(DELTAS[1]) < _number(points[:, N_DELTAS], DELTAS)[:, None]
    shares = kind[:, :1] * _normalise_shares(points[:, ANGLE_SHARES], used)
    if between:
        bins, cubic = _interpolate_cubic(points[:, ANGLES])
        np.add.at(p, (np.arange(n)[:, None, None], bins), shares[..., None] * cubic)
    else:
        bins = np.minimum((points[:, ANGLES] * N_XI).astype(np.intp), N_XI - 1)
        np.add.at(p, (np.arange(n)[:, None], bins), shares)
    rows = np.flatnonzero(has[:, 1])
    if rows.size:
        points_here = points[rows]
        used = np.arange(PEAKS[1]) < _number(points_here[:, N_PEAKS], PEAKS)[:, None]
        shares = kind[rows, 1:2] * _normalise_shares(points_here[:, PEAK_SHARES], used)
        row, peak = np.nonzero(used)
        peaks = _wrap_gaussians(points_here[:, CENTRES][row, peak], points_here[:, WIDTHS][row, peak])
        peaks *= shares[row, peak][:, None]
        # Those of a row follow each other.
        p[rows] += np.add.reduceat(peaks, np.flatnonzero(peak == 0))
    return p


def active(points: Floats) -> NDArray[np.bool_]:
    """Which coordinates a distribution depends on, besides the choices, (n, DIMENSIONS)."""
    has = _HAS[np.searchsorted(_ENDS, points[:, FAMILY], side="right")]
    is_active = np.zeros(points.shape, dtype=bool)
    angles = has[:, :1] & (np.arange(DELTAS[1]) < _number(points[:, N_DELTAS], DELTAS)[:, None])
    peaks = has[:, 1:2] & (np.arange(PEAKS[1]) < _number(points[:, N_PEAKS], PEAKS)[:, None])
    is_active[:, ANGLES], is_active[:, CENTRES], is_active[:, WIDTHS] = angles, peaks, peaks
    # A share matters beside others.
    for part, used in ((ANGLE_SHARES, angles), (PEAK_SHARES, peaks), (KIND_SHARES, has)):
        is_active[:, part] = used & (used.sum(axis=1, keepdims=True) > 1)
    return is_active


def mirror_points(points: Floats, is_mirrored: NDArray[np.bool_]) -> Floats:
    """Mirror some angles and peaks (`is_mirrored`, (n, ROUND.size)) of points (n, DIMENSIONS) to 60° − ξ."""
    mirrored = points.copy()
    # An angle stands for the bin that begins there, a centre for itself.
    bin_width = np.where(ROUND < ANGLES.stop, 1 / N_XI, 0.0)
    mirrored[:, ROUND] = np.where(is_mirrored, (1 - points[:, ROUND] + bin_width) % 1.0, points[:, ROUND])
    return mirrored


def _number(coordinate: Floats, limits: tuple[int, int]) -> NDArray[np.intp]:
    low, high = limits
    return np.asarray(np.minimum(low + (coordinate * (high - low + 1)).astype(np.intp), high))


def _normalise_shares(coordinates: Floats, used: NDArray[np.bool_]) -> Floats:
    shares = (LEAST + (1 - LEAST) * coordinates) * used
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300))


def _interpolate_cubic(angles: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Four neighbours of angles on the grid and Lagrange's weights of the cubic through them, (..., 4)."""
    # A bin's middle is its angle.
    place = angles * N_XI - 0.5
    lower = np.floor(place)
    f = place - lower
    weights = (
        -f * (f - 1) * (f - 2) / 6,
        (f + 1) * (f - 1) * (f - 2) / 2,
        -(f + 1) * f * (f - 2) / 2,
        (f + 1) * f * (f - 1) / 6,
    )
    neighbours = (lower[..., None].astype(np.intp) + np.arange(-1, 3)) % N_XI
    return neighbours, np.stack(weights, axis=-1)


def _wrap_gaussians(centres: Floats, widths: Floats) -> Floats:
    """Gaussians around the circle, (n, 120), each with the sum 1."""
    low, high = np.log(FWHM)
    sigma = np.exp(low + (high - low) * widths)[..., None] / np.sqrt(8 * np.log(2))
    near = np.abs(XI - PERIOD * centres[..., None])
    near = np.minimum(near, PERIOD - near)
    gaussians = np.exp(-0.5 * (near / sigma) ** 2)
    # The next turn of the circle, and the one before, are seen by wide ones alone.
    wide = np.nonzero(sigma[..., 0] > PERIOD / 12)
    for far in (PERIOD - near[wide], PERIOD + near[wide]):
        gaussians[wide] += np.exp(-0.5 * (far / sigma[wide]) ** 2)
    return np.asarray(gaussians / gaussians.sum(axis=-1, keepdims=True))
