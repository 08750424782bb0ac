"""Plain text -> the table of numbers in it, and the names of its columns, whatever stands above, below or
between.

Any delimiter (blank, tab, comma, semicolon), decimal commas, ``nan``, ``-1.#IND`` and ``1.0D-03``.
The table is the longest block of lines with the same count of numbers, at least two.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise, takewhile
from typing import NamedTuple

import numpy as np

from ... import units
from ...arrays import Floats
from ..limits import LIMITS
from .names import (
    ANGLE,
    DQ,
    ERROR,
    INTENSITY,
    MODEL,
    NO_Q,
    OTHER,
    RELATIVE,
    UNKNOWN,
    ColumnName,
    Q,
    is_known,
    names_uncertainty,
    understand,
    understand_names,
)

# --- One line of text -> the numbers in it: any delimiter, decimal commas, signs of what is
# --- missing.

_LONGEST = 10_000
"""Characters beyond which a line is no row of a curve's table."""

_ROWS_ABOVE = 2_000
"""Rows of other columns above a table, between it and its names: as many as a curve has points."""

_NOT_A_NUMBER = frozenset({
    "", "-", "--", "*", "na", "n/a", "#n/a", "#div/0!", "#value!", "null", "none", "inf", "-inf", "nan",
    "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "1.#inf", "-1.#inf", "1.#snan",
})  # fmt: skip
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eEdD][+-]?\d+)?|[+-]?\d+(?:[eEdD][+-]?\d+)?")
# "65,525.008", "65.525,008", "65'525.008", "65 525,008" with a blank that does not break.
_GROUPED = re.compile(
    r"(?<![\w.,'])[-+]?\d{1,3}(?:(?:,\d{3})+\.\d|(?:\.\d{3})+,\d|(?:\.\d{3}){2,}|(?:,\d{3}){2,}"
    r"|(?:['\u2019_\u00a0\u2009\u202f]\d{3})+(?!\d))"
)
SPACED = re.compile(r"(?:^|\t)[-+]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?[ ]?(?=\t|$)")
# "5,72e-02" in a CSV.
QUOTED = re.compile(r'(?<![^\s,;])"\s*([-+]?[\d.,]+(?:[eE][-+]?\d+)?)\s*"(?![^\s,;])')
# A minus that follows a digit: Fortran's columns of fixed width leave no blank.
_STUCK = re.compile(r"(?<=\d)(?=-\d*\.\d)")
MARKS = "#%*'!;/x \t"
"""Before a row that is not to count."""
BLANKS = re.compile("[\u00a0\u2009\u202f]")
# q is no whole number; headers (RAL's) have rows of them just above the table.
ROW = re.compile(r"\s*[-+]?\d*[.,]\d\S*[\s,;]+\S*\d")
# Signs of LaTeX, HTML and Grace, as in "nm<sup>-1</sup>" and "nm\\S-1\\N", and what they print as.
_MARKUP = (
    (re.compile(r"\\S\s*([-+\u2212]?\d)\s*\\N|<sup>\s*([^<>]{1,9})</sup>"), r"^\1\2"),
    (re.compile(r"\\(?:math(?:rm|it|bf)|text(?:rm|it|bf)?|rm|,|;|:|!)\b\s*|\\[,;:!]"), " "),
    (re.compile(r"\\(?:AA|angstrom|r\{A\})(?![A-Za-z])|&Aring;|&#8491;"), "\u00c5"),
)
#: Rows of numbers without a point, parted by commas alone.
_COMMAS_ALONE = re.compile(r"\s*[-+]?\d+(?:\s*,\s*[-+]?\d+(?:[eE][-+]?\d+)?){2,}\s*,?\s*")
_COMMA_PARTS = re.compile(r"\s*,\s*")
FEWEST_PAIRS = 5
"""Rows of pairs that are looked at, as many as begin a table."""
_REMARK = re.compile(r"(?<=\d)\s+[#!].*")


def style(line: str) -> tuple[str | None, bool]:
    """Which delimiter a line of numbers uses (None for blanks), and whether its decimals have commas."""
    if ";" in line:
        return ";", "," in line
    if "," not in line:
        return None, False
    return (None, True) if _has_decimal_commas(line) else (",", False)


def _has_decimal_commas(line: str) -> bool:
    """Whether all words of a line are numbers, with commas for points."""
    words = line.split()
    return "." not in line and len(words) > 1 and all(_DECIMAL_COMMA.fullmatch(word) for word in words)


def numbers(line: str) -> list[float] | None:
    """The numbers of a line, NaN for cells that hold none; None where the line is text."""
    numbers = _values(_words(line))
    if numbers is None and (parted := _STUCK.sub(" ", line)) != line:
        numbers = _values(_words(parted))
    return numbers


def _values(words: list[str]) -> list[float] | None:
    numbers = []
    for word in words:
        value = number(word)
        if value is None:
            return None
        numbers.append(value)
    return numbers if any(value == value for value in numbers) else None


def _words(line: str) -> list[str]:
    if len(line) > _LONGEST:
        return []
    line = _REMARK.sub("", line)
    delimiter, decimal = style(line)
    if decimal:
        line = line.replace(",", ".")
    words = [word.strip() for word in line.split(delimiter)]
    while words and not words[-1]:
        words.pop()
    return words


def number(word: str) -> float | None:
    if "_" in word:  # Python's own sign between thousands
        return None
    try:
        return float(word)
    except ValueError:
        pass
    plain = word.lower().replace("\u2212", "-")
    if plain in _NOT_A_NUMBER or set(plain) == {"*"}:
        return float("nan")
    try:
        return float(plain.replace("d", "e"))
    except ValueError:
        return None


