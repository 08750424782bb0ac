"""A curve with its fits as one small ``svg`` element, without matplotlib: shown whenever a cell ends in it.

Text and axes take the notebook's own colour (``currentColor``), so that it is read by day and by night.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ...digits import superscript

if TYPE_CHECKING:
    from ...arrays import Floats

#: Pixels: of the whole, of the margins, of the strip of residuals and the gap above it.
WIDTH, _PLOT, _STRIP, _GAP = 560, 260, 56, 14
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 8, 36
#: Lines of fits, legible on white and on black; the best first.
COLOURS = ("#3182bd", "#e6550d", "#31a354", "#a05fb4")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Drawn:
    """One curve, and what is drawn through it."""

    #: q, intensity: (n,)
    q: Floats
    intensity: Floats
    dintensity: Floats | None = None  #: (n,)
    lines: Sequence[tuple[Floats, Floats]] = ()  #: (q, intensity), the first on top.
    colour: str = ""  #: Of its points; of the lines too where there are several curves.
    title: str = "I(q)"  #: Of the axis of intensities, of one curve alone.


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    log: bool
    start: float
    length: float

    def place(self, values: Floats) -> Floats:
        """Pixels."""
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.log(values / self.low) / math.log(self.high / self.low)
        else:
            share = (values - self.low) / (self.high - self.low)
        return np.asarray(self.start + self.length * share)

    def ticks(self) -> list[tuple[float, str]]:
        """Places in pixels and what is written there; nothing between decades where there are three."""
        if not self.log:
            values = _linear_ticks(self.low, self.high)
            return [(float(self.place(np.array(v))), f"{v:.4g}") for v in values]
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        factors = _factors(math.log10(self.high / self.low))
        candidates = [
            (float(self.place(np.array(factor * 10.0**power))), _format_tick(factor, power))
            for power in powers
            for factor in factors
            if self.low <= factor * 10.0**power <= self.high
        ]
        step = 1 + len(candidates) // 8
        return candidates[::step]


def _format_tick(factor: int, power: int) -> str:
    if -3 <= power <= 3:
        return f"{factor * 10.0**power:.4g}"
    return f"{'' if factor == 1 else f'{factor}×'}10{superscript(power)}"


def _factors(decades: float) -> Sequence[int]:
    """Which multiples of powers of ten are written on so long an axis."""
    if decades > 2.5:
        return (1,)
    return (1, 2, 5) if decades > 0.6 else range(1, 10)


def _linear_ticks(low: float, high: float) -> list[float]:
    step = 10 ** math.floor(math.log10((high - low) / 3 or 1.0))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 5)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def picture(curves: Sequence[Drawn], label: str) -> str:
    """Draw data with error bars and lines, and below a single curve its first line's residuals."""
    # Each point is a move of the path ``class="sasnet-points"``; points a logarithmic axis cannot show are on
    # its lower edge.
    only_curve = curves[0] if len(curves) == 1 else None
    residuals_only = None if only_curve is None else _residuals(only_curve)
    height = _TOP + _PLOT + (0 if residuals_only is None else _GAP + _STRIP) + _BOTTOM
    across = _make_q_axis([curve.q for curve in curves])
    up = _make_intensity_axis(curves)
    title = "I(q), moved apart" if only_curve is None else only_curve.title
    parts = [_frame(across, up, title, numbers=residuals_only is None)]
    for curve in curves:
        parts.append(_points(curve, across, up))
        has_several = len(curves) > 1
        for k in reversed(range(min(len(curve.lines), len(COLOURS)))):
            parts.append(
                _line(curve.lines[k], across, up, curve.colour if has_several else COLOURS[k], _DASHES[k])
            )
    if residuals_only is not None:
        parts.append(_strip(curves[0].q, residuals_only, across))
    parts.append(_text(_LEFT + across.length / 2, height - 4, "q / Å⁻¹", "middle"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}" font-size="11"'
        f' style="display:block;width:100%;max-width:{WIDTH}px;height:auto" fill="currentColor">'
        f"{''.join(parts)}</svg>"
    )


def _make_q_axis(all_q: Iterable[Floats]) -> _Axis:
    q = np.concatenate(list(all_q))
    log = bool(np.all(q > 0))
    low, high = (float(q.min()), float(q.max())) if q.size else (0.01, 1.0)
    if not high > low:
        low, high = 0.8 * low, 1.25 * high
    margin = (high / low) ** 0.02 if log else 1.0
    return _Axis(low / margin, high * margin, log, _LEFT, WIDTH - _LEFT - _RIGHT)


