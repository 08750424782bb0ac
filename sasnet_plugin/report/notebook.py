"""Data types in a notebook: a picture without matplotlib, three lines, axes, tables; by the public package.

Text and axes take the notebook's own colour (``currentColor``), so that it is read by day and by night.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..digits import chisq_text, format_with_error, significant, superscript, unit_text
from ..fitting.result.fit_result import FitResult
from ..fitting.result.model_fit import ModelFit, Parameter
from ..fitting.result.sample_result import SampleResult
from ..fitting.verdict.equals import worth_showing
from ..in_python import translate_sentence
from ..model_free.results import lines as without_model
from ..predict.classes import percent
from ..types import Curve, ModelGuess, SasnetError, Suggestion, make_shown_name
from .plot import draw_curve, draw_fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..arrays import Floats
    from ..fitting.result.verdict import Verdict


# --- A curve with its fits as one small ``svg`` element, without matplotlib: shown whenever a cell
# --- ends in it.

#: Pixels: of the whole, of the margins, of the strip of residuals and the gap above it.
WIDTH, _PLOT, _STRIP, _GAP = 560, 260, 56, 14
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 8, 36
#: Lines of fits, legible on white and on black; the best first.
COLOURS = ("#3182bd", "#e6550d", "#31a354", "#a05fb4")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Drawn:
    """One curve, and what is drawn through it."""

    #: q, intensity: (n,)
    q: Floats
    intensity: Floats
    dintensity: Floats | None = None  #: (n,)
    lines: Sequence[tuple[Floats, Floats]] = ()  #: (q, intensity), the first on top.
    colour: str = ""  #: Of its points; of the lines too where there are several curves.
    title: str = "I(q)"  #: Of the axis of intensities, of one curve alone.


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    log: bool
    start: float
    length: float

    def place(self, values: Floats) -> Floats:
        """Pixels."""
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.log(values / self.low) / math.log(self.high / self.low)
        else:
            share = (values - self.low) / (self.high - self.low)
        return np.asarray(self.start + self.length * share)

    def ticks(self) -> list[tuple[float, str]]:
        """Places in pixels and what is written there; nothing between decades where there are three."""
        if not self.log:
            values = _linear_ticks(self.low, self.high)
            return [(float(self.place(np.array(v))), f"{v:.4g}") for v in values]
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        factors = _factors(math.log10(self.high / self.low))
        candidates = [
            (float(self.place(np.array(factor * 10.0**power))), _format_tick(factor, power))
            for power in powers
            for factor in factors
            if self.low <= factor * 10.0**power <= self.high
        ]
        step = 1 + len(candidates) // 8
        return candidates[::step]


def _format_tick(factor: int, power: int) -> str:
    if -3 <= power <= 3:
        return f"{factor * 10.0**power:.4g}"
    return f"{'' if factor == 1 else f'{factor}×'}10{superscript(power)}"


def _factors(decades: float) -> Sequence[int]:
    """Which multiples of powers of ten are written on so long an axis."""
    if decades > 2.5:
        return (1,)
    return (1, 2, 5) if decades > 0.6 else range(1, 10)


def _linear_ticks(low: float, high: float) -> list[float]:
    step = 10 ** math.floor(math.log10((high - low) / 3 or 1.0))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 5)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def picture(curves: Sequence[Drawn], label: str) -> str:
    """Draw data with error bars and lines, and below a single curve its first line's residuals."""
    # Each point is a move of the path ``class="sasnet-points"``; points a logarithmic axis cannot show are on
    # its lower edge.
    only_curve = curves[0] if len(curves) == 1 else None
    residuals_only = None if only_curve is None else _residuals(only_curve)
    height = _TOP + _PLOT + (0 if residuals_only is None else _GAP + _STRIP) + _BOTTOM
    across = _make_q_axis([curve.q for curve in curves])
    up = _make_intensity_axis(curves)
    title = "I(q), moved apart" if only_curve is None else only_curve.title
    parts = [_frame(across, up, title, numbers=residuals_only is None)]
    for curve in curves:
        parts.append(_points(curve, across, up))
        has_several = len(curves) > 1
        for k in reversed(range(min(len(curve.lines), len(COLOURS)))):
            parts.append(
                _line(curve.lines[k], across, up, curve.colour if has_several else COLOURS[k], _DASHES[k])
            )
    if residuals_only is not None:
        parts.append(_strip(curves[0].q, residuals_only, across))
    parts.append(_text(_LEFT + across.length / 2, height - 4, "q / Å⁻¹", "middle"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}" font-size="11"'
        f' style="display:block;width:100%;max-width:{WIDTH}px;height:auto" fill="currentColor">'
        f"{''.join(parts)}</svg>"
    )


