"""What kind of set the curves of a sample are: as was said of them, or as they look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import Curve
from .sample import CONCENTRATIONS, CONTRASTS, PROBES, SECTORS, SERIES, SETTINGS, Sample

#: Standard deviation of a measurement's calibration, as a share of I.
CALIBRATION = 0.03
#: Curves of one sample in two settings differ by their calibration, no more, where their q overlap; in ln I.
MOST_CALIBRATION = 0.25
#: Scatter of ln of the ratio of two curves about its median, beyond their errors, that settings may have.
_SAME_SHAPE = 0.05
#: ln of the largest factor between settings that are not calibrated alike; and how far apart the ends of
#: their q ranges are at least, as a ratio: other solvents and concentrations are measured in the same range.
_UNCALIBRATED, _APART = 1.1, 1.5
#: Parts of the highest intensity between which neighbours no longer matter and the background not yet.
_FALLEN = (0.01, 0.4)
#: Points of q that two curves have to share before they are compared.
_FEWEST = 8


def kind_of(sample: Sample) -> str:
    """Return the given kind of sample, or infer it where the curves' q overlap."""
    # Two settings share one intensity but for calibration, flat background and resolution. Concentrations
    # have a constant ratio, at high q at least. All else is taken as contrast variation.
    return infer_stated_kind(sample) or kind_by_look(sample.curves)


def kind_by_look(curves: Sequence[Curve]) -> str:
    """The kind as curves look where their q overlap, whatever is given; see `kind_of`."""
    if len(curves) == 1:
        return SETTINGS
    ratios = [pair for a, b in combinations(curves, 2) if (pair := _ratio(a, b)) is not None]
    if not ratios:
        return SETTINGS if _side_by_side(curves) else SERIES
    return _classify_ratios(np.max(np.abs(ratios), axis=0), _most_off(curves))


def _most_off(curves: Sequence[Curve]) -> float:
    """How far off curves of two settings may be; 0 where their q ranges are not those of settings."""
    # Without a resolution minima are smeared differently, and nothing says by how much.
    if not _side_by_side(curves, _APART):
        return 0.0
    return 2 * _SAME_SHAPE if all(c.dq is not None for c in curves) else 6 * _SAME_SHAPE


def _classify_ratios(largest: NDArray[np.float64], most_off: float) -> str:
    """Infer the kind from the largest level, scatter and scatter at high q of any two curves' ratio, and how
    far one is from a multiple of the other plus a background. `most_off` limits that for settings; 0 if the q
    ranges are not those of settings.
    """
    level, scatter, high, off = largest
    if level < MOST_CALIBRATION and scatter < _SAME_SHAPE:
        return SETTINGS
    if level < _UNCALIBRATED and off < most_off:
        return SETTINGS
    return CONCENTRATIONS if high < _SAME_SHAPE else CONTRASTS


def _side_by_side(curves: Sequence[Curve], apart: float = 1.0) -> bool:
    """Whether q ranges follow each other by the ratio `apart`, as in several settings."""
    ends = sorted((float(c.q[0]), float(c.q[-1])) for c in curves)
    return all(b[0] > apart * a[0] and b[1] > apart * a[1] for a, b in zip(ends, ends[1:], strict=False))


def _match_resolutions(a: Curve, b: Curve) -> tuple[Curve, Curve, float]:
    """Two curves, the sharper one last and smeared as the other is, and the largest width of that, Å⁻¹."""
    if a.dq is None or b.dq is None:
        return a, b, 0.0
    if np.median(np.interp(b.q, a.q, a.dq) / b.dq) < 1:
        return _smear_as(b, a)
    return _smear_as(a, b)


def _smear_as(a: Curve, b: Curve) -> tuple[Curve, Curve, float]:
    """The first curve, the second one in its resolution, and the largest width of the smearing."""
    width = np.sqrt(np.maximum(np.interp(b.q, a.q, a.dq) ** 2 - np.asarray(b.dq) ** 2, 0.0))  # type: ignore[arg-type]
    if not np.any(width > 0):
        return a, b, 0.0
    step = np.gradient(b.q)
    kernel = step * np.exp(-0.5 * ((b.q - b.q[:, None]) / np.maximum(width, 0.3 * step)[:, None]) ** 2)
    intensity = kernel @ b.intensity / kernel.sum(axis=1)
    inside = (b.q >= a.q[0]) & (b.q <= a.q[-1])
    return a, replace(b, intensity=intensity), float(np.max(width[inside], initial=0.0))


