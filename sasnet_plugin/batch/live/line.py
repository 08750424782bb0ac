"""One model fitted to each curve of a series, from where the fit of the curve before has ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from ...domains.heads import Classes
from ...model_free import ModelFree
from ...predict import Answer, Predictor
from ...predict.classes import ClassesFinding
from ...predict.described import SizeFinding
from ...predict.tags import COMPONENTS, TAG, InteractionFinding, TagsFinding
from ...types import Curve, SasnetError
from ...zoo import bank_path

if TYPE_CHECKING:
    from ...fitting.result.model_fit import ModelFit
    from ...simulate.bank import Bank


# --- One model fitted to each curve of a series, from where the fit of the curve before has ended.

#: Seconds of evaluations for a curve that follows another, and for one to which the model is new.
_NEXT, _FIRST = 1.0, 8.0
#: Reduced χ² above which, and by how much larger than before, a fit may have lost its way and starts anew.
_POOR, _WORSE = 2.0, 2.0


def parameters_of(name: str) -> list[tuple[str, str]]:
    """List names and units of the parameters of a sasmodels model, such as ``sphere@hardsphere``. Raises
    SasnetError for an unknown model.
    """
    from ...simulate.kernel import load_model

    form, _, factor = name.partition("@")
    parameters: list[tuple[str, str]] = [("scale", ""), ("background", "1/cm")]
    for part in filter(None, (form, factor)):
        try:
            info = load_model(part).info
        except Exception as error:
            raise SasnetError(f"{name}: sasmodels has no model {part!r}; see 'sasnet fit --help'.") from error
        for parameter in info.parameters.kernel_parameters:
            parameters += _list_names_and_units(parameter)
    return list(dict.fromkeys(parameters))


def _list_names_and_units(parameter: Any) -> Iterator[tuple[str, str]]:
    """Name and unit of each element of a parameter, a length's followed by its distribution's width."""
    for element in _elements(parameter):
        yield element, str(parameter.units)
        if parameter.polydisperse and parameter.type == "volume":
            yield f"{element}_pd", ""


def _elements(parameter: Any) -> list[str]:
    if parameter.length <= 1:
        return [str(parameter.id)]
    return [f"{parameter.id}{k}" for k in range(1, parameter.length + 1)]


@dataclass
class Fitted:
    """Fits a model to one curve after the other."""

    name: str  #: Form model and structure factor, ``sphere@hardsphere``.
    _before: ModelFit | None = None
    _bank: Bank | None = field(default=None, repr=False)

    def fit(self, curve: Curve) -> dict[str, tuple[float, float]]:
        """Value and error (one standard deviation) of what was fitted, and ``reduced_chisq``."""
        # Empty where no fit was found. The errors are those of the fit at its model: that the model explains
        # the curve is for reduced χ² to say.
        fit_found = self._fit_starting_from(curve, self._before)
        if self._before is not None and self._has_lost(fit_found, self._before):
            candidates = filter(None, (fit_found, self._fit_starting_from(curve, None)))
            fit_found = min(candidates, key=lambda fit: fit.reduced_chisq, default=None)
        if fit_found is None:
            return {}
        self._before = fit_found
        return _values_of(fit_found) | {"reduced_chisq": (fit_found.reduced_chisq, math.nan)}

    @staticmethod
    def _has_lost(fit: ModelFit | None, earlier: ModelFit) -> bool:
        """Whether a fit from the one before is none, or so much worse that the search begins anew."""
        return fit is None or fit.reduced_chisq > max(_POOR, _WORSE * earlier.reduced_chisq)

    def _fit_starting_from(self, curve: Curve, earlier: ModelFit | None) -> ModelFit | None:
        from ...fitting.api import uncertainties
        from ...fitting.pool import answer_of
        from ...fitting.problem.conventions import conventional
        from ...fitting.strategy.fit_candidate import fit_candidate
        from ...fitting.task import Budget, Task
        from ...simulate.bank import Bank

        if self._bank is None:
            self._bank = Bank(bank_path())
        form, _, factor = self.name.partition("@")
        sigma, _ = uncertainties(curve)
        start = ((), {}, _FIRST) if earlier is None else (*_carry_over_values(earlier), _NEXT)
        (starts, fixed, seconds) = start
        budget = Budget(seconds)
        task = Task(curve, sigma, form, factor or None, fixed=fixed, starts=starts, budget=budget)  # type: ignore[arg-type]
        answer = answer_of(fit_candidate, task, self._bank, budget)
        if isinstance(answer, Exception):
            return None
        # What begins anew, as after a pause, has the contrast that the frames before have: the usual one.
        return answer if earlier is not None else conventional(answer)


def _values_of(fit: ModelFit) -> dict[str, tuple[float, float]]:
    return {
        name: (p.value, math.nan if p.error is None else p.error)
        for name, p in fit.parameters.items()
        if not p.fixed
    }


def _carry_over_values(earlier: ModelFit) -> tuple[tuple[Mapping[str, Any], ...], dict[str, float]]:
    """Where the next fit starts, and what it has fixed."""
    values = {name: p.value for name, p in earlier.parameters.items()}
    # Scale and contrast do the same to a curve: the contrast must not change from frame to frame.
    fixed = {name: p.value for name, p in earlier.parameters.items() if p.fixed and "sld" in name}
    return (values,), fixed


# --- What the line of a curve says: what it is, with which probability, and its numbers without a
# --- model.

#: What stands first in a line.
HEAD = ("frame", "file", "entry", "part", "time", "in_scope", "note", "change_from", "change")
#: What the network says besides the groups' probabilities.
NAMED = (
    "group", "group_probability", "model", "model_probability", "second_component", "interacting",
)  # fmt: skip
#: Before the name of a group, over the column of its probability.
SHARE = "p "


@dataclass(frozen=True)
class Number:
    """A number of a curve that can be followed, with its error (one standard deviation)."""

    name: str
    unit: str
    #: From what a curve says without a model to value and error; None where it says nothing of it.
    of: Callable[[ModelFree], tuple[float, float] | None]

    @property
    def titles(self) -> tuple[str, str]:
        return make_column_titles(self.name, self.unit)


def make_column_titles(name: str, unit: str) -> tuple[str, str]:
    """Titles of the columns of a number and its error."""
    behind = f" [{unit}]" if unit else ""
    return f"{name}{behind}", f"{name}_error{behind}"


def _guinier(model_free: ModelFree, name: str) -> tuple[float, float] | None:
    guinier = model_free.guinier
    return (getattr(guinier, name), getattr(guinier, f"{name}_error")) if guinier else None


def _exponent(model_free: ModelFree) -> tuple[float, float] | None:
    porod = model_free.porod
    return (porod.exponent, porod.exponent_error) if porod else None  # type: ignore[union-attr]


def _slope(law: Any) -> tuple[float, float] | None:
    return (law.value, law.error) if law else None


def _peak(model_free: ModelFree) -> tuple[float, float] | None:
    peak = next(iter(model_free.peaks), None)
    return None if peak is None else (peak.q, peak.q_error)


#: Without a model.
NUMBERS = (
    Number("rg", "Å", lambda found: _guinier(found, "rg")),
    Number("i0", "", lambda found: _guinier(found, "i0")),
    Number("low_slope", "", lambda found: _slope(found.low)),
    Number("high_slope", "", lambda found: _slope(found.high)),
    Number("porod_exponent", "", _exponent),
    Number("peak_q", "Å⁻¹", _peak),
)


@dataclass(frozen=True)
class Said:
    """What is said of a curve."""

    #: It is something that the network knows; else nothing of the network is in the line but `in_scope`.
    known: bool
    in_scope: float
    several: bool = False  #: A second component seems to be there, by the network's own threshold.
    group: str = ""
    model: str = ""
    model_probability: float = math.nan
    #: second, interacting: probabilities of a second component and of an interaction; NaN where the network
    #: does not tell.
    second: float = math.nan
    interacting: float = math.nan
    shares: Mapping[str, float] = field(default_factory=dict)  #: Probability of each group.
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def _numbers_of(answer: Answer) -> dict[str, tuple[float, float]]:
    size = answer.finding(SizeFinding)
    if size is None or size.model_free is None:
        return {}
    values = [(number.name, number.of(size.model_free)) for number in NUMBERS]
    return {name: value for name, value in values if value is not None}


def _shares_of_groups(classes: ClassesFinding) -> dict[str, float]:
    share = dict(zip(classes.head.labels, classes.probability, strict=True))
    return {group.name: float(sum(map(share.__getitem__, group.members))) for group in classes.head.groups}


def summarise_answer(answer: Answer) -> Said:
    numbers = _numbers_of(answer)
    classes, tags = answer.finding(ClassesFinding), answer.finding(TagsFinding, COMPONENTS)
    # A mixture is outside of what has one model's name; that it is one is said all the same.
    second = math.nan if tags is None else float(tags.probability.get(TAG, math.nan))
    has_two = tags is not None and TAG in tags.present
    if not answer.known or classes is None:
        return Said(False, answer.in_scope, has_two, second=second, numbers=numbers)
    pairs = answer.finding(InteractionFinding)
    best = int(classes.probability.argmax())
    shares = _shares_of_groups(classes)
    return Said(
        True,
        answer.in_scope,
        has_two,
        max(shares, key=lambda name: shares[name], default=""),
        classes.head.labels[best],
        float(classes.probability[best]),
        second,
        math.nan if pairs is None else float(pairs.interacting),
        shares,
        numbers,
    )


@dataclass(frozen=True)
class CurveLines:
    """Lines of curves."""

    together: ClassVar[int] = 16

    groups: Sequence[str]
    fitted: Fitted | None = None  #: A model that is fitted to each curve.
    parameters: Sequence[tuple[str, str]] = ()  #: (name, unit), of that model.

    def titles(self) -> list[str]:
        numbers = list(chain.from_iterable(number.titles for number in NUMBERS))
        numbers += [title for name, unit in self.parameters for title in make_column_titles(name, unit)]
        if self.parameters:
            numbers.append("reduced_chisq")
        return [*HEAD, *NAMED, *numbers, *(f"{SHARE}{name}" for name in self.groups)]

    def cells(self, measurement: Any, answer: Answer | None) -> list[str]:
        """The cells after `HEAD`; what was not answered is empty."""
        about = Said(False, math.nan) if answer is None else summarise_answer(answer)
        fit = {} if answer is None or self.fitted is None else self.fitted.fit(measurement)
        share = about.shares.get(about.group, math.nan)
        rest = map(text, (about.model_probability, about.second, about.interacting))
        named_cells = [about.group, text(share), about.model, *rest]
        groups = (text(about.shares.get(name, math.nan)) for name in self.groups)
        return [*named_cells, *self._number_cells(dict(about.numbers) | fit), *groups]

    def _number_cells(self, values: Mapping[str, tuple[float, float]]) -> list[str]:
        names = [number.name for number in NUMBERS] + [name for name, _ in self.parameters]
        numbers = [text(x) for name in names for x in values.get(name, (math.nan, math.nan))]
        if self.parameters:
            numbers.append(text(values.get("reduced_chisq", (math.nan, math.nan))[0]))
        return numbers


def text(value: float) -> str:
    """Six digits; empty for NaN."""
    return f"{value:.6g}" if math.isfinite(value) else ""


# --- An answer as numbers by name, such as events carry them, the same names for every curve.


@dataclass(frozen=True)
class Names:
    """What a network of curves tells apart."""

    groups: tuple[str, ...]  #: Of models.


def names_of(predictor: Predictor) -> Names:
    heads = (head for head in predictor.manifest.heads if isinstance(head, Classes) and not head.given)
    return Names(tuple(group.name for group in next(heads).groups))


def outcome_of(about: Said | None, names: Names) -> dict[str, float | str]:
    """What is known of a curve; NaN and empty words where nothing is."""
    # ``p GROUP`` are probabilities of the network's groups; numbers without a model come with ``…_error``,
    # one standard deviation. ``two_populations`` is the probability of a second component where there may as
    # well be one as none (M. Saerens, P. Latinne, C. Decaestecker, Neural Comput. 14 (2002) 21): the network
    # expects one in few curves only, as it was taught, and a sample that is varied until it changes is no
    # such curve.
    about = Said(False, math.nan) if about is None else about
    outcome: dict[str, float | str] = {
        "group": about.group,
        "model": about.model,
        "model_probability": float(about.model_probability),
        "in_scope": float(about.in_scope),
        "second_component": float(about.second),
        "two_populations": _even(float(about.second)),
        "interacting": float(about.interacting),
    }
    for number in NUMBERS:
        value, error = about.numbers.get(number.name, (math.nan, math.nan))
        outcome[number.name], outcome[f"{number.name}_error"] = float(value), float(error)
    return outcome | {f"{SHARE}{name}": float(about.shares.get(name, math.nan)) for name in names.groups}


def _even(p: float) -> float:
    """A probability of a second component under the share that the network expects, under even shares."""
    from ...simulate.examples import MIXTURE_SHARE

    yes, no = p / MIXTURE_SHARE, (1 - p) / (1 - MIXTURE_SHARE)
    return yes / (yes + no)