def _make_q_axis(all_q: Iterable[Floats]) -> _Axis:
    q = np.concatenate(list(all_q))
    log = bool(np.all(q > 0))
    low, high = (float(q.min()), float(q.max())) if q.size else (0.01, 1.0)
    if not high > low:
        low, high = 0.8 * low, 1.25 * high
    margin = (high / low) ** 0.02 if log else 1.0
    return _Axis(low / margin, high * margin, log, _LEFT, WIDTH - _LEFT - _RIGHT)


def _make_intensity_axis(curves: Sequence[Drawn]) -> _Axis:
    """Logarithmic where something is above zero; a few points that scatter down to it squeeze no others."""
    intensities = np.concatenate([curve.intensity for curve in curves])
    positive = intensities[intensities > 0]
    if positive.size:
        low, high = 0.5 * float(np.percentile(positive, 1)), 1.8 * float(positive.max())
        return _Axis(low, high, True, _TOP + _PLOT, -_PLOT)
    low, high = (float(intensities.min()), float(intensities.max())) if intensities.size else (0.0, 1.0)
    return _Axis(low, high if high > low else low + 1.0, False, _TOP + _PLOT, -_PLOT)


def _frame(across: _Axis, up: _Axis, title: str, *, numbers: bool) -> str:
    bottom = up.start
    path = f"M{_LEFT} {_TOP}V{bottom}H{WIDTH - _RIGHT}"
    marks, texts = [], []
    for x, text in across.ticks():
        marks.append(f"M{x:.1f} {bottom}v4")
        if numbers:
            texts.append(_text(x, bottom + 16, text, "middle"))
    for y, text in up.ticks():
        marks.append(f"M{_LEFT} {y:.1f}h-4")
        texts.append(_text(_LEFT - 7, y + 4, text, "end"))
    place = f"translate(12 {_TOP + _PLOT / 2}) rotate(-90)"
    texts.append(f'<text transform="{place}" text-anchor="middle">{escape(title)}</text>')
    lines = f'<path d="{path}{"".join(marks)}" fill="none" stroke="currentColor" stroke-opacity=".6"/>'
    return lines + "".join(texts)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _points(drawing: Drawn, across: _Axis, up: _Axis) -> str:
    top, bottom = up.start + up.length, up.start
    x = across.place(drawing.q)
    y = np.clip(
        np.nan_to_num(up.place(drawing.intensity), nan=bottom, posinf=bottom, neginf=top), top, bottom
    )
    stroke = drawing.colour or "currentColor"
    moves = "".join(f"M{a:.1f} {b:.1f}h.01" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    points = (
        f'<path class="sasnet-points" d="{moves}" fill="none" stroke="{stroke}" stroke-opacity=".75"'
        ' stroke-width="3" stroke-linecap="round"/>'
    )
    if drawing.dintensity is None:
        return points
    ends = [
        np.clip(
            np.nan_to_num(up.place(drawing.intensity + sign * drawing.dintensity), nan=bottom), top, bottom
        )
        for sign in (-1, 1)
    ]
    bars = "".join(
        f"M{a:.1f} {b:.1f}V{c:.1f}"
        for a, b, c in zip(x.tolist(), ends[0].tolist(), ends[1].tolist(), strict=True)
        if abs(b - c) > 3
    )
    return f'<path d="{bars}" fill="none" stroke="{stroke}" stroke-opacity=".35"/>{points}'


def _line(line: tuple[Floats, Floats], across: _Axis, up: _Axis, colour: str, dashes: str) -> str:
    top, bottom = up.start + up.length, up.start
    x, y = across.place(line[0]), up.place(line[1])
    is_inside = np.isfinite(x) & np.isfinite(y) & (x >= _LEFT - 1) & (x <= WIDTH - _RIGHT + 1)
    pairs = zip(x[is_inside].tolist(), np.clip(y[is_inside], top, bottom + 2).tolist(), strict=True)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in pairs)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"{dashed}/>'


def _residuals(drawing: Drawn) -> Floats | None:
    """Residuals of the first line over the errors; None at other points or without errors."""
    if (
        not drawing.lines
        or drawing.dintensity is None
        or drawing.lines[0][1].shape != drawing.intensity.shape
    ):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((drawing.intensity - drawing.lines[0][1]) / drawing.dintensity)


