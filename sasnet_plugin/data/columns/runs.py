"""Rows of numbers in the lines of a text, alike ones together."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from . import cells

if TYPE_CHECKING:
    from ...arrays import Floats

START = 5
"""This many alike lines in a row start the table; fewer may be numbers of a header."""

GAP = 2
"""At most this many lines of other content inside the table are dropped; more end it."""

LEAST_ROWS = 8
"""A further table has at least so many rows; fewer points determine no curve."""

BACK = 1.5
"""A row behind words whose q is less than this times that of the first row begins another table."""


@dataclass
class Run:
    """Rows of equally many numbers, with at most `GAP` other lines between two of them."""

    rows: list[list[float]]
    places: list[int]  #: Numbers of their lines.
    dropped: int = 0  #: Lines between them.

    @property
    def width(self) -> int:
        return len(self.rows[0])

    @property
    def lines(self) -> range:
        return range(self.places[0], self.places[-1] + 1)

    def add(self, row: list[float], number: int, dropped: int) -> None:
        """A further row, behind so many lines that are none."""
        self.rows.append(row)
        self.places.append(number)
        self.dropped += dropped


@dataclass
class Runs:
    """Rows of numbers as they come, line by line."""

    runs: list[Run] = field(default_factory=list)
    single: int = 0  #: Lines of one number.
    odd: list[int] = field(default_factory=list)  #: Lines that look like rows and cannot be read.
    gap: int = GAP + 1  #: Lines since the last row, without empty ones.
    parted: bool = False  #: Whether empty lines stand between the last row and the next.

    def take(self, lines: list[str], number: int) -> None:
        row = self._row(lines[number])
        if row is None or len(row) < 2:
            self._other(lines[number], number, row)
        elif self.runs and self._takes(self.runs[-1], row):
            self.runs[-1].add(row, number, self.gap)
            self.gap, self.parted = 0, False
        elif self.runs and self._may_be_odd(self.runs[-1], row) and not _is_run(lines, number):
            self.gap += 1
        else:
            self.runs.append(Run([row], [number]))
            self.gap, self.parted = 0, False

    def _row(self, line: str) -> list[float] | None:
        """The numbers of a line, NaN where its last cells are empty."""
        row = cells.numbers(line)
        width = self.runs[-1].width if self.runs else 0
        if row and len(row) < width == cells.count(line):
            row += [float("nan")] * (width - len(row))
        return row

    def _other(self, line: str, number: int, row: list[float] | None) -> None:
        self.gap += 1
        self.single += row is not None
        if row is None and cells.ROW.match(line):
            self.odd.append(number)

    def _goes_on(self, run: Run, row: list[float]) -> bool:
        parted = self.parted or self.gap > 0
        return run.width == len(row) and not _from_the_start(run.rows, row, parted=parted)

    def _takes(self, run: Run, row: list[float]) -> bool:
        near = self.gap == 0 or (self.gap <= GAP and len(run.rows) >= START)
        return near and self._goes_on(run, row)

    def _may_be_odd(self, run: Run, row: list[float]) -> bool:
        """Whether a row of other numbers may be one odd line in the run."""
        return len(run.rows) >= START and self.gap < GAP and not self._goes_on(run, row)


def _from_the_start(run: list[list[float]], row: list[float], *, parted: bool) -> bool:
    """Whether a row begins at the q where a table began: the next data set, not more of this."""
    # Behind words or empty lines near it, else just there, as repeated measurements do; rows of zeros fill
    # up.
    if len(run) < LEAST_ROWS:
        return False
    first, last = run[0][0], run[-1][0]
    if row[0] == first:
        low, high = sorted((abs(first), abs(last)))
        return high > BACK * low and (parted or first != 0)
    return parted and row[0] < BACK * first < last


def again_from_the_start(columns: Floats, x: int) -> list[Floats]:
    """Split columns (m, n) that repeat the first q: frames in one list, each of `LEAST_ROWS` or more."""
    # `x` is the column of q, usually after one that numbers the frames.
    q = columns[x]
    starts = np.flatnonzero(q == q[0])
    rows = np.diff([*starts, q.size])
    if starts.size < 2 or rows.min() < LEAST_ROWS:
        return [columns]
    parts = np.split(columns, starts[1:], axis=1)
    return parts if all(_goes_one_way(part[x]) for part in parts) else [columns]


def _goes_one_way(q: Floats) -> bool:
    step = np.diff(q)
    return bool(np.all(step >= 0) or np.all(step <= 0))


def _is_run(lines: list[str], number: int) -> bool:
    """Whether the line and those that follow it are alike: another table, not one odd line."""
    rows = [cells.numbers(line) for line in islice(lines, number, number + START)]
    width = len(rows[0] or ())
    return len(rows) == START and all(row is not None and len(row) == width for row in rows)