def find_first_row_above(lines: Sequence[str], end: int) -> int:
    """The first of the rows of numbers that end just above a line, `_ROWS_ABOVE` of them at most."""
    start = end
    while start > max(0, end - _ROWS_ABOVE) and len(numbers(lines[start - 1]) or ()) > 1:
        start -= 1
    return start


def strip_markup(line: str) -> str:
    """A line as its markup prints it."""
    if "\\" in line or "<" in line or "&" in line:
        for pattern, plain in _MARKUP:
            line = pattern.sub(plain, line)
    return line


def count(line: str) -> int:
    """How many cells a line has whose delimiter is no blank; 0 where it is."""
    delimiter, decimal = style(line)
    return 0 if delimiter is None or decimal else line.count(delimiter) + 1


def find_grouped_number(line: str) -> str:
    """A number of the line with signs between its thousands; empty where there is none."""
    match = _GROUPED.search(line) or SPACED.search(line)
    return max(match[0].strip(), line[match.start() :].split()[0], key=len)[:40] if match else ""


def numbers_alone(line: str) -> str:
    """A line without one word at either end that is no number, where the rest are numbers."""
    sign = next((candidate for candidate in ";,\t" if candidate in line), None)
    words = [word.strip() for word in line.split(sign)]
    if len(words) > 2:
        first, last = (int(number(word) is None) for word in (words[0], words[-1]))
        inner = words[first : len(words) - last]
        if len(inner) > 1 and all(number(word) is not None for word in inner):
            return (sign or " ").join(inner)
    return line


def use_decimal_points(lines: list[str]) -> tuple[list[str], bool]:
    """Replace decimal commas where commas also separate numbers, and say whether that is ambiguous."""
    # Such numbers come as pairs, ``5,000000e-03,2,823191e+01``, whose second parts have leading zeros or
    # exponents as no whole number has.
    with_commas = (k for k, line in enumerate(lines) if "," in line and _COMMAS_ALONE.fullmatch(line))
    rows = {k: _COMMA_PARTS.split(lines[k].strip()) for k in with_commas}
    if len(rows) < FEWEST_PAIRS or not any(map(_has_fraction, rows.values())):
        return lines, False
    if _alike(rows) and all(map(_are_pairs, rows.values())):
        return [_pair_parts(rows[k]) if k in rows else line for k, line in enumerate(lines)], False
    return lines, _are_ambiguous(rows)


def _alike(rows: Mapping[int, Sequence[str]]) -> bool:
    return len(set(map(len, rows.values()))) == 1


def _pair_parts(parts: list[str]) -> str:
    """Pairs of whole parts and fractions as numbers with points, parted by semicolons."""
    return ";".join(map(".".join, zip(*[iter(parts)] * 2, strict=True)))


def _are_ambiguous(rows: Mapping[int, Sequence[str]]) -> bool:
    """Whether most rows show that commas are decimal signs, by zeros in front of whole numbers."""
    zeros = sum(any(re.match(r"0\d", part) for part in parts[1:]) for parts in rows.values())
    first = 0 if _alike(rows) else sum(parts[0] == "0" for parts in rows.values())
    return max(zeros, first) > len(rows) / 2


def _has_fraction(parts: list[str]) -> bool:
    """Whether a second number of a pair begins with a zero or has an exponent."""
    return any(re.match(r"0\d|\d+[eE]", part) for part in parts[1::2])


def _are_pairs(parts: list[str]) -> bool:
    whole = all(re.fullmatch(r"[-+]?\d+", part) for part in parts[::2])
    fractions = all(re.fullmatch(r"\d+(?:[eE][-+]?\d+)?", part) for part in parts[1::2])
    return whole and fractions and len(parts) % 2 == 0 and len(parts) > 2


def unquote(match: re.Match[str]) -> str:
    """A number in quotes without them, its decimal comma a point."""
    return match[1].replace(",", ".") if match[1].count(",") == 1 and "." not in match[1] else match[1]


# --- Rows of numbers in the lines of a text, alike ones together.

START = 5
"""This many alike lines in a row start the table; fewer may be numbers of a header."""

GAP = 2
"""At most this many lines of other content inside the table are dropped; more end it."""

LEAST_ROWS = 8
"""A further table has at least so many rows; fewer points determine no curve."""

BACK = 1.5
"""A row behind words whose q is less than this times that of the first row begins another table."""


@dataclass
class Run:
    """Rows of equally many numbers, with at most `GAP` other lines between two of them."""

    rows: list[list[float]]
    places: list[int]  #: Numbers of their lines.
    dropped: int = 0  #: Lines between them.

    @property
    def width(self) -> int:
        return len(self.rows[0])

    @property
    def lines(self) -> range:
        return range(self.places[0], self.places[-1] + 1)

    def add(self, row: list[float], number: int, dropped: int) -> None:
        """A further row, behind so many lines that are none."""
        self.rows.append(row)
        self.places.append(number)
        self.dropped += dropped