def _strip(q: Floats, residuals: Floats, across: _Axis) -> str:
    top = _TOP + _PLOT + _GAP
    middle, finite_residuals = top + _STRIP / 2, np.nan_to_num(residuals)
    bound = max(4.0, 1.1 * float(np.percentile(np.abs(finite_residuals), 98)))

    def scale(residual: float) -> float:
        return middle - residual / bound * _STRIP / 2

    x = across.place(q)
    moves = "".join(
        f"M{a:.1f} {scale(r):.1f}h.01"
        for a, r in zip(x.tolist(), np.clip(finite_residuals, -bound, bound).tolist(), strict=True)
    )
    shade = (
        f'<rect x="{_LEFT}" y="{scale(2):.1f}" width="{across.length}" height="{scale(-2) - scale(2):.1f}"'
    )
    text_marks = "".join(_text(x, top + _STRIP + 15, text, "middle") for x, text in across.ticks())
    return (
        f'{shade} fill="currentColor" fill-opacity=".1"/>'
        f'<path d="M{_LEFT} {middle}h{across.length}" stroke="currentColor" stroke-opacity=".5"/>'
        f'<path class="sasnet-residuals" d="{moves}" fill="none" stroke="{COLOURS[0]}" stroke-width="2.6"'
        f' stroke-linecap="round"/>{_text(_LEFT - 7, middle + 4, f"±{bound:.0f} σ", "end")}{text_marks}'
    )


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
    figure = picture([_make_drawing(curve)], "Intensity against q") if len(curve) else ""
    return _whole(describe_curve(curve), figure, notes=curve.notes)


def _draw_with_nearest(suggestion: Suggestion, curve: Curve) -> str:
    nearest = nearest_curve(suggestion)
    if nearest is None:
        return picture([_make_drawing(curve, [])], "Data")
    key = _key([f"{suggestion.models[0].name}, nearest simulated curve, not fitted"])
    return picture([_make_drawing(curve, [nearest])], "Data") + key


def _suggestion(suggestion: Suggestion) -> str:
    lines = describe_suggestion(suggestion)
    figure = (
        _draw_with_nearest(suggestion, suggestion.curve)
        if suggestion.curve is not None and len(suggestion.curve)
        else ""
    )
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
    fits = worth_showing(result.fits)[: len(COLOURS)]
    lines = [(result.curve.q, fit.theory) for fit in fits]
    label = f"Data with {fits[0].short_name}; residuals below" if fits else "Data"
    figure = picture([_make_drawing(result.curve, lines, result.dintensity)], label)
    key = _key([f"{fit.short_name}, χ²/dof {chisq_text(fit.reduced_chisq)}" for fit in fits])
    table = _parameters(result.best) if result.best is not None else ""
    warned = result.best.warnings if result.best is not None else ()
    return _whole(
        describe_verdict(_title(result.curve), result.verdict), figure + key + table,
        notes=(*result.verdict.doubts[1:], *warned, *result.notes),
    )  # fmt: skip


def _sample(result: SampleResult) -> str:
    """Show all curves, moved apart by powers of ten, with the joint fit."""
    best, drawings, names = result.best, [], []
    for i, curve in enumerate(result.sample.curves):
        power = len(result.sample.curves) - 1 - i
        factor = 10.0**power
        lines = [] if best is None else [(curve.q, factor * best.theories[i])]
        colour = COLOURS[i % len(COLOURS)]
        drawings.append(
            Drawn(curve.q, factor * curve.intensity, factor * result.dintensities[i], lines, colour)
        )
        moved = f" × 10{str(power).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}" if power else ""
        names.append(f"{Path(result.sample.files[i]).name}{moved}")
    figure = picture(drawings, "Curves of one sample with their joint fit") + _key(names)
    table = "" if best is None else _table(*_parameter_rows(best.parameters))
    return _whole(describe_verdict("", result.verdict), figure + table, notes=result.remarks)


def _title(curve: Curve) -> str:
    return make_shown_name(curve.file, curve.entry) if curve.file else ""


def _make_drawing(
    curve: Curve,
    lines: Sequence[tuple[Any, Any]] = (),
    dintensity: NDArray[np.float64] | None = None,
) -> Drawn:
    error = curve.dintensity if dintensity is None else dintensity
    return Drawn(curve.q, curve.intensity, error, lines, title=curve.intensity_label)


