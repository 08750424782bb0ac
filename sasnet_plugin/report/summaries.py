"""Answers in one line, and joint fits as rows of text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..digits import chisq_text, quantity
from ..predict import Answer
from ..predict.classes import OTHERS, ClassesFinding, percent

if TYPE_CHECKING:
    from ..fitting.result.model_fit import ModelFit, Parameter
    from ..fitting.result.sample_result import JointFit, SampleResult


# --- An answer in one line: of a list of files, on a terminal or on a page.


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


# --- What tables of fits say: of a sample's joint fits as rows of text, and of a width its
# --- distribution.

Rows = tuple[list[str], list[list[str]]]


def ranking(result: SampleResult, most: int) -> Rows:
    """Head and rows of the joint fits, the best `most`: weight, reduced χ², and χ²/n of each curve."""
    names = [Path(f).name for f in result.sample.files]
    head = ["model", "weight", "reduced χ²", *(f"χ²/n {name}" for name in names)]
    rows = [
        [
            fit.name, f"{100 * fit.weight:.0f} %", chisq_text(fit.reduced_chisq),
            *(chisq_text(c / t.size) for c, t in zip(fit.chisq, fit.theories, strict=True)),
        ]
        for fit in result.fits[:most]
    ]  # fmt: skip
    return head, rows


def list_shared(best: JointFit) -> list[list[str]]:
    """Parameter, value with error, and whether it was fitted, of what all curves have in common."""
    from ..fitting.result.model_fit import drop_unused

    shared = drop_unused(best.parameters).items()
    return [[name, _text(p), "fixed" if p.is_given else "fitted"] for name, p in shared]


def own(best: JointFit) -> list[list[str]]:
    """Parameter, and its value with error for each curve."""
    return [[name, *(_text(curve_parameters[name]) for curve_parameters in best.own)] for name in best.own[0]]


def _text(p: Parameter) -> str:
    return "not determined" if p.undetermined else quantity(p.value, p.unit, p.error)


def distribution_of(fit: ModelFit, name: str, usual: str = "gaussian") -> str:
    """The kind of size distribution whose relative width a parameter is; empty for what is no width."""
    return fit.distributions.get(name.removesuffix("_pd"), usual) if name.endswith("_pd") else ""
