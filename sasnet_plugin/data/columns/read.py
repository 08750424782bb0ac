"""A table of numbers -> its data sets: which columns belong together, and in which units."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ... import units
from ...arrays import Floats
from ...domains import ReadOptions
from ...types import DataError, printable
from ..clean import Q_MAX
from ..limits import LIMITS
from ..raw import RawCurve
from .abscissa import Unit, convert_abscissa, invert, note_as_asked, refuse_abscissa, unit_named
from .names import (
    ANGLE,
    BEFORE,
    DQ,
    ERROR,
    INTENSITY,
    MODEL,
    OTHER,
    RELATIVE,
    SLIT,
    UNKNOWN,
    WIDTH,
    ColumnName,
    Q,
    names_uncertainty,
)
from .table import (
    LAST_LINE_CUT,
    Names,
    again_from_the_start,
    find_other_header,
    intensity_without_q,
    label,
    names_of,
    no_abscissa,
    split_words,
    unknown_abscissa,
)

if TYPE_CHECKING:
    from .table import Table


# --- What a column without a name could be: an uncertainty, a resolution, or a curve of its own.

STRONG = 0.5
"""Share of the points, those of highest intensity, at which a column is held against the intensity."""

LIKE_INTENSITY = 0.5
"""A column of more than this times the intensity, where that is strongest, is no uncertainty."""

BELOW = 0.95
"""Share of points at which an uncertainty is not negative, or a resolution below q."""

PLACEHOLDER = 1e-5
"""A column of less than this times the intensity says nothing about its uncertainty."""


RANDOM = 0.6
"""Share of steps of one sign that a column of random numbers does not reach: 0.5, and 0.02 for 500 rows."""

ROUGH = 1.5
"""Mean square of steps between neighbours over the variance: 2 of random numbers (J. von Neumann, 1941)."""

FEW = 20
"""Steps of which a share is told."""


def could_be_uncertainty(intensity: Floats, column: Floats) -> bool:
    """Whether a column could be one standard deviation of the intensity."""
    # Excludes negative values, 1 throughout (a factor), values as large as the strongest intensity (another
    # curve), and values larger at every point. Zeros mark points that were not measured.
    usable = np.isfinite(intensity) & np.isfinite(column)
    if not np.any(usable):
        return True
    signal, values = np.abs(intensity[usable]), column[usable]
    if not np.any(values):
        return True
    if np.all(values == 1) or (np.mean(values >= 0) < BELOW and not _marks_alone(values)):
        return False
    strong = signal >= np.quantile(signal, 1 - STRONG)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = values[strong] / signal[strong]
    return bool(np.nanmedian(ratio) < LIKE_INTENSITY)


def _marks_alone(values: Floats) -> bool:
    """Whether what is negative is the mark -1 of points that are not measured."""
    return bool(np.all(values[values < 0] == -1))


def follows(intensity: Floats, column: Floats) -> bool:
    """Whether a column runs along the intensity, as a calculated curve does."""
    usable = np.isfinite(intensity) & np.isfinite(column) & (intensity > 0)
    if np.count_nonzero(usable) < 4:
        return False
    signal, values = intensity[usable], column[usable]
    strong = signal >= np.quantile(signal, 1 - STRONG)
    ratio = values[strong] / signal[strong]
    return bool(0.5 < np.median(ratio) < 2.0 and np.median(np.abs(ratio / np.median(ratio) - 1)) < 0.2)


def could_be_resolution(q: Floats, column: Floats) -> bool:
    """Whether a column could be the pinhole resolution: below q, not negative, not falling along q."""
    # It may step down between settings, but from end to end a resolution grows or stays.
    usable = np.isfinite(q) & np.isfinite(column) & (q > 0)
    x, values = q[usable], column[usable]
    if x.size < 4 or not np.any(values > 0):
        return False
    if np.mean((values >= 0) & (values < x)) < BELOW:
        return False
    return bool(np.ptp(values) == 0 or _rank_correlation(x, values) > -0.3)


def marks_a_slit(column: Floats) -> bool:
    """Whether a column is a negative slit half length, as NIST writes it: one number below zero."""
    values = column[np.isfinite(column)]
    return bool(values.size and values[0] < 0 and np.ptp(values) <= 1e-6 * -values[0])


def are_swapped(q: Floats, intensity: Floats, third: Floats, fourth: Floats) -> bool:
    """Whether the third column must be the resolution and the fourth the uncertainty."""
    # A resolution grows smoothly; an uncertainty that does so while the intensity falls does not come from
    # counts.
    positive = np.isfinite(third) & np.isfinite(q) & (intensity > 0)
    if np.count_nonzero(positive) < FEW or not _grows_smoothly(q[positive], third[positive]):
        return False
    falls = _rank_correlation(q[positive], intensity[positive]) < 0
    width_is_third = could_be_resolution(q, third) and not could_be_resolution(q, fourth)
    return falls and width_is_third and _is_filled_uncertainty(intensity, fourth)


def _is_filled_uncertainty(intensity: Floats, column: Floats) -> bool:
    """Whether a column could be the uncertainty and is not zero throughout."""
    return bool(np.any(column > 0)) and could_be_uncertainty(intensity, column)


def _grows_smoothly(q: Floats, column: Floats) -> bool:
    """Whether q ascends and the column with it, from each point to the next."""
    return bool(np.all(np.diff(q) > 0) and np.all(np.diff(column) >= 0) and np.ptp(column) > 0)


def _rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's coefficient; ranks of equal values as they come."""
    ranks = np.stack([np.argsort(np.argsort(values, kind="stable")) for values in (x, y)]).astype(np.float64)
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def is_placeholder(intensity: Floats, column: Floats) -> bool:
    """Whether a column is negligible compared with the intensity."""
    usable = np.isfinite(intensity) & np.isfinite(column) & (intensity != 0)
    return bool(np.any(usable)) and bool(np.median(np.abs(column[usable] / intensity[usable])) < PLACEHOLDER)


