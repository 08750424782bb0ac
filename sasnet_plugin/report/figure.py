"""The figure of a curve and its models: one description of what is drawn, and its drawing by matplotlib.

Reports and the page draw the same description by uPlot, see ``web/static/figure.js``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Floats
from ..digits import chisq_text, superscript
from ..fitting.result.fit_result import FitResult
from ..fitting.result.model_fit import STOPPED
from ..fitting.result.sample_result import SampleResult
from ..fitting.verdict.equals import worth_showing
from ..predict.classes import percent
from ..types import Curve
from .canvas import Paint, day, frame_axes
from .page.document import COLOURS, DASHES, FITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


#: Fits drawn; more lines hide each other.
MAX_DRAWN = len(FITS)
#: Inches: of a page's figure, of the data's panel and a strip of residuals in it.
WIDTH, _PLOT, _STRIP = 9.6, 4.3, 0.8
#: Inches: margins, and above each strip.
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 0.8, 0.12, 0.1, 0.55, 0.25
#: Lines: the best, the others. Points of several curves are paler than the lines through them.
_BEST, _OTHER, _PALE = 1.9, 1.4, 0.55
#: Digits of numbers for the browser: finer than any screen.
_DIGITS = 6
Q_AXIS, RESIDUAL_AXIS = "q / Å⁻¹", "(I − fit) / σ"


@dataclass(frozen=True)
class Series:
    """Points or a line."""

    name: str
    colour: str  #: A role of `page.document.COLOURS`.
    q: Floats  #: (n,) Å⁻¹
    y: Floats  #: (n,)
    error: Floats | None = None  #: (n,) Standard deviations of points.
    entry: int | None = None  #: Number of its entry in the key.
    dashes: tuple[float, ...] = ()  #: Of a line, in points; empty for a solid one.
    width: float = _OTHER

    def as_dict(self) -> dict[str, Any]:
        """Return what the browser draws; lengths in pixels."""
        error = {} if self.error is None else {"e": _numbers(self.error)}
        return {
            "name": self.name, "colour": self.colour, "of": self.entry, "width": 4 / 3 * self.width,
            "dash": [4 / 3 * dash for dash in self.dashes],
            "q": _numbers(self.q), "y": _numbers(self.y), **error,
        }  # fmt: skip


@dataclass(frozen=True)
class CurvePlot:
    """Measured points, lines of models, the best first, and their residuals in standard deviations."""

    axis: str  #: Title of the axis of intensities.
    key: tuple[str, ...]  #: What each entry is.
    points: tuple[Series, ...]
    lines: tuple[Series, ...] = ()
    residuals: tuple[Series, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what the browser draws."""
        parts = {"points": self.points, "lines": self.lines, "residuals": self.residuals}
        return {"axis": self.axis} | {name: [one.as_dict() for one in part] for name, part in parts.items()}

    def limits(self) -> tuple[float, float] | None:
        """Ends of a logarithmic axis of intensities; None where no intensity is above zero."""
        values = np.concatenate([points.y for points in self.points])
        positive = values[values > 0]
        if not positive.size:
            return None
        # A few points that scatter down to zero would squeeze the rest.
        return 0.5 * float(np.percentile(positive, 1)), 1.6 * float(positive.max())


def fit_plot(result: FitResult, most: int = MAX_DRAWN) -> CurvePlot:
    """Describe data with at most this many of the best fits."""
    curve, error, fits = result.curve, result.dintensity, worth_showing(result.fits)[:most]
    lines, residuals = [], []
    for k, fit in enumerate(fits):
        name, residual = fit.short_name, (curve.intensity - fit.theory) / error
        width = _OTHER if k else _BEST
        lines.append(Series(name, FITS[k], curve.q, fit.theory, None, k, DASHES[k], width))
        residuals.append(Series(name, FITS[k], curve.q, residual, None, k))
    shares = [STOPPED if f.given_up else percent(f.weight) for f in fits]
    key = [
        f"{f.short_name}  {share}, χ²/dof {chisq_text(f.reduced_chisq)}"
        for f, share in zip(fits, shares, strict=True)
    ]
    points = Series("data", "data", curve.q, curve.intensity, error)
    return CurvePlot(curve.intensity_label, tuple(key), (points,), tuple(lines), tuple(residuals))


def sample_plot(result: SampleResult) -> CurvePlot:
    """Describe all curves of a sample, moved apart by powers of ten, with the best joint fit."""
    count, key, points, lines, residuals = len(result.sample.curves), [], [], [], []
    for i, curve in enumerate(result.sample.curves):
        name, power, error = Path(result.sample.files[i]).name, count - 1 - i, result.dintensities[i]
        colour, dashes, factor = FITS[i % len(FITS)], DASHES[i % len(DASHES)], 10.0**power
        key.append(f"{name} ×10{superscript(power)}" if power else name)
        points.append(Series(name, colour, curve.q, factor * curve.intensity, factor * error, i))
        if result.best is not None:
            theory = result.best.theories[i]
            lines.append(Series(name, colour, curve.q, factor * theory, None, i, dashes, _BEST))
            residuals.append(Series(name, colour, curve.q, (curve.intensity - theory) / error, None, i))
    return CurvePlot("I(q), moved apart", tuple(key), tuple(points), tuple(lines), tuple(residuals))


