"""A fit for people: a table, and data with the fits over them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.digits import interval, quantity
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.types import Curve

#: Fits drawn; more lines hide each other.
MAX_DRAWN = 4


def rows(fits: Sequence[ModelFit]) -> list[dict[str, Any]]:
    """One row for each fit, best first; pandas makes a frame of it."""
    return [
        {
            "model": f.model,
            "structure_factor": f.structure_factor,
            "weight": f.weight,
            "reduced_chisq": f.reduced_chisq,
            "bic": f.bic,
            "fitted": len(f.free),
            "probability": f.probability,
        }
        for f in fits
    ]


def parameters_in_words(found: ModelFit) -> str:
    """The fitted parameters in one line, with errors and units."""
    return ", ".join(
        f"{name} {quantity(p.value, p.unit, p.error)}{_interval(found, name)}"
        for name, p in found.parameters.items()
        if not p.fixed
    )


def _interval(found: ModelFit, name: str) -> str:
    if found.posterior is None or name not in found.posterior.names:
        return ""
    return f" (95 %: {interval(*found.posterior.interval95[name])})"


def rich_table(fits: Sequence[ModelFit]) -> Any:
    """The ranking as a table of rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("model", no_wrap=True)
    table.add_column("structure factor")
    for name in ("weight", "χ²/dof", "BIC", "fitted"):
        table.add_column(name, justify="right")
    for found in fits:
        table.add_row(
            Text(found.short_model),
            Text(found.structure_factor or "–"),
            f"{100 * found.weight:.0f} %",
            f"{found.reduced_chisq:.3g}",
            f"{found.bic:.1f}",
            str(len(found.free)),
        )
    return table


def html_table(fits: Sequence[ModelFit]) -> str:
    """The ranking for a notebook."""
    head = "<tr><th>model</th><th>structure factor</th><th>weight</th><th>χ²/dof</th><th>BIC</th></tr>"
    body = "".join(
        f"<tr><td>{escape(f.short_model)}</td><td>{escape(f.structure_factor or '–')}</td>"
        f"<td>{100 * f.weight:.0f} %</td><td>{f.reduced_chisq:.3g}</td><td>{f.bic:.1f}</td></tr>"
        for f in fits
    )
    best = f"<p>{escape(parameters_in_words(fits[0]))}</p>" if fits else "<p>No model could be fitted.</p>"
    return f"<table>{head}{body}</table>{best}"


def draw(curve: Curve, dintensity: NDArray[np.float64], fits: Sequence[ModelFit]) -> Any:
    """Data with error bars and the best fits, and the best one's residuals below.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.errorbar(curve.q, curve.intensity, dintensity, fmt=".", color="0.4", ms=3, lw=0.6, zorder=1)
    for found in fits[:MAX_DRAWN]:
        label = f"{found.short_name}  {100 * found.weight:.0f} %, χ²/dof {found.reduced_chisq:.2g}"
        upper.plot(curve.q, found.theory, lw=1.4, label=label, zorder=2)
    positive = curve.intensity[curve.intensity > 0]
    upper.set(xscale="log", ylabel="I(q)")
    if positive.size:
        upper.set(yscale="log", ylim=(0.5 * np.min(positive), 2 * np.max(positive)))
    if fits:
        lower.plot(curve.q, (curve.intensity - fits[0].theory) / dintensity, ".", ms=3)
        upper.legend(fontsize="small", frameon=False)
    lower.axhline(0, color="0.4", lw=0.8)
    lower.set(xlabel="q / Å⁻¹", ylabel="residual / σ")
    return figure