@dataclass
class Runs:
    """Rows of numbers as they come, line by line."""

    runs: list[Run] = field(default_factory=list)
    single: int = 0  #: Lines of one number.
    odd: list[int] = field(default_factory=list)  #: Lines that look like rows and cannot be read.
    gap: int = GAP + 1  #: Lines since the last row, without empty ones.
    parted: bool = False  #: Whether empty lines stand between the last row and the next.

    def take(self, lines: list[str], number: int) -> None:
        row = self._row(lines[number])
        if row is None or len(row) < 2:
            self._other(lines[number], number, row)
        elif self.runs and self._takes(self.runs[-1], row):
            self.runs[-1].add(row, number, self.gap)
            self.gap, self.parted = 0, False
        elif self.runs and self._may_be_odd(self.runs[-1], row) and not _is_run(lines, number):
            self.gap += 1
        else:
            self.runs.append(Run([row], [number]))
            self.gap, self.parted = 0, False

    def _row(self, line: str) -> list[float] | None:
        """The numbers of a line, NaN where its last cells are empty."""
        row = numbers(line)
        width = self.runs[-1].width if self.runs else 0
        if row and len(row) < width == count(line):
            row += [float("nan")] * (width - len(row))
        return row

    def _other(self, line: str, number: int, row: list[float] | None) -> None:
        self.gap += 1
        self.single += row is not None
        if row is None and ROW.match(line):
            self.odd.append(number)

    def _goes_on(self, run: Run, row: list[float]) -> bool:
        parted = self.parted or self.gap > 0
        return run.width == len(row) and not _from_the_start(run.rows, row, parted=parted)

    def _takes(self, run: Run, row: list[float]) -> bool:
        near = self.gap == 0 or (self.gap <= GAP and len(run.rows) >= START)
        return near and self._goes_on(run, row)

    def _may_be_odd(self, run: Run, row: list[float]) -> bool:
        return len(run.rows) >= START and self.gap < GAP and not self._goes_on(run, row)


def _from_the_start(run: list[list[float]], row: list[float], *, parted: bool) -> bool:
    """Whether a row begins at the q where a table began: the next data set, not more of this."""
    # Behind words or empty lines near it, else just there, as repeated measurements do; rows of zeros fill
    # up.
    if len(run) < LEAST_ROWS:
        return False
    first, last = run[0][0], run[-1][0]
    if row[0] == first:
        low, high = sorted((abs(first), abs(last)))
        return high > BACK * low and (parted or first != 0)
    return parted and row[0] < BACK * first < last


def again_from_the_start(columns: Floats, x: int) -> list[Floats]:
    """Split columns (m, n) that repeat the first q: frames in one list, each of `LEAST_ROWS` or more."""
    # `x` is the column of q, usually after one that numbers the frames.
    q = columns[x]
    starts = np.flatnonzero(q == q[0])
    rows = np.diff([*starts, q.size])
    if starts.size < 2 or rows.min() < LEAST_ROWS:
        return [columns]
    parts = np.split(columns, starts[1:], axis=1)
    return parts if all(_goes_one_way(part[x]) for part in parts) else [columns]


def _goes_one_way(q: Floats) -> bool:
    step = np.diff(q)
    return bool(np.all(step >= 0) or np.all(step <= 0))


def _is_run(lines: list[str], number: int) -> bool:
    """Whether the line and those that follow it are alike: another table, not one odd line."""
    rows = [numbers(line) for line in islice(lines, number, number + START)]
    width = len(rows[0] or ())
    return len(rows) == START and all(row is not None and len(row) == width for row in rows)


# --- Plain text -> the table of numbers in it, whatever stands above, below or between.

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
    words_before: int = 0  #: Words at the beginning of each row that are no numbers.
    names: tuple[ColumnName, ...] = ()  #: Of the columns, where they are not to be found in the header.


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
    if cut := is_cut_short(text, lines):
        lines = lines[:-1]
    lines, ambiguous = use_decimal_points(lines)
    if ambiguous:
        return Table(np.empty((0, 0)), tuple(lines), ambiguous=True)
    table_found = _uniform(lines) or _longest(lines)
    if any((table_found.columns.size, table_found.single, table_found.grouped)):
        return replace(table_found, cut=cut)
    if (table_of_rows := _read_rows(lines)) is not None:
        return table_of_rows
    # A letter behind each row, or a time before it, is no number.
    bare = [numbers_alone(line) for line in lines]
    table_found = _longest(bare)
    row = next((line for line, numbers_of in zip(lines, bare, strict=True) if line != numbers_of), "")
    before = int(number(re.split(r"[\s,;]", row.strip(), maxsplit=1)[0]) is None)
    others = tuple(replace(other, words_before=before) for other in table_found.others)
    return replace(table_found, words_before=before, others=others)


_MOST_NAMES = 4
"""Cells before the values of a row: the name of a sample, what its values are, a remark."""


def _split_row(line: str) -> tuple[list[str], list[float]] | None:
    """The texts at the beginning of a row and its values; None where it has too few. Texts behind are no
    values.
    """
    bare = re.sub(r'"[^"]*"', "", line)
    sign = next((candidate for candidate in "\t;," if candidate in bare), " ")
    if bare.count(sign) < LEAST_ROWS:
        return None
    try:
        cells = [cell.strip() for cell in next(csv.reader([line.strip("#% ")], delimiter=sign))]
    except csv.Error:
        return None
    values = [number(cell.replace(",", ".") if sign == ";" else cell) for cell in cells]
    start = next((k for k, value in enumerate(values) if value is not None and value == value), len(cells))
    row = [value for value in takewhile(lambda value: value is not None, values[start:]) if value is not None]
    while row and row[-1] != row[-1]:
        row.pop()
    goes_on = any(value == value for value in values[start + len(row) :] if value is not None)
    names = [cell for cell in cells[:start] if cell]
    return (names, row) if 0 < len(names) <= _MOST_NAMES and len(row) >= LEAST_ROWS and not goes_on else None