def is_a_curve(x: Floats, y: Floats) -> bool:
    """Whether x is mostly monotonic, or y is smooth once sorted by x; random columns are neither."""
    # True for fewer than `FEW` points.
    usable = np.isfinite(x) & np.isfinite(y)
    x, y = x[usable], y[usable]
    step = np.diff(x)
    if step.size < FEW or max(np.mean(step >= 0), np.mean(step <= 0)) > RANDOM:
        return True
    rank = np.argsort(np.argsort(y[np.argsort(x, kind="stable")], kind="stable"), kind="stable")
    return bool(np.mean(np.diff(rank) ** 2) < ROUGH * np.var(rank))


def counts_points(column: Floats) -> bool:
    """Whether a column is n, n + 1, n + 2, ..., the numbers of the points, some of which may be missing."""
    if not np.all(np.isfinite(column)):
        return False
    step = np.diff(column)
    whole = bool(np.all(column == np.round(column)) and column[0] >= 0)
    return bool(step.size and whole and np.all(step >= 1.0) and np.median(step) == 1.0)


def is_ascending(column: Floats) -> bool:
    """Whether a column grows from each point to the next, from above zero, or falls to there."""
    step = np.diff(column[np.isfinite(column)])
    return bool(step.size and np.nanmin(column) >= 0 and (np.all(step > 0) or np.all(step < 0)))


def mostly_ordered(column: Floats) -> bool:
    """Whether most steps of a column have one sign, as q has, in settings that overlap too."""
    step = np.diff(column[np.isfinite(column)])
    return bool(step.size == 0 or max(np.mean(step >= 0), np.mean(step <= 0)) > 0.8)


# --- The unit of q, the wavelength and the definition of s, wherever a text file says them.

HEADER_LINES = 200
"""So many lines above a table are looked through, those nearest to it."""

_LENGTH = (
    r"nanomet(?:er|re)s?|nm|[aå]ngstr(?:o|ö|oe)ms?|ang|å|aa?|picomet(?:er|re)s?|pm|micromet(?:er|re)s?|microns?|um"
    r"|[µμ]m"
)
# "1/nm", "nm^-1", "nm⁻¹", "A^{-1}", "inverse nanometres", "reciprocal Å"; not "(nm)", not "1/cm".
_INVERSE = (
    rf"(?<![A-Za-zÅµμ])(?:(?:1\s*/\s*|inv(?:erse)?[_\s-]?|reciprocal\s|\bper\s)(?P<over>{_LENGTH})"
    rf"(?![a-zA-Z])|(?P<power>{_LENGTH})\s*(?:\^|\*\*)?\s*[{{(]?\s*[-−⁻]\s*[1¹])"
)
_LABELLED = (
    r"(?:angular|abscissa|\bq|\bs|\bx|momentum|scattering)"
    r"(?:[\s_-]*(?:axis|vector|transfer|column|range))*[\s_-]*units?"
    r"[\"'\s]*[:=][\"'\s]*(?P<unit>[^\s,;\"']+(?:\s+[a-zåµμ]+)?)"
)
_ABOUT_Q = r"(?<![A-Za-z])[qs](?![A-Za-z])|angular|scattering\s+vector|momentum\s+transfer|abscissa"
# "q in 1/m": units that the intensity has as well count only right behind q.
_BEHIND_Q = (
    r"(?<![A-Za-z])[qs]\s*(?:in\s|[\[(:=,])\s*"
    r"(?P<unit>1\s*/\s*[cm]?m\b|[cm]?m\s*\^?\s*[-−⁻]\s*[1¹])"
)
# s = 2 sin θ/λ (not 4π sin θ/λ), s = 1/d, s = q/(2π).
_S_OF_CRYSTALLOGRAPHY = (
    r"(?<![\w.])2\s*[*·.]?\s*sin\s*\(?\s*(?:θ|theta|th\b)"
    r"|(?<![A-Za-z])s\s*=\s*(?:\(?2\s*/\s*(?:λ|lambda|wavelength)|1\s*/\s*d\b"
    r"|\|?[qh]\|?\s*/\s*\(?\s*2\s*[*·]?\s*(?:π|pi))"
)
_WAVELENGTH = (
    r"(?:wave[\s_-]*length\w*|\blambda\b|(?<![A-Za-z])λ|k-?alpha-?1\b|\b_WL1?\b)[^\d\n+-]{0,40}?[:=\s(\"']\s*"
    r"(?P<value>\d*\.?\d+(?:[eE][-+]?\d+)?)\s*(?P<unit>nm|[aå]ngstr(?:o|ö|oe)ms?|å|a|m|pm)?(?![\w])"
)
_UNIT_BEFORE = r"[\[(\s_](?P<unit>nm|å|a|angstroms?|m|pm)[\])]?\s*[:=\s\"']+\s*\d"

