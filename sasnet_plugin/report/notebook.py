"""Data types in a notebook: a picture, three lines, axes, tables; by the public package.

Text and axes take the notebook's own colour (``currentColor``), so that it is read by day and by night.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..digits import chisq_text, format_with_error, significant, unit_text
from ..fitting.result.fit_result import FitResult
from ..fitting.result.model_fit import ModelFit, Parameter
from ..fitting.result.sample_result import SampleResult
from ..fitting.result.verdict import Verdict
from ..model_free.results import lines as without_model
from ..predict.classes import group_sentence, percent
from ..types import Curve, ModelGuess, SasnetError, Suggestion, make_shown_name
from .canvas import svg
from .figure import (
    Q_AXIS,
    RESIDUAL_AXIS,
    CurvePlot,
    add_legend,
    data_plot,
    draw_figure,
    draw_plot,
    draw_residuals,
    fit_plot,
    inherit,
    sample_plot,
)
from .page.document import FITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# --- The picture of a curve with its fits, shown whenever a cell ends in it.

#: Pixels, and inches: of the width, the data's panel, and the residuals of the best.
WIDTH, _INCHES, _PANEL, _STRIP = 560, 6.4, 3.6, 0.9
#: Colours of lines, legible on white and on black; the best first.
COLOURS = ("#3182bd", "#e6550d", "#31a354", "#a05fb4")
#: Colours by role; text and points take the notebook's own.
_PAINT = dict(zip(FITS, COLOURS, strict=True)) | {"muted": "#808890", "line": "#80889050"}


def draw_picture(plot: CurvePlot, label: str) -> str:
    """Return a plot as ``svg`` with its key; residuals of a single curve's best fit alone."""
    strips = 1 if plot.residuals and len(plot.points) == 1 else 0
    size = (_INCHES, _PANEL + _STRIP * strips)
    picture = svg(
        lambda figure, paint: draw_figure(figure, plot, paint, strips=strips), "sasnet", label, size,
        layout=None,
    )  # fmt: skip
    picture = re.sub(r"var\(--(\w+)\)", lambda found: _PAINT.get(found[1], "currentColor"), picture)
    style = f"display:block;width:100%;max-width:{WIDTH}px;height:auto"
    return picture.replace("<svg ", f'<svg style="{style}" ', 1) + _key(plot.key)


# --- What a notebook shows of a noun: its picture, its three lines, and the numbers behind them.

#: Fits and parameters that are listed.
_MOST = 5
_CELL = "padding:1px 14px 1px 0;text-align:left"


def html_of(thing: Curve | Suggestion | FitResult | SampleResult) -> str:
    """The HTML of a noun, which follows a notebook's colours."""
    if isinstance(thing, Curve):
        return _curve(thing)
    if isinstance(thing, Suggestion):
        return _suggestion(thing)
    if isinstance(thing, FitResult):
        return _fit(thing)
    return _sample(thing)


def lines_of(thing: Curve | Suggestion | FitResult | SampleResult) -> tuple[str, ...]:
    """The three lines of a noun, or fewer, for a terminal."""
    if isinstance(thing, Curve):
        return describe_curve(thing)
    if isinstance(thing, Suggestion):
        return describe_suggestion(thing)
    if isinstance(thing, FitResult):
        return describe_verdict(_title(thing.curve), thing.verdict)
    return describe_verdict("", thing.verdict)


def _curve(curve: Curve) -> str:
    figure = draw_picture(data_plot(curve), "Intensity against q") if len(curve) else ""
    return _whole(describe_curve(curve), figure, notes=curve.notes)


def _plot(thing: Curve | Suggestion | FitResult | SampleResult) -> CurvePlot | None:
    """What is drawn of a noun; None for a suggestion without its curve."""
    if isinstance(thing, FitResult):
        return fit_plot(thing)
    if isinstance(thing, SampleResult):
        return sample_plot(thing)
    if isinstance(thing, Curve):
        return data_plot(thing)
    name = thing.models[0].name if thing.models else ""
    return None if thing.curve is None else data_plot(thing.curve, name, nearest_curve(thing))


def _suggestion(suggestion: Suggestion) -> str:
    lines = describe_suggestion(suggestion)
    plot = _plot(suggestion) if suggestion.curve is not None and len(suggestion.curve) else None
    figure = "" if plot is None else draw_picture(plot, "Data")
    rows = [
        [
            _format_code(guess.name), escape(guess.structure_factor or "–"), _bar(guess.probability),
            percent(guess.probability), escape(guess.group),
        ]
        for guess in suggestion.models[:_MOST]
    ]  # fmt: skip
    table = _table(["model", "structure factor", "", "probability", "group"], rows)
    return _whole(lines, figure + table, notes=suggestion.notes)


def nearest_curve(suggestion: Suggestion) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The likeliest model's nearest simulated curve; None where there is none."""
    from .plot import nearest_simulated, open_bank

    bank = open_bank()
    if bank is None or suggestion.curve is None or not suggestion.models:
        return None
    best = suggestion.models[0]
    return nearest_simulated(suggestion.curve, best.name, best.structure_factor, bank)


