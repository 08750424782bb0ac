"""What to do next: a command that carries every option that was given, with what the answer asks for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from ...digits import significant
from ...types import printable
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..task import Contrast, FitOptions, Method
from .doubts import expected_unfitted, left_open, simpler_model, unit_doubtful
from .equals import of_other_shape, within_error
from .names import is_body
from .settings import VERDICT

#: Folders that are named where none was given.
PAGES, EXPORTS = "pages", "exports"
#: What a report is for, and what the files for other programs.
TO_LOOK, TO_GO_ON = "to look at data, fits and residuals", "to go on in SasView or Bumps"


def next_step(result: FitResult, options: FitOptions) -> tuple[str, str]:
    """A command and what it is for; two empty strings where there is no file to name.

    Parameters
    ----------
    options : FitOptions
        As the curve was fitted; `also` holds what else was given.
    """
    if not result.curve.file:
        return "", ""
    changes, purpose = changes_of(result, options)
    return command(result.curve.file, options, {**entry_of(result, options), **changes}), purpose


def entry_of(result: FitResult, options: FitOptions) -> dict[str, str | None]:
    """Which entry of its file the curve is, where there are others and none was named."""
    curve = result.curve
    return {"--entry": printable(curve.entry)} if curve.entries > 1 and "--entry" not in options.also else {}


def changes_of(result: FitResult, options: FitOptions) -> tuple[dict[str, str | None], str]:
    """Options to add (or, with None, to leave out), and a phrase that says why."""
    explained = result.best is not None and (result.verification is None or result.verification.explained)
    if unit_doubtful(result):
        return {"--q-unit": "nm"}, "if q is in nm⁻¹"
    if not explained and not within_error(result):
        return _for_the_unexplained(result, options)
    best = result.fits[0]
    left = left_open(result)
    if simpler := simpler_model(result):
        form, _, factor = simpler.partition("@")
        return {"--models": form, "--structure-factor": factor or "none"}, "with the simpler model"
    if left and is_body(best.model) and not of_other_shape(result):
        return _with_own_value(left[0], best, options)
    if options.models is None and (expected := expected_unfitted(result)):
        model, own = expected
        return {"--models": model, "--structure-factor": own or "none"}, "with what the network expects"
    if "--report" not in options.also:
        return {"--report": PAGES}, TO_LOOK
    return {"--export": EXPORTS}, TO_GO_ON


def _with_own_value(name: str, best: ModelFit, options: FitOptions) -> tuple[dict[str, str | None], str]:
    value = f"{float(f'{best.parameters[name].value:.2g}'):g}"
    changes: dict[str, str | None] = {
        "--models": best.model,
        "--structure-factor": best.structure_factor or "none",
        "--fix": _pairs({**options.fixed, name: value}),
    }
    return changes, f"with your own value of {name} in the place of {value}"


def _for_the_unexplained(result: FitResult, options: FitOptions) -> tuple[dict[str, str | None], str]:
    if result.unfitted or result.limit_met:
        return {"--time-limit": f"{options.longer():g}"}, "with more time"
    if options.models is not None or options.structure_factor is not None:
        return {"--models": None, "--structure-factor": None}, "with all models"
    window = _without_the_worst(result)
    if window and "--q-range" not in options.also:
        low, high = window
        end = "small" if high is None else "large"
        said = f"{significant(low, 3) if low else ''}:{significant(high, 3) if high else ''}"
        return {"--q-range": said}, f"without the {end} q where the misfit is largest"
    return {"--report": PAGES}, "to see where the fits fail"


def _without_the_worst(result: FitResult) -> tuple[float | None, float | None] | None:
    """The range of q that is left without an end of the data at which the residuals are largest."""
    if result.verification is None or not result.fits:
        return None
    q, (low, high) = result.curve.q, result.verification.worst
    share = VERDICT.edge * q.size
    if (q < low).sum() < share:
        return float(q[q > high][0]) if (q > high).any() else None, None
    if (q > high).sum() < share:
        return None, float(q[q < low][-1])
    return None


def command(file: str, options: FitOptions, changes: Mapping[str, str | None], *more: str) -> str:
    """``sasnet fit FILE``, or more of them, with all that was given and these changes, for a shell."""
    words = words_of(options)
    given = {**words, **changes}
    if any(given.get(name) != words.get(name) for name in ("--models", "--structure-factor")):
        given.pop("--start", None)  # values of another model
    said: list[str] = ["sasnet", "fit", *map(printable, (file, *more))]
    for option, value in given.items():
        for one in _repeated(option, value):
            said += [option, one] if one else [option]
    return shlex.join(said)


def _repeated(option: str, value: str | None) -> list[str]:
    """The values of an option, which stands before each."""
    if value is None:
        return []
    return value.split("\n")


def _pairs(values: Mapping[str, object], between: str = "\n", written: Callable[[Any], object] = str) -> str:
    """``name=value`` for each; lines become repeated options."""
    return between.join(f"{name}={written(value)}" for name, value in values.items())


def exact(value: float | str) -> str:
    """The shortest text that is read as this very number; a word as it is."""
    if isinstance(value, str):
        return value
    return short if float(short := f"{value:g}") == value else repr(float(value))


def words_of(options: FitOptions) -> dict[str, str | None]:
    """The options as the command line has them; what was left to its default is left out."""
    usual = FitOptions()
    found: dict[str, str | None] = {}
    if options.models is not None:
        found["--models"] = ",".join(options.models)
    if options.exclude:
        found["--exclude"] = ",".join(options.exclude)
    for name in ("top", "prior", "structure_factor", "time_limit", "workers"):
        value = getattr(options, name)
        if value != getattr(usual, name):
            found[f"--{name.replace('_', '-')}"] = f"{value:g}" if isinstance(value, float) else str(value)
    if options.fixed:
        found["--fix"] = _pairs({name: exact(value) for name, value in options.fixed.items()})
    if options.ranges:
        found["--range"] = _pairs({name: f"{exact(a)}:{exact(b)}" for name, (a, b) in options.ranges.items()})
    if (start := options.start) is not None and options.models == (start.model,):
        found["--start"] = _pairs(start.parameters, ",", exact)
    return (
        found | _of_contrast(options.contrast) | _of_method(options.method, usual.method) | dict(options.also)
    )


def _of_contrast(contrast: Contrast | None) -> dict[str, str]:
    if contrast is None:
        return {}
    given = {"sample": contrast.sample_name, "solvent": contrast.solvent_name, "probe": contrast.probe}
    return {f"--{name}": value for name, value in given.items() if value and value != "neutron"}


def _of_method(method: Method, usual: Method) -> dict[str, str]:
    if method.name == usual.name:
        return {}
    return {
        f"--{option}": str(value)
        for option, name in (("method", "name"), ("samples", "samples"), ("burn", "burn"))
        if (value := getattr(method, name)) != getattr(usual, name)
    }
