"""The table of a series: a line a frame, which is also what is remembered of what was answered.

A line is written by one call, so that a kill tears none but the last, which is cut off when the series goes
on. An earlier table of something else keeps its place until there is an answer to put there.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import Floats
from ...files import MARK, new_hdf5, plain_cell, put_aside, remove_leftovers
from ...report.trend import SHARES, Gap, gaps_of
from ...types import SasnetError
from ..journal import lock
from ..results import to_hdf5
from .line import HEAD, NAMED, NUMBERS, SHARE

# --- The table of a series: a line a frame, which is also what is remembered of what was answered.

Line = Mapping[str, str]
#: Seconds between two times that lines are forced onto the disk; a kill loses none, a power cut these.
_SYNC = 1.0
_HOW: dict[str, Any] = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}


def lines_of(path: Path) -> Iterator[dict[str, str]]:
    with path.open(**_HOW) as file:
        head = file.readline()
        names = next(csv.reader([head]), [])
        for line in file:
            if line.endswith("\n"):
                cells = next(csv.reader([line]), [])
                if len(cells) == len(names):
                    yield dict(zip(names, cells, strict=True))


class Table:
    """A table open for writing by one process. `belongs` says whether a line of an earlier table is of the
    series followed; `anew` discards an earlier table. Raises SasnetError if another table lies there, it
    cannot be written, or another process writes it.
    """

    def __init__(
        self, path: Path, head: Sequence[str], *, anew: bool, belongs: Callable[[Line], bool]
    ) -> None:
        self.path, self._head = path, list(head)
        #: Why the first line has no answer.
        self.reason = ""
        self.lines = 0
        self._aside: Path | None = None
        self._synced = time.monotonic()
        try:
            remove_leftovers(path.absolute().parent, path.name)
            exists = path.is_file() and path.stat().st_size > 0
            if exists and not anew:
                self._check(belongs)
            if exists and anew:
                self._aside = path.with_name(f".{path.name}.sasnet-tmp{os.getpid()}")
            self._fd = os.open(self._aside or path, os.O_RDWR | os.O_CREAT, 0o666)
            self._begin(goes_on=exists and not anew)
        except OSError as error:
            raise self._unwritable(error) from error

    def _begin(self, *, goes_on: bool) -> None:
        """Hold the file alone, and go on behind its last whole line or begin with the titles."""
        try:
            lock(self._fd, self.path)
            if goes_on:
                self._cut()
            else:
                os.ftruncate(self._fd, 0)
                self._write([self._head])
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):
            os.fsync(self._fd)
        os.close(self._fd)
        if self._aside is not None:
            self._aside.unlink(missing_ok=True)

    @property
    def is_unchanged(self) -> bool:
        """Whether an earlier table is still in its place, as no frame has an answer."""
        return self._aside is not None

    def earlier(self) -> Iterator[dict[str, str]]:
        """Lines that are there from before."""
        return iter(()) if self._aside is not None else lines_of(self.path)

    def add(self, cells: Sequence[Sequence[Any]], notes: Sequence[str]) -> None:
        """Add lines; a line with a note is no answer. Raises SasnetError if the disk is full."""
        try:
            self._write(cells)
            self.lines += len(cells)
            for note in notes:
                self.reason = self.reason or note
            self._put_in_place(all(notes))
            if time.monotonic() - self._synced > _SYNC:
                os.fsync(self._fd)
                self._synced = time.monotonic()
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, cells: Sequence[Sequence[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([[_flat(cell) for cell in row] for row in cells])
        rest = memoryview(text.getvalue().encode("utf-8", "surrogateescape"))
        begin = os.lseek(self._fd, 0, os.SEEK_END)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, begin)
            raise

    def _put_in_place(self, is_empty: bool) -> None:
        """What is written aside takes the earlier table's place where something is answered."""
        if self._aside is not None and not is_empty:
            os.replace(self._aside, self.path)
            self._aside = None

    def _check(self, belongs: Callable[[Line], bool]) -> None:
        with self.path.open(**_HOW) as file:
            head = next(csv.reader([file.readline()]), [])
        first = next(lines_of(self.path), None) if head == self._head else None
        if head != self._head or (first is not None and not belongs(first)):
            problem = "is no table of these columns" if head != self._head else "holds frames of other files"
            raise SasnetError(
                f"{self.path}: exists and {problem}; name another file with --out, or repeat the command with"
                " --force to replace it."
            )

    def _cut(self) -> None:
        """Cut off a line that was being written when the last run was killed, and count the others."""
        with self.path.open("rb") as file:
            end = 0
            for line in file:
                if not line.endswith(b"\n"):
                    break
                end += len(line)
                self.lines += 1
        self.lines -= 1
        os.ftruncate(self._fd, end)

    def _unwritable(self, error: OSError) -> SasnetError:
        return SasnetError(
            f"{self.path}: the table cannot be written ({error.strerror or error}); make room, or name"
            " another file."
        )


def _flat(cell: Any) -> Any:
    """A cell on one line, of which no spreadsheet makes a formula; a number stays one."""
    if not isinstance(cell, str):
        return cell
    try:
        float(cell)
    except ValueError:
        return plain_cell(" ".join(cell.split()))
    return cell


# --- What is made of the table of a series: columns for a figure, and an HDF5 file.

