"""Small-angle-scattering images: which shape, how large, how oriented; from few counts, in any setting."""

from __future__ import annotations

from ...domains.heads import Classes, Distribution, Parameter, Quantities, Scope

LABELS = ("sphere", "cylinder", "ellipsoid", "core_shell_sphere", "bragg_glass", "unknown")
_SHAPES, _WITH_AXIS = LABELS[:4], ("cylinder", "ellipsoid")
#: In the order of the network's outputs; the priors of docs/sans.md.
QUANTITIES = (
    Parameter(
        "radius",
        "Å",
        (8.0, 500.0),
        "radius; equatorial of an ellipsoid, outer of core and shell",
        log=True,
        floor=1.0,
        of=_SHAPES,
    ),
    Parameter(
        "aspect",
        "",
        (0.125, 25.0),
        "length over diameter; polar over equatorial radius",
        log=True,
        floor=0.05,
        of=_WITH_AXIS,
    ),
    Parameter(
        "shell", "", (0.1, 0.6), "thickness of the shell over the outer radius", of=("core_shell_sphere",)
    ),
    Parameter("radius_pd", "", (0.02, 0.25), "spread of the radius, relative", of=_SHAPES),
    Parameter(
        "spacing",
        "Å",
        (150.0, 2500.0),
        "2π over the first order of the spots",
        log=True,
        floor=10.0,
        of=("bragg_glass",),
    ),
    Parameter("p2", "", (-0.4, 0.95), "order parameter ⟨P₂⟩ about the director", of=(*_WITH_AXIS, "unknown")),
)
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
