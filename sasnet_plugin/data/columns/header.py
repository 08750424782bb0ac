"""The words above a table -> names of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ... import units
from ..limits import LIMITS
from . import cells
from .beside import understand_names
from .names import (
    ANGLE,
    ERROR,
    INTENSITY,
    OTHER,
    RELATIVE,
    UNKNOWN,
    ColumnName,
    Q,
    names_uncertainty,
    understand,
)

if TYPE_CHECKING:
    from .table import Table

NAMES_WITHIN = 8
"""The names of columns stand in one of so many lines above the table."""

_LENGTH = r"[\s_]*[\[(/]?\s*(?:mm|cm|m|pixels?|px)?[\])]?"
_NO_Q = re.compile(
    r"(?:azi\w*|phi|psi|chi)(?:[\s_]*angle)?[\s_]*(?:[\[(].*|deg\w*)?|"
    rf"pixels?|channels?|strip|(?:r|radius|position|pos|distance){_LENGTH}"
    r"|d[\s_]*[\[(]\s*(?:a|å|nm)\b.*|q[\s_]*(?:low|lo|min|left)\w*(?:\s*[\[(].*)?|q\s*[*·]?\s*rg|q\s*[*·]\s*r|time.*|t|tof.*",
    re.IGNORECASE,
)
# Words for what is no q whatever stands beside them.
_NEVER_Q = re.compile(
    r"r\s*[\[(]\W*(?:a|å|aa|angstroms?|nm|nanomet\w+)\W*[\])]|(?:\w+_)?(?:lambda|wavelength|energy|e_ev|time)"
    r"(?:[\s_]*[\[(].*|_?k?ev)?|\w*diameters?(?:[\s_]*[\[(].*|_\d+)?|(?:particle\s*)?sizes?(?:\s*[\[(].*)?",
    re.IGNORECASE,
)
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
# Signs between names, the strictest first; a comma or a blank within brackets parts nothing.
_BETWEEN = (r"\t", r"\|", r";", r",(?![^()\[\]]*[)\]])", r"\s{2,}", r"[\s,;]+(?![^(\[]*[)\]])")
_STRICT = _BETWEEN[:-1]
# A diffractometer's settings, such as "Scantype: Coupled TwoTheta/Theta" or "ScanMode = 2theta".
_SCAN = re.compile(r"(?:scan|axis|abscissa)[^\n]{0,40}?(?:two|2)[\s_-]*(?:theta|θ)", re.IGNORECASE)


class Names(NamedTuple):
    """The names above a table."""

    columns: tuple[ColumnName, ...]
    units_beside: tuple[str, ...] = ()  #: What a line of units says under each name; empty without one.

    @property
    def unit_beside(self) -> str:
        """What a line of units says under the name of q; empty where there is none."""
        return self.units_beside[self.x] if self.units_beside and self.x is not None else ""

    def unit_of(self, column: int) -> str:
        name_here = self.columns[column]
        if name_here.scale:
            return ""
        return name_here.unit or (self.units_beside[column] if self.units_beside else "")

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
    lines = _select_lines_above(table)
    width = len(table.columns)
    candidates = [
        names for words in _lists(lines, width) if (names := _match_names(words, lines)) is not None
    ]
    if not candidates:
        return None
    best = max(candidates, key=lambda candidate: candidate.informative_count)  # of equal ones the first
    return best._replace(units_beside=_units_beside(lines, width, best.x or 0))


def _lists(lines: list[str], width: int) -> Iterator[list[str]]:
    """Lists of one word for each column, the nearest to the table first."""
    if loop := _read_loop_names(lines, width):
        yield loop
    for line in reversed(lines):
        yield from _splits(line, width)


def _select_lines_above(table: Table) -> list[str]:
    """The last lines above a table, and above rows of other columns next to it, that are no walls of text."""
    lines = table.header[: cells.find_first_row_above(table.header, len(table.header))]
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
    # Beside a named intensity, or where the names of columns are parted by more than a blank.
    lines, width = _select_lines_above(table), len(table.columns)
    lists = [words for line in reversed(lines) for words in _splits(line, width)]
    nearest = _splits((lines or ("",))[-1], width, _STRICT)
    candidates = (*filter(_no_q, lists), *filter(_never_q, nearest))
    return _first(candidates[0]) if candidates else ""


def unknown_abscissa(table: Table) -> str:
    """The name of a first column that is not known to be q; empty where no name stands above it."""
    # Names are told from prose by what stands beside: the word for an intensity, or several names that signs
    # part in the line next to the table.
    lines, width = _select_lines_above(table), len(table.columns)
    for line in reversed(lines):
        strict, loose = _splits(line, width, _STRICT), _splits(line, width)
        for words in loose:
            if _are_names(words, line, parted=words in strict):
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
    alike = [words for line in lines for words in _splits(line, width, _STRICT)[:1]]
    nearest = _splits(lines[-1], width, _STRICT)[:1] if lines else []
    if len(alike) != 1 or alike != nearest or re.search("[:=]", lines[-1]):  # lines of a header's values
        return ""
    return _first_unknown(nearest[0])


def _first_unknown(words: list[str]) -> str:
    """The first of some words where all can be names, and none is that of q or an intensity."""
    are_words = all(re.match(r"[^\W\d][^\n]{0,40}$", word.strip("<>\"'#% ")) for word in words)
    quantities = {column.quantity for column in understand_names(words)}
    return _first(words) if are_words and not quantities & {Q, ANGLE, INTENSITY} else ""


def _no_q(words: list[str]) -> bool:
    """Whether the first of some words is the name of what is no q, beside one that is known."""
    return bool(_NO_Q.fullmatch(_first(words))) and _any_known(words[1:])


def _first(words: list[str]) -> str:
    return words[0].strip("<>\"'#% ")


def _any_known(words: list[str]) -> bool:
    return any(understand(word).quantity != UNKNOWN for word in words)


def _never_q(words: list[str]) -> bool:
    """Whether words are names, the first of them of what is no q whatever stands beside it."""
    return bool(_NEVER_Q.fullmatch(_first(words))) and all(
        re.match(r"[^\W\d]|[<#]", word) for word in words[1:]
    )


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
    """The names of CIF's loop_, a line each."""
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