# A line without any of these names no unit of q, and need not be looked at closely.
_HINTS = (
    *("nm", "nano", "ang", "å", "\u212b", "pm", "pico", "um", "μm", "µm", "micro"),
    *("unit", "inv", "recip", "per "),
    *("a^", "a-", "a⁻", "a{", "a *", "a (", "/a", "/ a", "m^", "m-", "m⁻", "/m", "/c"),
)

#: Å; what is scattered by matter has such a wavelength.
_WAVELENGTHS = (0.05, 50.0)
_METRES = 1e-6


def unit_of(column: ColumnName | None, header: tuple[str, ...], below: tuple[str, ...]) -> Unit:
    """Find the unit of q: in its column's name, else in any line of text."""
    if column is not None and column.unit:
        return unit_named(column.unit)
    return Unit(_find_unit_in_words(_hinting((*reversed(header[-HEADER_LINES:]), *below))))


def _hinting(lines: Iterable[str]) -> list[str]:
    return [
        " ".join(line[: LIMITS.line].split())
        for line in lines
        if any(hint in line.lower() for hint in _HINTS)
    ]


def _find_unit_in_words(lines: list[str]) -> str | None:
    """The unit that is labelled as that of q, or stands behind it, or alone in a line about it, or in any."""
    labelled = (units.canonical(match["unit"].strip("()[]"), "q") for match in _matches(_LABELLED, lines))
    if (unit := next(filter(None, labelled), None)) is not None:
        return unit
    behind = next((units.canonical(match["unit"], "q") for match in _matches(_BEHIND_Q, lines)), None)
    return behind if behind is not None else _only(filter(_is_about_q, lines)) or _only(lines)


def _is_about_q(line: str) -> bool:
    return re.search(_ABOUT_Q, line, re.IGNORECASE) is not None


def _matches(pattern: str, lines: Iterable[str]) -> Iterable[re.Match[str]]:
    # Patterns are compiled when they are needed: most files name the unit with q.
    return (match for line in lines for match in re.finditer(pattern, line, re.IGNORECASE))


def _only(lines: Iterable[str]) -> str | None:
    """The unit in the first line that names exactly one."""
    for line in lines:
        units_found = {
            units.canonical("1/" + (m["over"] or m["power"]), "q") for m in _matches(_INVERSE, [line])
        }
        if len(units_found) == 1:
            return units_found.pop()
    return None


def is_s(lines: Iterable[str]) -> bool:
    """Whether a text says that its abscissa is s = 2 sin θ/λ = q/2π."""
    return any(re.search(_S_OF_CRYSTALLOGRAPHY, line[: LIMITS.line], re.IGNORECASE) for line in lines)


def wavelength(lines: Iterable[str]) -> float | None:
    """The wavelength that a text states, Å; None where it states none."""
    stated = filter(None, map(_wavelength_in, lines))
    return next((value for value in stated if _WAVELENGTHS[0] <= value <= _WAVELENGTHS[1]), None)


