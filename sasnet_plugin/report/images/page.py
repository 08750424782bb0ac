"""One HTML page for an image: what was measured, what was found, how it compares, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from ..page import document
from .canvas import Draw, svg


@dataclass(frozen=True)
class Section:
    """A part of the page: a figure, a table, or both.

    Parameters
    ----------
    title : str
    draw : callable or None
        The figure, see `canvas.Draw`.
    size : (float, float)
        Of the figure, inches.
    text : str
        Below it, one sentence or two.
    table : sequence of rows of cells
        The first row is the head.
    """

    title: str
    draw: Draw | None = None
    size: tuple[float, float] = (8.4, 3.2)
    text: str = ""
    table: Sequence[Sequence[str]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Verdict:
    """The first sentence of the page.

    Parameters
    ----------
    text, more : str
    good : bool
        Whether the answer can be relied on.
    """

    text: str
    more: str = ""
    good: bool = True


def page(
    title: str,
    verdict: Verdict,
    sections: Sequence[Section],
    *,
    facts: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """The whole page as text; every word of it is escaped here.

    Parameters
    ----------
    title : str
        The file's or the frame's name.
    verdict : Verdict
    sections : sequence of Section
    facts : mapping of str to str, optional
        Wavelength, incidence, counts, …
    notes : sequence of str
        Sentences; each is said once.
    """
    body = [
        "<header>",
        '<p class="eyebrow">Scattering at grazing incidence · read by sasnet</p>',
        f"<h1><bdi>{escape(title)}</bdi></h1>",
        document.verdict(escape(verdict.text), escape(verdict.more), good=verdict.good),
        document.facts(facts or {}),
        "</header>",
        document.notes(notes),
        *(_section(section, number) for number, section in enumerate(sections)),
    ]
    return document.document(f"{title} · sasnet", "\n".join(part for part in body if part), pictures=True)


def _section(section: Section, number: int) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    if section.draw is not None:
        drawn = svg(section.draw, f"figure{number}", section.title, section.size)
        parts.append(f"<figure>{drawn}</figure>")
    if section.text:
        parts.append(f'<p class="small">{escape(section.text)}</p>')
    if section.table:
        parts.append(f'<div class="wide"><table>{_rows(section.table)}</table></div>')
    return f"<section>{''.join(parts)}</section>"


def _rows(table: Sequence[Sequence[str]]) -> str:
    head, *rest = table
    first = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rest)
    return f"<thead><tr>{first}</tr></thead><tbody>{rows}</tbody>"
