"""Names of files, models and extras as they are shown.

What comes from a file may hold anything; what is shown must not command a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

#: How the address of an entry of a Tiled server begins.
TILED = "tiled:"


def printable(text: str) -> str:
    """Text from a file, or a file's name, without what a terminal obeys or cannot encode."""
    # Control and format characters (escapes, reversed writing, halves of surrogate pairs) become "�", ends of
    # lines and the like a blank.
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def argument(file: str) -> str:
    """A file's name as a command takes it, not for an option."""
    return f"./{printable(file)}" if file.startswith("-") else printable(file)


def make_shown_name(file: str, entry: str) -> str:
    """The file's name without its folder, and the entry's where that says more."""
    path = PurePath(file)
    return " · ".join(filter(None, (path.name, "" if entry == path.stem else entry)))


def product_name(model: str, structure_factor: str | None) -> str:
    """sasmodels' name of a form model with a structure factor, ``sphere@hardsphere``, or alone."""
    return f"{model}@{structure_factor}" if structure_factor else model


def sum_parts(model: str) -> tuple[str, ...]:
    """Components of sasmodels' name of a sum, ``sphere+power_law``; any other model is its own only one."""
    return (model,) if model.endswith(".py") else tuple(model.split("+"))


def describe_install(extra: str) -> str:
    """How a sentence ends that misses packages: where and how to install an extra of sasnet."""
    return f"in the folder of sasnet's source: pip install '.[{extra}]'."


def nearest(name: str, known_names: Iterable[str], otherwise: str = "") -> str:
    """How a sentence ends that refuses a name: the nearest that there is, or something else."""
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known_names), n=1)
    return f"did you mean {near[0]}?" if near else otherwise


def is_tiled(text: object) -> bool:
    """Whether an argument means an entry of a Tiled server."""
    return isinstance(text, str) and text.startswith(TILED)
