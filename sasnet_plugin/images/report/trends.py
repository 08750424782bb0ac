"""Quantities against time, each with its band; and errors against the number of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...report.canvas import Draw, Paint, frame_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

Column = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]
#: Inches of one panel.
_WIDTH, _HEIGHT, _COLUMNS = 4.2, 2.1, 2


def trends_size(quantities: int) -> tuple[float, float]:
    """Size of the figure of so many quantities, inches."""
    return _WIDTH * min(quantities, _COLUMNS), _HEIGHT * -(-quantities // _COLUMNS) + 0.4


def trends(
    time: NDArray[np.float64],
    columns: Mapping[str, Column],
    units: Mapping[str, str],
    *,
    against: str = "frame",
    doubtful: NDArray[np.bool_] | None = None,
) -> Draw:
    """Draw a panel of value and 90 % band for each quantity, each (n,) with NaN where there is no answer,
    against time or frame number; `doubtful` frames are pale.
    """
    pale = np.zeros(time.shape, dtype=bool) if doubtful is None else doubtful

    def draw(figure: Figure, paint: Paint) -> None:
        across = min(len(columns), _COLUMNS)
        places = figure.subplots(-(-len(columns) // across), across, sharex=True, squeeze=False)
        for axes in places.flat[len(columns) :]:
            axes.set_visible(False)
        for axes, (name, (value, low, high)) in zip(places.flat, columns.items(), strict=False):
            frame_axes(axes, paint)
            axes.fill_between(time, low, high, color=paint("fit1"), alpha=0.25, linewidth=0)
            axes.plot(time, np.where(pale, np.nan, value), color=paint("fit1"), linewidth=1.4, gid=name)
            if pale.any():
                axes.plot(time[pale], value[pale], ".", color=paint("muted"), markersize=3)
            unit = units.get(name, "")
            axes.set_ylabel(f"{name} / {unit}" if unit else name, color=paint("ink"))
        for axes in places[-1]:
            axes.set_xlabel(against, color=paint("ink"))

    return draw


def learning_curves(curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Draw:
    """Draw error against examples seen on logarithmic axes, a line for each way of training."""

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        frame_axes(axes, paint)
        for index, (name, (examples, error)) in enumerate(curves.items()):
            axes.plot(examples, error, color=paint(f"fit{index % 4 + 1}"), label=name, gid=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("examples seen", color=paint("ink"))
        axes.set_ylabel("error", color=paint("ink"))
        axes.legend(frameon=False, fontsize=9, labelcolor=paint("ink"))

    return draw


def draw_against_counts(
    counts: Sequence[float], classes: Mapping[str, Sequence[float]], settled: float | None
) -> Draw:
    """Draw class probabilities against counts, with a line where the answer is settled; classes always below
    a twentieth are skipped.
    """

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.subplots()
        frame_axes(axes, paint)
        for number, (name, p) in enumerate((k, v) for k, v in classes.items() if max(v) >= 0.05):
            axes.plot(counts, p, color=f"C{number}", linewidth=1.4, marker=".", label=name)
        if settled is not None:
            axes.axvline(settled, color=paint("muted"), linewidth=0.9, linestyle="--", label="settled")
        axes.set(xscale="log", xlabel="counts", ylabel="probability", ylim=(-0.02, 1.02))
        axes.legend(fontsize="small", frameon=False)

    return draw
