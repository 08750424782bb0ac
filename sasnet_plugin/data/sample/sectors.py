"""Compare sectors of one sample without a model, and separate their magnetic from their nuclear scattering.

With magnetic moments along a saturating field, where α is the angle between q and the field, neutrons that
keep their spin scatter with the amplitude N ± M sin²α, and those whose spin is flipped with M sin α cos α
(R. M. Moon, T. Riste and W. C. Koehler, Phys. Rev. 181 (1969) 920). Unpolarised, I(q) = N² + M² sin²α.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Floats
from ...noise import fill_dintensity
from ...types import Curve, DataError
from .sample import Polarisation, Sample

#: Standard deviation of the ratio of two sectors of one detector, from its efficiency and the beam's centre.
EFFICIENCY = 0.01
#: Standard deviations from which on a difference or a magnetic part is seen.
_SEEN = 4.0
#: Root mean square difference of sectors, as a share of I, from which on a sample is called anisotropic.
_ANISOTROPIC = 0.05
#: Least singular value of what curves have of each part, from which on the parts are told apart.
_APART = 0.1
_NAMES = ("nuclear", "magnetic")
NOT_APART = (
    "All sectors make the same angle with the field; give one along and one across it, and of polarised"
    " neutrons both spin states."
)
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
    return (
        q,
        np.array([np.interp(q, curve.q, curve.intensity) for curve in curves]),
        np.array([np.interp(q, c.q, fill_dintensity(c.intensity, c.dintensity)) for c in curves]),
    )


@dataclass(frozen=True)
class Magnetism:
    """Nuclear and magnetic scattering of a sample in a saturating field."""

    nuclear: Curve  #: N²(q), with what is isotropic besides.
    magnetic: Curve  #: M²(q).
    #: ratio, error: M²/N² over all q, background apart, and its standard deviation.
    ratio: float
    error: float
    #: NM/N² of polarised neutrons in the same way, and its standard deviation; None of unpolarised ones.
    interference: tuple[float, float] | None = None

    @property
    def is_seen(self) -> bool:
        value, error = self.interference or (0.0, 1.0)
        return self.ratio > _SEEN * self.error or abs(value) > _SEEN * error

    @property
    def is_reversed(self) -> bool:
        """Whether it is brighter along the field, where a saturated magnet scatters least."""
        return self.ratio < -_SEEN * self.error

    @property
    def contrast(self) -> tuple[float, float]:
        """The magnetic over the nuclear contrast, and its standard deviation."""
        if self.interference is not None and self.ratio <= _SEEN * self.error:
            return abs(self.interference[0]), self.interference[1]
        value = max(self.ratio, 0.0) ** 0.5
        return value, self.error / (2 * value) if value else self.error**0.5

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        value, error = self.contrast
        ratio = {"ratio": self.ratio, "ratio_error": self.error}
        contrast = {"contrast": value, "contrast_error": error} if self.is_seen else {}
        interference = self.interference or ()
        pairs = zip(("interference", "interference_error"), interference, strict=False)
        return {"seen": self.is_seen, "reversed": self.is_reversed, **ratio, **contrast, **dict(pairs)}


def separate_magnetism(sample: Sample) -> Magnetism:
    """Solve for N², M² and, of polarised neutrons, NM at each q, by weighted least squares of all curves.
    Raises DataError if they share too few points of q, or do not tell these apart.
    """
    curves = sample.curves
    q, intensity, errors = list_at_common_q(curves)
    shares = np.array(
        [weigh_parts(curve, sample.field_azimuth or 0.0, sample.polarisation) for curve in curves]
    )
    if not any(curve.spin for curve in curves):
        shares = shares[:, :2]
    if np.linalg.svd(shares, compute_uv=False)[-1] < _APART or len(shares) < shares.shape[1]:
        raise DataError(NOT_APART)
    weight = 1 / errors**2
    covariance = np.linalg.inv(np.einsum("ci,cj,cq->qij", shares, shares, weight))
    parts = np.einsum("qij,cj,cq->iq", covariance, shares, weight * intensity)
    deviations = np.sqrt(np.einsum("qii->iq", covariance))
    nuclear, magnetic = (_make_part(curves[0], q, parts[i], deviations[i], _NAMES[i]) for i in range(2))
    # What is as good as free of the noise of differences: halfway between along and across the field.
    middle = 0.5 * float(np.min(shares[:, 1]) + np.max(shares[:, 1]))
    mean = parts[0] + middle * parts[1]
    ranges = np.ptp(shares, axis=0)
    ratios = [_ratio(mean, parts[i], deviations[i], ranges[i]) for i in range(1, len(parts))]
    # M² = k (N² + s M²) with s of the mean: r = k / (1 − s k).
    rest = max(1 - middle * ratios[0][0], 0.05)
    return Magnetism(nuclear, magnetic, ratios[0][0] / rest, ratios[0][1] / rest**2, *ratios[1:])


def weigh_parts(curve: Curve, field_azimuth: float, polarisation: Polarisation | None) -> Floats:
    """How much of N², M² and NM a curve has, (3,), on the average over its sector."""
    square, fourth = _mean_powers_of_sine(curve, field_azimuth)
    up, analysed = compute_up_fractions(curve.spin, polarisation)
    if len(curve.spin) < 2:
        return np.array([1.0, square, 2 * (2 * up - 1) * square])
    both_up, both_down = up * analysed, (1 - up) * (1 - analysed)
    kept = both_up + both_down
    flipped = (1 - kept) * (square - fourth)
    return np.array([kept, kept * fourth + flipped, 2 * square * (both_up - both_down)])


def compute_up_fractions(spin: str, polarisation: Polarisation | None) -> tuple[float, float]:
    """Shares of spins up before the sample, and of those that pass the analyser; a half without either."""
    given = polarisation or Polarisation()
    up = _share_up(spin[0], given.polariser, given.flipper) if spin else 0.5
    return up, _share_up(spin[1], given.analyser, given.analyser_flipper) if spin[1:] else 0.5


def _share_up(state: str, efficiency: float, flipper: float) -> float:
    return 0.5 * (1 + efficiency * (1.0 if state == "+" else 1 - 2 * flipper))


def _mean_powers_of_sine(curve: Curve, field_azimuth: float) -> tuple[float, float]:
    """sin²α and sin⁴α over a sector, from cos 2α and cos 4α there."""
    assert curve.sector is not None
    turn = np.radians(curve.sector.azimuth - field_azimuth)
    half = curve.sector.half_width / 180
    double, fourfold = np.cos(2 * turn) * np.sinc(2 * half), np.cos(4 * turn) * np.sinc(4 * half)
    return float(0.5 * (1 - double)), float((3 - 4 * double + fourfold) / 8)


def _make_part(first: Curve, q: Floats, intensity: Floats, dintensity: Floats, name: str) -> Curve:
    return replace(
        first, q=q, intensity=intensity, dintensity=dintensity, sector=None, shadow=None, spin="",
        dq=_interpolate(q, first, first.dq), dxl=_interpolate(q, first, first.dxl),
        dxw=_interpolate(q, first, first.dxw), file=f"{name} part of {first.file}",
    )  # fmt: skip


def _interpolate(q: Floats, curve: Curve, column: Floats | None) -> Floats | None:
    return None if column is None else np.interp(q, curve.q, column)


def _ratio(mean: Floats, part: Floats, errors: Floats, most: float) -> tuple[float, float]:
    """A part over the mean without background, with the efficiency of the detector and the misfit in its
    error; `most` is how much the curves differ in their share of it.
    """
    columns = np.stack([mean, np.ones(mean.size)], axis=1) / errors[:, None]
    off = part / errors
    covariance = np.linalg.inv(columns.T @ columns)
    value = covariance @ columns.T @ off
    misfit = max(float(np.mean((off - columns @ value) ** 2)), 1.0)
    return float(value[0]), float(np.hypot((misfit * covariance[0, 0]) ** 0.5, 2**0.5 * EFFICIENCY / most))
