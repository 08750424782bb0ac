"""A fit on matplotlib's axes: data with the best fits, and the best one's residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..digits import chisq_text
from ..fitting.result.fit_result import FitResult
from ..names import make_shown_name
from ..predict.classes import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Fits drawn; more lines hide each other.
MAX_DRAWN = 4


def fit_figure(result: FitResult) -> Figure:
    """Data with the fits and the best one's residuals, a figure that no window knows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 6.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    draw_fit(upper, lower, result)
    upper.set_title(answer_text(result), fontsize=8, loc="left")
    return figure


def answer_text(result: FitResult, width: int = 100) -> str:
    """The name of the file and the answer with its doubt, in lines of at most `width` characters."""
    import textwrap

    name = make_shown_name(result.curve.file, result.curve.entry)
    doubt = f"Caution: {result.verdict.doubt}" if result.verdict.doubt else ""
    lines = [line for text in (name, result.verdict.headline, doubt) for line in textwrap.wrap(text, width)]
    # matplotlib would typeset a dollar sign as mathematics, and names of files need not be UTF-8.
    return "\n".join(lines).encode("utf-8", "replace").decode("utf-8").replace("$", r"\$")


def draw_fit(upper: Axes, lower: Axes | None, result: FitResult) -> None:
    """Data with error bars and the best fits, and the best one's residuals below."""
    from ..fitting.verdict.equals import worth_showing

    curve, fits = result.curve, worth_showing(result.fits)
    upper.errorbar(curve.q, curve.intensity, result.dintensity, fmt=".", color="0.4", ms=3, lw=0.6, zorder=1)
    for place, fit in enumerate(fits[:MAX_DRAWN]):
        label = f"{fit.short_name}  {percent(fit.weight)}, χ²/dof {chisq_text(fit.reduced_chisq)}"
        # The best one lies on top, above the points: fits that differ little hide each other.
        upper.plot(curve.q, fit.theory, lw=1.0 if place else 1.8, label=label, zorder=3 + MAX_DRAWN - place)
    positive = curve.intensity[curve.intensity > 0]
    upper.set_xscale("log")
    upper.set_ylabel(curve.intensity_label, parse_math=False)
    if positive.size:
        upper.set(yscale="log", ylim=(0.5 * np.min(positive), 2 * np.max(positive)))
    if fits:
        upper.legend(fontsize="small", frameon=False)
    if lower is None:
        upper.set_xlabel("q / Å⁻¹")
        return
    if fits:
        residuals = (curve.intensity - fits[0].theory) / result.dintensity
        lower.errorbar(curve.q, residuals, 1.0, fmt=".", color="0.4", ms=3, lw=0.6)
    lower.axhline(0, color="0.4", lw=0.8)
    lower.set(xlabel="q / Å⁻¹", ylabel="residual / σ")
