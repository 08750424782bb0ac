"""How an answer is written: one JSON object per line, or tables for a person; the same for every domain."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..digits import significant
from ..report import sparkline
from ..types import Curve, printable
from .streams import json_lines

if TYPE_CHECKING:
    from rich.console import Console

    from ..predict import Answer

#: Characters of a line where no window says it; in narrower ones titles of two words take two lines.
_WIDTH = 120

#: Columns that are not broken into lines.
_WHOLE = ("model", "structure factor", "probability", "uniform prior", "value", "error", "unit")


class Writer(Protocol):
    """Where answers and failures go, in the order in which they come."""

    def answer(self, measurement: Any, answer: Answer) -> None:
        """Write one answer."""

    def failure(self, file: str, entry: str, sentence: str) -> None:
        """Write why a file, or an entry of one, has no answer."""


class JsonWriter:
    """One object per line on stdout, flushed as it is written."""

    def __init__(self, *, details: bool = False) -> None:
        """With details, p(r) of curves, which takes some tenths of a second each."""
        self._line, self._details = json_lines(), details

    def answer(self, measurement: Any, answer: Answer) -> None:
        """Write one answer."""
        told = answer.as_dict()
        if self._details and isinstance(measurement, Curve):
            told["pair_distances"] = measurement.pair_distances().as_dict()
        self._line(told)

    def failure(self, file: str, entry: str, sentence: str) -> None:
        """Write why a file, or an entry of one, has no answer."""
        where = {"file": file, "entry": entry} if entry else {"file": file}
        self._line({**where, "error": sentence})


class TableWriter:
    """A table for each finding and a few sentences for each measurement on stdout; failures on stderr."""

    def __init__(self, given: Sequence[str] = (), *, details: bool = False) -> None:
        """With the options that a fit of the same files needs as well, for the command that is named next;
        with details, p(r) of curves.
        """
        self._console, self._given, self._details = wide_console(), given, details

    def answer(self, measurement: Any, answer: Answer) -> None:
        """Write one answer."""
        from rich.table import Table
        from rich.text import Text

        say = self._console.print
        noun = "curve" if isinstance(measurement, Curve) else "image"
        title = printable(" · ".join(filter(None, (answer.file, answer.entry, str(answer.q_unit or "")))))
        say(Text(title or noun, style="bold"), soft_wrap=True)
        sentences = list(answer.sentences())
        # A doubt comes before the numbers that it is about.
        leading = answer.doubts if isinstance(measurement, Curve) else 1
        for sentence in sentences[:leading]:
            say(Text(sentence, style="bold"), soft_wrap=True)
        del sentences[:leading]
        lines = [_sparkline(measurement), *(getattr(f, "line", str)() for f in answer.findings)]
        for line in filter(None, lines):
            say(Text(line, style="cyan"), soft_wrap=True)
        for finding in answer.findings:
            rows = finding.rows()
            if not rows:
                continue
            grouped = rows[0][-1] == "group"  # which is said once, above its members
            columns = rows[0][:-1] if grouped else rows[0]
            table = Table(box=None, pad_edge=False, header_style="dim")
            for column in columns:
                whole = column in _WHOLE
                narrow = whole and self._console.width < _WIDTH
                table.add_column(column.replace(" ", "\n") if narrow else column, no_wrap=whole)
            group = ""
            for row in rows[1:]:
                if grouped and row[-1] != group:
                    group = row[-1]
                    if group != row[0]:
                        table.add_row(Text(group, style="bold"))
                cells = [row[0] if group == row[0] else f"  {row[0]}", *row[1:-1]] if grouped else row
                table.add_row(*(Text(cell, style="green" if "%" in cell else "") for cell in cells))
            say(table)
        if self._details and isinstance(measurement, Curve):
            from ..model_free.in_words import distances

            sentences.append(distances(measurement.pair_distances()))
        for sentence in sentences:
            say(Text(sentence), soft_wrap=True)
        if isinstance(measurement, Curve) and answer.file:
            say(Text(f"Next: {next_command(measurement, self._given)}", style="bold"), soft_wrap=True)
        say()
        sys.stdout.flush()

    def failure(self, file: str, entry: str, sentence: str) -> None:
        """Write why a file, or an entry of one, has no answer."""
        print(printable(sentence), file=sys.stderr, flush=True)


def next_command(curve: Curve, given: Sequence[str], file: str = "") -> str:
    """``sasnet fit`` of a curve, with the options that were given, and with its entry where there are others.

    Parameters
    ----------
    file : str
        Instead of the curve's own name.
    """
    entry = ["--entry", printable(curve.entry)] if curve.entries > 1 and "--entry" not in given else []
    return shlex.join(["sasnet", "fit", printable(file or curve.file), *entry, *given])


def wide_console() -> Console:
    """Standard output as wide as its window; in a file or pipe wide enough for the longest names."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, width=shutil.get_terminal_size((_WIDTH, 24)).columns)


def _sparkline(measurement: Any) -> str:
    """A curve as a line of characters; empty for an image."""
    if not isinstance(measurement, Curve) or not (line := sparkline(measurement)):
        return ""
    return f"{line}  log I, q {significant(measurement.q[0], 3)} to {significant(measurement.q[-1], 3)} Å⁻¹"