def data_plot(curve: Curve, model: str = "", nearest: tuple[Floats, Floats] | None = None) -> CurvePlot:
    """Describe a curve and, if any, the model's nearest simulated curve (q, intensity)."""
    points = (Series("data", "data", curve.q, curve.intensity, curve.dintensity),)
    if nearest is None:
        return CurvePlot(curve.intensity_label, (), points)
    key = (f"{model}, nearest simulated curve, not fitted",)
    return CurvePlot(curve.intensity_label, key, points, (Series(model, FITS[0], *nearest, None, 0),))


def _numbers(values: Sequence[float] | Floats) -> list[float | None]:
    """Replace infinities, which JSON does not know, by None."""
    numbers = np.asarray(values, dtype=float).tolist()
    return [float(f"{v:.{_DIGITS}g}") if math.isfinite(v) else None for v in numbers]


# --- The drawing by matplotlib. Groups of an SVG have the names of what they hold: ``bars1``, ``data1`` and
# --- ``below1`` of the first points, a marker each, ``line1``, ``residual1``, ``above1`` and ``under1``.


def inherit(role: str) -> str:
    """The colour of a role on axes of the user's own: that of night where text is bright."""
    from matplotlib import rcParams
    from matplotlib.colors import to_rgb

    return COLOURS[role][sum(to_rgb(rcParams["text.color"])) > 1.5]


def figure_size(plot: CurvePlot) -> tuple[float, float]:
    """Return the size of a page's figure, inches."""
    return WIDTH, _TOP + _PLOT + (_STRIP + _GAP) * len(plot.residuals) + _BOTTOM


def draw_figure(
    figure: Figure, plot: CurvePlot, paint: Paint = day, *, strips: int | None = None, head: float = 0.0
) -> Axes:
    """Draw data above strips of residuals, and return the panel of data; `head` inches for a title."""
    below = plot.residuals[:strips]
    ratios = [_PLOT, *[_STRIP] * len(below)]
    width, height = figure.get_size_inches()
    free = height - _TOP - head - _BOTTOM - _GAP * len(below)
    panels = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    # Margins by hand: matplotlib takes three times as long to find them, and moves panels for what it clips.
    figure.subplots_adjust(
        _LEFT / width, _BOTTOM / height, 1 - _RIGHT / width, 1 - (_TOP + head) / height,
        hspace=_GAP * len(ratios) / free,
    )  # fmt: skip
    for axes, residuals in zip(panels[1:], below, strict=True):
        draw_residuals(axes, residuals, paint)
    draw_plot(panels[0], plot, paint)
    for axes in panels:
        frame_axes(axes, paint)
        axes.set_xlabel("")
    panels[-1].set_xlabel(Q_AXIS, color=paint("ink"))
    label_ticks(panels[0].xaxis)
    label_ticks(panels[0].yaxis)
    if below:
        ends = panels[1].get_position().y1, panels[-1].get_position().y0
        style: dict[str, Any] = {"rotation": 90, "va": "center", "size": 10, "color": paint("ink")}
        figure.text(0.12 / width, sum(ends) / 2, RESIDUAL_AXIS, **style)
    return panels[0]


def draw_plot(axes: Axes, plot: CurvePlot, paint: Paint) -> None:
    """Draw points with error bars and lines; points off the axis are triangles on its lower edge."""
    lowest = _scale_axes(axes, plot)
    pale = _PALE if len(plot.points) > 1 else 1.0
    for number, points in enumerate(plot.points, start=1):
        _draw_points(axes, number, points, lowest, paint, pale)
    for number, line in enumerate(plot.lines, start=1):
        # The best one lies on top, above the points: fits that differ little hide each other.
        axes.plot(
            line.q, np.where(line.y > min(lowest, 0.0), line.y, np.nan), color=paint(line.colour),
            lw=line.width, gid=f"line{number}", zorder=3 - 0.01 * number, ls=(0, line.dashes or None),
            label=line.name,
        )  # fmt: skip
    axes.set_xlabel(Q_AXIS, color=paint("ink"))
    axes.set_ylabel(plot.axis, color=paint("ink"), parse_math=False)


def _scale_axes(axes: Axes, plot: CurvePlot) -> float:
    """Make axes logarithmic where they can be; return the lowest intensity that is shown."""
    q = np.concatenate([points.q for points in plot.points])
    if q.size and q.min() > 0:
        margin = max((q.max() / q.min()) ** 0.02, 1.02)
        axes.set(xscale="log", xlim=(q.min() / margin, q.max() * margin))
    limits = plot.limits()
    if limits is None:
        return -np.inf
    axes.set(yscale="log", ylim=limits)
    return limits[0]


