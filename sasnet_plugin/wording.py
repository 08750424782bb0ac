"""Sentences for users as templates, each with an example, apart from the logic that chooses them.

A sentence that advises an option has a `Phrase` in its place, which each surface has in words of its own: the
command line, Python, or the page.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

#: Variable of the environment that names the surface, so that processes which this one starts have it too.
SURFACE = "SASNET_SURFACE"


class Surface(Enum):
    """Who reads the sentences of this process."""

    COMMAND = "command"
    PYTHON = "python"
    PAGE = "page"


def speak_to(surface: Surface) -> None:
    """Let sentences of this process, and of those that it starts, name options as a surface does."""
    os.environ[SURFACE] = surface.value


def surface() -> Surface:
    """The surface of this process; Python's where no program has set one."""
    return Surface(os.environ.get(SURFACE, Surface.PYTHON.value))


@dataclass(frozen=True)
class Phrase:
    """Words that name an option; in a sentence they are those of the surface."""

    command: str
    python: str
    page: str

    def __str__(self) -> str:
        return {Surface.COMMAND: self.command, Surface.PYTHON: self.python}.get(surface(), self.page)


def keyword(option: str) -> str:
    """The keyword of a function for an option: ``structure_factor`` for ``--structure-factor``."""
    name = option.removeprefix("--").replace("-", "_")
    return {"for": "parameter", "change": "changes"}.get(name, name)


def option(name: str, value: float | str | None = None, *, page: str = "") -> Phrase:
    """An option with its value, a keyword of Python with it, and what the page has (default: the option)."""
    command = f"--{name}" if value is None else f"--{name} {value}"
    literal = f'"{value}"' if isinstance(value, str) else value
    python = keyword(name) if value is None else f"{keyword(name)}={literal}"
    return Phrase(command, python, page or command)


@dataclass(frozen=True)
class Template:
    """A sentence with gaps. ``python docs/messages.py`` lists all of them with their examples."""

    text: str
    example: Mapping[str, object] = field(default_factory=dict)  #: A value for each gap.

    def __call__(self, **values: object) -> str:
        """The sentence with these values in its gaps; those of options fill themselves."""
        phrases = {name: value for name, value in self.example.items() if isinstance(value, Phrase)}
        return self.text.format(**phrases, **values)

    def __str__(self) -> str:
        return self.text.format(**self.example)


def template(text: str, **example: object) -> Template:
    """Make a template; the values are those of its example."""
    return Template(text, example)
