"""What a user may ask of a fit: each option once, with its help, limits, spelling and example.

The command line, the page, MCP, Python's keywords, `sasnet serve`, batches and the next command are made from
these fields. To add an option, add a field here, and use it where the fit does (`FitOptions`).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import wraps
from numbers import Integral, Real
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, get_type_hints

from ..materials import PROBES
from ..predict.class_prior import PRIORS
from ..predict.sample_kinds import SAMPLE_KINDS
from ..types import SasnetError
from ..units import q_unit_asked
from ..wording import Phrase, keyword
from .task import METHODS, MOST_SAMPLES, FitOptions, Method

# --- Kinds of values: how each is written on a command line, in JSON and in Python.


@dataclass(frozen=True)
class Kind:
    """One kind of value, whichever option has it."""

    json: Any  #: Its type in JSON.
    python: str  #: Its type in the documentation of Python.
    #: Return the value in one form, or raise SasnetError: (name of the option in a sentence, value).
    check: Callable[[str, Any], Any]
    #: Of a command line: `list` for an option that may be repeated, else one `str`, `int`, `float`.
    command: Any = str
    #: Read the texts of a command line; ValueError if they cannot be read.
    parse: Callable[[Any], Any] = lambda text: text
    metavar: str = ""
    least: float | None = None
    most: float | None = None


def split_names(texts: Iterable[str] | None) -> list[str] | None:
    """Names from a repeated option, each of which may hold several, separated by commas."""
    names = [name.strip() for part in texts or () for name in part.split(",") if name.strip()]
    return names if texts else None


def _check_names(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    names = tuple(value) if isinstance(value, Iterable) and not isinstance(value, Mapping) else (None,)
    if not all(isinstance(item, str) for item in names):
        raise SasnetError(f"{name} must be a list of names, not {value!r}.")
    return names


def _check_word(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SasnetError(f"{name} must be text, not {value!r}.")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _to_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _check_values(name: str, value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise SasnetError(f"{name} must be numbers by the names of parameters, not {value!r}.")
    for parameter, number in value.items():
        if not _is_number(number):
            raise SasnetError(f"{parameter} is fixed at {number!r}, which is not a number; give its value.")
    return {parameter: float(number) for parameter, number in value.items()}


def _check_ranges(name: str, value: Any) -> dict[str, tuple[float, float]]:
    if not isinstance(value, Mapping):
        raise SasnetError(f"{name} must be ranges by the names of parameters, not {value!r}.")
    for parameter, ends in value.items():
        is_pair = isinstance(ends, Sequence) and len(ends) == 2 and all(isinstance(end, Real) for end in ends)
        if not is_pair or not ends[0] < ends[1]:
            raise SasnetError(
                f"{parameter} has the range {ends!r}; give two numbers, the smaller first, such as (10, 200)."
            )
    return {parameter: (float(low), float(high)) for parameter, (low, high) in value.items()}


def _check_start(name: str, value: Any) -> dict[str, Any]:
    """Values by parameter, or as JSON has them: ``model``, ``structure_factor`` and ``values``."""
    values = value.get("values", value) if isinstance(value, Mapping) else None
    if not isinstance(values, Mapping):
        raise SasnetError(f"{name} must be values by the names of parameters, not {value!r}.")
    for parameter, number in values.items():
        if not isinstance(number, str) and not _is_number(number):
            raise SasnetError(f"{parameter}={number} is not a starting value; give a number.")
    return dict(value)


def _check_temperature(name: str, value: Any) -> float:
    """Kelvin, from a number, ``298.15 K`` or ``25 C``, where water is liquid."""
    text = f"{value:g} K" if _is_number(value) else str(value)
    number, unit = text.strip().rstrip("KkCc°").strip(), text.strip()[-1:].upper()
    kelvin = _to_number(number) + (CELSIUS if unit == "C" else 0.0)
    if not CELSIUS <= kelvin <= CELSIUS + 100.0:
        raise SasnetError(
            f"{name} is {text!r}; give it in K or °C, such as 298.15 or '25 C', between 0 and 100 °C."
        )
    return round(kelvin, 6)


def _check_q_range(name: str, value: Any) -> tuple[float | None, float | None]:
    ends = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    bounds = [
        end if isinstance(end, int | float) else open_end if end is None else math.nan
        for end, open_end in zip(ends, (0.0, math.inf), strict=False)
    ]
    if len(ends) != 2 or not 0 <= bounds[0] < bounds[1]:
        text = value if isinstance(value, str) else ":".join("" if e is None else f"{e}" for e in ends)
        raise SasnetError(
            f"{text!r} is not a q range; give two numbers in Å⁻¹, the smaller first, such as 0.01:0.3."
        )
    return ends[0], ends[1]


def _check_q_unit(name: str, value: Any) -> str:
    try:
        q_unit_asked(_check_word(name, value))
    except ValueError as error:
        raise SasnetError(str(error)) from None
    return str(value)


def _parse_pairs(texts: list[str], needed: str) -> dict[str, str]:
    pairs = {}
    for part in split_names(texts) or ():
        name, equals, text = part.partition("=")
        if not (name.strip() and equals):
            raise ValueError(f"{part!r} is not {needed}.")
        pairs[name.strip()] = text
    return pairs


def _parse_values(texts: list[str]) -> dict[str, float]:
    return {name: _parse_number(name, text) for name, text in _parse_pairs(texts, _VALUE).items()}


_VALUE = "name=number, such as sld=4.0"
_RANGE = "name=low:high with the smaller number first, such as radius=10:200"


def _parse_number(name: str, text: str) -> float:
    number = _to_number(text)
    if not math.isfinite(number):
        raise ValueError(f"{f'{name}={text}'!r} is not {_VALUE}.")
    return number


def _parse_start(texts: list[str]) -> dict[str, float | str]:
    pairs = _parse_pairs(texts, _VALUE)
    return {n: t if n.endswith("_pd_type") else _parse_number(n, t) for n, t in pairs.items()}


def _parse_ranges(texts: list[str]) -> dict[str, tuple[float, float]]:
    ranges = {}
    for name, text in _parse_pairs(texts, _RANGE).items():
        low, high = map(_to_number, text.partition(":")[::2])
        if not low < high:
            raise ValueError(f"{f'{name}={text}'!r} is not {_RANGE}.")
        ranges[name] = (low, high)
    return ranges


def _parse_q_range(text: str) -> Any:
    low, colon, high = text.partition(":")
    ends = tuple(_to_number(end) if end else None for end in (low, high))
    return ends if colon and not any(end is not None and math.isnan(end) for end in ends) else text


def _one_of(*words: str) -> Kind:
    choice = " or ".join(words) if len(words) == 2 else ", ".join(words)

    def check(name: str, value: Any) -> str:
        if value not in words:
            what = name.removeprefix("--").replace("-", " ")
            raise SasnetError(f"{value}: no such {what}; use {choice}.")
        return str(value)

    return Kind(str, "str", check)


def _count(least: int, most: int | None = None) -> Kind:
    limit = f" of at least {least}" if most is None else f" between {least} and {most}"

    def check(name: str, value: Any) -> int:
        is_count = isinstance(value, Integral) and not isinstance(value, bool)
        if not is_count or value < least or (most is not None and value > most):
            raise SasnetError(f"{name} must be a whole number{limit}, not {value!r}.")
        return int(value)

    return Kind(int, "int", check, int, least=least, most=most)


def _number(what: str, *, least: float | None = None, metavar: str = "") -> Kind:
    """A number of at least this, or else above 0."""
    limit = "above 0" if least is None else f"of at least {least:g}"

    def check(name: str, value: Any) -> float:
        if not _is_number(value) or (value <= 0 if least is None else value < least):
            raise SasnetError(f"{name} must be {what} {limit}, not {value!r}.")
        return float(value)

    return Kind(float, "float", check, float, metavar=metavar, least=least)


NAMES = Kind(list[str], "str or iterable of str", _check_names, list, split_names, "NAME,…")
WORD = Kind(str, "str", _check_word)
VALUES = Kind(dict[str, float], "mapping", _check_values, list, _parse_values, "NAME=VALUE,…")
START = Kind(dict[str, float | str], "mapping", _check_start, list, _parse_start, "NAME=VALUE,…")
RANGES = Kind(
    dict[str, tuple[float, float]], "mapping", _check_ranges, list, _parse_ranges, "NAME=LOW:HIGH,…"
)
Q_RANGE = Kind(
    tuple[float | None, float | None], "(float, float)", _check_q_range, str, _parse_q_range, "A:B"
)
Q_UNIT = Kind(str, "str", _check_q_unit)
TEMPERATURE = Kind(str | float, "str or float", _check_temperature)
#: 0 °C, K.
CELSIUS = 273.15


# --- The options.

READ, MODELS, KNOWN = "What is read", "Which models", "What is known"
FITTED, RUNS = "How it is fitted", "Where it runs"


@dataclass(frozen=True)
class Option:
    """What there is to say of an option, for all that have it."""

    name: str
    default: Any
    kind: Kind
    help: str  #: A sentence without surface: no dashes, no brackets of Python.
    group: str
    example: Any  #: A value as JSON has it.
    unit: str
    metavar: str
    usual: str  #: The default in words, where it is not a value.
    for_images: bool  #: Whether fits of images have it as well.
    #: Its value in the options of a fit; None where it was not given, or where they do not have it.
    value_in: Callable[[FitOptions], Any]

    @property
    def spelling(self) -> str:
        """As on a command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def label(self) -> str:
        """As sentences of the present surface name it."""
        return str(Phrase(self.spelling, keyword(self.spelling), self.name))

    @property
    def is_short(self) -> bool:
        """Whether one word says it, as of what is known of a sample: no list, and no names of parameters."""
        return self.group == KNOWN and self.kind.command is not list

    def check(self, value: Any) -> Any:
        """The value in its one form; None and what is empty are the default. Raises SasnetError."""
        if value is None or (isinstance(value, str | Sequence | Mapping) and not value):
            return self.default
        return self.kind.check(self.label, value)

    def parse(self, texts: Any) -> Any:
        """The value of what a command line has. Raises SasnetError."""
        if texts in (None, []):
            return self.default
        try:
            return self.check(self.kind.parse(texts))
        except ValueError as error:
            raise SasnetError(str(error)) from None

    @property
    def help_text(self) -> str:
        """The help, with a default that is no value."""
        return f"{self.help}  [default: {self.usual}]" if self.usual else self.help


