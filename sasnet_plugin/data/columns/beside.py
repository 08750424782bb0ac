"""What names of columns say beside each other: a stem that all share, signals and their uncertainties."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from .names import DQ, ERROR, INTENSITY, UNKNOWN, ColumnName, Q, understand

_OF_ERRORS = ("sigma", "sig", "error", "err", "std", "d", "e", "s")
_ERROR_IN_BRACKET = re.compile(r"(?:err(?:or)?s?|sigma|sig|std\.?(?:dev)?|s\.?d\.?|unc\w*)", re.IGNORECASE)
_BRACKET = re.compile(r"^(?P<base>.*\S)\s*[\[(](?P<inner>[^\[\]()]*)[\])]$")
_LETTERS = {"q": Q, "r": INTENSITY, "s": ERROR, "w": DQ}
"""Igor's waves of one sample: q, intensity, its uncertainty, the width of a bin."""


def understood(words: Sequence[str]) -> tuple[ColumnName, ...]:
    """Names of columns, each by itself, else by what is left of it without what all begin or end with.

    Parameters
    ----------
    words : sequence of str
        One for each column, such as ``SMR_Int``, ``SMR_Error``, ``SMR_Qvec``, or ``Q_a``, ``R_a``, ``S_a``.
    """
    alone = [understand(word) for word in words]
    rests = _without_stem(words)
    if {"q", "r"} <= set(rests) <= set(_LETTERS):
        return tuple(ColumnName(one.text, _LETTERS[rest]) for one, rest in zip(alone, rests, strict=True))
    if rests and not any(one.quantity == Q for one in alone):
        inner = [understand(rest)._replace(text=one.text) for rest, one in zip(rests, alone, strict=True)]
        if any(one.quantity == Q for one in inner):
            return in_pairs(inner)
    return in_pairs(alone)


def _without_stem(words: Sequence[str]) -> list[str]:
    """Words in small letters without what all end with, else begin with, parted by a sign; empty for none."""
    small = [word.strip("<>\"' \t").lower() for word in words]
    backwards = _common([word[::-1] for word in small])
    if backwards:
        return [word[: len(word) - backwards] for word in small]
    ahead = _common(small)
    return [word[ahead:] for word in small] if ahead else []


def _common(words: list[str]) -> int:
    """How many letters, up to a sign, all words begin with that are no whole word."""
    shared = os.path.commonprefix(words)
    length = 1 + max(shared.rfind(sign) for sign in "_ .-")
    return length if len(words) > 1 and length > 1 and all(len(word) > length for word in words) else 0


def in_pairs(columns: Sequence[ColumnName]) -> tuple[ColumnName, ...]:
    """Names that say nothing by themselves, but beside each other: "I5 mg/ml" and "sig5 mg/ml"."""
    unknown = {one.text: i for i, one in enumerate(columns) if one.quantity == UNKNOWN}
    found = list(columns)
    for text, i in unknown.items():
        if (pair := _signal_of(text, unknown)) is not None:
            signal, sample = pair
            found[i] = columns[i]._replace(quantity=ERROR, sample=sample)
            found[signal] = columns[signal]._replace(quantity=INTENSITY, sample=sample)
    return tuple(found)


def _signal_of(error: str, names: Mapping[str, int]) -> tuple[int, str] | None:
    """The column whose uncertainty a name is, and the sample that both name; None where there is none."""
    samples = [error[len(prefix) :] for prefix in _OF_ERRORS if error.lower().startswith(prefix)]
    pairs = [(name, sample) for sample in samples for name in (sample, f"I{sample}")]
    found = next(((names[name], sample) for name, sample in pairs if name in names), None)
    return found or _signal_beside_bracket(error, names)


def _signal_beside_bracket(error: str, names: Mapping[str, int]) -> tuple[int, str] | None:
    """The same for ``I0(err)`` beside ``I0(80)``, or ``dRef (SD)`` beside ``Ref``."""
    bracket = _BRACKET.match(error)
    if bracket is None or not _ERROR_IN_BRACKET.fullmatch(bracket["inner"].strip()):
        return None
    base = bracket["base"]
    bases = {_base(name): i for name, i in reversed(names.items()) if name != error}
    wanted = [base, *(base[len(prefix) :] for prefix in _OF_ERRORS if base.lower().startswith(prefix))]
    return next(((bases[name], base) for name in wanted if name in bases), None)


def _base(name: str) -> str:
    """A name without its bracket."""
    bracket = _BRACKET.match(name)
    return bracket["base"] if bracket else name
