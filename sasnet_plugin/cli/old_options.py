"""Options by their former names: they work until the next release, with a note on stderr."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import typer

from . import sentences

#: Former name -> present name. An option is renamed only where the command has the present name alone.
OLD_OPTIONS: Mapping[str, str] = MappingProxyType(
    {"--fix": "--fixed", "--range": "--ranges", "--figure": "--plot", "--fit": "--model"}
)


def rename_options(arguments: Sequence[str], options: Collection[str]) -> list[str]:
    """Replace former names of a command's options, each with a note; what follows ``--`` stays."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*(_renamed(argument, options) for argument in arguments[:end]), *arguments[end:]]


def _renamed(argument: str, options: Collection[str]) -> str:
    old, equals, value = argument.partition("=")
    new = OLD_OPTIONS.get(old)
    if new is None or old in options or new not in options:
        return argument
    typer.echo(f"sasnet: {sentences.RENAMED_OPTION(old=old, new=new)}", err=True)
    return f"{new}{equals}{value}"
