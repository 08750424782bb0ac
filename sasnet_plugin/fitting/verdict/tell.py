"""Build the verdict of a result: level, headline, cautions, and the next command."""

from __future__ import annotations

from dataclasses import replace

from ..result.fit_result import FitResult
from ..result.verdict import DOES_NOT, DOUBTS, EXPLAINS, Verdict
from ..task import FitOptions
from .doubts import doubts
from .equals import is_explained, is_explained_within_error
from .headline import headline, in_words
from .next_step import next_step, step_after_report


def add_verdict(result: FitResult, options: FitOptions | None = None) -> FitResult:
    told = verdict(result, options or FitOptions())
    # What fits only within a larger error than stated fits too, and what only describes the curve does not:
    # the flag never contradicts the sentence.
    return replace(result, verdict=told, verified=told.level != DOES_NOT and not result.described_within)


def verdict(result: FitResult, options: FitOptions) -> Verdict:
    """What is said of a result; green where it explains the data and nothing would hurt."""
    found_doubts = doubts(result)
    command, purpose = next_step(result, options)
    said = headline(result, in_words(result))
    after_report = step_after_report(result, options)
    return Verdict(level(result, found_doubts), said, found_doubts, command, purpose, after_report)


def level(result: FitResult, found_doubts: tuple[str, ...]) -> str:
    """`EXPLAINS`, `DOUBTS` or `DOES_NOT`."""
    if result.constant is not None:
        return EXPLAINS
    if not is_explained_within_error(result):
        return DOES_NOT
    return EXPLAINS if is_explained(result) and not found_doubts else DOUBTS
