"""Grazing-incidence patterns of hexagonally ordered nanoparticles: how their lattice is rotated, p(ξ)."""

from __future__ import annotations

from dataclasses import replace

from ...domains import Domain, Network
from ...domains.heads import Distribution, Parameter, Quantities, Scope, Stated
from ...extensions import Deferred, DeferredValue

# --- Grazing-incidence patterns of hexagonally ordered nanoparticles: how their lattice is rotated,
# --- p(ξ).

#: In the order of the network's outputs; the priors of docs/gisas_prior.md.
GEOMETRY = (
    Parameter("lattice", "Å", (280.0, 420.0), "lattice constant"),
    Parameter("width", "Å", (700.0, 3000.0), "decay length of the order", log=True),
    Parameter("position_spread", "Å", (0.0, 45.0), "scatter about the sites, rms"),
    Parameter("radius", "Å", (70.0, 140.0), "radius of the spheres"),
    Parameter("radius_pd", "", (0.01, 0.12), "spread of the radius, relative"),
    Parameter("oxide", "Å", (500.0, 700.0), "thickness of the SiO₂ film"),
    Parameter(
        "sigma_phi", "degrees", (0.003, 0.03), "resolution and divergence across", log=True, floor=0.003
    ),
    Parameter(
        "sigma_alpha", "degrees", (0.003, 0.03), "resolution and divergence upwards", log=True, floor=0.003
    ),
    Parameter("shift_phi", "degrees", (-0.03, 0.03), "misalignment: stated φ minus true", odd=True),
    Parameter("shift_alpha", "degrees", (-0.015, 0.015), "misalignment: true α_i minus stated"),
    Parameter("flat", "", (1e-4, 0.3), "flat background over the pattern, counts", log=True, floor=1e-4),
    Parameter(
        "diffuse", "", (1e-3, 0.3), "decaying background over the pattern, counts", log=True, floor=1e-3
    ),
)
HEADS = (
    # At 10⁶ counts about 20 modes of p(ξ) can be known; a Gaussian of 3 degrees leaves the first 20.
    Distribution("xi", bins=120, period=60.0, resolution=3.0),
    Quantities(
        "geometry",
        GEOMETRY,
        interval="error",
        stated=(Stated("wavelength", "Å"), Stated("alpha_i", "degrees", shift="shift_alpha")),
        weight=0.03,
    ),
    Scope(
        inside="A pattern of the kind that this model knows",
        outside=(
            "This pattern is outside the training data of this model (upright hexagonal lattices of"
            " spheres, in the trained angular range); no orientation is given."
        ),
        silent=True,
        weight=0.3,
    ),
)


# --- What kinds of grazing-incidence patterns have in common; each adds its name, heads and
# --- simulator.

PATTERNS = Domain(
    name="",
    title="",
    heads=(),
    read=Deferred("sasnet_plugin.images.reading:read"),
    check=Deferred("sasnet_plugin.images.gisas.checks:check_image"),
    features=Deferred("sasnet_plugin.images.features:inputs"),
    symmetries=(Deferred("sasnet_plugin.images.features:mirror_inputs"),),
    network=Network(
        trunk=Deferred("sasnet_plugin.images.training.trunks:two_sides"),
        sizes={
            "trunk": "small",
            "weights": "",
            "stem": 32,
            "blocks": ((2, 16), (4, 16), (5, 32)),
            "dense": 256,
            "dropout": 0.0,
        },
        reservoir=16_000,
        reuse=4.0,
    ),
)


# --- Patterns of ordered nanoparticles: what they are answered, fitted and simulated by.

GISAS_HEX = replace(
    PATTERNS,
    name="gisas_hex",
    title="GISAS patterns of ordered nanoparticles",
    purpose="Finds the rotations p(ξ) of the lattice of hexagonally ordered spheres from one GISAS pattern.",
    limits="other lattices, other particles than spheres, films that grow, patterns that lie on their side",
    heads=HEADS,
    recognise=Deferred("sasnet_plugin.images.recognition:rate_grazing"),
    keys=("file", "distribution", "geometry", "uniform_p_value", "deviance", "in_scope", "notes"),
    refine=Deferred("sasnet_plugin.images.gisas.inversion:refine_answer"),
    why_not_fitted=Deferred("sasnet_plugin.images.gisas.inversion:why_not_fitted"),
    check=Deferred("sasnet_plugin.images.gisas.checks:check_share"),
    simulator=DeferredValue("sasnet_plugin.images.gisas.simulation:SIMULATOR"),
)