def _option(
    default: Any,
    kind: Kind,
    help: str,
    group: str,
    example: Any,
    *,
    unit: str = "",
    metavar: str = "",
    usual: str = "",
    for_images: bool = False,
    value_in: Callable[[FitOptions], Any] | None = None,
) -> Any:
    about = {
        "kind": kind, "help": help, "group": group, "example": example, "unit": unit,
        "metavar": metavar or kind.metavar, "usual": usual, "for_images": for_images, "value_in": value_in,
    }  # fmt: skip
    return field(default=default, metadata=about)


def _of_contrast(name: str) -> Callable[[FitOptions], Any]:
    return lambda options: None if options.contrast is None else getattr(options.contrast, name)


def _start_in(options: FitOptions) -> Any:
    """Values of a start as the command line gives them: of the one model that is named."""
    start = options.start
    return start.parameters if start is not None and options.models == (start.model,) else None


def _of_dream(name: str) -> Callable[[FitOptions], Any]:
    usual = getattr(Method(), name)
    return lambda options: None if getattr(options.method, name) == usual else getattr(options.method, name)


def _not_in_options(options: FitOptions) -> None:
    """How the file was read is among the other options, `FitOptions.also`."""


Names = str | Iterable[str]


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """What a user asks of a fit, checked; `asked.options_of` makes of it what the fit works with."""

    models: Names | None = _option(
        None, NAMES, "Only these models; for fits also plugin files.", MODELS,
        ["sphere", "cylinder"], for_images=True,
    )  # fmt: skip
    exclude: Names = _option((), NAMES, "All models but these.", MODELS, ["onion"])
    top: int = _option(FitOptions.top, _count(1), "Number of models to list, or to fit.", MODELS, 3)
    prior: str = _option(
        FitOptions.prior, _one_of(*PRIORS),
        "common: common models have more weight; uniform: all have the same.", MODELS, "uniform",
    )  # fmt: skip
    structure_factor: str | None = _option(
        None, WORD, "Fit only with this structure factor; 'none' for none.", MODELS, "none"
    )
    sample_kind: str | None = _option(
        None, _one_of(*SAMPLE_KINDS),
        "Kind of sample. protein: fit only models of proteins; add Rg, D_max and molecular weight.", KNOWN,
        "protein", metavar="KIND",
    )  # fmt: skip
    fixed: Mapping[str, float] | None = _option(
        None, VALUES, "Keep parameters fixed at values.", KNOWN, {"sld": 4.0}, for_images=True
    )
    ranges: Mapping[str, tuple[float, float]] | None = _option(
        None, RANGES, "Fit parameters only within these ranges.", KNOWN, {"radius": [10.0, 200.0]}
    )
    fitted: Names = _option(
        (), NAMES, "Fit these parameters in each model that has them, such as sld_solvent,radius_pd.",
        KNOWN, ["radius_pd"],
    )  # fmt: skip
    start: Mapping[str, float | str] | None = _option(
        None, START,
        "Extra starting values of the one model that is named. What is not fitted keeps its value.", KNOWN,
        {"radius": 60.0}, value_in=_start_in,
    )  # fmt: skip
    sample: str | None = _option(
        None, WORD,
        "Material of the particles, such as SiO2@2.2 (g/cm³); fixes its scattering length density.", KNOWN,
        "SiO2@2.2", metavar="FORMULA@DENSITY", value_in=_of_contrast("sample_name"),
    )  # fmt: skip
    solvent: str | None = _option(
        None, WORD, "Solvent: D2O, 40%D2O, toluene, or FORMULA@DENSITY.", KNOWN, "D2O", metavar="NAME",
        value_in=_of_contrast("solvent_name"),
    )  # fmt: skip
    probe: str = _option(
        PROBES[0], _one_of(*PROBES), "Probe of sample and solvent: neutron or xray.", KNOWN, "xray",
        value_in=_of_contrast("probe"),
    )  # fmt: skip
    temperature: str | float | None = _option(
        None, TEMPERATURE,
        "Temperature of the sample, such as 310 (K) or '25 C': what a charge means depends on it.", KNOWN,
        "37 C", unit="K", metavar="T",
    )  # fmt: skip
    wavelength: float | None = _option(
        None, _number("a number", metavar="Å"),
        "Wavelength of a curve against the angle 2θ, if the file gives none, such as 1.5418; in a fit also"
        " for X-rays.",
        READ, 1.5418, unit="Å", for_images=True, value_in=_not_in_options,
    )  # fmt: skip
    method: str = _option(
        METHODS[0], _one_of(*METHODS),
        "Treat the best fit further: amoeba, de, or dream (credible intervals).", FITTED, "amoeba",
        value_in=lambda options: options.method.name,
    )  # fmt: skip
    samples: int | None = _option(
        None, _count(1, MOST_SAMPLES), "Samples of dream.", FITTED, 5000, usual=str(Method.samples),
        value_in=_of_dream("samples"),
    )  # fmt: skip
    burn: int | None = _option(
        None, _count(0), "Steps of dream's chains before the first draw.", FITTED, 50, usual=str(Method.burn),
        value_in=_of_dream("burn"),
    )  # fmt: skip
    time_limit: float = _option(
        FitOptions.time_limit, _number("a number of seconds", least=1.0),
        "Time limit per data set in seconds; extended by 60 s until the first fit finishes.", FITTED, 30.0,
        unit="s", for_images=True,
    )  # fmt: skip
    workers: int = _option(
        FitOptions.workers, _count(1), "Number of processes on this machine.", RUNS, 1, for_images=True
    )

    def __post_init__(self) -> None:
        for about in options_of_request(type(self)):
            object.__setattr__(self, about.name, about.check(getattr(self, about.name)))
        if self.method != "dream" and (self.samples, self.burn) != (None, None):
            labels = " and ".join(OPTIONS[name].label for name in ("samples", "burn"))
            raise SasnetError(f"{labels}: these options need {OPTIONS['method'].label} dream.")


