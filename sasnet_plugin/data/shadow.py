"""The beamstop's shadow: intensity that falls towards nothing at the lowest q, which no liquid does.

Particles that repel one another take intensity away at low q as well, but not as much: the steepest rise
towards a peak that a liquid shows is that of hard spheres at the volume fraction where they freeze, and the
more a liquid takes away below its peak, the faster its intensity falls beyond. What lies below the least that
a liquid with the same fall beyond the peak would leave is a shadow. A peak of a lattice is as steep on its
far side as on its near one; a shadow has one side only.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Floats
from ..types import Curve
from .advice import ALL_Q
from .raw import COLUMNS, points


class ShadowSettings(NamedTuple):
    """When low intensity at low q is a shadow."""

    #: Volume fractions of hard spheres (Percus-Yevick) that the least intensity below a peak is taken from;
    #: the last is beyond freezing, at 0.494.
    fractions: tuple[float, ...] = (0.40, 0.44, 0.48, 0.52, 0.56)
    #: Power of hard spheres' intensity over that of their peak, below which charged spheres (Hayter-Penfold)
    #: with the same fall beyond the peak do not come, of any charge, fraction and salt.
    charged: float = 1.3
    significance: float = 3.5  #: Standard deviations that the points together must lie below it.
    nothing: float = 0.1  #: Part of the intensity at the edge that the darkest point must lie below.
    far: tuple[float, float] = (1.05, 1.6)  #: q over that of the peak, where the fall beyond it is looked at.
    #: Quantile of the differences of neighbours that shows their noise, where there are no uncertainties.
    quiet: float = 1 / 3
    top: float = 1.1  #: Within this factor in q beyond a point its top, and its steepness, are looked for.
    #: How much wider, in ln q, the fall from `high` to `low` of the peak must be than the rise before it.
    one_sided: float = 1.2
    high: float = 0.9
    #: A peak may stand on what scatters beside it; the fall is compared above each of these parts.
    low: tuple[float, ...] = (0.1, 0.3)
    #: rise, next_peak: standard deviations, and part of the valley's intensity, by which a next peak rises.
    rise: float = 5.0
    next_peak: float = 0.15
    above_valley: float = 1.1  #: Of the valley's intensity, where the fall to it is taken to end.
    shallow: float = 0.7  #: Of `high`; valleys above it do not show how fast the intensity falls.
    fall: float = 0.6  #: Part of the highest intensity so far below which the first peak is over.
    faint: float = 0.05  #: Part of the highest intensity of all below which nothing is a peak.
    near: float = 1.2  #: Points within this factor in q show the slope beyond a point.
    slope: float = 1.0  #: Of ln I against ln q, up to which a point beyond the edge is clear of it.
    ended: float = 0.2  #: The same as a part of the steepest rise, for curves that rise on their own.
    #: Part of the intensity that a clear point may lack against the line through those beyond it.
    loss: float = 0.05
    least: int = 2  #: Points that must lie in the shadow.
    beyond: int = 4  #: Points that make a line.


SETTINGS = ShadowSettings()
# Fourth differences of unit noise: their norm times the quantile of |x| of a unit normal that is looked at.
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
_QUIET = float(np.sqrt(np.sum(_FOURTH**2))) * 0.4307


def count_shadowed(curve: Curve) -> int:
    """Count a curve's first points in the beamstop's shadow; missing uncertainties are taken from scatter."""
    q, intensity = curve.q, curve.intensity
    if q.size < 8:
        return 0
    sigma = curve.dintensity if curve.dintensity is not None else scatter(intensity)
    smooth = _smooth_intensity(intensity)
    peak = _first_peak(smooth, sigma)
    if peak < SETTINGS.least or _measure_deficit(q, intensity, sigma, smooth, peak) < SETTINGS.significance:
        return 0
    edge = _edge(q, smooth, sigma, peak)
    dark = float(np.min(smooth[:edge] - sigma[:edge])) < SETTINGS.nothing * smooth[edge]
    # Smoothing widens peaks as narrow as a few points, on the side of the next peak more than on the other.
    if not dark or not all(_one_sided(q, values, sigma, edge) for values in (smooth, intensity)):
        return 0
    clear = _clear(q, intensity, sigma, edge)
    return clear if SETTINGS.least <= clear <= q.size - 8 else 0


def exclude_shadow(curve: Curve) -> Curve:
    """The curve without first points that lie in the beamstop's shadow; it keeps them beside it."""
    hidden = count_shadowed(curve)
    if not hidden:
        return curve
    number = np.arange(len(curve))
    clear, dark = points(curve, number >= hidden), points(curve, number < hidden)
    lie, were, back = ("point lies", "was", "it") if hidden == 1 else ("points lie", "were", "them")
    note = (
        f"{hidden} {lie} in the beamstop's shadow, below q = {clear.q[0]:.4g} Å⁻¹, and {were} excluded;"
        f" '{ALL_Q}' includes {back} again."
    )
    return replace(clear, notes=(*curve.notes, note), shadow=replace(dark, notes=(note,)))


