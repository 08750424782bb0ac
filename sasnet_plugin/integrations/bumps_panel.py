"""The ranking as panels of Bumps' web page: what its Custom tab offers for a model with ``webview_plots``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from ..digits import chisq_text
from ..fitting.result.fit_result import FitResult
from ..fitting.result.model_fit import ModelFit
from ..fitting.verdict.equals import worth_showing
from ..fitting.verdict.sentences import NAMES

#: Titles, as the tab lists them.
RANKING, WARNINGS, CURVES = "Suggested models", "Warnings and notes", "Curves of the suggested models"


class Panels(dict[str, dict[str, Any]]):
    """Bumps' table of panels: title -> function and when it is to be drawn again.

    It stays behind when a problem is pickled, so that a session which a user saves opens without sasnet, and
    so that processes which only calculate do without it.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Panels:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, ()


def panels(result: FitResult) -> Panels:
    """Make the panels of a curve with at least one fit."""

    def panel(kind: str, draw: Callable[[FitResult, str], Any]) -> dict[str, Any]:
        def func(model: Any, problem: Any) -> dict[str, Any]:
            return {"fig_type": kind, "plotdata": draw(result, str(problem.name))}

        return {"func": func, "change_with": "parameter"}

    return Panels(
        {
            RANKING: panel("table", ranking),
            WARNINGS: panel("table", warnings),
            CURVES: panel("plotly", curves),
        }
    )


def ranking(result: FitResult, shown_name: str) -> str:
    """Write a table as CSV, best first, marking the fit `shown_name` on the page."""
    header = ["Rank", "Model", "Structure factor", "χ²/dof", "BIC", "Weight", "Network", "Shown"]
    rows = [
        [
            str(rank),
            fit.short_model,
            fit.structure_factor or "–",
            chisq_text(fit.reduced_chisq),
            f"{fit.bic:.1f}",
            _share(fit.weight),
            _share(fit.probability),
            "◂" if fit.name == shown_name else "",
        ]
        for rank, fit in enumerate(worth_showing(result.fits), start=1)
    ]
    return _table(header, rows)


def _describe_verdict(result: FitResult) -> list[list[str]]:
    verdict = result.verdict
    lines = [("Answer", verdict.headline), ("Caution", verdict.doubt), ("Next", verdict.next)]
    return [[about, text] for about, text in lines if text]


def warnings(result: FitResult, shown_name: str) -> str:
    """The verdict, the notes, and the warnings of the fit that the page shows, as CSV."""
    rows = [
        [fit.short_name, sentence]
        for fit in result.fits
        if fit.name == shown_name
        for sentence in fit.warnings
    ]
    if result.verification is not None:
        rows.insert(0, [f"{result.fits[0].short_name} (best)", result.verification.describe()])
    rows[:0] = _describe_verdict(result)
    rows += [["", note] for note in result.notes]
    if any(sign in shown_name for sign in "@+"):
        rows.append(["Names", str(NAMES)])
    return _table(["About", "What to know"], rows)


def _table(header: list[str], rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()


def _share(value: float) -> str:
    return "<0.01" if value < 0.005 else f"{value:.2f}"


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _ends(result: FitResult) -> list[float] | None:
    """A range of its own in decades, as one point that is nearly zero would squeeze everything else."""
    heights = np.log10([v for fit in result.fits for v in fit.theory if np.isfinite(v) and v > 0])
    return [float(heights.min()) - 1.0, float(heights.max()) + 0.5] if heights.size else None


def curves(result: FitResult, shown_name: str) -> Any:
    """The data and every fit, as a plotly figure; the one that the page shows is drawn thicker."""
    import plotly.graph_objects as go

    curve = result.curve
    figure = go.Figure()
    figure.add_scatter(
        x=curve.q.tolist(), y=curve.intensity.tolist(), mode="markers", name="data",
        marker={"size": 4, "color": "#888888"},
    )  # fmt: skip
    for fit in worth_showing(result.fits):
        figure.add_scatter(
            x=curve.q.tolist(),
            y=[_or_none(v) for v in fit.theory],
            mode="lines",
            line={"width": 3.0 if fit.name == shown_name else 1.2},
            name=_label(fit),
        )
    figure.update_layout(
        xaxis={"type": "log", "title": {"text": "q (Å⁻¹)"}},
        yaxis={"type": "log", "title": {"text": curve.intensity_label}, "range": _ends(result)},
        template="simple_white",
        legend={"x": 0.02, "y": 0.02, "yanchor": "bottom"},
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
    )
    return figure


def _label(fit: ModelFit) -> str:
    return f"{fit.short_name}: {chisq_text(fit.reduced_chisq)}"
