"""Films and windows that the tests of growth share."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.images import bornagain
from sasnet_plugin.images.gisas.simulation import project_in_plane
from sasnet_plugin.images.growth import simulation
from sasnet_plugin.images.simulation import Film, Window

#: The angles of the network's window, a quarter of its pixels each way.
SMALL = Window(16, 16, phi=(-2.0, 2.0), alpha_f=(0.0, 2.5))
ONE_SIZE = Film(100, 12, 40, 1.0, 0.0, 0.0, 0.0, 300, 0.96, 0.4)
SEVERAL = Film(120, 25, 45, 0.8, 0.2, 0.0, 0.0, 200, 0.96, 0.5)
COUPLED = Film(60, 12, 25, 1.3, 0.3, 0.8, 0.0, 450, 0.93, 0.35)
LAYERED = Film(190, 30, 90, 1.5, 0.1, 0.3, 60.0, 120, 1.0, 0.45)


def bornagain_pattern(film: Film, window: Window) -> np.ndarray:
    """The pattern in the middle of each pixel by BornAgain alone: what ours is held to."""
    # Upper halves of spheroids in a radial paracrystal on the film's layers.
    ba = bornagain._bornagain()
    below, substrate = simulation.layers(film)
    metal = bornagain.refraction(*simulation.METAL, film.wavelength)
    material = ba.RefractiveMaterial("metal", bornagain._GREY, *metal)
    mixture = ba.Mixture()
    for radius, share in zip(*film.radii(), strict=True):
        height = radius * film.aspect / 10
        shape = ba.SpheroidalSegment(radius / 10, height, 0.0, height)
        mixture.addParticle(ba.Particle(material, shape), float(share))
    paracrystal = ba.RadialParacrystal(mixture, film.distance / 10, 0.0)
    paracrystal.setProbabilityDistribution(ba.Profile1DGauss(film.distance_spread / 10))
    paracrystal.setKappa(film.coupling)
    top = ba.Layer(ba.Vacuum())
    top.deposit2D(paracrystal)
    return bornagain._simulate_layers(top, below, substrate, film.wavelength, film.alpha_i, window)


def point_pattern(film: Film, window: Window) -> np.ndarray:
    """Our pattern in the middle of each pixel, as BornAgain's is, (rows, columns), arbitrary scale."""
    alpha, phi = window.directions()
    qx, qy = project_in_plane(phi, alpha, film.wavelength, film.alpha_i)
    q_r = np.hypot(qx, qy)
    incoherent, plus, minus, pair = simulation.clusters(film, alpha, q_r)
    between = simulation.order(q_r, film.distance, film.distance_spread, pair)
    density = simulation._density(film) * simulation.solid_angle(window)
    return density * (incoherent + 2 * (plus * minus * between).real)


def bin_pattern(pattern: np.ndarray, parts: int) -> np.ndarray:
    """Sum over parts of pixels, as many up as across."""
    rows, columns = pattern.shape
    return pattern.reshape(rows // parts, parts, columns // parts, parts).sum(axis=(1, 3))
