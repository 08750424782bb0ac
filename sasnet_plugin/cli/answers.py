"""How an answer is written: one JSON object per line, or tables for a person; the same for every domain."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..digits import significant
from ..model_free import Guinier
from ..model_free.results import distances
from ..names import argument, is_tiled
from ..predict import Answer
from ..predict.classes import ClassesFinding, ClassFound, percent
from ..predict.described import SizeFinding
from ..report.summaries import summarise_in_one_line
from ..types import Curve, printable
from ..units import range_from_nm
from .streams import json_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..fitting.result.fit_result import FitResult
    from ..report.page.overview import Row


# --- How an answer is written: one JSON object per line, or tables for a person; the same for every
# --- domain.

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
        """Print also p(r) and regions of curves with `details`, some tenths of a second each."""
        self._line, self._details = json_lines(), details

    def answer(self, measurement: Any, answer: Answer) -> None:
        answer_dict = answer.as_dict()
        if self._details and isinstance(measurement, Curve):
            answer_dict["pair_distances"] = measurement.pair_distances().as_dict()
            answer_dict["regions"] = measurement.regions().as_dict()
        self._line(answer_dict)

    def failure(self, file: str, entry: str, sentence: str) -> None:
        place = {"file": file, "entry": entry} if entry else {"file": file}
        self._line({**place, "error": sentence})

    def close(self, *, next_step: bool) -> None:
        """Nothing is left."""


class TableWriter:
    """A table for each finding and a few sentences for each measurement on stdout; failures on stderr."""

    def __init__(self, given: Sequence[str] = (), *, details: bool = False) -> None:
        """Keep the options that the next command repeats; with `details`, print p(r) and regions."""
        self._console, self._given, self._details = wide_console(), given, details

    def answer(self, measurement: Any, answer: Answer) -> None:
        if isinstance(measurement, Curve) and not self._details:
            self._short(measurement, answer)
        else:
            self._full(measurement, answer)
        self._lines([""])
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
        from rich.control import strip_control_codes
        from rich.text import Text

        if self._console.is_terminal:
            for line in lines:
                self._console.print(Text(line, style=style), soft_wrap=True)
        else:  # nothing to lay out, which costs as much as to draw a conclusion
            self._console.file.writelines(f"{strip_control_codes(line)}\n" for line in lines)

    def _tables(self, answer: Answer) -> None:
        for rows in filter(None, (finding.rows() for finding in answer.findings)):
            self._console.print(_table(rows, self._console.width < _WIDTH))

    def _print_after_curve(self, curve: Curve, file: str) -> None:
        if self._details:
            self._lines([distances(curve.pair_distances()), *curve.regions().lines()])
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


# --- Many files in one call: a line for each, and rows for the CSV and for the overview page.

#: Columns of a name, and of a curve in characters.
_NAME, _SPARK = 34, 16


class LineWriter:
    """One line on stdout for each file; of a file with several entries one with their spread."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Any, Answer]] = []
        self._count = 0
        #: Of one file: its name, its first sentence, and how many more of its entries have one.
        self._failed = ("", "", 0)

    def answer(self, measurement: Any, answer: Answer) -> None:
        """Take one answer; it is written when the file's last one is there."""
        previous = self._waiting[0][1].file if self._waiting else self._failed[0]
        if previous != answer.file:
            self._write()
        self._waiting.append((measurement, answer))

    def failure(self, file: str, entry: str, sentence: str) -> None:
        """Take why a file, or an entry of one, has no answer; of several entries the first reason is said."""
        if self._failed[0] != file:
            if not self._waiting or self._waiting[0][1].file != file:
                self._write()
            self._failed = (file, sentence, 0)
        else:
            _, first, more_count = self._failed
            self._failed = (file, first, more_count + 1)

    def close(self, *, next_step: bool) -> None:
        self._write()
        if self._count and next_step:
            files = f"{self._count} file{'s' if self._count > 1 else ''}"
            print(f"{files}. Details of each file: --details. Next: sasnet batch FILES --out NAME.h5")

    def _write(self) -> None:
        self._say_failed()
        if not self._waiting:
            return
        measurement, answer = self._waiting[0]
        spark = (sparkline(measurement, _SPARK) if isinstance(measurement, Curve) else "") or " " * _SPARK
        entries = [one_answer for _, one_answer in self._waiting]
        text = summarise_in_one_line(answer) if len(entries) == 1 else spread(entries)
        print(f"{_short(Path(answer.file).name):<{_NAME}} {spark}  {printable(text)}", flush=True)
        self._waiting, self._count = [], self._count + 1

    def _say_failed(self) -> None:
        (_, sentence, more_count), self._failed = self._failed, ("", "", 0)
        if sentence:
            entries = f"{more_count} more entries have" if more_count > 1 else "1 more entry has"
            also = f" (So {entries} no answer.)" if more_count else ""
            print(f"{printable(sentence)}{also}", file=sys.stderr, flush=True)


