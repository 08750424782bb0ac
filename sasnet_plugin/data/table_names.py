"""The words above a table -> names of its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sasnet_plugin import units
from sasnet_plugin.data.column_names import ANGLE, UNKNOWN, ColumnName, Q, understand
from sasnet_plugin.data.limits import LIMITS

if TYPE_CHECKING:
    from sasnet_plugin.data.table import Table

NAMES_WITHIN = 8
"""The names of columns stand in one of so many lines above the table."""

_MARKS = "#%;!*'/"
# Signs between names, the strictest first; a comma or a blank within brackets parts nothing.
_BETWEEN = (r"\t", r"\|", r";", r",(?![^()\[\]]*[)\]])", r"\s{2,}", r"[\s,;]+(?![^(\[]*[)\]])")


@dataclass(frozen=True)
class Names:
    """The names above a table.

    Parameters
    ----------
    columns : tuple of ColumnName
    unit_beside : str
        What a line of units says under the name of q; empty where there is none.
    """

    columns: tuple[ColumnName, ...]
    unit_beside: str = ""

    def first(self, *quantities: str) -> int | None:
        """The first column of one of these quantities."""
        return next((i for i, one in enumerate(self.columns) if one.quantity in quantities), None)


def names_of(table: Table) -> Names | None:
    """The line above that has one word for each column and names q or an angle; None where there is none."""
    lines = [line for line in table.header[-NAMES_WITHIN:] if line.strip() and len(line) <= LIMITS.line]
    for back, line in enumerate(reversed(lines)):
        for words in _splits(line, len(table.columns)):
            columns = tuple(understand(word) for word in words)
            named = Names(columns)
            x = named.first(Q, ANGLE)
            if x is None or not (_says_more(columns, x) or _samples(line, x)):
                continue
            return replace(named, unit_beside=_units_under(lines[len(lines) - back :], len(words), x))
    return None


def _says_more(columns: tuple[ColumnName, ...], x: int) -> bool:
    """Whether another name than that of q is a known one."""
    return any(one.quantity != UNKNOWN for i, one in enumerate(columns) if i != x)


def _samples(line: str, x: int) -> bool:
    """Whether q stands first among names that say nothing of a quantity, parted by signs: of samples."""
    return x == 0 and any(sign in line for sign in ",;\t|")


def _splits(line: str, width: int) -> list[list[str]]:
    """Ways in which a line falls into so many words."""
    bare = line.strip().lstrip(_MARKS).strip()
    found = []
    for pattern in _BETWEEN:
        words = [word.strip() for word in re.split(pattern, bare)]
        words = (
            [word for word in words if word] if pattern.startswith(r"\s") or len(words) != width else words
        )
        if len(words) > width and pattern in (r"\|", r"\t"):
            words = words[:width]
        if len(words) == width and words not in found:
            found.append(words)
    loose = re.sub(r"\s*[\[(](?![qQsSiI]\))[^\])]*[\])]|[<>\"']", " ", bare).replace(",", " ").split()
    if len(loose) == width and not found:
        # Units in brackets behind blanks are no words of their own.
        found.append(_with_units(bare, loose))
    return found


def _with_units(line: str, words: list[str]) -> list[str]:
    """The words with the bracket that follows each in the line."""
    whole = []
    for word in words:
        match = re.search(re.escape(word) + r"[>\"']?\s*([\[(][^\])]*[\])])?", line)
        whole.append(f"{word} {match[1]}" if match and match[1] else word)
    return whole


def _units_under(lines: list[str], width: int, x: int) -> str:
    """What stands for q in a line of units between the names and the table; empty where there is none."""
    for line in lines:
        for words in _splits(line, width):
            if units.canonical(words[x].strip("()[]"), "q"):
                return words[x].strip("()[]")
    return ""


def label(header: tuple[str, ...]) -> ColumnName | None:
    """The label of the abscissa where it has a line of its own, as FIT2D writes it."""
    for line in header[-NAMES_WITHIN:]:
        bare = re.sub(r"^\W*(?:x(?:[ _-]?(?:label|axis))?\s*[:=])?", "", line.strip(), flags=re.IGNORECASE)
        if 0 < len(bare) <= LIMITS.title:
            name = understand(bare)
            if name.quantity == ANGLE or (name.quantity == Q and units.canonical(name.unit, "q")):
                return name
    return None
