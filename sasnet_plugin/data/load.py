"""`load`: any 1D small-angle-scattering file -> its curves, or one sentence why not."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from .. import units
from .. import units as units_of
from ..arrays import Floats
from ..domains import ReadOptions
from ..types import Curve, DataError, printable
from . import scope
from .clean import clean
from .columns import table
from .columns.names import ANGLE, Q, understand
from .columns.read import read_columns
from .columns.table import Table
from .limits import HDF5, LIMITS, content, sentence_of, too_large, too_many, two_dimensional
from .raw import RawCurve
from .sectors import find_sector

# --- `load`: any 1D small-angle-scattering file -> its curves, or one sentence why not.

_LISTED = 8
#: Characters of a text in which a header is looked for, and lines that are none.
_HEADER, _NUMBERS = 20_000, re.compile(r"[\s\d.,;eE+-]*")
_PDH_ROWS = re.compile(r"\s*(\d{1,9})(?:\s+-?\d+){3,}\s*$")


def load(
    path: str | os.PathLike[str],
    *,
    q_unit: str | None = None,
    entry: str | int | None = None,
    wavelength: float | None = None,
    q_range: tuple[float, float] | None = None,
) -> tuple[Curve, ...]:
    """Read every 1D small-angle-scattering curve of a file.

    CanSAS XML, NXcanSAS and other HDF5, PDH, and columns of numbers in any text (.abs, .csv, .dat...).

    Parameters
    ----------
    q_unit : str or None
        Unit of q in the file: "A" (Å⁻¹) or "nm" (nm⁻¹), also as "1/nm", "nm^-1", "nm⁻¹"...; None takes
        the file's own, and Å⁻¹ where it names none.
    entry : str, int or None
        Only this entry: its title, or its number counted from 1. None for all.
    wavelength : float or None
        Å; for a file against the scattering angle that does not say it.
    q_range : (float, float) or None
        Only points from the first to the second q, Å⁻¹; infinite for an open end.

    Returns
    -------
    tuple of Curve
        In the order of the file; q in Å⁻¹. Notes say what was dropped, converted or missing.

    Raises
    ------
    DataError
        One sentence: no such file, not readable, not small-angle scattering, too few usable points,
        no such entry.

    Examples
    --------
    >>> load("VTMA.h5", entry=3)      # doctest: +SKIP
    """
    forced = _unit(q_unit)
    path = Path(path)
    file = str(path)
    try:
        curves = _load(path, file, forced, entry, wavelength)
        return curves if q_range is None else tuple(curve.within(*q_range) for curve in curves)
    except DataError:
        raise
    except Exception as error:  # whatever a reader stumbles over, the file is named
        raise DataError(sentence_of(file, error)) from error


def _load(
    path: Path, file: str, forced: str | None, entry: str | int | None, wavelength: float | None
) -> tuple[Curve, ...]:
    raws = _read(path, file, ReadOptions(q_unit=forced, wavelength=wavelength))
    titles = _titles(raws, path.stem)
    chosen = range(len(raws)) if entry is None else [_find(entry, titles, file)]
    curves: list[Curve] = []
    failures: dict[str, DataError] = {}
    for index in chosen:
        try:
            curve = _clean_data_set(raws[index], file, titles[index], forced)
            curves.append(replace(curve, entries=len(raws)))
        except DataError as error:
            failures[titles[index]] = error
    if not curves:
        raise next(iter(failures.values()))
    if failures:
        note = _could_not_be_read(list(failures), len(raws))
        curves[0] = replace(curves[0], notes=(*curves[0].notes, note))
    return tuple(curves)


def _could_not_be_read(titles: list[str], count: int) -> str:
    listed = ", ".join(map(repr, titles[:_LISTED]))
    return f"{len(titles)} of {count} entries of the file could not be read: {listed}."


def _clean_data_set(raw: RawCurve, file: str, title: str, forced: str | None) -> Curve:
    if raw.q.size > LIMITS.points:
        raise too_many(file, raw.q.size)
    scope.check_curve(raw, file)
    cautions = scope.check_reflectivity(raw, file, insisted=forced is not None)
    curve = clean(raw, file=file, entry=title, q_unit=forced)
    return replace(curve, notes=(*curve.notes, *cautions)) if cautions else curve


def read(path: str, options: ReadOptions) -> tuple[Curve, ...]:
    """Run `load` as the domain of curves. Raises DataError as `load`, or if settings for images are given."""
    if options.geometry:
        raise DataError(f"{path}: --geometry is for images; a curve has none.")
    return load(path, q_unit=options.q_unit, entry=options.entry, wavelength=options.wavelength)


def _read(path: Path, file: str, options: ReadOptions) -> list[RawCurve]:
    expectation = "a file with columns q, I, dI"
    head = content(path, file, expectation=expectation, size=64)
    scope.check_bytes(head, file)
    if head.startswith(HDF5):
        from . import containers

        return containers.read_hdf5(path, file, options)
    words = _words(content(path, file, expectation=expectation, most=LIMITS.text_bytes), path, file)
    lines = words.count("\n") + words.count("\r")
    if lines > LIMITS.text_lines:
        raise too_large(file, f"{lines:,} lines", "a table of one measurement")
    if words.lstrip().startswith("<?xml") or "SASroot" in words[:2000]:
        from . import containers

        return containers.read_xml(words, path, file, options)
    if not words.strip():
        raise DataError(f"{file}: the file is empty; give a file with columns q, I, dI.")
    raw_curves = _text(words, file, options)
    header = (line for line in words[:_HEADER].splitlines() if not _NUMBERS.fullmatch(line))
    sector = find_sector(header, path.stem)
    return [replace(raw, sector=sector) for raw in raw_curves] if sector else raw_curves


def _words(data: bytes, path: Path, file: str) -> str:
    words = table.decode(data)
    if path.suffix.lower() == ".sans" and b"DATA:" in data:  # DANSE's images; others have columns
        raise two_dimensional(file)
    if words is None:
        raise DataError(f"{file}: this is an unknown binary file; export the curve as text or CanSAS.")
    return words


def _text(words: str, file: str, options: ReadOptions) -> list[RawCurve]:
    pdh = _read_pdh(words)
    if pdh is not None:
        scope.check_beam_profile(pdh, file)
        return [pdh]
    return _columns(words, file, options)


def _columns(words: str, file: str, options: ReadOptions) -> list[RawCurve]:
    table_read = table.read_table(words)
    _check_columns(table_read, file)
    if len(table_read.columns) >= 2:
        scope.check_table(table_read, file)
        tables = (table_read, *table_read.others)
        scope.check_pixels(np.concatenate([one_table.columns for one_table in tables], axis=1), file)
        return [raw for one_table in tables for raw in read_columns(one_table, file, options)]
    raise DataError(
        f"{file}: it holds no table of numbers; give a text file with columns q, I, dI, or CanSAS."
    )


def _check_columns(table_read: Table, file: str) -> None:
    if table_read.single:
        raise DataError(f"{file}: it holds one column of numbers; give at least two, q and intensity.")
    if table_read.grouped:
        raise DataError(
            f"{file}: the number {table_read.grouped!r} has thousands separators or two decimal points;"
            f" export the numbers without them."
        )
    if table_read.ambiguous:
        raise DataError(
            f"{file}: commas are both decimal points and separators; export it with decimal points, or"
            " with semicolons between the columns."
        )


def _unit(q_unit: str | None) -> str | None:
    try:
        return None if q_unit is None else units.q_unit_asked(q_unit)
    except ValueError as error:
        raise DataError(str(error)) from None


def _titles(raws: list[RawCurve], usual: str) -> list[str]:
    return _unique([printable(raw.title[: LIMITS.title]).strip() or usual for raw in raws])


def _unique(titles: list[str]) -> list[str]:
    """Titles with a number appended where they repeat, and no two alike."""
    count = Counter(titles)
    titles_taken = {title for title in titles if count[title] == 1}
    counts: Counter[str] = Counter()
    names = []
    for title in titles:
        if count[title] == 1:
            names.append(title)
            continue
        while True:
            counts[title] += 1
            name = f"{title} {counts[title]}"
            if name not in titles_taken:
                break
        titles_taken.add(name)
        names.append(name)
    return names


def _find(entry: str | int, titles: list[str], file: str) -> int:
    target = str(entry).strip()
    if target in titles:
        return titles.index(target)
    if _is_number(target, len(titles)):
        return int(target) - 1
    alike = [title.casefold() for title in titles]
    if alike.count(target.casefold()) == 1:
        return alike.index(target.casefold())
    raise _no_entry(target, titles, file)


def _is_number(text: str, count: int) -> bool:
    return text.isdecimal() and len(text) < 10 and 1 <= int(text) <= count


def _no_entry(text: str, titles: list[str], file: str) -> DataError:
    listed = ", ".join(f"{number} {title!r}" for number, title in enumerate(titles[:_LISTED], start=1))
    more_text = f" and {len(titles) - _LISTED} more" if len(titles) > _LISTED else ""
    return DataError(f"{file}: no entry {text!r}; give a title or number of these: {listed}{more_text}.")


def _read_pdh(text: str) -> RawCurve | None:
    """Anton Paar's (and Kratky cameras') PDH: five lines of header, q I dI, XML below; q in 1/nm."""
    # sasdata 0.11.0 reads these as plain columns, without the unit. None where the text is no PDH.
    lines = text.splitlines()
    size = _pdh_rows(lines)
    if not size:
        return None
    table_read = table.read_table("\n".join(lines[5 : 5 + size]))
    if table_read.columns.shape[0] < 2:
        return None
    unit = re.search(r'<column key="X">\s*<value key="unit">([^<]*)<', text)
    canonical = units.canonical(unit[1], "q") if unit else None
    return RawCurve(
        q=table_read.columns[0],
        intensity=table_read.columns[1],
        dintensity=table_read.columns[2] if table_read.columns.shape[0] > 2 else None,
        title=lines[0].strip(),
        q_unit=canonical or "nm⁻¹",
        dropped=max(0, size - table_read.columns.shape[1]),
    )


def _pdh_rows(lines: list[str]) -> int:
    """How many rows of data the header of a PDH announces; 0 where the text is none."""
    if len(lines) < 6 or not lines[1].startswith("SAXS"):
        return 0
    size = _PDH_ROWS.match(lines[2])
    return int(size[1]) if size else 0


# --- Columns with names that come from elsewhere than a file, read as a file of them would be.

#: Characters of the names of columns that a sentence lists.
_LISTED_CHARACTERS = 120


def quantity(name: str) -> str:
    """Which quantity of a curve the name of a column stands for, as `columns.names` has it; or none."""
    return understand(name).quantity


def curves_of_columns(
    columns: Mapping[str, ArrayLike],
    file: str,
    options: ReadOptions,
    units: Mapping[str, str] | None = None,
    entry: str = "",
) -> tuple[Curve, ...]:
    """Build curves from named columns (n,), with `units` by column where names have none. Raises DataError if
    lengths differ, none is q or an angle, or they are no curve.
    """
    arrays = [np.asarray(values, dtype=np.float64) for values in columns.values()]
    _see_they_are_a_curve(list(columns), arrays, file)
    # Tabulators part the names, as these may hold blanks.
    header = "\t".join(_make_title(name, (units or {}).get(name, "")) for name in columns)
    table = Table(np.array(arrays), header=(header,))
    scope.check_table(table, file)
    forced = units_of.canonical(options.q_unit, "q") if options.q_unit else None
    curves = []
    for raw in read_columns(table, file, options):
        scope.check_curve(raw, file)
        cautions = scope.check_reflectivity(raw, file, insisted=forced is not None)
        curve = clean(raw, file=file, entry=entry or raw.title, q_unit=forced)
        curves.append(replace(curve, notes=(*curve.notes, *cautions)))
    return tuple(replace(one_curve, entries=len(curves)) for one_curve in curves)


def _see_they_are_a_curve(columns: Sequence[str], arrays: Sequence[Floats], file: str) -> None:
    if len({array.shape for array in arrays}) > 1 or max(map(np.ndim, arrays), default=1) != 1:
        raise DataError(f"{file}: its columns have different lengths; give one value for each q.")
    if len(arrays) < 2:
        raise DataError(f"{file}: it holds one column of numbers; give at least two, q and intensity.")
    if arrays[0].size > LIMITS.points:
        raise too_many(file, arrays[0].size)
    _see_q_is_named(list(filter(str.strip, columns)), file)


def _see_q_is_named(names: Sequence[str], file: str) -> None:
    if names and not {Q, ANGLE} & set(map(quantity, names)):
        raise DataError(
            f"{file}: none of its columns ({printable(', '.join(names)[:_LISTED_CHARACTERS])}) is named q;"
            f" name the column of q, if this is a scattering curve."
        )


def _make_title(name: str, unit: str) -> str:
    plain = " ".join(name.split())
    return f"{plain} [{unit}]" if unit and "[" not in plain and "(" not in plain else plain
