"""Particles with an axis that is distributed about a director: what sectors and images see of them.

With the form factor F²(q, μ), where μ is the cosine between q and the axis, and axes distributed about a
director with rotational symmetry, I(q, ψ) = Σ (2l + 1) ⟨P_l⟩ P_l(cos ψ) ∫ F²(q, μ) P_l(μ) dμ over 0..1 and
even l, where ψ is the angle between q and the director: the addition theorem of spherical harmonics.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.polynomial import legendre

from ..arrays import Floats

#: Parameters of a fit: ⟨P₂⟩ of particle axes, the azimuth of their director in degrees from qx, and the shape
#: of their distribution, see `average_polynomials`.
P2, DIRECTOR, SHARPNESS, TAILS = ORIENTATION = "p2", "director", "sharpness", "tails"
#: ⟨P₂⟩ of the most ordered axes: across the director, within 6 degrees, and along it, within 2 degrees.
MOST_ORDERED = (-0.495, 0.995)
#: Axes more ordered than this have no Lorentzian distribution: that of 2.5 degrees has it, of long tails.
_LORENTZIAN = 0.65
#: What `tails` = -1 makes of sin²β: of a Gaussian, -2/3 is the series to β⁴.
_GAUSSIAN = 0.95
#: Highest degree that is kept: axes within 12 degrees of their director have ⟨P_l⟩ below 5 % from there on.
DEGREE = 24
#: Even degrees: 0, 2, … `DEGREE`; a particle turned round is the same.
DEGREES = np.arange(0, DEGREE + 1, 2)
#: Highest degree of sectors: axes within 5 degrees of their director.
FINE_DEGREE = 60
_NODES, _SHARES = legendre.leggauss(256)
_NODES, _SHARES = _NODES[128:], _SHARES[128:]  # cos β of 0..1


def maier_saupe(strength: float, degree: int = DEGREE) -> Floats:
    """⟨P_l⟩ of f(β) ∝ exp(a cos²β) for even l to `degree`, (m,); a below 0: axes across the director."""
    # Maier & Saupe, Z. Naturforsch. 14a (1959) 882.
    return _averages(np.exp(strength * (_NODES**2 - (strength > 0))), degree)


def gaussian(width: float) -> Floats:
    """⟨P_l⟩ of f(β) ∝ exp(-β²/2σ²), the width σ in degrees, (len(DEGREES),)."""
    return _averages(np.exp(-0.5 * (np.degrees(np.arccos(_NODES)) / width) ** 2), DEGREE)


def _averages(density: Floats, degree: int) -> Floats:
    weight = density * _SHARES
    return np.asarray(weight @ _polynomials(degree) / weight.sum())


@cache
def _polynomials(degree: int) -> Floats:
    return np.asarray(legendre.legvander(_NODES, degree)[:, ::2])


def order_parameter(strength: float) -> float:
    """⟨P₂⟩ of Maier and Saupe: 3eᵃ / (2√(πa) erfi √a) − 3/4a − 1/2 for a > 0, about 2a/15 for small a."""
    from scipy.special import dawsn

    if abs(strength) < 1e-3:
        return 2 * strength / 15
    if strength < 0:
        return float(maier_saupe(strength)[1])
    # eᵃ/(√π/2 · erfi √a) is 1 over Dawson's function, which does not overflow.
    return float(3 / (4 * np.sqrt(strength) * dawsn(np.sqrt(strength))) - 3 / (4 * strength) - 0.5)


def strength_of(p2: float) -> float:
    """The strength of Maier and Saupe's distribution of an order parameter, for −0.4 ≤ P₂ ≤ 0.97."""
    from scipy.optimize import brentq

    return float(brentq(lambda a: order_parameter(a) - p2, -60.0, 60.0, xtol=1e-6))


