"""The table of a series: a line a frame, which is also what is remembered of what was answered.

A line is written by one call, so that a kill tears none but the last, which is cut off when the series goes
on. An earlier table of something else keeps its place until there is an answer to put there.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...files import plain_cell, remove_leftovers
from ...types import SasnetError
from ..journal import lock

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
                " --force to start it again."
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
