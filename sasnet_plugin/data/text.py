"""Text files with a layout of their own: Anton Paar's .pdh; NIST's .ABS by its row count."""

from __future__ import annotations

import re

from .. import units
from .columns.table import read_table
from .raw import RawCurve

_PDH_ROWS = re.compile(r"\s*(\d{1,9})(?:\s+-?\d+){3,}\s*$")
_ABS_START = ("The 6 columns", "EMP LEVEL")


def read_pdh(text: str) -> RawCurve | None:
    """Anton Paar's (and Kratky cameras') PDH: five lines of header, q I dI, XML below; q in 1/nm.

    sasdata 0.11.0 reads these as plain columns, without the unit. None where the text is no PDH.
    """
    lines = text.splitlines()
    if len(lines) < 6 or not lines[1].startswith("SAXS"):
        return None
    size = _PDH_ROWS.match(lines[2])
    if size is None:
        return None
    table = read_table("\n".join(lines[5 : 5 + int(size[1])]))
    if table.columns.shape[0] < 2:
        return None
    unit = re.search(r'<column key="X">\s*<value key="unit">([^<]*)<', text)
    known = units.canonical(unit[1], "q") if unit else None
    return RawCurve(
        q=table.columns[0],
        intensity=table.columns[1],
        dintensity=table.columns[2] if table.columns.shape[0] > 2 else None,
        title=lines[0].strip(),
        q_unit=known or "nm⁻¹",
        dropped=max(0, int(size[1]) - table.columns.shape[1]),
    )


def abs_rows(text: str) -> int | None:
    """Rows of data in NIST's .ABS, counted to know how many sasdata drops; None where no such table is."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(_ABS_START):
            return int(read_table("\n".join(lines[number + 1 :])).columns.shape[-1]) or None
    return None
