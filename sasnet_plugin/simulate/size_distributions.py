"""Range and number of points of size distributions: the one place that decides how far sizes are followed.

sasmodels sums a distribution over evenly spaced sizes, from `nsigma` widths below the centre to as many
above, and leaves out those below 0. A sphere scatters as R⁶, so that few large ones matter: a log-normal
distribution of σ = 0.4 needs 22 widths, where sasmodels' default of 8 holds 88 % of I(0). A rod scatters as
the square of its length, and needs 10 there.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from ..arrays import Floats

#: Share of I(0) over the distribution that larger sizes have.
BEYOND = 5e-4
#: I(0) grows with this power of a size, as the square of a volume; less where a volume goes in proportion.
_POWER = 6
_POWERS = {"length": 2}
#: Widths that a number of points is meant for: nearly the range of a Gaussian distribution of 10 %.
USUAL_RANGE = 7.5
#: Numbers of points on either side of the centre, in steps of a quarter: while a fit moves a width a little,
#: the number stays, and the curve has no steps. The fringes of the most leave nothing.
_ON_A_SIDE = sorted({round(3 * 1.25**i) for i in range(23)})
_BETWEEN = [math.sqrt(a * b) for a, b in itertools.pairwise(_ON_A_SIDE)]
#: Distributions without tails, and where they end in widths; all of their points lie within.
_BOXES = {"uniform": 1.0, "rectangle": math.sqrt(3.0)}
#: Widest distribution whose range grows with its width: a log-normal one reaches 190 medians there.
_WIDEST, _STEP = 0.7, 0.005


def log_density(kind: str, size: Floats, width: float) -> Floats:
    """Return ln of the number density at sizes (n,) over sasmodels' parameter, up to a constant, as
    ``sasmodels.weights`` has it; -inf where there are none.
    """
    if kind == "lognormal":
        return np.asarray(-0.5 * (np.log(size) / width) ** 2 - np.log(size))
    if kind == "schulz":
        return np.asarray((width**-2 - 1) * np.log(size) - size / width**2)
    if kind == "boltzmann":
        return np.asarray(-np.abs(size - 1) / width)
    if kind in _BOXES:
        return np.where(np.abs(size - 1) <= width * _BOXES[kind], 0.0, -np.inf)
    return np.asarray(-0.5 * ((size - 1) / width) ** 2)


def find_nsigma(kind: str, width: float, size: str = "") -> float:
    """Return the half width of the range of a parameter `size`, in sasmodels' widths, that holds what
    scatters.

    `width` is sasmodels' relative parameter: of a log-normal distribution the standard deviation of ln R.
    """
    if kind in _BOXES:
        return _BOXES[kind]
    ends = _largest_sizes(kind, _POWERS.get(size, _POWER))
    width = min(max(width, _STEP), _WIDEST)
    before = min(int(width / _STEP), len(ends) - 1)
    end = ends[before - 1] + (width / _STEP - before) * (ends[before] - ends[before - 1])
    return (end - 1) / width


@cache
def _largest_sizes(kind: str, power: int) -> list[float]:
    """Sizes over the centre with `BEYOND` of I(0) above, for widths of one `_STEP`, two, and on."""
    widths = _STEP * np.arange(1, round(_WIDEST / _STEP) + 1)
    if kind == "lognormal":  # a power times the density is log-normal, too; 3.29 has `BEYOND` above it
        return list(map(float, np.exp(power * widths**2 + 3.2905 * widths)))
    ends = []
    for width in widths:
        size = np.linspace(1e-3, 1 + 25 * width, 2001)
        density = log_density(kind, size, width) + power * np.log(size)
        share = np.cumsum(np.exp(density - density.max()))
        ends.append(float(np.interp(1 - BEYOND, share / share[-1], size)))
    return ends


def find_guinier_size(kind: str, width: float) -> float:
    """Return the root of the mean of R⁸ over that of R⁶, over sasmodels' parameter: what Guinier's law shows
    of a Gaussian (not cut at 0), Schulz or log-normal distribution of spheres.
    """
    square = width**2
    if kind == "lognormal":
        return math.exp(7 * square)
    if kind == "schulz":
        return math.sqrt((1 + 6 * square) * (1 + 7 * square))
    eighth = 1 + square * (28 + square * (210 + square * (420 + square * 105)))
    return math.sqrt(eighth / (1 + square * (15 + square * (45 + square * 15))))


def count_points(kind: str, width: float, points: float, size: str = "") -> int:
    """Return sasmodels' number of points, odd, so that they are about as close as `points` over
    `USUAL_RANGE`.
    """
    on_a_side = max(points - 1, 0) / 2
    if kind not in _BOXES:
        on_a_side *= 2 * find_nsigma(kind, width, size) / USUAL_RANGE
    return 2 * _ON_A_SIDE[bisect(_BETWEEN, on_a_side)] + 1


def find_density(kind: str, width: float, count: int, size: str = "") -> float:
    """Return the points over `USUAL_RANGE` of a distribution with so many: the inverse of `count_points`."""
    share = 1.0 if kind in _BOXES else USUAL_RANGE / 2 / find_nsigma(kind, width, size)
    return (count - 1) * share + 1


def distribution_keywords(size: str, kind: str, width: float, points: float) -> dict[str, Any]:
    """Return sasmodels' keywords of a parameter's distribution, but for its width."""
    return {
        f"{size}_pd_type": kind,
        f"{size}_pd_n": count_points(kind, width, points, size),
        f"{size}_pd_nsigma": find_nsigma(kind, width, size),
    }


def adapt_ranges(parameters: Mapping[str, Any], start: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters whose distributions reach as far as their widths ask for, with points as close as
    those of `start`, where widths or kinds were others.
    """
    adapted = dict(parameters)
    for name in [name for name in parameters if name.endswith("_pd")]:
        size, kind = name.removesuffix("_pd"), parameters.get(f"{name}_type", "gaussian")
        old_kind, old_width = start.get(f"{name}_type", kind), start.get(name, 0.0)
        width, count = parameters[name], start.get(f"{name}_n", 0)
        if count and width > 0 and (kind, width) != (old_kind, old_width):
            adapted |= distribution_keywords(
                size, kind, width, find_density(old_kind, old_width, count, size)
            )
    return adapted


def count_sizes(parameters: Mapping[str, Any], name: str) -> int:
    """Return how many sizes above 0 the distribution of a width ``<size>_pd`` has, at least 1."""
    count, width = int(parameters.get(f"{name}_n", 35)), float(parameters[name])  # sasmodels' defaults
    reach = width * float(parameters.get(f"{name}_nsigma", 3.0))
    return max(math.ceil(count * (1 + min(1 / reach, 1.0)) / 2) if reach > 0 else count, 1)


def mean_of_sizes(parameters: Mapping[str, Any], name: str) -> float:
    """Return the mean of the sizes that sasmodels sums over for a width ``<size>_pd``, over the centre."""
    reach = float(parameters.get(name, 0.0)) * float(parameters.get(f"{name}_nsigma", 3.0))
    return max((1 + reach) / 2, 1.0)
