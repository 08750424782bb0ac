"""Tables of what came of files that were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..common import markdown, show
from ..rooms import checkout_version


def count_outcomes(found: Iterable[tuple[str, str]], heads: Sequence[str], outcomes: Sequence[str]) -> str:
    """How often each part has each outcome, and all."""
    counts: dict[str, Counter[str]] = {}
    for part, outcome in found:
        counts.setdefault(part, Counter())[outcome] += 1
    counts["all"] = sum(counts.values(), Counter())
    rows = [
        [part, str(count.total()), *(str(count[one]) for one in outcomes)] for part, count in counts.items()
    ]
    return markdown([*heads, *outcomes], rows)


def show_reading(title: str, doc: str | None, seeds: str, table: str, write: bool, file: str) -> None:
    """Print a table, and keep it below what the benchmark's docstring says after its usage."""
    said = "\n\n".join((doc or "").split("\n\n")[2:]).replace("``", "`").strip()
    show(table, write, file, f"# {title}\n\n{said}\n\nSeed {seeds}, version {checkout_version()}.\n\n")
