"""Small-angle scattering curves, I(q)."""

from __future__ import annotations

import math

from .heads import Classes, Parameter, Quantities, Scope, Tags

#: The classes are those of the training data: sasmodels' form models, and structure factors, "" for none.
HEADS = (
    Classes("form", "model"),
    Classes("structure_factor", "structure factor", given="form", weight=0.5),
    Scope(
        inside="A library model fits this curve",
        outside=(
            "This curve is unlike the simulated curves of any single library model. It may be a mixture,"
            " a powder pattern, not scattering from particles, or have larger errors than stated."
        ),
        # With 0.05 of the simulated curves 9 % of other code's SANS curves were refused, with this 6 %; of
        # crystals, powders and reflectivity 8 in 10 or more are either way.
        refused=0.025,
    ),
    # Decimal logarithms; beyond a factor of two (one standard deviation) it is no help to a fit.
    Quantities(
        "size",
        (Parameter("rg", "Å", (1.0, 1e4), "radius of gyration", log=True, scaling=(0.0, math.log(10.0))),),
        interval="",
        least_known=0.3,
        weight=0.05,
    ),
    # Whether there is a structure factor, of whatever type, and whether this window could show one.
    Tags("interaction", ("interacting", "window_shows"), weight=0.3),
    # A mixture of two models, or of two sizes of one.
    Tags("components", ("second_component",), weight=0.2),
    Quantities(
        "effective_radius",
        (
            Parameter(
                "radius_effective",
                "Å",
                (1.0, 1e4),
                "effective radius of a structure factor",
                log=True,
                scaling=(0.0, math.log(10.0)),
            ),
        ),
        interval="",
        least_known=0.3,
        weight=0.05,
    ),
)
