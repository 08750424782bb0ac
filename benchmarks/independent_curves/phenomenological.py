"""Intensities of networks, two phases, microemulsions and fractals, from the papers that published them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def lorentzian(q: Array, length: float) -> Array:
    """1 / (1 + q² ξ²) (L. S. Ornstein, F. Zernike, Proc. Akad. Sci. Amsterdam 17 (1914) 793)."""
    return 1 / (1 + (q * length) ** 2)


def debye_bueche(q: Array, length: float) -> Array:
    """1 / (1 + q² a²)² (P. Debye, A. M. Bueche, J. Appl. Phys. 20 (1949) 518)."""
    return 1 / (1 + (q * length) ** 2) ** 2


def teubner_strey(q: Array, period: float, length: float) -> Array:
    """Microemulsion with repeat distance and correlation length, 1 at q = 0 (M. Teubner, R. Strey,
    J. Chem. Phys. 87 (1987) 3195): k = 2π/period, a = (k² + ξ⁻²)², I ∝ 1/(a + 2 (ξ⁻² - k²) q² + q⁴).
    """
    k, x = (2 * np.pi / period) ** 2, length**-2
    return (k + x) ** 2 / ((k + x) ** 2 + 2 * (x - k) * q**2 + q**4)


def guinier_porod(q: Array, rg: float, exponent: float) -> Array:
    """Guinier's law that passes smoothly into a power law (B. Hammouda, J. Appl. Cryst. 43 (2010) 716)."""
    q1 = np.sqrt(1.5 * exponent) / rg
    return np.where(
        q <= q1,
        np.exp(-((q * rg) ** 2) / 3),
        np.exp(-0.5 * exponent) * (q1 / np.maximum(q, 1e-12)) ** exponent,
    )


def mass_fractal_factor(q: Array, radius: float, dimension: float, length: float) -> Array:
    """S(q) of a mass fractal of particles of this radius (J. Teixeira, J. Appl. Cryst. 21 (1988) 781)."""
    from scipy.special import gamma

    d = dimension
    top = d * gamma(d - 1) / (1 + 1 / (q * length) ** 2) ** ((d - 1) / 2)
    return 1 + top / (q * radius) ** d * np.sin((d - 1) * np.arctan(q * length))


def broad_peak(q: Array, at: float, length: float, exponent: float) -> Array:
    """1 / (1 + (|q - q0| ξ)^m) (F. Horkay, B. Hammouda, Colloid Polym. Sci. 286 (2008) 611)."""
    return 1 / (1 + (np.abs(q - at) * length) ** exponent)
