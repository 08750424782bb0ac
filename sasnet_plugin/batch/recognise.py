"""A table that grows by a line as it comes; an earlier one gives way with its first answer, not before.

A sequential test: after each frame the classes' probabilities are those of all counts so far, and the answer
is settled when one of them has stayed above a threshold for some frames. Were the probabilities exact, no
more than one minus the threshold of the settled answers would be wrong, whenever one stops (Wald, Sequential
Analysis, 1947); how many are was measured with simulated samples (docs/studies.md).
"""

from __future__ import annotations

import contextlib
import csv
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import plain_cell
from ..predict.classes import ClassesFinding
from ..types import SasnetError

if TYPE_CHECKING:
    from ..predict import Answer


# --- A table that grows by a line as it comes; an earlier one gives way with its first answer, not
# --- before.

_HOW: dict[str, Any] = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}


class Growing:
    """An opened table that others can read; lines go to `aside` while an earlier table stays."""

    def __init__(self, path: Path, aside: Path | None) -> None:
        self._path, self.aside = path, aside
        self._file = (aside or path).open("w", **_HOW)
        #: Why the first line has no answer.
        self.reason = ""

    def add(self, cells: Sequence[Any], note: str = "") -> None:
        """Write a line; with a note it is no answer."""
        self.reason = self.reason or note
        self.write(cells)
        if self.aside is not None and not note:
            self._file.close()
            os.replace(self.aside, self._path)
            self.aside = None
            self._file = self._path.open("a", **_HOW)

    def write(self, cells: Sequence[Any]) -> None:
        """Write a line that is no frame's."""
        csv.writer(self._file).writerow(cells)
        self._file.flush()

    def close(self) -> None:
        """Let go of it, and of lines that took no place."""
        self._file.close()
        if self.aside is not None:
            self.aside.unlink(missing_ok=True)


@contextlib.contextmanager
def growing(path: Path, head: Iterable[str]) -> Iterator[Growing]:
    """Open a table to add lines to. Raises SasnetError if it cannot be written, or if no line is an answer
    and an earlier table lies there, which then stays.
    """
    table: Growing | None = None
    try:
        earlier = path.is_file() and path.stat().st_size > 0
        table = Growing(path, path.with_name(f".{path.name}.sasnet-tmp{os.getpid()}") if earlier else None)
        table.write(list(head))
        yield table
        if table.aside is not None:
            raise SasnetError(
                f"{path}: no frame has an answer ({table.reason.rstrip('.') or 'no frames were read'}), so"
                f" the earlier table was kept; check the files given."
            )
    except OSError as error:
        raise SasnetError(
            f"{path}: the table cannot be written ({error.strerror or error}); name another file."
        ) from error
    finally:
        if table is not None:
            table.close()


# --- Frames of one sample added up as they come: probabilities against counts, and when the answer
# --- is settled.


@dataclass(frozen=True)
class SettledSettings:
    """When an answer is settled."""

    #: Probability of a class; calibrated, so that one answer in twenty may be wrong.
    probability: float = 0.95
    #: Frames in a row for which it stays above: looking often must not make chance hits count.
    frames: int = 3
    #: Times the counts at the first of these that there must be at the last: frames that are short beside
    #: what is counted already say nothing new.
    growth: float = 1.0


SETTLED = SettledSettings()
#: What stands before the classes in a line.
HEAD = ("frame", "file", "entry", "counts", "in_scope")


@dataclass
class Sequential:
    """The test after each look."""

    settings: SettledSettings
    settled: str = ""  #: Class or group that is settled; empty where none is yet.
    _leading: str = ""
    _lasted: int = field(default=0)
    _since: float = 0.0

    def look(self, shares: Mapping[str, float], is_known: bool, counts: float = 0.0) -> bool:
        """Take the probabilities of all that is counted, and its counts; whether the answer is settled."""
        best = max(shares, key=shares.__getitem__, default="")
        if not is_known or shares.get(best, 0.0) < self.settings.probability:
            self._leading, self._lasted = "", 0
        elif best == self._leading:
            self._lasted += 1
        else:
            self._leading, self._lasted, self._since = best, 1, counts
        if self._lasted >= self.settings.frames and counts >= self.settings.growth * self._since:
            self.settled = self.settled or best
        return bool(self.settled)


@dataclass(frozen=True)
class Look:
    """The answer for all frames so far."""

    number: int  #: From 1.
    #: file, entry: of the newest.
    file: str
    entry: str
    counts: float = math.nan  #: Of all.
    in_scope: float = math.nan
    classes: dict[str, float] = field(default_factory=dict)  #: Probabilities.
    settled: str = ""  #: The class that is settled; empty where none is yet.
    note: str = ""  #: Why a frame was not added, or there is no answer; else empty.


def recognise(
    frames: Iterable[tuple[str, Any]],
    added: Callable[[Any, Any], Any],
    answers: Callable[[Sequence[Any]], Sequence[Answer | Exception]],
    settings: SettledSettings = SETTLED,
) -> Iterator[Look]:
    """Answer the sum of all frames after each."""
    # `added` adds two measurements of one sample and setting, or raises SasnetError.
    total: Any = None
    test = Sequential(settings)
    for number, (file, frame) in enumerate(frames, start=1):
        entry = str(getattr(frame, "entry", ""))
        try:
            total = _unless_failed(frame) if total is None else added(total, _unless_failed(frame))
            answer = _unless_failed(*answers([total]))
        except SasnetError as error:
            yield Look(number, file, entry, note=str(error), settled=test.settled)
            continue
        named_classes = answer.finding(ClassesFinding)
        assert named_classes is not None
        classes = dict(zip(named_classes.head.labels, map(float, named_classes.probability), strict=True))
        test.look(classes, answer.known)
        yield Look(number, file, entry, float(total.counts.sum()), answer.in_scope, classes, test.settled)


def write(looks: Iterable[Look], path: Path, labels: Sequence[str]) -> list[Look]:
    """Write a line for each look as it comes. Raises SasnetError if the table cannot be written, or if no
    frame has an answer and an earlier table lies there.
    """
    looks_kept: list[Look] = []
    with growing(path, [*HEAD, *labels, "settled", "note"]) as table:
        for look in looks:
            numbers = [look.counts, look.in_scope, *(look.classes.get(name, math.nan) for name in labels)]
            cells = [f"{x:.6g}" if math.isfinite(x) else "" for x in numbers]
            names = [plain_cell(text) for text in (look.file, look.entry)]
            table.add([look.number, *names, *cells, look.settled, plain_cell(look.note)], look.note)
            looks_kept.append(look)
    return looks_kept


def _unless_failed(outcome: Any) -> Any:
    """What was found, unless that is why there is nothing."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def describe_recognition(looks: Sequence[Look]) -> str:
    """Whether the answer is settled, and since when."""
    first = next((look for look in looks if look.settled), None)
    answered_looks = [look for look in looks if look.classes]
    if first is not None:
        return (
            f"Converged after frame {first.number}, {first.counts:,.0f} counts: {first.settled}, with a"
            f" probability of at least {SETTLED.probability:.0%} in {SETTLED.frames} frames in a row."
        )
    if not answered_looks:
        return "No frame has an answer."
    return _not_settled(answered_looks[-1])


def _not_settled(last: Look) -> str:
    best = max(last.classes, key=last.classes.__getitem__)
    doubt = "" if last.in_scope > 0.5 else ", and it may be nothing that the network knows"
    return (
        f"Not converged after {last.counts:,.0f} counts: {best} has {last.classes[best]:.0%}{doubt};"
        f" count longer, or use --next to find the most informative setting."
    )