#: Points of a figure; of longer series every second, third, … frame is drawn.
MOST_DRAWN = 1500
#: Numbers that are drawn where the table has them, besides those of a fit.
_DRAWN = ("rg", "i0")
_BLOCK = 2000
_TEXTS = frozenset({"file", "entry", "note", "change", "group", "model", "class", "tags"})
_COUNTS = frozenset({"frame", "part", "change_from"})


@dataclass(frozen=True)
class Columns:
    """A table as a figure needs it."""

    time: Floats  #: (n,)
    shares: dict[str, Floats]  #: (n,), by group.
    #: (value, error), NaN where there is no answer; those that no frame has are left out.
    numbers: dict[str, tuple[Floats, Floats]]
    changes: list[float]  #: Times.
    #: Why a number, or a probability (by ""), would be missing: for each frame.
    reasons: dict[str, list[str]]
    frames: int  #: Of the table, drawn or not.

    def gaps(self, time: Floats) -> list[Gap]:
        """Find where a figure against a time (n,) has nothing to draw, and why."""
        shares = next(iter(self.shares.values()), np.zeros(0))
        panels = [(SHARES, "", shares)] if len(shares) else []
        panels += [(name, name, value) for name, (value, _) in self.numbers.items()]
        return [gap for panel, key, value in panels for gap in gaps_of(panel, time, value, self.reasons[key])]


def read_columns(path: Path, count: int, interval: float = 1.0) -> Columns:
    """Read a table of `count` frames, thinned."""
    rows, changes, frames = _thin_rows(path, max(1, -(-count // MOST_DRAWN)))
    titles = list(rows[0]) if rows else []

    def column(title: str) -> Floats:
        return np.array([float(row[title]) if row[title] else math.nan for row in rows])

    pairs = {title: (column(title), column(_error_of(title))) for title in _select_drawn_titles(titles)}
    numbers = {title: pair for title, pair in pairs.items() if np.isfinite(pair[0]).any()}
    shares = {title.removeprefix(SHARE): column(title) for title in titles if title.startswith(SHARE)}
    times = [(first - 1.5) * interval for first in changes]
    reasons = {title: [_why_missing(title, row) for row in rows] for title in ("", *numbers)}
    return Columns(column("time") if rows else np.zeros(0), shares, numbers, times, reasons, frames)


def _why_missing(title: str, row: Line) -> str:
    """Why a frame has no such number, or no probability where the title is empty."""
    if row["note"]:
        return "no answer"
    if not title:
        return "like no known model"
    return "no Guinier region" if title.partition(" [")[0] in _DRAWN else "the fit failed"


def _thin_rows(path: Path, step: int) -> tuple[list[Line], list[int], int]:
    """Each so-many-th line of a table, the first frames of changes, and how many lines there are."""
    rows: list[Line] = []
    changes, frames = [], 0
    for frames, line in enumerate(lines_of(path), start=1):
        if line["change_from"]:
            changes.append(int(line["change_from"]))
        if (frames - 1) % step == 0:
            rows.append(line)
    return rows, changes, frames


def _error_of(title: str) -> str:
    name, bracket, unit = title.partition(" [")
    return f"{name}_error{bracket}{unit}"


def _select_drawn_titles(titles: Sequence[str]) -> list[str]:
    not_drawn = chain.from_iterable(number.titles for number in NUMBERS if number.name not in _DRAWN)
    titles_left = set(titles) - {*HEAD, *NAMED, *not_drawn}
    return [
        title
        for title in titles
        if titles_left.issuperset((title, _error_of(title))) and not title.startswith(SHARE)
    ]


def write_hdf5(table: Path, path: Path) -> None:
    """Write a table as HDF5: the dataset ``frames``, one row per frame, and ``changes``. If that fails
    (SasnetError), an earlier file stays untouched.
    """
    import h5py

    with put_aside(path, "HDF5 file of the series") as aside, new_hdf5(aside) as file:
        file.attrs["format"], file.attrs["program"] = "sasnet follow", MARK
        text = h5py.string_dtype()
        frames: Any = None
        changes: list[tuple[int, int, bytes]] = []
        lines = iter(lines_of(table))
        while rows := list(islice(lines, _BLOCK)):
            if frames is None:
                kinds = [(name, _kind(name, text)) for name in rows[0]]
                frames = file.create_dataset("frames", (0,), np.dtype(kinds), maxshape=(None,), chunks=(512,))
            rows_before = frames.shape[0]
            frames.resize((rows_before + len(rows),))
            frames[rows_before:] = np.array(
                [tuple(_value(name, cell) for name, cell in row.items()) for row in rows], dtype=frames.dtype
            )
            changes += _changes_in(rows)
        kind = np.dtype([("first", "i8"), ("seen", "i8"), ("words", text)])
        file.create_dataset("changes", data=np.array(changes, dtype=kind))


def _kind(name: str, text: Any) -> Any:
    return text if name in _TEXTS else "i8" if name in _COUNTS else "f8"


def _value(name: str, cell: str) -> Any:
    if name in _TEXTS:
        return to_hdf5(cell)
    if name in _COUNTS:
        return int(cell or 0)
    return float(cell) if cell else math.nan


def _changes_in(rows: Sequence[Line]) -> list[tuple[int, int, bytes]]:
    """First frame, frame that shows it, and words of each change."""
    return [
        (int(row["change_from"]), int(row["frame"]), to_hdf5(row["change"]))
        for row in rows
        if row["change_from"]
    ]
