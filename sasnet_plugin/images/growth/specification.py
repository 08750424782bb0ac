"""Grazing-incidence patterns of growing metal films: size, shape and distance of their clusters."""

from __future__ import annotations

from dataclasses import replace

from ...domains.heads import Parameter, Quantities, Scope
from ...extensions import Deferred, DeferredValue
from ..gisas.specification import PATTERNS

# --- Grazing-incidence patterns of growing metal films: size, shape and distance of their clusters.

#: In the order of the network's outputs. Lengths as logarithms: what is asked for is a relative error.
FILM = (
    Parameter("distance", "Å", (40.0, 200.0), "distance of neighbouring clusters", log=True, floor=10.0),
    Parameter("distance_spread", "Å", (2.0, 40.0), "its standard deviation", log=True, floor=0.5),
    Parameter("radius", "Å", (8.0, 100.0), "radius of the clusters", log=True, floor=2.0),
    Parameter("aspect", "", (0.5, 1.6), "height over radius", log=True, floor=0.1),
    Parameter("radius_pd", "", (0.05, 0.35), "spread of the radius, relative"),
    Parameter("coverage", "", (0.14, 0.91), "share of the surface that is covered", log=True, floor=0.01),
    Parameter("metal", "Å", (0.5, 250.0), "effective thickness of the metal", log=True, floor=0.2),
    Parameter("polymer", "Å", (100.0, 500.0), "thickness of the polymer film"),
)
HEADS = (
    Quantities("quantities", FILM),
    Scope(
        inside="A pattern of the kind that this model knows",
        outside=(
            "This pattern is outside the training data of this model (metal clusters on a polymer"
            " film), so its film is not reported."
        ),
        silent=True,
    ),
)


# --- Patterns of growing films: what they are answered and simulated by.

GISAS_GROWTH = replace(
    PATTERNS,
    name="gisas_growth",
    title="GISAS patterns of growing films",
    purpose="Finds size, height and distance of the clusters of a growing film from one GISAXS pattern.",
    limits="ordered lattices, buried particles, other materials, patterns that lie on their side",
    heads=HEADS,
    network=replace(
        PATTERNS.network,
        trunk=Deferred("sasnet_plugin.images.training.trunks:one_side"),
        one_side=True,
    ),
    simulator=DeferredValue("sasnet_plugin.images.growth.simulation:SIMULATOR"),
)
