"""A sheet of many curves: each small, with the curve of its likeliest model drawn through the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..predict.classes import ClassesFinding, percent
from ..types import Curve, SasnetError, make_shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..predict import Answer
    from ..simulate.bank import Bank

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
        _draw_data(axes, curve)
        draw_best(axes, curve, answer, bank)
        axes.tick_params(labelsize=6, pad=1)
        axes.minorticks_off()
    figure.text(0.5, 0.1 / (HEIGHT * rows), _FOOT, ha="center", fontsize=8)
    return figure


def _draw_data(axes: Axes, curve: Curve) -> None:
    indices = np.flatnonzero(curve.intensity > 0)
    indices = indices[:: max(1, indices.size // _POINTS)]
    axes.plot(curve.q[indices], curve.intensity[indices], ".", color="C0", markersize=2.5)
    axes.set_xscale("log")
    if indices.size:
        axes.set_yscale("log")
        y = curve.intensity[indices]
        axes.set_ylim(0.5 * np.percentile(y, 1), 2 * y.max())


def draw_best(axes: Axes, curve: Curve, answer: Answer, bank: Bank | None) -> None:
    """The name of the file, the likeliest model below it, and its nearest curve in the bank."""
    name = make_shown_name(curve.file, curve.entry)
    name = name if len(name) <= _NAME else f"{name[: _NAME - 9]}…{name[-8:]}"
    finding = answer.finding(ClassesFinding)
    best = finding.classes[0] if finding and finding.classes else None
    text = "no answer"
    if best is not None:
        factor = next((label for label, _ in best.given.values()), "")
        text = f"{'@'.join(filter(None, (best.name, factor)))} {percent(best.probability)}"
        nearest = None if bank is None else nearest_simulated(curve, best.name, factor or None, bank)
        if nearest is not None:
            axes.plot(*nearest, color="0.1", linewidth=1.0, label="its nearest simulated curve, no fit")
        elif bank is not None:
            text += "; none of its curves is near"
    condition = "" if answer.known else "if any known model: "
    title = f"{name}\n{condition}{text}".encode("utf-8", "replace").decode("utf-8").replace("$", r"\$")
    axes.set_title(title, fontsize=7, color="0.1" if answer.known else "0.45")


def open_bank() -> Bank | None:
    """The bank of curves; None where it cannot be read, as the answers stand without."""
    from ..simulate.bank import Bank
    from ..zoo import bank_path

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