def _ratio(a: Curve, b: Curve) -> tuple[float, float, float, float] | None:
    """Of two curves where they overlap: median of ln of their ratio, its scatter beyond the errors, that of
    the upper half in q, and that about a factor and a background; None where they share too little.
    """
    a, b, width = _match_resolutions(a, b)
    # Smearing at an end of the sharper one lacks the points beyond.
    low, high = max(a.q[0], b.q[0]), min(a.q[-1], b.q[-1])
    low, high = max(low, b.q[0] + 2 * width), min(high, b.q[-1] - 2 * width)
    inside = (a.q >= low) & (a.q <= high) & (a.intensity > 0)
    if np.sum(inside) < _FEWEST:
        return None
    q = a.q[inside]
    other_intensity = np.interp(q, b.q, b.intensity)
    intensity_inside = a.intensity[inside]
    good = other_intensity > 0
    if np.sum(good) < _FEWEST:
        return None
    noise = np.hypot(
        _relative(a, a.q[inside][good], intensity_inside[good]), _relative(b, q[good], other_intensity[good])
    )
    ratio = np.log(intensity_inside[good] / other_intensity[good])
    weight = 1 / (noise**2 + 0.01**2)
    da, db = (
        _relative(a, q[good], intensity_inside[good]) * intensity_inside[good],
        _relative(b, q[good], other_intensity[good]) * other_intensity[good],
    )
    upper = _upper(intensity_inside[good], other_intensity[good], da, db)
    off = _measure_nonlinearity(intensity_inside[good], other_intensity[good], da, db)
    return float(np.average(ratio, weights=weight)), _measure_excess_scatter(ratio, noise), upper, off


def _relative(curve: Curve, q: Any, intensity: Any) -> Any:
    if curve.dintensity is None:
        return np.full(q.size, 0.02)
    return np.interp(q, curve.q, curve.dintensity) / intensity


def _measure_excess_scatter(ratio: Any, noise: Any) -> float:
    """Weighted scatter of ln of a ratio, the errors' own taken off."""
    weight = 1 / (noise**2 + 0.01**2)
    mean = np.average(ratio, weights=weight)
    variance = np.average((ratio - mean) ** 2, weights=weight) - np.average(noise**2, weights=weight)
    return float(np.sqrt(max(variance, 0.0)))


def _measure_nonlinearity(a: Any, b: Any, da: Any, db: Any) -> float:
    """Relative scatter of one curve, beyond errors, about a multiple of another plus a background."""
    noise = np.hypot(da, db * np.sum(a) / np.sum(b))
    weight = 1 / np.hypot(noise, 0.01 * a)
    columns = np.stack([b, np.ones(b.size)], axis=1) * weight[:, None]
    values = np.linalg.lstsq(columns, a * weight, rcond=None)[0]
    residual = (a - values[0] * b - values[1]) / a
    if values[0] <= 0:
        return np.inf
    relative = noise / a
    share = 1 / (relative**2 + 0.01**2)
    excess = np.average(residual**2, weights=share) - np.average(relative**2, weights=share)
    return float(np.sqrt(max(float(excess), 0.0)))


def _upper(a: Any, b: Any, da: Any, db: Any) -> float:
    """Scatter, beyond the errors and as a share of I, of one curve about another times a factor plus a
    background, where both have fallen but are not background alone.
    """
    signal = b - np.median(b[-_FEWEST // 2 :])
    fallen = (signal > _FALLEN[0] * signal.max()) & (signal < _FALLEN[1] * signal.max())
    if np.sum(fallen) < _FEWEST:
        return np.inf
    a, b, noise = a[fallen], b[fallen], np.hypot(da, db * np.sum(a) / np.sum(b))[fallen]
    columns = np.stack([b, np.ones(b.size)], axis=1) / noise[:, None]
    values = np.linalg.lstsq(columns, a / noise, rcond=None)[0]
    residual = (a / noise - columns @ values) * noise
    excess = max(float(np.mean(residual**2) - np.mean(noise**2)), 0.0)
    return float(np.sqrt(excess) / (np.median(np.abs(values[0] * (b - b.min()))) + 1e-300))


def infer_stated_kind(sample: Sample) -> str:
    """The kind that follows from what is given, or nothing."""
    if len({curve.sector and curve.sector.azimuth % 180 for curve in sample.curves}) > 1:
        return SECTORS if all(curve.sector for curve in sample.curves) else ""
    if len(set(sample.probes)) > 1:
        return PROBES
    if _several_solvents(sample):
        return CONTRASTS
    if any(value is not None for value in sample.concentrations):
        return CONCENTRATIONS
    return SERIES if sample.share else ""


def _several_solvents(sample: Sample) -> bool:
    """Whether each curve's solvent is given, by itself or by a tie to a value of each."""
    needed = {n for name, tie in sample.ties.items() if "solvent" in name for n in tie.names}
    tied = any(len({values.get(name) for values in sample.values}) > 1 for name in needed)
    return tied or any(value is not None for value in sample.solvents)