def _fit(result: FitResult) -> str:
    plot = fit_plot(result)
    label = f"Data with {plot.lines[0].name}; residuals below" if plot.lines else "Data"
    figure = draw_picture(plot, label)
    table = _parameters(result.best) if result.best is not None else ""
    warned = result.best.warnings if result.best is not None else ()
    return _whole(
        describe_verdict(_title(result.curve), result.verdict), figure + table,
        notes=(*result.verdict.doubts[1:], *warned, *result.notes),
    )  # fmt: skip


def _sample(result: SampleResult) -> str:
    """Show all curves, moved apart by powers of ten, with the joint fit."""
    best = result.best
    figure = draw_picture(sample_plot(result), "Curves of one sample with their joint fit")
    table = "" if best is None else _table(*_parameter_rows(best.parameters))
    return _whole(describe_verdict("", result.verdict), figure + table, notes=result.remarks)


def _title(noun: Curve | Suggestion) -> str:
    return make_shown_name(noun.file, noun.entry) if noun.file else ""


def _whole(lines: Sequence[str], below: str, *, notes: Sequence[str] = ()) -> str:
    """Lines, then what is below them, then notes behind a click."""
    head, *more_lines = (escape(line) for line in lines)
    text = f'<div style="font-weight:600">{head}</div>' + "".join(f"<div>{line}</div>" for line in more_lines)
    items = "".join(f"<li>{escape(note)}</li>" for note in dict.fromkeys(notes))
    folded = f"<details><summary>Notes</summary><ul>{items}</ul></details>" if items else ""
    return f'<div class="sasnet" style="max-width:{WIDTH + 260}px">{text}{below}{folded}</div>'


def _key(names: Sequence[str]) -> str:
    items = "".join(
        '<span style="margin-right:18px;white-space:nowrap">'
        f'<span style="color:{COLOURS[k % len(COLOURS)]}">━ </span>{escape(name)}</span>'
        for k, name in enumerate(names)
    )
    return f'<div style="font-size:90%">{items}</div>' if items else ""


def _parameters(fit: ModelFit) -> str:
    return _table(*_parameter_rows(fit.parameters))


def _parameter_rows(parameters: Any) -> tuple[list[str], list[list[str]]]:
    rows = [
        [_format_code(name), _value(p), escape(unit_text(p.unit)), _how(p)] for name, p in parameters.items()
    ]
    return ["parameter", "value", "unit", ""], rows


def _value(p: Parameter) -> str:
    if p.undetermined:
        return "not determined"
    return escape(format_with_error(p.value, None if p.fixed else p.error))


def _how(p: Parameter) -> str:
    return "fixed" if p.is_given else "" if p.error is not None else "error unknown"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th style="{_CELL}">{name}</th>' for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td style={chr(34)}{_CELL}{chr(34)}>{cell}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return f'<table style="margin:6px 0"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _format_code(name: str) -> str:
    return f"<code>{escape(name)}</code>"


def _bar(share: float) -> str:
    width = round(70 * min(max(share, 0.0), 1.0))
    return (
        f'<span style="display:inline-block;width:{width}px;height:8px;background:{COLOURS[0]}"></span>'
        f'<span style="display:inline-block;width:{70 - width}px"></span>'
    )


def describe_curve(curve: Curve) -> tuple[str, ...]:
    """Name, points and range; what it says without a model, or that its unit is in doubt; what to do next."""
    doubt = curve.q_unit.doubt
    sentences = tuple(without_model(curve.model_free())) if len(curve) else ()
    return (
        str(curve),
        f"Caution: {doubt}" if doubt else " ".join(sentences),
        "Next: suggest(curve) or fit(curve)",
    )


def describe_suggestion(found: Suggestion) -> tuple[str, ...]:
    """How far the answer goes, whether it is of any known model, and what to do next."""
    if not found.models or not found.groups:
        return (f"{_name(found.file, found.entry)}No model was considered.",)
    said = group_sentence(found.models, found.groups)
    size = "" if found.rg is None else f" Rg about {significant(found.rg, 2)} Å."
    outside = _find_outside_sentence(found)
    head = f"If it is one of the known kinds all the same: {said[0].lower()}{said[1:]}" if outside else said
    doubt = outside or ("" if found.curve is None else found.curve.q_unit.doubt)
    return tuple(
        filter(
            None,
            (
                f"{_name(found.file, found.entry)}{head}{size}",
                f"Caution: {doubt}" if doubt else "",
                "Next: fit(curve)  # fit the likely models",
            ),
        )
    )


def _find_outside_sentence(suggestion: Suggestion) -> str:
    from ..predict import open_classifier

    manifest = open_classifier().manifest
    outside = suggestion.in_scope < manifest.scope_threshold
    return manifest.scope.outside if manifest.scope and outside else ""


def _name(file: str, entry: str) -> str:
    name = make_shown_name(file, entry) if file else ""
    return f"{name}: " if name else ""


def describe_verdict(name: str, verdict: Verdict) -> tuple[str, ...]:
    """The lines of a fit, with the name of what was fitted."""
    head, *more_lines = verdict.lines()
    return (f"{name}: {head}" if name else head, *more_lines)