def restore_shadow(curve: Curve, q_min: float, q_max: float) -> Curve:
    """The curve with the points of its shadow that lie between, Å⁻¹; the same curve where none do."""
    dark = curve.shadow
    if dark is None:
        return curve
    back = points(dark, (dark.q >= q_min) & (dark.q <= q_max))
    notes_kept = tuple(old for old in curve.notes if old not in dark.notes)
    if not len(back):
        return replace(curve, notes=notes_kept, shadow=None)
    seem = "point seems" if len(back) == 1 else "points seem"
    note = (
        f"{len(back)} {seem} to lie in the beamstop's shadow, below q = {curve.q[0]:.4g} Å⁻¹; they are"
        f" used because the given q range includes them."
    )
    return replace(curve, **_join_columns(back, curve), notes=(*notes_kept, note), shadow=None)


def _join_columns(dark: Curve, curve: Curve) -> dict[str, Any]:
    names = [name for name in COLUMNS if getattr(curve, name) is not None]
    return {name: np.concatenate([getattr(dark, name), getattr(curve, name)]) for name in names}


def scatter(intensity: Floats) -> Floats:
    """Standard deviation of each point from its neighbours; an edge among them does not count."""
    differences = np.convolve(np.pad(intensity, 2, mode="edge"), _FOURTH, "valid")
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(np.abs(differences), 4, mode="edge"), 9)
    around = np.quantile(windows, SETTINGS.quiet, axis=1) / _QUIET
    return np.asarray(np.maximum(around, 0.01 * np.abs(intensity)))


def _smooth_intensity(intensity: Floats) -> Floats:
    padded = np.concatenate([intensity[:1], intensity, intensity[-1:]])
    return np.convolve(padded, [0.25, 0.5, 0.25], "valid")


def _first_peak(smooth: Floats, sigma: Floats) -> int:
    """Index of the highest point before the intensity first falls by much."""
    highest = np.maximum.accumulate(smooth)
    real = (highest > SETTINGS.faint * smooth.max()) & (highest - smooth > 3 * sigma)
    over = np.flatnonzero(real & (smooth < SETTINGS.fall * highest))
    return int(np.argmax(smooth[: over[0] if over.size else smooth.size]))


def _crossings(q: Floats, smooth: Floats, top: int, level: float) -> tuple[float, float]:
    """q where the intensity is last below a part of that at a point before it, and first beyond it."""
    below_level = np.flatnonzero(smooth[:top] < level * smooth[top])
    beyond = np.flatnonzero(smooth[top:] < level * smooth[top])
    rise = float(np.sqrt(q[below_level[-1]] * q[below_level[-1] + 1])) if below_level.size else float(q[0])
    return rise, float(q[top + beyond[0]]) if beyond.size else np.inf


def _one_sided(q: Floats, intensity: Floats, sigma: Floats, top: int) -> bool:
    """Whether the intensity falls more slowly beyond the top at a point than it rises before."""
    # Where it rises to a next peak, both sides are compared above the valley between the two.
    ahead = max(int(np.searchsorted(q, q[top] * SETTINGS.top)), top + 2)
    top += int(np.argmax(intensity[top : ahead + 1]))
    valley = _valley(intensity, sigma, top)
    parts = {max(low, valley) for low in SETTINGS.low if max(low, valley) < SETTINGS.shallow * SETTINGS.high}
    step = float(np.log(q[top + 1] / q[top])) if top + 1 < q.size else 0.0
    for part in parts:
        (low, far), (high, near) = (_crossings(q, intensity, top, level) for level in (part, SETTINGS.high))
        if np.isfinite(far) and np.log(far / near) <= SETTINGS.one_sided * np.log(high / low) + step:
            return False
    return True


def _valley(intensity: Floats, sigma: Floats, top: int) -> float:
    """Part of the top's intensity that the valley before the next peak is above; 0 without such a peak."""
    level, error = intensity[top:], sigma[top:]
    lowest = np.minimum.accumulate(level)
    rises = (level - lowest > SETTINGS.rise * error) & (level > (1 + SETTINGS.next_peak) * lowest)
    rises &= lowest > 0
    if not np.any(rises):
        return 0.0
    return float(SETTINGS.above_valley * lowest[int(np.argmax(rises))] / level[0])