def _read_rows(lines: list[str]) -> Table | None:
    """A table on its side, as US-SOMO writes it: each row has a name, what it is, and its values."""
    rows, rest = [], []
    for line in filter(str.strip, lines):
        row = _split_row(line)
        if row is None:
            rest.append(line)
        else:
            rows.append(row)
    kinds = [understand(re.split(r";\s*", cells[-1])[-1].strip(" :")) for cells, _ in rows]
    x = next((k for k, name in enumerate(kinds) if name.quantity in (Q, ANGLE)), None)
    if x is None or len(rows) < 2:
        return None
    size = len(rows[x][1])
    fitting = [k for k, (_, values) in enumerate(rows) if len(values) <= size]
    columns = np.full((len(fitting), size), np.nan)
    for column, k in zip(columns, fitting, strict=True):
        column[: len(rows[k][1])] = rows[k][1]
    plain = understand_names([cells[-1] for cells, _ in rows])
    names = [
        plain[k] if len(rows[k][0]) == 1 else kinds[k]._replace(text=rows[k][0][0], sample=rows[k][0][0])
        for k in fitting
    ]
    names[fitting.index(x)] = kinds[x]
    return Table(columns, tuple(rest), lost=len(rows) - len(fitting), blocks=1, names=tuple(names))


def _lines(text: str) -> list[str]:
    """The lines of a text as they are printed, numbers without quotes."""
    lines = text.rstrip("\x1a\0 \r\n").splitlines()  # the end of a text of DOS
    if '"' in text:
        lines = [QUOTED.sub(unquote, line) for line in lines]
    return list(map(strip_markup, lines)) if "\\" in text or "<sup>" in text or "&" in text else lines


#: What is said of a text that `is_cut_short`.
LAST_LINE_CUT = "The last line is truncated and was ignored; the file may lack further points."


def is_cut_short(text: str, lines: list[str]) -> bool:
    """Whether the text ends within a row: without an end of line, and with less in it than the others."""
    if text.endswith(("\n", "\r")) or len(lines) <= START:
        return False
    *lines_before, last = map(str.strip, lines[-START - 1 :])
    if not re.fullmatch(r"[-+\d.,;eE\s]+", last) or None in map(numbers, lines_before):
        return False
    return _is_shorter(re.split(r"[\s,;]+", last), [re.split(r"[\s,;]+", line) for line in lines_before])


def _is_shorter(last: list[str], rows_before: list[list[str]]) -> bool:
    """Whether a row has fewer words than each of those before, or fewer digits in its last one."""
    if len(set(map(len, rows_before))) > 1 or len(last) > len(rows_before[0]):
        return False
    ends = {len(words[-1]) for words in rows_before}
    return len(last) < len(rows_before[0]) or (len(ends) == 1 and len(last[-1]) < min(ends))


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
    delimiter, decimal = style(block[0])
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
    return lost, next((grouped_number for line in apart if (grouped_number := find_grouped_number(line))), "")


def _find_lost_rows(lines: list[str], numbers: range, rows: Floats) -> Iterator[int]:
    other_lines, width, ends = 0, rows.shape[1], _ends(rows[:, 0])
    for number in numbers:
        if _goes_on(lines[number], width, ends) if other_lines > GAP else _is_lost(lines[number], width):
            yield number
        else:
            other_lines += 1


def _is_lost(line: str, width: int) -> bool:
    return ROW.match(line) is not None or _row_in(line, width) is not None


def _goes_on(line: str, width: int, ends: tuple[float, float]) -> bool:
    row = _row_in(line, width) if ROW.match(line) else None
    if row is None:
        return False
    least, most = ends
    return least / GOES_ON < row[0] < least or most < row[0] < most * GOES_ON


def _row_in(line: str, width: int) -> list[float] | None:
    row = numbers(line.lstrip(MARKS))
    return row if row is not None and len(row) == width else None


def _ends(q: Floats) -> tuple[float, float]:
    """The smallest and the largest of its sizes; zeros where there are none."""
    sizes = np.abs(q[np.isfinite(q) & (q != 0)])
    return (float(sizes.min()), float(sizes.max())) if sizes.size else (0.0, 0.0)


def _find_lines_with_blanks(lines: list[str]) -> list[str]:
    """Lines of a table in which blanks may part thousands."""
    lines_found = list(filter(BLANKS.search, lines))
    if "\t" in lines[0]:
        lines_found += [line for line in lines if " " in line and SPACED.search(line)]
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
    other_runs = (run for run in runs if run.places[0] not in near)
    return sum(len(run.rows) for run in other_runs if len(run.rows) >= START or run.width == best.width)


def _find_first_grouped(lines: list[str], odd: list[int]) -> str:
    """The first number with signs between its thousands in one of these lines; empty where there is none."""
    return next((number_text for number in odd if (number_text := find_grouped_number(lines[number]))), "")


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
    start = find_first_row_above(lines, start)
    for line in lines[max(0, start - 8) : start]:
        if numbers(line) is None:
            names = filter(None, re.split(r"\s{2,}|[\t,;|]", line.strip()))
            if {Q, INTENSITY} <= {understand(name).quantity for name in names}:
                return True
    return False


def _words_below(lines: list[str], table: range, rows: set[int]) -> tuple[str, ...]:
    words = (lines[number] for number in range(table.start, len(lines)) if number not in rows)
    return tuple(islice((line for line in words if line.strip() and numbers(line) is None), WORDS_BELOW))


def _first_table_line(lines: list[str]) -> int | None:
    alike, width, start = 0, 0, 0
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        row = numbers(line)
        if row is None or len(row) < 2:
            alike = width = 0
        elif len(row) == width:
            alike += 1
        else:
            alike, width, start = 1, len(row), number
        if alike >= START:
            return start
    return None


# --- The words above a table -> names of its columns.

