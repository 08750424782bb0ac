"""Abscissae that are functions of q: how their names are written, and how q follows from them.

d* = 1/d and s = 2 sin(θ)/λ are q/2π, sin(θ)/λ is q/4π. pyFAI writes ``d*2_nm^-2``, ``log10(q.m)_None``,
``log(1+q.nm)_None`` and ``arcsinh(q.nm)_None``, where ``q.nm`` is q times 1 nm.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ...arrays import Floats


class Axis(NamedTuple):
    """A function of q."""

    scale: str  #: A key of `INVERSES`; empty for what is proportional to q.
    factor: float  #: What the inverse of the function is multiplied by to be q.
    unit: str = ""  #: Of q, where the name holds it: "1/nm" of ``q.nm``.


#: From the values of a function to those of what it was taken of.
INVERSES: dict[str, Callable[[Floats], Floats]] = {
    "log10": lambda x: 10.0**x,
    "ln": np.exp,
    "log10(1 + …)": lambda x: 10.0**x - 1,
    "ln(1 + …)": np.expm1,
    "arcsinh": np.sinh,
    "squared": np.sqrt,
    "cubed": np.cbrt,
    "fourth": lambda x: np.sqrt(np.sqrt(x)),
    "root": np.square,
    "inverse": np.reciprocal,
}

_SINE = r"\(?sin?(?:\(?(?:theta|th|t)\)?|\(?2-?(?:theta|th)/2\)?)\)?/(?:lambda|λ|wavelength|wl)"
_PI = r"(?:pi|π)"
_WHAT = (
    (1.0, r"q|qvec|\|q\|"),
    (1.0, rf"4\*?{_PI}\*?{_SINE}|4\*?{_PI}/(?:lambda|λ)\*?sin\(?(?:theta|th)\)?"),
    (2 * np.pi, rf"2\*?{_SINE}|2/(?:lambda|λ)\*?sin\(?(?:theta|th)\)?"),
    (2 * np.pi, rf"d\*|d-?_?star|1/d|d\^?-1|recd|reciprocald(?:spacing)?|q/\(?2\*?{_PI}\)?"),
    (4 * np.pi, rf"{_SINE}|stol|sinthetaoverlambda"),
)
_OF = "|".join(f"(?P<w{i}>{pattern})" for i, (_, pattern) in enumerate(_WHAT))
_IN_UNIT = r"(?:(?P<times>[.*]|/\(?)(?P<own>nm|a|å|angstroms?|μm|um|m|cm)(?:\^?\(?-1\)?)?\)?)?"
_ARGUMENT = rf"(?P<plus>1\+)?\(?(?:{_OF})\)?{_IN_UNIT}(?P<plus_after>\+1)?"
_FORM = re.compile(
    rf"(?:[a-z]\*?=)?(?P<function>log10|log1p|log|ln|lg|a(?:rc)?sinh|sqrt|1/)?\(?(?:{_ARGUMENT})\)?"
    r"(?P<sign>\^|\*\*)?(?P<power>[234]|sq|squared)?"
)
_FUNCTIONS = {
    "log10": "log10", "lg": "log10", "ln": "ln", "log1p": "ln(1 + …)", "asinh": "arcsinh",
    "arcsinh": "arcsinh", "sqrt": "root", "1/": "inverse",
}  # fmt: skip
_POWERS = {"2": "squared", "sq": "squared", "squared": "squared", "3": "cubed", "4": "fourth"}


def axis_of(plain: str) -> Axis | None:
    """Return the function of q that a name stands for; None for q itself or no function."""
    # `plain` is lower case without blanks and unit.
    match = _FORM.fullmatch(plain)
    if match is None or _is_left_to_names(match):
        return None
    return Axis(_scale_of(match), _factor_of(match), f"1/{match['own']}" if match["own"] else "")


def _factor_of(match: re.Match[str]) -> float:
    """What the inverse of the function is multiplied by to be q."""
    return next(value for i, (value, _) in enumerate(_WHAT) if match[f"w{i}"])


def _scale_of(match: re.Match[str]) -> str:
    function = match["function"] or ""
    if function in ("log", "log10", "ln", "lg"):
        return _name_logarithm(match, function)
    return _FUNCTIONS.get(function, "") or _POWERS.get(match["power"] or "", "")


def _is_left_to_names(match: re.Match[str]) -> bool:
    """Whether `names` knows the name: q, its square, its root, its inverse, log q; or nobody does."""
    if match["function"] and match["power"]:
        return True
    return match["w0"] is not None and (_is_numbered(match) or not _is_special(match))


def _is_numbered(match: re.Match[str]) -> bool:
    """Whether a number is that of a sample, as in q4 beside I4."""
    return bool(match["power"]) and not match["sign"]


def _is_special(match: re.Match[str]) -> bool:
    """Whether q stands with a unit, one more, a power above the second, or in a function known here alone."""
    with_more = any(match[name] for name in ("own", "plus", "plus_after"))
    return with_more or match["power"] in ("3", "4") or match["function"] in ("asinh", "arcsinh", "log1p")


def _name_logarithm(match: re.Match[str], function: str) -> str:
    """Which logarithm: "log" of 1 + q, or of q times a length, is the natural one, as pyFAI's are."""
    one_more = bool(match["plus"] or match["plus_after"])
    natural = function == "ln" or (function == "log" and (one_more or match["times"] == "."))
    return ("ln" if natural else "log10") + one_more * "(1 + …)"


def is_a_length(unit: str) -> bool:
    """Whether the unit of an abscissa is a length of millimetres or more: it is a position, and no q."""
    return bool(
        re.fullmatch(r"\W*(?:mm|cm|m|millimet\w+|centimet\w+|met(?:er|re)s?)\W*", unit.strip().lower())
    )
