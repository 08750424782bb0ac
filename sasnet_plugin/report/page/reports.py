"""HTML pages of classified and fitted curves, alone or several of a sample: figures and tables in one file.

Without scripts, and on paper, the picture stays.

Drawn with matplotlib's objects alone, no window and no state of pyplot. The text stays text, the same input
gives the same bytes, and every colour is a role of `document`.
"""

from __future__ import annotations

import hashlib
import json
import math
import shlex
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...digits import chisq_text, format_with_error, interval, significant, superscript, unit_text
from ...domains.heads import Classes
from ...files import read_text
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit, Parameter, drop_unused
from ...fitting.result.sample_result import SampleResult
from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS, Verdict
from ...fitting.verdict.equals import worth_showing
from ...fitting.verdict.next_step import EXPORTS, PAGES, TO_GO_ON, TO_LOOK
from ...fitting.verdict.sentences import NAMES
from ...model_free.results import lines
from ...predict import Answer
from ...predict.classes import ClassesFinding
from ...types import Curve, ModelZooError
from ...zoo import Manifest, open_model
from .. import summaries
from ..notebook import COLOURS, Drawn, picture
from ..plot import (
    MARGIN,
    PANEL,
    Ink,
    draw_corner,
    draw_panels,
    draw_tree,
    members_of_links,
    nearest_simulated,
    open_bank,
    select_drawn_names,
)
from ..summaries import distribution_of
from . import document
from .document import DASHES, FITS, inline_svg, placeholder, plain_axes, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# --- The figure of a report that answers to the hand: uPlot, within the page, in place of its
# --- picture.

#: Of uPlot, one file each, with its licence beside it.
_STATIC = Path(__file__).parents[2] / "web" / "static"
#: Digits of what is drawn: finer than any screen.
_DIGITS = 6

#: Below the page's own style.
STYLE = "\n" + read_text(__file__, "plot.css")