def _make_intensity_axis(curves: Sequence[Drawn]) -> _Axis:
    """Logarithmic where something is above zero; a few points that scatter down to it squeeze no others."""
    intensities = np.concatenate([curve.intensity for curve in curves])
    positive = intensities[intensities > 0]
    if positive.size:
        low, high = 0.5 * float(np.percentile(positive, 1)), 1.8 * float(positive.max())
        return _Axis(low, high, True, _TOP + _PLOT, -_PLOT)
    low, high = (float(intensities.min()), float(intensities.max())) if intensities.size else (0.0, 1.0)
    return _Axis(low, high if high > low else low + 1.0, False, _TOP + _PLOT, -_PLOT)


def _frame(across: _Axis, up: _Axis, title: str, *, numbers: bool) -> str:
    bottom = up.start
    path = f"M{_LEFT} {_TOP}V{bottom}H{WIDTH - _RIGHT}"
    marks, texts = [], []
    for x, text in across.ticks():
        marks.append(f"M{x:.1f} {bottom}v4")
        if numbers:
            texts.append(_text(x, bottom + 16, text, "middle"))
    for y, text in up.ticks():
        marks.append(f"M{_LEFT} {y:.1f}h-4")
        texts.append(_text(_LEFT - 7, y + 4, text, "end"))
    place = f"translate(12 {_TOP + _PLOT / 2}) rotate(-90)"
    texts.append(f'<text transform="{place}" text-anchor="middle">{escape(title)}</text>')
    lines = f'<path d="{path}{"".join(marks)}" fill="none" stroke="currentColor" stroke-opacity=".6"/>'
    return lines + "".join(texts)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _points(drawing: Drawn, across: _Axis, up: _Axis) -> str:
    top, bottom = up.start + up.length, up.start
    x = across.place(drawing.q)
    y = np.clip(
        np.nan_to_num(up.place(drawing.intensity), nan=bottom, posinf=bottom, neginf=top), top, bottom
    )
    stroke = drawing.colour or "currentColor"
    moves = "".join(f"M{a:.1f} {b:.1f}h.01" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    points = (
        f'<path class="sasnet-points" d="{moves}" fill="none" stroke="{stroke}" stroke-opacity=".75"'
        ' stroke-width="3" stroke-linecap="round"/>'
    )
    if drawing.dintensity is None:
        return points
    ends = [
        np.clip(
            np.nan_to_num(up.place(drawing.intensity + sign * drawing.dintensity), nan=bottom), top, bottom
        )
        for sign in (-1, 1)
    ]
    bars = "".join(
        f"M{a:.1f} {b:.1f}V{c:.1f}"
        for a, b, c in zip(x.tolist(), ends[0].tolist(), ends[1].tolist(), strict=True)
        if abs(b - c) > 3
    )
    return f'<path d="{bars}" fill="none" stroke="{stroke}" stroke-opacity=".35"/>{points}'


def _line(line: tuple[Floats, Floats], across: _Axis, up: _Axis, colour: str, dashes: str) -> str:
    top, bottom = up.start + up.length, up.start
    x, y = across.place(line[0]), up.place(line[1])
    is_inside = np.isfinite(x) & np.isfinite(y) & (x >= _LEFT - 1) & (x <= WIDTH - _RIGHT + 1)
    pairs = zip(x[is_inside].tolist(), np.clip(y[is_inside], top, bottom + 2).tolist(), strict=True)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in pairs)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"{dashed}/>'


def _residuals(drawing: Drawn) -> Floats | None:
    """Residuals of the first line over the errors; None at other points or without errors."""
    if (
        not drawing.lines
        or drawing.dintensity is None
        or drawing.lines[0][1].shape != drawing.intensity.shape
    ):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((drawing.intensity - drawing.lines[0][1]) / drawing.dintensity)


def _strip(q: Floats, residuals: Floats, across: _Axis) -> str:
    top = _TOP + _PLOT + _GAP
    middle, finite_residuals = top + _STRIP / 2, np.nan_to_num(residuals)
    bound = max(4.0, 1.1 * float(np.percentile(np.abs(finite_residuals), 98)))

    def scale(residual: float) -> float:
        return middle - residual / bound * _STRIP / 2

    x = across.place(q)
    moves = "".join(
        f"M{a:.1f} {scale(r):.1f}h.01"
        for a, r in zip(x.tolist(), np.clip(finite_residuals, -bound, bound).tolist(), strict=True)
    )
    shade = (
        f'<rect x="{_LEFT}" y="{scale(2):.1f}" width="{across.length}" height="{scale(-2) - scale(2):.1f}"'
    )
    text_marks = "".join(_text(x, top + _STRIP + 15, text, "middle") for x, text in across.ticks())
    return (
        f'{shade} fill="currentColor" fill-opacity=".1"/>'
        f'<path d="M{_LEFT} {middle}h{across.length}" stroke="currentColor" stroke-opacity=".5"/>'
        f'<path class="sasnet-residuals" d="{moves}" fill="none" stroke="{COLOURS[0]}" stroke-width="2.6"'
        f' stroke-linecap="round"/>{_text(_LEFT - 7, middle + 4, f"±{bound:.0f} σ", "end")}{text_marks}'
    )
