"""Text files -> raw curves: columns q, I, dI, dq; Anton Paar's .pdh; NIST's .ABS by its row count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin import units
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.data.raw import RawCurve
from sasnet_plugin.data.table import Table, read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

# An inverse length in a header: "1/nm", "nm^-1", "nm-1", "nm⁻¹", "A^{-1}", "1/Angstrom"; not "(nm)".
_INVERSE = re.compile(
    r"(?<![A-Za-zÅµμ])(?:(?:1\s*/\s*|inv[_ ]?)(?P<over>nm|nanomet(?:er|re)|Å|Angstr[oö]ms?|Ang|A)(?![a-zA-Z])"
    r"|(?P<power>nm|nanomet(?:er|re)s?|Å|Angstr[oö]ms?|Ang|A)\s*(?:\^|\*\*)?\s*[{(]?\s*[-−⁻]\s*[1¹])",
    re.IGNORECASE,
)
# Column names of a header line, in the order of the fields of RawCurve.
_NAMES = {
    "q": re.compile(r"q|x|s?qz?|qmean|mean_?q|q_?values?", re.IGNORECASE),
    "intensity": re.compile(r"i|y|i\(?q\)?|int|intensity|dsdw|ds/do?w?|counts|cross_?section", re.IGNORECASE),
    "dintensity": re.compile(
        r"(?:d|e|err|error|sigma|sig|s|std|stdev|delta|unc)_?\(?(?:i|y|i\(?q\)?|int|intensity)?\)?"
        r"|i_?(?:dev|err|error|sigma|std)|uncertainty|idev",
        re.IGNORECASE,
    ),
    "dq": re.compile(
        r"(?:d|sigma|sig|delta|err|s)_?\(?(?:q|x)\)?|q_?(?:dev|err|sigma|res)|qresolution", re.IGNORECASE
    ),
}
_PDH_ROWS = re.compile(r"\s*(\d{1,9})(?:\s+-?\d+){3,}\s*$")
_ABS_START = ("The 6 columns", "EMP LEVEL")


def read_columns(table: Table) -> RawCurve:
    """The first four columns of a table as q, I, dI, dq (or in the order that its header names).

    Parameters
    ----------
    table : Table
        At least two columns.

    Returns
    -------
    RawCurve
        Rows as they stand.
    """
    notes: list[str] = []
    if table.dropped:
        plural = "line" if table.dropped == 1 else "lines"
        notes.append(f"{table.dropped} {plural} inside the table without the columns of the others dropped.")
    if table.blocks > 1:
        notes.append(f"The file holds {table.blocks} tables; the longest was read.")
    if table.lost:
        plural = "line" if table.lost == 1 else "lines"
        notes.append(f"{table.lost} {plural} of numbers outside the table that was read left out.")
    columns: dict[str, Any] = {**_assign(table, notes)}
    return RawCurve(**columns, q_unit=header_unit(table.header), notes=tuple(notes))


def header_unit(header: tuple[str, ...]) -> str | None:
    """Unit of q that a header names: the last line with exactly one of 1/nm and 1/Å; None where none does."""
    # Runs of blanks are one: the pattern has room for them in many places.
    for line in (" ".join(line[: LIMITS.line].split()) for line in reversed(header[-40:])):
        found = {
            units.canonical("1/" + (match["over"] or match["power"]), "q")
            for match in _INVERSE.finditer(line)
        }
        if len(found) == 1:
            return found.pop()
    return None


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


def _assign(table: Table, notes: list[str]) -> dict[str, FloatArray]:
    named = _named(table)
    if named:
        return named
    found = dict(zip(_NAMES, table.columns, strict=False))
    if "dq" in found:
        _swap_if_error(found, notes)
    return found


def _swap_if_error(found: dict[str, FloatArray], notes: list[str]) -> None:
    """Some beamlines write a placeholder in column 3 and the uncertainty in column 4."""
    q, signal = found["q"], np.abs(found["intensity"])
    usable = (q > 0) & (signal > 0) & np.isfinite(found["dq"]) & np.isfinite(found["dintensity"])
    if not np.any(usable):
        return
    larger_than_q = np.median(found["dq"][usable] / q[usable]) > 1
    third = np.median(np.abs(found["dintensity"][usable]) / signal[usable])
    fourth = np.median(found["dq"][usable] / signal[usable])
    if larger_than_q and third < 1e-5 and 1e-4 < fourth < 1:
        found["dintensity"] = found.pop("dq")
        notes.append(
            "Column 4 is larger than q and column 3 a placeholder; column 4 was read as the uncertainty."
        )


def _named(table: Table) -> dict[str, FloatArray] | None:
    """Columns by the names in the line above, where it names q and I and has one word per column."""
    if not table.header:
        return None
    if len(table.header[-1]) > LIMITS.line:
        return None
    line = re.sub(r"[\[(](?![qQ]\))[^\])]*[\])]|[<>#\"']", " ", table.header[-1])
    words = [word for word in re.split(r"[\s,;]+", line) if word]
    if len(words) != len(table.columns):
        return None
    found: dict[str, FloatArray] = {}
    for field, pattern in _NAMES.items():
        for word, values in zip(words, table.columns, strict=True):
            if pattern.fullmatch(word) and field not in found:
                found[field] = values
    return found if {"q", "intensity"} <= set(found) and len(found) >= min(4, len(words)) else None