def add_legend(axes: Axes, plot: CurvePlot, paint: Paint) -> None:
    """Name what is drawn."""
    from matplotlib.lines import Line2D

    drawn = {one.entry: one for one in (*plot.points, *plot.lines) if one.entry is not None}
    series = [drawn[k] for k in range(len(plot.key))]
    handles = [Line2D([], [], color=paint(s.colour), lw=s.width, ls=(0, s.dashes or None)) for s in series]
    if handles:
        legend = axes.legend(handles, plot.key, fontsize="small", frameon=False, labelcolor=paint("ink"))
        for text in legend.get_texts():
            text.set_parse_math(False)


def _draw_points(axes: Axes, number: int, points: Series, lowest: float, paint: Paint, alpha: float) -> None:
    q, y, inside = points.q, points.y, points.y > lowest
    style: dict[str, Any] = {"color": paint(points.colour), "alpha": alpha}
    if points.error is not None:
        seen = y + points.error > lowest
        # A bar that reaches zero has no lower end on a logarithmic axis.
        floor = 1e-3 * lowest if np.isfinite(lowest) else lowest
        ends = np.maximum(np.column_stack([y - points.error, y + points.error])[seen], floor)
        bars = _segments(q[seen], ends)
        axes.plot(*bars, lw=0.7, gid=f"bars{number}", **style | {"alpha": 0.6 * alpha})
    style |= {"markeredgewidth": 0, "clip_on": False}
    axes.plot(q[inside], y[inside], "o", ms=3, gid=f"data{number}", **style)
    if not inside.all():
        style |= {"transform": axes.get_xaxis_transform(), "gid": f"below{number}"}
        axes.plot(q[~inside], 0 * q[~inside], "v", ms=4, **style)


def draw_residuals(axes: Axes, residuals: Series, paint: Paint) -> None:
    """Draw residuals over a band of two standard deviations; those beyond are triangles on the edges."""
    finite = np.abs(residuals.y[np.isfinite(residuals.y)])
    bound = 1.15 * max(3.0, float(np.percentile(finite, 98)) if finite.size else 0.0)
    # Not a number counts as beyond all bounds, so that it is seen.
    values = np.nan_to_num(residuals.y, nan=np.inf)
    beyond = np.abs(values) > bound
    number, colour = (residuals.entry or 0) + 1, paint(residuals.colour)
    axes.axhspan(-2, 2, color=paint("line"), alpha=0.45, linewidth=0)
    axes.axhline(0, color=paint("muted"), linewidth=0.8)
    parts: tuple[tuple[Any, str, float, str], ...] = (
        (~beyond, "o", 2.6, "residual"),
        (beyond & (values > 0), "^", 4, "above"),
        (beyond & (values < 0), "v", 4, "under"),
    )
    for part, marker, size, name in parts:
        axes.plot(
            residuals.q[part], np.clip(values[part], -bound, bound), marker, color=colour, ms=size,
            markeredgewidth=0, clip_on=False, gid=f"{name}{number}",
        )  # fmt: skip
    tick = _round_below(0.75 * bound)
    axes.set_yticks([-tick, 0, tick], [f"−{tick:g}", "0", f"{tick:g}"])
    axes.set_ylim(-bound, bound)
    axes.set_title(
        f"{number} · {residuals.name}", loc="left", size=9, weight="bold", color=colour, pad=2,
        parse_math=False,
    )  # fmt: skip


def _segments(q: Floats, ends: Floats) -> tuple[Floats, Floats]:
    """One line through all error bars, lifted between them: a tenth of the size of a line for each."""
    gap = np.full(q.size, np.nan)
    return np.column_stack([q, q, gap]).ravel(), np.column_stack([ends, gap]).ravel()


def _round_below(value: float) -> float:
    power = 10 ** np.floor(np.log10(value))
    return float(next(m for m in (5, 2, 1) if m * power <= value) * power)


def label_ticks(axis: Any) -> None:
    """Label a logarithmic axis at decades where it has two of them or more, else also between them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if axis.get_scale() != "log":
        return
    low, high = axis.get_view_interval()
    decades = float(np.log10(high / low))
    if decades < 0.5:
        axis.set_major_locator(MaxNLocator(5))
    else:
        subs = (1.0,) if decades > 2.2 else (1.0, 2.0, 5.0) if decades > 1 else (1.0, 2.0, 3.0, 5.0, 7.0)
        axis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axis.set_minor_locator(LogLocator(subs=[float(n) for n in range(1, 10)], numticks=200))
    axis.set_major_formatter(FuncFormatter(_tick_text))
    axis.set_minor_formatter(NullFormatter())


def _tick_text(value: float, _: object) -> str:
    power = int(np.floor(np.log10(value) + 1e-9))
    if -4 <= power <= 4:
        return f"{value:.4g}"
    factor = value / 10.0**power
    return f"10{superscript(power)}" if abs(factor - 1) < 1e-6 else f"{factor:.3g}×10{superscript(power)}"
