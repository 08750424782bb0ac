"""What is made of the table of a series: columns for a figure, and an HDF5 file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import Floats
from ...files import MARK, new_hdf5, put_aside
from ...report.trend import SHARES, Gap, gaps_of
from .line import HEAD, NAMED, NUMBERS, SHARE
from .table import Line, lines_of

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
    pairs = (title for title in titles if title in titles_left and _error_of(title) in titles_left)
    return [title for title in pairs if not title.startswith(SHARE)]


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
        return _bytes(cell)
    if name in _COUNTS:
        return int(cell or 0)
    return float(cell) if cell else math.nan


def _bytes(text: str) -> bytes:
    """Bytes of a string in HDF5: without zero bytes, which end it; file names need not be UTF-8."""
    return text.replace("\0", "").encode("utf-8", "surrogateescape")


def _changes_in(rows: Sequence[Line]) -> list[tuple[int, int, bytes]]:
    """First frame, frame that shows it, and words of each change."""
    return [
        (int(row["change_from"]), int(row["frame"]), _bytes(row["change"]))
        for row in rows
        if row["change_from"]
    ]
