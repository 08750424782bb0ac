"""What no single particle scatters, in a diffraction image: narrow rings, speckle, light from elsewhere.

A network may call either a particle, or an empty frame. Fringes of one particle, or of two, are as wide as
the gaps between them; a ring that is narrower than its distance from the next is the work of many alike
distances, as in a powder. And what a particle scatters falls away from the beam.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....types import Image
from ..reading.polar import Rings
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

#: From so many counts on a frame is compared with stray light, which explains it up to this χ² of a ring; how
#: well rings are known at best, and how far stray light reaches, in radii of the window.
_STRAY_COUNTS, _STRAY, _KNOWN, _REACHES = 2e4, 3.0, 0.02, (0.05, 1.5)
#: Speckle: harmonics that are finer than a particle's, rings that are compared with the one so far
#: out, by how many standard deviations they stand out, how many of them there are at least, how much
#: alike they are at most, and their power over that of the coarser ones. Chosen so that none of 150
#: simulated particles has it.
_FINE, _OUT, _SEEN, _PAIRS, _ALIKE, _GRAIN = (7, 25), 4, 5.0, 8, 0.5, 0.9

STRAY = (
    "No particle is reported: the frame shows no fringes and looks like smooth stray light on a flat"
    " background."
)
SPECKLE = (
    "Grains around the beam differ from ring to ring, like the speckle of many particles; the pattern"
    " of one particle continues from ring to ring."
)
NARROW = (
    "Narrow rings on a flat background look like a powder; fringes of one particle are as wide as the"
    " gaps between them."
)
ELSEWHERE = (
    "The frame looks empty, but it is brighter outside the analysed region than at its edge. The beam"
    " may be elsewhere; give the centre with"
    " --geometry direct_beam=[COLUMN,ROW]."
)


def narrow_rings(profiles: Profiles) -> NDArray[np.intp]:
    """(n,) how many narrow rings each profile has."""
    decades, rings = np.asarray(profiles.decades, dtype=float), profiles.decades.shape[1]
    number = np.zeros(len(decades), dtype=np.intp)
    for k in range(3, rings - 3):
        around = decades[:, [k - 3, k - 2, k + 2, k + 3]]
        height = decades[:, k] - around.max(axis=1)
        highest = decades[:, k] >= decades[:, [k - 1, k + 1]].max(axis=1)
        sure = height > np.maximum(_ABOVE, _SURE * np.sqrt(profiles.variance[:, k]))
        is_covered = profiles.seen[:, k - 3 : k + 4].all(axis=1)
        number += is_covered & highest & sure & (np.ptp(around, axis=1) < _FLAT * height)
    return number


def brighter_elsewhere(image: Image) -> bool:
    """Whether an area outside the `Window` is brighter than its edge, beyond counting statistics."""
    window = image.geometry
    y, x = np.indices(image.counts.shape)
    radius = np.hypot(x - window.centre[0], y - window.centre[1]) / window.edge
    edge = image.mask & (radius > 0.8) & (radius <= 1.0)
    if not edge.any():
        return False
    level = float(image.counts[edge].mean())
    side = max(int(_SIDE * window.edge), 1)
    area = (y // side) * (x.max() // side + 1) + x // side
    outside = image.mask & (radius > 1.0)
    size = int(area.max()) + 1
    pixels = np.bincount(area[outside], minlength=size)
    counts = np.bincount(area[outside], image.counts[outside], size)
    expected = level * pixels
    bright = (counts > _BRIGHTER * expected) & (counts - expected > _SURE * np.sqrt(expected + 1.0))
    return bool(np.any(bright & (pixels >= side**2 / 2)))


def stray_light(profiles: Profiles, counts: float) -> bool:
    """Whether an exponential over a flat ground explains the one profile, which holds so many counts."""
    from scipy.optimize import nnls

    if counts < _STRAY_COUNTS:
        return False
    is_covered = profiles.seen[0]
    rate = 10.0 ** np.asarray(profiles.decades[0], dtype=float)[is_covered]
    error = rate * np.hypot(np.log(10) * np.sqrt(np.asarray(profiles.variance[0])[is_covered]), _KNOWN)
    radius = ((np.arange(is_covered.size) + 0.5) / is_covered.size)[is_covered]
    least = min(
        nnls(
            np.stack([np.exp(-radius / reach), np.ones(radius.size)], axis=1) / error[:, None], rate / error
        )[1]
        for reach in np.geomspace(*_REACHES, 30)
    )
    return bool(least**2 < _STRAY * max(radius.size - 3, 1))


def is_speckled(rings: Rings) -> bool:
    """Whether the fine harmonics of the one image are strong, and differ from ring to ring."""
    fine, noise = rings.harmonics[0][:, slice(*_FINE)], np.asarray(rings.noise[0], dtype=float)
    number = _FINE[1] - _FINE[0]
    power = (np.abs(fine) ** 2).sum(axis=1) - number * noise
    coarse = (np.abs(rings.harmonics[0][:, 1 : _FINE[0]]) ** 2).sum(axis=1) - (_FINE[0] - 1) * noise
    is_strong = (power > _SEEN * np.sqrt(number) * noise) & (rings.coverage[0] > 0.8)
    pairs = np.flatnonzero(is_strong[:-_OUT] & is_strong[_OUT:])
    if pairs.size < _PAIRS:
        return False
    alike = np.abs((fine[pairs] * fine[pairs + _OUT].conj()).sum(axis=1)).sum()
    whole = np.sqrt(power[pairs] * power[pairs + _OUT]).sum()
    grain = np.median(power[is_strong] / np.maximum(coarse[is_strong], 1e-9))
    return bool(alike < _ALIKE * whole and grain > _GRAIN)
