"""State of each data set in the dialog: its candidates, before and after a fit. Without Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

#: Reduced χ² over the least, from which on a fit is not worth a row; and what counts as the least.
_HOPELESS, _LEAST = 100.0, 0.01
Curve = tuple[list[float], list[float]]


@dataclass(frozen=True)
class Candidate:
    """A model that may explain a data set."""

    model: str
    structure_factor: str | None
    probability: float | None = None  #: 0 to 1; None where it was fitted without having been suggested.
    group: str = ""  #: Models that data of this kind do not distinguish.
    warnings: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()  #: Those that the classifier gives, which a fit does not change.
    curve: Curve | None = None  #: (list, list), q in Å⁻¹ and intensity in cm⁻¹: the preview, then the fit.
    #: reduced_chisq, weight: none before a fit.
    reduced_chisq: float | None = None
    weight: float | None = None
    #: Of the best fit: explains the data, explains them with doubts, or does not; empty for the others.
    verdict: str = ""
    page: dict[str, Any] | None = None  #: What SasView's fit page takes.
    values: str = ""  #: The fitted parameters with errors and units.
    #: The resolution with which it was fitted, Å⁻¹, where sasnet had to find it; else None.
    dq: list[float] | None = None
    residuals: list[float | None] | None = None  #: (I - fit) / σ at the curve's q.

    @property
    def name(self) -> str:
        """``form@structure_factor``, or the form alone."""
        return f"{self.model}@{self.structure_factor}" if self.structure_factor else self.model


@dataclass
class Entry:
    """A data set in the dialog."""

    data: Any
    candidates: list[Candidate] = field(default_factory=list)  #: In the order of the table.
    state: str = ""  #: A few words: what is being done, or how it ended.
    remarks: list[str] = field(default_factory=list)  #: Sentences on the data set as a whole.
    asked: str = ""  #: ``suggest`` or ``fit`` while an answer is awaited, else empty.
    request: int | None = None  #: Number of the request that is awaited.
    #: Number of the request that the process answered with a fit; reports are asked for by it.
    fit: int | None = None
    #: The report of the fit that was kept for when that process is gone; empty where there is none.
    report: str = ""

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None

    def take_suggestion(self, result: dict[str, Any]) -> None:
        self.candidates = [_from_suggestion(item) for item in result.get("models") or []]
        warning = result.get("warning") or ""
        self.remarks = [f"⚠ {warning}"] if warning else []
        self.remarks += [str(item) for item in result.get("notes") or []]
        state = "perhaps none of these" if warning else ""
        self.settle(state if self.candidates else "no suggestion")

    def take_fit(self, result: dict[str, Any], number: int) -> None:
        """Take the answer to ``fit``: what was fitted in its order, then what was only suggested."""
        fit = result.get("fit") or {}
        known_candidates = {candidate.name: candidate for candidate in self.candidates}
        fitted = _make_candidates(result, known_candidates)
        new = [candidate for candidate in fitted if _is_worth_a_row(candidate, fitted)]
        if new:
            new[0] = replace(new[0], verdict=str(fit.get("verdict") or ""))
        notes = list(fit.get("notes") or [])
        remaining_names = known_candidates.keys() - {candidate.name for candidate in fitted}
        self.candidates = new + [
            _reset_candidate(candidate, fit)
            for name, candidate in known_candidates.items()
            if name in remaining_names
        ]
        self.remarks = [*_describe_fit(fit), *notes]
        self.fit, self.report = number, ""
        self.settle("fitted" if new else "no model could be fitted")

    def settle(self, state: str) -> None:
        """No answer is awaited any longer; `state` says how it ended."""
        self.state, self.asked, self.request = state, "", None


def _from_suggestion(model: dict[str, Any]) -> Candidate:
    preview, warning = model.get("preview"), model.get("in_scope_warning")
    scope = (f"Scope: {warning}",) if warning else ()
    return Candidate(
        model["model"],
        model.get("structure_factor"),
        model.get("probability"),
        model.get("group") or "",
        scope,
        scope,
        (preview["q"], preview["intensity"]) if preview else None,
    )


def _describe_fit(fit: Mapping[str, Any]) -> list[str]:
    """Headline and doubt of a fit."""
    head = str(fit.get("headline") or "")
    doubt = str(fit.get("doubt") or "")
    return [line for line in (head, f"⚠ {doubt}" if doubt else "") if line]


def _make_candidates(result: Mapping[str, Any], known_candidates: Mapping[str, Candidate]) -> list[Candidate]:
    pages = result.get("pages") or []
    curves = [*(result.get("curves") or []), *[None] * len(pages)]
    fits = (result.get("fit") or {}).get("fits") or []
    return [
        _from_fit(known_candidates, fit, page, curve, result.get("dq"))
        for fit, page, curve in zip(fits, pages, curves, strict=False)
    ]


def _is_worth_a_row(candidate: Candidate, fitted: Sequence[Candidate]) -> bool:
    """The first is; another unless its reduced χ² is hopeless beside the least."""
    least = min(one_candidate.reduced_chisq or 0.0 for one_candidate in fitted)
    return candidate is fitted[0] or (candidate.reduced_chisq or 0.0) <= _HOPELESS * max(least, _LEAST)


def _from_fit(
    known_candidates: Mapping[str, Candidate],
    fit: dict[str, Any],
    page: dict[str, Any],
    curve: dict[str, Any] | None,
    dq: Any,
) -> Candidate:
    """A candidate with what a fit says of it; what was suggested of it before stays."""
    plain = Candidate(fit["model"], fit["structure_factor"])
    old = known_candidates.get(plain.name, plain)
    return replace(
        old,
        warnings=(*old.scope, *fit.get("warnings", ())),
        curve=(curve["q"], curve["intensity"]) if curve else old.curve,
        reduced_chisq=page.get("reduced_chisq"),
        weight=page.get("weight"),
        verdict="",
        page=page,
        values=str(page.get("values") or ""),
        dq=dq,
        residuals=curve.get("residuals") if curve else None,
    )


def _reset_candidate(candidate: Candidate, fit: Mapping[str, Any]) -> Candidate:
    """A candidate that the latest fit left out, and why: results of an earlier fit no longer hold."""
    attributes = candidate.model, candidate.structure_factor, candidate.probability, candidate.group
    why = "Not fitted: other models were more probable, or closer to the data before the fit."
    if candidate.name in (fit.get("unfitted") or ()):
        ended = fit.get("ended")
        why = f"Not fitted {'before you ended the search' if ended else 'within the time limit'}."
    return Candidate(*attributes, (*candidate.scope, why), candidate.scope, candidate.curve)
