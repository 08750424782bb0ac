"""Many files in one call: a line for each, and rows for the CSV and for the overview page."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model_free import Guinier
from ..predict.classes import ClassesFinding, ClassFound, percent
from ..predict.described import SizeFinding
from ..report.summaries import summarise_in_one_line
from ..types import Curve, printable
from .answers import sparkline

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..predict import Answer
    from ..report.page.overview import Row

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

    best, verdict, size = result.best, result.verdict, result.model_free.guinier
    row = Row(
        result.curve.file, result.curve.entry, verdict.headline,
        level={DOUBTS: "doubt", DOES_NOT: "wrong"}.get(verdict.level, ""), note=verdict.doubt, page=page,
        thumbnail=thumbnail(result.curve, best.theory if best else None),
        q_unit=result.curve.q_unit.cell_text,
        rg=getattr(size, "rg", None), rg_error=getattr(size, "rg_error", None),
    )  # fmt: skip
    if best is None:
        return row
    return replace(
        row, model=best.short_model, structure_factor=best.structure_factor or "",
        probability=best.probability, weight=best.weight, reduced_chisq=best.reduced_chisq,
    )  # fmt: skip


def make_failure_row(file: str, sentence: str, entry: str = "") -> Row:
    from ..report.page.overview import Row

    return Row(file, entry, sentence, level="wrong")
