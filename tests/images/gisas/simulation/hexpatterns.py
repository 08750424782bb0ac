"""Geometries and a window that the tests of GISAS share."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.images import bornagain
from sasnet_plugin.images.gisas.simulation import bin_pattern
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
    return np.stack([bin_pattern(bornagain.pattern(geometry, fine, [xi]), parts) for xi in XI[:N_HALF]])
