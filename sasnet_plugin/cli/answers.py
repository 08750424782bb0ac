"""How an answer is written: one JSON object per line, or a table for a person."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Protocol

from sasnet_plugin.domains import Domain, resolve
from sasnet_plugin.predict.notes import OUT_OF_SCOPE, group_sentence, percent

if TYPE_CHECKING:
    from rich.console import Console

    from sasnet_plugin.types import Curve, Suggestion

BAR = 12  # characters of a probability of 1


class Writer(Protocol):
    """Where answers and failures go, in the order in which they come."""

    def answer(self, domain: Domain, measurement: Any, answer: Any) -> None:
        """Write one answer."""

    def failure(self, file: str, entry: str, sentence: str) -> None:
        """Write why a file, or an entry of one, has no answer."""


class JsonWriter:
    """One object per line on stdout, flushed as it is written."""

    def answer(self, domain: Domain, measurement: Any, answer: Any) -> None:
        """Write one answer."""
        print(json.dumps(resolve(domain.as_dict)(answer), ensure_ascii=False), flush=True)

    def failure(self, file: str, entry: str, sentence: str) -> None:
        """Write why a file, or an entry of one, has no answer."""
        where = {"file": file, "entry": entry} if entry else {"file": file}
        print(json.dumps({**where, "error": sentence}, ensure_ascii=False), flush=True)


class TableWriter:
    """A table and a few sentences for each measurement on stdout; failures on stderr."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(file=sys.stdout, highlight=False)

    def answer(self, domain: Domain, measurement: Any, answer: Any) -> None:
        """Write one answer."""
        resolve(domain.show)(self._console, measurement, answer)
        sys.stdout.flush()

    def failure(self, file: str, entry: str, sentence: str) -> None:
        """Write why a file, or an entry of one, has no answer."""
        print(sentence, file=sys.stderr, flush=True)


def show(console: Console, curve: Curve, suggestion: Suggestion) -> None:
    """Print a suggestion as a table of models and a few sentences."""
    from rich.table import Table
    from rich.text import Text

    from sasnet_plugin.report.sparkline import sparkline

    say = console.print
    title = " · ".join(part for part in (suggestion.file, suggestion.entry) if part)
    say(Text(title or "curve", style="bold"), soft_wrap=True)
    if line := sparkline(curve):
        say(
            Text(f"{line}  log I, q {curve.q[0]:.3g} to {curve.q[-1]:.3g} Å⁻¹", style="cyan"),
            soft_wrap=True,
        )
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("model", no_wrap=True)
    table.add_column("structure factor")
    table.add_column("probability", no_wrap=True)
    table.add_column("group")
    for model in suggestion.models:
        bar = "█" * max(round(BAR * model.probability), 0)
        probability = Text(f"{percent(model.probability):>6} ").append(bar, style="green")
        table.add_row(Text(model.name), Text(model.structure_factor or "–"), probability, Text(model.group))
    say(table)
    for sentence in _sentences(suggestion):
        say(Text(sentence), soft_wrap=True)
    say()


def as_dict(suggestion: Suggestion) -> dict[str, Any]:
    """Return the object that ``--json`` prints for one data set; probabilities fall."""
    return {
        "file": suggestion.file,
        "entry": suggestion.entry,
        "models": [
            {
                "name": model.name,
                "structure_factor": model.structure_factor,
                "probability": round(model.probability, 6),
                "group": model.group,
                "structure_factor_probability": round(model.structure_factor_probability, 6),
            }
            for model in suggestion.models
        ],
        "groups": [
            {"name": group.name, "members": list(group.members), "probability": round(group.probability, 6)}
            for group in suggestion.groups
        ],
        "in_scope": round(suggestion.in_scope, 6),
        "rg": None if suggestion.rg is None else float(f"{suggestion.rg:.3g}"),
        "notes": list(suggestion.notes),
    }


def _sentences(suggestion: Suggestion) -> list[str]:
    verdict = group_sentence(suggestion.models, suggestion.groups)
    if OUT_OF_SCOPE in suggestion.notes:
        scope, verdict = OUT_OF_SCOPE, f"If one of the known models all the same: {verdict}"
    else:
        scope = f"A known model explains this curve: {percent(suggestion.in_scope)}."
    size = [] if suggestion.rg is None else [f"Radius of gyration about {suggestion.rg:.2g} Å."]
    rest = [note for note in suggestion.notes if note != OUT_OF_SCOPE and not verdict.endswith(note)]
    return [verdict, scope, *size, *(f"Note: {note}" for note in rest)]