def figure_of(picture: str, plot_data: dict[str, Any]) -> str:
    """Return a picture and what replaces it where scripts run, of `fit_plot` or `sample_plot`."""
    # Nothing in it may end the element, whatever a file's title says.
    data = json.dumps(plot_data, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
    return (
        f'<figure id="still">{picture}</figure><div id="plot" hidden></div>'
        f'<script type="application/json" id="plot-data">{data}</script>'
    )


@cache
def scripts() -> tuple[str, ...]:
    """What runs in the page: uPlot, then the figure."""
    return (
        (_STATIC / "uplot.min.js").read_text(encoding="utf-8").strip(),
        read_text(__file__, "plot.js"),
    )


@cache
def style() -> str:
    """The style sheets of both."""
    return (_STATIC / "uplot.min.css").read_text(encoding="utf-8") + STYLE


def fit_plot(result: FitResult, fit_count: int) -> dict[str, Any]:
    """Return data and the first `fit_count` fits with residuals for the page's script."""
    q, fits = result.curve.q, worth_showing(result.fits)[:fit_count]
    return {
        "axis": result.curve.intensity_label,
        "points": [_points(q, result.curve.intensity, result.dintensity, "data", "data", None)],
        "lines": [
            _series(q, fit.theory, fit.short_name, FITS[k], k) | {"dash": [1.4 * d for d in DASHES[k]]}
            for k, fit in enumerate(fits)
        ],
        "residuals": [
            _series(q, (result.curve.intensity - fit.theory) / result.dintensity, fit.short_name, FITS[k], k)
            for k, fit in enumerate(fits)
        ],
    }


def sample_plot(result: SampleResult) -> dict[str, Any]:
    """Return all curves, moved apart by powers of ten, and the best joint fit, for the script."""
    best, plot_data = result.best, {"axis": "I(q), moved apart", "points": [], "lines": [], "residuals": []}
    points: list[Any] = []
    lines: list[Any] = []
    residuals: list[Any] = []
    for i, curve in enumerate(result.sample.curves):
        name, colour = Path(result.sample.files[i]).name, FITS[i % len(FITS)]
        error, factor = result.dintensities[i], 10.0 ** (len(result.sample.curves) - 1 - i)
        points.append(_points(curve.q, factor * curve.intensity, factor * error, name, colour, i))
        if best is not None:
            lines.append(_series(curve.q, factor * best.theories[i], name, colour, i))
            residuals.append(_series(curve.q, (curve.intensity - best.theories[i]) / error, name, colour, i))
    return plot_data | {"points": points, "lines": lines, "residuals": residuals}


def curve_plot(curve: Curve, name: str, nearest: tuple[NDArray[Any], NDArray[Any]] | None) -> dict[str, Any]:
    """Return a curve, with a line not fitted to it (q in Å⁻¹, intensity), for the page's script."""
    error = np.zeros(len(curve)) if curve.dintensity is None else curve.dintensity
    lines = [] if nearest is None else [_series(*nearest, name, FITS[0], 0) | {"dash": []}]
    points = [_points(curve.q, curve.intensity, error, "data", "data", None)]
    return {"axis": curve.intensity_label, "points": points, "lines": lines, "residuals": []}


def _points(
    q: NDArray[Any],
    intensity: NDArray[Any],
    error: NDArray[Any],
    name: str,
    colour: str,
    curve_index: int | None,
) -> dict[str, Any]:
    return _series(q, intensity, name, colour, curve_index) | {"e": _numbers(error)}


def _series(
    q: NDArray[Any], y: NDArray[Any], name: str, colour: str, curve_index: int | None
) -> dict[str, Any]:
    """`curve_index`: which entry of the key hides it; None for none."""
    return {"name": name, "colour": colour, "of": curve_index, "q": _numbers(q), "y": _numbers(y)}


def _numbers(values: Sequence[float] | NDArray[Any]) -> list[float | None]:
    """Replace infinities, which JSON does not know, by None."""
    return [
        float(f"{v:.{_DIGITS}g}") if math.isfinite(v) else None
        for v in np.asarray(values, dtype=float).tolist()
    ]


# --- Figures of a fit report as inline SVG: data with fits, residuals below, and the tree of
# --- models.

#: Fits that are drawn; more lines would not be distinguishable.
MAX_DRAWN = len(FITS)
#: Inches: width, plot of the data, strip of residuals, margins.
_WIDTH, _PLOT, _STRIP = 9.6, 4.3, 0.8
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 0.8, 0.12, 0.1, 0.55, 0.25


def fit_figure(result: FitResult) -> str:
    """Draw data with error bars and best fits on logarithmic axes above residual strips, as ``svg``."""
    # Points off an axis or strip are triangles at its edge, so all are drawn. Groups ``fit-data`` and
    # ``fit-below`` hold a marker per point, ``fit-residual1``, ``fit-above1`` and ``fit-under1`` those of the
    # best fit's residuals, ``fit-line1`` its curve.
    from matplotlib import style
    from matplotlib.figure import Figure

    fits = worth_showing(result.fits)[:MAX_DRAWN]
    height = _TOP + _PLOT + len(fits) * (_STRIP + _GAP) + _BOTTOM
    with style.context(["default", settings("fit")]):
        figure = Figure(figsize=(_WIDTH, height))
        width = (_WIDTH - _LEFT - _RIGHT) / _WIDTH

        def panel(top: float, size: float) -> Axes:
            axes = figure.add_axes((_LEFT / _WIDTH, 1 - (top + size) / height, width, size / height))
            plain_axes(axes)
            axes.set_xscale("log")
            axes.set_xlim(*_q_limits(result.curve.q))
            label_ticks(axes.xaxis, result.curve.q[[0, -1]], decimal=True)
            return axes

        axes = panel(_TOP, _PLOT)
        _draw_data(axes, result)
        lowest = axes
        for index, fit in enumerate(fits):
            lowest.tick_params(labelbottom=False)
            lowest = panel(_TOP + _PLOT + _GAP + index * (_STRIP + _GAP), _STRIP)
            _draw_residuals(lowest, result, fit, index)
        lowest.set_xlabel("q / Å⁻¹", color=placeholder("ink"))
        if fits:
            middle = 1 - (_TOP + _PLOT + len(fits) * (_STRIP + _GAP) / 2) / height
            figure.text(
                0.012, middle, "(I − fit) / σ", rotation=90, va="center", color=placeholder("ink"), size=10
            )
        names = " and ".join(f.short_name for f in fits[:1]) or "no fit"
        label = f"Intensity against q with {names}; residuals below"
        return inline_svg(figure, "fit", label, whole=True)


def model_free_figure(result: FitResult) -> str:
    """Guinier, dimensionless Kratky and Porod plots and p(r), an ``svg`` element."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", settings("model-free")]):
        figure = Figure(figsize=(_WIDTH, 2.7))
        axes = [figure.add_axes((left_edge, 0.2, 0.18, 0.68)) for left_edge in (0.06, 0.31, 0.56, 0.81)]
        for panel in axes:
            plain_axes(panel)
        ink = Ink(placeholder("data"), placeholder("fit1"), placeholder("ink"))
        curve = replace(result.curve, dintensity=result.dintensity)
        draw_panels(axes, curve, result.model_free, ink)
        return inline_svg(figure, "model-free", "Guinier, Kratky and Porod plots of the data, and p(r)")


def tree_figure(manifest: Manifest, result: FitResult) -> str:
    """Draw the tree of models with this answer's ranks. Raises ModelZooError without a tree."""
    from matplotlib import style
    from matplotlib.figure import Figure

    rank = ranks(worth_showing(result.fits))
    inside = members_of_links(manifest)
    homes = [frozenset(group.members) for group in manifest.groups if rank.keys() & set(group.members)]
    near = frozenset().union(*homes)

    def colour(link: int) -> str:
        # What joins models of one group of this answer; above the cut a link holds models of several groups.
        return placeholder("fit1" if any(inside[link] <= home for home in homes) else "muted")

    with style.context(["default", settings("tree")]):
        height = 0.165 * len(manifest.labels) + 0.7
        figure = Figure(figsize=(_WIDTH, height))
        axes = figure.add_axes((0.02, 0.6 / height, 0.63, 1 - 0.65 / height))
        draw_tree(axes, manifest, colour, cut=placeholder("ink"))
        plain_axes(axes)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0, pad=6)
        labels = [tick.get_text() for tick in axes.get_yticklabels()]
        axes.set_yticks(
            axes.get_yticks(), [f"{name}   ◂ {rank[name]}" if name in rank else name for name in labels]
        )
        for text, name in zip(axes.get_yticklabels(), labels, strict=True):
            role = "fit1" if name in rank else "ink" if name in near else "muted"
            text.set(fontsize=8.5, color=placeholder(role), parse_math=False)
            if name in rank:
                text.set_fontweight("bold")
        axes.set_xlabel("−ln of the probability that one is taken for the other", color=placeholder("ink"))
        return inline_svg(
            figure, "tree", "Tree of the models; those that were fitted are marked with their rank"
        )


def ranks(fits: Sequence[ModelFit]) -> dict[str, str]:
    """Rank of each form model among the fits, ``1``, or ``1, 3`` where it was fitted with two S(q)."""
    names_by_kind: dict[str, list[str]] = {}
    for number, fit in enumerate(fits, start=1):
        names_by_kind.setdefault(fit.model, []).append(str(number))
    return {model: ", ".join(numbers) for model, numbers in names_by_kind.items()}


