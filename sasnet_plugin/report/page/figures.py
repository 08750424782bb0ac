"""Figures of a fit report as inline SVG: data with fits, residuals below, and the tree of models.

Drawn with matplotlib's objects alone, no window and no state of pyplot. The text stays text, the same input
gives the same bytes, and every colour is a role of `document`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...digits import superscript
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit
from ...fitting.verdict.equals import worth_showing
from ...zoo import Manifest
from ..corner import MARGIN, PANEL, draw_corner, select_drawn_names
from ..model_free import Ink, draw_panels
from ..plot import draw_tree, members_of_links
from .document import DASHES, FITS, inline_svg, placeholder, plain_axes, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

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
    """Width of the figure for panels of one size, however many."""
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