NAMES_WITHIN = 8
"""The names of columns stand in one of so many lines above the table."""

# How names of q and angles begin: enough to leave prose alone, whose words are not looked up.
_MAYBE_X = re.compile(
    r"[\W\d_]*(?:q|mean|avg|average|abs|mod|radial|scatter|wave|momentum|streu|vecteur|bin|log|lg|ln|sqrt|half|the|two|2-?\s*th|θ|2θ"
    r"|xwave|d|4|2\s*sin|sin|a(?:rc)?sinh|1\s*/|\(|rec|stol|angle|position|t?tth|s(?:exp|obs|val|bin|axis|cen|$|[^a-z])|[hkx](?:$|[^a-z]))",
    re.IGNORECASE,
)
# "File format : Q, I, dI", "columns: q I", "Data columns are ...".
_LISTED_BEHIND = re.compile(
    r"^(?:\w+\s+){0,2}(?:columns?|fields?|format|order)(?:\s+(?:are|is))?\s*[:=]\s*(?=\S)|^columns?\s+(?=[qQ])",
    re.IGNORECASE,
)
_INTENSITY_ITSELF = re.compile(
    r"\W*(?:(?:d\W?)?(?:σ|sigma)\W*/\W*d\W*(?:Ω|omega)|(?:i|j|y|int|intens\w*|counts?|cps|signal)(?![a-z]))",
    re.IGNORECASE,
)
# "tau(s)", "delta [Å]".
_NAME_AND_UNIT = re.compile(r"[^\W\d]\w*\s?[(\[][^()\[\]]{0,12}[^\W\d][^()\[\]]{0,12}[)\]]")
_STEM_AND_Q = re.compile(r"[_.-]q(?:$|vec)", re.IGNORECASE)
_MARKS = "#%;!*'/"
# Signs between names, the strictest first; a comma within brackets parts nothing.
_BETWEEN = (r"\t", r"\|", r";", r",(?![^()\[\]]*[)\]])", r"\s{2,}")
# A diffractometer's settings, such as "Scantype: Coupled TwoTheta/Theta" or "ScanMode = 2theta".
_SCAN = re.compile(r"(?:scan|axis|abscissa)[^\n]{0,40}?(?:two|2)[\s_-]*(?:theta|θ)", re.IGNORECASE)


class Names(NamedTuple):
    """The names above a table."""

    columns: tuple[ColumnName, ...]

    def unit_of(self, column: int) -> str:
        return "" if self.columns[column].scale else self.columns[column].unit

    def first(self, *quantities: str) -> int | None:
        return next((i for i, column in enumerate(self.columns) if column.quantity in quantities), None)

    @property
    def informative_count(self) -> int:
        """How many say something."""
        return sum(column.quantity != UNKNOWN for column in self.columns)

    @property
    def x(self) -> int | None:
        return next((i for kind in (Q, ANGLE) if (i := self.first(kind)) is not None), None)


def names_of(table: Table) -> Names | None:
    """The line above that has one word for each column, of which one is q or an angle, and most are known."""
    # None where there is none. A line of units may stand above or below it; where two lines do as well, the
    # nearer to the table counts.
    if table.names:
        return Names(table.names)
    lines = _select_lines_above(table)
    width, first = len(table.columns) + table.words_before, table.words_before
    candidates = [
        names for words in _lists(lines, width) if (names := _match_names(words[first:], lines)) is not None
    ]
    if not candidates:
        return None
    best = max(candidates, key=lambda candidate: candidate.informative_count)  # of equal ones the first
    units_below = _units_beside(lines, len(table.columns), best.x or 0)
    return Names(tuple(map(_add_unit, best.columns, units_below))) if units_below else best


def _add_unit(column: ColumnName, unit: str) -> ColumnName:
    """A name with the unit that a line of units has for it; an error in per cent is relative."""
    if column.unit or not unit:
        return column
    with_unit = understand(f"{column.text} [{unit}]")
    if (column.quantity, with_unit.quantity) in ((ERROR, RELATIVE), (column.quantity, column.quantity)):
        return with_unit._replace(text=column.text, sample=column.sample)
    return column._replace(unit=unit)


def _lists(lines: list[str], width: int) -> Iterator[list[str]]:
    """Lists of one word for each column, the nearest to the table first."""
    if loop := _read_loop_names(lines, width):
        yield loop
    for line in reversed(lines):
        yield from _splits(line, width)


def _select_lines_above(table: Table) -> list[str]:
    """The last lines above a table, and above rows of other columns next to it, that are no walls of text."""
    lines = table.header[: find_first_row_above(table.header, len(table.header))]
    return [line for line in lines if line.strip() and len(line) <= LIMITS.line][-NAMES_WITHIN:]


def _match_names(words: list[str], lines: list[str]) -> Names | None:
    """These words as names of columns; None where none is q or an angle, or too few are known."""
    if not any(map(_may_be_x, words)):
        return None
    names = Names(understand_names(words))
    if names.x is None or _is_letter_behind(names.columns, names.x):
        return None
    return names if names.informative_count > 1 or _are_samples(names, words, lines) else None


def _is_letter_behind(columns: tuple[ColumnName, ...], x: int) -> bool:
    """Whether what could be q is one letter, as S, behind the name of another quantity, as an energy."""
    letter = re.match(r"\W*[shkx](?![a-z])", columns[x].text, re.IGNORECASE)
    return letter is not None and any(one.quantity == UNKNOWN for one in columns[:x])


def _may_be_x(word: str) -> bool:
    return bool(_MAYBE_X.match(word) or _STEM_AND_Q.search(word))


