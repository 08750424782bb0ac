"""What kinds of grazing-incidence patterns have in common; each adds its name, heads and simulator."""

from __future__ import annotations

from ...domains import Domain, Network
from ...extensions import Deferred

PATTERNS = Domain(
    name="",
    title="",
    heads=(),
    read=Deferred("sasnet_plugin.images.reading.load:read"),
    check=Deferred("sasnet_plugin.images.gisas.checks:check_image"),
    features=Deferred("sasnet_plugin.images.reading.features:inputs"),
    symmetries=(Deferred("sasnet_plugin.images.reading.features:mirror_inputs"),),
    network=Network(
        trunk=Deferred("sasnet_plugin.images.training.pattern_trunk:two_sides"),
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
