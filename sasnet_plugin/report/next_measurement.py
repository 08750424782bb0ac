"""A plan drawn: what the models predict for the recommended measurement, and what the others would decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..files import write_figure
from ..planning.next_measurement import Plan
from .figure import label_ticks

#: Colours that colour-blind people tell apart (Okabe & Ito, Color Universal Design, 2008), and line styles.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_STYLES = ("-", "--", "-.", ":")
#: Measurements drawn as bars.
_MOST_BARS = 12


def plot_plan(path: str | Path, plan: Plan) -> None:
    """Draw a plan as PNG, PDF or SVG; raises SasnetError if that fails or the format is unknown."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.2), layout="constrained")
    parts: Any = figure.subfigures(1, 2, width_ratios=(1.15, 1))
    left, right = parts
    upper, lower = left.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    _draw_predictions(upper, lower, plan)
    _draw_bars(right.subplots(), plan)
    write_figure(figure, path, dpi=150)


def _draw_predictions(upper: Any, lower: Any, plan: Plan) -> None:
    curve, error = plan.ranked[0].outlook.measurement.curve, plan.error
    names = list(plan.predictions)
    first = plan.predictions[names[0]]
    assert error is not None
    positive = first > 0
    upper.fill_between(
        curve.q[positive], np.maximum(first - error, 0.05 * first)[positive], (first + error)[positive],
        color="0.85", label="one standard deviation", linewidth=0,
    )  # fmt: skip
    for i, name in enumerate(names):
        predicted, colour, style = plan.predictions[name], _COLOURS[i % 4], _STYLES[i % 4]
        upper.plot(
            curve.q,
            predicted,
            color=colour,
            ls=style,
            lw=1.4,
            label=f"{name} ({100 * plan.rivals[name]:.0f} %)",
        )
        if i:
            lower.plot(curve.q, (predicted - first) / error, color=colour, ls=style, lw=1.2)
    upper.set(xscale="log", yscale="log", ylabel="predicted I without background")
    upper.set_ylim(bottom=0.2 * float(error.min()))  # what is below the noise decides nothing
    upper.set_xlim(curve.q[0], curve.q[-1])
    upper.legend(fontsize=7, frameon=False)
    upper.set_title(f"{plan.ranked[0].name}, {plan.time_text(plan.ranked[0].final.time)}", fontsize=9)
    lower.axhline(0, color=_COLOURS[0], lw=1)
    lower.axhspan(-1, 1, color="0.9", lw=0)
    label_ticks(lower.xaxis)
    lower.set(xlabel="q / Å⁻¹", ylabel=f"difference to\n{names[0]} / σ")


def _draw_bars(axes: Any, plan: Plan) -> None:
    ranked = [
        each for each in plan.ranked[:_MOST_BARS] if plan.parameter is None or each.outlook.error is not None
    ]
    names = [each.name for each in ranked][::-1]
    if plan.parameter is None:
        values = [100 * each.outlook.chance for each in ranked][::-1]
        goal, now, label = 100 * plan.aim, 100 * plan.now, "probability that the likeliest model is right / %"
        axes.set_xlim(0, 100)
    else:
        values = [100 * (each.outlook.error or 0) / abs(each.outlook.value or 1) for each in ranked][::-1]
        goal, now, label = 100 * plan.aim, 100 * plan.now, f"expected error of {plan.parameter} / %"
    axes.barh(range(len(names)), values, height=0.6, color="#56B4E9")
    axes.axvline(now, color="0.4", ls=":", lw=1.2, label="now")
    axes.axvline(goal, color="0.2", ls="--", lw=1.2, label="aim")
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel(label)
    axes.set_title(f"after {plan.time_text(plan.time)}", fontsize=9)
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=2, frameon=False)
