"""Specular reflectivities among curves: total reflection, then the fall of a critical edge.

Below the critical edge q_c all is reflected: R is flat, or rises as q where the beam is wider than the
sample. Beyond it Fresnel's law R = |(q - s)/(q + s)|², s² = q² - q_c², has R = 0.7 at q = 1.004 q_c and 0.1
at 1.17 q_c (M. Born & E. Wolf, Principles of Optics, 1.5), which a resolution of 10 % widens to a factor of
1.5. No film reflects more than all. Guinier's law is curved before it has fallen to 0.7, and then needs a
factor of 2.5.

Concentrated spheres, and clusters of them, have a plateau and an edge as well. What tells them apart is how
much is left beyond: Fresnel's law fixes it by q_c alone, at (q_c / 2q)⁴, and films change it by a factor of
a few, while such particles scatter four to a hundred times as much. Where that is not certain a note says
so, and the curve is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats

#: Shares of the largest intensity where the edge begins and ends, and the largest ratio of their q.
HIGH, LOW, SHARPEST = 0.7, 0.1, 1.5
#: The largest ratio for a plateau that is 1 to the noise.
WIDEST = 2.0
#: Points of total reflection at least, and how far they must reach in q.
LEAST_POINTS, LEAST_REACH = 4, 1.35
#: Scatter of ln I about a flat line or a ramp, beyond the noise, and the bend of its slope at the edge:
#: absorption rounds total reflection, and a wide resolution the edge, hardly both.
ROUNDED, CLEAN = (0.065, -8.0), (0.025, -3.9)
#: Intensity beyond the edge over that of total reflection, at most.
MOST_BEYOND = 1.1
#: Slope of ln I against ln q from 1.5 to 6 times the edge, at most: Fresnel's law ends as q^-4. Bragg peaks
#: of stacks may hide it, so that it is not asked for where the edge is as sharp as this bend.
FALL, SHARP = -3.0, -9.5
#: Slope before the edge, at most: that of a beam that is wider than the sample is 1.
RAMP = 1.2
#: Least relative uncertainty that a point is taken to have.
_LEAST_ERROR = 0.02


class Certainty(NamedTuple):
    """What makes a reflectivity of a curve with a plateau and an edge; chosen on simulated ones
    (docs/studies.md).

    ``excess`` is log₁₀ of the intensity over Fresnel's, averaged from 2 to 4 times the edge.
    """

    excess: float = 0.4  #: Up to which a plateau at 1 is total reflection.
    unscaled_excess: float = 0.3  #: The same for one at another level.
    #: Scatter of ln I about a power law beyond the edge from which on minima are deep, as of equal spheres,
    #: and the excess that is left to such curves; none to those that rise before the edge, and are not
    #: scaled to 1, as repelling particles do.
    deep: float = 1.0
    deep_excess: float = 0.1
    #: Excess of a plateau at 1 as flat as this, in ln I, with an edge of `SHARP`: heavy films reflect much.
    heavy_excess: float = 1.4
    heavy_scatter: float = 0.03
    #: Slope of ln I against ln q before the edge up to which a plateau is flat.
    flat: float = 0.25
    one: float = 0.16  #: ln of the level of total reflection, up to which it counts as 1.
    #: level, scatter, bend: a plateau so near 1 in ln I, so flat, and with such an edge is total reflection,
    #: however few its points are: reach in q, and the excess up to which.
    exact: tuple[float, float, float] = (0.06, 0.02, -4.0)
    exact_reach: tuple[tuple[float, float], ...] = ((1.1, 0.5), (1.5, 1.3))
    beyond: tuple[float, float] = (2.0, 4.0)  #: q over that of the edge, where the excess is taken.


CERTAINTY = Certainty()


@dataclass(frozen=True)
class _Edge:
    """Where a curve falls."""

    last: int  #: Index of the last point above `HIGH`.
    high: float  #: q at `HIGH`.
    low: float  #: q at `LOW`.


@dataclass(frozen=True)
class _Plateau:
    """What a curve with a plateau and a sharp edge is like."""

    reach: float  #: q of the edge over that of the first point.
    sharpness: float  #: q at `LOW` over that at `HIGH`.
    level: float  #: ln I of total reflection.
    scatter: float  #: Of ln I about it, beyond the noise.
    ramp: float  #: Slope of ln I against ln q just before the edge.
    bend: float  #: Slope at the edge less that before.
    fall: float  #: Slope from 1.5 to 6 times the edge.
    excess: float  #: log₁₀ of the intensity beyond the edge over Fresnel's.
    fringes: float  #: Scatter of ln I about a power law beyond the edge.


def is_reflectivity(q: Floats, intensity: Floats, dintensity: Floats | None = None) -> bool:
    """Whether a curve is certainly a specular reflectivity; q ascending and positive, any units."""
    # Missing uncertainties are estimated from neighbours.
    return likeness(q, intensity, dintensity) == "certain"


def likeness(
    q: Floats, intensity: Floats, dintensity: Floats | None = None
) -> Literal["", "possible", "certain"]:
    """Say how surely a curve is a specular reflectivity; empty if it is none."""
    # Arguments as for `is_reflectivity`.
    plateau = _plateau_of(q, intensity, dintensity)
    if plateau is None:
        return ""
    if _is_exact(plateau):
        return "certain"
    if not _has_critical_edge(plateau):
        return ""
    return "certain" if _is_fresnel(plateau) else "possible"


def _is_exact(plateau: _Plateau) -> bool:
    """Whether all is reflected, to the noise, up to an edge."""
    level, scatter, bend = CERTAINTY.exact
    near = abs(plateau.level) < level and plateau.scatter < scatter and plateau.bend < bend
    return near and any(
        plateau.reach > reach and plateau.excess < excess for reach, excess in CERTAINTY.exact_reach
    )


def _has_critical_edge(plateau: _Plateau) -> bool:
    if plateau.sharpness > SHARPEST or plateau.reach < LEAST_REACH:
        return False
    if plateau.bend > SHARP and plateau.fall > FALL:
        return False
    return any(plateau.scatter <= most and plateau.bend <= steep for most, steep in (ROUNDED, CLEAN))


def _is_fresnel(plateau: _Plateau) -> bool:
    """Whether so much is left beyond the edge as Fresnel's law and films leave."""
    flat, is_one = abs(plateau.ramp) < CERTAINTY.flat, abs(plateau.level) < CERTAINTY.one
    deep = plateau.fringes > CERTAINTY.deep
    most = CERTAINTY.excess if is_one else CERTAINTY.unscaled_excess
    if plateau.excess < (CERTAINTY.deep_excess if deep else most):
        return is_one or plateau.ramp < CERTAINTY.flat or not deep
    heavy = plateau.scatter < CERTAINTY.heavy_scatter and plateau.excess < CERTAINTY.heavy_excess
    return is_one and flat and heavy and plateau.bend < SHARP


