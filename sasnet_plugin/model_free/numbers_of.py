"""From a curve to its numbers: which points count, how large their noise is, how the beam has smeared them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..noise import estimate_dintensity
from . import ends, maxima
from .guinier import guinier
from .results import Guinier, Kratky, Measured, ModelFree, Peak, Porod, Refused

Array = NDArray[np.float64]
_FEWEST = 5


@dataclass(frozen=True)
class _Points:
    """Points with a finite intensity and noise, in the order of q."""

    q: Array
    intensity: Array
    sigma: Array
    dq: Array | None
    slit: float

    @property
    def three(self) -> tuple[Array, Array, Array]:
        return self.q, self.intensity, self.sigma


def _points(curve: Measured) -> _Points | None:
    """None where there are too few."""
    q, intensity = curve.q, curve.intensity
    sigma = curve.dintensity
    if sigma is None or not np.any(sigma > 0):
        sigma = estimate_dintensity(intensity) if q.size else np.zeros_like(q)
    good = np.isfinite(q) & (q > 0) & np.isfinite(intensity) & np.isfinite(sigma) & (sigma > 0)
    if np.sum(good) < _FEWEST or not np.any(intensity[good] > 0) or not np.all(np.diff(q[good]) >= 0):
        return None
    spread = [None if curve.dq is None else curve.dq, None if curve.dxw is None else curve.dxw / np.sqrt(3)]
    known = [np.nan_to_num(one[good]) for one in spread if one is not None]
    dq = np.sqrt(np.sum(np.square(known), axis=0)) if known else None
    slit = 0.0 if curve.dxl is None else float(np.nan_to_num(curve.dxl[good]).max())
    # A point that is said to be a thousand times better than its neighbours would decide alone.
    least = 1e-2 * float(np.median(sigma[good] / np.maximum(np.abs(intensity[good]), 1e-300)))
    sigma = np.maximum(sigma[good], least * np.abs(intensity[good]))
    return _Points(q[good], intensity[good], sigma, dq, slit)


_FEW = Refused("too few points, or none above zero")


def guinier_of(curve: Measured) -> Guinier | Refused:
    """Rg and I(0), or why there are none."""
    points = _points(curve)
    return guinier(*points.three, points.dq, points.slit) if points else _FEW


def porod_of(curve: Measured) -> Porod | Refused:
    """Porod's law at the highest q."""
    points = _points(curve)
    return ends.porod(*points.three) if points else _FEW


def peaks_of(curve: Measured) -> tuple[Peak, ...]:
    """Maxima by rising q."""
    points = _points(curve)
    return maxima.peaks(*points.three) if points else ()


def kratky_of(curve: Measured) -> Kratky | Refused:
    """The dimensionless Kratky plot."""
    points = _points(curve)
    return maxima.kratky(*points.three, guinier_of(curve), porod_of(curve)) if points else _FEW


def model_free(curve: Measured) -> ModelFree:
    """All of it."""
    points = _points(curve)
    if points is None:
        return ModelFree(_FEW, _FEW, _FEW, _FEW, _FEW, (), _FEW)
    low, high = ends.slopes(*points.three)
    law, radius = ends.porod(*points.three), guinier(*points.three, points.dq, points.slit)
    return ModelFree(
        radius,
        low,
        high,
        law,
        ends.plateau(*points.three),
        maxima.peaks(*points.three),
        maxima.kratky(*points.three, radius, law),
    )