def _are_samples(names: Names, words: list[str], lines: list[str]) -> bool:
    return names.x == 0 and len(words) > 2 and _are_separated(words, lines)


def no_abscissa(table: Table) -> str:
    """The name of a first column that is neither q nor an angle; empty for none."""
    # Beside a known name, or where signs part all names in the line next to the table.
    lines, width = _select_lines_above(table), len(table.columns)
    if name := _unit_behind_other(split_words((lines or ("",))[-1]), width):
        return name
    known = [words for line in reversed(lines) for words in _splits(line, width) if _any_known(words[1:])]
    nearest = _split_by_signs((lines or ("",))[-1], width)
    names = [words for words in nearest if all(re.match(r"[^\W\d]|[<#]", word) for word in words[1:])]
    return next((_first(words) for words in (*known, *names) if understand(words[0]).quantity == NO_Q), "")


def _unit_behind_other(words: list[str], width: int) -> str:
    """The name of another abscissa than q with its unit in brackets, where words enough for names follow."""
    end = next((k for k, word in enumerate(words) if " " in word), len(words))
    name, rest = " ".join(words[: end + 1]), words[end + 1 :]
    is_other = end < len(words) and understand(name).quantity == NO_Q
    return name if is_other and len(rest) >= width - 1 and all(re.match(r"[^\W\d]", w) for w in rest) else ""


def unknown_abscissa(table: Table) -> str:
    """The name of a first column that is not known to be q; empty where no name stands above it."""
    # Names are told from prose by what stands beside: the word for an intensity, or several names that signs
    # part in the line next to the table.
    lines, width = _select_lines_above(table), len(table.columns)
    for line in reversed(lines):
        parted = _split_by_signs(line, width)
        for words in _splits(line, width):
            if _are_names(words, line, parted=words in parted):
                return _first(words)
    return _only_names(lines, width) or _measured_against(lines, width)


def _measured_against(lines: list[str], width: int) -> str:
    """The first name in the line next to the table, with a unit, or beside a quantity and its uncertainty."""
    nearest = _splits(lines[-1], width) if lines else []
    return next((_first(words) for words in nearest if _are_of_another_quantity(words)), "")


def _are_of_another_quantity(words: list[str]) -> bool:
    alike = all(re.match(r"[\"'<#]?[^\W\d]", word) for word in words)
    if not (alike and _is_other_quantity(understand_names(words)[0], words[0])):
        return False
    return _NAME_AND_UNIT.fullmatch(_first(words)) is not None or _have_uncertainty(words[1:])


def _have_uncertainty(words: list[str]) -> bool:
    """Whether one of some names is that of an uncertainty, of an intensity or of another of them."""
    known = any(understand(word).quantity in (ERROR, RELATIVE) for word in words)
    return known or any(names_uncertainty(two, one) for one in words for two in words)


def _are_names(words: list[str], line: str, *, parted: bool) -> bool:
    """Whether words are names of columns, an intensity's among those behind the first."""
    first, *other_columns = understand_names(words)
    if not _is_other_quantity(first, words[0]):
        return False
    if understand(line).quantity == INTENSITY or not any(map(_is_plain_intensity, other_columns)):
        return False
    return parted or all(column.quantity != UNKNOWN for column in other_columns)


def _is_other_quantity(column: ColumnName, text: str) -> bool:
    """Whether a name of letters is not that of q, an angle or an intensity."""
    behind = understand(text.split()[-1]).quantity  # of a label, as "REMARK 265 q(A^-1)"
    is_known = behind in (Q, ANGLE) or column.quantity in (Q, ANGLE, INTENSITY)
    return not is_known and bool(re.search(r"[^\W\d_]", column.text))


def _is_plain_intensity(column: ColumnName) -> bool:
    """Whether a name is that of an intensity by itself, and no word of prose as "data" or "sample"."""
    return _INTENSITY_ITSELF.match(column.text) is not None and column.quantity in (INTENSITY, OTHER)


def _only_names(lines: list[str], width: int) -> str:
    """The first of the names that signs part in the line next to the table, where all of them are unknown."""
    alike = [words for line in lines for words in _split_by_signs(line, width)[:1]]
    nearest = _split_by_signs(lines[-1], width)[:1] if lines else []
    if len(alike) != 1 or alike != nearest or re.search("[:=]", lines[-1]):  # lines of a header's values
        return ""
    return _first_unknown(nearest[0])


def _first_unknown(words: list[str]) -> str:
    """The first of some words where all can be names, and none is that of q or an intensity."""
    are_words = all(re.match(r"[^\W\d][^\n]{0,40}$", word.strip("<>\"'#% ")) for word in words)
    quantities = {column.quantity for column in understand_names(words)}
    return _first(words) if are_words and not quantities & {Q, ANGLE, INTENSITY} else ""


def _first(words: list[str]) -> str:
    return words[0].strip("<>\"'#% ")


def _any_known(words: list[str]) -> bool:
    return any(understand(word).quantity != UNKNOWN for word in words)


def intensity_without_q(table: Table) -> str:
    """The names of columns that say where the intensity is, but not behind q, and name no q; else empty."""
    lines = _select_lines_above(table)
    nearest = _splits((lines or ("",))[-1], len(table.columns))
    return next((", ".join(words) for words in nearest if _are_without_q(words)), "")


def _are_without_q(words: list[str]) -> bool:
    quantities = [column.quantity for column in understand_names(words)]
    complete = {INTENSITY, ERROR} <= set(quantities) and quantities[1] != INTENSITY
    return complete and not {Q, ANGLE} & set(quantities)


