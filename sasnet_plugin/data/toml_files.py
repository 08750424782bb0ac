"""TOML files of users, with bounds on their size and depth: what is nested without end is refused unread."""

from __future__ import annotations

import math
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..names import nearest
from ..types import DataError
from ..units import convert

# --- TOML files of users, with bounds on their size and depth: what is nested without end is
# --- refused unread.


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
#: Characters of a text that are quoted in a sentence.
_LONGEST_TEXT = 200
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


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


# --- Settings of a file that stand in TOML files beside it or in texts ``name=value``, whatever
# --- they set.

#: Beside the images of a series: what all of them have in common.
COMMON = "geometry.toml"


#: A frozen dataclass of settings, None or empty where nothing is said; paths are those that end in ``_file``.
S = TypeVar("S")


def overlay_settings(settings_given: S, defaults: S) -> S:
    """Settings, and those of another of their kind where these say nothing."""
    combined: Any = defaults
    values = {f.name: getattr(settings_given, f.name) for f in fields(combined)}
    settings: S = replace(
        combined, **{name: value for name, value in values.items() if value not in (None, ())}
    )
    return settings


def read_sidecar_settings(path: Path, of_table: Callable[[dict[str, Any], str], S]) -> S:
    """Read the TOML file of the same name over `COMMON` of its folder; `of_table` converts (table, file).
    Raises DataError if a file is no TOML or `of_table` refuses it.
    """
    own_settings, common = (
        _read_settings_file(path_read, of_table)
        for path_read in (path.with_suffix(".toml"), path.with_name(COMMON))
    )
    return overlay_settings(own_settings, common)


def _read_settings_file(path: Path, of_table: Callable[[dict[str, Any], str], S]) -> S:
    if not path.is_file():
        return of_table({}, str(path))
    settings_read: Any = of_table(read_toml(path), str(path))
    files = {
        f.name: getattr(settings_read, f.name) for f in fields(settings_read) if f.name.endswith("_file")
    }
    beside_it = {name: str(path.parent / value) for name, value in files.items() if value is not None}
    settings: S = replace(settings_read, **beside_it)
    return settings


def parse_assignments(texts: Sequence[str], example: str) -> dict[str, Any]:
    """Parse ``name=value`` as TOML; words need no quotes, lengths take units. Raises DataError."""
    table: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name and value):
            raise DataError(f"{text}: is not name=value, such as {example}.")
        table[name] = _convert_length(name, _value(value))
    return table


#: Settings that are lengths, each with its unit; and units with which one may be given.
_LENGTHS = {"wavelength": "Å"} | dict.fromkeys(
    ("distance", "collimation", "source_radius", "sample_radius", "pixel_size"), "mm"
)
_LENGTH_UNITS = ("m", "cm", "mm", "µm", "nm", "Å")
_OTHER_SPELLINGS = ("\u03bcm", "um", "\u212b", "A", "Ang", "angstrom")


def _convert_length(name: str, value: Any) -> Any:
    """Convert "4 m" to the unit of the setting. Raises DataError for another unit of a length."""
    if name not in _LENGTHS or not isinstance(value, str):
        return value
    number, unit = re.fullmatch(r"([-+]?\d*\.?\d+(?:e[-+]?\d+)?)?\s*(.*)", value, re.DOTALL).groups()  # type: ignore[union-attr]
    if number is None or unit not in _LENGTH_UNITS + _OTHER_SPELLINGS:
        raise DataError(
            f"{name}={value}: give a number in {_LENGTHS[name]}, or with one of {', '.join(_LENGTH_UNITS)}."
        )
    return convert(float(number), unit, _LENGTHS[name], "length")


def _value(text: str) -> Any:
    try:
        return parse_toml(f"value = {text}", text[:80])["value"]
    except DataError:
        if text.startswith(("[", "{")):
            raise
        return text


