"""Figures that commands write: what was measured beside what was found, and the tree of models.

Besides, a curve in one line of text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import write_figure
from ..predict.classes import percent
from ..types import Curve, Image, ModelZooError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..fitting.result.fit_result import FitResult
    from ..predict import Answer
    from ..zoo import Manifest

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

    from .model_free import draw_panels
    from .sheet import draw_best, open_bank, sheet

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
            draw_curve(left_panel, measurement)
            draw_best(left_panel, measurement, answer, open_bank())
            if left_panel.get_legend_handles_labels()[0]:
                left_panel.legend(
                    title=left_panel.get_title().splitlines()[-1], fontsize=7, title_fontsize=7, frameon=False
                )
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

    from .fit_axes import answer_text, fit_figure

    if len(results) == 1:
        write_figure(fit_figure(results[0]), path, dpi=150)
        return 1
    results_shown = results[:MAX_ROWS]
    columns = min(len(results_shown), 3)
    rows = -(-len(results_shown) // columns)
    figure = Figure(figsize=(4 * columns, 3.8 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, result in zip(panels, results_shown, strict=False):
        draw_curve(axes, replace(result.curve, dintensity=result.dintensity))
        if result.best is not None:
            axes.plot(
                result.curve.q, result.best.theory, color="C1", lw=1.6, label=result.best.short_name, zorder=5
            )
            axes.legend(fontsize="small", frameon=False)
        axes.set_title(answer_text(result, 62), fontsize=7, loc="left")
    for axes in panels[len(results_shown) :]:
        axes.set_axis_off()
    write_figure(figure, path, dpi=150)
    return len(results_shown)


def draw_curve(axes: Axes, curve: Curve) -> None:
    """Points with error bars on logarithmic axes; those that these cannot show are left out."""
    positive = curve.intensity > 0
    q, intensity = curve.q[positive], curve.intensity[positive]
    if curve.dintensity is None:
        axes.plot(q, intensity, ".", color="C0", markersize=3)
    else:
        # An error bar that reaches zero has no lower end on a logarithmic axis.
        error = curve.dintensity[positive]
        lower = np.minimum(error, intensity * (1 - 1e-3))
        axes.errorbar(q, intensity, yerr=[lower, error], fmt=".", color="C0", markersize=3, elinewidth=0.6)
    axes.set_xscale("log")
    if positive.any():
        axes.set_yscale("log")
        # A few points that scatter down to zero would squeeze the rest.
        axes.set_ylim(0.5 * np.percentile(intensity, 1), 2 * intensity.max())
    axes.set_xlabel("q / Å⁻¹")
    axes.set_ylabel(curve.intensity_label, parse_math=False)


def _draw_image(axes: Axes, image: Image) -> None:
    """Counts in logarithmic colours; what is masked is left white."""
    from .canvas import axes_of

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
