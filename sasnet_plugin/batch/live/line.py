"""What the line of a curve says: what it is, with which probability, and its numbers without a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from ...predict.classes import ClassesFinding
from ...predict.described import SizeFinding
from ...predict.tags import COMPONENTS, TAG, InteractionFinding, TagsFinding

if TYPE_CHECKING:
    from ...model_free import ModelFree
    from ...predict import Answer
    from .fitted import Fitted

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
        max(shares, key=lambda name: shares[name]) if shares else "",
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