def _are_separated(words: list[str], lines: list[str]) -> bool:
    """Whether names of which only q is known are parted by signs in their line: they are those of samples."""
    line = next(
        (candidate for candidate in reversed(lines) if words[0] in candidate and words[-1] in candidate), ""
    )
    return any(sign in line for sign in ",;\t|")


def _read_loop_names(lines: list[str], width: int) -> list[str]:
    tags = [line.strip().rpartition(".")[2] for line in lines if line.lstrip().startswith("_")][-width:]
    return [tag.replace("_", " ") for tag in tags] if len(tags) == width else []


def _split_by(pattern: str, line: str, width: int) -> list[str]:
    """Words between what matches a pattern, without empty ones where they are not so many."""
    words = [word.strip() for word in re.split(pattern, line)]
    if len(words) != width:
        words = list(filter(None, words))
    if len(words) > width and pattern == r"\|":
        words = (words if understand(words[0]).quantity in (Q, ANGLE) else words[1:])[:width]
    return words


def _bare(line: str) -> str:
    """A line of names without what marks it as one."""
    bare = re.sub(r"^L\s+", "", line.strip().lstrip(_MARKS).strip())  # SPEC's "#L"
    return _LISTED_BEHIND.sub("", bare[: LIMITS.line])


def _split_by_signs(line: str, width: int) -> list[list[str]]:
    """Ways in which a line falls into so many words, parted by more than a blank."""
    splits: list[list[str]] = []
    for pattern in _BETWEEN:
        words = _attach_units(_split_by(pattern, _bare(line), width))
        if len(words) == width and words not in splits:
            splits.append(words)
    return splits


def _splits(line: str, width: int) -> list[list[str]]:
    """Ways in which a line falls into so many names: parted by signs, as single words, or as known names."""
    splits, words = _split_by_signs(line, width), split_words(line)
    if splits:
        return splits if len(words) != width or words in splits else [*splits, words]
    readings = [words] if len(words) == width else parse_names(line, width)
    return (
        []
        if len(readings) > 1 or any(_fits_another_count(line, reading) for reading in readings)
        else readings
    )


def _fits_another_count(line: str, reading: list[str]) -> bool:
    """Whether a line is as well read as more or fewer names, where so many do not stand as people write."""
    columns = understand_names(reading)
    faults = 1 if UNKNOWN in [column.quantity for column in columns] else _count_faults(columns)
    if not faults:  # or the names of no curve
        return False
    counts = (count for count in range(2, len(split_words(line)) + 1) if count != len(reading))
    others = (
        _count_faults(understand_names(parse))
        for count in counts
        for parse in parse_names(line, count)
        if all(map(is_known, parse))
    )
    return any(other is not None and other <= faults for other in others)


# --- Names of several words, parted by nothing but blanks.

_CELL = re.compile(r"[\t;|]|,(?![^()\[\]]*[)\]])")
_WORD = re.compile(r"(?:[^\s()\[\]{}]|\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\]|\{[^{}]*\})+|\S")
_SYMBOL = re.compile(r"\|?[A-Za-z]\|?(?:\([qQ]\))?(?: .*)?")
_ENCLOSED = re.compile(r"[(\[{](?!(?:[qixyQIXY]|[iI]\([qQ]\))[)\]}]).*[)\]}]")
_PROSE = re.compile(r"(?:and|with|for|from|by|at|is|are|vs\.?|versus|against|this)|.*[:=].*", re.IGNORECASE)
_MOST_WORDS = 40
"""A line of more words is prose."""
_LONGEST_NAME = 7
"""Words of the longest name, as "standard deviation of the scattered intensity (1/cm)"."""


def split_words(line: str) -> list[str]:
    """The words of a line of names; a unit in brackets belongs to the word before it."""
    return [word for cell in _split_cells(line) for word in cell]


def _split_cells(line: str) -> list[list[str]]:
    """The words of a line of names, those together that no sign but a blank parts."""
    return [_attach_units(_WORD.findall(cell)) for cell in _CELL.split(_bare(line))]


def _attach_units(words: Sequence[str]) -> list[str]:
    """Words with the units in brackets that stand behind them; a line of nothing but units is left."""
    if not words or _ENCLOSED.fullmatch(words[0]):
        return list(words)
    whole: list[str] = []
    for word in words:
        if whole and _ENCLOSED.fullmatch(word):
            whole[-1] += f" {word}"
        else:
            whole.append(word)
    return whole


def parse_names(line: str, width: int) -> list[list[str]]:
    """Join the words of a line to so many known names; several ways where they differ in meaning.

    The first name is taken as long as it can be. One name that nobody knows may stand behind q and the
    intensity. Of several ways those count in which each uncertainty follows what it belongs to.
    """
    cells = _split_cells(line)
    if not 1 < width <= sum(map(len, cells)) <= _MOST_WORDS:
        return []
    ways: dict[tuple[object, ...], tuple[tuple[int, int], list[str]]] = {}
    for parse in islice(_parses(cells, width, ()), 500):
        columns = understand_names(parse)
        if (faults := _count_faults(columns)) is not None:
            guessed = sum(len(name.split()) for name in parse if " " in name and not is_known(name))
            unknown = sum(column.quantity == UNKNOWN for column in columns)
            meaning = tuple((c.quantity, c.scale, c.factor, c.unit) for c in columns)
            ways.setdefault(meaning, ((guessed + unknown, faults), parse))
    least = min((rank for rank, _ in ways.values()), default=(0, 0))
    return [parse for rank, parse in ways.values() if rank == least and rank[1] < 2]


