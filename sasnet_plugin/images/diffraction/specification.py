"""Diffraction images of single particles: what they are read, answered and simulated by."""

from __future__ import annotations

from ...domains import Domain, Network
from ...domains.heads import Quantities, Scope, Tags
from ...extensions import Deferred, DeferredValue
from .labels import LABELS, NAME, PARENTS, QUANTITIES

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
    read=Deferred("sasnet_plugin.images.diffraction.reading.load:read"),
    check=Deferred("sasnet_plugin.images.diffraction.prediction.novelty:check"),
    features=Deferred("sasnet_plugin.images.diffraction.reading.features:inputs"),
    simulator=DeferredValue("sasnet_plugin.images.diffraction.simulation.simulator:SIMULATOR"),
    finish=Deferred("sasnet_plugin.images.diffraction.training.novelty:finish"),
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
    complete=Deferred("sasnet_plugin.images.diffraction.prediction.answer:complete_answer"),
    keys=("file", "entry", "tags", "quantities", "in_scope", "notes"),
    network=Network(
        trunk=Deferred("sasnet_plugin.train.trunks:residual"),
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