def _wavelength_in(line: str) -> float | None:
    match = re.search(_WAVELENGTH, line[: LIMITS.line], re.IGNORECASE)
    if match is None:
        return None
    match_before = re.search(_UNIT_BEFORE, line[: match.end("value")], re.IGNORECASE)
    unit = match["unit"] or (match_before["unit"] if match_before else "") or "A"
    value = float(match["value"])
    # Detectors' headers have metres without a word.
    return value * units.factor("m" if value < _METRES else unit, "length")


# --- Which columns of a table are one data set: by their names, else by what they could be.

_WORTH = {MODEL: " (a calculated curve)", BEFORE: " (measured before the subtraction)"}
_LISTED = 8
_FORM = re.compile(r"[A-Za-z]+\(?[qQ]\)?(?:\^?2)?")
"""Other functions of q, as P(q) and F(q)^2."""
_SAMPLE = re.compile(r"^I(?:nt(?:ensity)?)?", re.IGNORECASE)


class Roles(NamedTuple):
    """The columns of one data set, by their numbers."""

    x: int
    intensity: int
    error: int | None = None
    dq: int | None = None
    slit: int | None = None
    width: int | None = None
    title: str = ""  #: Of a data set among several; empty for the only one.


# By names.


def assign_by_name(table: Table, names: Names) -> tuple[list[Roles], list[str]]:
    """Assign columns by name, with a note on those that belong to no data set; empty if none is an intensity.
    `names` has a q or an angle.
    """
    signals = _exclude_point_numbers(table, _signals(names.columns, names.x))
    if names.x is None or not signals:
        return [], []
    roles = list(_each(table, names, names.x, signals))
    return roles, [*_describe_guesses(names.columns, roles), *_describe_unused(names.columns, roles)]


def _exclude_point_numbers(table: Table, signals: list[int]) -> list[int]:
    """Exclude columns that number the points: an index named i looks like an intensity."""
    return [i for i in signals if not counts_points(table.columns[i])] or signals


def _each(table: Table, names: Names, x: int, signals: list[int]) -> Iterator[Roles]:
    columns, dq, slit, width = names.columns, names.first(DQ), names.first(SLIT), names.first(WIDTH)
    for i in signals:
        error = _error_of(columns, i, signals)
        if error is None and len(signals) == 1:
            error = _nameless_error(table.columns, columns, i)
        if error is None and _is_of_both(columns, dq, i):
            error, dq = dq, None
        title = columns[i].text if signals[1:] else ""
        yield Roles(_own_x(columns, i, x), i, error, dq, slit, width, title)


def _own_x(columns: Sequence[ColumnName], signal: int, x: int) -> int:
    """The abscissa of a signal: samples side by side may each have their own q."""
    candidates = [j for j in range(signal + 1) if columns[j].quantity == columns[x].quantity]
    alike = [
        j for j in candidates if _letter(columns[j]) == _letter(columns[x])
    ]  # h, k and s beside q are others
    return alike[-1] if alike else x


def _letter(column: ColumnName) -> str:
    return next((sign for sign in column.text.lower() if sign.isalpha()), "")


def _is_function_of_q(column: ColumnName) -> bool:
    """Whether a name is that of a function, as in I(q) beside Sig(q), an uncertainty."""
    return re.search(r"\(\s*[qs]\s*\)", column.text, re.IGNORECASE) is not None


def _is_of_both(columns: Sequence[ColumnName], dq: int | None, signal: int) -> bool:
    """Whether what is named as a resolution is the uncertainty of a function of q, as both names say."""
    return dq is not None and _is_function_of_q(columns[dq]) and _is_function_of_q(columns[signal])


def _signals(columns: Sequence[ColumnName], x: int | None) -> list[int]:
    """The columns of intensities: named so, else without a known name (samples), else counts."""
    return _intensities(columns) or _samples(columns, x) or _counts(columns)[:1]


def _find_columns(columns: Sequence[ColumnName], *quantities: str) -> list[int]:
    return [i for i, column in enumerate(columns) if column.quantity in quantities]


def _intensities(columns: Sequence[ColumnName]) -> list[int]:
    """Find columns named as unscaled intensities; beside a background, the subtracted one."""
    intensities = _find_columns(columns, INTENSITY)
    signals = [i for i in intensities if not columns[i].scale] or intensities
    if len(signals) < 2 or not _find_columns(columns, BEFORE):
        return signals
    return [next((i for i in signals if _is_subtracted(columns[i])), signals[0])]


def _is_subtracted(column: ColumnName) -> bool:
    return re.search(r"sub|corr|-", column.text, re.IGNORECASE) is not None


def _samples(columns: Sequence[ColumnName], x: int | None) -> list[int]:
    """Find columns of unknown names, with an uncertainty if any has one."""
    samples = [
        i for i in _find_columns(columns, UNKNOWN) if i != x and not _is_uncertainty_of_another(columns, i)
    ]
    if len(samples) < 2 or not _find_columns(columns, ERROR, RELATIVE):
        return samples
    return [i for i in samples if _error_of(columns, i, samples) is not None] or samples[:1]