def _draw_data(axes: Axes, result: FitResult) -> None:
    q, intensity, error = result.curve.q, result.curve.intensity, result.dintensity
    ink, positive = placeholder("data"), intensity > 0
    is_shown = np.ones(q.size, dtype=bool)
    if positive.any():
        # A few points that scatter down to zero would squeeze the rest.
        low = 0.5 * float(np.percentile(intensity[positive], 1))
        high = 1.6 * float(np.max(intensity[positive]))
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        label_ticks(axes.yaxis, np.array([low, high]), decimal=False)
        is_shown = intensity > low
        floor = 1e-3 * low
    else:
        floor = -np.inf
    ends = np.maximum(np.column_stack([intensity - error, intensity + error])[is_shown], floor)
    bars = axes.plot(*_segments(q[is_shown], ends), color=ink, linewidth=0.7, alpha=0.6)
    markers = axes.plot(
        q[is_shown], intensity[is_shown], "o", color=ink, markersize=3, markeredgewidth=0, clip_on=False
    )
    below = axes.plot(
        q[~is_shown], np.zeros(np.sum(~is_shown)), "v", color=ink, markersize=4, markeredgewidth=0,
        transform=axes.get_xaxis_transform(), clip_on=False,
    )  # fmt: skip
    for (line,), name in ((bars, "bars"), (markers, "data"), (below, "below")):
        line.set_gid(name)
    # The best is drawn last, on top of the others.
    for index, fit in reversed(list(enumerate(worth_showing(result.fits)[:MAX_DRAWN]))):
        theory = np.where(fit.theory > 0, fit.theory, np.nan) if positive.any() else fit.theory
        (line,) = axes.plot(q, theory, color=placeholder(FITS[index]), linewidth=1.9 if index == 0 else 1.4)
        if DASHES[index]:
            line.set_dashes(DASHES[index])
        line.set_gid(f"line{index + 1}")
    axes.set_ylabel(result.curve.intensity_label, color=placeholder("ink"), parse_math=False)


def _draw_residuals(axes: Axes, result: FitResult, fit: ModelFit, index: int) -> None:
    q = result.curve.q
    residual = (result.curve.intensity - fit.theory) / result.dintensity
    finite = np.abs(residual[np.isfinite(residual)])
    bound = 1.15 * max(3.0, float(np.percentile(finite, 98)) if finite.size else 0.0)
    # Not a number counts as beyond all bounds, so that it is seen.
    residual = np.nan_to_num(residual, nan=np.inf)
    beyond = np.abs(residual) > bound
    colour = placeholder(FITS[index])
    axes.axhspan(-2, 2, color=placeholder("line"), alpha=0.45, linewidth=0)
    axes.axhline(0, color=placeholder("muted"), linewidth=0.8)
    for part, marker, size, name in (
        (~beyond, "o", 2.6, "residual"),
        (beyond & (residual > 0), "^", 4, "above"),
        (beyond & (residual < 0), "v", 4, "under"),
    ):
        (line,) = axes.plot(
            q[part], np.clip(residual[part], -bound, bound), marker, color=colour, markersize=size,
            markeredgewidth=0, clip_on=False,
        )  # fmt: skip
        line.set_gid(f"{name}{index + 1}")
    axes.set_ylim(-bound, bound)
    tick = _round_below(0.75 * bound)
    axes.set_yticks([-tick, 0, tick], [f"−{tick:g}", "0", f"{tick:g}"])
    axes.text(
        0, 1.05, f"{index + 1} · {fit.short_name}", transform=axes.transAxes, va="bottom", size=9,
        weight="bold", color=colour, parse_math=False,
    )  # fmt: skip


