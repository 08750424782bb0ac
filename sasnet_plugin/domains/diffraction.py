"""Diffraction images of single particles: what a researcher would tag them with, size, shape and tilt."""

from __future__ import annotations

from . import Domain, Network
from .heads import Parameter, Quantities, Scope, Tags

#: Tags of J. Zimmermann, D. Rupp et al., Phys. Rev. E 99 (2019) 063309, each with the one that it implies.
PARENTS = {
    "Round": "Spherical/Oblate",
    "Elliptical": "Spherical/Oblate",
    "Streak": "Prolate",
    "Bent": "Prolate",
}
LABELS = (
    "Spherical/Oblate",
    "Round",
    "Elliptical",
    "Prolate",
    "Streak",
    "Bent",
    "Asymmetric",
    "NewtonRings",
    "DoubleRings",
    "Layered",
    "Empty",
)
QUANTITIES = (
    Parameter("size", "", (6.0, 45.0), "q at the window's edge times the mean radius that is seen", log=True),
    Parameter("axis_ratio", "", (1.0, 4.0), "longer over shorter axis of the body", log=True),
    Parameter("tilt", "degrees", (0.0, 75.0), "of the body's axis out of the detector's plane"),
)

DIFFRACTION = Domain(
    name="diffraction",
    title="diffraction images of single particles",
    purpose="Says from single-shot diffraction images of free particles which of eleven tags they bear,"
    " how large the particle is, how long and how tilted.",
    limits="crystals, powders, solutions of many particles, images without a hole or mask where the"
    " beam saturates",
    recognise="sasnet_plugin.data.diffraction:recognise",
    read="sasnet_plugin.data.diffraction.load:read",
    check="sasnet_plugin.predict.novelty:check",
    features="sasnet_plugin.data.diffraction.features:inputs",
    simulator="sasnet_plugin.simulate.diffraction.simulator:SIMULATOR",
    heads=(
        Tags("tags", LABELS, parents=PARENTS, alone="Empty"),
        Quantities("quantities", QUANTITIES, interval="error", weight=0.2),
        Scope(
            inside="A diffraction image of a free particle, or of none",
            outside="This image is outside what this model knows (diffraction of single free particles);"
            " no tag is given.",
            silent=True,
            weight=1.0,
        ),
    ),
    complete="sasnet_plugin.predict.diffraction:completed",
    keys=("file", "entry", "tags", "quantities", "in_scope", "notes"),
    network=Network(
        trunk="sasnet_plugin.train.trunks:residual",
        sizes={
            "stem": 96,
            "stages": ((128, 1), (192, 1)),
            "attention": 0,
            "dense": 256,
            "dense_blocks": 1,
            "dropout": 0.1,
        },
        reservoir=40_000,
        reuse=6.0,
    ),
)