@dataclass(frozen=True, kw_only=True)
class FileRequest(FitRequest):
    """The same of data in a file, with how it is read."""

    q_range: tuple[float | None, float | None] | None = _option(
        None, Q_RANGE, "Use only q from A to B, in Å⁻¹; give both ends or one.", READ, [0.01, 0.3],
        unit="Å⁻¹", for_images=True, value_in=_not_in_options,
    )  # fmt: skip
    q_unit: str | None = _option(
        None, Q_UNIT, "Unit of q, A (Å⁻¹) or nm (nm⁻¹), if the file gives none or a wrong one.", READ, "nm",
        for_images=True, value_in=_not_in_options,
    )  # fmt: skip
    entry: str | None = _option(
        None, WORD, "Only this entry of a file with several.", READ, "run 2", for_images=True,
        value_in=_not_in_options,
    )  # fmt: skip

    @property
    def window(self) -> tuple[float, float] | None:
        """The q range, infinite where it has no end, Å⁻¹."""
        if self.q_range is None:
            return None
        low, high = self.q_range
        return -math.inf if low is None else float(low), math.inf if high is None else float(high)


def options_of_request(request: type[FitRequest]) -> tuple[Option, ...]:
    """The options that a request has, in their order."""
    return tuple(
        Option(f.name, f.default, **{**f.metadata, "value_in": f.metadata["value_in"] or _value_of(f.name)})
        for f in fields(request)
        if "kind" in f.metadata
    )


