"""Small-angle-scattering images: which shape, how large, how oriented; from few counts, in any setting."""

from __future__ import annotations

from ...domains import Domain, Network
from ...domains.heads import Classes, Distribution, Parameter, Quantities, Scope
from ...extensions import Deferred, DeferredValue

# --- Small-angle-scattering images: which shape, how large, how oriented; from few counts, in any
# --- setting.

LABELS = ("sphere", "cylinder", "ellipsoid", "core_shell_sphere", "bragg_glass", "unknown")
_SHAPES, _WITH_AXIS = LABELS[:4], ("cylinder", "ellipsoid")
#: In the order of the network's outputs; the priors of docs/sans_network.md.
QUANTITIES = (
    Parameter("radius", "Å", (8.0, 500.0), "radius; equatorial of an ellipsoid, outer of core and shell",
              log=True, floor=1.0, of=_SHAPES),
    Parameter("aspect", "", (0.125, 25.0), "length over diameter; polar over equatorial radius",
              log=True, floor=0.05, of=_WITH_AXIS),
    Parameter("shell", "", (0.1, 0.6), "thickness of the shell over the outer radius",
              of=("core_shell_sphere",)),
    Parameter("radius_pd", "", (0.02, 0.25), "spread of the radius, relative", of=_SHAPES),
    Parameter("spacing", "Å", (150.0, 2500.0), "2π over the first order of the spots",
              log=True, floor=10.0, of=("bragg_glass",)),
    Parameter("p2", "", (-0.4, 0.95), "order parameter ⟨P₂⟩ about the director", of=(*_WITH_AXIS, "unknown")),
)  # fmt: skip
HEADS = (
    Classes("class", "class", LABELS, others="unknown"),
    Quantities("quantities", QUANTITIES, interval="error", weight=0.15),
    # What is seen of an axis within the detector's plane; a particle turned round is the same.
    Distribution("xi", bins=36, period=180.0, resolution=10.0, weight=0.3),
    Scope(
        inside="Measured like the images that this network was trained on",
        outside="This image is outside the training data of this model (samples in a pinhole"
        " instrument); do not trust its shape.",
        weight=0.3,
    ),
)


# --- Small-angle-scattering images: what they are read, answered, fitted and simulated by.

SANS2D = Domain(
    name="sans2d",
    title="small-angle-scattering images",
    purpose="Finds shape, size and orientation from SANS images, raw or reduced, of one setting or several.",
    limits="structure factors, mixtures, shapes other than its classes (which it calls unknown), time of"
    " flight that is not reduced",
    recognise=Deferred("sasnet_plugin.images.recognition:rate_sans"),
    read=Deferred("sasnet_plugin.images.sans.reading:read"),
    together=Deferred("sasnet_plugin.images.sans.rings:together"),
    added=Deferred("sasnet_plugin.images.sans.rings:add_images"),
    settings=Deferred("sasnet_plugin.images.sans.prediction:advise"),
    check=Deferred("sasnet_plugin.images.sans.prediction:check"),
    features=Deferred("sasnet_plugin.images.sans.rings:inputs"),
    features_version=3,
    simulator=DeferredValue("sasnet_plugin.images.sans.simulation:SIMULATOR"),
    heads=HEADS,
    complete=Deferred("sasnet_plugin.images.sans.prediction:complete_answer"),
    curve=Deferred("sasnet_plugin.images.sans.prediction:as_curve"),
    refine=Deferred("sasnet_plugin.images.sans.fitting:refine_answer"),
    why_not_fitted=Deferred("sasnet_plugin.images.sans.fitting:why_not_fitted"),
    sections=Deferred("sasnet_plugin.images.sans.report:sections"),
    keys=("file", "entry", "classes", "quantities", "orientation", "models", "in_scope", "notes"),
    network=Network(
        trunk=Deferred("sasnet_plugin.images.training.trunks:build_ring_trunk"),
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
