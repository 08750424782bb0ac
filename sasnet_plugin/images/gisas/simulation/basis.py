"""The basis of a geometry: a pattern for each rotation of the lattice; every distribution is a sum of them.

I(p) = Σ p_i I(ξ_i) holds exactly, and the pattern under 60° − ξ is that under ξ seen in a mirror (φ → −φ), so
61 patterns give all 120.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ...simulation import bornagain
from ...simulation.window import Window
from .geometry import N_HALF, XI, Geometry
from .lattice import LatticeSum, debye_waller, lattice_sum, project_in_plane

#: Below this angle, degrees, lie the critical angles.
_STEEP = 0.5
#: The peaks are resolved when a step across is at most this much of 1/ω: the mean over a pixel is then good
#: to about exp(−2π/0.9) of a peak.
_STEP = 0.9
_MAX_PARTS = 16


@dataclass(frozen=True)
class Nodes:
    """Directions in which BornAgain says what particles scatter."""

    #: low, high: parts of a pixel's height over which it is averaged, near the critical angles and above.
    low: int = 8
    high: int = 4
    apart: int = 1  #: Pixels between two columns.


@dataclass(frozen=True)
class Basis:
    """Patterns of one geometry for every rotation."""

    geometry: Geometry
    window: Window  #: Margin included.
    #: (rows, columns), pattern of the particles without order; arbitrary scale.
    amplitude: NDArray[np.float32]
    #: (61, rows, columns), pattern under ξ = 0, 0.5, … 30 degrees over the amplitude.
    ratio: NDArray[np.floating]

    def half(self) -> NDArray[np.float32]:
        """Patterns under ξ = 0, 0.5, … 30 degrees, (61, rows, columns)."""
        return np.asarray(self.ratio.astype(np.float32) * self.amplitude)

    def patterns(self) -> NDArray[np.float32]:
        """Patterns under all 120 angles, (120, rows, columns)."""
        half = self.half()
        return np.concatenate((half, half[-2:0:-1, :, ::-1]))


def mix(half: NDArray[np.floating], p: NDArray[np.floating]) -> NDArray[np.floating]:
    """Patterns of distributions of the rotation angle.

    Parameters
    ----------
    half : (61, rows, columns) float array
        As `Basis.half` gives them.
    p : (..., 120) float array
        Share of each angle.

    Returns
    -------
    (..., rows, columns) array
        In the precision of ``half``.
    """
    flat = half.reshape(N_HALF, -1)
    p = np.asarray(p, dtype=half.dtype)
    straight = p[..., :N_HALF] @ flat
    mirrored = p[..., : N_HALF - 1 : -1] @ flat[1 : N_HALF - 1]
    shape = (*p.shape[:-1], *half.shape[1:])
    return np.asarray(straight.reshape(shape) + mirrored.reshape(shape)[..., ::-1])


def bin_pattern(pattern: NDArray[np.float64], parts: tuple[int, int]) -> NDArray[np.float64]:
    """Sum over parts of pixels, up and across."""
    rows, columns = pattern.shape
    up, across = parts
    return np.asarray(pattern.reshape(rows // up, up, columns // across, across).sum(axis=(1, 3)))


def particles(geometry: Geometry, window: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """⟨|F|²⟩ and |⟨F⟩|² in the middle of each pixel, (rows, columns) each; equal for one size."""
    incoherent = bornagain.incoherent(geometry, window)
    return incoherent, bornagain.coherent(geometry, window) if geometry.radius_pd > 0 else incoherent


def point_basis(geometry: Geometry, window: Window) -> NDArray[np.float64]:
    """Compute half of a basis at pixel centres term by term, (61, rows, columns)."""
    # I(ξ) = ⟨|F|²⟩ + |⟨F⟩|² exp(−σ²q²) (Σ(ξ) − 1): BornAgain's decoupling approximation for several sizes,
    # and its limit for one.
    alpha, phi = window.directions()
    qx, qy = project_in_plane(phi, alpha, geometry.wavelength, geometry.alpha_i)
    incoherent, mean = particles(geometry, window)
    weight = mean * debye_waller(qx, qy, geometry.position_spread)
    return np.stack(
        [
            incoherent + weight * (lattice_sum(qx, qy, geometry.lattice, geometry.width, xi) - 1)
            for xi in XI[:N_HALF]
        ]
    )


def basis(geometry: Geometry, window: Window, *, dtype: type[np.floating] = np.float32) -> Basis:
    """The basis of a geometry, averaged over each pixel as a detector does.

    What the particles scatter comes from BornAgain, on four to eight rows a pixel and one column, continued
    between columns by a spline (it is slow in φ); the lattice's peaks, often narrower than a pixel, are
    averaged over as many columns a pixel as they need.

    Parameters
    ----------
    window : Window
        Its φ must be symmetric.
    dtype : type
        Of the ratio; float16 keeps it to 0.05 %.

    Raises
    ------
    ValueError
        The window is not symmetric in φ, or has an odd number of columns.
    """
    if window.columns % 2 or not np.isclose(-window.phi[0], window.phi[1]):
        raise ValueError("the angular range must be symmetric in φ, with an even number of columns.")
    across = columns_per_pixel(geometry, window)
    fine = window.finer(1, across)
    alpha, phi = fine.directions()
    half = fine.columns // 2  # of the columns; what particles scatter is even in φ
    incoherent, mean = particles_at(geometry, window, phi[half:])
    qx, qy = project_in_plane(phi, alpha, geometry.wavelength, geometry.alpha_i)
    weight = np.concatenate((mean[:, ::-1], mean), axis=1) * debye_waller(qx, qy, geometry.position_spread)
    amplitude = np.concatenate((incoherent[:, ::-1], incoherent), axis=1)
    shape = (window.rows, window.columns, across)
    per_pixel = amplitude.reshape(shape).mean(axis=2)
    floor = 1 - weight.reshape(shape).mean(axis=2) / per_pixel
    weight32 = (weight / np.repeat(per_pixel, across, axis=1) / across).astype(np.float32)
    qx32, qy32 = qx.astype(np.float32), qy.astype(np.float32)
    peaks = LatticeSum.tabulate(geometry.lattice, geometry.width)
    ones_across = np.ones(across, dtype=np.float32)
    ratio = np.empty((N_HALF, *window.shape), dtype=dtype)
    for row, xi in enumerate(XI[:N_HALF]):
        weighted = peaks(qx32, qy32, float(xi))
        weighted *= weight32
        ratio[row] = floor + weighted.reshape(shape) @ ones_across
    return Basis(geometry, window, per_pixel.astype(np.float32), ratio)


def columns_per_pixel(geometry: Geometry, window: Window) -> int:
    """Parts across a pixel that resolve the peaks of a lattice; even."""
    step = np.radians(window.pixel[1]) * 2 * np.pi / geometry.wavelength
    return int(min(2 * np.ceil(step * geometry.width / _STEP / 2), _MAX_PARTS))


def particles_at(
    geometry: Geometry,
    window: Window,
    angle: NDArray[np.float64],
    nodes: Nodes | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute ⟨|F|²⟩ and |⟨F⟩|² at angles φ >= 0 (n,), radians, averaged over each row's height; `nodes` are
    where BornAgain is evaluated.
    """
    nodes = nodes or Nodes()
    height, width = window.pixel[0], window.pixel[1] * nodes.apart
    beyond = 2
    # From beyond the middle to beyond the edge.
    columns = -(-window.columns // (2 * nodes.apart)) + 2 * beyond
    phi = (-beyond * width, (columns - beyond) * width)
    steep = int(np.clip(np.ceil((_STEEP - window.alpha_f[0]) / height), 0, window.rows))
    parts = []
    for first, last, up in ((0, steep, nodes.low), (steep, window.rows, nodes.high)):
        if last > first:
            limits = (window.alpha_f[0] + first * height, window.alpha_f[0] + last * height)
            averages = particles(geometry, Window((last - first) * up, columns, phi, limits))
            # BornAgain's are times the solid angle: of its pixels, which are as wide as columns are apart.
            parts.append([p.reshape(-1, up, columns).sum(axis=1) / nodes.apart for p in averages])
    middles = Window(1, columns, phi, window.alpha_f).directions()[1]
    incoherent, mean = (
        np.asarray(CubicSpline(middles, np.concatenate(rows), axis=1)(angle))
        for rows in zip(*parts, strict=True)
    )
    return incoherent, mean
