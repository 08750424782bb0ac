"""X-ray scattering images of materials: what the picture shows and what the sample is, as tags."""

from __future__ import annotations

#: Each tag that implies another.
PARENTS = {
    "many_rings": "ring",
    "higher_orders": "ring",
    "polycrystalline": "ring",
}
#: Seventeen of the synthetic set of B. Wang, K. Yager et al. (IEEE WACV 2017, 697), and four of its real one.
LABELS = (
    "bcc",
    "fcc",
    "beam_off_image",
    "circular_beamstop",
    "linear_beamstop",
    "wedge_beamstop",
    "diffuse_low_q",
    "diffuse_high_q",
    "halo",
    "ring",
    "higher_orders",
    "many_rings",
    "high_background",
    "polycrystalline",
    "strong_scattering",
    "weak_scattering",
    "structure_factor",
    "textured",
    "single_crystal",
    "disordered",
    "amorphous",
)
#: Weight of examples with a tag that few have, about the square root of how many have not for one that has.
WEIGHTS = {
    "bcc": 4.0,
    "fcc": 4.0,
    "beam_off_image": 4.0,
    "wedge_beamstop": 3.0,
    "diffuse_high_q": 3.0,
    "many_rings": 2.5,
    "polycrystalline": 3.5,
    "structure_factor": 3.0,
    "textured": 3.0,
    "single_crystal": 4.0,
    "disordered": 2.5,
    "amorphous": 3.0,
}
