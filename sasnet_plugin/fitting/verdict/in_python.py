"""An answer for who has called from Python: what to do next is a call, and sentences name keywords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...in_python import keyword, translate_sentence
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..result.verdict import Verdict
from ..task import FitOptions
from .next_step import are_names, changes_of, entry_of, text_of, words_of

#: Options that are written in Python by other calls than `fit`.
_LOOK = frozenset({"--report", "--export"})


def translate_to_python(result: FitResult, options: FitOptions) -> FitResult:
    changes, purpose = changes_of(result, options)
    if "--q-unit" in changes:  # the file is read anew
        changes = {**entry_of(result, options), **changes}
    return replace(
        result,
        verdict=translate_verdict(result.verdict, call(result.curve.file, options, changes), purpose),
        notes=tuple(map(translate_sentence, result.notes)),
        fits=tuple(map(_translate_fit, result.fits)),
    )


def translate_verdict(verdict: Verdict, code: str, purpose: str) -> Verdict:
    """A verdict with its sentences in Python, and this code as what to do next."""
    return replace(
        verdict,
        headline=translate_sentence(verdict.headline),
        doubts=tuple(map(translate_sentence, verdict.doubts)),
        next=code,
        purpose=purpose,
    )


def _translate_fit(fit: ModelFit) -> ModelFit:
    warnings = tuple(map(translate_sentence, fit.warnings))
    return fit if warnings == fit.warnings else replace(fit, warnings=warnings)


def call(file: str, options: FitOptions, changes: Mapping[str, Any]) -> str:
    """A line of Python for what is to change, with all that was given: ``fit(curve, time_limit=180)``."""
    # The curve is called ``curve`` and the answer ``result``, as in the documentation.
    if _LOOK & changes.keys():
        return "result.plot()"
    arguments = {name: value for name, value in {**words_of(options), **changes}.items() if value is not None}
    curve = _curve(file, arguments)
    # A wavelength stands among what is repeated as text.
    keywords = [
        f"{keyword(name)}={value if name == '--wavelength' else _write_literal(value)}"
        for name, value in arguments.items()
    ]
    return f"fit({', '.join([curve, *keywords])})"


def _curve(file: str, arguments: dict[str, Any]) -> str:
    """What is fitted; what is about reading is taken out of the options."""
    unit, window, entry = (arguments.pop(name, None) for name in ("--q-unit", "--q-range", "--entry"))
    curve = "curve" if unit is None else _read_anew(file, unit, entry)
    if window is not None:
        low, _, high = text_of(window).partition(":")
        ends = ", ".join(filter(None, (f"low={low}" if low else "", f"high={high}" if high else "")))
        curve += f".within({ends})"
    return curve


def _read_anew(file: str, unit: str, entry: str | None) -> str:
    """The curve with q in this unit; without a file divided by ten."""
    if not file:
        return f"replace(curve, q=curve.q / 10)  # {unit}"
    entry_text = f", entry={_write_literal(entry)}" if entry else ""
    return f'load({file!r}, q_unit="{unit}"{entry_text})[0]'


def _write_literal(value: Any) -> str:
    """A literal in double quotes, as this package's documentation has them."""
    return repr(_plain(value)).replace("'", '"')


def _plain(value: Any) -> Any:
    """Names as a list, and whole numbers without a point."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return list(value) if are_names(value) else tuple(map(_plain, value))
    return int(value) if _is_whole(value) else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer() and abs(value) < 1e6
