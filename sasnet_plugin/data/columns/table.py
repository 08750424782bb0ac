"""Plain text -> the table of numbers in it, whatever stands above, below or between.

Any delimiter (blank, tab, comma, semicolon), decimal commas, ``nan``, ``-1.#IND`` and ``1.0D-03``.
The table is the longest block of lines with the same count of numbers, at least two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from . import cells
from .runs import GAP, LEAST_ROWS, START, Run, Runs

if TYPE_CHECKING:
    from ...arrays import Floats

GOES_ON = 3.0
"""A row apart from a table goes on with it where its q is this near to the end of the table's."""

WORDS_BELOW = 200
"""Lines of words inside and below a table that are kept; units stand there, and no more is looked for."""

MOST_TABLES = 1_000
"""Of more alike tables the longest is read."""

NAMED = 20
"""Of so many tables at most it is looked whether columns are named above them."""

_TEXT_BYTES = bytes(range(32, 256)) + b"\t\n\r\f\b\x1a\x1b\x0b"


@dataclass(frozen=True)
class Table:
    """The table of a text."""

    #: (m, n), m columns of n rows; NaN where a cell is empty or no number. (0, 0) where the text holds no
    #: table.
    columns: Floats
    header: tuple[str, ...] = ()
    #: Lines of other content inside the table and below it, the first `WORDS_BELOW` of them.
    below: tuple[str, ...] = ()
    dropped: int = 0  #: Lines inside the table that were left out, having another count of numbers or none.
    lost: int = 0  #: Lines of numbers outside the table, next to it or a table of their own.
    #: A number with signs between its thousands, in one of these lines; empty where there is none.
    grouped: str = ""
    blocks: int = 0  #: Blocks of numbers of that many columns in the text; the longest is given.
    single: bool = False  #: The text holds one column of numbers and no table.
    cut: bool = False  #: The last line ends within a number, or lacks some, and was left out.
    ambiguous: bool = False  #: Its commas are decimal signs and delimiters, and nothing tells which.
    #: Tables of that many columns that begin at small q again: further data sets.
    others: tuple[Table, ...] = ()


def decode(data: bytes) -> str | None:
    """Text of a file's bytes; None where they are no text."""
    for mark, codec in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            return data.decode(codec, errors="replace")
    head = data[:65536]
    if _is_utf16(head):
        return data.decode("utf-16-le", errors="replace")
    if head.translate(None, _TEXT_BYTES):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _is_utf16(head: bytes) -> bool:
    """Whether every second byte is zero and no other, as of Latin letters without a mark at the beginning."""
    return len(head) > 1 and head[1::2].count(0) == len(head) // 2 and 0 not in head[::2]


def read_table(text: str) -> Table:
    """Find the table of numbers in a text with any line ends; zero columns if there is none."""
    lines = _lines(text)
    if cut := _is_cut_short(text, lines):
        lines = lines[:-1]
    lines, ambiguous = cells.use_decimal_points(lines)
    if ambiguous:
        return Table(np.empty((0, 0)), tuple(lines), ambiguous=True)
    table_found = _uniform(lines) or _longest(lines)
    if table_found.columns.size or table_found.single or table_found.grouped:
        return replace(table_found, cut=cut)
    # A letter behind each row, or a time before it, is no number.
    return _longest([cells.numbers_alone(line) for line in lines])


def _lines(text: str) -> list[str]:
    """The lines of a text as they are printed, numbers without quotes."""
    lines = text.rstrip("\x1a\0 \r\n").splitlines()  # the end of a text of DOS
    if '"' in text:
        lines = [cells.QUOTED.sub(cells.unquote, line) for line in lines]
    return list(map(cells.strip_markup, lines)) if _has_markup(text) else lines


def _is_cut_short(text: str, lines: list[str]) -> bool:
    """Whether the text ends within a row: without an end of line, and with less in it than the others."""
    if text.endswith(("\n", "\r")) or len(lines) <= START:
        return False
    *lines_before, last = (line.strip() for line in lines[-START - 1 :])
    if not re.fullmatch(r"[-+\d.,;eE\s]+", last) or None in map(cells.numbers, lines_before):
        return False
    return _is_shorter(re.split(r"[\s,;]+", last), [re.split(r"[\s,;]+", line) for line in lines_before])


def _is_shorter(last: list[str], rows_before: list[list[str]]) -> bool:
    """Whether a row has fewer words than each of those before, or fewer digits in its last one."""
    if len(set(map(len, rows_before))) > 1 or len(last) > len(rows_before[0]):
        return False
    ends = {len(words[-1]) for words in rows_before}
    return len(last) < len(rows_before[0]) or (len(ends) == 1 and len(last[-1]) < min(ends))