def _parses(cells: list[list[str]], width: int, before: tuple[str, ...]) -> Iterator[list[str]]:
    """Ways to join words to names, all of them known but for one: the intensity's, or one behind it."""
    cells, count = list(filter(None, cells)), sum(map(len, cells))
    if not width <= count <= _LONGEST_NAME * width:
        return
    if not width:
        yield []
        return
    words = cells[0]
    for length in range(min(_LONGEST_NAME, len(words)), 0, -1):
        name = " ".join(words[:length])
        quantity = understand(name).quantity
        is_guess = quantity == UNKNOWN or (length > 1 and not _is_one_name(words[:length]))
        if is_guess and not _may_be_guessed(words[:length], quantity, before):
            continue
        rest = [words[length:], *cells[1:]]
        for parse in _parses(rest, width - 1, (*before, *[UNKNOWN] * is_guess, quantity)):
            yield [name, *parse]


def _may_be_guessed(words: Sequence[str], quantity: str, before: tuple[str, ...]) -> bool:
    """Whether words that are no known name may be one: of a kind of intensity, or behind q and intensity."""
    if UNKNOWN in before or Q not in before or any(map(_PROSE.fullmatch, words)):
        return False
    if any(map(_ends_a_name, words[:-1])) or any(map(is_known, words[:-1])):
        return False
    return INTENSITY in (*before, quantity)


def _is_one_name(words: Sequence[str]) -> bool:
    """Whether words are one known name, and not two symbols, as q and I, that would be one without blank."""
    return (
        not all(map(_SYMBOL.fullmatch, words))
        and not any(map(_ends_a_name, words[:-1]))
        and is_known(" ".join(words))
    )


def _ends_a_name(word: str) -> bool:
    """Whether a word is a unit, or has one in brackets behind it, which ends a name."""
    return " " in word or any(
        units.canonical(word, quantity) and re.search(r"\d|/", word) for quantity in ("q", "intensity")
    )


def _count_faults(columns: Sequence[ColumnName]) -> int | None:
    """How many of some names do not stand where people write them; None where they are no curve's."""
    quantities = [column.quantity for column in columns]
    if not ({Q, ANGLE, NO_Q} & set(quantities) and {INTENSITY, MODEL} & set(quantities)):
        return None
    faults = int(quantities[0] not in (Q, ANGLE, NO_Q, OTHER)) + max(0, quantities.count(Q) - 1)
    for k, quantity in enumerate(quantities):
        owner = {ERROR: (INTENSITY, MODEL), RELATIVE: (INTENSITY, MODEL), DQ: (Q, ANGLE)}.get(quantity)
        faults += owner is not None and not set(owner) & set(quantities[:k])
        faults += quantity == DQ and quantities[k - 1] in (INTENSITY, MODEL)
        faults += quantity == ERROR == quantities[k - 1]
        faults += columns[k].text in [column.text for column in columns[:k]] and quantity == INTENSITY
    return faults


def find_other_header(table: Table) -> tuple[str, list[tuple[ColumnName, ...]]]:
    """A line of known names, not one for each column, and the ways to read it; else the line next to the
    table where it names q and an intensity among what is unknown, and no way; empty where there is none.
    """
    lines = _select_lines_above(table)
    for line in reversed(lines):
        counts = range(2, min(len(split_words(line)), 12) + 1)
        ways = [way for count in counts for way in parse_names(line, count)]
        readings = [understand_names(way) for way in ways if all(map(is_known, way))]
        ranked = [(f, columns) for columns in readings if (f := _count_faults(columns)) is not None]
        if ranked:
            least = min(faults for faults, _ in ranked)
            return line.strip(), [columns for faults, columns in ranked if faults == least]
    words = split_words(lines[-1]) if lines else []
    quantities = [understand(word).quantity for word in words if is_known(word)]
    names_a_curve = quantities[:1] in ([Q], [ANGLE]) and INTENSITY in quantities and is_known(words[0])
    return (lines[-1].strip() if names_a_curve and not any(map(_PROSE.fullmatch, words)) else ""), []


def _units_beside(lines: list[str], width: int, x: int) -> tuple[str, ...]:
    for line in reversed(lines):
        for words in _splits(line, width):
            if units.canonical(words[x], "q") and all(map(_is_unit, words)):
                return tuple(words)
    return ()


def _is_unit(word: str) -> bool:
    is_unit = any(units.canonical(word, quantity) for quantity in units.FACTORS)
    return (
        is_unit
        or re.fullmatch(r"\W*(?:a\.?u\.?|arb\.?(?:\s*units?)?|counts|none|1|%|percent)?\W*", word, re.I)
        is not None
    )


def label(header: tuple[str, ...]) -> ColumnName | None:
    """The abscissa where a line of its own names it, as FIT2D's, or the settings of a scan."""
    lines = header[-NAMES_WITHIN:]
    for line, below in pairwise(lines):
        if understand(below).quantity == INTENSITY and (name := understand(line)).quantity == NO_Q:
            return name
    abscissa = next(filter(None, map(_abscissa_alone, lines)), None)
    if abscissa is not None:
        return abscissa
    scan = next((line for line in header if _SCAN.search(line[: LIMITS.line])), "")
    return ColumnName(scan.strip(), ANGLE) if scan else None


def _abscissa_alone(line: str) -> ColumnName | None:
    bare = re.sub(r"^\W*(?:x(?:[ _-]?(?:label|axis))?\s*[:=])?", "", line.strip(), flags=re.IGNORECASE)
    if not (0 < len(bare) <= LIMITS.title and _MAYBE_X.match(bare)):
        return None
    name = understand(bare)
    is_x = name.quantity == ANGLE or (name.quantity == Q and units.canonical(name.unit, "q"))
    return name if is_x else None
