"""Which columns of a table are one data set: by their names, else by what they could be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...types import printable
from . import plausible
from .names import (
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
    names_uncertainty,
)

if TYPE_CHECKING:
    from ...arrays import Floats
    from .header import Names
    from .table import Table

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
    return [i for i in signals if not plausible.counts_points(table.columns[i])] or signals


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
    following = [other_signal for other_signal in signals if other_signal > signal]
    return [j for j in other_columns if signal < j and not (following and j >= following[0])]


def _nameless_error(values: Floats, columns: Sequence[ColumnName], signal: int) -> int | None:
    """The column behind the only signal where its name says nothing and it could be the uncertainty."""
    behind = signal + 1
    if behind >= len(columns) or columns[behind].quantity != UNKNOWN:
        return None
    if _FORM.fullmatch(columns[behind].text):
        return None
    return behind if plausible.could_be_uncertainty(values[signal], values[behind]) else None


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
    used = {i for role in roles for i in (role.x, role.intensity, role.error, role.dq, role.slit, role.width)}
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
    slits = [k for k in behind[1:] if plausible.marks_a_slit(columns[k])]
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
    ascends = plausible.ascends(columns[1])
    if len(columns) > 2 and ascends and plausible.counts_points(columns[0]):
        notes.append("The first column numbers the points and was not used.")
        return 1, 2
    if ascends and not plausible.mostly_ordered(columns[0]):
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
    if plausible.are_swapped(q, intensity, third, fourth):
        notes.append(
            "Column 3 grows with q and column 4 cannot be a resolution, so column 3 was read as the"
            " resolution."
        )
        return behind[1], behind[0]
    error = _uncertainty(columns, signal, behind[0], notes)
    if error is not None:
        return error, _resolution(columns, x, signal, behind[1], notes)
    beyond = plausible.follows(intensity, third) and plausible.could_be_uncertainty(intensity, fourth)
    return behind[1] if beyond else None, None


def _resolution(columns: Floats, x: int, signal: int, column: int, notes: list[str]) -> int | None:
    """The column where it could be the resolution; else None, and a note unless it is empty."""
    if plausible.could_be_resolution(columns[x], columns[column]):
        return column
    if np.any(columns[column] > 0):
        notes.append(_not_used(column, columns[signal], columns[column], "resolution"))
    return None


def _uncertainty(columns: Floats, signal: int, column: int, notes: list[str]) -> int | None:
    if plausible.could_be_uncertainty(columns[signal], columns[column]):
        return column
    notes.append(_not_used(column, columns[signal], columns[column], "uncertainty"))
    return None


def _not_used(column: int, intensity: Floats, values: Floats, quantity: str) -> str:
    if plausible.follows(intensity, values):
        return f"Column {column + 1} follows the intensity like a calculated curve and was not used."
    return f"Column {column + 1} cannot be the {quantity} and was not used."


def _took_the_place(q: Floats, intensity: Floats, third: Floats, fourth: Floats) -> bool:
    """Some beamlines write a placeholder in column 3 and the uncertainty in column 4."""
    usable = (q > 0) & np.isfinite(fourth) & (intensity != 0)
    if not np.any(usable) or not plausible.is_placeholder(intensity, third):
        return False
    if plausible.follows(intensity, fourth):  # a calculated curve
        return False
    share = np.median(fourth[usable] / np.abs(intensity[usable]))
    return bool(np.median(fourth[usable] / q[usable]) > 1 and 1e-4 < share < 1)
