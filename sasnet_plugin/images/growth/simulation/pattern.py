"""The pattern of a growing film: what one cluster scatters over its substrate, times how clusters lie.

The same sum as BornAgain's (distorted wave Born approximation, radial paracrystal), in numpy and averaged
over pixels; a test holds it to BornAgain's, pixel by pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ...gisas.simulation.lattice import project_in_plane
from ...simulation.window import Window
from .clusters import form_factor, order
from .film import Film
from .stack import reflection

#: Parts of a pixel's height over which the clusters' scattering is averaged, below this angle in degrees,
#: where the critical angles lie, and above it; parts of its width.
_STEEP = 0.5
_ROWS, _COLUMNS = (4, 2), 2
#: A pixel is divided so that the orders of the paracrystal are at least so many parts wide.
_PARTS_PER_PEAK = 4.0
_MAX_PARTS = 16


def point_pattern(film: Film, window: Window) -> NDArray[np.float64]:
    """The pattern in the middle of each pixel, (rows, columns), arbitrary scale."""
    # Comparable with BornAgain's, which has the middle, not the mean, of each pixel.
    alpha, phi = window.directions()
    qx, qy = project_in_plane(phi, alpha, film.wavelength, film.alpha_i)
    incoherent, plus, minus, pair = clusters(film, alpha, np.hypot(qx, qy))
    q_r = np.hypot(qx, qy)
    between = order(q_r, film.distance, film.distance_spread, pair)
    return np.asarray(_density(film) * solid_angle(window) * (incoherent + 2 * (plus * minus * between).real))


def pattern(film: Film, window: Window) -> NDArray[np.float32]:
    """The pattern averaged over each pixel as a detector does, (rows, columns), arbitrary scale.

    Parameters
    ----------
    window : Window
        Symmetric in φ with an even number of columns.

    Raises
    ------
    ValueError
        The window is not symmetric.

    Notes
    -----
    What clusters scatter is slow across a pixel and fast up (reflections, interference in the film); the
    orders of the paracrystal are the other way round. So the first is averaged over rows, on two columns a
    pixel, and continued by a spline to as many parts of a pixel as the second needs.
    """
    if window.columns % 2 or not np.isclose(-window.phi[0], window.phi[1]):
        raise ValueError("the angular range must be symmetric in φ, with an even number of columns.")
    parts = columns_per_pixel(film, window)
    alpha, phi = window.finer(1, parts).directions()
    phi = phi[phi.size // 2 :]  # an isotropic film scatters alike to the left and to the right
    incoherent, product = _average_over_rows(film, window, phi)
    qx, qy = project_in_plane(phi, alpha, film.wavelength, film.alpha_i)
    q_r = np.hypot(qx, qy)
    pair = _pair(film, q_r)
    total = incoherent + 2 * (product * order(q_r, film.distance, film.distance_spread, pair)).real
    half = total.reshape(window.rows, window.columns // 2, parts).mean(axis=2)
    whole = np.concatenate((half[:, ::-1], half), axis=1) * (_density(film) * solid_angle(window))
    return np.maximum(whole, 0.0).astype(np.float32)


def clusters(
    film: Film, alpha: NDArray[np.float64], q_r: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.complex128], NDArray[np.complex128], NDArray[np.complex128]]:
    """Average over sizes what a cluster scatters: ⟨|A|²⟩, ⟨A exp(iκqΔR)⟩, ⟨A* exp(iκqΔR)⟩ and ⟨exp(2iκqΔR)⟩,
    each (rows, columns); exit angles in radians, q_r in Å⁻¹.
    """
    # With reflected amplitudes ρ_i and ρ_f of the incoming and outgoing waves, A = F(−q₊) + ρ_i F(−q₋) + ρ_f
    # F(q₋) + ρ_i ρ_f F(q₊), q± = k_z,f ± k_z,i.
    k = 2 * np.pi / film.wavelength
    incoming = np.radians(film.alpha_i)
    into = complex(reflection(film, np.array([incoming]))[0])
    out = reflection(film, alpha)[:, None]
    sine = k * np.sin(alpha)[:, None]
    sum_, difference = (
        np.broadcast_to(q, q_r.shape) for q in (sine + k * np.sin(incoming), sine - k * np.sin(incoming))
    )
    radii, shares = film.radii()
    incoherent = np.zeros(q_r.shape)
    plus, minus = np.zeros(q_r.shape, complex), np.zeros(q_r.shape, complex)
    for radius, share in zip(radii, shares, strict=True):
        far = form_factor(q_r, sum_, radius, radius * film.aspect)
        near = form_factor(q_r, difference, radius, radius * film.aspect)
        amplitude = far.conj() + into * near.conj() + out * near + into * out * far
        incoherent += share * (amplitude.real**2 + amplitude.imag**2)
        if film.coupling:
            shift = share * np.exp(1j * film.coupling * (radius - film.radius) * q_r)
        else:
            shift = share
        plus += shift * amplitude
        minus += shift * amplitude.conj()
    return incoherent, plus, minus, _pair(film, q_r)


def _pair(film: Film, q_r: NDArray[np.float64]) -> NDArray[np.complex128]:
    if not film.coupling:
        return np.ones(q_r.shape, complex)
    radii, shares = film.radii()
    return np.asarray(
        sum(
            share * np.exp(2j * film.coupling * (radius - film.radius) * q_r)
            for radius, share in zip(radii, shares, strict=True)
        )
    )


def columns_per_pixel(film: Film, window: Window) -> int:
    """Parts across a pixel that resolve the first order of a paracrystal; even."""
    q = 2 * np.pi / film.distance
    width = max((q * film.distance_spread) ** 2 / film.distance, 1e-6)
    step = np.radians(window.pixel[1]) * 2 * np.pi / film.wavelength
    return int(np.clip(2 * np.ceil(_PARTS_PER_PEAK * step / width / 2), 2, _MAX_PARTS))


def solid_angle(window: Window) -> NDArray[np.float64]:
    """Solid angle of each pixel over the mean, (rows, columns), edges where BornAgain has them."""
    alpha, phi = (
        np.arctan(np.linspace(np.radians(first), np.radians(last), n + 1))
        for (first, last), n in ((window.alpha_f, window.rows), (window.phi, window.columns))
    )
    angles = np.outer(np.diff(np.sin(alpha)), np.diff(phi))
    return np.asarray(angles / angles.mean())


def _density(film: Film) -> float:
    """Clusters per Å²."""
    return 2 / (np.sqrt(3) * film.distance**2)


def _average_over_rows(
    film: Film, window: Window, angle: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """⟨|A|²⟩ and ⟨A…⟩⟨A*…⟩, averaged over the height of each row, at given φ ≥ 0 in radians."""
    height, width = window.pixel
    columns = window.columns // 2 + 2  # to beyond the edge; not beyond the middle, where |q| has a kink
    phi = (0.0, columns * width)
    steep = int(np.clip(np.ceil((_STEEP - window.alpha_f[0]) / height), 0, window.rows))
    parts = []
    for first, last, up in ((0, steep, _ROWS[0]), (steep, window.rows, _ROWS[1])):
        if last > first:
            limits = (window.alpha_f[0] + first * height, window.alpha_f[0] + last * height)
            nodes = Window((last - first) * up, columns * _COLUMNS, phi, limits)
            alpha, across = nodes.directions()
            qx, qy = project_in_plane(across, alpha, film.wavelength, film.alpha_i)
            incoherent, plus, minus, _ = clusters(film, alpha, np.hypot(qx, qy))
            products = np.stack((incoherent + 0j, plus * minus))
            parts.append(products.reshape(2, last - first, up, nodes.columns).mean(axis=2))
    nodes = Window(1, columns * _COLUMNS, phi, window.alpha_f)
    spline = CubicSpline(nodes.directions()[1], np.concatenate(parts, axis=1), axis=2)
    incoherent, product = spline(angle)
    return incoherent.real, product
