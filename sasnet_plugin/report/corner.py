"""A fit's posterior drawn: each parameter alone, and each pair."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fitting.result.model_fit import ModelFit

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
