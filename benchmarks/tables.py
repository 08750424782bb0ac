"""Tables in Markdown: all that benchmarks write are made here."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import numpy as np


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A table whose first columns, so many as `texts`, are text; the others are numbers, to the right."""
    rule = ["---"] * texts + ["---:"] * (len(header) - texts)
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *rows]) + "\n"


def beside_empty(found: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> str:
    """Medians of what a page and an empty one took, s, and their ratios."""
    rows = []
    for what, (ours, empty) in found.items():
        a, b = statistics.median(ours), statistics.median(empty)
        rows.append([what, f"{1000 * a:.0f}", f"{1000 * b:.1f}", f"{a / b:.1f}"])
    return markdown(["what", "page / ms", "empty FastAPI page / ms", "ratio"], rows)


def percent(value: float) -> str:
    """A share as per cent with one decimal; a dash for NaN."""
    return "–" if np.isnan(value) else f"{100 * value:.1f}"