def _measure_deficit(q: Floats, intensity: Floats, sigma: Floats, smooth: Floats, peak: int) -> float:
    """Standard deviations by which the first points lie below what any liquid leaves, all together."""
    top, x = float(smooth[peak]), q / q[peak]
    if top <= 0:
        return 0.0
    (first, last), near = SETTINGS.far, np.arange(peak)
    far = np.flatnonzero((x > first) & (x < last))
    liquid = SETTINGS.fractions[0]
    for fraction in SETTINGS.fractions[1:]:
        if np.any(smooth[far] - 2 * sigma[far] > top * least_intensity(fraction, x[far])):
            break
        liquid = fraction
    short = top * least_intensity(liquid, x[near]) ** SETTINGS.charged - intensity[near]
    sums, errors = np.cumsum(short), np.sqrt(np.cumsum(sigma[near] ** 2))
    # Points of no uncertainty at all tell nothing.
    return float(np.divide(sums, errors, out=np.zeros_like(sums), where=errors > 0).max())


def least_intensity(fraction: float, x: Floats) -> Floats:
    """Percus-Yevick structure factor of hard spheres over its first maximum; `x` (n,) is q over its q."""
    position, height = _maximum(fraction)
    return percus_yevick(fraction, x * position) / height


def percus_yevick(fraction: float, x: Floats) -> Floats:
    """Structure factor of hard spheres against q times their diameter."""
    dense = (1 - fraction) ** 4
    a = (1 + 2 * fraction) ** 2 / dense
    b = -6 * fraction * (1 + fraction / 2) ** 2 / dense
    c = fraction * a / 2
    x = np.maximum(x, 0.05)
    sin, cos = np.sin(x), np.cos(x)
    g = a * (sin - x * cos) / x**2
    g += b * (2 * x * sin + (2 - x**2) * cos - 2) / x**3
    g += c * (-(x**4) * cos + 4 * ((3 * x**2 - 6) * cos + (x**3 - 6 * x) * sin + 6)) / x**5
    return np.asarray(1 / (1 + 24 * fraction * g / x))


@cache
def _maximum(fraction: float) -> tuple[float, float]:
    x = np.linspace(5.0, 8.0, 601)
    factor = percus_yevick(fraction, x)
    best = int(np.argmax(factor))
    return float(x[best]), float(factor[best])


def _edge(q: Floats, smooth: Floats, sigma: Floats, peak: int) -> int:
    """Index of the first point beyond the steepest rise from where the curve rises as curves do."""
    steepness = _steepness(q, smooth, sigma, peak)
    steepest = int(np.argmax(steepness))
    most = max(SETTINGS.slope, SETTINGS.ended * steepness[steepest])
    for index in range(steepest + 1, peak):
        ahead = slice(index, max(int(np.searchsorted(q, q[index] * SETTINGS.near)), index + 3))
        if q[ahead][-1] == q[index]:  # the same q several times over
            continue
        level = np.clip(smooth[ahead], 1e-3 * smooth[peak], None)
        slope, _ = np.polyfit(np.log(q[ahead]), np.log(level), 1)
        if slope < most:
            return index
    return peak


def _steepness(q: Floats, smooth: Floats, sigma: Floats, peak: int) -> Floats:
    """Slope of ln I against ln q from each point before the peak on, without what is lost in the noise."""
    floor = np.maximum(2 * sigma[: peak + 1], 1e-4 * smooth[peak])
    level, x = np.log(np.maximum(smooth[: peak + 1], floor)), np.log(q[: peak + 1])
    start = np.arange(peak)
    end = np.searchsorted(x, x[:-1] + np.log(SETTINGS.top))
    end = np.minimum(np.maximum(end, start + 1), peak)
    rise, run = level[end] - level[start], x[end] - x[start]
    return np.divide(rise, run, out=np.zeros_like(rise), where=run > 0)


def _clear(q: Floats, intensity: Floats, sigma: Floats, edge: int) -> int:
    """Index of the first point that lies on the line, ln I against ln q, through the points beyond it."""
    # Where a curve falls steeply, it bends down at the edge well after its rise has ended.
    last = int(np.searchsorted(q, q[edge] * SETTINGS.near))
    for index in range(edge, min(last, q.size - SETTINGS.beyond)):
        beyond = slice(
            index + 1, max(int(np.searchsorted(q, q[index] * SETTINGS.near**2)), index + SETTINGS.beyond)
        )
        level, error = intensity[beyond], sigma[beyond]
        if np.any(level <= 0):
            return index
        line = np.polyfit(np.log(q[beyond]), np.log(level), 1, w=level / np.hypot(error, 0.01 * level))
        expected = float(np.exp(np.polyval(line, np.log(q[index]))))
        if intensity[index] > expected - max(2 * sigma[index], SETTINGS.loss * expected):
            return index
    return max(edge, min(last, q.size - SETTINGS.beyond))
