"""Small-angle scattering curves, I(q): what they are read, answered and simulated by."""

from __future__ import annotations

import math

from ..extensions import Deferred, DeferredValue
from . import Domain, Network
from .heads import Classes, Parameter, Quantities, Scope, Tags

#: The classes are those of the training data: sasmodels' form models, and structure factors, "" for none.
HEADS = (
    Classes("form", "model"),
    Classes("structure_factor", "structure factor", given="form", weight=0.5),
    Scope(
        inside="A library model fits this curve",
        outside=(
            "This curve is unlike the simulated curves of any single library model. It may be a mixture,"
            " a powder pattern or no scattering from particles. Or its errors are larger than stated."
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

SAS1D = Domain(
    name="sas1d",
    title="curves",
    purpose="Suggests form factors and structure factors of sasmodels for a 1D small-angle-scattering curve.",
    limits="mixtures, powders, oriented samples, reflectivity",
    heads=HEADS,
    keys=(
        *("file", "entry", "q_unit", "models", "groups", "sample", "interaction", "in_scope"),
        *("rg", "rg_network", "model_free", "protein", "notes"),
    ),
    check=Deferred("sasnet_plugin.predict.predictor:check_curve"),
    complete=Deferred("sasnet_plugin.predict.described:complete"),
    class_prior=Deferred("sasnet_plugin.predict.class_prior:common"),
    given_prior=Deferred("sasnet_plugin.predict.class_prior:interacting"),
    network=Network(
        trunk=Deferred("sasnet_plugin.train.network:residual"),
        sizes={
            "stem": 32,
            "stages": ((64, 1), (128, 2), (256, 1)),
            "dense": 512,
            "dense_blocks": 2,
            "dropout": 0.0,
        },
        # A second look at an example teaches the network that example, no other: with two of each the loss of
        # new ones fell by 0.01 in 1,500 batches, with one by 0.08 in 1,000.
        reservoir=16_384,
        reuse=1.0,
    ),
    simulator=DeferredValue("sasnet_plugin.simulate.curve_simulator:SIMULATOR"),
    finish=Deferred("sasnet_plugin.train.groups:finish"),
    features=Deferred("sasnet_plugin.data.preprocess:inputs"),
    # Fewer curves are wrong by where their fringes fall on the grid.
    variants=(
        Deferred("sasnet_plugin.data.preprocess:larger"),
        Deferred("sasnet_plugin.data.preprocess:smaller"),
    ),
    read=Deferred("sasnet_plugin.data.load:read"),
    evaluate=Deferred("sasnet_plugin.report.evaluation:curves"),
)
