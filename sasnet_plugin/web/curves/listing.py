"""The list as it is seen: searched, sorted, a window of it at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...digits import significant
from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ...predict.classes import percent
from ...types import SasnetError, product_name
from ..on_page import adapt_to_page
from ..settings import CURVES
from .shelf import Row, Shelf

#: Words of a search that mean a state instead of a name.
STATES = {
    "fitted": "those that were fitted",
    "unfitted": "those that were not",
    "explained": "those that a fit explains",
    "doubtful": "those with a doubt",
    "unreadable": "files that hold no curve",
}
#: What is said of an image where the doubt beside it says all.
_OUTSIDE = "unlike what the network knows"
_LEVELS = {EXPLAINS: 3, DOUBTS: 2, DOES_NOT: 1}
_ORDERS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: (row.file.casefold(), row.entry),
    "answer": lambda row: (row.line.get("group", "~"), -(row.line.get("probability") or 0.0)),
    "probability": lambda row: -_number(row.line.get("probability")),
    "doubt": lambda row: (not _doubt(row), row.file.casefold()),
    "state": lambda row: (-_LEVELS.get(row.verdict.get("level", ""), 0), bool(row.problem), not row.line),
}


class Listing:
    """Keeps the last order, as a page scrolls through it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._last: tuple[tuple[Any, ...], list[Row]] = ((), [])

    def rows(
        self, search: str, order: str, *, backwards: bool, images: bool = False
    ) -> tuple[int, list[Row]]:
        """Return the list's version and the rows that a search finds, in an order, maybe images alone. Raises
        SasnetError for an unknown order or a long search.
        """
        if order not in _ORDERS:
            raise SasnetError(f"{order[:40]!r}: no such sort order; choose {', '.join(_ORDERS)}.")
        if len(search) > CURVES.longest_search:
            raise SasnetError(
                f"The search has {len(search):,} characters; use at most {CURVES.longest_search}."
            )
        version = self._shelf.version
        key = version, search, order, backwards, images
        if self._last[0] != key:
            rows = [row for row in self._shelf.rows() if row.is_image or not images]
            words = search.casefold().split()
            found_rows = [row for row in rows if all(_has(row, word) for word in words)]
            found_rows.sort(key=_ORDERS[order], reverse=backwards)
            self._last = key, found_rows
        return version, self._last[1]


def _number(probability: float | None) -> float:
    return -1.0 if probability is None else probability


def _has(row: Row, word: str) -> bool:
    if word in STATES:
        level = row.verdict.get("level", "")
        states = {
            "fitted": bool(level), "unfitted": not level and bool(row.line), "explained": level == EXPLAINS,
            "doubtful": bool(_doubt(row)), "unreadable": bool(row.problem),
        }  # fmt: skip
        return states[word]
    return word in row.text


def _doubt(row: Row) -> str:
    return adapt_to_page(str(row.verdict.get("doubt") or row.problem or row.line.get("doubt", "")))


def describe_row(row: Row) -> dict[str, Any]:
    line = row.line
    return {
        "key": row.key, "file": row.file, "dropped": row.root == "dropped", "image": row.is_image,
        "kind": line.get("kind", ""), "thumb": line.get("thumb", ""), "further": line.get("further", False),
        "pixels": line.get("pixels"), "entry": line.get("entry", ""),
        "number": row.entry, "spark": line.get("spark", []), "points": line.get("points"),
        "answer": _answer(row), "probability": line.get("probability"), "doubt": _doubt(row),
        "state": _state(row), "level": row.verdict.get("level", ""), "read": bool(line or row.problem),
    }  # fmt: skip


def _answer(row: Row) -> str:
    if headline := row.verdict.get("headline"):
        return str(headline)
    if not row.line:
        return ""
    if row.is_image:
        return _OUTSIDE if row.line["answer"] == row.line["doubt"] else str(row.line["answer"])
    model = product_name(row.line["model"], row.line["structure_factor"])
    text, group = f"{model} {percent(row.line['model_probability'])}", row.line["group"]
    return text if group == row.line["model"] else f"{text} · {group}"


def _state(row: Row) -> str:
    if level := row.verdict.get("level"):
        chisq = row.verdict.get("chisq")
        return f"fitted, χ² {significant(chisq, 3)}" if chisq else str(level)
    if row.is_image:
        return "answered" if row.line["image"] else str(row.line["answer"])
    return "cannot be read" if row.problem else "classified" if row.line else "waits"


def select_window(rows: Sequence[Row], start: int, count: int) -> tuple[int, list[Row]]:
    """A window of the rows: its first place, and what lies in it."""
    first = min(max(start, 0), max(len(rows) - 1, 0))
    return first, list(rows[first : first + min(max(count, 0), CURVES.most_rows)])
