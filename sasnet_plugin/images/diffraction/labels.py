"""Diffraction images of single particles: what a researcher would tag them with, size, shape and tilt."""

from __future__ import annotations

from ...domains.heads import Parameter

NAME = "diffraction"
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