def _whole(lines: Sequence[str], below: str, *, notes: Sequence[str] = ()) -> str:
    """Lines, then what is below them, then notes behind a click."""
    head, *more_lines = (escape(line) for line in lines)
    text = f'<div style="font-weight:600">{head}</div>' + "".join(f"<div>{line}</div>" for line in more_lines)
    items = "".join(f"<li>{escape(translate_sentence(note))}</li>" for note in dict.fromkeys(notes))
    folded = f"<details><summary>Notes</summary><ul>{items}</ul></details>" if items else ""
    return f'<div class="sasnet" style="max-width:{WIDTH + 260}px">{text}{below}{folded}</div>'


def _key(names: Sequence[str]) -> str:
    items = "".join(
        f'<span style="margin-right:18px"><span style="color:{COLOURS[k % len(COLOURS)]}">━ </span>'
        f"{escape(name)}</span>"
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
    return "fixed" if p.fixed else "" if p.error is not None else "error unknown"


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
    doubt = translate_sentence(curve.q_unit.doubt)
    sentences = tuple(without_model(curve.model_free())) if len(curve) else ()
    return (
        str(curve),
        f"Caution: {doubt}" if doubt else " ".join(sentences),
        "Next: suggest(curve) or fit(curve)",
    )


def describe_suggestion(found: Suggestion) -> tuple[str, ...]:
    """How far the answer goes, whether it is of any known model, and what to do next."""
    from ..predict.classes import group_sentence

    if not found.models or not found.groups:
        return (f"{_name(found.file, found.entry)}No model was considered.",)
    said = group_sentence(found.models, found.groups)
    size = "" if found.rg is None else f" Rg about {significant(found.rg, 2)} Å."
    outside = _find_outside_sentence(found)
    head = f"If it is one of the known kinds all the same: {said[0].lower()}{said[1:]}" if outside else said
    doubt = outside or ("" if found.curve is None else translate_sentence(found.curve.q_unit.doubt))
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

    scope = open_classifier().manifest.scope
    return scope.outside if scope and scope.outside in suggestion.notes else ""


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
    # A fit in a new figure has residuals below, the next axes.
    if isinstance(thing, FitResult):
        return _plot_fit(thing, ax)
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    if isinstance(thing, Curve):
        _draw_titled(ax, thing)
    elif isinstance(thing, Suggestion):
        _draw_suggestion(ax, thing)
    else:
        _draw_sample(ax, thing)
    return ax


def _plot_fit(result: FitResult, ax: Axes | None) -> Axes:
    if ax is not None:
        draw_fit(ax, None, result)
        return ax
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(6.4, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    draw_fit(upper, lower, result)
    axes: Axes = upper
    return axes


def _draw_titled(ax: Axes, curve: Curve) -> None:
    draw_curve(ax, curve)
    ax.set_title(make_shown_name(curve.file, curve.entry) if curve.file else "", fontsize=9, parse_math=False)


def _draw_suggestion(ax: Axes, suggestion: Suggestion) -> None:
    if suggestion.curve is None:
        return
    _draw_titled(ax, suggestion.curve)
    nearest = nearest_curve(suggestion)
    if nearest is not None:
        ax.plot(*nearest, lw=1.4, label=f"{suggestion.models[0].name}, nearest simulated curve, not fitted")
        ax.legend(fontsize="small", frameon=False)


def _draw_sample(ax: Axes, result: SampleResult) -> None:
    """Draw all curves, moved apart by powers of ten, each with its joint fit."""
    count = len(result.sample.curves)
    for i, curve in enumerate(result.sample.curves):
        factor = 10.0 ** (count - 1 - i)
        style: dict[str, Any] = {"color": f"C{i % 10}"}
        moved = f" ×{factor:g}" if factor > 1 else ""
        label = f"{Path(result.sample.files[i]).name}{moved}"
        error = factor * result.dintensities[i]
        ax.errorbar(curve.q, factor * curve.intensity, error, fmt=".", ms=3, lw=0.6, label=label, **style)
        if result.best is not None:
            ax.plot(curve.q, factor * result.best.theories[i], lw=1.4, **style)
    ax.set(xscale="log", yscale="log", xlabel="q / Å⁻¹", ylabel="I(q), moved apart")
    ax.legend(fontsize="small", frameon=False)


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
        {"rank": rank, "model": fit.name, "weight": fit.weight, "reduced_chisq": fit.reduced_chisq, **row}
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
            f"{100 * fit.weight:.0f} %",
            chisq_text(fit.reduced_chisq),
            f"{fit.bic:.1f}",
            str(len(fit.free)),
        )
    return table
