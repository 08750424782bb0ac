"""Geometries and a window that the tests of GISAS share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sasnet_plugin.images import bornagain
from sasnet_plugin.images.gisas import simulation
from sasnet_plugin.images.simulation import N_HALF, XI, Geometry, Window

#: The angles of the network's window, a quarter of its pixels each way.
SMALL = Window(16, 16)
ONE_SIZE = Geometry(
    lattice=350, width=1500, position_spread=20, radius=100, radius_pd=0, wavelength=1.34, alpha_i=0.16
)
SHARP = Geometry(
    lattice=310, width=2800, position_spread=5, radius=90, radius_pd=0.08, wavelength=1.2, alpha_i=0.15
)
BROAD = Geometry(
    lattice=400, width=800, position_spread=35, radius=130, radius_pd=0.05, wavelength=1.5, alpha_i=0.18
)


def pattern(
    geometry: Geometry, window: Window, xi: Sequence[float], shares: Sequence[float] = (1.0,)
) -> np.ndarray:
    """Simulate (rows, columns) at pixel centres by BornAgain alone, for lattice domains at angles xi,
    degrees, with surface shares of at most 1 in all, in the scale of `bornagain.incoherent`.
    """
    ba = bornagain._bornagain()
    top = ba.Layer(ba.Vacuum())
    for angle, share in zip(xi, shares, strict=True):
        lattice = ba.HexagonalLattice2D(geometry.lattice / 10, float(np.radians(angle)))
        crystal = ba.Crystal2D(bornagain._particles(geometry), lattice)
        crystal.setDecayFunction(ba.Profile2DCauchy(geometry.width / 10, geometry.width / 10, 0.0))
        # Named a variance, but BornAgain 25 takes the rms.
        crystal.setLateralPositionVariance(geometry.position_spread / 10)
        top.addDeposit2D(float(share), crystal)
    return bornagain._simulate(top, geometry, window)


def bin_pattern(pattern: np.ndarray, parts: tuple[int, int]) -> np.ndarray:
    """Sum over parts of pixels, up and across."""
    rows, columns = pattern.shape
    up, across = parts
    return pattern.reshape(rows // up, up, columns // across, across).sum(axis=(1, 3))


def lattice_sum(qx: np.ndarray, qy: np.ndarray, lattice: float, width: float, xi: float) -> np.ndarray:
    """Sum over the peaks of a lattice turned by xi degrees, term by term."""
    # 1/A Σ 2πω²/(1 + ω²|q − G|²)^(3/2) over 11 × 11 reciprocal lattice points G about the nearest one, with
    # the cell's area A = √3/2 a²: the Fourier transform of exp(−r/ω) at every site (BornAgain's manual,
    # two-dimensional lattice with Cauchy decay).
    c, s = np.cos(np.radians(xi)), np.sin(np.radians(xi))
    along, across = c * qx + s * qy, c * qy - s * qx
    scale = lattice / (2 * np.pi)
    u, v = scale * along, scale * (-0.5 * along + np.sqrt(0.75) * across)
    return simulation._peaks(u - np.rint(u), v - np.rint(v), lattice, width)


def point_basis(geometry: Geometry, window: Window) -> np.ndarray:
    """Compute half of a basis at pixel centres term by term, (61, rows, columns)."""
    # I(ξ) = ⟨|F|²⟩ + |⟨F⟩|² exp(−σ²q²) (Σ(ξ) − 1): BornAgain's decoupling approximation for several sizes,
    # and its limit for one.
    alpha, phi = window.directions()
    qx, qy = simulation.project_in_plane(phi, alpha, geometry.wavelength, geometry.alpha_i)
    incoherent, mean = simulation.particles(geometry, window)
    weight = mean * simulation.debye_waller(qx, qy, geometry.position_spread)
    sums = (lattice_sum(qx, qy, geometry.lattice, geometry.width, xi) for xi in XI[:N_HALF])
    return np.stack([incoherent + weight * (order - 1) for order in sums])


def plain_basis(geometry: Geometry, window: Window, parts: tuple[int, int] = (1, 1)) -> np.ndarray:
    """Half of a basis by BornAgain alone, (61, rows, columns): what the factorised one is held to.

    Parameters
    ----------
    geometry : Geometry
    window : Window
        Its φ must be symmetric.
    parts : (int, int)
        Parts of a pixel, up and across, that are summed.
    """
    fine = window.finer(*parts)
    return np.stack([bin_pattern(pattern(geometry, fine, [xi]), parts) for xi in XI[:N_HALF]])
