"""What a command prints: on any terminal, whatever its encoding, and with nothing of others' between."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

#: Writes one object as a line.
JsonLine = Callable[[Mapping[str, Any]], None]


def prepare() -> None:
    """Make stdin, stdout and stderr something that can be written to, and believe no impossible terminal."""
    _open_all()
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.dup(number), "w", encoding="utf-8", errors="replace"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Å or block characters is no failure
    for name in ("COLUMNS", "LINES"):
        if not os.environ.get(name, "1").strip("0").isdecimal():  # nothing, zero, or no number
            del os.environ[name]


def _open_all() -> None:
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed (>&-): the next file to be opened would take its place, and what is printed
            os.open(os.devnull, os.O_RDWR)


def json_lines() -> JsonLine:
    """A function that prints one JSON object a line; from now on it alone writes to stdout.

    What libraries print goes to stderr. What the encoding of stdout lacks, and names of files that are no
    UTF-8, are written as JSON's own escapes, so that nothing is lost.
    """
    encoding = sys.stdout.encoding or "utf-8"
    write = _alone()

    def line(record: Mapping[str, Any]) -> None:
        text = json.dumps(record, ensure_ascii=False)
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError:
            data = json.dumps(record).encode(encoding)
        write(data + "\n".encode(encoding))

    return line


def _alone() -> Callable[[bytes], None]:
    out = sys.stdout
    try:
        is_own = out.fileno() == 1
    except (OSError, ValueError):  # replaced by a program that calls the command as a function
        is_own = False

    def write_through(data: bytes) -> None:
        out.write(data.decode(out.encoding or "utf-8"))
        out.flush()

    if not is_own:
        return write_through
    out.flush()
    file = os.dup(1)
    os.dup2(2, 1)

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]

    return write
