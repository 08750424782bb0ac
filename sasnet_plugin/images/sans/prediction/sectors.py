"""An image's rings in sectors, as bodies with axes are held against them, and what these scatter there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..reading.polar import N_SECTORS, RINGS, Polar
from ..simulation.form_factors import LN_Q, Q
from ..simulation.orientation import DEGREES, expand_in_harmonics, gaussian, maier_saupe, strength_of

if TYPE_CHECKING:
    from ....arrays import Floats

#: Relative error of a cell beyond counting: detectors count so unevenly.
FLOOR = 0.03
#: Rings that are taken together.
_TOGETHER = 2
#: Of nodes, in ln q; order from which on axes may lie as a Gaussian.
STEP, LEAST_GAUSSIAN = float(LN_Q[1] - LN_Q[0]), 0.05
#: Where a file does not say how sharp q is: a selector's spread, and a share of the least q by pixels.
_SELECTOR, _PIXELS = 0.05, 0.3
#: What a sector leaves of cos mψ.
_BLUNTED = np.sinc(DEGREES / N_SECTORS)


@dataclass(frozen=True)
class Cells:
    """What rings show in sectors, those at q and −q together."""

    q: Floats  #: (n,), of each ring, Å⁻¹.
    #: values, error: (n, s), intensity of any scale; the error is infinite where nothing was seen.
    values: Floats
    exposure: Floats  #: (n, s), counts over `values`.
    error: Floats
    angle: Floats  #: (s,), of each sector's middle, radians from qx.
    nodes: Floats  #: (k,), where form factors are asked for, Å⁻¹, a step of `LN_Q` apart.
    smear: Floats  #: (n, k), from nodes to rings.

    def update_errors(self, rate: Floats) -> Cells:
        """These with the errors of counts about what is expected, (n, s)."""
        variance = np.full_like(rate, np.inf)
        np.divide(rate, self.exposure, out=variance, where=(self.exposure > 0) & (rate > 0))
        return replace(self, error=np.sqrt(variance + (FLOOR * rate) ** 2))

    @property
    def background_shapes(self) -> Floats:
        """(2, n, s) what scatters beside bodies: flat, and slits as q⁻³."""
        shapes = np.ones((2, *self.values.shape))
        shapes[1] = ((self.q / self.q[0]) ** -3.0)[:, None]
        return shapes

    @property
    def number(self) -> int:
        return int(np.isfinite(self.error).sum())

    def waves(self, p2: float, director: float, *, gaussian_axes: bool = False) -> Floats:
        """(13, s) from Legendre coefficients to sectors, of an order parameter and a director, radians."""
        around = np.cos(np.outer(DEGREES, self.angle - director)) * _BLUNTED[:, None]
        averages = _gaussian(p2) if gaussian_axes and p2 > LEAST_GAUSSIAN else _averages(p2)
        return np.asarray(averages[:, None] * (expand_in_harmonics() @ around))


def cells_of(image: Polar) -> Cells | None:
    """The cells of an image; None where fewer than sixteen rings were seen."""
    from scipy.ndimage import uniform_filter

    rings_seen = np.flatnonzero(image.exposure.sum(axis=1) > 0)
    if rings_seen.size < 8 * _TOGETHER:
        return None
    groups = np.array_split(rings_seen, rings_seen.size // _TOGETHER)

    def total(values: Floats) -> Floats:
        opposite_sums = values[:, : N_SECTORS // 2] + values[:, N_SECTORS // 2 :]
        return np.array([opposite_sums[group].sum(axis=0) for group in groups])

    counts, exposure = total(image.counts), total(image.exposure / image.scale[:, None])
    weight = image.exposure.sum(axis=1)
    q = np.exp([np.average(np.log(RINGS[g]), weights=weight[g]) for g in groups])
    blurred = np.where(np.isfinite(image.along), image.along, np.hypot(_SELECTOR * RINGS, _PIXELS * q[0]))
    along = np.array([np.average(blurred[g], weights=weight[g]) for g in groups])
    # At first the variance of counts is that of what neighbouring cells count.
    near = [uniform_filter(values_here, 3, mode=("nearest", "wrap")) for values_here in (counts, exposure)]
    rate = np.divide(near[0] + 1 / 9, near[1], out=np.zeros_like(counts), where=near[1] > 0)
    values = np.divide(counts, exposure, out=np.zeros_like(counts), where=exposure > 0)
    angle = np.asarray((np.arange(N_SECTORS // 2) + 0.5) * (2 * np.pi / N_SECTORS), dtype=np.float64)
    cells = Cells(q, values, exposure, rate, angle, *_smearing(q, along))
    return cells.update_errors(rate)


def _smearing(q: Floats, along: Floats) -> tuple[Floats, Floats]:
    """Nodes, and Gaussian weights of them for each ring; a ring is as wide as `_TOGETHER` of them."""
    width = np.hypot(along, _TOGETHER * float(np.log(RINGS[1] / RINGS[0])) * q / np.sqrt(12))
    low, high = np.log(max(q[0] / 2.0, Q[0])), np.log(q[-1] + 3 * width[-1])
    first = int((low - LN_Q[0]) / STEP)
    nodes = Q[first : int((high - LN_Q[0]) / STEP) + 2]
    weight = np.exp(-0.5 * ((nodes - q[:, None]) / np.maximum(width, 0.7 * STEP * q)[:, None]) ** 2) * nodes
    return nodes, weight / weight.sum(axis=1, keepdims=True)


@lru_cache(maxsize=64)
def _averages(p2: float) -> Floats:
    return maier_saupe(strength_of(p2))


def _gaussian(p2: float) -> Floats:
    """⟨P_l⟩ of a Gaussian of an order parameter."""
    table = _gaussians()
    return np.array([np.interp(p2, table[::-1, 1], column[::-1]) for column in table.T])


@cache
def _gaussians() -> Floats:
    return np.array([gaussian(width) for width in np.geomspace(7.0, 75.0, 80)])


def spread_over(nodes: Floats, spread: float) -> Floats:
    """Return the matrix (k, k) from one size to log-normal sizes of equal proportions; a body s times as
    large scatters s⁶ I(q s).
    """
    apart = np.log(nodes) - np.log(nodes)[:, None]
    weight = np.exp(-0.5 * (apart / max(spread, 0.4 * STEP)) ** 2 + 6 * apart)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