def _is_uncertainty_of_another(columns: Sequence[ColumnName], column: int) -> bool:
    """Whether a name is that of the uncertainty of a column in front of it, as dS of S."""
    return any(names_uncertainty(columns[column].text, one.text) for one in columns[:column])


def _counts(columns: Sequence[ColumnName]) -> list[int]:
    return [i for i in _find_columns(columns, OTHER) if columns[i].text[:1] in "cC"]


def _error_of(columns: Sequence[ColumnName], signal: int, signals: list[int]) -> int | None:
    """The uncertainty of a signal: of the same sample, else the next one before another signal."""
    errors = _find_columns(columns, ERROR, RELATIVE)
    samples = {columns[signal].sample, columns[signal].text, _SAMPLE.sub("", columns[signal].text)} - {""}
    same_sample = [j for j in errors if columns[j].sample in samples]
    near = same_sample or _select_following(errors, signal, signals) or (errors if len(signals) == 1 else [])
    # An absolute one before a relative one.
    return min(near, key=lambda j: columns[j].quantity == RELATIVE, default=None)


def _select_following(other_columns: list[int], signal: int, signals: list[int]) -> list[int]:
    following = next((other_signal for other_signal in signals if other_signal > signal), math.inf)
    return [j for j in other_columns if signal < j < following]


def _nameless_error(values: Floats, columns: Sequence[ColumnName], signal: int) -> int | None:
    """The column behind the only signal where its name says nothing and it could be the uncertainty."""
    behind = signal + 1
    if behind >= len(columns) or columns[behind].quantity != UNKNOWN:
        return None
    if _FORM.fullmatch(columns[behind].text):
        return None
    return behind if could_be_uncertainty(values[signal], values[behind]) else None


def _describe_guesses(columns: Sequence[ColumnName], roles: list[Roles]) -> list[str]:
    """A sentence where a column whose name says nothing was read as the uncertainty."""
    unknown = (columns[role.error] for role in roles if role.error is not None)
    return [
        f"Column '{printable(role.text[:40])}' was read as the uncertainty."
        for role in unknown
        if role.quantity == UNKNOWN
    ]


def _describe_unused(columns: Sequence[ColumnName], roles: list[Roles]) -> list[str]:
    """A sentence on the columns that no data set has; none where each has its place."""
    used = set().union(*((r.x, r.intensity, r.error, r.dq, r.slit, r.width) for r in roles))
    unused = [role for i, role in enumerate(columns) if i not in used and role.quantity != SLIT]
    return [_not_used_by_name(unused)] if unused else []


def _not_used_by_name(unused: list[ColumnName]) -> str:
    listed = ", ".join(
        f"'{printable(column.text[:40])}'{_WORTH.get(column.quantity, '')}" for column in unused[:_LISTED]
    )
    more_text = f" and {len(unused) - _LISTED} more" if len(unused) > _LISTED else ""
    return f"Column{'s' if unused[1:] else ''} not used: {listed}{more_text}."


# By position.


def assign_by_position(table: Table) -> tuple[list[Roles], list[str]]:
    """Assign unnamed columns: q, I and, if plausible, dI and dq, with notes on those that are not."""
    columns = table.columns
    notes: list[str] = []
    x, signal = _first_two(columns, notes)
    behind = list(range(max(x, signal) + 1, len(columns)))
    slits = [k for k in behind[1:] if marks_a_slit(columns[k])]
    behind = [k for k in behind if k not in slits]
    error, dq = _assign_error_and_resolution(columns, x, signal, behind, notes)
    if not slits:
        return [Roles(x, signal, error, dq)], notes
    notes.append(
        f"Column {slits[0] + 1} is one negative number, as NIST writes a slit: half length"
        f" {-columns[slits[0]][0]:.4g}, in the unit of q."
    )
    return [Roles(x, signal, error, dq, slits[0])], notes


def _first_two(columns: Floats, notes: list[str]) -> tuple[int, int]:
    """Which columns are q and the intensity, behind numbers of points, or in the other order."""
    ascends = is_ascending(columns[1])
    if len(columns) > 2 and ascends and counts_points(columns[0]):
        notes.append("The first column numbers the points and was not used.")
        return 1, 2
    if ascends and not mostly_ordered(columns[0]):
        notes.append("Column 2 ascends and column 1 does not; column 2 was read as q.")
        return 1, 0
    return 0, 1


