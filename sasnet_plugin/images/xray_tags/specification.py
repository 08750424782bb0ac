"""X-ray scattering images: what they are read, answered and simulated by."""

from __future__ import annotations

from ...domains import Domain, Network
from ...domains.heads import Scope, Tags
from ...extensions import Deferred, DeferredValue
from .labels import LABELS, PARENTS, WEIGHTS

XRAY_TAGS = Domain(
    name="xray_tags",
    title="X-ray scattering images of materials",
    purpose=(
        "Gives an X-ray scattering image up to 21 tags. They describe the picture, beam and beamstop, and the"
        " order in the sample."
    ),
    limits="colour pictures, grazing incidence, images of single particles; a tag says what can be seen, not"
    " what the sample might hold besides",
    recognise=Deferred("sasnet_plugin.images.recognition:rate_materials"),
    read=Deferred("sasnet_plugin.images.xray_tags.reading.load:read"),
    check=Deferred("sasnet_plugin.images.xray_tags.reading.load:check_image"),
    features=Deferred("sasnet_plugin.images.xray_tags.reading.features:inputs"),
    features_version=2,
    symmetries=(
        Deferred("sasnet_plugin.images.xray_tags.reading.features:mirror_inputs"),
        Deferred("sasnet_plugin.images.xray_tags.reading.features:turn_inputs"),
    ),
    complete=Deferred("sasnet_plugin.images.xray_tags.prediction:complete_answer"),
    simulator=DeferredValue("sasnet_plugin.images.xray_tags.simulation.simulator:SIMULATOR"),
    heads=(
        Tags("tags", LABELS, parents=PARENTS, positive_weight=WEIGHTS),
        Scope(
            inside="An X-ray scattering image",
            outside="This image is unlike all training data of this model, so no tag is given.",
            silent=True,
            weight=0.5,
        ),
    ),
    keys=("file", "entry", "tags", "in_scope", "notes"),
    network=Network(
        trunk=Deferred("sasnet_plugin.images.training.polar_trunk:build_beam_trunk"),
        sizes={
            "profile": (48, 48, 64, 64),
            "steps": (1, 4, 12),
            "map": (24, 48, 64),
            "picture": (16, 32, 48),
            "dense": 192,
            "dropout": 0.1,
        },
        reservoir=12_000,
        reuse=3.0,
    ),
)
