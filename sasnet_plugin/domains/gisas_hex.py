"""Grazing-incidence patterns of hexagonally ordered nanoparticles: how their lattice is rotated, p(ξ)."""

from __future__ import annotations

from . import Domain

GISAS_HEX = Domain(
    name="gisas_hex",
    sample_prior="sasnet_plugin.simulate.gisas.priors:sample_geometry",
    simulate="sasnet_plugin.simulate.gisas.basis:basis",
)
