"""Sentences for users as templates, each with an example, apart from the logic that chooses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Template:
    """A sentence with gaps. ``python docs/messages.py`` lists all of them with their examples."""

    text: str
    example: Mapping[str, object] = field(default_factory=dict)  #: A value for each gap.

    def __call__(self, **values: object) -> str:
        """The sentence with these values in its gaps."""
        return self.text.format(**values)

    def __str__(self) -> str:
        return self.text.format(**self.example)


def template(text: str, **example: object) -> Template:
    """Make a template; the values are those of its example."""
    return Template(text, example)
