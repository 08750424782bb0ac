"""How the answers of ``sasnet fit`` are printed: three lines, all details, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ...types import Curve
from ..answers import TableWriter, wide_console
from ..streams import JsonLine

if TYPE_CHECKING:
    from ...fitting.result.fit_result import FitResult
    from ...predict import Answer


@dataclass(frozen=True)
class Say:
    """How answers are printed."""

    line: JsonLine | None  #: Prints an object as JSON; None prints for people.
    #: quiet, details: the headline alone; or all there is.
    quiet: bool
    details: bool
    titled: bool  #: There are several files.

    @property
    def silent(self) -> bool:
        """Whether nothing is said beside the answers."""
        return self.quiet or self.line is not None

    def failure(self, path: str, sentence: str) -> None:
        if self.line:
            self.line({"file": path, "error": sentence})
        else:
            print(sentence, file=sys.stderr, flush=True)

    def answer(self, measurement: Any, result: FitResult | Answer) -> None:
        from ...predict import Answer

        if self.line:
            result_dict = result.as_dict()
            if self.details and not isinstance(result, Answer):
                result_dict["pair_distances"] = result.pair_distances.as_dict()
            self.line(result_dict)
        elif isinstance(result, Answer):
            TableWriter().answer(measurement, result)
        else:
            titled = self.titled or several(result.curve)
            print_result(result, quiet=self.quiet, details=self.details, titled=titled)


def several(curve: Curve) -> bool:
    """Whether its entry says more than the file's name, as where a file holds several."""
    return curve.entry not in ("", Path(curve.file).stem)


#: Of a verdict, on a terminal.
_STYLES = {EXPLAINS: "green", DOUBTS: "yellow", DOES_NOT: "red"}


def print_result(
    result: FitResult, *, quiet: bool = False, details: bool = False, titled: bool = True
) -> None:
    """Print the answer in three lines; `quiet` prints the headline alone, `details` also all fits,
    parameters, warnings and notes. `titled` puts the file's name above.
    """
    from rich.text import Text

    say = wide_console().print
    if titled:
        say(Text(_title(result.curve), style="bold"), soft_wrap=True)
    head, *more_lines = result.verdict.lines()
    say(Text(head, style=_STYLES[result.verdict.level]), soft_wrap=True)
    if not quiet:
        _print_more(more_lines, say)
        if details:
            _print_details(result, say)
        if details or titled:
            say()
    sys.stdout.flush()


def _title(curve: Curve) -> str:
    return " · ".join(filter(None, (curve.file, curve.entry))) or "curve"


def _print_more(sentences: list[str], say: Any) -> None:
    from rich.text import Text

    for sentence in sentences:
        say(Text(sentence, style="bold" if sentence.startswith("Next") else ""), soft_wrap=True)


def _print_details(result: FitResult, say: Any) -> None:
    """Numbers without a model, all fits, the best one's parameters and warnings, verification, and notes."""
    from rich.text import Text

    from ...model_free.in_words import distances, lines

    say()
    say(Text("\n".join([*lines(result.model_free), distances(result.pair_distances)])), soft_wrap=True)
    say(result)
    for sentence in _describe_best_fit(result):
        say(Text(sentence), soft_wrap=True)


def _has_composed_names(result: FitResult) -> bool:
    return any(sign in fit.short_name for fit in result.fits for sign in "@+")


def _describe_best_fit(result: FitResult) -> Iterator[str]:
    from ...fitting.result.headline import parameters_in_words
    from ...fitting.verdict.sentences import NAMES

    best, doubts = result.best, result.verdict.doubts
    more_lines = [f"Caution: {doubt}" for doubt in doubts[1:]]
    yield from [str(NAMES)] if _has_composed_names(result) else []
    if best is not None:
        yield f"{best.short_name}: {parameters_in_words(best)}"
        if best.fitter:
            yield f"Fitted by {best.fitter}."
        more_lines += [f"Warning: {sentence}" for sentence in best.warnings if sentence not in doubts]
    yield from more_lines
    if result.verification is not None:
        yield result.verification.describe()
    yield from (f"Note: {note}" for note in result.notes)
