"""Figures by matplotlib: curves with their models, fits with residuals, posteriors, sheets, trees of models.

Besides, a curve in one line of text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..digits import format_with_error, significant
from ..files import write_figure
from ..fitting.result.fit_result import FitResult
from ..fitting.result.model_fit import ModelFit
from ..model_free import Guinier, Kratky, ModelFree, PairDistances, Porod
from ..names import make_shown_name
from ..predict import Answer
from ..predict.classes import ClassesFinding, percent
from ..types import Curve, Image, ModelZooError, SasnetError
from ..zoo import Manifest, bank_path
from .canvas import axes_of, day
from .figure import CurvePlot, add_legend, data_plot, draw_figure, draw_plot, fit_plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..simulate.bank import Bank


# --- A sheet of many curves: each small, with the curve of its likeliest model drawn through the
# --- data.

#: Curves beside each other, and inches of each.
COLUMNS, WIDTH, HEIGHT = 4, 3.3, 2.5
#: Characters of a file's name above its curve, and points of it that are drawn.
_NAME, _POINTS = 38, 200
#: Below all of them.
_FOOT = (
    "q / Å⁻¹ (across), I (upwards), logarithmic; line: the likeliest model's nearest simulated curve, no fit"
)


def sheet(pairs: Sequence[tuple[Any, Answer]]) -> Any:
    """Draw a figure with a cell for each (Curve, Answer)."""
    from matplotlib.figure import Figure

    rows = -(-len(pairs) // COLUMNS)
    # Margins by hand: matplotlib takes a minute to find them for eighty cells.
    figure = Figure(figsize=(WIDTH * COLUMNS, HEIGHT * rows))
    top, bottom = 1 - 0.4 / (HEIGHT * rows), 0.5 / (HEIGHT * rows)
    figure.subplots_adjust(0.05, bottom, 0.99, top, wspace=0.22, hspace=0.55)
    bank = open_bank()
    for number, (curve, answer) in enumerate(pairs, start=1):
        axes = figure.add_subplot(rows, COLUMNS, number)
        title, plot = describe_best(curve, answer, bank)
        data = plot.points[0]
        thin = slice(None, None, max(1, data.q.size // _POINTS))
        points = replace(data, q=data.q[thin], y=data.y[thin], error=None)
        draw_plot(axes, replace(plot, axis="", points=(points,)), day)
        axes.set_title(title, fontsize=7, color="0.1" if answer.known else "0.45")
        axes.set_xlabel("")
        axes.tick_params(labelsize=6, pad=1)
        axes.minorticks_off()
    figure.text(0.5, 0.1 / (HEIGHT * rows), _FOOT, ha="center", fontsize=8)
    return figure


def describe_best(curve: Curve, answer: Answer, bank: Bank | None) -> tuple[str, CurvePlot]:
    """The curve with the likeliest model's nearest curve in the bank; names of both in two lines."""
    name = make_shown_name(curve.file, curve.entry)
    name = name if len(name) <= _NAME else f"{name[: _NAME - 9]}…{name[-8:]}"
    finding = answer.finding(ClassesFinding)
    best = finding.classes[0] if finding and finding.classes else None
    text, model, nearest = "no answer", "", None
    if best is not None:
        factor = next((label for label, _ in best.given.values()), "")
        model = "@".join(filter(None, (best.name, factor)))
        text = f"{model} {percent(best.probability)}"
        nearest = None if bank is None else nearest_simulated(curve, best.name, factor or None, bank)
        if nearest is None and bank is not None:
            text += "; none of its curves is near"
    condition = "" if answer.known else "if any known model: "
    return _plain(f"{name}\n{condition}{text}"), data_plot(curve, model, nearest)


def open_bank() -> Bank | None:
    """The bank of curves; None where it cannot be read, as the answers stand without."""
    from ..simulate.bank import Bank

    try:
        return Bank(bank_path())
    except SasnetError:
        return None


