"""`load`: any 1D small-angle-scattering file -> its curves, or one sentence why not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sasnet_plugin import units
from sasnet_plugin.data import scope, structured, table, text
from sasnet_plugin.data.clean import clean
from sasnet_plugin.data.failure import content
from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.types import Curve, DataError

if TYPE_CHECKING:
    import os

    from sasnet_plugin.data.raw import RawCurve

_HDF5 = b"\x89HDF\r\n\x1a\n"
_LISTED = 8
_SASDATA_TEXT = frozenset({".abs", ".cor", ".sans", ".ses", ".sesans"})
"""Text formats with a layout of their own; sasdata knows it."""


def load(
    path: str | os.PathLike[str], *, q_unit: str | None = None, entry: str | int | None = None
) -> tuple[Curve, ...]:
    """Read every 1D small-angle-scattering curve of a file.

    All that sasdata reads (text, CanSAS XML, NXcanSAS HDF5, .ABS, .pdh, .csv...), and columns of numbers
    in any text.

    Parameters
    ----------
    path : str or path
        The file.
    q_unit : str or None
        Unit of q in the file: "A" (Å⁻¹) or "nm" (nm⁻¹), also as "1/nm", "nm^-1", "nm⁻¹"...; None takes
        the file's own, and Å⁻¹ where it names none.
    entry : str, int or None
        Only this entry: its title, or its number counted from 1. None for all.

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
    raws = _read(path, file)
    titles = _unique([raw.title or path.stem for raw in raws])
    chosen = range(len(raws)) if entry is None else [_find(entry, titles, file)]
    curves: list[Curve] = []
    failures: list[tuple[str, DataError]] = []
    for index in chosen:
        try:
            scope.check_curve(raws[index], file)
            curves.append(clean(raws[index], file=file, entry=titles[index], q_unit=forced))
        except DataError as error:
            failures.append((titles[index], error))
    if not curves:
        raise failures[0][1]
    if failures:
        listed = ", ".join(repr(title) for title, _ in failures[:_LISTED])
        note = f"{len(failures)} of {len(raws)} entries of the file could not be read: {listed}."
        curves[0] = replace(curves[0], notes=(*curves[0].notes, note))
    return tuple(curves)


def read(path: str, options: ReadOptions) -> tuple[Curve, ...]:
    """`load` as the domain of curves has it.

    Raises
    ------
    DataError
        As `load`, or settings for images are given.
    """
    if options.geometry:
        raise DataError(f"{path}: --geometry is for images; a curve has none.")
    return load(path, q_unit=options.q_unit, entry=options.entry)


def _read(path: Path, file: str) -> list[RawCurve]:
    data = content(path, file, wanted="a file with columns q, I, dI")
    scope.check_bytes(data[:64], file)
    if data.startswith(_HDF5):
        return _hdf5(path, file)
    words = table.decode(data)
    if words is None:
        answer = structured.read(path) if path.suffix.lower() == ".sans" else structured.Answer([])
        return _checked(
            answer, file, "this is a binary file that no reader knows; export the curve as text or CanSAS."
        )
    del data
    if words.lstrip().startswith("<?xml") or "<SASroot" in words[:2000]:
        reason = (
            "the XML file holds no data that CanSAS 1D describes, or is cut short; export the curve again."
        )
        return _both(path, file, structured.scan_xml(path), reason)
    if not words.strip():
        raise DataError(f"{file}: the file is empty; give a file with columns q, I, dI.")
    pdh = text.read_pdh(words)
    if pdh is not None:
        scope.check_beam_profile(pdh, file)
        return [pdh]
    if path.suffix.lower() in _SASDATA_TEXT:
        answer = structured.read(path)
        if answer.curves or answer.images or answer.sesans:
            curves = _checked(answer, file, "")
            rows = text.abs_rows(words)
            if len(curves) == 1 and rows is not None:
                curves = [replace(curves[0], dropped=max(0, rows - curves[0].q.size))]
            return curves
    return _columns(words, path, file)


def _columns(words: str, path: Path, file: str) -> list[RawCurve]:
    found = table.read_table(words)
    if found.single:
        raise DataError(f"{file}: it holds one column of numbers; give at least two, q and intensity.")
    if len(found.columns) >= 2:
        scope.check_table(found, file)
        return [text.read_columns(found)]
    reason = "it holds no table of numbers; give a text file with columns q, I, dI, or CanSAS."
    return _checked(structured.read(path), file, reason)


def _hdf5(path: Path, file: str) -> list[RawCurve]:
    try:
        scanned = structured.scan_hdf5(path)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"{file}: the HDF5 file is damaged or cut short; copy it again from its source."
        ) from error
    reason = "the HDF5 file holds no 1D SASdata (NXcanSAS); export the reduced curve."
    return _both(path, file, scanned, reason)


def _both(path: Path, file: str, scanned: list[RawCurve], reason: str) -> list[RawCurve]:
    """sasdata's answer with what the file says, or the plain reading where sasdata has none."""
    answer = structured.read(path)
    if not answer.curves and scanned:
        return scanned
    return structured.with_provenance(_checked(answer, file, reason), scanned)


def _checked(answer: structured.Answer, file: str, reason: str) -> list[RawCurve]:
    if answer.curves:
        return answer.curves
    if answer.images:
        raise DataError(
            f"{file}: this is a two-dimensional scattering image; average it over angle and give I(q)."
        )
    if answer.sesans:
        raise DataError(f"{file}: this is spin-echo (SESANS) data; give small-angle scattering, I against q.")
    raise DataError(f"{file}: {reason}")


def _unit(q_unit: str | None) -> str | None:
    if q_unit is None:
        return None
    name = units.canonical(q_unit, "q")
    if name is None:
        raise DataError(f"{q_unit!r} is no unit of q; use 'A' for Å⁻¹ or 'nm' for nm⁻¹.")
    return name


def _unique(titles: list[str]) -> list[str]:
    """Titles with a number appended where they repeat, and no two alike."""
    count = Counter(titles)
    taken = {title for title in titles if count[title] == 1}
    seen: Counter[str] = Counter()
    names = []
    for title in titles:
        if count[title] == 1:
            names.append(title)
            continue
        while True:
            seen[title] += 1
            name = f"{title} {seen[title]}"
            if name not in taken:
                break
        taken.add(name)
        names.append(name)
    return names


def _find(entry: str | int, titles: list[str], file: str) -> int:
    wanted = str(entry).strip()
    if wanted in titles:
        return titles.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(titles):
        return int(wanted) - 1
    alike = [index for index, title in enumerate(titles) if title.casefold() == wanted.casefold()]
    if len(alike) == 1:
        return alike[0]
    listed = ", ".join(f"{number} {title!r}" for number, title in enumerate(titles[:_LISTED], start=1))
    more = f" and {len(titles) - _LISTED} more" if len(titles) > _LISTED else ""
    raise DataError(f"{file}: no entry {wanted!r}; give a title or number of these: {listed}{more}.")
