"""A figure of the data beside the probabilities of the models that may explain them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sasnet_plugin.report.whole import write_figure
from sasnet_plugin.types import Curve, Suggestion, product_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_ROWS = 24  # more would make a picture too tall to read


def plot_suggestions(path: str | Path, pairs: Sequence[tuple[Curve, Suggestion]]) -> None:
    """Draw one row for each data set: log-log data with error bars, and bars of probability.

    Parameters
    ----------
    path : str or Path
        File to write; its ending chooses the format (PNG, PDF, SVG).
    pairs : sequence of (Curve, Suggestion)
        At least one; those beyond `MAX_ROWS` are not drawn.

    Raises
    ------
    SasnetError
        The file cannot be written, or its ending is no format of matplotlib.
    """
    from matplotlib.figure import Figure

    pairs = pairs[:MAX_ROWS]
    figure = Figure(figsize=(10, 3.6 * len(pairs)), layout="constrained")
    axes = figure.subplots(len(pairs), 2, squeeze=False, width_ratios=[3, 2])
    for (left, right), (curve, suggestion) in zip(axes, pairs, strict=True):
        _draw_curve(left, curve)
        _draw_bars(right, suggestion)
    write_figure(figure, path)


def _draw_curve(axes: Axes, curve: Curve) -> None:
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
    axes.set_ylabel("I(q)")
    axes.set_title(
        _plain(" · ".join(part for part in (Path(curve.file).name, curve.entry) if part)), fontsize=9
    )


def _draw_bars(axes: Axes, suggestion: Suggestion) -> None:
    names = [product_name(m.name, m.structure_factor) for m in suggestion.models]
    groups = list(dict.fromkeys(m.group for m in suggestion.models))
    colours = [f"C{groups.index(m.group) % 10}" for m in suggestion.models]
    rows = np.arange(len(names))
    axes.barh(rows, [m.probability for m in suggestion.models], color=colours)
    axes.set_yticks(rows, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("probability (one colour for each group)")
    axes.set_title(f"in scope: {suggestion.in_scope:.2f}", fontsize=9)


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # else matplotlib would typeset it as mathematics