@cache
def expand_in_harmonics(degree: int = DEGREE) -> Floats:
    """P_l(cos ψ) as Σ c_lm cos mψ over even m, both to `degree`: array c of one row for each l."""
    angle = np.arange(2 * degree + 2) * (np.pi / (2 * degree + 2))
    values = legendre.legvander(np.cos(angle), degree)[:, ::2]
    waves = np.cos(np.outer(angle, np.arange(0, degree + 1, 2)))
    return np.asarray(np.linalg.lstsq(waves, values, rcond=None)[0].T)


@lru_cache(maxsize=256)
def average_polynomials(p2: float, sharpness: float = 0.0, tails: float = 0.0) -> Floats:
    """⟨P_l⟩ of even l to `FINE_DEGREE` of axes with an order parameter and any of many distributions.

    The density per solid angle is w + (1 − w) c (1 + u sin²β)^(−a/u), with cos² for sin² in a girdle, which
    has `p2` below 0. It is never negative.

    Parameters
    ----------
    p2 : float
        ⟨P₂⟩ of all axes. It gives the strength a.
    sharpness : float
        0 to 1. The isotropic part w, over the largest that ⟨P₂⟩ allows: at 1 the others are parallel.
    tails : float
        -1 to 1. At 0 the density is Maier and Saupe's, exp(−a sin²β); at 1 u is a, which is the wrapped
        Lorentzian, and less where ⟨P₂⟩ is above 0.65; about -0.7 it is a Gaussian.
    """
    sign = p2 < 0
    most = MOST_ORDERED[0] if sign else MOST_ORDERED[1]
    isotropic = isotropic_part(p2, sharpness)
    order = min(p2 / (1 - isotropic) / most, 1.0) * most
    averages = _average_ordered(order, tails) * (1 - isotropic)
    averages[0] = 1.0
    return averages


def isotropic_part(p2: float, sharpness: float) -> float:
    """Return the fraction of the axes that have no order."""
    return float(sharpness * (1 - p2 / (MOST_ORDERED[0] if p2 < 0 else MOST_ORDERED[1])))


def _average_ordered(order: float, tails: float) -> Floats:
    from scipy.optimize import brentq

    if abs(order) < 1e-6:
        return np.eye(FINE_DEGREE // 2 + 1)[0]
    squares = _NODES**2 if order < 0 else 1 - _NODES**2
    tails = tails * min(1.0, (1 - abs(order)) / (1 - _LORENTZIAN)) if tails > 0 else tails

    def find_density(log_strength: float) -> Floats:
        strength = np.exp(log_strength)
        bend = tails * (strength if tails > 0 else _GAUSSIAN)
        if abs(bend) < 1e-9:
            return np.asarray(np.exp(-strength * squares))
        return np.asarray(np.exp(-strength / bend * np.log1p(bend * squares)))

    def find_excess(log_strength: float) -> float:
        weight = find_density(log_strength) * _SHARES
        return float(weight @ _polynomials(2)[:, 1] / weight.sum() - order)

    low, high = -14.0, 12.0
    if find_excess(low) * find_excess(high) >= 0:  # as ordered as a density with these tails can be
        return _averages(find_density(high), FINE_DEGREE)
    return _averages(find_density(brentq(find_excess, low, high, xtol=1e-12)), FINE_DEGREE)


@lru_cache(maxsize=512)
def sector_series(
    p2: float, turn: float, half_width: float, sharpness: float = 0.0, tails: float = 0.0
) -> Floats:
    """Coefficients of the Legendre series, even degrees to `FINE_DEGREE`, of the density of the cosine
    between q and particle axes in a sector of the detector; the integral over 0..1 is 1.

    `turn` and `half_width` are degrees from the director to the middle of the sector, and to its edge; the
    distribution of axes is that of `average_polynomials`.
    """
    degrees = np.arange(0, FINE_DEGREE + 1, 2)
    # Over a sector the mean of cos mψ is that of its middle times sin(mΔ)/(mΔ).
    waves = np.cos(np.radians(degrees * turn)) * np.sinc(degrees * half_width / 180)
    averages = average_polynomials(p2, sharpness, tails)
    return np.asarray((2 * degrees + 1) * averages * (expand_in_harmonics(FINE_DEGREE) @ waves))
