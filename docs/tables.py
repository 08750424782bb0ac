"""Tables of the documentation that are made from the program, so that they cannot differ from it.

A page asks for one by a comment of its own line: ``<!-- options: fit -->`` for a command's options,
``<!-- settings: fitting -->`` for the settings of a package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

MARK = re.compile(r"^<!-- (options|settings): (\w+) -->$", re.MULTILINE)


def filled(text: str) -> str:
    """A page with its tables in place of their marks."""
    makers = {"options": options, "settings": settings}
    return MARK.sub(lambda mark: makers[mark[1]](mark[2]), text)


def options(command: str) -> str:
    """The options of ``sasnet COMMAND``: how each is written, what it does, and its default."""
    import typer

    from sasnet_plugin.cli.main import app

    group: Any = typer.main.get_command(app)
    found = group.get_command(None, command)
    rows = [_option(p) for p in found.params if p.param_type_name == "option" and p.name != "help"]
    return _table(("option", "what it does", "default"), rows)


def _option(p: Any) -> tuple[str, str, str]:
    metavar = f" {p.metavar}" if p.metavar else ""
    # A default that the help text states itself, for options whose absence means something.
    text, _, stated = (p.help or "").partition("[default: ")
    given = p.default if not callable(p.default) else None
    default = stated.rstrip("]") or ("" if given is None or given is False else str(given))
    return f"`{'`, `'.join(p.opts)}{metavar}`", text.strip(), default


def settings(package: str) -> str:
    """The settings of a package: a table for each dataclass, a row for each field."""
    return "\n\n".join(
        f"#### {(group.__doc__ or '').partition('.')[0]}\n\n"
        + _table(("setting", "value", "unit", "why"), rows)
        for group, rows in settings_rows(package)
    )


def settings_rows(package: str) -> Iterator[tuple[type, list[tuple[str, str, str, str]]]]:
    """Each dataclass of ``sasnet_plugin.PACKAGE.settings`` with (name, value, unit, why) of its fields."""
    module = import_module(f"sasnet_plugin.{package}.settings")
    for group in vars(module).values():
        if isinstance(group, type) and is_dataclass(group) and group.__module__ == module.__name__:
            given = group()
            yield (
                group,
                [
                    (
                        f"`{f.name}`",
                        _number(getattr(given, f.name)),
                        f.metadata.get("unit", ""),
                        f.metadata.get("why", ""),
                    )
                    for f in fields(group)
                ],
            )


def _number(value: Any) -> str:
    """As people write it: 1e-4 rather than 0.0001, a list without brackets."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_number(each)}" for key, each in value.items())
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(_number(each) for each in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
