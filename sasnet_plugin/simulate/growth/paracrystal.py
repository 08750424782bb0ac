"""How the distances between clusters show: the radial paracrystal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def transform(q_r: NDArray[np.float64], distance: float, distance_spread: float) -> NDArray[np.complex128]:
    """Fourier transform Ω of the distribution of distances, a Gaussian; Å⁻¹ and Å."""
    return np.asarray(np.exp(1j * q_r * distance - 0.5 * (q_r * distance_spread) ** 2))


def structure_factor(
    q_r: NDArray[np.float64], distance: float, distance_spread: float
) -> NDArray[np.float64]:
    r"""Structure factor of a chain without end, :math:`S = \mathrm{Re}\,(1+\Omega)/(1-\Omega)`.

    Parameters
    ----------
    q_r : float array
        Å⁻¹, positive.
    distance, distance_spread : float
        Å.

    Notes
    -----
    1 at large q; its first maximum lies below 2π/D, by π²(σ/D)⁴ of it where σ is small (R. Lazzari, J. Appl.
    Cryst. 35, 406, 2002, and R. Hosemann's paracrystal therein).
    """
    omega = transform(q_r, distance, distance_spread)
    return np.asarray(((1 + omega) / (1 - omega)).real)


def order(
    q_r: NDArray[np.float64],
    distance: float,
    distance_spread: float,
    self_coupling: NDArray[np.complex128] | float = 1.0,
) -> NDArray[np.complex128]:
    r"""Factor :math:`\Omega/(1 - p_2\Omega)` of the term that neighbours add.

    Parameters
    ----------
    q_r : float array
        Å⁻¹, positive.
    distance, distance_spread : float
        Å.
    self_coupling : complex array or 1
        p₂, the mean of exp(2iκ q ΔR) over the sizes; 1 without coupling of sizes to distances.

    Notes
    -----
    I = ⟨|F|²⟩ + 2 Re(F₊F₋ Ω/(1 − p₂Ω)), F₊ = ⟨F exp(iκqΔR)⟩ and F₋ = ⟨F* exp(iκqΔR)⟩ (R. Lazzari, F. Leroy,
    G. Renaud, Phys. Rev. B 76, 125411, 2007).
    """
    omega = transform(q_r, distance, distance_spread)
    return np.asarray(omega / (1 - self_coupling * omega))
