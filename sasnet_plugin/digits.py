"""Numbers, units and lists as they are read: digits that the uncertainty supports, units in plain signs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

# --- Numbers, units and lists as they are read: digits that the uncertainty supports, units in
# --- plain signs.

#: Half the width of the central 90 % of a normal distribution, in standard deviations.
NORMAL_90 = 1.645
#: Digits of a value without uncertainty.
PLAIN_DIGITS = 6
#: Digits that a double holds whatever it is; more would be invented.
_DOUBLE_DIGITS = 15
#: Powers of ten of the leading digit within which a number is written without a factor 10ⁿ.
_LOWEST, _HIGHEST = -3, 5
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_with_error(value: float, error: float | None) -> str:
    """Write a value with its standard uncertainty, as in "56.6 ± 1.2".

    Without an error (None, zero, or not finite) the value has six significant digits. The minus is ASCII, so
    that the text can be copied into another program.

    Examples
    --------
    >>> format_with_error(1090.2, 157.3)
    '1090 ± 160'
    >>> format_with_error(1.234e7, 5.71e5)
    '(1.234 ± 0.057)×10⁷'
    """
    # Two significant digits of the uncertainty, and the value ends at the same decimal place: "it usually
    # suffices to quote u to at most two significant digits", and estimates "should be rounded to be
    # consistent with their uncertainties" (JCGM 100:2008, Guide to the expression of uncertainty in
    # measurement, 7.2.6); half to even (ISO 80000-1:2009, annex B). From a thousandth to a million a number
    # is written out, although zeros before the decimal point may mean nothing; beyond, with a power of ten.
    if not math.isfinite(value) or error is None or not math.isfinite(error) or error == 0:
        return significant(value, PLAIN_DIGITS)
    number, spread = Decimal(repr(float(value))), abs(Decimal(repr(float(error))))
    place = _place_of_two_digits(spread)
    top = max(number.adjusted() if number else place, spread.adjusted())
    if top - place >= _DOUBLE_DIGITS:
        # The value's own digits end before the uncertainty begins.
        return f"{significant(value, _DOUBLE_DIGITS)} ± {significant(abs(error), 2)}"
    power = 0 if _LOWEST <= top <= _HIGHEST else top
    a = _round_to_place(number, place).scaleb(-power)
    a = a if a else abs(a)  # no "-0.00"
    b = _round_to_place(spread, place).scaleb(-power)
    text = f"{a:f} ± {b:f}"
    return f"({text})×10{superscript(power)}" if power else text


def _place_of_two_digits(spread: Decimal) -> int:
    """Power of ten of the second significant digit after rounding: 0.996 becomes 1.0, not 1.00."""
    place = spread.adjusted() - 1
    return place + 1 if _round_to_place(spread, place).adjusted() > spread.adjusted() else place


def _round_to_place(number: Decimal, place: int) -> Decimal:
    """Round to a power of ten. By scaling, since `quantize` refuses to drop all of a number's digits."""
    return number.scaleb(-place).quantize(Decimal(1), rounding=ROUND_HALF_EVEN).scaleb(place)


def significant(value: float, digits: int) -> str:
    """Write a number with at most so many significant digits, without zeros that mean nothing."""
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    number = Decimal(repr(float(value)))
    place = number.adjusted() - digits + 1
    number = _round_to_place(number, place).normalize()
    power = 0 if _LOWEST <= number.adjusted() <= _HIGHEST else number.adjusted()
    text = f"{number.scaleb(-power):f}"
    return f"{text}×10{superscript(power)}" if power else text


def interval(low: float, high: float) -> str:
    """Write two ends with the digits that their distance supports: 390.2152, 409.8491 as "390 to 410"."""
    width, largest = high - low, max(abs(low), abs(high))
    if not (math.isfinite(width) and width > 0):
        return f"{significant(low, PLAIN_DIGITS)} to {significant(high, PLAIN_DIGITS)}"
    digits = min(max(math.floor(math.log10(largest)) - math.floor(math.log10(width)) + 2, 2), _DOUBLE_DIGITS)
    return f"{significant(low, digits)} to {significant(high, digits)}"


def quantity(value: float, unit: str, error: float | None = None) -> str:
    """Write a value with its unit (sasmodels' spelling) and error, "56.6 ± 1.2 Å"; without, four digits."""
    is_known = error is not None and math.isfinite(error) and error != 0
    number = format_with_error(value, error) if is_known else significant(value, 4)
    return f"{number} {unit_text(unit)}".rstrip()


def chisq_text(value: float) -> str:
    """Three digits, whole numbers beyond a thousand."""
    return significant(value, 3) if value < 1000 else f"{value:.0f}"


def join_names(names: Sequence[str]) -> str:
    """Names in a sentence, at least one: "A", "A and B", "A, B and C"."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


def superscript(power: int) -> str:
    return str(power).translate(_SUPERSCRIPT)


def unit_text(unit: str) -> str:
    """Write a unit of sasmodels as people do: ``1e-6/Ang^2`` as ``10⁻⁶ Å⁻²``; empty without a unit."""
    if unit.strip().lower() in ("", "none"):
        return ""
    if unit == "degrees":
        return "°"
    text = re.sub(r"\bAng\b", "Å", unit)
    inverse = re.fullmatch(r"1(?:e([-+]?\d+))?/(\w+)(?:\^(\d+))?", text)
    if inverse:
        power, name, exponent = inverse.groups()
        factor = f"10{superscript(int(power))} " if power else ""
        return f"{factor}{name}{superscript(-int(exponent or 1))}"
    return re.sub(r"\^([-\d]+)", lambda match: superscript(int(match[1])), text)


def format_rounded(value: float, error: float | None, most: float) -> str:
    """Write as `format_with_error`, with one digit of the error if it changes by at most the share `most`.

    Examples
    --------
    >>> format_rounded(72.0316, 0.1042, 0.2)
    '72.0 ± 0.1'
    """
    if error is None or not math.isfinite(error) or error == 0 or not math.isfinite(value):
        return significant(value, 4)
    spread = abs(Decimal(repr(float(error))))
    place = spread.adjusted()
    single = _round_to_place(spread, place)
    if abs(single - spread) > Decimal(repr(most)) * spread or single.adjusted() - place > _DOUBLE_DIGITS:
        return format_with_error(value, error)
    place = single.adjusted()
    number = Decimal(repr(float(value)))
    top = max(number.adjusted() if number else place, place)
    if top - place >= _DOUBLE_DIGITS or not _LOWEST <= top <= _HIGHEST:
        return format_with_error(value, error)
    a = _round_to_place(number, place)
    return f"{a if a else abs(a):f} ± {_round_to_place(spread, place):f}"


# --- Short tables of text, as Python shows a result.


def align_columns(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> list[str]:
    """Align the cells of rows of equal length, header included; return lines that begin with `indent`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        f"{indent}{'  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))}".rstrip()
        for row in rows
    ]