def _plateau_of(q: Floats, intensity: Floats, dintensity: Floats | None) -> _Plateau | None:
    """The plateau of a curve that falls off at once behind it; None for others."""
    padded = np.pad(intensity, 1, mode="edge")
    smooth = np.convolve(padded, [0.25, 0.5, 0.25], "valid")
    edge = _edge_of(q, smooth) if np.max(smooth) > 0 else None
    if edge is None or edge.low / edge.high > WIDEST:
        return None
    error = np.abs(intensity - smooth) * 1.6 if dintensity is None else np.abs(dintensity)
    relative = np.hypot(np.minimum(error / np.maximum(np.abs(intensity), 1e-300), 1.0), _LEAST_ERROR)
    logarithm = np.log(np.maximum(intensity, 1e-9 * smooth.max()))
    is_before = q < 0.95 * edge.high
    if np.count_nonzero(is_before) < LEAST_POINTS:
        is_before = np.arange(q.size) <= edge.last
    level, scatter = _total_reflection(q[is_before], logarithm[is_before], relative[is_before], edge)
    near = (q >= max(0.6 * edge.high, q[0])) & (q <= 0.93 * edge.high)
    beyond, ramp = smooth[q > 1.3 * edge.high], _slope(q, logarithm, relative, near)
    if beyond.max(initial=0.0) > MOST_BEYOND * np.exp(level) or ramp > RAMP:
        return None
    later = (q >= 1.5 * edge.high) & (q <= 6 * edge.high)
    sharpness = edge.low / edge.high
    return _Plateau(
        reach=edge.high / float(q[0]),
        sharpness=sharpness,
        level=level,
        scatter=scatter,
        ramp=ramp,
        bend=float(np.log(LOW / HIGH) / np.log(sharpness)) - ramp,
        fall=_slope(q, logarithm, relative, later),
        excess=_excess(q, logarithm - level, edge),
        fringes=_scatter(q, logarithm, relative, later),
    )


