"""Structure factors of liquids, stacks and lattices, from the papers that published them."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def hard_spheres(q: Array, radius: float, fraction: float) -> Array:
    """S(q) in the Percus-Yevick approximation (R. J. Baxter, Aust. J. Phys. 21 (1968) 563)."""
    return sticky_spheres(q, radius, fraction, np.inf)


def sticky_spheres(q: Array, radius: float, fraction: float, stickiness: float) -> Array:
    """S(q) of adhesive hard spheres, Percus-Yevick (R. J. Baxter, J. Chem. Phys. 49 (1968) 2770).

    `stickiness` is Baxter's τ; infinite: hard spheres. Inside a diameter (here 1) Baxter's factor is
    a (r² - 1)/2 + b (r - 1) + λ/12, and S = 1/|Q|² with Q(q) = 1 - 2πn ∫ factor(r) exp(iqr) dr.
    """
    eta = fraction
    if np.isinf(stickiness):
        lam = 0.0
    else:
        middle = stickiness + eta / (1 - eta)
        lam = (middle - np.sqrt(middle**2 - eta / 3 * (1 + eta / 2) / (1 - eta) ** 2)) * 6 / eta
    mu = lam * eta * (1 - eta)
    a = (1 + 2 * eta - mu) / (1 - eta) ** 2
    b = (-3 * eta + mu) / (2 * (1 - eta) ** 2)
    r, w = np.polynomial.legendre.leggauss(int(60 + q.max() * radius))
    r, w = 0.5 * (r + 1), 0.5 * w
    factor = 0.5 * a * (r**2 - 1) + b * (r - 1) + lam / 12
    phases = np.exp(1j * np.outer(q * 2 * radius, r))
    return 1 / np.abs(1 - 12 * eta * phases @ (factor * w)) ** 2


def hard_sphere_mixture(q: Array, radii: Array, numbers: Array, fraction: float, amplitudes: Array) -> Array:
    """Mean of F_i F_j S_ij over a mixture of hard spheres (A. Vrij, J. Chem. Phys. 71 (1979) 3267).

    Baxter's factor of mixtures, Percus-Yevick, J. Chem. Phys. 52 (1970) 4559: Q_ij = δ_ij - 2π √(n_i n_j)
    ∫ (a_i (r² - R_ij²)/2 + b_i (r - R_ij)) exp(iqr) dr from R_i - R_j to R_i + R_j, and S⁻¹ = Q(-q)ᵀ Q(q).
    """
    sigma = 2 * radii
    density = fraction / (np.pi / 6 * (numbers * sigma**3).sum()) * numbers
    xi2, xi3 = (np.pi / 6 * (density * sigma**k).sum() for k in (2, 3))
    a = (1 - xi3 + 3 * sigma * xi2) / (1 - xi3) ** 2
    b = -1.5 * sigma**2 * xi2 / (1 - xi3) ** 2
    low, high = 0.5 * (sigma[:, None] - sigma[None, :]), 0.5 * (sigma[:, None] + sigma[None, :])
    t, w = np.polynomial.legendre.leggauss(int(40 + q.max() * sigma.max() / 2))
    r = 0.5 * (high - low)[..., None] * t + 0.5 * (high + low)[..., None]
    factor = 0.5 * a[:, None, None] * (r**2 - high[..., None] ** 2)
    factor = (factor + b[:, None, None] * (r - high[..., None])) * w * 0.5 * (high - low)[..., None]
    root, found = np.sqrt(np.outer(density, density)), np.empty(q.size)
    for i, value in enumerate(q):
        matrix = np.eye(radii.size) - 2 * np.pi * root * (factor * np.exp(1j * value * r)).sum(axis=-1)
        weighted = np.sqrt(numbers) * amplitudes[i]
        inner = np.linalg.solve(matrix.conj().T, weighted)
        found[i] = float(np.real(inner.conj() @ inner))
    return found


def liquid(
    q: Array, diameter: float, fraction: float, energy: float = 0.0, decay: float = 1.0, closure: str = "hnc"
) -> Array:
    """S(q) of hard spheres with a Yukawa repulsion, from the Ornstein-Zernike equation solved on a grid.

    u(r) = energy · exp(-(r - d)/decay) · d/r in kT. Closures: "hnc" (J. M. J. van Leeuwen et al., Physica 25
    (1959) 792) or "py" (J. K. Percus, G. J. Yevick, Phys. Rev. 110 (1958) 1).
    """
    n = 4096
    step = 0.005 * diameter
    r = step * np.arange(1, n)
    k = np.pi / (n * step) * np.arange(1, n)
    density = fraction / (np.pi / 6 * diameter**3)
    with np.errstate(over="ignore"):
        potential = energy * np.exp(-(r - diameter) / decay) * diameter / r
    boltzmann = np.where(r < diameter, 0.0, np.exp(-potential))
    boltzmann[np.isclose(r, diameter)] *= 0.5
    gamma = np.zeros(n - 1)
    from scipy.fft import dst

    for _ in range(4000):
        if closure == "hnc":
            direct = boltzmann * np.exp(np.clip(gamma, -50, 50)) - gamma - 1
        else:
            direct = (boltzmann - 1) * (1 + gamma) if energy == 0 else boltzmann * (1 + gamma) - gamma - 1
        transformed = 2 * np.pi * step / k * dst(direct * r, type=1)
        indirect = density * transformed**2 / (1 - density * transformed)
        new = dst(indirect * k, type=1) * (k[0] / (4 * np.pi**2)) / r
        change = np.max(np.abs(new - gamma))
        gamma = 0.7 * gamma + 0.3 * new
        if change < 1e-6:
            break
    else:
        raise ValueError("The Ornstein-Zernike equation did not converge.")
    return np.interp(q, k, 1 / (1 - density * transformed))


def debye_hueckel(charge: float, diameter: float, ionic: float) -> tuple[float, float]:
    """Contact energy (kT) and screening length (Å) of charged spheres in water at 25 °C.

    E. J. W. Verwey, J. T. G. Overbeek, Theory of the Stability of Lyophobic Colloids, Elsevier, 1948; Bjerrum
    length 7.15 Å. `ionic`: of a 1:1 salt with counterions, mol/L.
    """
    decay = 3.04 / np.sqrt(ionic)
    return charge**2 * 7.15 / (diameter * (1 + diameter / (2 * decay)) ** 2), decay


def paracrystalline_stack(q: Array, layers: int, spacing: float, disorder: float) -> Array:
    """S(q) of a stack whose neighbours' distances vary independently (R. Hosemann, Z. Phys. 128 (1950) 1).

    `disorder` is the standard deviation of the distance over its mean.
    """
    n = np.arange(1, layers)
    damped = np.exp(-0.5 * np.outer(q**2, n) * (disorder * spacing) ** 2)
    return 1 + 2 * (damped * np.cos(np.outer(q, n) * spacing)) @ (1 - n / layers)


def caille_stack(q: Array, layers: int, spacing: float, caille: float) -> Array:
    """S(q) of a fluctuating smectic: neighbours n apart are damped by exp(-(q d/2π)² η (ln πn + 0.5772)).

    A. Caillé, C. R. Acad. Sci. B 274 (1972) 891; R. Zhang, R. M. Suter, J. F. Nagle, Phys. Rev. E 50 (1994)
    5047.
    """
    n = np.arange(1, layers)
    exponent = (q * spacing / (2 * np.pi)) ** 2 * caille
    damped = np.exp(-np.outer(exponent, np.log(np.pi * n) + 0.5772))
    return 1 + 2 * (damped * np.cos(np.outer(q, n) * spacing)) @ (1 - n / layers)


def cubic_lattice(
    q: Array, edge: float, kind: str, displacement: float, domain: float, reach: float
) -> Array:
    """S(q) of a powder of small crystals (S. Förster et al., J. Phys. Chem. B 109 (2005) 1347).

    1 - G(q) + G(q) Z(q): Z sums Gaussian peaks of all reflections, G = exp(-q² u²) is Debye and Waller's.
    Crystals of size `domain` have peaks 2π/domain wide (standard deviation 0.42 of that).
    """
    most = int(np.ceil(reach * edge / (2 * np.pi)))
    count: dict[int, int] = {}
    for h, k, m in product(range(-most, most + 1), repeat=3):
        odd = [v % 2 for v in (h, k, m)]
        allowed = {"fcc": len(set(odd)) == 1, "bcc": sum(odd) % 2 == 0, "sc": True}[kind]
        if allowed and (h or k or m):
            count[h * h + k * k + m * m] = count.get(h * h + k * k + m * m, 0) + 1
    per_particle = edge**3 / {"fcc": 4, "bcc": 2, "sc": 1}[kind]
    width = 0.42 * 2 * np.pi / domain
    peaks = np.zeros_like(q)
    for square, multiplicity in count.items():
        at = 2 * np.pi / edge * np.sqrt(square)
        peaks += multiplicity * np.exp(-0.5 * ((q - at) / width) ** 2) / (np.sqrt(2 * np.pi) * width)
    lattice = 2 * np.pi**2 / (per_particle * q**2) * peaks
    waller = np.exp(-((q * displacement) ** 2))
    return 1 - waller + waller * lattice