def _value_of(name: str) -> Callable[[FitOptions], Any]:
    return lambda options: getattr(options, name)


#: All options by name.
OPTIONS: Mapping[str, Option] = {about.name: about for about in options_of_request(FileRequest)}
#: Options about how a file is read alone.
READING = tuple(OPTIONS.keys() - {about.name for about in options_of_request(FitRequest)})
#: What follows for the best fit of one curve by hand.
REFINING = ("method", "samples", "burn")


def request_from_json(body: Mapping[str, Any], *, without: Iterable[str] = ()) -> FileRequest:
    """Return the request that a JSON object holds, whatever else it holds. Raises SasnetError."""
    names = OPTIONS.keys() & body.keys() - set(without)
    for name in names:
        if OPTIONS[name].kind.command is list and isinstance(body[name], str):
            raise SasnetError(f"{OPTIONS[name].label} must be a list of names, not {body[name]!r}.")
    return FileRequest(**{name: body[name] for name in names})


def list_given(options: FitOptions) -> dict[str, Any]:
    """The options with their values, as the command calls them; what was left to its default is left out."""
    given = {}
    for about in OPTIONS.values():
        value = about.value_in(options)
        if value not in (None, "", (), {}, about.default):
            given[about.spelling] = value
    return given | dict(options.also)