def _has_markup(text: str) -> bool:
    return "\\" in text or "<sup>" in text or "&" in text


def _uniform(lines: list[str]) -> Table | None:
    """One table from a line on to the end, read by numpy; None where it is not that uniform."""
    start = _first_table_line(lines)
    rows = None if start is None else _parse_with_numpy(lines[start:])
    if start is None or rows is None or _may_begin_again(lines[start:], rows[:, 0]):
        return None
    lost, grouped = _search_around_table(lines, range(start, len(lines)), rows)
    return Table(
        np.ascontiguousarray(rows.T), tuple(lines[:start]), lost=len(lost), grouped=grouped, blocks=1
    )


def _parse_with_numpy(block: list[str]) -> Floats | None:
    """Lines as rows of two numbers at least; None where they are not all alike."""
    delimiter, decimal = cells.style(block[0])
    if decimal:
        block = [line.replace(",", ".") for line in block]
    try:
        rows = np.loadtxt(block, delimiter=delimiter, comments=None, ndmin=2)
    except ValueError:
        return None
    return rows if rows.shape[1] > 1 else None


def _may_begin_again(lines: list[str], q: Floats) -> bool:
    """Whether q comes back to its first value, or falls in a table that empty lines part: several tables."""
    again = q[LEAST_ROWS:] == q[0]
    return bool(np.any(again) or np.any(np.diff(q) < 0) and not all(line.strip() for line in lines))


def _search_around_table(lines: list[str], table: range, rows: Floats) -> tuple[list[int], str]:
    """Find number lines just above and below a table, and one with thousands separators there."""
    # Further off, lines that would go on with its q. Within a table only signs are looked for that part its
    # words, and would make one number two.
    lost = [
        *_find_lost_rows(lines, range(table.start - 1, -1, -1), rows),
        *_find_lost_rows(lines, range(table.stop, len(lines)), rows),
    ]
    apart = [*_find_lines_with_blanks(lines[table.start : table.stop]), *(lines[number] for number in lost)]
    return lost, next(
        (grouped_number for line in apart if (grouped_number := cells.find_grouped_number(line))), ""
    )


def _find_lost_rows(lines: list[str], numbers: range, rows: Floats) -> Iterator[int]:
    other_lines, width, ends = 0, rows.shape[1], _ends(rows[:, 0])
    for number in numbers:
        if _goes_on(lines[number], width, ends) if other_lines > GAP else _is_lost(lines[number], width):
            yield number
        else:
            other_lines += 1


def _is_lost(line: str, width: int) -> bool:
    return cells.ROW.match(line) is not None or _row_in(line, width) is not None


def _goes_on(line: str, width: int, ends: tuple[float, float]) -> bool:
    row = _row_in(line, width) if cells.ROW.match(line) else None
    if row is None:
        return False
    least, most = ends
    return least / GOES_ON < row[0] < least or most < row[0] < most * GOES_ON


def _row_in(line: str, width: int) -> list[float] | None:
    row = cells.numbers(line.lstrip(cells.MARKS))
    return row if row is not None and len(row) == width else None


def _ends(q: Floats) -> tuple[float, float]:
    """The smallest and the largest of its sizes; zeros where there are none."""
    sizes = np.abs(q[np.isfinite(q) & (q != 0)])
    return (float(sizes.min()), float(sizes.max())) if sizes.size else (0.0, 0.0)


def _find_lines_with_blanks(lines: list[str]) -> list[str]:
    """Lines of a table in which blanks may part thousands."""
    lines_found = list(filter(cells.BLANKS.search, lines))
    if "\t" in lines[0]:
        lines_found += [line for line in lines if " " in line and cells.SPACED.search(line)]
    return lines_found


def _runs(lines: list[str]) -> Runs:
    runs = Runs()
    for number, line in enumerate(lines):
        if line.strip():
            runs.take(lines, number)
        else:
            runs.parted = True
    return runs


def _longest(lines: list[str]) -> Table:
    """The longest table, each line parsed by itself: slower, and for any text."""
    runs = _runs(lines)
    if not runs.runs:
        grouped, single = _find_first_grouped(lines, runs.odd), runs.single >= START
        return Table(np.empty((0, 0)), tuple(lines), grouped=grouped, single=single)
    best = _choose_run(lines, runs.runs)
    if runs.single > len(best.rows):
        return Table(np.empty((0, 0)), tuple(lines), single=True)
    alike = [run for run in runs.runs if run.width == best.width]
    blocks = sum(len(run.rows) >= START for run in alike)
    tables = _tables(best, alike)
    if len(tables) > 1 and blocks <= MOST_TABLES:
        return _several(lines, tables)
    return _one(lines, runs, best, blocks)


