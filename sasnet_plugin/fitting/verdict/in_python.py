"""An answer for who has called from Python: what to do next is a call, and sentences name keywords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...in_python import in_python, keyword
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..result.verdict import Verdict
from ..task import FitOptions
from .next_step import are_names, changes_of, entry_of, text_of, words_of

#: Options that are written in Python by other calls than `fit`.
_LOOK = frozenset({"--report", "--export"})


def spoken_in_python(result: FitResult, options: FitOptions) -> FitResult:
    changes, purpose = changes_of(result, options)
    if "--q-unit" in changes:  # the file is read anew
        changes = {**entry_of(result, options), **changes}
    return replace(
        result,
        verdict=of_verdict(result.verdict, call(result.curve.file, options, changes), purpose),
        notes=tuple(map(in_python, result.notes)),
        fits=tuple(map(_of_fit, result.fits)),
    )


def of_verdict(verdict: Verdict, code: str, purpose: str) -> Verdict:
    """A verdict with its sentences in Python, and this code as what to do next."""
    return replace(
        verdict,
        headline=in_python(verdict.headline),
        doubts=tuple(map(in_python, verdict.doubts)),
        next=code,
        purpose=purpose,
    )


def _of_fit(fit: ModelFit) -> ModelFit:
    said = tuple(map(in_python, fit.warnings))
    return fit if said == fit.warnings else replace(fit, warnings=said)


def call(file: str, options: FitOptions, changes: Mapping[str, Any]) -> str:
    """A line of Python for what is to change, with all that was given: ``fit(curve, time_limit=180)``."""
    # The curve is called ``curve`` and the answer ``result``, as in the documentation.
    if _LOOK & changes.keys():
        return "result.plot()"
    given = {name: value for name, value in {**words_of(options), **changes}.items() if value is not None}
    curve = _curve(file, given)
    # A wavelength stands among what is repeated as text.
    keywords = [
        f"{keyword(name)}={value if name == '--wavelength' else _written(value)}"
        for name, value in given.items()
    ]
    return f"fit({', '.join([curve, *keywords])})"


def _curve(file: str, given: dict[str, Any]) -> str:
    """What is fitted; what is about reading is taken out of the options."""
    unit, window, entry = (given.pop(name, None) for name in ("--q-unit", "--q-range", "--entry"))
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
    which = f", entry={_written(entry)}" if entry else ""
    return f'load({file!r}, q_unit="{unit}"{which})[0]'


def _written(value: Any) -> str:
    """A literal in double quotes, as this package's documentation has them."""
    return repr(_plain(value)).replace("'", '"')


def _plain(value: Any) -> Any:
    """Names as a list, and whole numbers without a point."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return list(value) if are_names(value) else tuple(map(_plain, value))
    return int(value) if _is_whole(value) else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer() and abs(value) < 1e6
