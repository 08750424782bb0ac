"""``plot`` of the nouns: matplotlib's axes, the user's own or new ones that a notebook shows by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...fitting.result.fit_result import FitResult
from ...fitting.result.sample_result import SampleResult
from ...types import Curve, Suggestion, make_shown_name
from ..fit_axes import draw_fit
from ..plot import draw_curve
from .html import nearest_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_of(thing: Curve | Suggestion | FitResult | SampleResult, ax: Axes | None = None) -> Axes:
    """Draw a noun into `ax` or a new pyplot figure and return the axes of the data."""
    # A fit in a new figure has residuals below, the next axes.
    if isinstance(thing, FitResult):
        return _plot_fit(thing, ax)
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    if isinstance(thing, Curve):
        _draw_titled(ax, thing)
    elif isinstance(thing, Suggestion):
        _draw_suggestion(ax, thing)
    else:
        _draw_sample(ax, thing)
    return ax


def _plot_fit(result: FitResult, ax: Axes | None) -> Axes:
    if ax is not None:
        draw_fit(ax, None, result)
        return ax
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.4, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    draw_fit(upper, lower, result)
    axes: Axes = upper
    return axes


def _draw_titled(ax: Axes, curve: Curve) -> None:
    draw_curve(ax, curve)
    ax.set_title(make_shown_name(curve.file, curve.entry) if curve.file else "", fontsize=9, parse_math=False)


def _draw_suggestion(ax: Axes, suggestion: Suggestion) -> None:
    if suggestion.curve is None:
        return
    _draw_titled(ax, suggestion.curve)
    nearest = nearest_curve(suggestion)
    if nearest is not None:
        ax.plot(*nearest, lw=1.4, label=f"{suggestion.models[0].name}, nearest simulated curve, not fitted")
        ax.legend(fontsize="small", frameon=False)


def _draw_sample(ax: Axes, result: SampleResult) -> None:
    """Draw all curves, moved apart by powers of ten, each with its joint fit."""
    count = len(result.sample.curves)
    for i, curve in enumerate(result.sample.curves):
        factor = 10.0 ** (count - 1 - i)
        style: dict[str, Any] = {"color": f"C{i % 10}"}
        moved = f" ×{factor:g}" if factor > 1 else ""
        label = f"{Path(result.sample.files[i]).name}{moved}"
        error = factor * result.dintensities[i]
        ax.errorbar(curve.q, factor * curve.intensity, error, fmt=".", ms=3, lw=0.6, label=label, **style)
        if result.best is not None:
            ax.plot(curve.q, factor * result.best.theories[i], lw=1.4, **style)
    ax.set(xscale="log", yscale="log", xlabel="q / Å⁻¹", ylabel="I(q), moved apart")
    ax.legend(fontsize="small", frameon=False)
