"""The unit of q, the wavelength and the definition of s, wherever a text file says them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ... import units
from ..limits import LIMITS
from .names import ColumnName

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
    *(
        "nm",
        "nano",
        "ang",
        "å",
        "\u212b",
        "pm",
        "pico",
        "um",
        "μm",
        "µm",
        "micro",
        "unit",
        "inv",
        "recip",
        "per ",
    ),
    *("a^", "a-", "a⁻", "a{", "a *", "a (", "/a", "/ a", "m^", "m-", "m⁻", "/m", "/c"),
)

_OF_SQUARES = {"Å⁻²": "Å⁻¹", "nm⁻²": "nm⁻¹"}

#: Å; what is scattered by matter has such a wavelength.
_WAVELENGTHS = (0.05, 50.0)
_METRES = 1e-6


class Unit(NamedTuple):
    """What a file says of the unit of q."""

    #: A key of ``units.FACTORS["q"]``; None where it says nothing that is understood.
    name: str | None = None
    unknown: str = ""  #: What it says instead, where that is no unit of q.


def unit_of(
    column: ColumnName | None, unit_nearby: str, header: tuple[str, ...], below: tuple[str, ...]
) -> Unit:
    """Find the unit of q: in its column's name, a line of units, or any line of text."""
    unit_text = column.unit if column and column.unit else unit_nearby
    if not unit_text:
        return Unit(_find_unit_in_words(_hinting((*reversed(header[-HEADER_LINES:]), *below))))
    canonical = units.canonical(unit_text, "q") or _OF_SQUARES.get(units.canonical(unit_text, "sld") or "")
    return Unit(canonical) if canonical else Unit(unknown=unit_text)


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
