"""A sheet of many curves: each small, with the curve of its likeliest model drawn through the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sasnet_plugin.predict.classes import ClassesFinding, percent
from sasnet_plugin.types import Curve, SasnetError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sasnet_plugin.predict import Answer
    from sasnet_plugin.simulate.bank import Bank

#: Curves beside each other, and inches of each.
COLUMNS, WIDTH, HEIGHT = 4, 3.3, 2.5
#: Characters of a file's name above its curve.
_NAME = 38


def sheet(pairs: Sequence[tuple[Any, Answer]], draw: Any) -> Any:
    """A figure with a cell for each curve.

    Parameters
    ----------
    pairs : sequence of (Curve, Answer)
        At least one.
    draw : callable
        (axes, curve): draws the data.
    """
    from matplotlib.figure import Figure

    rows = -(-len(pairs) // COLUMNS)
    figure = Figure(figsize=(WIDTH * COLUMNS, HEIGHT * rows + 0.3), layout="constrained")
    cells = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    bank = opened_bank()
    for axes, (curve, answer) in zip(cells, pairs, strict=False):
        draw(axes, curve)
        draw_best(axes, curve, answer, bank)
        axes.set(xlabel="", ylabel="")
        axes.tick_params(labelsize=6)
    for axes in cells[len(pairs) :]:
        axes.set_axis_off()
    figure.supxlabel("q / Å⁻¹", fontsize=8)
    figure.supylabel("I(q)", fontsize=8)
    return figure


def draw_best(axes: Axes, curve: Curve, answer: Answer, bank: Bank | None) -> None:
    """The name of the file, the likeliest model below it, and its nearest curve in the bank."""
    name = " · ".join(part for part in (Path(curve.file).name, curve.entry) if part)
    name = name if len(name) <= _NAME else f"{name[: _NAME - 9]}…{name[-8:]}"
    finding = answer.finding(ClassesFinding)
    best = finding.classes[0] if finding and finding.classes else None
    said = "no answer"
    if best is not None:
        factor = next((label for label, _ in best.given.values()), "")
        said = f"{'@'.join(filter(None, (best.name, factor)))} {percent(best.probability)}"
        nearest = None if bank is None else _nearest(curve, best.name, factor or None, bank)
        if nearest is not None:
            axes.plot(*nearest, color="C1", linewidth=1.2)
    known = "" if answer.known else "; perhaps no known model"
    title = f"{name}\n{said}{known}".encode("utf-8", "replace").decode("utf-8").replace("$", r"\$")
    axes.set_title(title, fontsize=7, color="0.1" if answer.known else "0.45")


def opened_bank() -> Bank | None:
    """The bank of curves; None where it cannot be read, as the answers stand without."""
    from sasnet_plugin.fitting.api import bank_path
    from sasnet_plugin.simulate.bank import Bank

    try:
        return Bank(bank_path())
    except SasnetError:
        return None


def _nearest(
    curve: Curve, model: str, factor: str | None, bank: Bank
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    from sasnet_plugin.fitting.api import uncertainties
    from sasnet_plugin.fitting.start_values.screening import previewed
    from sasnet_plugin.fitting.task import Task

    try:
        found = previewed(Task(curve, uncertainties(curve)[0], model, factor), bank)
    except SasnetError:
        return None
    if found is None:
        return None
    shown = found[1] > 0
    return found[0][shown], found[1][shown]
