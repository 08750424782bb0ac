"""A fit on matplotlib's axes: data with the best fits, and the best one's residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..digits import chisq_text
from ..fitting.result.fit_result import FitResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Fits drawn; more lines hide each other.
MAX_DRAWN = 4


def fit_figure(result: FitResult) -> Figure:
    """Data with the fits and the best one's residuals, a figure that no window knows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    draw_fit(upper, lower, result)
    return figure


def draw_fit(upper: Axes, lower: Axes | None, result: FitResult) -> None:
    """Data with error bars and the best fits, and the best one's residuals below."""
    from ..fitting.verdict.equals import worth_showing

    curve, fits = result.curve, worth_showing(result.fits)
    upper.errorbar(curve.q, curve.intensity, result.dintensity, fmt=".", color="0.4", ms=3, lw=0.6, zorder=1)
    for found in fits[:MAX_DRAWN]:
        label = f"{found.short_name}  {100 * found.weight:.0f} %, χ²/dof {chisq_text(found.reduced_chisq)}"
        upper.plot(curve.q, found.theory, lw=1.4, label=label, zorder=2)
    positive = curve.intensity[curve.intensity > 0]
    upper.set(xscale="log", ylabel="I(q)")
    if positive.size:
        upper.set(yscale="log", ylim=(0.5 * np.min(positive), 2 * np.max(positive)))
    if fits:
        upper.legend(fontsize="small", frameon=False)
    if lower is None:
        upper.set_xlabel("q / Å⁻¹")
        return
    if fits:
        lower.plot(curve.q, (curve.intensity - fits[0].theory) / result.dintensity, ".", ms=3)
    lower.axhline(0, color="0.4", lw=0.8)
    lower.set(xlabel="q / Å⁻¹", ylabel="residual / σ")
