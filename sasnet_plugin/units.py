"""One table of units: the only place where a unit is converted.

Every quantity has one internal unit; a factor turns a value given in the named unit into it:
q in Å⁻¹, lengths in Å, intensity in cm⁻¹, scattering length density in 1e-6/Å², angles in degrees.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

INTERNAL: Mapping[str, str] = MappingProxyType(
    {"q": "Å⁻¹", "length": "Å", "intensity": "cm⁻¹", "sld": "1e-6/Å²", "angle": "degrees"}
)

# quantity -> canonical unit -> factor to the internal unit of that quantity
FACTORS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "q": {
            "Å⁻¹": 1.0,
            "nm⁻¹": 0.1,
            "pm⁻¹": 100.0,
            "μm⁻¹": 1e-4,
            "mm⁻¹": 1e-7,
            "cm⁻¹": 1e-8,
            "m⁻¹": 1e-10,
        },
        "length": {"pm": 0.01, "Å": 1.0, "nm": 10.0, "μm": 1e4, "mm": 1e7, "cm": 1e8, "m": 1e10},
        "intensity": {"cm⁻¹": 1.0, "mm⁻¹": 10.0, "m⁻¹": 0.01, "μm⁻¹": 1e4},
        "sld": {"1e-6/Å²": 1.0, "Å⁻²": 1e6, "nm⁻²": 1e4, "1e10/cm²": 1.0, "cm⁻²": 1e-10, "m⁻²": 1e-14},
        "angle": {"degrees": 1.0, "mrad": 0.18 / math.pi, "radians": 180.0 / math.pi},
    }
)

#: The unit of a parameter that is an intensity, where nobody has given the unit of I.
UNIT_OF_I = "unit of I"
#: Words for a unit of I that is no inverse length, also for a cross section of a mass or a molecule.
RELATIVE = (
    r"arb|a\.?\s?u\.?\b|counts?|cps|relative|rel\.|none|unitless|dimensionless|normali"
    r"|cm\^?\(?[23²³]|barn|mol|ml\b|/\s*[mµμk]?g\b|\b[mµμk]?g\^?-1"
)

# How files and people write a length (the exponent is taken off before) and an angle.
_SPELLINGS = {
    "pm": "pm picometer picometre picometers picometres",
    "Å": "a å aa ang angs angst angstrom angstroms angstroem ångström ångstrom ångstroem",
    "nm": "nm nanometer nanometre nanometers nanometres",
    "μm": "um μm micron microns micrometer micrometre micrometers micrometres",
    "mm": "mm millimeter millimetre",
    "cm": "cm centimeter centimetre",
    "m": "m meter metre",
    "degrees": "degrees degree deg °",
    "mrad": "mrad milliradian milliradians",
    "radians": "radians radian rad",
}
_UNITS: Mapping[str, str] = MappingProxyType(
    {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings.split()}
)
# U+212B is the sign of the unit, U+00C5 the letter.
_SIGNS = str.maketrans({"⁻": "-", "¹": "1", "²": "2", "−": "-", "–": "-", "µ": "μ", "\u212b": "å", "Å": "å"})
# LaTeX's ways to write Å and μ, and commands that only set letters upright.
_LATEX = (
    (r"\\(?:aa\b|angstrom\b|r\s*\{?\s*a\s*\}?|mathring\s*\{?\s*a\s*\}?)", "å"),
    (r"\\mu(?![a-z])|\\micro\b|\\textmu\b", "μ"),
    (r"\\nano\b", "n"),
    (r"\\met(?:er|re)\b", "m"),
    (r"\\per\b", "1/"),
    (r"\\(?:mathrm|mathit|text|rm|it|unit|si|SI|,|;|!)", ""),
)
# Origin's superscripts, nm\+(-1), and powers in brackets.
_POWER = re.compile(r"\\\+\(([^)]*)\)|\^\(([^)]*)\)")
_TAGS = re.compile(r"</?su[pb]>", re.IGNORECASE)
#: A cross section per volume, such as cm²/cm³, is an inverse length.
_AREA_PER_VOLUME = re.compile(r"(?P<length>\w+)2/(?P=length)3")
_INVERSE_WORDS = re.compile(r"^(?:inv(?:erse)?|reciprocal|rec|per|(?:1|rad)?/)", re.IGNORECASE)


def _plain(text: str) -> str:
    """A unit's letters, small, without blanks, brackets and LaTeX's commands."""
    text = _POWER.sub(lambda match: "^" + (match[1] or match[2]), _strip_tags(text))
    if "\\" in text:
        for pattern, sign in _LATEX:
            text = re.sub(pattern, sign, text, flags=re.IGNORECASE)
    text = re.sub(r"[\s{}()\[\]_\\$<>'\"]|\*\*", "", text.translate(_SIGNS)).replace("^", "")
    return text.lower()


def _strip_tags(text: str) -> str:
    return _TAGS.sub("", _compose(text)) if "&" in text or "<" in text or not text.isascii() else text


def _compose(text: str) -> str:
    """HTML's signs and letters with a ring apart as one letter each."""
    from html import unescape
    from unicodedata import normalize

    return normalize("NFC", unescape(text))


