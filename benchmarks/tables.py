"""Tables in Markdown: all that benchmarks write are made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A table whose first columns, so many as `texts`, are text; the others are numbers, to the right."""
    rule = ["---"] * texts + ["---:"] * (len(header) - texts)
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *rows]) + "\n"


def percent(value: float) -> str:
    """A share as per cent with one decimal; a dash for NaN."""
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def show(page: str, write: bool, file: str, head: str = "") -> None:
    """Print a page and, if asked to, keep it with what stands above it beside a benchmark's file."""
    print(page)
    if write:
        Path(file).with_suffix(".md").write_text(head + page, encoding="utf-8")
