"""Whether sasnet has written a file: told from what it holds, whatever its name.

A folder of measurements comes to hold tables, pages and exports, which the next command on that folder must
not take for measurements.
"""

from __future__ import annotations

import json
import os
from typing import Any

from .files import MARK

#: How a SasView project ends that was written here; one that SasView has saved is indented otherwise.
PROJECT_END = '\n "visible_perspective": "Fitting"\n}\n'
#: How the text begins that SasView pastes into a fit page.
CLIPBOARD_HEAD = "sasview_parameter_values"
#: The last two have no place for the first.
_MARKS = tuple(mark.encode() for mark in (MARK, PROJECT_END, CLIPBOARD_HEAD))
#: Bytes at either end of a text in which its mark stands: heads come first, a PDF names its maker last.
_ENDS = 8192
_HDF5 = b"\x89HDF\r\n\x1a\n"
#: What a table of answers has for each row, and an answer in JSON: the file that it is about, and its entry.
_ABOUT = frozenset({"file", "entry"})


def is_written_by_sasnet(path: str | os.PathLike[str]) -> bool:
    """Whether a file is an output of sasnet; False for one that cannot be read."""
    try:
        with open(path, "rb") as file:
            head = file.read(_ENDS)
            if head.startswith(_HDF5):
                return _hdf5(path)
            size = os.fstat(file.fileno()).st_size
            file.seek(max(size - _ENDS, 0))
            tail = file.read() if size > _ENDS else b""
    except OSError:
        return False
    if any(mark in part for mark in _MARKS for part in (head, tail)):
        return True
    first = next(iter(head.splitlines()), b"").decode("utf-8", "replace").strip()
    return _line_of_answers(first) or _head_of_answers(first)


def _hdf5(path: str | os.PathLike[str]) -> bool:
    import h5py

    try:
        with h5py.File(path) as file:
            return any(map(_names_sasnet, file.attrs.values()))
    except (OSError, RuntimeError):
        return False


def _names_sasnet(value: Any) -> bool:
    return isinstance(value, str) and (MARK in value or value.startswith("sasnet "))


def _line_of_answers(line: str) -> bool:
    """Whether a line is a JSON object about a file, or the first of a journal."""
    if not line.startswith("{"):
        return False
    try:
        parsed = json.loads(line)
    except ValueError:
        return False
    return parsed.keys() >= _ABOUT or any(map(_names_sasnet, parsed.values()))


def _head_of_answers(line: str) -> bool:
    return _ABOUT <= set(line.split(","))  # the head has no quotes: it is sasnet's own