def _assign_error_and_resolution(
    columns: Floats, x: int, signal: int, behind: list[int], notes: list[str]
) -> tuple[int | None, int | None]:
    """Uncertainty and resolution among the columns behind the intensity; of what they cannot be a note."""
    if not behind:
        return None, None
    q, intensity, third = columns[x], columns[signal], columns[behind[0]]
    if not behind[1:]:
        return _uncertainty(columns, signal, behind[0], notes), None
    fourth = columns[behind[1]]
    if _took_the_place(q, intensity, third, fourth):
        notes.append(
            "Column 3 is a placeholder and column 4 is larger than q, so column 4 was read as the"
            " uncertainty."
        )
        return behind[1], None
    if are_swapped(q, intensity, third, fourth):
        notes.append(
            "Column 3 grows with q and column 4 cannot be a resolution, so column 3 was read as the"
            " resolution."
        )
        return behind[1], behind[0]
    error = _uncertainty(columns, signal, behind[0], notes)
    if error is not None:
        return error, _resolution_column(columns, x, signal, behind[1], notes)
    beyond = follows(intensity, third) and could_be_uncertainty(intensity, fourth)
    return behind[1] if beyond else None, None


def _resolution_column(columns: Floats, x: int, signal: int, column: int, notes: list[str]) -> int | None:
    """The column where it could be the resolution; else None, and a note unless it is empty."""
    if could_be_resolution(columns[x], columns[column]):
        return column
    if np.any(columns[column] > 0):
        notes.append(_not_used(column, columns[signal], columns[column], "resolution"))
    return None


def _uncertainty(columns: Floats, signal: int, column: int, notes: list[str]) -> int | None:
    if could_be_uncertainty(columns[signal], columns[column]):
        return column
    notes.append(_not_used(column, columns[signal], columns[column], "uncertainty"))
    return None


def _not_used(column: int, intensity: Floats, values: Floats, quantity: str) -> str:
    if follows(intensity, values):
        return f"Column {column + 1} follows the intensity like a calculated curve and was not used."
    return f"Column {column + 1} cannot be the {quantity} and was not used."


def _took_the_place(q: Floats, intensity: Floats, third: Floats, fourth: Floats) -> bool:
    """Some beamlines write a placeholder in column 3 and the uncertainty in column 4."""
    usable = (q > 0) & np.isfinite(fourth) & (intensity != 0)
    if not np.any(usable) or not is_placeholder(intensity, third):
        return False
    if follows(intensity, fourth):  # a calculated curve
        return False
    share = np.median(fourth[usable] / np.abs(intensity[usable]))
    return bool(np.median(fourth[usable] / q[usable]) > 1 and 1e-4 < share < 1)


# --- A table of numbers -> its data sets; logarithms, powers of q, relative errors, angles and s
# --- converted.

_POWERS = {"q": 1, "q2": 2, "q4": 4}
_DEFINES_Q = r"4\s*[*·.]?\s*(?:π|[pP][iI])"


def read_columns(table: Table, file: str, options: ReadOptions) -> list[RawCurve]:
    """Read the data sets of a table, q in the file's unit."""
    # Columns are taken by name; unnamed ones are q, I, dI, dq if plausible. Calculated curves and counts are
    # excluded with a note; relative uncertainties, logarithms, I·qⁿ and 2θ are converted. With a wavelength
    # an unnamed first column may be 2θ in degrees; with a unit of q an unknown first column is q. Raises
    # DataError if the abscissa is an angle without wavelength, an unnamed logarithm, or something else.
    names, roles, role_notes = _data_sets(table, file, insisted=options.q_unit is not None)
    x_name = _abscissa_name(table, names, roles[0].x, options.wavelength)
    notes = [*[LAST_LINE_CUT] * table.cut, *_describe_dropped_lines(table), *role_notes]
    header = table.header[-HEADER_LINES:]
    unit = unit_of(x_name, table.header, table.below)
    is_q_over_2pi = _defines_s(x_name, (*header, *table.below))
    letter_note = "" if is_q_over_2pi else _ambiguous_letter(x_name, header)
    curves = []
    for columns in again_from_the_start(table.columns, roles[0].x):
        for role in roles:
            curve = convert_abscissa(
                curve_of(columns, role, names), x_name, unit, file,
                dq_name=names.columns[role.dq] if names and role.dq is not None else None,
                options=options, wavelength=wavelength(header), is_s=is_q_over_2pi,
            )  # fmt: skip
            curve = _convert_intensity(curve, names, role)
            all_notes = (*notes, *curve.notes, *([letter_note] if letter_note else []))
            curves.append(replace(curve, notes=tuple(dict.fromkeys(all_notes))))
    return curves


