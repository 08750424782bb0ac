"""X-ray scattering images of materials: what the picture shows and what the sample is, as tags."""

from __future__ import annotations

from ...domains import Domain, Network
from ...domains.heads import Scope, Tags
from ...extensions import Deferred, DeferredValue

# --- X-ray scattering images of materials: what the picture shows and what the sample is, as tags.

#: Each tag that implies another.
PARENTS = {"many_rings": "ring", "higher_orders": "ring", "polycrystalline": "ring"}
#: Seventeen of the synthetic set of B. Wang, K. Yager et al. (IEEE WACV 2017, 697), and four of its real one.
LABELS = (
    "bcc", "fcc", "beam_off_image", "circular_beamstop", "linear_beamstop", "wedge_beamstop",
    "diffuse_low_q", "diffuse_high_q", "halo", "ring", "higher_orders", "many_rings", "high_background",
    "polycrystalline", "strong_scattering", "weak_scattering", "structure_factor", "textured",
    "single_crystal", "disordered", "amorphous",
)  # fmt: skip
#: Weight of examples with a tag that few have, about the square root of how many have not for one that has.
WEIGHTS = {
    "bcc": 4.0, "fcc": 4.0, "beam_off_image": 4.0, "wedge_beamstop": 3.0, "diffuse_high_q": 3.0,
    "many_rings": 2.5, "polycrystalline": 3.5, "structure_factor": 3.0, "textured": 3.0,
    "single_crystal": 4.0, "disordered": 2.5, "amorphous": 3.0,
}  # fmt: skip


# --- X-ray scattering images: what they are read, answered and simulated by.

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
    read=Deferred("sasnet_plugin.images.xray_tags.reading:read"),
    check=Deferred("sasnet_plugin.images.xray_tags.reading:check_image"),
    features=Deferred("sasnet_plugin.images.xray_tags.reading:inputs"),
    features_version=2,
    symmetries=(
        Deferred("sasnet_plugin.images.xray_tags.reading:mirror_inputs"),
        Deferred("sasnet_plugin.images.xray_tags.reading:turn_inputs"),
    ),
    complete=Deferred("sasnet_plugin.images.xray_tags.prediction:complete_answer"),
    simulator=DeferredValue("sasnet_plugin.images.xray_tags.simulation:SIMULATOR"),
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
        trunk=Deferred("sasnet_plugin.images.training.trunks:build_beam_trunk"),
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
