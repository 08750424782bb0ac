"""What names of columns say beside each other: a stem that all share, signals and their uncertainties."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from ... import units
from .names import ERROR, INTENSITY, OTHER, UNKNOWN, ColumnName, Q, understand

_OF_ERRORS = ("sigma", "sig", "error", "err", "std", "d", "e", "s")
_BRACKET = re.compile(r"^(?P<base>.*\S)\s*[\[(][^\[\]()]*[\])]$")
_WITH_ERROR = re.compile(
    r"^(?P<base>.*\S)\s*[\[(]\s*(?:err(?:or)?s?|sigma|sig|std\.?(?:dev)?|s\.?d\.?|unc\w*)\s*[\])]$",
    re.IGNORECASE,
)
_LOWER, _UPPER = (
    re.compile(rf"[IY]\w*(?:\(q\))?\s*{sign}\s*[eds]\w*", re.IGNORECASE) for sign in ("[-\u2212]", r"\+")
)
_LETTERS = {"q": Q, "r": INTENSITY, "s": ERROR, "w": OTHER}
"""Igor's waves of one sample: q, intensity, its uncertainty, the width of a bin, which is no resolution."""


def understand_names(words: Sequence[str]) -> tuple[ColumnName, ...]:
    """Understand column names alone, else without the common beginning or end, as in ``SMR_Int``,
    ``SMR_Error``, ``SMR_Qvec`` or ``Q_a``, ``R_a``, ``S_a``.
    """
    understood, rests = [_understand_in_company(word, words) for word in words], _strip_stem(words)
    if {"q", "r"} <= set(rests) <= set(_LETTERS):
        return _restore_texts(understood, [ColumnName(rest, _LETTERS[rest]) for rest in rests])
    inner = list(map(understand, rests))
    return pair_columns(
        _restore_texts(understood, inner) if _names_q(inner) and not _names_q(understood) else understood
    )


def _understand_in_company(word: str, words: Sequence[str]) -> ColumnName:
    """A name; "A" behind q is a sample's where I has it too, and I - err no error beside I + err."""
    if _LOWER.fullmatch(word) and any(map(_UPPER.fullmatch, words)):
        return ColumnName(word, OTHER)
    head, _, sample = word.strip().rpartition("_")
    return _understand_letter(word, head, sample) if f"I_{sample}" in words else understand(word)


def _understand_letter(word: str, head: str, sample: str) -> ColumnName:
    """A name whose end, a sample's, could be a length."""
    if not (head and sample.isalpha() and units.canonical(sample, "q")):
        return understand(word)
    return understand(f"{head}_sample_{sample}")._replace(text=word, sample=sample)


def _names_q(columns: Sequence[ColumnName]) -> bool:
    return Q in {column.quantity for column in columns}


def _restore_texts(
    as_written: Sequence[ColumnName], understood: Sequence[ColumnName]
) -> tuple[ColumnName, ...]:
    """What was understood, under the names as they stand in the file."""
    pairs = zip(as_written, understood, strict=True)
    return tuple(meant._replace(text=name.text) for name, meant in pairs)


def _strip_stem(words: Sequence[str]) -> list[str]:
    """Words in small letters without what all end with, else begin with, parted by a sign; empty for none."""
    small = [word.strip("<>\"' \t").lower() for word in words]
    behind = _common([word[::-1] for word in small])
    cut = slice(None, -behind) if behind else slice(_common(small), None)
    return [word[cut] for word in small] if cut != slice(0, None) else []


def _common(words: list[str]) -> int:
    """How many letters, up to a sign, all words begin with that are no whole word."""
    shared = os.path.commonprefix(words)
    length = 1 + max(shared.rfind(sign) for sign in "_ .-")
    return length if 1 < length < min(map(len, words)) and words[1:] else 0


def pair_columns(columns: Sequence[ColumnName]) -> tuple[ColumnName, ...]:
    """Names that say nothing by themselves, but beside each other: "I5 mg/ml" and "sig5 mg/ml"."""
    unknown = {column.text: i for i, column in enumerate(columns) if column.quantity == UNKNOWN}
    renamed = list(columns)
    for text, i in unknown.items():
        if (pair := _signal_of(text, unknown)) is not None:
            signal, sample = pair
            renamed[i] = columns[i]._replace(quantity=ERROR, sample=sample)
            renamed[signal] = columns[signal]._replace(quantity=INTENSITY, sample=sample)
    return tuple(renamed)


def _signal_of(error: str, names: Mapping[str, int]) -> tuple[int, str] | None:
    """The column whose uncertainty a name is, and the sample that both name; None where there is none."""
    pairs = [(name, sample) for sample in _strip_error_prefix(error) for name in (sample, f"I{sample}")]
    signal = next(((names[name], sample) for name, sample in pairs if name in names), None)
    return signal or _signal_beside_bracket(error, names)


def _strip_error_prefix(name: str) -> list[str]:
    """What stands behind a word for an uncertainty at the beginning of a name."""
    return [name[len(prefix) :] for prefix in _OF_ERRORS if name.lower().startswith(prefix)]


def _signal_beside_bracket(error: str, names: Mapping[str, int]) -> tuple[int, str] | None:
    """Find the signal of an error ``I0(err)`` beside ``I0(80)``, or ``dRef (SD)`` beside ``Ref``."""
    bracket = _WITH_ERROR.match(error)
    if bracket is None:
        return None
    base = bracket["base"]
    bases = {_base(name): i for name, i in names.items() if name != error}
    return next(((bases[name], base) for name in (base, *_strip_error_prefix(base)) if name in bases), None)


def _base(name: str) -> str:
    bracket = _BRACKET.match(name)
    return bracket["base"] if bracket else name
