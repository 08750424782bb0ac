"""Small-angle-scattering images: what they are read, answered, fitted and simulated by."""

from __future__ import annotations

from ...domains import Domain, Network
from ...extensions import Deferred, DeferredValue
from .heads import HEADS

SANS2D = Domain(
    name="sans2d",
    title="small-angle-scattering images",
    purpose="Finds shape, size and orientation from SANS images, raw or reduced, of one setting or several.",
    limits="structure factors, mixtures, shapes other than its classes (which it calls unknown), time of"
    " flight that is not reduced",
    recognise=Deferred("sasnet_plugin.images.recognition:rate_sans"),
    read=Deferred("sasnet_plugin.images.sans.reading.load:read"),
    together=Deferred("sasnet_plugin.images.sans.reading.features:together"),
    added=Deferred("sasnet_plugin.images.sans.reading.features:add_images"),
    settings=Deferred("sasnet_plugin.images.sans.prediction.next_setting:advise"),
    check=Deferred("sasnet_plugin.images.sans.prediction.answer:check"),
    features=Deferred("sasnet_plugin.images.sans.reading.features:inputs"),
    features_version=3,
    simulator=DeferredValue("sasnet_plugin.images.sans.simulation.simulator:SIMULATOR"),
    heads=HEADS,
    complete=Deferred("sasnet_plugin.images.sans.prediction.answer:complete_answer"),
    curve=Deferred("sasnet_plugin.images.sans.prediction.answer:as_curve"),
    refine=Deferred("sasnet_plugin.images.sans.fitting.fit_image:refine_answer"),
    why_not_fitted=Deferred("sasnet_plugin.images.sans.fitting.fit_image:why_not_fitted"),
    sections=Deferred("sasnet_plugin.images.sans.report:sections"),
    keys=("file", "entry", "classes", "quantities", "orientation", "models", "in_scope", "notes"),
    network=Network(
        trunk=Deferred("sasnet_plugin.images.training.ring_trunk:build_ring_trunk"),
        sizes={
            "stages": ((40, (1, 2, 4)), (64, (1, 2)), (96, (1,))),
            "where": 24,
            "dense": 192,
            "dropout": 0.0,
        },
        pooling="sum",
        reservoir=20_000,
        reuse=3.0,
    ),
)