def _segments(q: NDArray[Any], ends: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """One line through all error bars, lifted between them: a tenth of the size of a line for each."""
    gap = np.full(q.size, np.nan)
    return np.column_stack([q, q, gap]).ravel(), np.column_stack([ends, gap]).ravel()


def _q_limits(q: NDArray[Any]) -> tuple[float, float]:
    margin = (q[-1] / q[0]) ** 0.02 if q[-1] > q[0] else 1.1
    return float(q[0] / margin), float(q[-1] * margin)


def _round_below(value: float) -> float:
    power = 10 ** np.floor(np.log10(value))
    return float(next(m for m in (5, 2, 1) if m * power <= value) * power)


def label_ticks(axis: Any, ends: NDArray[Any], *, decimal: bool) -> None:
    """Labels at decades where there are two of them or more, else also between them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    decades = float(np.log10(ends[1] / ends[0])) if ends[1] > ends[0] else 0.0
    if decades < 0.5:
        axis.set_major_locator(MaxNLocator(5))
    else:
        subs = (1.0,) if decades > 2.2 else (1.0, 2.0, 5.0) if decades > 1 else (1.0, 2.0, 3.0, 5.0, 7.0)
        axis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axis.set_minor_locator(LogLocator(subs=[float(n) for n in range(1, 10)], numticks=200))

    def label(value: float, _: object) -> str:
        power = int(np.floor(np.log10(value) + 1e-9))
        if -4 <= power <= 4 and (decimal or decades <= 2.2):
            return f"{value:.4g}"
        factor = value / 10.0**power
        return f"10{superscript(power)}" if abs(factor - 1) < 1e-6 else f"{factor:.3g}×10{superscript(power)}"

    axis.set_major_formatter(FuncFormatter(label))
    axis.set_minor_formatter(NullFormatter())


#: Pixels an inch, and what `document` gives every figure at least.
_PIXELS, _NARROWEST = 120, 620


def posterior_section(fits: tuple[ModelFit, ...]) -> str:
    """A section for the best fit's posterior; empty where it has none."""
    if not fits or fits[0].posterior is None:
        return ""
    posterior = fits[0].posterior
    left_out = len(posterior.names) - len(select_drawn_names(fits[0]))
    more_text = f" {left_out} more parameters are in the table." if left_out else ""
    trust = (
        f"The chains agree (Gelman-Rubin R {posterior.gelman_rubin:.2f})."
        if posterior.converged
        else f"<strong>The chains have not converged</strong> (Gelman-Rubin R {posterior.gelman_rubin:.2f})."
    )
    return (
        "<section><h2>Posterior of the best fit</h2>"
        f'<figure style="max-width: {_width(fits[0])}px">{corner_svg(fits[0])}</figure>'
        f'<p class="small">{posterior.draws} samples by DREAM. Dashed: 95 % credible interval; contours hold'
        f" 68 and 95 % of the samples; lines cross at the best fit.{more_text} {trust} All this holds if the"
        " model"
        " is right and the uncertainties of the data are.</p></section>"
    )


def _width(fit: ModelFit) -> int:
    return max(round(_PIXELS * (MARGIN + PANEL * len(select_drawn_names(fit)))), _NARROWEST)


def corner_svg(fit: ModelFit) -> str:
    """Draw a posterior as ``svg`` with a group ``corner-panel-ROW-COLUMN`` for each pair of parameters."""
    from matplotlib import style
    from matplotlib.figure import Figure

    side = MARGIN + PANEL * len(select_drawn_names(fit))
    with style.context(["default", settings("corner")]):
        figure = Figure(figsize=(side, side))
        draw_corner(figure, fit, ink=placeholder("ink"), fill=placeholder("fit1"), muted=placeholder("muted"))
        for axes in figure.axes:
            axes.patch.set_visible(False)
        return inline_svg(figure, "corner", f"Posterior of the parameters of {fit.name}")


# --- Tables of a fit report: ranking, parameters, and what made the page.

#: Programs whose versions decide what comes out.
_PROGRAMS = ("sasmodels", "bumps", "onnxruntime", "numpy", "scipy")
#: Where each model's equations and the papers behind them are.
_MODEL_PAGE = "https://www.sasview.org/docs/user/models/{}.html"


def key(fits: Sequence[ModelFit]) -> str:
    """Which line is which model."""
    items = "".join(
        f'<span>{swatch(i)}<span class="name">{escape(fit.short_name)}</span></span>'
        for i, fit in enumerate(fits[: len(FITS)])
    )
    return f'<div class="key">{items}</div>' if items else ""


def swatch(index: int) -> str:
    """A short piece of a fit's line; nothing for a fit that is not drawn."""
    if index >= len(FITS):
        return ""
    dashes = f' stroke-dasharray="{" ".join(f"{1.4 * d:g}" for d in DASHES[index])}"' if DASHES[index] else ""
    return (
        '<svg class="swatch" viewBox="0 0 30 8" aria-hidden="true">'
        f'<line x1="0" x2="30" y1="4" y2="4" style="stroke: var(--{FITS[index]})"{dashes}/></svg>'
    )


def ranking(fits: Sequence[ModelFit]) -> str:
    """One row for each fit, its warnings below it; empty where there is no fit."""
    if not fits:
        return ""
    lowest = min(fit.bic for fit in fits)
    head = "".join(
        f'<th scope="col" class="{style}">{name}</th>'
        for name, style in (
            ("", "number"), ("Model", ""), ("S(q)", ""), ("Weight", ""), ("Reduced χ²", "number"),
            ("BIC", "number"), ("ΔBIC", "number"), ("Fitted parameters", "number"),
            ("Network", "number"),
        )
    )  # fmt: skip
    rows = "".join(_rank_row(number, fit, lowest) for number, fit in enumerate(fits, start=1))
    return (
        f'<section><h2>Ranking</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        '<p class="small">Weight: share among these fits of the marginal likelihood times how common the'
        " model is; where no model fits the curve, times what the network gave its group (last column:"
        " the model). BIC = χ² + k ln n for k parameters fitted to n points is there for comparison with"
        " other programs and decides nothing.</p></section>"
    )


def _rank_row(number: int, fit: ModelFit, lowest: float) -> str:
    factor = f'<span class="name">{escape(fit.structure_factor)}</span>' if fit.structure_factor else "none"
    share = 100 * min(max(fit.weight, 0.0), 1.0)
    bar = f'<span class="share"><i style="width:{share:.1f}%"></i></span>'
    name = f'{swatch(number - 1)}<a href="#parameters-{number}" class="name">{escape(fit.short_model)}</a>'
    figures = (
        chisq_text(fit.reduced_chisq), f"{fit.bic:.1f}", f"{fit.bic - lowest:.1f}", str(len(fit.free)),
        _fraction(fit.probability),
    )  # fmt: skip
    cells = "".join(f'<td class="number">{figure}</td>' for figure in figures)
    row = (
        f'<tr{" class=warned" if fit.warnings else ""}><td class="number">{number}</td><td>{name}</td>'
        f"<td>{factor}</td><td>{bar}{_fraction(fit.weight)}</td>{cells}</tr>"
    )
    if fit.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in fit.warnings)
        row += f'<tr class="warning"><td colspan="9"><ul>{items}</ul></td></tr>'
    return row


def _fraction(value: float) -> str:
    return "&lt; 0.001" if 0 <= value < 0.0005 else f"{value:.3f}"


def parameter_tables(fits: Sequence[ModelFit]) -> str:
    """Parameters of each fit; the best one's are open, the others' behind their names."""
    if not fits:
        return ""
    tables = []
    # The id is inside: a browser opens what it must to show the target of a link.
    for number, fit in enumerate(fits, start=1):
        head = _parameter_head(fit)
        rows = "".join(_parameter_row(name, p, fit) for name, p in drop_unused(fit.parameters).items())
        tables.append(
            f"<details{' open' if number == 1 else ''}>"
            f'<summary>{number} {swatch(number - 1)}<span class="name">{escape(fit.short_name)}</span>'
            "</summary>"
            f'<div class="wide" id="parameters-{number}"><table class="parameters">'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{_describe_fitter(fit)}</details>"
        )
    return (
        f"<section><h2>Parameters</h2>{''.join(tables)}"
        f'<p class="small">{NAMES}</p>'
        '<p class="small">± is one standard deviation, from the curvature of χ² at the best fit, with two'
        " significant digits (JCGM 100:2008, 7.2.6). It holds if the model is right and the uncertainties of"
        " the data are; of the first fit also whatever width, exponent or resolution is not known. Fixed"
        " parameters were not fitted: they were given, or the data do not determine them.</p>"
        "</section>"
    )


