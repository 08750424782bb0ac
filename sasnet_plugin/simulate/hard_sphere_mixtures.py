"""Spheres of several sizes that exclude each other, as a mixture: sasmodels' products take one S(q) for all.

Percus-Yevick for mixtures, factorised by Baxter (J. Chem. Phys. 52 (1970) 4559). With ρ the number density,
R a radius and σ = 2R of each size, Q_ij = δ_ij - 2π √(ρ_i ρ_j) ∫ (a_i (r² - R_ij²)/2 + b_i (r - R_ij))
exp(iqr) dr between R_i - R_j and R_ij = R_i + R_j. The integral is exp(iq R_ij) times one over the diameter
of j alone, so that Q differs from the unit matrix by two products of vectors, and S⁻¹ = Q(-q)ᵀ Q(q) needs no
more than a 2 × 2 system at each q. A. Vrij (J. Chem. Phys. 71 (1979) 3267) has the intensity in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Floats
from .kernel import load_model
from .size_distributions import count_points, find_nsigma

#: Points over 7.5 widths of a distribution.
_SIZES = 15
#: The least q σ whose integrals are told from those of 0.
_LEAST = 1e-3


def mixture_intensity(q: Floats, radii: Floats, densities: Floats, amplitudes: Floats) -> Floats:
    """Sum of √(ρ_i ρ_j) F_i F_j S_ij of hard spheres, (n,), at q in Å⁻¹.

    Of each of k sizes `radii` are those within which no other sphere comes, Å, `densities` the numbers in a
    volume, Å⁻³, and `amplitudes`, (n, k), what one sphere scatters.
    """
    diameters = 2 * radii
    xi2, xi3 = (np.pi / 6 * float(densities @ diameters**k) for k in (2, 3))
    a = (1 - xi3 + 3 * diameters * xi2) / (1 - xi3) ** 2
    b = -1.5 * diameters**2 * xi2 / (1 - xi3) ** 2
    first, second = _moments(q, diameters)
    phase = np.sqrt(densities) * np.exp(1j * np.outer(q, radii))
    left = np.stack([phase * a, -phase * (a * radii + b)], axis=-1)
    right = np.stack([phase * (second / 2 - radii * first), phase * first], axis=-1)
    # f Q⁻¹ of the conjugate transpose, by the Woodbury identity.
    weighted = np.sqrt(densities) * amplitudes
    inner = np.eye(2) - 2 * np.pi * np.einsum("nka,nkb->nab", left.conj(), right.conj())
    shares = np.linalg.solve(inner, np.einsum("nka,nk->na", left.conj(), weighted)[..., None])[..., 0]
    scattered = weighted + 2 * np.pi * np.einsum("nka,na->nk", right.conj(), shares)
    return np.asarray(np.sum(np.abs(scattered) ** 2, axis=1))


def _moments(q: Floats, diameters: Floats) -> tuple[Any, Any]:
    """∫ s exp(-iqs) ds and ∫ s² exp(-iqs) ds from 0 to each diameter, (n, k)."""
    x = np.maximum(np.outer(q, diameters), _LEAST)
    turn = np.exp(-1j * x)
    first = ((1 + 1j * x) * turn - 1) / x**2 * diameters**2
    second = ((1j * x**2 + 2 * x - 2j) * turn + 2j) / x**3 * diameters**3
    return first, second


class SphereMixture:
    """Curves of a form model of spheres, one radius of which is distributed, as a mixture of hard spheres."""

    def __init__(self, form: str, q: Floats) -> None:
        self._kernel, self._q = load_model(form).make_kernel([q]), q

    def intensity(self, parameters: Mapping[str, Any], size: str) -> Floats:
        """I(q), scale 1, background 0, (n,), by parameters of ``form@hardsphere``; `size` is distributed."""
        sizes, shares = _sizes(parameters, size)
        own = {
            name: value
            for name, value in parameters.items()
            if not name.startswith((f"{size}_pd", "structure_factor", "radius_effective", "volfraction"))
        }
        found = [self._amplitude({**own, size: float(value)}) for value in sizes]
        amplitudes, radii, volumes = (np.array(column) for column in zip(*found, strict=True))
        fraction = float(parameters["volfraction"])
        densities = fraction * shares / float(shares @ volumes)
        return mixture_intensity(self._q, radii, densities, amplitudes.T)

    def _amplitude(self, parameters: dict[str, Any]) -> tuple[Floats, float, float]:
        """Amplitude of one sphere, (n,), its outer radius and its volume."""
        from sasmodels.direct_model import call_Fq

        amplitude, _, radius, volume, _ = call_Fq(
            self._kernel, {**parameters, "scale": 1.0, "background": 0.0, "radius_effective_mode": 1}
        )
        return amplitude, float(radius), float(volume)


def _sizes(parameters: Mapping[str, Any], size: str) -> tuple[Floats, Floats]:
    from sasmodels.weights import get_weights

    kind, width = parameters.get(f"{size}_pd_type", "gaussian"), float(parameters.get(f"{size}_pd", 0.0))
    points, nsigma = count_points(kind, width, _SIZES), find_nsigma(kind, width)
    values, weights = get_weights(kind, points, width, nsigma, float(parameters[size]), (0.0, np.inf), True)
    return np.asarray(values), np.asarray(weights) / float(np.sum(weights))
