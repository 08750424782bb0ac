"""Small-angle scattering curves, I(q)."""

from __future__ import annotations

import math

from . import Domain, Network
from .heads import Classes, Parameter, Quantities, Scope

#: The classes are those of the training data: sasmodels' form models, and structure factors, "" for none.
HEADS = (
    Classes("form"),
    Classes("structure_factor", given="form", weight=0.5),
    Scope(
        inside="A known model explains this curve",
        outside=(
            "No single known model explains this curve well; it may be a mixture of two, a powder pattern"
            " or not scattering from particles."
        ),
    ),
    # Decimal logarithms; beyond a factor of two (one standard deviation) it is no help to a fit.
    Quantities(
        "size",
        (Parameter("rg", "Å", (1.0, 1e4), "radius of gyration", log=True, scaling=(0.0, math.log(10.0))),),
        interval="",
        least_known=0.3,
        weight=0.05,
    ),
)

SAS1D = Domain(
    name="sas1d",
    title="curves",
    heads=HEADS,
    network=Network(
        trunk="sasnet_plugin.train.curve_trunk:residual",
        sizes={
            "stem": 32,
            "stages": ((64, 1), (128, 2), (256, 1)),
            "dense": 512,
            "dense_blocks": 2,
            "dropout": 0.0,
        },
    ),
    simulator="sasnet_plugin.simulate.curve_simulator:SIMULATOR",
    features="sasnet_plugin.data.preprocess:inputs",
    read="sasnet_plugin.data:load",
    preprocess="sasnet_plugin.data.preprocess:features",
    preprocess_version="sasnet_plugin.data.preprocess:PREPROCESS_VERSION",
    manifest="sasnet_plugin.zoo.manifest:parse_manifest",
    outputs="sasnet_plugin.predict.runtime:Outputs",
    decode="sasnet_plugin.predict.decode:decode",
    judge="sasnet_plugin.predict.classifier:judge",
    metrics="sasnet_plugin.report.evaluation:evaluate",
    evaluate="sasnet_plugin.report.evaluated:curves",
    as_dict="sasnet_plugin.cli.answers:as_dict",
    show="sasnet_plugin.cli.answers:show",
    plot="sasnet_plugin.report.plot:plot_suggestions",
)
