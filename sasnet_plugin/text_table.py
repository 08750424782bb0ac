"""Short tables of text, as Python shows a result."""

from __future__ import annotations

from collections.abc import Sequence


def align_columns(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> list[str]:
    """Align the cells of rows of equal length, header included; return lines that begin with `indent`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        f"{indent}{'  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))}".rstrip()
        for row in rows
    ]
