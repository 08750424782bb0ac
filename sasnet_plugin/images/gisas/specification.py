"""Patterns of ordered nanoparticles: what they are answered, fitted and simulated by."""

from __future__ import annotations

from dataclasses import replace

from ...extensions import Deferred, DeferredValue
from .heads import HEADS
from .patterns import PATTERNS

GISAS_HEX = replace(
    PATTERNS,
    name="gisas_hex",
    title="GISAS patterns of ordered nanoparticles",
    purpose="Finds the rotations p(ξ) of the lattice of hexagonally ordered spheres from one GISAS pattern.",
    limits="other lattices, other particles than spheres, films that grow, patterns that lie on their side",
    heads=HEADS,
    recognise=Deferred("sasnet_plugin.images.recognition:rate_grazing"),
    keys=("file", "distribution", "geometry", "uniform_p_value", "deviance", "in_scope", "notes"),
    refine=Deferred("sasnet_plugin.images.gisas.inversion.answer:refine_answer"),
    why_not_fitted=Deferred("sasnet_plugin.images.gisas.inversion.answer:why_not_fitted"),
    check=Deferred("sasnet_plugin.images.gisas.checks:check_share"),
    simulator=DeferredValue("sasnet_plugin.images.gisas.simulation.simulator:SIMULATOR"),
)