def _splits(line: str, width: int, signs: tuple[str, ...] = _BETWEEN) -> list[list[str]]:
    """Ways in which a line falls into so many words, parted by these."""
    bare = re.sub(r"^L\s+", "", line.strip().lstrip(_MARKS).strip())  # SPEC's "#L"
    bare = _LISTED_BEHIND.sub("", bare[: LIMITS.line])
    bare = re.sub(r"\b(ln|log10|log|lg)\s+(?=[a-zA-Z])", r"\1_", bare)
    splits: list[list[str]] = []
    for pattern in signs:
        words = _split_by(pattern, bare, width)
        if len(words) == width and words not in splits:
            splits.append(words)
    loose = re.sub(r"\s*[\[(](?![qQsSiI]\))[^\])]*[\])]|[<>\"']", " ", bare).replace(",", " ").split()
    if len(loose) == width and not splits and signs is _BETWEEN:
        # Units in brackets behind blanks are no words of their own.
        splits.append(_append_units(bare, loose))
    return splits


def _append_units(line: str, words: list[str]) -> list[str]:
    whole = []
    for word in words:
        match = re.search(re.escape(word) + r"[>\"']?\s*([\[(][^\])]*[\])])?", line)
        whole.append(f"{word} {match[1]}" if match and match[1] else word)
    return whole


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
        or re.fullmatch(r"\W*(?:a\.?u\.?|arb\.?(?:\s*units?)?|counts|none|1)?\W*", word, re.I) is not None
    )


def label(header: tuple[str, ...]) -> ColumnName | None:
    """The abscissa where a line of its own names it, as FIT2D's, or the settings of a scan."""
    abscissa = next(filter(None, map(_abscissa_alone, header[-NAMES_WITHIN:])), None)
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
