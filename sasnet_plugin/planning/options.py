"""Options of a plan, as texts from a command or form and as objects from a program, checked once."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..data.sample.described import ties_of
from ..data.sample.sample import Sample
from ..fitting.result.model_fit import Parameter
from ..fitting.task import FitOptions
from ..materials import scattering_length_density
from ..types import SasnetError
from . import sentences
from .measurements import SAME_DENSITY, exchanged_density, water_ends

#: What `plan_options` knows, as `next_measurement` calls it.
NAMES = ("parameter", "aim", "solvents", "exchange", "changes", "instrument", "time", "earlier")


def plan_options(body: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords of `next_measurement`; what is empty is left at its default."""
    # ``exchange`` and ``changes`` are objects or texts, such as ``sld_shell=C6H7H[1]3O5@1.5`` and
    # ``sld_core=6.2,scale=2``; several texts are a list or joined by semicolons.
    if unknown := body.keys() - set(NAMES):
        raise SasnetError(sentences.NO_OPTION(name=min(unknown), names=", ".join(NAMES)))
    given = {name: value for name, value in body.items() if value not in (None, "", [], {}, ())}
    readers = {
        "parameter": _text, "aim": _aim, "solvents": _list_solvents, "exchange": _exchange,
        "changes": _changes, "instrument": _text, "time": _time, "earlier": _earlier,
    }  # fmt: skip
    return {name: readers[name](name, value) for name, value in given.items()}


def fix_exchanging(options: FitOptions, exchange: Mapping[str, str] | None) -> FitOptions:
    """Fit options with the densities that exchanging parts have in the present solvent, if it is given."""
    solvent = None if options.contrast is None else options.contrast.solvent
    if solvent is None or not exchange:
        return options
    known = {name: exchanged_density(material, solvent) for name, material in exchange.items()}
    return replace(options, fixed={**known, **options.fixed})


def tie_exchanging(sample: Sample, exchange: Mapping[str, str] | None) -> Sample:
    """A sample whose exchanging parts follow the solvent of each curve, where all solvents are given."""
    if not exchange or None in (sample.solvents or (None,)):
        return sample
    ties, ends = [], water_ends()
    for name, material in exchange.items():
        light, heavy = (exchanged_density(material, end) for end in ends)
        slope = (heavy - light) / (ends[1] - ends[0])
        ties.append(f"{name} = {light - slope * ends[0]:.6g} + {slope:.6g}*sld_solvent")
    return replace(sample, ties={**ties_of(ties), **sample.ties})


def list_conflicts(
    exchange: Mapping[str, str], solvent: float | None, parameters: Mapping[str, Parameter]
) -> list[str]:
    """Sentences on exchanging parts that a fit has at another density than their material."""
    names = [] if solvent is None else [name for name in exchange if name in parameters]
    return [*filter(None, (_conflict(n, exchange[n], solvent or 0.0, parameters[n].value) for n in names))]


def _conflict(name: str, material: str, solvent: float, value: float) -> str:
    density = exchanged_density(material, solvent)
    if abs(value - density) <= SAME_DENSITY:
        return ""
    return sentences.EXCHANGE_IGNORED(
        name=name, value=f"{value:.3g}", material=material, density=f"{density:.3g}"
    )


def _text(name: str, value: Any) -> str:
    text = str(value).strip()
    if not isinstance(value, str) and name == "parameter":
        raise SasnetError(sentences.WRONG_OPTION(name=name, value=value, example="radius"))
    return text


def _number(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise SasnetError(sentences.WRONG_OPTION(name=name, value=value, example="0.95"))
    return number


def check_aim(aim: float) -> float:
    """The aim of a plan, a share."""
    if not 0 < aim < 1:
        raise SasnetError(f"An aim of {aim:g} is impossible; give a share between 0 and 1, such as 0.95.")
    return aim


def check_time(time: float) -> float:
    """The counting time of a plan."""
    if not 0 < time < math.inf:
        raise SasnetError(f"A counting time of {time:g} is impossible; give a positive number.")
    return time


def _aim(name: str, value: Any) -> float:
    return check_aim(_number(name, value))


def _time(name: str, value: Any) -> float:
    return check_time(_number(name, value))


def _texts(value: Any, separator: str) -> list[str]:
    texts = value if isinstance(value, list | tuple) else [value]
    return [part.strip() for text in texts for part in re.split(separator, str(text)) if part.strip()]


def _list_solvents(name: str, value: Any) -> list[str]:
    solvents = _texts(value, ",")
    for solvent in solvents:
        scattering_length_density(solvent)  # a SasnetError says what is wrong with it
    return solvents


def _exchange(name: str, value: Any) -> dict[str, str]:
    pairs = value if isinstance(value, Mapping) else dict(_split(text, name) for text in _texts(value, ";"))
    for part, material in pairs.items():
        if not part or "@" not in str(material):
            raise SasnetError(sentences.NOT_A_MATERIAL(given=f"{part}={material}".rstrip("=")))
        try:
            exchanged_density(str(material), 0.0)
        except SasnetError:
            raise SasnetError(sentences.WRONG_MATERIAL(name=part, material=material)) from None
    return {part: str(material) for part, material in pairs.items()}


def _changes(name: str, value: Any) -> dict[str, dict[str, float]]:
    if not isinstance(value, Mapping):
        texts = _texts(value, ";")
        value = {text: dict(_split(pair, name) for pair in _texts(text, ",")) for text in texts}
    return {str(key): _values(key, values) for key, values in value.items()}


def _values(key: str, values: Any) -> dict[str, float]:
    try:
        numbers = {str(name).strip(): float(value) for name, value in values.items()}
    except (AttributeError, TypeError, ValueError):
        numbers = {"": math.nan}
    if not numbers or not all(name and math.isfinite(number) for name, number in numbers.items()):
        raise SasnetError(sentences.NOT_A_CHANGE(given=key))
    return numbers


def _split(text: str, name: str) -> tuple[str, str]:
    part, _, value = text.partition("=")
    return part.strip(), value.strip()


def _earlier(name: str, value: Any) -> Mapping[str, Any]:
    predictions = value.get("predictions") if isinstance(value, Mapping) else None
    if not isinstance(predictions, Mapping) or not isinstance(predictions.get("intensity"), Mapping):
        raise SasnetError(str(sentences.NO_EARLIER_PLAN))
    return value
