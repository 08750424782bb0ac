"""TOML files of users, with bounds on their size and depth: what is nested without end is refused unread."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..types import DataError


class TomlLimits(NamedTuple):
    """Sizes up to which a TOML file of settings is read."""

    #: A line takes some 50 bytes: 20,000 lines, of a thousand curves with twenty values each.
    file_bytes: int = 2**20
    #: Brackets within brackets, and parts of a key. The deepest setting has three.
    depth: int = 32
    #: Characters of a name or text. File systems allow 255 for a name.
    characters: int = 1_024


TOML = TomlLimits()

_STRINGS_AND_COMMENTS = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*')
_BETWEEN_KEYS = re.compile(r"[,=\[\]{}]")


def read_toml(path: Path, label: str = "settings") -> dict[str, Any]:
    """Read a TOML file. Raises DataError if it cannot be read, is no TOML, too large or too deep."""
    try:
        if not path.is_file():
            problem = "is no plain file" if path.exists() else "there is no such file"
            raise DataError(f"{path}: {problem}; name a TOML file with the {label}.")
        size = path.stat().st_size
        if size > TOML.file_bytes:
            raise DataError(f"{path}: has {size:,} bytes; a file of {label} has at most {TOML.file_bytes:,}.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DataError(f"{path}: cannot be read ({reason}); give a TOML file with the {label}.") from None
    return parse_toml(text, str(path), label)


def parse_toml(text: str, source: str, label: str = "settings") -> dict[str, Any]:
    """Parse TOML of bounded depth. Raises DataError if it is no TOML or nested too deeply."""
    if _depth(text) > TOML.depth:
        raise DataError(
            f"{source}: is nested more than {TOML.depth} levels deep; use fewer levels for the {label}."
        )
    try:
        toml = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of more digits than Python reads
        reason = _shorten(str(error).splitlines()[0])
        raise DataError(f"{source}: is not valid TOML ({reason}); correct the {label}.") from None
    longest = max(map(len, _texts(toml)), default=0)
    if longest > TOML.characters:
        raise DataError(
            f"{source}: holds a text of {longest:,} characters; write at most {TOML.characters:,}."
        )
    return toml


def is_finite_number(value: Any) -> bool:
    """Return whether a value of TOML is a number that a float holds; true and false are none."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max


def _depth(text: str) -> int:
    """Levels of brackets, or parts of a key, whichever is more."""
    depth = deepest = parts = 0
    for line in text.splitlines():
        bare = _STRINGS_AND_COMMENTS.sub("", line)
        for sign in bare:
            depth = max(depth + (sign in "[{") - (sign in "]}"), 0)
            deepest = max(deepest, depth)
        parts = max(parts, *(key.count(".") for key in _BETWEEN_KEYS.split(bare)))
    return max(deepest, parts)


def _texts(table: dict[str, Any]) -> Iterator[str]:
    """Yield all names and texts of a table; `_depth` bounds the recursion."""
    for name, value in table.items():
        yield name
        yield from _texts_of(value)


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _texts(value)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_of(item)
    elif isinstance(value, str):
        yield value


def _shorten(text: str, longest: int = 200) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
