"""Settings that say what is decided by them: numbers that remember every comparison that they take part in.

`watch` replaces the values of a settings instance by floats that behave as such and note, for each problem,
how often each was read, on which side of it the other number of a comparison lay, and how far off. A setting
that is only compared, always with the same outcome and never closer than a factor two, changes nothing in
these problems, however it is turned within that factor: no second run is needed to know that.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Uses:
    """What happened to a setting."""

    read: int = 0  #: Times that its value was asked for.
    #: below, above: comparisons in which the other number was smaller, or not smaller.
    below: int = 0
    above: int = 0
    #: Smallest absolute logarithm of the ratio of the two numbers; inf where their signs differ.
    margin: float = math.inf
    #: Times that it went into a calculation with arrays, or changed its kind, where it is lost from sight.
    formula: int = 0

    def compared(self, value: float, other: float) -> None:
        """Note one comparison."""
        if other < value:
            self.below += 1
        else:
            self.above += 1
        if value * other > 0:
            self.margin = min(self.margin, abs(math.log(abs(other)) - math.log(abs(value))))
        elif value == other:
            self.margin = 0.0


@dataclass
class Record:
    """The uses of every setting since it was cleared."""

    uses: dict[str, Uses] = field(default_factory=dict)

    def of(self, name: str) -> Uses:
        """Of one setting, ``room.name``."""
        return self.uses.setdefault(name, Uses())


RECORD = Record()
Names = frozenset[str]


def _noted(value: float, names: Names, others: Any) -> None:
    for other in np.ravel(np.asarray(others, float)):
        for name in names:
            RECORD.of(name).compared(value, float(other))


def _lost(names: Names) -> None:
    for name in names:
        RECORD.of(name).formula += 1


def _names(*values: Any) -> Names:
    return frozenset().union(*(v.names for v in values if isinstance(v, Watched)))


_COMPARED = {np.less, np.less_equal, np.greater, np.greater_equal, np.minimum, np.maximum}


class Watched(float):
    """A float that is some settings' or was calculated from such, and notes its comparisons."""

    names: Names

    def __new__(cls, value: float, names: Names) -> Watched:
        found = super().__new__(cls, value)
        found.names = names
        return found

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [float(x) if isinstance(x, Watched) else x for x in inputs]
        if method == "__call__" and ufunc in _COMPARED:
            for own, other in (plain, plain[::-1]):
                which = inputs[0] if own is plain[0] else inputs[1]
                if isinstance(which, Watched):
                    _noted(float(which), which.names, other)
            return getattr(ufunc, method)(*plain, **options)
        result = getattr(ufunc, method)(*plain, **options)
        if np.ndim(result) == 0 and isinstance(result, (float, np.floating)):
            return Watched(float(result), _names(*inputs))
        _lost(_names(*inputs))
        return result

    def __reduce__(self) -> Any:
        return float, (float(self),)

    def __hash__(self) -> int:
        return float.__hash__(self)

    def __int__(self) -> int:
        _lost(self.names)
        return int(float(self))


def _comparison(name: str) -> Callable[..., Any]:
    plain = getattr(float, name)

    def compare(self: Watched, other: Any) -> Any:
        if isinstance(other, (np.ndarray, np.generic)) and not isinstance(other, float):
            return NotImplemented
        if isinstance(other, (int, float)):
            _noted(float(self), self.names, float(other))
            if isinstance(other, Watched):
                _noted(float(other), other.names, float(self))
        return plain(self, other)

    return compare


def _arithmetic(name: str) -> Callable[..., Any]:
    plain = getattr(float, name)

    def calculate(self: Watched, *others: Any) -> Any:
        if any(isinstance(o, np.ndarray) for o in others):
            return NotImplemented
        result = plain(self, *(float(o) if isinstance(o, (int, float)) else o for o in others))
        return Watched(result, _names(self, *others)) if isinstance(result, float) else result

    return calculate


for _name in ("__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Watched, _name, _comparison(_name))
for _name in ("add", "sub", "mul", "truediv", "pow"):
    for _form in (f"__{_name}__", f"__r{_name}__"):
        setattr(Watched, _form, _arithmetic(_form))
for _name in ("__neg__", "__abs__"):
    setattr(Watched, _name, _arithmetic(_name))


def _watched(value: Any, name: str) -> Any:
    """A number, or the numbers of a mapping or a tuple; whole numbers and others stay what they are."""
    names = frozenset({name})
    if isinstance(value, float):
        return Watched(value, names)
    if isinstance(value, Mapping):
        return {key: _watched(each, name) for key, each in value.items()}
    if isinstance(value, tuple) and value and all(isinstance(v, float) for v in value):
        return tuple(Watched(v, names) for v in value)
    return value


def watch(room: str, settings: Any) -> None:
    """Replace an instance's values by watched ones, and count how often each is asked for."""
    kind = type(settings)
    fields = {each.name for each in dataclasses.fields(settings)}
    for name in fields:
        object.__setattr__(settings, name, _watched(getattr(settings, name), f"{room}.{name}"))

    def read(self: Any, name: str) -> Any:
        if name in fields and self is settings:
            RECORD.of(f"{room}.{name}").read += 1
        return object.__getattribute__(self, name)

    kind.__getattribute__ = read


def change(settings: Any, name: str, text: str) -> None:
    """Give a setting another value: a factor (``x2``), or a value as Python writes it."""
    import ast

    value = getattr(settings, name)
    factor = float(text[1:]) if text.startswith("x") else None
    times: Callable[[Any], Any] = lambda v: type(v)(operator.mul(v, factor))  # noqa: E731
    if factor is None:
        found = ast.literal_eval(text)
    elif isinstance(value, Mapping):
        found = {key: times(each) for key, each in value.items()}
    elif isinstance(value, tuple):
        found = tuple(times(each) for each in value)
    else:
        found = times(value)
    object.__setattr__(settings, name, found)