def _excess(q: Floats, logarithm: Floats, edge: _Edge) -> float:
    """log₁₀ of a curve of total reflection 1 over Fresnel's law, beyond the edge; inf where it has ended."""
    first, last = CERTAINTY.beyond
    x = q / edge.high
    chosen = (x > first) & (x < last)
    if not np.any(chosen):
        return np.inf
    inner = np.sqrt(x[chosen] ** 2 - 1)
    fresnel = 2 * np.log((x[chosen] - inner) / (x[chosen] + inner))
    return float(np.mean(logarithm[chosen] - fresnel) / np.log(10))


def _edge_of(q: Floats, smooth: Floats) -> _Edge | None:
    """The first fall from `HIGH` to `LOW` of the largest intensity, behind that; None without one."""
    top = int(np.argmax(smooth))
    below = np.flatnonzero(smooth[top:] < LOW * smooth[top])
    if not below.size:
        return None
    first = top + int(below[0])
    last = int(np.flatnonzero(smooth[:first] > HIGH * smooth[top])[-1])
    if last < LEAST_POINTS - 1:
        return None
    crossings = [
        _crossing(q, smooth, i, level * smooth[top]) for i, level in ((last, HIGH), (first - 1, LOW))
    ]
    return _Edge(last, *crossings)


def _crossing(q: Floats, smooth: Floats, left_index: int, level: float) -> float:
    """Where a level lies between a point and the next, linear in logarithms."""
    low, high = np.log(np.maximum(smooth[left_index : left_index + 2], 1e-12 * level))
    share = float(np.clip((np.log(level) - low) / (high - low if high != low else -1e-12), 0.0, 1.0))
    return float(q[left_index] ** (1 - share) * q[left_index + 1] ** share)


def _total_reflection(q: Floats, logarithm: Floats, relative: Floats, edge: _Edge) -> tuple[float, float]:
    """Level of ln I, and the scatter about it beyond the noise: flat from some q on, a ramp before it."""
    weight = 1 / relative**2
    weight /= weight.sum()
    flat_from = np.append(q[0], np.geomspace(q[0], 1.3 * edge.high, 30))
    rest = logarithm - np.minimum(np.log(q / flat_from[:, None]), 0.0)
    levels = rest @ weight
    spread = (rest - levels[:, None]) ** 2 @ weight
    best = int(np.argmin(spread))
    noise = float((relative**2 - _LEAST_ERROR**2) @ weight)
    return float(levels[best]), float(np.sqrt(max(float(spread[best]) - noise, 0.0)))


def _slope(q: Floats, logarithm: Floats, relative: Floats, chosen: NDArray[np.bool_]) -> float:
    """Slope of ln I against ln q over the chosen points; 0 where they are too few for a line."""
    return float(_line(q, logarithm, relative, chosen)[0])


def _scatter(q: Floats, logarithm: Floats, relative: Floats, chosen: NDArray[np.bool_]) -> float:
    """Standard deviation of ln I about a power law over the chosen points."""
    line = _line(q, logarithm, relative, chosen)
    return float(np.std(logarithm[chosen] - np.polyval(line, np.log(q[chosen])))) if np.any(chosen) else 0.0


def _line(q: Floats, logarithm: Floats, relative: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Slope and constant of ln I against ln q; a slope of 0 where fewer than three q are chosen."""
    if np.unique(q[chosen]).size < 3:
        return np.array([0.0, float(np.mean(logarithm[chosen])) if np.any(chosen) else 0.0])
    return np.polyfit(np.log(q[chosen]), logarithm[chosen], 1, w=1 / relative[chosen])