def _abscissa_name(
    table: Table, names: Names | None, x: int, given_wavelength: float | None
) -> ColumnName | None:
    """The name of the abscissa, also where a line of its own has it, or only an angle needs a wavelength."""
    name = _name_of_x(names, x) if names else label(table.header)
    if name is None and given_wavelength is not None:
        return _angle_without_name(table.columns[x])
    return name


def _defines_s(name: ColumnName | None, lines: tuple[str, ...]) -> bool:
    """Whether a text says that its abscissa is q/2π, and the name itself does not say so."""
    return (name is None or name.factor == 1.0) and is_s(lines)


def _ambiguous_letter(name: ColumnName | None, header: tuple[str, ...]) -> str:
    """A sentence on s, h or k, which are q for some and q/2π for others, where the file defines none."""
    letter = re.split(r"[(\[]", name.text)[0].strip(" _,:").lower() if name else ""
    if letter not in ("s", "h", "k") or any(re.search(_DEFINES_Q, line) for line in header):
        return ""
    return (
        f"The abscissa, '{letter}', was read as q = 4π sin(θ)/λ. If it is 2 sin(θ)/λ, all sizes are"
        f" 2π times smaller; write that formula into the header."
    )


def _data_sets(table: Table, file: str, *, insisted: bool) -> tuple[Names | None, list[Roles], list[str]]:
    names = names_of(table)
    roles, role_notes = assign_by_name(table, names) if names else ([], [])
    return (names, roles, role_notes) if roles else (None, *_nameless(table, file, insisted=insisted))


def _name_of_x(names: Names, x: int) -> ColumnName:
    """The name of the abscissa; q2 that no other column of a second sample goes with is q²."""
    name = names.columns[x]
    has_one_x = not any(column.sample == "2" for i, column in enumerate(names.columns) if i != x)
    return name._replace(scale="squared", sample="") if name.sample == "2" and has_one_x else name


def _nameless(table: Table, file: str, *, insisted: bool) -> tuple[list[Roles], list[str]]:
    """Read a table without names, unless its header says that the first column is no q."""
    unknown_name = no_abscissa(table) or unknown_abscissa(table)
    if unknown_name:
        if not insisted:
            raise refuse_abscissa(unknown_name, file)
        roles, notes = assign_by_position(table)
        return roles, [*notes, note_as_asked(unknown_name)]
    if names := intensity_without_q(table):
        raise DataError(
            f"{file}: none of its columns ({printable(names[:80])!r}) is named q; name the column of q, or"
            " add it."
        )
    roles, role_notes = assign_by_position(table)
    _check_no_image(table.columns, roles[0].x, file)
    if not is_a_curve(table.columns[roles[0].x], table.columns[roles[0].intensity]):
        raise DataError(
            f"{file}: its first column is not in order, and after sorting the second column varies"
            f" without order; give rows of q, I, dI, or name the columns."
        )
    return roles, [*_compare_with_header(table, roles[0], file), *role_notes]


def _compare_with_header(table: Table, roles: Roles, file: str) -> list[str]:
    """A note where a header does not name each column, and what it names agrees with their positions.

    Raises DataError where it contradicts them.
    """
    line, readings = find_other_header(table)
    if not readings:
        text = f"The header {printable(line[:60])!r} was not understood; the columns were read by position."
        return [text] if line else []
    width = len(table.columns)
    by_position = {
        roles.x: Q, roles.intensity: INTENSITY, roles.error: ERROR, roles.dq: DQ, roles.slit: SLIT
    }  # fmt: skip
    for names in readings:
        agrees = all(
            (names[k].quantity, names[k].scale) == (quantity, "") and names[k].factor == 1.0
            for k, quantity in by_position.items()
            if k is not None and k < len(names)
        )
        has_single_words = len(names) == len(split_words(line))
        if agrees and (len(names) < width or (len(names) > width and has_single_words)):
            return [
                f"The header has {len(names)} names for {width} columns; all were read by their position."
            ]
    raise DataError(
        f"{file}: its header {printable(line[:80])!r} does not name each of its {width} columns clearly; part"
        " the names by tabs or commas, one for each column."
    )


#: Columns without names from which on a table that is not in order of q is an image.
_IMAGE_COLUMNS = 16


def _check_no_image(columns: Floats, x: int, file: str) -> None:
    """Raise DataError for an image written as text."""
    if len(columns) >= _IMAGE_COLUMNS and not mostly_ordered(columns[x]):
        raise DataError(
            f"{file}: looks like an image, with {len(columns)} columns out of order. Images as text are not"
            " read; save it as TIFF, HDF5 or numpy (.npy)."
        )