def _describe_fitter(fit: ModelFit) -> str:
    return f'<p class="small">Fitted by {escape(fit.fitter)}.</p>' if fit.fitter else ""


def _parameter_head(fit: ModelFit) -> str:
    names = [("Parameter", ""), ("Value", "number"), ("Unit", ""), ("Fitted within", "")]
    if fit.posterior is not None:
        names.insert(2, ("95 % interval", "number"))
    return "".join(f'<th scope="col" class="{style}">{name}</th>' for name, style in names)


def _parameter_row(name: str, p: Parameter, fit: ModelFit) -> str:
    label = f'<span class="name">{escape(name)}</span>'
    if kind := distribution_of(fit, name, ""):
        label += f' <span class="small">relative width, {escape(kind)}</span>'
    value = escape(format_with_error(p.value, None if p.fixed else p.error))
    if p.fixed:
        within = '<span class="tag">fixed</span>'
    else:
        within = f'<span class="small">{_range(p.low, p.high)}</span>'
        if p.error is None:
            value += ' <span class="small">± unknown</span>'
    return (
        f"<tr{' class=fixed' if p.fixed else ''}><td>{label}</td>"
        f'<td class="number">{value}</td>{_interval(name, fit)}'
        f"<td>{escape(unit_text(p.unit))}</td><td>{within}</td></tr>"
    )


def _interval(name: str, fit: ModelFit) -> str:
    """The cell of the credible interval, empty where it was not fitted; no cell without a posterior."""
    if fit.posterior is None:
        return ""
    if name not in fit.posterior.names:
        return '<td class="number"></td>'
    low, high = fit.posterior.interval95[name]
    return f'<td class="number">{interval(low, high)}</td>'


def _range(low: float, high: float) -> str:
    if not math.isfinite(low):
        return "no limit" if not math.isfinite(high) else f"at most {significant(high, 4)}"
    if not math.isfinite(high):
        return f"at least {significant(low, 4)}"
    return f"{significant(low, 4)} to {significant(high, 4)}"


def _digest(result: FitResult) -> str:
    digest = hashlib.sha256()
    for column in (result.curve.q, result.curve.intensity, result.dintensity):
        digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    return digest.hexdigest()


def _select_documented(result: FitResult, groups: Manifest) -> list[str]:
    """Forms and structure factors of the fits that the network knows: sasmodels' own."""
    known_names = {label for head in groups.heads if isinstance(head, Classes) for label in head.labels}
    names = [str(name) for fit in result.fits for name in (fit.model, fit.structure_factor)]
    return list(filter(known_names.__contains__, dict.fromkeys(names)))


