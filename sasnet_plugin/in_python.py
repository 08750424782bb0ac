"""Sentences that name an option of the command line, for who calls from Python: `time_limit=180`."""

from __future__ import annotations

import re

#: Options whose value is a number or a word, as sentences of this package put them.
_VALUED = ("time-limit", "workers", "wavelength", "q-unit", "structure-factor", "burn", "samples", "top")
_WITH_VALUE = re.compile(rf"--({'|'.join(_VALUED)}) (\d[\d.]*\d|\d|A\b|nm\b|none\b)")
_FIX = re.compile(r"--fixed (\w+)=([\d.+-]*\d)")
_Q_RANGE = re.compile(r"--q-range ([\d.]*):([\d.]*\d)?")
#: Options whose keyword has another name.
_RENAMED = {"for": "parameter", "change": "changes"}
_NAMED = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


def keyword(option: str) -> str:
    """The keyword of a function for an option: ``fixed`` for ``--fixed``."""
    name = option.removeprefix("--").replace("-", "_")
    return _RENAMED.get(name, name)


def translate_sentence(sentence: str) -> str:
    """A sentence with options of the command line as keywords and calls.

    Examples
    --------
    >>> in_python("Not fitted within the time limit (go on with --time-limit 180): line.")
    'Not fitted within the time limit (go on with time_limit=180): line.'
    """
    translated = _Q_RANGE.sub(lambda m: f"curve.within({m[1] or 0}{f', {m[2]}' if m[2] else ''})", sentence)
    translated = _FIX.sub(lambda m: f'fixed={{"{m[1]}": {m[2]}}}', translated)
    translated = _WITH_VALUE.sub(lambda m: f"{keyword(m[1])}={_value(m[2])}", translated)
    translated = translated.replace("choose another --q-range", "take another range of q")
    return _NAMED.sub(lambda m: keyword(m[1]), translated)


def _value(text: str) -> str:
    return text if text[0].isdigit() else f'"{text}"'
