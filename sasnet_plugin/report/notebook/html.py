"""What a notebook shows of a noun: its picture, its three lines, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...digits import chisq_text, format_with_error, unit_text
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit, Parameter
from ...fitting.result.sample_result import SampleResult
from ...fitting.verdict.equals import worth_showing
from ...in_python import translate_sentence
from ...predict.classes import percent
from ...types import Curve, Suggestion, make_shown_name
from .picture import COLOURS, WIDTH, Drawn, picture

if TYPE_CHECKING:
    from numpy.typing import NDArray
from typing import TYPE_CHECKING

from ...digits import significant
from ...model_free.in_words import lines as without_model

if TYPE_CHECKING:
    from ...fitting.result.verdict import Verdict

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
    from ..sheet import nearest_simulated, open_bank

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
    from ...predict.classes import group_sentence

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
    from ...predict import open_classifier

    scope = open_classifier().manifest.scope
    return scope.outside if scope and scope.outside in suggestion.notes else ""


def _name(file: str, entry: str) -> str:
    name = make_shown_name(file, entry) if file else ""
    return f"{name}: " if name else ""


def describe_verdict(name: str, verdict: Verdict) -> tuple[str, ...]:
    """The lines of a fit, with the name of what was fitted."""
    head, *more_lines = verdict.lines()
    return (f"{name}: {head}" if name else head, *more_lines)
