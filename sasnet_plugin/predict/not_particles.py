"""What a diffraction image shows that no single particle scatters: narrow rings, and light from elsewhere.

A network may call either a particle, or an empty frame. Fringes of one particle, or of two, are as wide as
the gaps between them; a ring that is narrower than its distance from the next is the work of many alike
distances, as in a powder. And what a particle scatters falls away from the beam.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import Image
from .novelty import Profiles

#: A ring stands above those two and three away on both sides by so many decades, and standard deviations.
_ABOVE, _SURE = 0.15, 5.0
#: Over its height, what these may differ by among themselves.
_FLAT = 0.5
#: So many narrow rings are no chance: of 2,800 simulated shots none has them.
RINGS_ENOUGH = 2
#: Beyond the window: side of the areas that are compared, over its radius; how much brighter they are than
#: the window's outermost fifth.
_SIDE, _BRIGHTER = 0.25, 1.5

NARROW = (
    "Narrow rings stand over flat surroundings, as a powder's do: one particle's fringes are as wide as the"
    " gaps between them."
)
ELSEWHERE = (
    "It was taken for a frame without a particle, but outside the window around the supposed beam it is"
    " brighter than at the window's edge: something scatters there. Give the centre with"
    " --geometry direct_beam=[COLUMN,ROW]."
)


def narrow_rings(found: Profiles) -> NDArray[np.intp]:
    """(n,) how many narrow rings each profile has."""
    decades, rings = np.asarray(found.decades, dtype=float), found.decades.shape[1]
    number = np.zeros(len(decades), dtype=np.intp)
    for k in range(3, rings - 3):
        around = decades[:, [k - 3, k - 2, k + 2, k + 3]]
        height = decades[:, k] - around.max(axis=1)
        highest = decades[:, k] >= decades[:, [k - 1, k + 1]].max(axis=1)
        sure = height > np.maximum(_ABOVE, _SURE * np.sqrt(found.variance[:, k]))
        seen = found.seen[:, k - 3 : k + 4].all(axis=1)
        number += seen & highest & sure & (np.ptp(around, axis=1) < _FLAT * height)
    return number


def brighter_elsewhere(image: Image) -> bool:
    """Whether an area outside the window is brighter than the window's edge, beyond counting.

    Parameters
    ----------
    image : Image
        With a `data.diffraction.frame.Window`.
    """
    window = image.geometry
    y, x = np.indices(image.counts.shape)
    radius = np.hypot(x - window.centre[0], y - window.centre[1]) / window.edge
    edge = image.mask & (radius > 0.8) & (radius <= 1.0)
    if not edge.any():
        return False
    level = float(image.counts[edge].mean())
    side = max(int(_SIDE * window.edge), 1)
    area = (y // side) * (x.max() // side + 1) + x // side
    there = image.mask & (radius > 1.0)
    size = int(area.max()) + 1
    pixels = np.bincount(area[there], minlength=size)
    counts = np.bincount(area[there], image.counts[there], size)
    expected = level * pixels
    bright = (counts > _BRIGHTER * expected) & (counts - expected > _SURE * np.sqrt(expected + 1.0))
    return bool(np.any(bright & (pixels >= side**2 / 2)))