def _tables(best: Run, alike: list[Run]) -> list[Run]:
    """Find the similar tables that repeat the q of one, and that one."""
    rows = np.array(best.rows, dtype=np.float64)
    return [run for run in alike if run is best or _again(rows, run.rows)]


def _one(lines: list[str], runs: Runs, best: Run, alike: int) -> Table:
    """A table, of several alike ones, with what stands around it."""
    rows = np.array(best.rows, dtype=np.float64)
    lost_lines, grouped = _search_around_table(lines, best.lines, rows)
    return Table(
        np.ascontiguousarray(rows.T), tuple(lines[: best.places[0]]),
        _words_below(lines, best.lines, set(best.places)), best.dropped,
        len(lost_lines) + _rows_apart(runs.runs, best, lost_lines),
        grouped or _find_first_grouped(lines, runs.odd), alike,
    )  # fmt: skip


def _rows_apart(runs: list[Run], best: Run, lost_lines: list[int]) -> int:
    """Rows of tables that do not begin within or next to this one."""
    margin = len(lost_lines) + GAP
    near = {*range(best.lines.start - margin, best.lines.stop + margin), *lost_lines}
    other_runs = (run for run in runs if run is not best and run.places[0] not in near)
    return sum(len(run.rows) for run in other_runs if len(run.rows) >= START or run.width == best.width)


def _find_first_grouped(lines: list[str], odd: list[int]) -> str:
    """The first number with signs between its thousands in one of these lines; empty where there is none."""
    return next(
        (number_text for number in odd if (number_text := cells.find_grouped_number(lines[number]))), ""
    )


def _again(rows: Floats, run: list[list[float]]) -> bool:
    """Whether a table of as many columns as another goes over the same q once more."""
    if len(run) < LEAST_ROWS:
        return False
    q = np.array(run)[:, 0]
    low, high = np.nanmin(rows[:, 0]), np.nanmax(rows[:, 0])
    return bool(np.mean((q >= low) & (q <= high)) > 0.5 or np.nanmin(q) <= low <= high <= np.nanmax(q))


def _several(lines: list[str], runs: list[Run]) -> Table:
    """Several tables as further ones of the first, each with the words above it."""
    tables: list[Table] = []
    end = 0
    for run in runs:
        # The words above the first hold for all.
        header = (*lines[: runs[0].places[0]], *(lines[end : run.places[0]] if end else ()))
        columns = np.ascontiguousarray(np.array(run.rows, dtype=np.float64).T)
        tables.append(Table(columns, tuple(header), dropped=run.dropped, blocks=1))
        end = run.lines.stop
    return replace(tables[0], blocks=len(tables), others=tuple(tables[1:]))


def _choose_run(lines: list[str], runs: list[Run]) -> Run:
    """Which table is the curve: the longest of those whose columns are named q and intensity, else of all."""
    # Programs write others below, such as p(r), which can be longer.
    long = sorted(runs, key=lambda run: -len(run.rows))
    tables = [run for run in long[:NAMED] if len(run.rows) >= START]
    named_runs = [run for run in tables if _names_a_curve(lines, run.places[0])]
    return (named_runs or long)[0]


def _names_a_curve(lines: list[str], start: int) -> bool:
    """Whether the words above a line, and above rows of other columns next to it, name q and intensity."""
    from .names import INTENSITY, Q, understand

    start = cells.find_first_row_above(lines, start)
    for line in lines[max(0, start - 8) : start]:
        if cells.numbers(line) is None:
            names = filter(None, re.split(r"\s{2,}|[\t,;|]", line.strip()))
            if {Q, INTENSITY} <= {understand(name).quantity for name in names}:
                return True
    return False


def _words_below(lines: list[str], table: range, rows: set[int]) -> tuple[str, ...]:
    words = (lines[number] for number in range(table.start, len(lines)) if number not in rows)
    return tuple(
        islice((line for line in words if line.strip() and cells.numbers(line) is None), WORDS_BELOW)
    )


def _first_table_line(lines: list[str]) -> int | None:
    alike, width, start = 0, 0, 0
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        row = cells.numbers(line)
        if row is None or len(row) < 2:
            alike = width = 0
        elif len(row) == width:
            alike += 1
        else:
            alike, width, start = 1, len(row), number
        if alike >= START:
            return start
    return None
