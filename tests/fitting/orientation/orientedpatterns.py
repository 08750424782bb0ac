"""The sample and the measurement that the tests of orientations share."""

from __future__ import annotations

from sasnet_plugin.simulate.gisas.geometry import Geometry
from sasnet_plugin.simulate.images.measurement import Measurement

GEOMETRY = Geometry(
    lattice=350,
    width=1500,
    position_spread=15,
    radius=100,
    radius_pd=0.05,
    wavelength=1.34,
    alpha_i=0.165,
    oxide=600,
)
MEASUREMENT = Measurement(
    sigma_phi=0.008,
    sigma_alpha=0.006,
    shift_phi=0.004,
    shift_alpha=0.005,
    flat=0.01,
    diffuse=0.01,
    diffuse_alpha=0.8,
    diffuse_phi=0.3,
    counts=1e6,
)
#: Half width of the beamstop, degrees: the rod, which knows nothing of the angle, is covered.
STOP = 0.07
