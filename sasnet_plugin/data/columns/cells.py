"""One line of text -> the numbers in it: any delimiter, decimal commas, signs of what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_LONGEST = 10_000
"""Characters beyond which a line is no row of a curve's table."""

_ROWS_ABOVE = 2_000
"""Rows of other columns above a table, between it and its names: as many as a curve has points."""

_NOT_A_NUMBER = frozenset(
    {
        "",
        "-",
        "--",
        "*",
        "na",
        "n/a",
        "#n/a",
        "#div/0!",
        "#value!",
        "null",
        "none",
        "inf",
        "-inf",
        "nan",
        "-nan",
        "1.#ind",
        "-1.#ind",
    }
    | {"1.#qnan", "-1.#qnan", "1.#inf", "-1.#inf", "1.#snan"}
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eEdD][+-]?\d+)?|[+-]?\d+(?:[eEdD][+-]?\d+)?")
# "65,525.008", "65.525,008", "65'525.008", "65 525,008" with a blank that does not break.
_GROUPED = re.compile(
    r"(?<![\w.,'])[-+]?\d{1,3}(?:(?:,\d{3})+\.\d|(?:\.\d{3})+,\d|(?:\.\d{3}){2,}|(?:,\d{3}){2,}"
    r"|(?:['\u2019_\u00a0\u2009\u202f]\d{3})+(?!\d))"
)
SPACED = re.compile(r"(?:^|\t)[-+]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?[ ]?(?=\t|$)")
# "5,72e-02" in a CSV.
QUOTED = re.compile(r'"\s*([-+]?[\d.,]+(?:[eE][-+]?\d+)?)\s*"')
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
    with_commas = (k for k, line in enumerate(lines) if _COMMAS_ALONE.fullmatch(line))
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