def list_changed(request: FitRequest) -> dict[str, Any]:
    """The options of a request that differ from their defaults, as the command calls them."""
    values = [(about, getattr(request, about.name)) for about in options_of_request(type(request))]
    return {about.spelling: value for about, value in values if value != about.default}


def list_words(options: Mapping[str, Any]) -> list[str]:
    """Options with their values as words of a command; None is left out, an empty text is a switch."""
    words = []
    for option, value in options.items():
        for text in _list_texts(option, value):
            words += [option, text] if text else [option]
    return words


def _list_texts(option: str, value: Any) -> list[str]:
    """An option's value as a shell takes it, one text for each time that the option is repeated."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        pairs = [f"{name}={text_of(item)}" for name, item in value.items()]
        return [",".join(pairs)] if option == "--start" else pairs
    return text_of(value).split("\n")


def text_of(value: Any) -> str:
    """Names between commas, ends of a range on both sides of a colon, a number by `exact`; text as it is."""
    if not isinstance(value, tuple):
        return exact(value)
    if are_names(value):
        return ",".join(value)
    return ":".join("" if end is None else exact(end) for end in value)


def are_names(value: Sequence[Any]) -> bool:
    """Whether all are texts, as ends of a range are not."""
    return all(isinstance(item, str) for item in value)


def exact(value: float | str) -> str:
    """The shortest text that is read as this very number; a word as it is."""
    if isinstance(value, str):
        return value
    return short if float(short := f"{value:g}") == value else repr(float(value))


# --- A function with the options in place of a parameter.


def replace_parameter(
    name: str, make: Callable[..., Any], options: Mapping[str, inspect.Parameter]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a function options in place of a parameter, which becomes what is made of them."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        parameters: list[inspect.Parameter] = []
        signature = inspect.signature(function, eval_str=True)
        for p in signature.parameters.values():
            parameters += options.values() if p.name == name else [p]
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]

        @wraps(function)
        def call(**arguments: Any) -> Any:
            given = {option: arguments.pop(option) for option in options if option in arguments}
            return function(**{name: make(**given)}, **arguments)

        async def call_later(**arguments: Any) -> Any:
            return await call(**arguments)

        is_async = inspect.iscoroutinefunction(function)
        taking: Any = wraps(function)(call_later) if is_async else call
        taking.__signature__ = signature.replace(parameters=parameters)
        taking.__annotations__ = {p.name: p.annotation for p in parameters}
        return cast(Callable[..., Any], taking)

    return decorate


_Data = TypeVar("_Data")
_Made = TypeVar("_Made")
_Answer = TypeVar("_Answer")
_P = ParamSpec("_P")


def take_keywords(
    make: Callable[_P, _Made],
) -> Callable[[Callable[[_Data, _Made], _Answer]], Callable[Concatenate[_Data, _P], _Answer]]:
    """Give a function of data and a request the options of the request as keywords; ``{options}`` in its
    docstring becomes what there is to say of them.
    """

    def decorate(function: Callable[[_Data, _Made], _Answer]) -> Callable[Concatenate[_Data, _P], _Answer]:
        data, _ = inspect.signature(function, eval_str=True).parameters.values()
        types = get_type_hints(make)
        keywords = [p.replace(annotation=types[p.name]) for p in inspect.signature(make).parameters.values()]
        signature = inspect.Signature([data, *keywords])

        @wraps(function)
        def call(*args: Any, **keywords: Any) -> Any:
            given = signature.bind(*args, **keywords).arguments
            source = given.pop(data.name)
            return function(source, cast(Callable[..., _Made], make)(**given))

        call.__signature__ = signature  # type: ignore[attr-defined]
        call.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        options = [OPTIONS[p.name] for p in signature.parameters.values() if p.name in OPTIONS]
        call.__doc__ = (function.__doc__ or "").replace("{options}", "".join(map(_describe, options)).strip())
        return call

    return decorate


def _describe(about: Option) -> str:
    optional = ", optional" if about.default is None else ""
    return f"    {about.name} : {about.kind.python}{optional}\n        {about.help_text}\n"
