"""Compare sectors of one sample without a model, and separate their magnetic from their nuclear scattering.

With magnetic moments along a saturating field and unpolarised neutrons I(q) = N²(q) + M²(q) sin²α, where α is
the angle between q and the field (R. M. Moon, T. Riste and W. C. Koehler, Phys. Rev. 181 (1969) 920).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Floats
from ...noise import fill_dintensity
from ...types import Curve, DataError
from .sample import Sample

#: Standard deviation of the ratio of two sectors of one detector, from its efficiency and the beam's centre.
EFFICIENCY = 0.01
#: Standard deviations from which on a difference or a magnetic part is seen.
_SEEN = 4.0
#: Root mean square difference of sectors, as a share of I, from which on a sample is called anisotropic.
_ANISOTROPIC = 0.05
#: Points of q that sectors share, at least.
_FEWEST = 8


@dataclass(frozen=True)
class Difference:
    """How much sectors of one sample differ."""

    #: relative, most: root mean square beyond the uncertainties, as a share of I; and what it is at most.
    relative: float
    most: float
    deviations: float  #: By how many standard deviations χ² of equal sectors exceeds its expectation.
    brightest: int  #: Place of the sector of most intensity.

    @property
    def is_seen(self) -> bool:
        return bool(self.deviations > _SEEN and self.relative > _ANISOTROPIC)


def compare_sectors(curves: Sequence[Curve]) -> Difference:
    """Compare sectors where their q overlap. Raises DataError if they share too few points of q."""
    _, intensity, errors = list_at_common_q(curves)
    weight = 1 / errors**2
    mean = np.sum(weight * intensity, axis=0) / np.sum(weight, axis=0)
    off = (intensity - mean) / errors
    degrees = off.size - mean.size
    # Each point weighs as much as it tells of a relative difference.
    total, share = float(np.sum(off**2)), float(np.sum((mean / errors) ** 2))
    spread = np.sqrt(2 * degrees)
    relative, most = (max(total - degrees + k * spread, 0.0) / share for k in (0, 2))
    brightest = int(np.argmax(intensity @ np.mean(weight, axis=0)))
    return Difference(relative**0.5, most**0.5, float((total - degrees) / spread), brightest)


def list_at_common_q(curves: Sequence[Curve]) -> tuple[Floats, Floats, Floats]:
    """The first curve's q where all have some, (n,), and intensities and errors there, (m, n) each."""
    low, high = max(curve.q[0] for curve in curves), min(curve.q[-1] for curve in curves)
    first = curves[0].q
    q = first[(first >= low * (1 - 1e-9)) & (first <= high * (1 + 1e-9))]
    if q.size < _FEWEST:
        raise DataError("The sectors share too few points of q; reduce them with the same q range.")
    errors = [fill_dintensity(curve.intensity, curve.dintensity) for curve in curves]
    return (
        q,
        np.array([np.interp(q, curve.q, curve.intensity) for curve in curves]),
        np.array([np.interp(q, curve.q, error) for curve, error in zip(curves, errors, strict=True)]),
    )


@dataclass(frozen=True)
class Magnetism:
    """Nuclear and magnetic scattering of a sample in a saturating field."""

    nuclear: Curve  #: N²(q), with what is isotropic besides.
    magnetic: Curve  #: M²(q).
    #: ratio, error: M²/N² over all q, background apart, and its standard deviation.
    ratio: float
    error: float

    @property
    def is_seen(self) -> bool:
        return self.ratio > _SEEN * self.error

    @property
    def contrast(self) -> tuple[float, float]:
        """The magnetic over the nuclear contrast, and its standard deviation."""
        value = max(self.ratio, 0.0) ** 0.5
        return value, self.error / (2 * value) if value else self.error**0.5

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        value, error = self.contrast
        ratio = {"ratio": self.ratio, "ratio_error": self.error}
        contrast = {"contrast": value, "contrast_error": error} if self.is_seen else {}
        return {"seen": self.is_seen, **ratio, **contrast}


def separate_magnetism(sample: Sample) -> Magnetism:
    """Solve I = N² + M² sin²α of all sectors at each q, by weighted least squares with their errors. Raises
    DataError if they share too few points of q, or make equal angles with the field.
    """
    curves = sample.curves
    q, intensity, errors = list_at_common_q(curves)
    sine = np.array([_mean_square_sine(curve, sample.field_azimuth or 0.0) for curve in curves])
    if np.ptp(sine) < 0.2:
        raise DataError("All sectors make the same angle with the field; give one along and one across it.")
    weight = 1 / errors**2
    total, first, second = (np.sum(weight * sine[:, None] ** k, axis=0) for k in range(3))
    determinant = total * second - first**2
    right, right_sine = np.sum(weight * intensity, axis=0), np.sum(weight * sine[:, None] * intensity, axis=0)
    nuclear = (second * right - first * right_sine) / determinant
    magnetic = (total * right_sine - first * right) / determinant
    file = curves[0].file
    plain = replace(
        curves[0], q=q, intensity=nuclear, dintensity=np.sqrt(second / determinant), sector=None, shadow=None,
        dq=_interpolate(q, curves[0], curves[0].dq), dxl=_interpolate(q, curves[0], curves[0].dxl),
        dxw=_interpolate(q, curves[0], curves[0].dxw), file=f"nuclear part of {file}",
    )  # fmt: skip
    part = replace(
        plain, intensity=magnetic, dintensity=np.sqrt(total / determinant), file=f"magnetic part of {file}"
    )
    return Magnetism(plain, part, *_ratio(intensity, magnetic, part.dintensity, sine))


def _mean_square_sine(curve: Curve, field_azimuth: float) -> float:
    """sin²α over a sector: (1 − cos 2α sin(2Δ)/(2Δ)) / 2."""
    assert curve.sector is not None
    turn = np.radians(curve.sector.azimuth - field_azimuth)
    return float(0.5 * (1 - np.cos(2 * turn) * np.sinc(2 * curve.sector.half_width / 180)))


def _interpolate(q: Floats, curve: Curve, column: Floats | None) -> Floats | None:
    return None if column is None else np.interp(q, curve.q, column)


def _ratio(intensity: Floats, magnetic: Floats, errors: Floats | None, sine: Floats) -> tuple[float, float]:
    """M²/N² without background, with the efficiency of the detector and the misfit in its error."""
    # The mean of a sector along and one across the field is as good as free of the noise of their difference.
    mean = 0.5 * (intensity[np.argmin(sine)] + intensity[np.argmax(sine)])
    columns = np.stack([mean, np.ones(mean.size)], axis=1) / np.asarray(errors)[:, None]
    off = magnetic / np.asarray(errors)
    covariance = np.linalg.inv(columns.T @ columns)
    value = covariance @ columns.T @ off
    misfit = max(float(np.mean((off - columns @ value) ** 2)), 1.0)
    middle = 0.5 * float(np.min(sine) + np.max(sine))
    error = np.hypot((misfit * covariance[0, 0]) ** 0.5, 2**0.5 * EFFICIENCY / float(np.ptp(sine)))
    # M² = k (N² + s M²) with s of the mean: r = k / (1 − s k).
    rest = max(1 - middle * float(value[0]), 0.05)
    return float(value[0]) / rest, float(error) / rest**2
