"""A table that grows by a line as it comes; an earlier one gives way with its first answer, not before."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..types import SasnetError

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
