"""Diffraction images of single particles: what a researcher would tag them with, size, shape and tilt."""

from __future__ import annotations

from ...domains import Domain, Network
from ...domains.heads import Parameter, Quantities, Scope, Tags
from ...extensions import Deferred, DeferredValue

# --- Diffraction images of single particles: what a researcher would tag them with, size, shape and
# --- tilt.

NAME = "diffraction"
#: Tags of J. Zimmermann, D. Rupp et al., Phys. Rev. E 99 (2019) 063309, each with the one that it implies.
PARENTS = {
    "Round": "Spherical/Oblate", "Elliptical": "Spherical/Oblate", "Streak": "Prolate", "Bent": "Prolate",
}  # fmt: skip
LABELS = (
    "Spherical/Oblate", "Round", "Elliptical", "Prolate", "Streak", "Bent", "Asymmetric", "NewtonRings",
    "DoubleRings", "Layered", "Empty",
)  # fmt: skip
QUANTITIES = (
    Parameter("size", "", (6.0, 45.0), "q at the window's edge times the mean radius that is seen", log=True),
    Parameter("axis_ratio", "", (1.0, 4.0), "longer over shorter axis of the body", log=True),
    Parameter("tilt", "degrees", (0.0, 75.0), "of the body's axis out of the detector's plane"),
)


# --- Diffraction images of single particles: what they are read, answered and simulated by.

DIFFRACTION = Domain(
    name=NAME,
    title="diffraction images of single particles",
    purpose=(
        "Finds which of eleven tags describe a single-shot diffraction image of a free particle, and the"
        " size, length and tilt of the particle."
    ),
    limits="crystals, powders, solutions of many particles, images without a hole or mask where the"
    " beam saturates",
    recognise=Deferred("sasnet_plugin.images.recognition:rate_particles"),
    read=Deferred("sasnet_plugin.images.diffraction.reading:read"),
    check=Deferred("sasnet_plugin.images.diffraction.prediction:check"),
    features=Deferred("sasnet_plugin.images.diffraction.reading:inputs"),
    simulator=DeferredValue("sasnet_plugin.images.diffraction.simulation:SIMULATOR"),
    finish=Deferred("sasnet_plugin.images.diffraction.training:finish"),
    heads=(
        Tags("tags", LABELS, parents=PARENTS, alone="Empty"),
        Quantities("quantities", QUANTITIES, interval="error", weight=0.2),
        Scope(
            inside="A diffraction image of a free particle, or of none",
            outside="This image is outside the training data of this model (diffraction of single"
            " free particles);"
            " no tag is given.",
            silent=True,
            weight=1.0,
        ),
    ),
    complete=Deferred("sasnet_plugin.images.diffraction.prediction:complete_answer"),
    keys=("file", "entry", "tags", "quantities", "in_scope", "notes"),
    network=Network(
        trunk=Deferred("sasnet_plugin.train.network:residual"),
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
