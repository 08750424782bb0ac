"""How clusters scatter: the form factor of half a spheroid, and the radial paracrystal of their distances."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter
from scipy.special import j1

#: Step and size of the table in q_r R and q_z H; beyond, the window of the growth domain does not reach.
STEP, MAX_U, MAX_V = 0.125, 60.0, 150.0
_NODES = 128


def form_factor(
    q_r: NDArray[np.float64], q_z: NDArray[np.float64], radius: float, height: float
) -> NDArray[np.complex128]:
    """Return the Fourier transform of the upper half of a spheroid on its base, Å³; q_r >= 0 and q_z in Å⁻¹,
    radius R of the base and height H in Å. Raises ValueError if q lies beyond the table.
    """
    # F = R²H [a(w)/2 + i b(q_r R, q_z H)], w² = (q_r R)² + (q_z H)², a(w) = 4π (sin w − w cos w)/w³, b(u, v)
    # = 2π ∫₀¹ (1 − s²) J₁(u√(1 − s²))/(u√(1 − s²)) sin(vs) ds; the even part is half of the whole spheroid's.
    u, v = q_r * radius, q_z * height
    up = np.abs(v)
    if u.max(initial=0.0) > MAX_U or up.max(initial=0.0) > MAX_V:
        raise ValueError(f"the table ends at q_r R = {MAX_U:g} and q_z H = {MAX_V:g}; use smaller values.")
    odd = map_coordinates(_table(), [u / STEP, up / STEP], order=3, prefilter=False, mode="nearest")
    scale = radius**2 * height
    return np.asarray(scale * (0.5 * _sphere(np.hypot(u, v)) + 1j * np.sign(v) * odd))


def _sphere(w: NDArray[np.float64]) -> NDArray[np.float64]:
    """4π (sin w − w cos w)/w³, by its series where that loses digits."""
    small = w < 0.05
    safe = np.where(small, 1.0, w)
    exact = (np.sin(safe) - safe * np.cos(safe)) / safe**3
    return np.asarray(4 * np.pi * np.where(small, 1 / 3 - w**2 / 30, exact))


def odd_part(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """b(u, v) by quadrature, (len(u), len(v)): what the table holds."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    s, weights = (nodes + 1) / 2, weights / 2
    across = np.sqrt(1 - s**2)
    w = np.outer(u, across)
    small = w < 1e-6
    disc = np.where(small, 0.5, j1(w) / np.where(small, 1.0, w))
    return np.asarray((2 * np.pi * weights * across**2 * disc) @ np.sin(np.outer(s, v)))


@lru_cache(maxsize=1)
def _table() -> NDArray[np.float64]:
    """Coefficients of a cubic spline through b."""
    beyond = 4 * STEP
    u, v = np.arange(0, MAX_U + beyond, STEP), np.arange(0, MAX_V + beyond, STEP)
    # b is even in u and odd in v: continued so, the spline has no false edge at 0.
    values = odd_part(np.concatenate((-u[16:0:-1], u)), np.concatenate((-v[16:0:-1], v)))
    return np.ascontiguousarray(spline_filter(values, order=3, mode="nearest")[16:, 16:])


def transform(q_r: NDArray[np.float64], distance: float, distance_spread: float) -> NDArray[np.complex128]:
    """Fourier transform Ω of the distribution of distances, a Gaussian; Å⁻¹ and Å."""
    return np.asarray(np.exp(1j * q_r * distance - 0.5 * (q_r * distance_spread) ** 2))


def order(
    q_r: NDArray[np.float64],
    distance: float,
    distance_spread: float,
    self_coupling: NDArray[np.complex128] | float = 1.0,
) -> NDArray[np.complex128]:
    """Return the factor Ω/(1 − p₂Ω) of the neighbours' term; q_r > 0 in Å⁻¹, distances in Å, p₂
    (`self_coupling`) the mean of exp(2iκ q ΔR) over sizes, 1 without coupling.
    """
    # I = ⟨|F|²⟩ + 2 Re(F₊F₋ Ω/(1 − p₂Ω)), F₊ = ⟨F exp(iκqΔR)⟩ and F₋ = ⟨F* exp(iκqΔR)⟩ (R. Lazzari, F. Leroy,
    # G. Renaud, Phys. Rev. B 76, 125411, 2007).
    omega = transform(q_r, distance, distance_spread)
    return np.asarray(omega / (1 - self_coupling * omega))
