"""From a curve to its numbers: which points count, how large their noise is, what the beam has smeared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, median
from ..noise import fill_dintensity, is_usable
from . import ends, maxima
from .guinier import guinier
from .results import Guinier, Measured, ModelFree, PairDistances, Porod, Refused, Slope

if TYPE_CHECKING:
    from .region_results import Regions

_FEWEST = 5
#: Slope up to which the highest q are level; standard deviations that a background is above zero.
_LEVEL, _SURE = 0.15, 4.0


class _Points(NamedTuple):
    """Points with a finite intensity and noise, in the order of q."""

    q: Floats
    intensity: Floats
    sigma: Floats
    dq: Floats | None
    slit: float

    @property
    def three(self) -> tuple[Floats, Floats, Floats]:
        return self.q, self.intensity, self.sigma


def _points(curve: Measured) -> _Points | None:
    if not curve.q.size:
        return None
    q, intensity, sigma = curve.q, curve.intensity, fill_dintensity(curve.intensity, curve.dintensity)
    good = np.isfinite(q) & (q > 0) & np.isfinite(intensity) & is_usable(sigma)
    if np.sum(good) < _FEWEST or not np.any(intensity[good] > 0) or not np.all(np.diff(q[good]) >= 0):
        return None
    slit = 0.0 if curve.dxl is None else float(np.nan_to_num(curve.dxl[good]).max())
    # A point that is said to be a thousand times better than its neighbours would decide alone.
    least = 1e-2 * median(sigma[good] / np.maximum(np.abs(intensity[good]), 1e-300))
    sigma = np.maximum(sigma[good], least * np.abs(intensity[good]))
    return _Points(q[good], intensity[good], sigma, _spread(curve, good), slit)


def _spread(curve: Measured, good: NDArray[np.bool_]) -> Floats | None:
    """Standard deviation of q from a pinhole's resolution and the half width of a slit, as far as stated."""
    widths = [(curve.dq, 1.0), (curve.dxw, np.sqrt(3))]
    known_widths = [np.nan_to_num(width[good] / by) for width, by in widths if width is not None]
    return np.sqrt(np.sum(np.square(known_widths), axis=0)) if known_widths else None


_FEW = Refused("too few points, or none above zero")


def model_free(curve: Measured) -> ModelFree:
    points = _points(curve)
    if points is None:
        return ModelFree(_FEW, _FEW, _FEW, _FEW, _FEW, (), _FEW)
    q, intensity, sigma = points.three
    low, high = ends.slopes(q, intensity, sigma)
    law = ends.porod(q, intensity, sigma)
    below = background(points, high, law)
    radius = guinier(q, intensity - below, sigma, points.dq, points.slit)
    if isinstance(radius, Guinier):
        radius = radius._replace(background=below)
    return ModelFree(
        radius,
        low,
        high,
        law,
        ends.plateau(q, intensity, sigma),
        maxima.peaks(q, intensity, sigma),
        maxima.kratky(q, intensity, sigma, radius),
    )


def pair_distances(curve: Measured) -> PairDistances | Refused:
    """p(r) and the largest distance; takes some tenths of a second."""
    from . import distances

    points = _points(curve)
    if points is None:
        return _FEW
    return distances.pair_distances(*points.three, model_free(curve).guinier, dq=points.dq, slit=points.slit)


def regions(curve: Measured) -> Regions:
    """Return Guinier knees, power laws, peaks, plateaus and a background; takes some tenths of a second.

    Parameters
    ----------
    curve : Curve
        Any curve, with or without uncertainties.

    Returns
    -------
    Regions
        By rising q; none where the curve has too few significant points.
    """
    from .region_results import Regions
    from .region_values import find_regions

    points = _points(curve)
    if points is None:
        return Regions(())
    return find_regions(*points.three, slit=points.slit > 0)


def _level(slope: Slope | Refused) -> bool:
    return isinstance(slope, Slope) and abs(slope.value) < _LEVEL and slope.error < 2 * _LEVEL


def background(points: _Points, high: Slope | Refused, law: Porod | Refused) -> float:
    """The flat background where the highest q show one, in the unit of the intensity; else 0."""
    if isinstance(law, Porod) and law.background > _SURE * law.background_error:
        return law.background
    part = points.q >= points.q[-1] / ends.SETTINGS.factor
    # What is level over all of the curve is no background of something else.
    if not _level(high) or median(points.intensity[part]) > 0.5 * points.intensity.max():
        return 0.0
    weight = points.sigma[part] ** -2
    return max(float(np.sum(weight * points.intensity[part]) / np.sum(weight)), 0.0)
