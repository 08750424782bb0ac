"""An answer in one line: of a list of files, on a terminal or on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..predict.classes import OTHERS, ClassesFinding, percent

if TYPE_CHECKING:
    from ..predict import Answer


def summarise_in_one_line(answer: Answer) -> str:
    """Likeliest model and group, or the first sentence of another kind of answer."""
    if fitted := next(
        filter(None, (getattr(one_finding, "headline", "") for one_finding in answer.findings)), ""
    ):
        return fitted
    finding = answer.finding(ClassesFinding)
    if finding is None or not finding.classes:
        return next(iter(answer.sentences()), "no answer")
    sentence = _likeliest(finding)
    return (sentence if answer.known else _add_doubt(finding, sentence)) + _describe_assumed_unit(
        answer.q_unit
    )


def _add_doubt(finding: ClassesFinding, sentence: str) -> str:
    return "no known model" if finding.is_other else f"perhaps no known model; if one, {sentence}"


def _likeliest(finding: ClassesFinding) -> str:
    """The likeliest model with its group, the one that is shown first in front."""
    best, group = finding.classes[0], next(iter(finding.groups), None)
    text = f"{OTHERS if finding.is_other else best.whole_name} {percent(best.probability)}"
    if group is None or len(group.members) <= 1:
        return text
    first = f"{group.name} {percent(group.probability)}"
    return f"{text}; {first}" if best.name in group.members else f"{first} or {text}"


def _describe_assumed_unit(unit: Any) -> str:
    if unit is not None and unit.doubt:
        return f"; {unit}, perhaps wrongly"
    return f"; {unit}" if str(unit or "") else ""