# --- ``plot`` of the nouns: matplotlib's axes, the user's own or new ones that a notebook shows by
# --- itself.


def plot_of(thing: Curve | Suggestion | FitResult | SampleResult, ax: Axes | None = None) -> Axes:
    """Draw a noun into `ax` or a new pyplot figure and return the axes of the data."""
    if ax is None:
        return _plot_anew(thing)
    plot = _plot(thing)
    if plot is not None:
        draw_plot(ax, plot, inherit)
        add_legend(ax, plot, inherit)
    if isinstance(thing, Curve | Suggestion):
        ax.set_title(_title(thing), fontsize=9, parse_math=False)
    return ax


def _plot_anew(thing: Curve | Suggestion | FitResult | SampleResult) -> Axes:
    """Draw in a new figure, with the best fit's residuals below, the next axes."""
    import matplotlib.pyplot as plt

    residuals = fit_plot(thing).residuals[:1] if isinstance(thing, FitResult) else ()
    figure = plt.figure(figsize=(6.4, 4.4 + 1.2 * len(residuals)), layout="constrained")
    ratios = [3, *[1] * len(residuals)]
    panels = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    for lower, series in zip(panels[1:], residuals, strict=True):
        draw_residuals(lower, series, inherit)
        lower.set_ylabel(RESIDUAL_AXIS)
    upper = plot_of(thing, panels[0])
    upper.set_xlabel("")
    panels[-1].set_xlabel(Q_AXIS)
    return upper


# --- Tables of the nouns: rows, of pandas where it is installed, and a ranking on the terminal.


def frame_of(thing: Curve | Suggestion | FitResult | SampleResult) -> Any:
    """Return a noun as a pandas.DataFrame. Raises SasnetError without pandas."""
    try:
        import pandas
    except ImportError as error:
        raise SasnetError(
            "A table needs pandas, which is not installed; run pip install pandas"
            f"{', or take as_dict()' if hasattr(thing, 'as_dict') else ''}."
        ) from error
    return pandas.DataFrame(rows_of(thing))


def _make_curve_columns(curve: Curve) -> dict[str, Any]:
    columns = {name: getattr(curve, name) for name in ("q", "intensity", "dintensity", "dq", "dxl", "dxw")}
    return {name: values for name, values in columns.items() if values is not None}


def _make_guess_row(guess: ModelGuess) -> dict[str, Any]:
    return {"model": guess.name} | {name: value for name, value in vars(guess).items() if name != "name"}


def rows_of(thing: Curve | Suggestion | FitResult | SampleResult) -> Any:
    """Columns of a curve; a row for each model of a suggestion, for each parameter of each fit."""
    if isinstance(thing, Curve):
        return _make_curve_columns(thing)
    if isinstance(thing, Suggestion):
        return [_make_guess_row(guess) for guess in thing.models]
    if isinstance(thing, FitResult):
        return _make_fit_rows(thing)
    return _make_sample_rows(thing)


def _make_fit_rows(result: FitResult) -> list[dict[str, Any]]:
    return [
        {
            "rank": rank,
            "model": fit.name,
            "weight": None if fit.given_up else fit.weight,
            "reduced_chisq": fit.reduced_chisq,
            **row,
        }
        for rank, fit in enumerate(result.fits, start=1)
        for row in _list_parameters(fit.parameters)
    ]


def _make_sample_rows(result: SampleResult) -> list[dict[str, Any]]:
    """Parameters that all curves share have no curve; what is not determined has no value, but a reason."""
    sample_rows = []
    for rank, fit in enumerate(result.fits, start=1):
        head = {"rank": rank, "model": fit.name, "weight": fit.weight, "reduced_chisq": fit.reduced_chisq}
        sample_rows += [{**head, "curve": "", **row} for row in _mark_undetermined(fit.parameters)]
        for file, curve_parameters in zip(result.sample.files, fit.own, strict=True):
            sample_rows += [
                {**head, "curve": Path(file).name, **row} for row in _mark_undetermined(curve_parameters)
            ]
    return sample_rows


def _mark_undetermined(parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    return [
        {**row, "reason": p.undetermined} | ({"value": None} if p.undetermined else {})
        for row, p in zip(_list_parameters(parameters), parameters.values(), strict=True)
    ]


def _list_parameters(parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    return [
        {
            "parameter": name,
            "value": p.value,
            "error": None if p.fixed else p.error,
            "unit": p.unit,
            "fixed": p.fixed,
        }
        for name, p in parameters.items()
    ]


def ranking_of(fits: Sequence[ModelFit]) -> Any:
    """The ranking as a table of rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("model", no_wrap=True)
    table.add_column("structure factor")
    for name in ("weight", "χ²/dof", "BIC", "fitted"):
        table.add_column(name, justify="right")
    for fit in fits:
        table.add_row(
            Text(fit.short_model),
            Text(fit.structure_factor or "–"),
            fit.weight_text,
            chisq_text(fit.reduced_chisq),
            f"{fit.bic:.1f}",
            str(len(fit.free)),
        )
    return table