@lru_cache(maxsize=4096)  # files of one instrument have the same words
def canonical(text: str, quantity: str) -> str | None:
    """Name a unit as `FACTORS` does, from spellings such as ``1/nm``, ``nm^-1``, ``n_m^-1``, ``nm⁻¹``; for
    ``q`` a bare length stands for its inverse. None if it is no unit of ``q``, ``length``, ``intensity``,
    ``sld`` or ``angle``.
    """
    table = FACTORS[quantity]
    if text in table:
        return text
    plain = _plain(text)
    if quantity == "angle":
        return name if (name := _UNITS.get(plain)) in table else None
    power = 1
    if plain.startswith("1e-6/"):
        name = f"1e-6/{_UNITS.get(plain[5:].removesuffix('2'))}²"
        return name if name in table else None
    if quantity == "intensity" and (ratio := _AREA_PER_VOLUME.fullmatch(plain)):
        plain, power = ratio[1], -1
    elif inverse := _INVERSE_WORDS.match(plain):
        plain, power = plain[inverse.end() :], -1
    elif plain.endswith(("-1", "-2")):
        plain, power = plain[:-2], -int(plain[-1])
    if power == -1 and plain.endswith("2"):
        plain, power = plain[:-1], -2
    length = _UNITS.get(plain)
    if length is None:
        return None
    if quantity == "q" and power == 1:
        power = -1
    name = length + {1: "", -1: "⁻¹", -2: "⁻²"}[power]
    return name if name in table else None


def unit_of_parameter(unit: str, intensity_unit: str) -> str:
    """The unit of a parameter in a fit of a curve, where sasmodels' 1/cm is the curve's unit of I."""
    if canonical(unit, "intensity") is None or intensity_unit == INTERNAL["intensity"]:
        return unit
    return intensity_unit or UNIT_OF_I


def is_of_intensity(unit: str) -> bool:
    """Whether a parameter with this unit is an intensity."""
    if unit == UNIT_OF_I or canonical(unit, "intensity") is not None:
        return True
    return bool(unit) and re.search(RELATIVE, unit, re.IGNORECASE) is not None


def q_unit_asked(text: str) -> str:
    """Name the unit of q asked for. Raises ValueError if it is none; ``mm`` may be a slip of ``nm``."""
    name, length = canonical(text, "q"), canonical(text, "length")
    if name is None:
        raise ValueError(f"{text!r} is not a unit of q; use A (for Å⁻¹) or nm (for nm⁻¹).")
    if length not in (None, "Å", "nm"):
        raise ValueError(
            f"{text!r} is a length, not a unit of q; use nm (for nm⁻¹) or {text}^-1 (for {name})."
        )
    return name


def factor(unit: str, quantity: str) -> float:
    """Return the factor from a unit, in any spelling of `canonical`, to `INTERNAL` units. Raises ValueError
    if it is no unit of that quantity.
    """
    name = canonical(unit, quantity)
    if name is None:
        known_units = ", ".join(FACTORS[quantity])
        raise ValueError(f"{unit!r} is not a unit of {quantity}; use one of {known_units}.")
    return FACTORS[quantity][name]


def convert(value: float, unit: str, to: str, quantity: str) -> float:
    """Convert one value between two units of a quantity.

    >>> convert(1.0, "1/nm", "1/A", "q")
    0.1
    """
    return value * factor(unit, quantity) / factor(to, quantity)


@dataclass(frozen=True)
class QUnit:
    """In which unit the q of a file was read."""

    value: str = "Å⁻¹"  #: "Å⁻¹", "nm⁻¹", ...; q itself is always in Å⁻¹.
    stated: bool = True  #: The file, or the user, says so; False where it was assumed.
    doubt: str = ""  #: One sentence where another unit is likelier than the assumed one; else empty.

    def as_dict(self) -> dict[str, Any]:
        return {"value": self.value, "stated": self.stated}

    @property
    def cell_text(self) -> str:
        """The unit, and whether it was assumed, for a cell of a table."""
        return self.value if self.stated else f"{self.value} (assumed)"

    def __str__(self) -> str:
        return "" if self.stated else f"q read as {self.cell_text}"


def range_from_nm(window: str) -> tuple[float | None, float | None]:
    """The ends of a range that was given in Å⁻¹, ``0.1:3``, for the same points where their q is in nm⁻¹."""
    low, _, high = window.partition(":")
    first, last = (
        float(f"{convert(float(end), 'nm', 'A', 'q'):.6g}") if end else None for end in (low, high)
    )
    return first, last
