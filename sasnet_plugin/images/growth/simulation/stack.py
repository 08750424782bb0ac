"""What lies below the clusters: materials, and how strongly a wave from above is reflected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...simulation import bornagain
from ...simulation.window import Window
from .film import Film

#: Formula and density in g/cm³.
METAL, POLYMER, SUBSTRATE = ("Au", 19.3), ("C8H8", 1.05), ("Si", 2.33)


def layers(film: Film) -> tuple[list[tuple[float, float, float]], tuple[float, float]]:
    """Layers from above, (delta, beta, thickness in Å) each, and delta and beta of the substrate."""
    # A metal layer without thickness is left out.
    stack = [(METAL, film.layer), (POLYMER, film.polymer)]
    below = [
        (*bornagain.refraction(*material, film.wavelength), size) for material, size in stack if size > 0
    ]
    return below, bornagain.refraction(*SUBSTRATE, film.wavelength)


def reflection(film: Film, alpha: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the reflected amplitude by Parratt's recursion (Phys. Rev. 95, 359, 1954), sharp interfaces,
    angles in radians; phase at the uppermost interface, where clusters stand.
    """
    below, substrate = layers(film)
    k = 2 * np.pi / film.wavelength
    sine = np.sin(alpha)
    media = [(0.0, 0.0, np.inf), *below, (*substrate, np.inf)]
    # k_z = k √(n² − cos²α) with n = 1 − δ + iβ.
    normal = [k * np.sqrt(sine**2 + (complex(1 - delta, beta) ** 2 - 1) + 0j) for delta, beta, _ in media]
    amplitude = np.zeros(np.shape(alpha), dtype=np.complex128)
    for upper in range(len(media) - 2, -1, -1):
        upper_normal, lower_normal = normal[upper], normal[upper + 1]
        fresnel = (upper_normal - lower_normal) / (upper_normal + lower_normal)
        inside = amplitude
        if upper + 1 < len(media) - 1:
            inside = amplitude * np.exp(2j * lower_normal * media[upper + 1][2])
        amplitude = (fresnel + inside) / (1 + fresnel * inside)
    return amplitude


def bornagain_pattern(film: Film, window: Window) -> NDArray[np.float64]:
    """The pattern in the middle of each pixel by BornAgain alone: what ours is held to."""
    below, substrate = layers(film)
    metal = bornagain.refraction(*METAL, film.wavelength)
    return bornagain.growth_pattern(film, below, substrate, metal, window)
