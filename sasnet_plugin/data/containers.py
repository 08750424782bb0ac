"""Files with a structure: NXcanSAS and other HDF5, CanSAS XML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..types import DataError
from . import azimuthal, hdf5, structured
from .failure import too_large, two_dimensional
from .limits import LIMITS

if TYPE_CHECKING:
    from .raw import RawCurve

_ATTRIBUTE = re.compile(r"unit\s*=\s*(\"[^\"]*|'[^']*)")
_SASDATA_TAGS = 50_000
"""Beyond, sasdata's reader of XML, which takes a time that grows as the square, is not asked."""


def read_hdf5(path: Path, file: str) -> list[RawCurve]:
    """Read NXcanSAS or integrated images (NXazint). Raises DataError if the file holds neither, is damaged,
    or points to other files.
    """
    try:
        with hdf5.open_file(path, file) as opened:
            survey = hdf5.survey(opened)
            scanned = structured.scan_hdf5(opened, file)
            if not scanned and (integrated := azimuthal.scan(opened, file)):
                return integrated
    except hdf5.DAMAGE as error:
        raise hdf5.unreadable(file, error) from error
    if survey.elsewhere and not scanned:
        raise hdf5.not_followed(file, survey.elsewhere)
    reason = (
        "the HDF5 file holds no 1D SASdata (NXcanSAS); export the reduced curve, or classify its images:"
        " sasnet classify --domain."
    )
    if scanned:
        return _once(scanned)
    return _once(
        _check_answer(
            structured.read(path) if survey.tame else structured.Answer([], images=survey.flat), file, reason
        )
    )


def _once(curves: list[RawCurve]) -> list[RawCurve]:
    """Curves without those that a link gives a second time."""
    different = {(c.title, c.q_unit, c.q.tobytes(), c.intensity.tobytes()): c for c in reversed(curves)}
    return list(reversed(different.values()))


def read_xml(words: str, path: Path, file: str) -> list[RawCurve]:
    """CanSAS XML; what sasdata would be kept busy by, as a unit of many characters, is read here alone."""
    if words.count("<") > LIMITS.xml_tags:
        raise too_large(file, f"{words.count('<'):,} tags", "CanSAS XML of one measurement")
    reason = "the XML file contains no CanSAS 1D data, or it is truncated; export the curve again."
    if scanned := structured.scan_xml(path, file):
        return scanned
    if words.count("<") > _SASDATA_TAGS or max(map(len, _ATTRIBUTE.findall(words)), default=0) > LIMITS.title:
        return _check_answer(structured.Answer([]), file, reason)
    return _check_answer(structured.read(path), file, reason)


def _check_answer(answer: structured.Answer, file: str, reason: str) -> list[RawCurve]:
    if answer.curves:
        return answer.curves
    if answer.images:
        raise two_dimensional(file)
    if answer.sesans:
        raise DataError(f"{file}: this is spin-echo (SESANS) data; give small-angle scattering, I against q.")
    raise DataError(f"{file}: {reason}")
