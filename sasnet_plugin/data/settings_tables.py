"""Settings of a file that stand in TOML files beside it or in texts ``name=value``, whatever they set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from ..names import nearest
from ..types import DataError
from .toml_files import is_finite_number, parse_toml, read_toml

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
    """Parse texts ``name=value``, values as in TOML; a word needs no quotes. Raises DataError otherwise."""
    table: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name and value):
            raise DataError(f"{text}: is not name=value, such as {example}.")
        table[name] = _value(value)
    return table


def _value(text: str) -> Any:
    try:
        return parse_toml(f"value = {text}", text[:80])["value"]
    except DataError:
        if text.startswith(("[", "{")):
            raise
        return text


def check_names(table: Mapping[str, Any], names: Iterable[str], file: str) -> None:
    """Raise DataError for an unknown name in a table, with the nearest known one."""
    names = list(names)
    for key in table:
        if key not in names:
            advice = nearest(key, names, f"use one of {', '.join(names)}.")
            raise DataError(f"{file}: there is no setting {key!r}; {advice}")


#: Settings of how a picture lies, and the sides that one may name.
SIDED, _SIDES = ("up", "mirror"), ("top", "bottom", "left", "right")


def side_or_mirror(key: str, value: Any, file: str) -> Any:
    """Convert a setting of a picture's orientation. Raises DataError if it is no side, or no boolean."""
    if key == "up" and value not in _SIDES:
        raise DataError(f"{file}: the setting up is {value!r}; use one of {', '.join(_SIDES)}.")
    if key == "mirror" and not isinstance(value, bool):
        raise DataError(f"{file}: the setting mirror is {value!r}; use true or false.")
    return value


def is_number(value: Any) -> bool:
    return is_finite_number(value)


def path_of(key: str, value: Any, file: str) -> str:
    """Convert a setting that is a path; DataError if it is no text."""
    if not isinstance(value, str):
        raise DataError(f"{file}: {key} is {value!r}; give a path in quotes.")
    return value


def numbers_of(key: str, value: Any, count: int, file: str, expectation: str = "") -> tuple[float, ...]:
    """Convert a setting of `count` finite numbers, else raise DataError, asking for `expectation`."""
    values = value if isinstance(value, list | tuple) else [value]
    if len(values) != count or not all(map(is_number, values)):
        expectation = expectation or ("a number" if count == 1 else f"{count} numbers in brackets")
        raise DataError(f"{file}: {key} is {value!r}; give {expectation}.")
    return tuple(map(float, values))
