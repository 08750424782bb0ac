"""Specular reflectivity of layers (L. G. Parratt, Phys. Rev. 95 (1954) 359), as reflectometers see it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def reflected_amplitude(
    q: Array, densities: NDArray[Any], thicknesses: Array, roughnesses: Array
) -> NDArray[Any]:
    """Amplitude by Parratt's recursion, with roughness (L. Névot, P. Croce, Rev. Phys. Appl. 15 (1980) 761).

    Scattering length densities, Å⁻²: of the medium that the beam comes from, k layers, and the substrate.
    """
    inner = (q[:, None] / 2) ** 2 - 4 * np.pi * (densities - densities[0])
    k = np.sqrt(inner.astype(complex))
    k = np.where(k.imag < 0, -k, k)
    amplitude = np.zeros(q.size, complex)
    for j in range(len(densities) - 2, -1, -1):
        upper, lower = k[:, j], k[:, j + 1]
        fresnel = (upper - lower) / (upper + lower) * np.exp(-2 * upper * lower * roughnesses[j] ** 2)
        if j < len(thicknesses):
            amplitude = amplitude * np.exp(2j * lower * thicknesses[j])
        amplitude = (fresnel + amplitude) / (1 + fresnel * amplitude)
    return amplitude


def measured_reflectivity(rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """q, R, dR and dq of one to three layers on silicon, against air or heavy water."""
    count = int(rng.integers(0, 4))
    from_below = rng.random() < 0.3  # neutrons through silicon onto water
    first, last = (2.07e-6, 6.36e-6) if from_below else (0.0, rng.choice([2.07e-6, 20.1e-6, 4.2e-6]))
    layers = rng.uniform(0.5e-6, 7e-6, count) * (1 if last < 1e-5 else 3)
    densities = np.concatenate([[first], layers, [last]])
    thicknesses, roughnesses = (
        np.exp(rng.uniform(np.log(20), np.log(800), count)),
        rng.uniform(2, 8, count + 1),
    )
    critical = 4 * np.sqrt(np.pi * max(float(np.max(densities - first)), 1e-7))
    low, high = critical * rng.uniform(0.3, 0.9), rng.uniform(0.15, 0.4)  # some show little total reflection
    q = np.geomspace(low, high, int(rng.integers(80, 250)))
    dq = rng.uniform(0.01, 0.04) * q
    nodes, weights = np.polynomial.hermite.hermgauss(15)
    reached = q[:, None] + np.sqrt(2) * dq[:, None] * nodes
    amplitude = reflected_amplitude(reached.ravel(), densities, thicknesses, roughnesses)
    clean = np.abs(amplitude.reshape(reached.shape)) ** 2
    expected = clean @ weights / np.sqrt(np.pi) + 10 ** rng.uniform(-7.5, -6)
    counts = expected * 10 ** rng.uniform(5, 7) * (q / low) ** rng.uniform(1, 2)
    sigma = expected * np.sqrt(1 / np.maximum(counts, 1) + 1e-4)
    return q, expected + sigma * rng.standard_normal(q.size), sigma, dq