def make_footer(result: FitResult, groups: Manifest, origin: str = "") -> str:
    """How to cite, which versions made the page, when and by which command, and from which numbers."""
    from ... import __version__

    origin_text = f"{escape(origin)}. " if origin else ""
    versions = {"sasnet_plugin": __version__} | {name: _version(name) for name in _PROGRAMS}
    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    sentence = (
        f"Models were suggested, fitted and ranked with sasnet_plugin {__version__} (a neural network trained"
        f" on simulated curves of {len(groups.labels)} models), sasmodels {versions['sasmodels']} and"
        f" bumps {versions['bumps']}."
    )
    pages = ", ".join(
        f'<a href="{_MODEL_PAGE.format(name)}">{escape(name)}</a>'
        for name in _select_documented(result, groups)
    )
    models = f"<p>The papers behind each model are named on its page: {pages}.</p>" if pages else ""
    return (
        "<footer><h2>How to cite</h2>"
        f"<p>“{escape(sentence)}”</p>{models}"
        '<p>How sasmodels and bumps wish to be cited: <a href="https://www.sasview.org">sasview.org</a>,'
        ' <a href="https://bumps.readthedocs.io">bumps.readthedocs.io</a>.</p>'
        f'<p class="small">{origin_text}Data: sha256 of q, I and its error {_digest(result)[:16]}; I in the'
        " unit"
        f" of the file. Made with {escape(listed)}. Network {escape(groups.name)}, training data"
        f" {escape(groups.data_hash[:16])}.</p></footer>"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


# --- One HTML page for a classified curve: data with the nearest simulated curve, sentences and the
# --- table.

#: What an answer's lesser sentences begin with.
_NOTE = "Note: "


def write_classified(curve: Curve, answer: Answer, folder: Path, command: str = "") -> Path:
    """Write the page of one curve with the next command, if any. Raises SasnetError if that fails."""
    page = Path(folder) / make_page_name(curve, folder)
    return document.write_page(page, make_page(curve, answer, command))


def make_page_name(curve: Curve, folder: Path) -> str:
    return document.page_name(folder, curve.file, curve.entry, _curve_identity(curve), default="curve")


def _curve_identity(curve: Curve) -> str:
    return document.identity(curve.file, curve.entry, curve.q, curve.intensity)


def make_page(curve: Curve, answer: Answer, command: str = "") -> str:
    file = Path(curve.file).name
    title = curve.entry or file or "Curve"
    source = f'<p class="source"><bdi>{escape(file)}</bdi></p>' if file and file != title else ""
    first, paragraph, notes = _sentences(answer, command)
    sure = answer.known and not (answer.q_unit and answer.q_unit.doubt)
    body = f"""<header>
<p class="eyebrow">Small-angle scattering · classified by sasnet</p>
<h1><bdi>{escape(title)}</bdi></h1>
{source}
{document.verdict(f"<strong>{first}</strong>", paragraph, level="" if sure else "doubt")}
</header>
<section><h2>Data</h2>
{_figure(curve, answer)}
</section>
{document.notes(notes)}
{_table(answer)}"""
    return document.document(
        f"{title} · sasnet", body, identity=_curve_identity(curve), scripts=scripts(), style=style()
    )


def _sentences(answer: Answer, command: str) -> tuple[str, str, list[str]]:
    """The first sentence and the others, as HTML, and the notes as they are."""
    first, *more_sentences = answer.sentences()
    notes = [sentence.removeprefix(_NOTE) for sentence in more_sentences if sentence.startswith(_NOTE)]
    sentences = [escape(sentence) for sentence in more_sentences if not sentence.startswith(_NOTE)]
    if unit := str(answer.q_unit or ""):
        sentences.append(escape(f"{unit}."))
    if command:
        sentences.append(f"Next, to fit what is likely: <code>{escape(command)}</code>")
    return escape(first), "<br>".join(sentences), notes


def _figure(curve: Curve, answer: Answer) -> str:
    name, nearest = _nearest(curve, answer)
    lines = [] if nearest is None else [nearest]
    figure = picture([Drawn(curve.q, curve.intensity, curve.dintensity, lines)], "Intensity against q")
    figure = figure.replace(COLOURS[0], f"var(--{FITS[0]})").replace("currentColor", "var(--ink)")
    key = (
        f'<div class="key"><span>{swatch(0)}<span class="name">{escape(name)}</span>, nearest simulated'
        " curve, not fitted</span></div>"
        if lines
        else ""
    )
    return f"{key}{figure_of(figure, curve_plot(curve, name, nearest))}"


def _nearest(curve: Curve, answer: Answer) -> tuple[str, tuple[NDArray[Any], NDArray[Any]] | None]:
    """The likeliest model, and its nearest simulated curve; None where there is none."""
    finding, bank = answer.finding(ClassesFinding), open_bank()
    if finding is None or not finding.classes:
        return "", None
    best = finding.classes[0]
    factor = next((label for label, _ in best.given.values()), "")
    name = "@".join(filter(None, (best.name, factor)))
    return name, None if bank is None else nearest_simulated(curve, best.name, factor or None, bank)


def _table(answer: Answer) -> str:
    return "".join(_section(rows) for finding in answer.findings if (rows := finding.rows()))


def _section(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows[1:])
    return (
        f'<section><h2>{escape(rows[0][0].capitalize())}s</h2><div class="wide"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div></section>"
    )


# --- One HTML page for a fitted data set: self-contained, in light and dark, safe whatever a title
# --- says.


def write_report(
    result: FitResult, folder: Path, *, groups: Manifest | None = None, origin: str = "", tree: bool = False
) -> Path:
    """Write the page of a data set and return its path; the same data get the same name, others never."""
    # `groups` defaults to the shipped network, `made` says when and by which command, `tree` adds all models.
    # Raises SasnetError if it cannot be written, ModelZooError if that network is missing or damaged.
    text = page(result, open_model().manifest if groups is None else groups, origin, tree=tree)
    return document.write_page(Path(folder) / page_name(result.curve, folder), text)


def page_name(curve: Curve, folder: Path) -> str:
    return document.page_name(folder, curve.file, curve.entry, _curve_identity(curve), default="curve")


def page(result: FitResult, groups: Manifest, origin: str = "", *, tree: bool = False) -> str:
    curve = result.curve
    file = Path(curve.file).name
    title = curve.entry or file or "Curve"
    source = f'<p class="source"><bdi>{escape(file)}</bdi></p>' if file and file != title else ""
    body = f"""<header>
<p class="eyebrow">Small-angle scattering · models fitted by sasnet</p>
<h1><bdi>{escape(title)}</bdi></h1>
{source}
{_verdict(result)}
{_facts(result)}
</header>
<section>
<h2>Data and fits</h2>
{key(worth_showing(result.fits))}
{figure_of(fit_figure(result), fit_plot(result, MAX_DRAWN))}
<p class="small">Error bars are one standard deviation. Shaded: residuals within 2 σ.{_caption(result)}
{_download(result)}</p>
</section>
{document.notes((*_describe_verification(result), *curve.notes, *result.notes))}
{_make_model_free_section(result)}
{ranking(worth_showing(result.fits))}
{parameter_tables(worth_showing(result.fits))}
{posterior_section(result.fits)}
{_groups(result, groups, tree=tree)}
{make_footer(result, groups, origin)}"""
    return document.document(
        f"{title} · fits by sasnet", body, identity=_curve_identity(curve), scripts=scripts(), style=style()
    )


def _make_model_free_section(result: FitResult) -> str:
    text = "".join(f"<p>{escape(line)}</p>" for line in lines(result.model_free))
    return (
        f"<section><h2>Without a model</h2>{text}<figure>{model_free_figure(result)}</figure>"
        '<p class="small">Guinier: dashed, the law; solid, with the terms after it, over the range used.'
        " Kratky: dotted, the maximum of Guinier's law, near which compact bodies have theirs; chains rise to"
        " 2. Porod: level where"
        " the interfaces are sharp. Pair distances: p(r) with one standard deviation; dotted, the largest"
        " distance.</p></section>"
    )


def _verdict(result: FitResult) -> str:
    verdict = result.verdict
    level = {EXPLAINS: "", DOUBTS: "doubt", DOES_NOT: "wrong"}[verdict.level]
    cautions = [f"Caution: {escape(verdict.doubt)}"] if verdict.doubt else []
    code, purpose = _next(verdict)
    if code:
        cautions.append(f"Next, {escape(purpose)}: <code>{escape(_strip_folders(code))}</code>")
    return document.verdict(
        f"<strong>{escape(verdict.headline)}</strong>", "<br>".join(cautions), level=level
    )


def _next(verdict: Verdict) -> tuple[str, str]:
    """The command that is next, and why; in a report none that would write one, but what follows upon it."""
    if verdict.purpose != TO_LOOK:
        return verdict.next, verdict.purpose
    report = f"--report {PAGES}"
    return (
        (verdict.next.replace(report, f"--export {EXPORTS}"), TO_GO_ON)
        if report in verdict.next
        else ("", "")
    )


def _strip_folders(command: str) -> str:
    """A command with the names of its files alone: where they lie is nobody else's business."""
    if not command.startswith("sasnet "):  # a line of Python, which names no folder
        return command
    words = [
        ",".join(PurePath(name).name for name in word.split(",")) if "/" in word else word
        for word in shlex.split(command)
    ]
    return shlex.join(words)


def _describe_verification(result: FitResult) -> list[str]:
    """How the best fit was verified, what is doubted less, and how many fits are too far off to be shown."""
    sentences = list(result.verdict.doubts[1:])
    if result.verification is not None:
        sentences.append(result.verification.describe())
    far = len(result.fits) - len(worth_showing(result.fits))
    if far:
        sentences.append(
            f"{far} more {'models were' if far > 1 else 'model was'} fitted, with χ² more than 100"
            f" times the smallest, {'are' if far > 1 else 'is'} not shown."
        )
    return sentences


def _facts(result: FitResult) -> str:
    curve = result.curve
    facts = {"Points": str(len(curve))}
    if len(curve):
        facts["q range"] = f"{significant(curve.q[0], 3)} to {significant(curve.q[-1], 3)} Å⁻¹"
        facts["Unit of q"] = curve.q_unit.cell_text
        if curve.intensity_unit:
            facts["Unit of I"] = curve.intensity_unit
    facts["Resolution"] = _resolution(curve)
    facts["Uncertainties"] = "estimated" if curve.dintensity is None else "as measured"
    return document.facts(facts)


def _download(result: FitResult) -> str:
    """A link to the columns of the figure as CSV, which lies within the page."""
    curve = result.curve
    columns = {"q_per_angstrom": curve.q, "intensity": curve.intensity, "dintensity": result.dintensity}
    if curve.dq is not None:
        columns["dq_per_angstrom"] = curve.dq
    columns |= {fit.short_name: fit.theory for fit in worth_showing(result.fits)[:MAX_DRAWN]}
    lines = [
        ",".join(columns),
        *(",".join(f"{v:.7g}" for v in row) for row in zip(*columns.values(), strict=True)),
    ]
    data = b64encode("\n".join(lines).encode()).decode()
    name = f"{document.plain(Path(curve.file).stem) or 'curve'}.csv"
    return f'<a download="{name}" href="data:text/csv;base64,{data}">Data and fits as CSV</a>'


def _resolution(curve: Curve) -> str:
    if curve.has_slit:
        return "slit"
    if curve.dq is None or not np.any(curve.dq > 0):
        return "not given"
    return f"pinhole, median Δq/q {significant(100 * float(np.median(curve.dq / curve.q)), 2)} %"


def _caption(result: FitResult) -> str:
    count = int(np.sum(result.curve.intensity <= 0))
    left_out = f" The best {MAX_DRAWN} fits are drawn." if len(worth_showing(result.fits)) > MAX_DRAWN else ""
    if count == 0 or count == len(result.curve):
        return left_out
    points_text = "1 point with I ≤ 0 is" if count == 1 else f"{count} points with I ≤ 0 are"
    return f" {points_text} marked by triangles on the lower edge; the fits use them.{left_out}"


def _groups(result: FitResult, groups: Manifest, *, tree: bool) -> str:
    if not result.fits:
        return ""
    own_members: dict[str, list[str]] = {}
    for model in dict.fromkeys(fit.short_model for fit in worth_showing(result.fits)):
        home = next((g.name for g in groups.groups if model in g.members), "")
        own_members.setdefault(home, []).append(model)
    sizes = {g.name: len(g.members) for g in groups.groups}
    items = []
    for home, models in own_members.items():
        names = ", ".join(f'<span class="name">{escape(m)}</span>' for m in models)
        if not home:
            items.append(f"<li>{names}: not among the models that the network knows.</li>")
        elif sizes[home] == 1:
            items.append(f"<li>{names}: alone.</li>")
        else:
            items.append(f"<li>{names}: in the group “{escape(home)}” of {sizes[home]} models.</li>")
    try:
        figure = f"<figure>{tree_figure(groups, result)}</figure>" if tree else ""
    except ModelZooError:  # a network without a tree still has groups
        figure = ""
    return (
        "<section><h2>Models that data rarely distinguish</h2>"
        "<p>Models of one group give curves so alike that data of this kind seldom decide between them: "
        "where one fits, consider the others of its group.</p>"
        f'<ul class="notes">{"".join(items)}</ul>{figure}'
        + (
            '<p class="small">Branches that meet right of the dotted line are one group. Marked ◂: the models'
            " of this answer with their rank.</p>"
            if figure
            else ""
        )
        + "</section>"
    )


# --- One HTML page for several curves of one sample, fitted together: curves, residuals, shared and
# --- own.

#: Inches.
_SAMPLE_WIDTH, _SAMPLE_PLOT, _SAMPLE_STRIP = 9.6, 4.6, 0.75
#: A curve's fit is drawn this much darker than its points.
_POINTS = 0.55
#: Joint fits that are listed.
_MOST = 10
_LEVEL = {EXPLAINS: "", DOUBTS: "doubt", DOES_NOT: "wrong"}


def write_sample_report(result: SampleResult, folder: Path) -> Path:
    """Write the page of a sample under a lasting name. Raises SasnetError on failure."""
    return document.write_page(Path(folder) / sample_page_name(result, folder), sample_page(result))


def sample_page_name(result: SampleResult, folder: Path) -> str:
    """Name of a sample's page in a folder."""
    first = result.sample.curves[0]
    return document.page_name(folder, first.file, "together", _sample_identity(result), default="sample")


def _sample_identity(result: SampleResult) -> str:
    columns = [c for curve in result.sample.curves for c in (curve.q, curve.intensity)]
    return document.identity(result.sample.curves[0].file, "together", *columns)


def sample_page(result: SampleResult) -> str:
    files = [Path(name).name for name in result.sample.files]
    title = f"{len(files)} curves of one sample"
    verdict = result.verdict
    cautions = [f"Caution: {escape(verdict.doubt)}"] if verdict.doubt else []
    single_items = "".join(
        f"<li><bdi>{escape(name)}</bdi> alone: {escape(single.headline)}</li>"
        for name, single in zip(files, result.singles, strict=False)
    )
    if result.as_one is not None:
        single_items = f"<li>All settings as one curve: {escape(result.as_one.headline)}</li>"
    headline = f"<strong>{escape(verdict.headline)}</strong>"
    heading = "Each curve alone" if result.as_one is None else "Before they were fitted together"
    if single_items:
        single_items = f'<section><h2>{heading}</h2><ul class="notes">{single_items}</ul></section>'
    body = f"""<header>
<p class="eyebrow">Small-angle scattering · fitted together by sasnet</p>
<h1>{title}</h1>
<p class="source"><bdi>{escape(", ".join(files))}</bdi></p>
{document.verdict(headline, "<br>".join(cautions), level=_LEVEL[verdict.level])}
</header>
<section><h2>Curves and the best fit</h2>
{_key(files)}
{figure_of(sample_figure(result), sample_plot(result))}
<p class="small">Error bars are one standard deviation. Each curve is multiplied by the power behind its name.
Shaded: residuals within 2 σ.</p></section>
{document.notes(result.remarks)}
{_ranking(result)}
{_parameters(result, files)}
{single_items}"""
    return document.document(
        f"{title} · fits by sasnet", body, identity=_sample_identity(result), scripts=scripts(), style=style()
    )


def _key(files: list[str]) -> str:
    items = "".join(
        f"<span>{swatch(i % len(FITS))}<bdi>{escape(name)}</bdi></span>" for i, name in enumerate(files)
    )
    return f'<div class="key">{items}</div>'


def sample_figure(result: SampleResult) -> str:
    """Draw all curves, moved apart, with the best joint fit, above residual strips."""
    from matplotlib import style as rc
    from matplotlib.figure import Figure

    curves, best = result.sample.curves, result.best
    height = _SAMPLE_PLOT + _SAMPLE_STRIP * len(curves) + 0.9
    low, high = min(c.q[0] for c in curves), max(c.q[-1] for c in curves)
    with rc.context(["default", settings("sample")]):
        figure = Figure(figsize=(_SAMPLE_WIDTH, height))
        grid = figure.add_gridspec(
            1 + len(curves), 1, height_ratios=[_SAMPLE_PLOT] + [_SAMPLE_STRIP] * len(curves), hspace=0.12,
            left=0.08, right=0.99, top=0.985, bottom=0.55 / height,
        )  # fmt: skip
        above = figure.add_subplot(grid[0])
        for i, curve in enumerate(curves):
            factor = 10.0 ** (len(curves) - 1 - i)
            colour = placeholder(FITS[i % len(FITS)])
            error = result.dintensities[i] * factor
            above.errorbar(
                curve.q, curve.intensity * factor, np.minimum(error, np.abs(curve.intensity) * factor * 0.99),
                fmt="o", color=colour, markersize=2.6, elinewidth=0.6, alpha=_POINTS, markeredgewidth=0,
            )  # fmt: skip
            if best is not None:
                above.plot(curve.q, best.theories[i] * factor, color=colour, linewidth=1.6)
            moved = f"  ×10{_power(len(curves) - 1 - i)}" if i < len(curves) - 1 else ""
            label = f"{Path(result.sample.files[i]).name}{moved}"
            above.text(
                0.985, 0.96 - 0.055 * i, label, transform=above.transAxes, ha="right", va="top", size=9,
                color=colour, parse_math=False,
            )  # fmt: skip
        above.set_yscale("log")
        above.set_ylabel("I(q), moved apart", color=placeholder("ink"))
        axes_drawn = [above]
        for i in range(len(curves)):
            axes_drawn.append(figure.add_subplot(grid[1 + i]))
            _residuals(axes_drawn[-1], result, i)
        for axes in axes_drawn:
            plain_axes(axes)
            axes.set_xscale("log")
            axes.set_xlim(low / 1.05, high * 1.05)
            axes.tick_params(labelbottom=axes is axes_drawn[-1])
        axes_drawn[-1].set_xlabel("q / Å⁻¹", color=placeholder("ink"))
        return inline_svg(figure, "sample", "Curves of one sample with their joint fit", whole=True)


def _power(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _residuals(axes: Axes, result: SampleResult, i: int) -> None:
    axes.axhspan(-2, 2, color=placeholder("line"), alpha=0.45, linewidth=0)
    axes.axhline(0, color=placeholder("muted"), linewidth=0.8)
    if result.best is None:
        return
    curve = result.sample.curves[i]
    residual = (curve.intensity - result.best.theories[i]) / result.dintensities[i]
    bound = 1.15 * max(3.0, float(np.percentile(np.abs(residual), 98)))
    axes.plot(
        curve.q, np.clip(residual, -bound, bound), "o", color=placeholder(FITS[i % len(FITS)]),
        markersize=2.4,
        markeredgewidth=0,
    )  # fmt: skip
    axes.set_ylim(-bound, bound)


def _row(cells: list[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _ranking(result: SampleResult) -> str:
    head, rows = summaries.ranking(result, _MOST)
    return (
        f'<section><h2>Ranking</h2><div class="wide"><table><thead>{_row(head, "th")}</thead><tbody>'
        f"{''.join(map(_row, rows))}</tbody></table></div></section>"
    )


def _parameters(result: SampleResult, files: list[str]) -> str:
    best = result.best
    if best is None:
        return ""
    shared, own_rows = ("".join(map(_row, rows(best))) for rows in (summaries.list_shared, summaries.own))
    return (
        f"<section><h2>What all curves share: {escape(best.name)}</h2><div class='wide'><table><tbody>"
        f"{shared}</tbody></table></div></section><section><h2>What each has of its own</h2>"
        "<div class='wide'><table>"
        f"<thead>{_row(['', *files], 'th')}</thead><tbody>{own_rows}</tbody></table></div></section>"
    )
