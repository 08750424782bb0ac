"""Tables of the documentation that are made from the program, so that they cannot differ from it.

A page asks for one by a comment of its own line: ``<!-- options: fit -->`` for a command's options,
``<!-- request: fit -->`` for the same as JSON,
``<!-- settings: fitting -->`` for the settings of a package, ``<!-- rooms: sasnet_plugin -->`` for its files;
`` `<!-- prior: usual -->` `` within a line for the models of a level of the prior.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

MARK = re.compile(r"^<!-- (options|settings|rooms|request): (\w+) -->$", re.MULTILINE)


def filled(text: str) -> str:
    """A page with its tables in place of their marks."""
    makers = {"options": options, "settings": settings, "rooms": rooms, "request": request}
    text = re.sub(r"`<!-- prior: (\w+) -->`", lambda mark: models_of(mark[1]), text)
    return MARK.sub(lambda mark: makers[mark[1]](mark[2]), text)


def models_of(level: str) -> str:
    """The models of a level of `predict.class_prior`."""
    from sasnet_plugin.predict import class_prior

    return ", ".join(class_prior.LEVELS[getattr(class_prior, level.upper())])


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


def request(verb: str) -> str:
    """The options of a fit as JSON: key, meaning, an example."""
    import json

    from sasnet_plugin.fitting.request import FitRequest, options_of_request

    del verb  # there is one
    rows = [
        (f"`{about.name}`", about.help_text, f"`{json.dumps(about.example, ensure_ascii=False)}`")
        for about in options_of_request(FitRequest)
        if about.name != "workers"
    ]
    return _table(("key", "what it does", "example"), rows)


def settings(package: str) -> str:
    """The settings of a package: a table for each dataclass, a row for each field."""
    return "\n\n".join(
        f"#### {(group.__doc__ or '').partition('.')[0]}\n\n"
        + _table(("setting", "value", "unit", "why"), rows)
        for group, rows in settings_rows(package)
    )


def settings_rows(package: str) -> Iterator[tuple[type, list[tuple[str, str, str, str]]]]:
    """The settings of a package and of its rooms: constants that are dataclasses, in files of this name.

    Each one's class, with (name, value, unit, why) of its fields.
    """
    root = Path(__file__).parents[1]
    folder = root / "sasnet_plugin" / package
    for path in [folder / "settings.py", *sorted(folder.glob("*/settings.py"))]:
        module = import_module(".".join(path.relative_to(root).with_suffix("").parts))
        for name, given in vars(module).items():
            if name.isupper() and is_dataclass(given) and type(given).__module__ == module.__name__:
                yield type(given), [_setting(f, getattr(given, f.name)) for f in fields(given)]


def _setting(f: Any, value: Any) -> tuple[str, str, str, str]:
    return f"`{f.name}`", _number(value), f.metadata.get("unit", ""), f.metadata.get("why", "")


def rooms(package: str) -> str:
    """Every folder of a package with what it is for, and every file in it with what that holds."""
    return "\n\n".join(
        f"### `{room}/`\n\n{purpose}\n\n"
        + _table(("file", "what"), [(f"`{name}`", what) for name, what in files])
        for room, purpose, files in rooms_and_files(package)
    )


def rooms_and_files(package: str) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Each folder: its path, the first sentence of its docstring, and the same of each file in it."""
    root = Path(__file__).parents[1] / package
    for init in sorted(root.rglob("__init__.py"), key=lambda path: path.parent.as_posix()):
        others = sorted(p for p in init.parent.glob("*.py") if p.name not in ("__init__.py", "__main__.py"))
        yield (
            init.parent.relative_to(root.parent).as_posix(),
            _first_sentence(init),
            [(p.name, _first_sentence(p)) for p in others],
        )


@cache
def _first_sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    # What is code in a docstring, in one backtick or two, is code in Markdown with one.
    first = " ".join(text.partition("\n\n")[0].split()).replace("``", "`")
    return re.split(r"(?<=[.?]) (?=[A-Z])", first)[0]


def _number(value: Any) -> str:
    """As people write it: 1e-4 rather than 0.0001, a list without brackets."""
    if is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
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