#: Least and largest value of a setting, and its unit.
Limits = tuple[float, float, str]
#: Units that people mix up with ours: name, factor to the right one.
_MISTAKEN = {
    "Å": (("nm", 10.0), ("pm", 0.01), ("m", 1e10)),
    "mm": (("m", 1e3), ("cm", 10.0), ("μm", 1e-3)),
    "degrees": (("radians", 180 / math.pi), ("mrad", 0.18 / math.pi)),
    **dict.fromkeys(("of the wavelength", "of its counts"), (("%", 0.01),)),
}


def parse_settings(
    settings: Callable[..., S],
    table: Mapping[str, Any],
    file: str,
    counts: Mapping[str, int],
    limits: Mapping[str, Limits] = {},
    special: Mapping[str, Callable[[Any, str], Any]] = {},
) -> S:
    """Make settings from names and values; `counts` says how many numbers, if not one, and `special` converts
    (value, file). Raises DataError with ``file`` for an unknown name, a wrong value, or one beyond `limits`.
    """
    kind: Any = settings
    check_names(table, (f.name for f in fields(kind)), file)
    values = {
        name: special[name](value, file)
        if name in special
        else _convert(name, value, counts.get(name, 1), limits.get(name), file)
        for name, value in table.items()
    }
    return settings(**values)


def _convert(name: str, value: Any, count: int, limits: Limits | None, file: str) -> Any:
    if name in _SIDED:
        return side_or_mirror(name, value, file)
    if name == "dataset" or name.endswith("_file"):
        return path_of(name, value, file)
    if name == "pixel_size" and count == 2 and is_finite_number(value):
        value = [value, value]
    numbers = numbers_of(name, value, count, file)
    if limits is not None:
        for number in numbers:
            check_limits(name, number, limits, file)
    return numbers if count > 1 else numbers[0]


def check_limits(name: str, value: float, limits: Limits, file: str) -> None:
    """Raise DataError for a value beyond its limits, with the unit in which it would be within."""
    low, high, unit = limits
    if low <= value <= high:
        return
    for mistaken, factor in _MISTAKEN.get(unit, ()):
        if low <= value * factor <= high:
            raise DataError(
                f"{file}: {name} = {value:g} looks like {mistaken}, but {unit} is meant;"
                f" give {name} = {value * factor:g}."
            )
    raise DataError(f"{file}: {name} = {value:g} {unit} is outside {low:g} to {high:g} {unit}; correct it.")


def check_names(table: Mapping[str, Any], names: Iterable[str], file: str) -> None:
    """Raise DataError for an unknown name in a table, with the nearest known one."""
    names = list(names)
    for key in table:
        if key not in names:
            advice = nearest(key, names, f"use one of {', '.join(names)}.")
            raise DataError(f"{file}: there is no setting {key!r}; {advice}")


#: Settings of how a picture lies, and the sides that one may name.
_SIDED, _SIDES = ("up", "mirror"), ("top", "bottom", "left", "right")


def side_or_mirror(key: str, value: Any, file: str) -> Any:
    """Convert a setting of a picture's orientation. Raises DataError if it is no side, or no boolean."""
    if key == "up" and value not in _SIDES:
        raise DataError(f"{file}: up = {value!r} is no side; use one of {', '.join(_SIDES)}.")
    if key == "mirror" and not isinstance(value, bool):
        raise DataError(f"{file}: mirror = {value!r} is neither true nor false; use one of these.")
    return value


def path_of(key: str, value: Any, file: str) -> str:
    """Convert a setting that is a path; DataError if it is no text."""
    if not isinstance(value, str):
        raise DataError(f"{file}: {key} is {value!r}; give a path in quotes.")
    return value


def numbers_of(key: str, value: Any, count: int, file: str, expectation: str = "") -> tuple[float, ...]:
    """Convert a setting of `count` finite numbers, else raise DataError, asking for `expectation`."""
    values = value if isinstance(value, list | tuple) else [value]
    if len(values) != count or not all(map(is_finite_number, values)):
        expectation = expectation or ("a number" if count == 1 else f"{count} numbers in brackets")
        raise DataError(f"{file}: {key} is {value!r}; give {expectation}.")
    return tuple(map(float, values))