def _describe_dropped_lines(table: Table) -> list[str]:
    notes = []
    if table.dropped:
        lines, were = ("line", "was") if table.dropped == 1 else ("lines", "were")
        notes.append(
            f"{table.dropped} {lines} inside the table with other columns than the rest {were} dropped."
        )
    if table.blocks > 1 + len(table.others):
        notes.append(f"The file holds {table.blocks} tables; the longest was read.")
    if table.lost:
        lines, were = ("line", "was") if table.lost == 1 else ("lines", "were")
        notes.append(f"{table.lost} {lines} of numbers outside the table that was read {were} ignored.")
    return notes


def curve_of(columns: Floats, roles: Roles, names: Names | None) -> RawCurve:
    """Select the columns (m, n) of one data set, as they stand in the file."""
    notes: list[str] = []
    dq = None if roles.dq is None else columns[roles.dq]
    slit = None if roles.slit is None else np.abs(columns[roles.slit])
    if dq is not None and marks_a_slit(dq):
        slit, dq = np.abs(dq), None
        notes.append(
            f"The resolution is one negative number, as NIST writes a slit: half length {slit[0]:.4g}."
        )
    return RawCurve(
        columns[roles.x], columns[roles.intensity],
        None if roles.error is None else columns[roles.error], dq, slit,
        None if roles.width is None else np.abs(columns[roles.width]),
        title=roles.title, notes=tuple(notes), intensity_unit=names.unit_of(roles.intensity) if names else "",
    )  # fmt: skip


def _convert_intensity(raw: RawCurve, names: Names | None, roles: Roles) -> RawCurve:
    """I from a function of it, or from I times a power of q, and its uncertainty from what the file gives."""
    if names is None:
        return raw
    signal, notes = names.columns[roles.intensity], list(raw.notes)
    intensity, error, power = raw.intensity, raw.dintensity, _POWERS.get(signal.scale)
    with np.errstate(all="ignore"):
        if power is not None:
            notes.append(
                f"The file gives the intensity times q{'' if power == 1 else f'^{power}'}; I was calculated."
            )
            intensity = intensity / raw.q**power
        elif signal.scale:
            notes.append(f"The file gives the {signal.scale} of the intensity; the intensity was calculated.")
            intensity = invert(intensity, signal.scale)
        if error is not None and roles.error is not None:
            name = names.columns[roles.error]
            error = _standard_deviation(error, intensity, name, signal, raw.q, notes)
    return replace(raw, intensity=intensity, dintensity=error, notes=tuple(notes))


def _standard_deviation(
    error: Floats, intensity: Floats, name: ColumnName, signal: ColumnName, q: Floats, notes: list[str]
) -> Floats | None:
    """One standard deviation of I; None where the file does not say what its uncertainties are of."""
    size = np.abs(intensity)
    if name.quantity == RELATIVE and name.factor == 1.0 and np.nanmedian(error) > 1:
        notes.append("The relative uncertainties are above 1, perhaps in per cent; they were not used.")
        return None
    if name.quantity == RELATIVE:
        notes.append("The uncertainties are relative to the intensity; they were converted.")
        return np.asarray(error * name.factor * size)
    if name.scale in ("ln", "log10"):
        notes.append(f"The uncertainties are those of {name.scale}(I); they were converted.")
        return error * size * (np.log(10) if name.scale == "log10" else 1.0)
    if signal.scale and signal.scale not in _POWERS:
        notes.append(
            f"Whether the uncertainties are those of I or of its {signal.scale} is not given; they were not"
            " used."
        )
        return None
    if name.scale == "squared":
        notes.append("The file gives the variance of the intensity; its square root was taken.")
        error = np.sqrt(error)
    return error * _to_unit_of(signal, name) / q ** _POWERS.get(signal.scale, 0)


def _to_unit_of(signal: ColumnName | None, error: ColumnName | None) -> float:
    """What an uncertainty is multiplied by to be in the unit of its intensity."""
    error_unit, signal_unit = _unit_of_i(error), _unit_of_i(signal)
    return (
        units.factor(error_unit, "intensity") / units.factor(signal_unit, "intensity")
        if error_unit and signal_unit
        else 1.0
    )


def _unit_of_i(column: ColumnName | None) -> str | None:
    """The unit of an intensity or its uncertainty, where that is an inverse length."""
    if column is None or column.quantity not in (INTENSITY, ERROR) or not column.unit:
        return None
    return units.canonical(column.unit, "intensity")


def _angle_without_name(x: Floats) -> ColumnName | None:
    """2θ in degrees where a column without a name is rather that than q: it goes on where few q do."""
    finite = x[np.isfinite(x)]
    return ColumnName("", ANGLE, unit="degrees") if finite.size and finite.max() > Q_MAX else None
