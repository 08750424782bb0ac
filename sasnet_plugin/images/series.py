"""A series of frames answered one after the other, in a table that grows by a line for each."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from ..batch.live.line import HEAD as LINE_HEAD
from ..batch.live.line import SHARE, make_column_titles, text
from ..batch.series import growing
from ..digits import NORMAL_90
from ..domains.heads import Classes, Head, Parameter, Quantities, Tags
from ..files import plain_cell
from ..predict import Answer
from ..predict.classes import ClassesFinding
from ..predict.findings import QuantitiesFinding
from ..predict.tags import TagsFinding

if TYPE_CHECKING:
    from .report import Column


# --- A series of frames answered one after the other, in a table that grows by a line for each.

#: Frames assessed together: a frame of a large detector takes 20 MB.
TOGETHER = 4
#: Points of a figure; of longer series every second, third, … frame is drawn.
MOST_DRAWN = 2000
#: What stands before the quantities in a line.
HEAD = ("frame", "file", "entry", "time", "in_scope", "note")

#: Measurements to an answer, or an exception, for each.
Answers = Callable[[Sequence[Any]], Sequence["Answer | Exception"]]


@dataclass(frozen=True)
class Frame:
    """The answer for one frame."""

    number: int  #: From 1.
    file: str
    entry: str
    time: float
    in_scope: float = math.nan  #: NaN where there is no answer.
    #: (value, low, high), ends of the 90 % band; only what was answered.
    values: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    note: str = ""  #: Why there is no answer; else empty.


def follow(
    measurements: Iterable[tuple[str, Any]],
    answers: Answers,
    names: Sequence[str],
    *,
    interval: float = 1.0,
) -> Iterator[Frame]:
    """Answer frames in order, at most `TOGETHER` in memory; an exception becomes a line with the reason."""
    # `interval` is the time between frames, the first at 0.
    waiting: list[tuple[int, str, Any]] = []
    number = 0
    for number, (file, measurement) in enumerate(measurements, start=1):
        waiting.append((number, file, measurement))
        if len(waiting) >= TOGETHER:
            yield from _make_frames(waiting, answers, names, interval)
            waiting.clear()
    yield from _make_frames(waiting, answers, names, interval)


def _make_frames(
    waiting: Sequence[tuple[int, str, Any]],
    answers: Answers,
    names: Sequence[str],
    interval: float,
) -> Iterator[Frame]:
    outcomes = iter(
        answers([measurement for *_, measurement in waiting if not isinstance(measurement, Exception)])
    )
    for number, file, measurement in waiting:
        outcome = measurement if isinstance(measurement, Exception) else next(outcomes)
        entry = str(getattr(measurement, "entry", ""))
        time = (number - 1) * interval
        if isinstance(outcome, Exception):
            yield Frame(number, file, entry, time, note=str(outcome))
            continue
        answer_values = outcome.as_dict()
        yield Frame(
            number,
            file,
            entry,
            time,
            float(answer_values.get("in_scope", math.nan)),
            _values(answer_values, names),
        )


def _values(answer: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := number_of(answer, name)) is not None}


def number_of(answer: dict[str, Any], name: str) -> tuple[float, float, float] | None:
    """A number of an answer with the ends of its 90 % band, wherever it stands in it; None if nowhere."""
    for part in answer.values():
        if isinstance(part, dict) and isinstance(part.get(name), dict):
            entry = part[name]
            value = float(entry["value"])
            if "low" in entry:
                return value, float(entry["low"]), float(entry["high"])
            half = NORMAL_90 * float(entry.get("error", math.nan))
            return value, value - half, value + half
    return None


def write(frames: Iterable[Frame], path: Path, quantities: Sequence[Parameter]) -> tuple[int, int]:
    """Write a CSV line for each frame as it comes, three columns per quantity; return frames and failures.
    Raises SasnetError if it cannot be written, or if no frame has an answer and an earlier table lies there.
    """
    frames_seen = failures = 0
    with growing(path, [*HEAD, *(title for q in quantities for title in titles(q))]) as table:
        for frame in frames:
            table.add(_row(frame, quantities), frame.note)
            frames_seen += 1
            failures += bool(frame.note)
    return frames_seen, failures


def _row(frame: Frame, quantities: Sequence[Parameter]) -> list[object]:
    numbers = [text(x) for q in quantities for x in frame.values.get(q.name, (math.nan,) * 3)]
    names = [plain_cell(text) for text in (frame.file, frame.entry)]
    return [
        frame.number, *names, text(frame.time), text(frame.in_scope), plain_cell(frame.note), *numbers
    ]  # fmt: skip


def titles(quantity: Parameter) -> tuple[str, str, str]:
    unit = f" [{quantity.unit}]" if quantity.unit else ""
    return tuple(f"{quantity.name}{end}{unit}" for end in ("", "_low", "_high"))  # type: ignore[return-value]


@dataclass(frozen=True)
class Table:
    """A table as a figure needs it."""

    time: np.ndarray  #: (n,)
    #: (value, low, high), NaN where there is no answer; quantities that no frame has are left out.
    columns: dict[str, Column]


def read_back(path: Path, quantities: Sequence[Parameter], *, most: int = MOST_DRAWN) -> Table:
    """A table that `write` made, thinned to at most so many frames."""
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        lines = sum(1 for _ in csv.reader(file)) - 1
    step = max(1, -(-lines // most))
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = [row for number, row in enumerate(csv.DictReader(file)) if number % step == 0]

    def column(title: str) -> np.ndarray:
        return np.array([float(row[title]) if row[title] else math.nan for row in rows])

    columns: dict[str, Column] = {}
    for quantity in quantities:
        value, low, high = (column(title) for title in titles(quantity))
        if np.isfinite(value).any():
            columns[quantity.name] = (value, low, high)
    return Table(column("time"), columns)


# --- What the line of an image says: its class or tags with their probabilities, and its numbers.

F = TypeVar("F")


@dataclass(frozen=True)
class ImageLines:
    """Lines of images."""

    #: Frames of a large detector take 20 MB each.
    together: ClassVar[int] = TOGETHER

    heads: Sequence[Head]  #: Of the network; those of classes, tags and numbers have columns.

    def titles(self) -> list[str]:
        return [*LINE_HEAD, *(title for head in self.heads for title in _titles(head))]

    def cells(self, measurement: Any, answer: Answer | None) -> list[str]:
        is_known = answer is not None and answer.known
        return [cell for head in self.heads for cell in _cells(head, answer if is_known else None)]


def _titles(head: Head) -> Iterator[str]:
    if isinstance(head, Classes):
        yield from ("class", "class_probability")
    elif isinstance(head, Tags):
        yield "tags"
    if isinstance(head, Classes | Tags):
        yield from map(SHARE.__add__, head.labels)
    elif isinstance(head, Quantities):
        for parameter in head.parameters:
            yield from make_column_titles(parameter.name, parameter.unit)


def _cells(head: Head, answer: Answer | None) -> Iterator[str]:
    if isinstance(head, Classes):
        yield from _list_class_cells(head, _finding(answer, ClassesFinding, head))
    elif isinstance(head, Tags):
        yield from _list_tag_cells(head, _finding(answer, TagsFinding, head))
    elif isinstance(head, Quantities):
        yield from _list_quantity_cells(head, _finding(answer, QuantitiesFinding, head))


def _finding(answer: Answer | None, kind: type[F], head: Head) -> F | None:
    return None if answer is None else answer.finding(kind, head.name)


def _list_tag_cells(head: Tags, tags: TagsFinding | None) -> Iterator[str]:
    yield "" if tags is None else "; ".join(tags.present)
    yield from _shares(head, {} if tags is None else tags.probability)


def _list_quantity_cells(head: Quantities, quantities: QuantitiesFinding | None) -> Iterator[str]:
    values = {} if quantities is None else quantities.present_values
    for parameter in head.parameters:
        value = values.get(parameter.name)
        yield from ("", "") if value is None else (text(value.value), text(value.error))


def _list_class_cells(head: Classes, classes: ClassesFinding | None) -> Iterator[str]:
    shares = {} if classes is None else dict(zip(classes.head.labels, classes.probability, strict=True))
    best = max(shares, key=lambda label: shares[label], default="")
    yield from (best, text(float(shares.get(best, math.nan))))
    yield from _shares(head, shares)


def _shares(head: Classes | Tags, shares: Mapping[str, float]) -> Iterator[str]:
    yield from (text(float(shares.get(label, math.nan))) for label in head.labels)
