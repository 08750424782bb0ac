"""What a notebook shows of a noun: its picture, its three lines, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...digits import chisq_text, unit_text, with_error
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit, Parameter
from ...fitting.together.result import SampleResult
from ...fitting.verdict.equals import worth_showing
from ...in_python import in_python
from ...predict.classes import percent
from ...types import Curve, Suggestion, shown_name
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
        return of_curve(thing)
    if isinstance(thing, Suggestion):
        return of_suggestion(thing)
    if isinstance(thing, FitResult):
        return of_verdict(_title(thing.curve), thing.verdict)
    return of_verdict("", thing.verdict)


def _curve(curve: Curve) -> str:
    drawn = picture([_drawn(curve)], "Intensity against q") if len(curve) else ""
    return _whole(of_curve(curve), drawn, notes=curve.notes)


def _with_nearest(found: Suggestion, curve: Curve) -> str:
    nearest = nearest_curve(found)
    if nearest is None:
        return picture([_drawn(curve, [])], "Data")
    key = _key([f"{found.models[0].name}, nearest simulated curve, not fitted"])
    return picture([_drawn(curve, [nearest])], "Data") + key


def _suggestion(found: Suggestion) -> str:
    lines = of_suggestion(found)
    drawn = _with_nearest(found, found.curve) if found.curve is not None and len(found.curve) else ""
    rows = [
        [
            _coded(one.name), escape(one.structure_factor or "–"), _bar(one.probability),
            percent(one.probability), escape(one.group),
        ]
        for one in found.models[:_MOST]
    ]  # fmt: skip
    table = _table(["model", "structure factor", "", "probability", "group"], rows)
    return _whole(lines, drawn + table, notes=found.notes)


def nearest_curve(found: Suggestion) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The likeliest model's nearest simulated curve; None where there is none."""
    from ..sheet import nearest_simulated, opened_bank

    bank = opened_bank()
    if bank is None or found.curve is None or not found.models:
        return None
    best = found.models[0]
    return nearest_simulated(found.curve, best.name, best.structure_factor, bank)


def _fit(result: FitResult) -> str:
    fits = worth_showing(result.fits)[: len(COLOURS)]
    lines = [(result.curve.q, fit.theory) for fit in fits]
    label = f"Data with {fits[0].short_name}; residuals below" if fits else "Data"
    drawn = picture([_drawn(result.curve, lines, result.dintensity)], label)
    key = _key([f"{fit.short_name}, χ²/dof {chisq_text(fit.reduced_chisq)}" for fit in fits])
    table = _parameters(result.best) if result.best is not None else ""
    warned = result.best.warnings if result.best is not None else ()
    return _whole(
        of_verdict(_title(result.curve), result.verdict), drawn + key + table,
        notes=(*result.verdict.doubts[1:], *warned, *result.notes),
    )  # fmt: skip


def _sample(result: SampleResult) -> str:
    """Show all curves, moved apart by powers of ten, with the joint fit."""
    best, several, names = result.best, [], []
    for i, curve in enumerate(result.sample.curves):
        power = len(result.sample.curves) - 1 - i
        factor = 10.0**power
        lines = [] if best is None else [(curve.q, factor * best.theories[i])]
        colour = COLOURS[i % len(COLOURS)]
        several.append(
            Drawn(curve.q, factor * curve.intensity, factor * result.dintensities[i], lines, colour)
        )
        moved = f" × 10{str(power).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}" if power else ""
        names.append(f"{Path(result.sample.files[i]).name}{moved}")
    drawn = picture(several, "Curves of one sample with their joint fit") + _key(names)
    table = "" if best is None else _table(*_parameter_rows(best.parameters))
    return _whole(of_verdict("", result.verdict), drawn + table, notes=result.remarks)


def _title(curve: Curve) -> str:
    return shown_name(curve.file, curve.entry) if curve.file else ""


def _drawn(
    curve: Curve,
    lines: Sequence[tuple[Any, Any]] = (),
    dintensity: NDArray[np.float64] | None = None,
) -> Drawn:
    error = curve.dintensity if dintensity is None else dintensity
    return Drawn(curve.q, curve.intensity, error, lines, title=curve.intensity_label)


def _whole(lines: Sequence[str], below: str, *, notes: Sequence[str] = ()) -> str:
    """Lines, then what is below them, then notes behind a click."""
    head, *more = (escape(line) for line in lines)
    said = f'<div style="font-weight:600">{head}</div>' + "".join(f"<div>{line}</div>" for line in more)
    items = "".join(f"<li>{escape(in_python(note))}</li>" for note in dict.fromkeys(notes))
    folded = f"<details><summary>Notes</summary><ul>{items}</ul></details>" if items else ""
    return f'<div class="sasnet" style="max-width:{WIDTH + 260}px">{said}{below}{folded}</div>'


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
    rows = [[_coded(name), _value(p), escape(unit_text(p.unit)), _how(p)] for name, p in parameters.items()]
    return ["parameter", "value", "unit", ""], rows


def _value(p: Parameter) -> str:
    if p.undetermined:
        return "not determined"
    return escape(with_error(p.value, None if p.fixed else p.error))


def _how(p: Parameter) -> str:
    return "fixed" if p.fixed else "" if p.error is not None else "error unknown"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th style="{_CELL}">{name}</th>' for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td style={chr(34)}{_CELL}{chr(34)}>{cell}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return f'<table style="margin:6px 0"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _coded(name: str) -> str:
    return f"<code>{escape(name)}</code>"


def _bar(share: float) -> str:
    width = round(70 * min(max(share, 0.0), 1.0))
    return (
        f'<span style="display:inline-block;width:{width}px;height:8px;background:{COLOURS[0]}"></span>'
        f'<span style="display:inline-block;width:{70 - width}px"></span>'
    )


def of_curve(curve: Curve) -> tuple[str, ...]:
    """Name, points and range; what it says without a model, or that its unit is in doubt; what to do next."""
    doubt = in_python(curve.q_unit.doubt)
    found = tuple(without_model(curve.model_free())) if len(curve) else ()
    return (
        str(curve),
        f"Caution: {doubt}" if doubt else " ".join(found),
        "Next: suggest(curve) or fit(curve)",
    )


def of_suggestion(found: Suggestion) -> tuple[str, ...]:
    """How far the answer goes, whether it is of any known model, and what to do next."""
    from ...predict.classes import group_sentence

    if not found.models or not found.groups:
        return (f"{_name(found.file, found.entry)}No model was considered.",)
    said = group_sentence(found.models, found.groups)
    size = "" if found.rg is None else f" Rg about {significant(found.rg, 2)} Å."
    outside = _outside(found)
    head = f"If it is one of the known kinds all the same: {said[0].lower()}{said[1:]}" if outside else said
    doubt = outside or ("" if found.curve is None else in_python(found.curve.q_unit.doubt))
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


def _outside(found: Suggestion) -> str:
    from ...predict import open_classifier

    scope = open_classifier().manifest.scope
    return scope.outside if scope and scope.outside in found.notes else ""


def _name(file: str, entry: str) -> str:
    name = shown_name(file, entry) if file else ""
    return f"{name}: " if name else ""


def of_verdict(name: str, verdict: Verdict) -> tuple[str, ...]:
    """The lines of a fit, with the name of what was fitted."""
    head, *more = verdict.lines()
    return (f"{name}: {head}" if name else head, *more)
