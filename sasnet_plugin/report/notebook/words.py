"""The three lines of each noun: what it is, the doubt that would hurt most, and what to do next in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...digits import significant
from ...in_python import in_python
from ...model_free.in_words import lines as without_model
from ...types import Curve, Suggestion, shown_name

if TYPE_CHECKING:
    from ...fitting.result.verdict import Verdict


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
