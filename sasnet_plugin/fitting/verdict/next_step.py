"""What to do next: a command, or a call in Python, with every option that was given."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...names import argument
from ...types import printable
from ...units import range_from_nm
from ...wording import keyword
from ..request import are_names, list_given, list_words, text_of
from ..result.fit_result import FitResult
from ..result.verdict import Verdict
from ..settings import ASSESSMENT
from ..task import FitOptions
from . import sentences
from .doubts import find_expected_unfitted, simpler_model
from .equals import is_explained_within_error, list_other_shapes
from .names import is_body
from .sizes import list_open

# --- A command.

#: Folders that are named where none was given.
PAGES, EXPORTS = "pages", "exports"
#: What a report is for, what the files for other programs, and what the whole answer.
TO_LOOK, TO_GO_ON, TO_SEE_ALL = map(str, (sentences.TO_LOOK, sentences.TO_GO_ON, sentences.TO_SEE_ALL))


def next_step(result: FitResult, options: FitOptions) -> tuple[str, str]:
    """Write the next command and its purpose, empty if no file is known."""
    if not result.curve.file:
        return "", ""
    changes, purpose = changes_of(result, options)
    return command(result.curve.file, options, {**entry_of(result, options), **changes}), purpose


def step_after_report(result: FitResult, options: FitOptions) -> tuple[str, str] | None:
    """What follows for who reads the report already; None where the next step is more than to look at it."""
    if changes_of(result, options)[1] != TO_LOOK or not result.curve.file:
        return None
    changes = {**entry_of(result, options), "--export": EXPORTS}
    return command(result.curve.file, options, changes), TO_GO_ON


def entry_of(result: FitResult, options: FitOptions) -> dict[str, str | None]:
    """Which entry of its file the curve is, where there are others and none was named."""
    curve = result.curve
    return {"--entry": printable(curve.entry)} if curve.entries > 1 and "--entry" not in options.also else {}


#: Options to add (or, with None, to leave out), and a phrase that says why.
_Step = tuple[dict[str, Any], str]


def _suggest_nanometres(options: FitOptions) -> _Step:
    window = options.also.get("--q-range")
    window_step = {} if window is None else {"--q-range": range_from_nm(text_of(window))}
    return {"--q-unit": "nm", **window_step}, str(sentences.IF_NANOMETRES)


def changes_of(result: FitResult, options: FitOptions) -> _Step:
    """The first step that such an answer asks for."""
    if result.curve.q_unit.doubt:
        return _suggest_nanometres(options)
    if result.ended:
        return {}, str(sentences.TO_FINISH)
    if result.constant is not None:
        return _suggest_output(options, TO_LOOK)
    if not is_explained_within_error(result):
        return _suggest_for_unexplained(result, options)
    steps = (find(result, options) for find in (_simpler, _own_value, _suggest_expected))
    return next(filter(None, steps), None) or _suggest_output(options, TO_LOOK)


def _suggest_output(options: FitOptions, to_look: str) -> _Step:
    """The first of page, files for other programs and whole answer that was not asked for."""
    if "--report" not in options.also:
        return {"--report": PAGES}, to_look
    if "--export" not in options.also:
        return {"--export": EXPORTS}, TO_GO_ON
    return {"--details": ""}, TO_SEE_ALL


def _restrict_to_model(model: str, factor: str | None) -> dict[str, Any]:
    return {"--models": (model,), "--structure-factor": factor or "none"}


def _simpler(result: FitResult, options: FitOptions) -> _Step | None:
    form, _, factor = simpler_model(result).partition("@")
    return (_restrict_to_model(form, factor), str(sentences.SIMPLER_MODEL)) if form else None


def _own_value(result: FitResult, options: FitOptions) -> _Step | None:
    """Suggest fixing a length that is undetermined, if no other shape fits."""
    best, open_names = result.fits[0], list_open(result)
    if not open_names or not is_body(best.model) or list_other_shapes(result):
        return None
    name = open_names[0]
    value = float(f"{best.parameters[name].value:.2g}")
    changes = _restrict_to_model(best.model, best.structure_factor) | {
        "--fixed": {**options.fixed, name: value}
    }
    return changes, sentences.OWN_VALUE(name=name, value=f"{value:g}")


def _suggest_expected(result: FitResult, options: FitOptions) -> _Step | None:
    guess = find_expected_unfitted(result) if options.models is None else None
    return (_restrict_to_model(*guess), str(sentences.EXPECTED_MODEL)) if guess else None


def _suggest_for_unexplained(result: FitResult, options: FitOptions) -> _Step:
    if result.unfitted or result.limit_met:
        return {"--time-limit": options.longer()}, str(sentences.MORE_TIME)
    if options.models is not None or options.structure_factor is not None:
        return {"--models": None, "--structure-factor": None}, str(sentences.ALL_MODELS)
    return _shorter(result, options) or _suggest_output(options, str(sentences.TO_SEE_WHERE))


def _shorter(result: FitResult, options: FitOptions) -> _Step | None:
    window = None if "--q-range" in options.also else _exclude_worst(result)
    if window is None:
        return None
    end = "small" if window[1] is None else "large"
    rounded = tuple(None if one_end is None else float(f"{one_end:.3g}") for one_end in window)
    return {"--q-range": rounded}, sentences.WITHOUT_END(end=end)


def _exclude_worst(result: FitResult) -> tuple[float | None, float | None] | None:
    """The range of q that is left without an end of the data at which the residuals are largest."""
    if result.verification is None or not result.fits:
        return None
    q, (low, high) = result.curve.q, result.verification.worst
    share = ASSESSMENT.few * q.size
    if (q < low).sum() < share:
        return float(q[q > high][0]) if (q > high).any() else None, None
    if (q > high).sum() < share:
        return None, float(q[q < low][-1])
    return None


def command(file: str, options: FitOptions, changes: Mapping[str, Any], *extra: str) -> str:
    """``sasnet fit FILE``, or more of them, with all that was given and these changes, for a shell."""
    words = list_given(options)
    options_given = {**words, **changes}
    if any(options_given.get(name) != words.get(name) for name in ("--models", "--structure-factor")):
        options_given.pop("--start", None)  # values of another model
    return shlex.join(["sasnet", "fit", *map(argument, (file, *extra)), *list_words(options_given)])


# --- A call in Python.

#: Options that are written in Python by other calls than `fit`.
_LOOK = frozenset({"--report", "--export"})


def translate_to_python(result: FitResult, options: FitOptions) -> FitResult:
    changes, purpose = changes_of(result, options)
    if "--q-unit" in changes:  # the file is read anew
        changes = {**entry_of(result, options), **changes}
    code = call(result.curve.file, options, changes)
    return replace(result, verdict=translate_verdict(result.verdict, code, purpose))


def translate_verdict(verdict: Verdict, code: str, purpose: str) -> Verdict:
    """A verdict with this code as what to do next."""
    return replace(verdict, next=code, purpose=purpose, after_report=verdict.after_report and ("", ""))


def call(file: str, options: FitOptions, changes: Mapping[str, Any]) -> str:
    """A line of Python for what is to change, with all that was given: ``fit(curve, time_limit=180)``."""
    # The curve is called ``curve`` and the answer ``result``, as in the documentation.
    if _LOOK & changes.keys():
        return "result.plot()"
    arguments = {
        name: value for name, value in {**list_given(options), **changes}.items() if value is not None
    }
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
