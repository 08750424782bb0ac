"""Patterns of growing films: what they are answered and simulated by."""

from __future__ import annotations

from dataclasses import replace

from ...extensions import Deferred, DeferredValue
from ..gisas.patterns import PATTERNS
from .heads import HEADS

GISAS_GROWTH = replace(
    PATTERNS,
    name="gisas_growth",
    title="GISAS patterns of growing films",
    purpose="Finds size, height and distance of the clusters of a growing film from one GISAXS pattern.",
    limits="ordered lattices, buried particles, other materials, patterns that lie on their side",
    heads=HEADS,
    network=replace(
        PATTERNS.network,
        trunk=Deferred("sasnet_plugin.images.training.pattern_trunk:one_side"),
        one_side=True,
    ),
    simulator=DeferredValue("sasnet_plugin.images.growth.simulation.simulator:SIMULATOR"),
)
