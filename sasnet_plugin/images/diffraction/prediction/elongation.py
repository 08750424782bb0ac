"""How long a single particle looks: the axis ratio of the ellipses along which its image is alike.

The image of a body that is seen as an ellipse depends on direction by a stretch of q alone, so that all
counts on one ellipse have one mean; the ratio at which counts differ least within thin elliptical rings is
the body's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....predict.tags import TagsFinding
from ....types import Image
from ..reading.polar import bin_images, rings
from ..simulation.samples import STREAK

#: Ratios that are tried; elliptical rings, about three to a fringe of the largest particle.
_RATIOS, _RINGS = np.geomspace(1.0, 4.0, 57), 90
#: Fall of the log likelihood at three standard deviations.
_WORSE = 4.5


def correct_prolate(image: Image, tags: TagsFinding) -> tuple[TagsFinding, str]:
    """Retag a body tagged elliptical that is longer than those usually are, and say why (or "")."""
    # One ellipse alone does not tell oblate from prolate, but hardly any oblate body looks so long.
    ratio, least, most = measure_axis_ratio(image)
    if least <= STREAK or most >= _RATIOS[-1]:
        return tags, ""
    opposite = {"Spherical/Oblate": "Prolate", "Elliptical": "Streak"}
    opposite |= {new: old for old, new in opposite.items()}
    swapped = {name: opposite.get(name, name) for name in tags.probability}
    probability = {name: tags.probability[tag] for name, tag in swapped.items()}
    present = tuple(name for name, tag in swapped.items() if tag in tags.present)
    reason = (
        f"The particle appears {ratio:.2f} times as long as wide, which is rare for an oblate particle."
        f" So the tag Elliptical was changed to Prolate and Streak."
    )
    return replace(tags, probability=probability, present=present), reason


def measure_axis_ratio(image: Image) -> tuple[float, float, float]:
    """Axis ratio, and the ends of its range of three standard deviations; the grid's where none is told."""
    window = image.geometry
    y, x = np.indices(image.counts.shape, dtype=np.float64)
    x, y = (x - window.centre[0]) / window.edge, (y - window.centre[1]) / window.edge
    inside = image.mask & (np.hypot(x, y) <= 1.0)
    x, y, counts = x[inside], y[inside], image.counts[inside]
    axis = _axis(image)
    c, s = np.cos(axis), np.sin(axis)
    along, across = (c * x + s * y) ** 2, (c * y - s * x) ** 2
    trials = []
    for major, minor in ((along, across), (across, along)):
        likely = np.array([_likelihood(np.sqrt(k * major + minor / k), counts) for k in _RATIOS])
        trials.append((float(likely.max()), likely, major, minor))
    best, likely, major, minor = max(trials, key=lambda trial: trial[0])
    ratio = float(_RATIOS[int(np.argmax(likely))])
    # Of counts that differ within a ring by more than chance, a likelihood is as much less certain.
    worse = _WORSE * _dispersion(np.sqrt(ratio * major + minor / ratio), counts)
    good = np.flatnonzero(likely > best - worse)
    # Half a step of the grid to either side is not told apart.
    step = float(np.sqrt(_RATIOS[1] / _RATIOS[0]))
    return ratio, float(_RATIOS[good[0]] / step), float(_RATIOS[good[-1]] * step)


def _axis(image: Image) -> float:
    """Direction of the particle's axis, radians, up to a quarter turn: all second harmonics lie on it."""
    found_rings = rings(bin_images([image]))
    second = found_rings.harmonics[0][:, 2]
    weight = np.where(found_rings.noise[0] > 0, 1 / np.maximum(found_rings.noise[0], 1e-12), 0.0)
    # I_n of exp(inφ): a body at an angle has the phase -2 of it, or half a turn more.
    return float(np.angle(np.sum(weight * second.conj() ** 2)) / 4)


def _likelihood(radius: Floats, counts: Floats) -> float:
    """Poisson log likelihood of counts with one mean in each ring, but for a constant."""
    total, pixels = _sums(radius, counts)
    has_pixels = total > 0
    return float(np.sum(total[has_pixels] * np.log(total[has_pixels] / pixels[has_pixels])))


def _dispersion(radius: Floats, counts: Floats) -> float:
    """χ² of counts about the mean of their ring over the number of pixels, at least 1."""
    total, pixels = _sums(radius, counts)
    mean = np.divide(total, pixels, out=np.zeros(total.size), where=pixels > 0)[_ring(radius)]
    has_counts = mean > 0
    return max(1.0, float(np.mean((counts[has_counts] - mean[has_counts]) ** 2 / mean[has_counts])))


def _ring(radius: Floats) -> NDArray[np.intp]:
    return np.minimum((radius * _RINGS).astype(np.intp), 3 * _RINGS - 1)


def _sums(radius: Floats, counts: Floats) -> tuple[Floats, Floats]:
    ring = _ring(radius)
    pixels = np.bincount(ring, minlength=3 * _RINGS).astype(np.float64)
    return np.bincount(ring, counts, 3 * _RINGS).astype(np.float64), pixels