def _short(name: str) -> str:
    name = printable(name)
    return name if len(name) <= _NAME else f"{name[: _NAME - 9]}…{name[-8:]}"


def spread(answers: Sequence[Answer]) -> str:
    """How often each model is the likeliest among the entries of a file, and in how many perhaps none is."""
    unlike = sum(not answer.known for answer in answers)
    doubt = f"; perhaps no known model in {unlike} of them" if unlike else ""
    units = [str(answer.q_unit) for answer in answers if answer.q_unit and not answer.q_unit.stated]
    return "; ".join([f"{len(answers)} entries: {_summarise_models(answers)}{doubt}", *units[:1]])


def _summarise_models(answers: Sequence[Answer]) -> str:
    best_models = list(filter(None, map(_best, answers)))
    first = Counter(model.whole_name for model in best_models)
    listed = ", ".join(f"{name} {count}" for name, count in first.most_common(3))
    suffix = f" and {len(first) - 3} more models" if len(first) > 3 else ""
    shares = [model.probability for model in best_models]
    likely = f"; likeliest model {percent(min(shares))} to {percent(max(shares))}" if shares else ""
    return f"{listed}{suffix}{likely}"


def _best(answer: Answer) -> ClassFound | None:
    finding = answer.finding(ClassesFinding)
    return finding.classes[0] if finding and finding.classes else None


def make_classified_row(measurement: Any, answer: Answer, page: str = "") -> Row:
    from ..report.page.overview import Row, thumbnail

    row = Row(
        answer.file, answer.entry, summarise_in_one_line(answer), in_scope=float(answer.in_scope),
        level="" if answer.known else "doubt", note=" ".join(answer.notes), page=page,
        thumbnail=thumbnail(measurement), **_size(answer),
        q_unit=answer.q_unit.cell_text if answer.q_unit else "",
    )  # fmt: skip
    best = _best(answer)
    if best is None:
        return row
    label_given = next((label for label, _ in best.given.values()), "") or ""
    return replace(
        row, model=best.name, structure_factor=label_given, group=best.group, probability=best.probability
    )


def _size(answer: Answer) -> dict[str, Any]:
    size = answer.finding(SizeFinding)
    if size is None:
        return {}
    error = size.model_free.guinier.rg_error if isinstance(size.model_free.guinier, Guinier) else None
    network = None if size.network is None else size.network.value
    return {"rg": size.rg, "rg_error": error, "rg_network": network}


def make_fit_row(result: FitResult, page: str = "") -> Row:
    from ..fitting.result.verdict import DOES_NOT, DOUBTS
    from ..report.page.overview import Row, thumbnail

    best, verdict, size, seen = result.best, result.verdict, result.model_free.guinier, result.expected
    network = None if seen is None else seen.rg_network
    row = Row(
        result.curve.file, result.curve.entry, verdict.headline,
        level={DOUBTS: "doubt", DOES_NOT: "wrong"}.get(verdict.level, ""), note=verdict.doubt, page=page,
        thumbnail=thumbnail(result.curve, best.theory if best else None),
        q_unit=result.curve.q_unit.cell_text,
        rg=getattr(size, "rg", network), rg_error=getattr(size, "rg_error", None), rg_network=network,
        in_scope=None if seen is None else float(seen.in_scope),
    )  # fmt: skip
    if best is None:
        return row
    groups = () if seen is None else seen.groups
    return replace(
        row, model=best.short_model, structure_factor=best.structure_factor or "",
        group=next((group.name for group in groups if best.model in group.members), ""),
        probability=best.probability, weight=best.weight, reduced_chisq=best.reduced_chisq,
    )  # fmt: skip


def make_failure_row(file: str, sentence: str, entry: str = "") -> Row:
    from ..report.page.overview import Row

    return Row(file, entry, sentence, level="wrong")
