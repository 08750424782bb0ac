"""How an answer is written: one JSON object per line, or tables for a person; the same for every domain."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..digits import significant
from ..names import argument, is_tiled
from ..types import Curve, printable
from ..units import range_from_nm
from .streams import json_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

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

    def close(self, *, next_step: bool) -> None:
        """Write what is left, and what to do next where that is wanted."""


class JsonWriter:
    """One object per line on stdout, flushed as it is written."""

    def __init__(self, *, details: bool = False) -> None:
        """Print also p(r) of curves with `details`, some tenths of a second each."""
        self._line, self._details = json_lines(), details

    def answer(self, measurement: Any, answer: Answer) -> None:
        answer_dict = answer.as_dict()
        if self._details and isinstance(measurement, Curve):
            answer_dict["pair_distances"] = measurement.pair_distances().as_dict()
        self._line(answer_dict)

    def failure(self, file: str, entry: str, sentence: str) -> None:
        place = {"file": file, "entry": entry} if entry else {"file": file}
        self._line({**place, "error": sentence})

    def close(self, *, next_step: bool) -> None:
        """Nothing is left."""


class TableWriter:
    """A table for each finding and a few sentences for each measurement on stdout; failures on stderr."""

    def __init__(self, given: Sequence[str] = (), *, details: bool = False) -> None:
        """Keep the options that the next command repeats; with `details`, print p(r) of curves."""
        self._console, self._given, self._details = wide_console(), given, details

    def answer(self, measurement: Any, answer: Answer) -> None:
        if isinstance(measurement, Curve) and not self._details:
            self._short(measurement, answer)
        else:
            self._full(measurement, answer)
        self._console.print()
        sys.stdout.flush()

    def _full(self, measurement: Any, answer: Answer) -> None:
        curve = isinstance(measurement, Curve)
        noun, leading = ("curve", answer.doubts) if curve else ("image", 1)
        sentences = list(answer.sentences())
        # A doubt comes before the numbers that it is about.
        self._lines([_title(answer) or noun, *sentences[:leading]], "bold")
        lines = [_sparkline(measurement), *(getattr(f, "line", str)() for f in answer.findings)]
        self._lines(filter(None, lines), "cyan")
        self._tables(answer)
        self._lines(sentences[leading:])
        if curve:
            self._print_after_curve(measurement, answer.file)

    def _short(self, curve: Curve, answer: Answer) -> None:
        """Write an answer about a curve in eight lines at most."""
        from ..predict.short_answer import short_lines

        has_name = bool(answer.file) and not is_tiled(answer.file)
        command = next_command(curve, self._given) if has_name else ""
        self._lines([_title(answer) or "curve"], "bold")
        self._lines(short_lines(answer, command, ", if q is in nm⁻¹" if curve.q_unit.doubt else ""))

    def _lines(self, lines: Iterable[str], style: str = "") -> None:
        """Sentences, each on a line of its own, however long."""
        from rich.text import Text

        for line in lines:
            self._console.print(Text(line, style=style), soft_wrap=True)

    def _tables(self, answer: Answer) -> None:
        for rows in filter(None, (finding.rows() for finding in answer.findings)):
            self._console.print(_table(rows, self._console.width < _WIDTH))

    def _print_after_curve(self, curve: Curve, file: str) -> None:
        from ..model_free.in_words import distances

        if self._details:
            self._lines([distances(curve.pair_distances())])
        if file and not is_tiled(file):
            why = ", if q is in nm⁻¹" if curve.q_unit.doubt else ""
            self._lines([f"Next{why}: {next_command(curve, self._given)}"], "bold")

    def failure(self, file: str, entry: str, sentence: str) -> None:
        print(printable(sentence), file=sys.stderr, flush=True)

    def close(self, *, next_step: bool) -> None:
        """Nothing is left: each answer named its next step."""


def _title(answer: Answer) -> str:
    return printable(" · ".join(filter(None, (answer.file, answer.entry, str(answer.q_unit or "")))))


def _table(rows: Sequence[Sequence[str]], narrow: bool) -> Table:
    """Lay out a finding's rows; a group named in the last column is printed once above its members."""
    # `narrow` breaks titles of two words.
    from rich.table import Table
    from rich.text import Text

    grouped = rows[0][-1] == "group"
    table = Table(box=None, pad_edge=False, header_style="dim")
    columns, below = (rows[0][:-1], _indent_members(rows[1:])) if grouped else (rows[0], rows[1:])
    for column in columns:
        whole = column in _WHOLE
        table.add_column(column.replace(" ", "\n") if narrow and whole else column, no_wrap=whole)
    for row in below:
        table.add_row(*(Text(cell, style=_style(cell, row)) for cell in row))
    return table


def _style(cell: str, row: Sequence[str]) -> str:
    return "bold" if len(row) == 1 else "green" if "%" in cell else ""


def _indent_members(rows: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Rows without their last column, each group's name above its members; a group of its own has none."""
    group = ""
    for name, *numbers, members in rows:
        if group != members != name:
            yield [members]
        group = members
        yield [name if members == name else f"  {name}", *numbers]


def next_command(curve: Curve, arguments: Sequence[str], file: str = "") -> str:
    """Write the ``sasnet fit`` command of a curve with the options given, and its entry where the file has
    several. If nm⁻¹ is likelier than the assumed unit, the command says so. `file` replaces the curve's own
    name.
    """
    entry = ["--entry", printable(curve.entry)] if curve.entries > 1 and "--entry" not in arguments else []
    words = [*entry, *arguments]
    if curve.q_unit.doubt:
        words = ["--q-unit", "nm", *words]
        if "--q-range" in words:
            index = words.index("--q-range") + 1
            words[index] = ":".join("" if end is None else f"{end:g}" for end in range_from_nm(words[index]))
    return shlex.join(["sasnet", "fit", argument(file or curve.file), *words])


def wide_console() -> Console:
    """Standard output as wide as its window; in a file or pipe wide enough for the longest names."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, width=shutil.get_terminal_size((_WIDTH, 24)).columns)


def _sparkline(measurement: Any) -> str:
    if not isinstance(measurement, Curve) or not (line := sparkline(measurement)):
        return ""
    return f"{line}  log I, q {significant(measurement.q[0], 3)} to {significant(measurement.q[-1], 3)} Å⁻¹"


BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(curve: Curve, width: int = 40) -> str:
    """Draw log I against log q (q > 0, I > 0) in `width` block characters, each the mean of log I of its
    points; empty if fewer than two points are positive.
    """
    positive = (curve.q > 0) & (curve.intensity > 0)
    if np.count_nonzero(positive) < 2:
        return ""
    x, y = np.log(curve.q[positive]), np.log(curve.intensity[positive])
    span = x[-1] - x[0]
    if not span > 0:
        return ""
    cell = np.minimum((width * (x - x[0]) / span).astype(int), width - 1)
    count = np.bincount(cell, minlength=width)
    height = np.bincount(cell, weights=y, minlength=width) / np.maximum(count, 1)
    low, high = height[count > 0].min(), height[count > 0].max()
    step = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        BLOCKS[round((h - low) * step)] if n else " "
        for h, n in zip(height.tolist(), count.tolist(), strict=True)
    )
