"""Distributions of particles' axes about a director, and the averages of Legendre polynomials over them.

The pattern of particles with an axis of symmetry needs of a distribution no more than these: with the form
factor F²(q, μ) = Σ F_l(q) P_l(μ), where μ is the cosine between q and the axis, and axes distributed about a
director with rotational symmetry, I(q, ψ) = Σ ⟨P_l⟩ F_l(q) P_l(cos ψ), ψ between q and the director: the
addition theorem of spherical harmonics. One projection does not tell a three-dimensional distribution;
rotational symmetry about a director in the plane of the detector is what is assumed here.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import legendre

from ....arrays import Floats

#: Highest degree that is kept: axes within 12 degrees of their director have ⟨P_l⟩ below 5 % from there on.
DEGREE = 24
#: Even degrees: 0, 2, … `DEGREE`; a particle turned round is the same.
DEGREES = np.arange(0, DEGREE + 1, 2)
_NODES, _SHARES = legendre.leggauss(256)
_NODES, _SHARES = _NODES[128:], _SHARES[128:]  # cos β of 0..1
_SINE, _LATITUDES = legendre.leggauss(32)
_SINE, _LATITUDES = _SINE[16:], _LATITUDES[16:]
_POLYNOMIALS = legendre.legvander(_NODES, DEGREE)[:, ::2]


def maier_saupe(strength: float) -> Floats:
    """⟨P_l⟩ of f(β) ∝ exp(a cos²β), (len(DEGREES),); a below 0: axes across the director."""
    # Maier & Saupe, Z. Naturforsch. 14a (1959) 882.
    return _averages(np.exp(strength * (_NODES**2 - (strength > 0))))


def gaussian(width: float) -> Floats:
    """⟨P_l⟩ of f(β) ∝ exp(-β²/2σ²), the width σ in degrees, (len(DEGREES),)."""
    return _averages(np.exp(-0.5 * (np.degrees(np.arccos(_NODES)) / width) ** 2))


def _averages(density: Floats) -> Floats:
    weight = density * _SHARES
    return np.asarray(weight @ _POLYNOMIALS / weight.sum())


def order_parameter(strength: float) -> float:
    """⟨P₂⟩ of Maier and Saupe's distribution: 3eᵃ / (2√(πa) erfi √a) − 3/4a − 1/2 for a > 0, about 2a/15 for
    small a.
    """
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
def expand_in_harmonics() -> Floats:
    """P_l(cos ψ) as Σ c_lm cos mψ over even m: (len(DEGREES), len(DEGREES)) array c."""
    angle = np.arange(2 * DEGREE + 2) * (np.pi / (2 * DEGREE + 2))
    values = legendre.legvander(np.cos(angle), DEGREE)[:, ::2]
    waves = np.cos(np.outer(angle, DEGREES))
    return np.asarray(np.linalg.lstsq(waves, values, rcond=None)[0].T)


def project_in_plane(averages: Floats, angles: Floats) -> Floats:
    """Density, per radian over half a turn (integral 1), of the angle between director and axes seen along
    the beam, from ⟨P_l⟩ (len(DEGREES),); angles in radians.
    """
    # f(n) = Σ (2l + 1)/4π ⟨P_l⟩ P_l(cos β), with cos β = cos(latitude) cos(angle), integrated over latitudes:
    # twice the half above the plane, and twice as an axis is the same turned round.
    cosine = np.sqrt(1 - _SINE**2)[:, None] * np.cos(angles)[None, :]
    series = np.zeros(2 * len(DEGREES) - 1)
    series[::2] = (2 * DEGREES + 1) / (4 * np.pi) * averages
    distribution = 4 * _LATITUDES @ legendre.legval(cosine, series)
    return np.maximum(np.asarray(distribution), 0.0)