def nearest_simulated(
    curve: Curve, model: str, factor: str | None, bank: Bank
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """A model's curve of the bank that is nearest to a measurement, (q, I) on its scale; None without."""
    from ..fitting.api import uncertainties
    from ..fitting.start_values.screening import preview
    from ..fitting.task import Task

    try:
        curve_found = preview(Task(curve, uncertainties(curve)[0], model, factor), bank)
    except SasnetError:
        return None
    if curve_found is None:
        return None
    is_positive = curve_found[1] > 0
    return curve_found[0][is_positive], curve_found[1][is_positive]


# --- A fit's posterior drawn: each parameter alone, and each pair.

#: Parameters drawn; in a larger figure nothing can be read.
MOST_PANELS = 8
#: Inches a panel, and for labels on the left and below.
PANEL, MARGIN = 1.35, 0.95
_BINS, _SMOOTH = 36, 1.3
#: Probability inside the contours.
_INSIDE = (0.95, 0.68)


def select_drawn_names(fit: ModelFit) -> tuple[str, ...]:
    """The parameters that a corner plot shows: all, or the first eight without background and scale."""
    assert fit.posterior is not None
    names = fit.posterior.names
    for least in ("background", "scale"):
        if len(names) > MOST_PANELS:
            names = tuple(n for n in names if n != least)
    return names[:MOST_PANELS]


def corner_of(found: ModelFit) -> Any:
    """Posterior of a fit that has one."""
    from matplotlib.figure import Figure

    side = MARGIN + PANEL * len(select_drawn_names(found))
    figure = Figure(figsize=(side, side))
    draw_corner(figure, found, ink="black", fill="C0", muted="0.5")
    return figure


def draw_corner(figure: Any, fit: ModelFit, *, ink: str, fill: str, muted: str) -> None:
    """Fill a square figure with a fit's posterior in colours of text, samples and axes."""
    # Histograms have the 95 % interval dashed; contours hold 68 and 95 %; lines cross at the fit.
    posterior = fit.posterior
    assert posterior is not None
    names = select_drawn_names(fit)
    columns = [posterior.samples[:, posterior.names.index(name)] for name in names]
    limits = [_limits(column) for column in columns]
    side = figure.get_figwidth()
    size, left_edge = PANEL / side, 0.9 * MARGIN / side
    for row, name in enumerate(names):
        for column in range(row + 1):
            bottom = left_edge + (len(names) - 1 - row) * size
            axes = figure.add_axes((left_edge + column * size, bottom, 0.93 * size, 0.93 * size))
            axes.set_gid(f"panel-{row}-{column}")
            axes.set_xlim(*limits[column])
            axes.axvline(fit.parameters[names[column]].value, color=muted, lw=0.8)
            if row == column:
                axes.hist(columns[row], bins=_BINS, range=limits[row], color=fill, alpha=0.6)
                for end in posterior.interval95[name]:
                    axes.axvline(end, color=ink, lw=0.8, ls="--")
                axes.set_yticks([])
                axes.set_title(name, fontsize=8, color=ink, parse_math=False, pad=3)
            else:
                axes.set_ylim(*limits[row])
                axes.axhline(fit.parameters[name].value, color=muted, lw=0.8)
                _contours(axes, columns[column], columns[row], limits[column], limits[row], fill)
            last = row == len(names) - 1
            _ticks(axes.xaxis, limits[column], names[column] if last else "", ink)
            if row != column:
                _ticks(axes.yaxis, limits[row], name if column == 0 else "", ink)
            for spine in axes.spines.values():
                spine.set(color=muted, linewidth=0.6)


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = (float(v) for v in np.quantile(values, [0.002, 0.998]))
    margin = 0.08 * (high - low) or 1e-6 * (abs(high) or 1.0)
    return low - margin, high + margin


def _contours(
    axes: Any,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
    colour: str,
) -> None:
    """Lines of equal density around 95 and 68 % of the samples, filled."""
    from scipy.ndimage import gaussian_filter

    count, x_edges, y_edges = np.histogram2d(x, y, bins=_BINS, range=[x_limits, y_limits])
    density = gaussian_filter(count.T, _SMOOTH)
    falling = np.sort(density, axis=None)[::-1]
    share = np.cumsum(falling) / falling.sum()
    levels = [float(falling[np.searchsorted(share, part)]) for part in _INSIDE]
    top = float(falling[0])
    if not 0 < levels[0] < levels[1] < top:  # so few samples that they are better seen one by one
        axes.plot(x, y, ".", color=colour, ms=2)
        return
    centres = (x_edges[1:] + x_edges[:-1]) / 2, (y_edges[1:] + y_edges[:-1]) / 2
    axes.contourf(*centres, density, levels=[levels[0], top], colors=[colour], alpha=0.3)
    axes.contourf(*centres, density, levels=[levels[1], top], colors=[colour], alpha=0.5)


def _ticks(axis: Any, limits: tuple[float, float], label: str, ink: str) -> None:
    """Two or three numbers with the digits that distinguish them; none where there is no label."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(3, prune="both"))
    across = axis.axis_name == "x"
    axis.set_tick_params(
        labelsize=7, length=2, color=ink, labelcolor=ink, labelbottom=bool(label), labelleft=bool(label)
    )
    if not label:
        return
    largest = max(abs(limits[0]), abs(limits[1]))
    digits = max(2, int(np.ceil(np.log10(largest / (limits[1] - limits[0])))) + 2)
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.{digits}g}"))
    axis.set_label_text(label, fontsize=8, color=ink, parse_math=False)
    # One line for all labels, whatever the numbers' width.
    axis.set_label_coords(*((0.5, -0.42) if across else (-0.46, 0.5)))
    for text in axis.get_ticklabels():
        text.set_rotation(45 if across else 0)


# --- Panels of what a curve says without a model: Guinier, dimensionless Kratky and Porod plots,
# --- p(r).

TITLES = ("Guinier", "Dimensionless Kratky", "Porod", "Pair distances")
#: Of q Rg that the Guinier and Kratky panels show, and per cent of the points that set their height.
_BEYOND, _KRATKY, _SHARE = 1.3, 8.0, 98.0
#: Share of the points, from the lowest q, that the Guinier panel shows where Guinier's law does not hold.
_LOWEST = 0.4
_GUINIER_AXES = ("q² / 10⁻³ Å⁻²", "ln I")


@dataclass(frozen=True)
class Ink:
    """Colours of points, of the law and of text."""

    points: str = "C0"
    law: str = "C1"
    text: str = "black"


def draw_panels(axes: Sequence[Axes], curve: Curve, model_free: ModelFree, ink: Ink = Ink()) -> None:
    """Draw the panels; where a law does not hold, the data alone, and why."""
    drawers: tuple[Callable[..., str], ...] = (_guinier, _kratky, _porod, _distances)
    for panel, title, draw in zip(axes, TITLES, drawers, strict=True):
        reason = draw(panel, curve, model_free, ink)
        title = title.removeprefix("Dimensionless ").capitalize() if reason else title  # without Rg
        panel.set_title(title, fontsize=9, color=ink.text)
        panel.tick_params(labelsize=7)
        if not reason:
            continue
        if not panel.has_data():
            panel.set_axis_off()
        bottom = 0.04 if panel.has_data() else 0.5
        panel.text(
            0.5, bottom, _wrap(reason), transform=panel.transAxes, ha="center", fontsize=7.5,
            va="bottom" if panel.has_data() else "center", color=ink.text, parse_math=False,
        )  # fmt: skip


def _draw_alone(
    axes: Axes, x: Floats, y: Floats, names: tuple[str, str], ink: Ink, share: float = 100.0
) -> None:
    """Draw data without a law, with room for a sentence below; `share` per cent of the points fill it."""
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.any():
        return
    axes.plot(x[finite], y[finite], ".", color=ink.points, markersize=3)
    low, high = np.percentile(y[finite], [0.0 if share == 100 else 100 - share, share])
    span = float(high - low) or 1.0
    axes.set_ylim(float(low) - 0.6 * span, float(high) + 0.1 * span)
    _labels(axes, *names, ink)


def _guinier(axes: Axes, curve: Curve, model_free: ModelFree, ink: Ink) -> str:
    guinier = model_free.guinier
    if not isinstance(guinier, Guinier):
        shown = (curve.intensity > 0) & (np.arange(len(curve)) < max(_LOWEST * len(curve), 10))
        _draw_alone(axes, 1e3 * curve.q[shown] ** 2, np.log(curve.intensity[shown]), _GUINIER_AXES, ink)
        return guinier.reason
    intensity = curve.intensity - guinier.background
    is_shown = (curve.q < _BEYOND * guinier.q_max) & (intensity > 0)
    x, y = curve.q[is_shown] ** 2, np.log(intensity[is_shown])
    axes.plot(1e3 * x, y, ".", color=ink.points, markersize=3)
    grid = np.linspace(0, guinier.q_max**2, 80)
    line = np.log(guinier.i0) - grid * guinier.rg**2 / 3
    axes.plot(1e3 * grid, guinier.log_intensity(np.sqrt(grid)), color=ink.law, linewidth=1.3)
    axes.plot(1e3 * grid, line, color=ink.law, linewidth=0.9, linestyle="--")
    axes.axvline(1e3 * guinier.q_max**2, color=ink.law, linewidth=0.7, linestyle=":")
    bottom = min(float(line[-1]), float(np.min(y)))
    axes.set_ylim(bottom - 0.2, float(np.log(guinier.i0)) + 0.4)
    _labels(axes, *_GUINIER_AXES, ink)
    _note(
        axes,
        f"Rg {format_with_error(guinier.rg, guinier.rg_error)} Å\nq·Rg to {significant(guinier.qrg_max, 2)}",
        ink,
        right=True,
    )
    return ""


def _kratky(axes: Axes, curve: Curve, model_free: ModelFree, ink: Ink) -> str:
    kratky = model_free.kratky
    if not isinstance(kratky, Kratky):
        _draw_alone(axes, curve.q, curve.q**2 * curve.intensity, ("q / Å⁻¹", "q² I"), ink, _SHARE)
        return kratky.reason
    is_shown = kratky.x < _KRATKY
    axes.plot(kratky.x[is_shown], kratky.y[is_shown], ".", color=ink.points, markersize=3)
    # Guinier's law has its maximum there, 3/e; so has nearly every compact body.
    axes.axvline(np.sqrt(3), color=ink.law, linewidth=0.7, linestyle=":")
    axes.axhline(3 / np.e, color=ink.law, linewidth=0.7, linestyle=":")
    axes.set_xlim(0, min(_KRATKY, 1.05 * float(kratky.x.max())))
    axes.set_ylim(0, max(1.3 * float(np.percentile(kratky.y[is_shown], _SHARE)), 1.3))
    _labels(axes, "q·Rg", "(q·Rg)² I / I(0)", ink)
    top = "no maximum" if kratky.peak_x is None else f"maximum {_two(kratky.peak_y)} at {_two(kratky.peak_x)}"
    _note(axes, top, ink, right=True)
    return ""


def _porod(axes: Axes, curve: Curve, model_free: ModelFree, ink: Ink) -> str:
    law = model_free.porod
    background = model_free.guinier.background if isinstance(model_free.guinier, Guinier) else 0.0
    background = law.background if isinstance(law, Porod) else background
    x = curve.q**4
    y = x * (curve.intensity - background)
    finite = np.isfinite(y)
    if not finite.any():
        return "no points"
    axes.plot(curve.q[finite], y[finite], ".", color=ink.points, markersize=3)
    text = ""
    if isinstance(law, Porod):
        text = f"q⁻ᵖ, p {format_with_error(law.exponent, law.exponent_error)}"
        if law.constant is not None:
            axes.hlines(law.constant, law.q_min, law.q_max, color=ink.law, linewidth=1.4, zorder=3)
            text = f"{text}\nK {format_with_error(law.constant, law.constant_error)}"
    top = float(np.percentile(y[finite], _SHARE))
    axes.set_ylim(min(0.0, -0.1 * top) if top > 0 else None, 1.35 * top if top > 0 else None)
    _labels(axes, "q / Å⁻¹", "q⁴ (I − background)" if background else "q⁴ I", ink)
    _note(axes, text or "no Porod law", ink, right=False)
    return ""


def _distances(axes: Axes, curve: Curve, model_free: ModelFree, ink: Ink) -> str:
    distances = curve.pair_distances()
    if not isinstance(distances, PairDistances):
        return distances.reason
    axes.fill_between(
        distances.r,
        distances.p - distances.p_error,
        distances.p + distances.p_error,
        color=ink.law,
        alpha=0.25,
        linewidth=0,
    )
    axes.plot(distances.r, distances.p, color=ink.law, linewidth=1.3)
    axes.axvline(distances.d_max, ymax=0.7, color=ink.law, linewidth=0.7, linestyle=":")
    axes.set_xlim(0, float(distances.r[-1]))
    axes.set_ylim(
        min(0.0, 1.1 * float(distances.p.min())), 1.35 * float((distances.p + distances.p_error).max())
    )
    _labels(axes, "r / Å", "p(r)", ink)
    text = (
        f"D_max {format_with_error(distances.d_max, distances.d_max_error)} Å\nRg"
        f" {format_with_error(distances.rg, distances.rg_error)} Å"
    )
    _note(axes, text, ink, right=True)
    return ""


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _labels(axes: Axes, x: str, y: str, ink: Ink) -> None:
    axes.set_xlabel(x, fontsize=8, color=ink.text)
    axes.set_ylabel(y, fontsize=8, color=ink.text)
    axes.locator_params(nbins=6)
    axes.ticklabel_format(axis="y", scilimits=(-3, 4))
    axes.yaxis.get_offset_text().set_fontsize(7)


def _note(axes: Axes, text: str, ink: Ink, *, right: bool) -> None:
    alignment: dict[str, Any] = {"ha": "right"} if right else {"ha": "left"}
    axes.text(
        0.97 if right else 0.03, 0.96, text, transform=axes.transAxes, va="top", fontsize=7.5, color=ink.text,
        parse_math=False, **alignment,
    )  # fmt: skip


def _wrap(text: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(f"{text[:1].upper()}{text[1:]}.", 26))


# --- A fit: data with the best fits, and the best one's residuals.


def fit_figure(result: FitResult) -> Figure:
    """Data with the fits and the best one's residuals, a figure that no window knows."""
    from matplotlib.figure import Figure

    figure, title, plot = Figure(figsize=(6.4, 6.2)), answer_text(result), fit_plot(result)
    upper = draw_figure(figure, plot, strips=1, head=0.08 + 0.15 * len(title.splitlines()))
    add_legend(upper, plot, day)
    upper.set_title(title, fontsize=8, x=-0.12, ha="left", loc="left")
    return figure


def answer_text(result: FitResult, width: int = 100) -> str:
    """The name of the file and the answer with its doubt, in lines of at most `width` characters."""
    import textwrap

    name = make_shown_name(result.curve.file, result.curve.entry)
    doubt = f"Caution: {result.verdict.doubt}" if result.verdict.doubt else ""
    lines = [line for text in (name, result.verdict.headline, doubt) for line in textwrap.wrap(text, width)]
    return _plain("\n".join(lines))


# --- Figures that commands write: what was measured beside what was found, and the tree of models.

#: Measurements, and of curves alone; more would make a picture too tall to read.
MAX_ROWS, MAX_CURVES = 24, 80
#: Inches of the panels below a curve that is drawn alone.
_PANELS = 2.6


def plot_answers(path: str | Path, pairs: Sequence[tuple[Any, Answer]]) -> int:
    """Draw a row for each measurement (at most `MAX_ROWS`) and its first finding, or a sheet of at most
    `MAX_CURVES` curves, as PNG, PDF or SVG. Raises SasnetError if that fails or the format is unknown.
    """
    # The likeliest model's curve goes through the data; a single curve has Guinier, Kratky and Porod plots
    # below.
    from matplotlib.figure import Figure

    if len(pairs) > 1 and all(isinstance(measurement, Curve) for measurement, _ in pairs):
        write_figure(sheet(pairs[:MAX_CURVES]), path, dpi=150)
        return min(len(pairs), MAX_CURVES)
    pairs = pairs[:MAX_ROWS]
    is_single_curve = isinstance(pairs[0][0], Curve) and len(pairs) == 1
    height = 3.6 * len(pairs) + _PANELS * is_single_curve
    figure = Figure(figsize=(10, height), layout="constrained")
    if is_single_curve:
        parts: Any = figure.subfigures(2, 1, height_ratios=(height - _PANELS, _PANELS))
        upper, lower = parts
        axes = upper.subplots(1, 2, squeeze=False)
        draw_panels(list(lower.subplots(1, 4)), pairs[0][0], pairs[0][0].model_free())
    else:
        axes = figure.subplots(len(pairs), 2, squeeze=False)
    for (left_panel, right), (measurement, answer) in zip(axes, pairs, strict=True):
        if isinstance(measurement, Curve):
            title, plot = describe_best(measurement, answer, open_bank())
            draw_plot(left_panel, plot, day)
            add_legend(left_panel, plot, day)
            if legend := left_panel.get_legend():
                legend.set_title(title.splitlines()[-1], {"size": "small"})
        else:
            _draw_image(left_panel, measurement)
        if answer.findings:
            answer.findings[0].draw(right)
        if (share := answer.assessed_scope) is not None:
            right.set_title(f"{answer.scope.inside}: {percent(share)}", fontsize=9)
        left_panel.set_title(_name(measurement), fontsize=9)
    write_figure(figure, path)
    return len(pairs)


def _name(measurement: Any) -> str:
    return _plain(" · ".join(filter(None, (Path(measurement.file).name, measurement.entry))))


def plot_fits(path: str | Path, results: Sequence[FitResult]) -> int:
    """Draw a panel for each of at most `MAX_ROWS` fits, a single one with residuals."""
    from matplotlib.figure import Figure

    if len(results) == 1:
        write_figure(fit_figure(results[0]), path, dpi=150)
        return 1
    results_shown = results[:MAX_ROWS]
    columns = min(len(results_shown), 3)
    rows = -(-len(results_shown) // columns)
    figure = Figure(figsize=(4 * columns, 3.8 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, result in zip(panels, results_shown, strict=False):
        plot = fit_plot(result, 1)
        draw_plot(axes, plot, day)
        add_legend(axes, plot, day)
        axes.set_title(answer_text(result, 62), fontsize=7, loc="left")
    for axes in panels[len(results_shown) :]:
        axes.set_axis_off()
    write_figure(figure, path, dpi=150)
    return len(results_shown)


def _draw_image(axes: Axes, image: Image) -> None:
    """Counts in logarithmic colours; what is masked is left white."""
    lit = image.counts[image.mask & (image.counts > 0)]
    low, high = (float(x) for x in np.percentile(lit, [5, 99.8])) if lit.size else (0.0, 1.0)
    log_counts = np.where(image.mask, np.log10(np.maximum(image.counts, max(low, 1e-12))), np.nan)
    extent, across, upwards = axes_of(image)
    axes.imshow(log_counts, origin="lower", extent=extent, aspect="auto", vmax=np.log10(max(high, 1e-12)))
    axes.set(xlabel=across, ylabel=upwards)


def _plain(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")  # names of files need not be UTF-8
    return text.replace("$", r"\$")  # else matplotlib would typeset it as mathematics


def linkage_of(manifest: Manifest) -> NDArray[np.float64]:
    """Return the manifest's linkage (models - 1, 4) as scipy's. Raises ModelZooError without one."""
    linkage = np.asarray(manifest.metrics.get("linkage", ()), dtype=float)
    if linkage.shape != (len(manifest.labels) - 1, 4):
        raise ModelZooError(
            f"{manifest.name}: its manifest holds no dendrogram; train it again with this sasnet."
        )
    return linkage


def cut_height(manifest: Manifest) -> float:
    """Height at which the tree is cut into the manifest's groups."""
    linkage = linkage_of(manifest)
    return float(linkage[-(len(manifest.groups) - 1), 2]) if len(manifest.groups) > 1 else np.inf


def members_of_links(manifest: Manifest) -> dict[int, frozenset[str]]:
    """Models below each link of the tree, by scipy's number of the link."""
    count = len(manifest.labels)
    found_members: dict[int, frozenset[str]] = {
        i: frozenset((name,)) for i, name in enumerate(manifest.labels)
    }
    for row, (a, b, *_) in enumerate(linkage_of(manifest)):
        found_members[count + row] = found_members[int(a)] | found_members[int(b)]
    return {link: members for link, members in found_members.items() if link >= count}


def draw_tree(
    axes: Axes, manifest: Manifest, colour: Callable[[int], str] | None = None, *, cut: str = "0.3"
) -> None:
    """Draw the tree, leaves on the right, with a dotted line (`cut`) at the groups; `colour` maps scipy's
    link numbers, default by group. Raises ModelZooError without linkage.
    """
    from scipy.cluster.hierarchy import dendrogram

    height = cut_height(manifest)
    style: dict[str, Any] = {"color_threshold": height - 1e-9, "above_threshold_color": "0.5"}
    dendrogram(
        linkage_of(manifest),
        labels=list(manifest.labels),
        orientation="left",
        leaf_font_size=8,
        ax=axes,
        **(style if colour is None else {"link_color_func": colour}),
    )
    if np.isfinite(height):
        axes.axvline(height, color=cut, linestyle=":", linewidth=1)


def draw_dendrogram(manifest: Manifest, path: Path) -> None:
    """Draw the manifest's dendrogram as SVG or PNG. Raises ModelZooError without linkage."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.19 * len(manifest.labels) + 1.2), layout="constrained")
    axes = figure.subplots()
    draw_tree(axes, manifest)
    axes.set_xlabel("−ln of the probability that one is taken for the other")
    axes.set_title(f"{len(manifest.groups)} groups (joined right of the dotted line)")
    write_figure(figure, path, dpi=150)
