"""Short tables of text, as Python shows a result."""

from __future__ import annotations

from collections.abc import Sequence


def align_columns(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> list[str]:
    """Lines with the cells of each column below each other.

    Parameters
    ----------
    rows : sequence of sequence of str
        Rows of equal length; a header is a row, too.
    indent : str
        Before each line.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        f"{indent}{'  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))}".rstrip()
        for row in rows
    ]
