"""Quantities that models of different names share, such as the outer radius, and what is beyond the data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ...files import read_tables
from ..result.components import bare
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..result.reported_values import is_determined, list_undetermined, sum_of, value_of
from .names import unit_of
from .settings import VERDICT

#: Model -> quantity -> parameters whose sum it is; "name*" stands for all numbered ones, 2 for twice.
_OF: Mapping[str, Mapping[str, Sequence[str]]] = read_tables(__file__)


@dataclass(frozen=True)
class Size:
    """A quantity of a fit."""

    name: str
    value: float
    error: float | None  #: One standard deviation; None where it is not known.
    unit: str
    parts: tuple[str, ...]  #: Names of the parameters that it is the sum of.
    weight: float = 1.0  #: Of its fit, over the best one's.
    mean: bool = False  #: The number mean of a size distribution.

    @property
    def title(self) -> str:
        """Its name, that of a mean called so."""
        return f"number-mean {self.name}" if self.mean else self.name


def sizes(fit: ModelFit) -> dict[str, Size]:
    """Return sizes that other models have, too, by name, such as "outer radius".

    Empty for sums and for models that `_OF` does not list, such as ellipsoids.
    """
    found_sizes = {}
    for name, parts in _OF.get(fit.model, {}).items():
        names = tuple(chain.from_iterable(_expand_part(part, fit) for part in parts))
        if names and set(names) <= set(fit.parameters):
            found_sizes[name] = _sum(name, names, fit)
    return found_sizes


def _sum(name: str, parts: tuple[str, ...], fit: ModelFit) -> Size:
    value, error = sum_of(fit, parts)
    return Size(name, value, error, fit.parameters[parts[0]].unit, parts, mean=has_distribution(parts, fit))


def has_distribution(names: Iterable[str], fit: ModelFit) -> bool:
    """Whether a size among these is distributed: then the number mean is what is reported."""
    widths = (fit.parameters.get(f"{name}_pd") for name in names)
    return any(width is not None and width.value > 0 for width in widths)


def sums(fit: ModelFit) -> list[Size]:
    """Select `sizes` that are made up of several parameters."""
    return [size for size in sizes(fit).values() if len(size.parts) > 1]


def list_summed(fit: ModelFit) -> set[str]:
    """Names of the parameters that make up `sums`."""
    return {part for size in sums(fit) for part in size.parts}


def list_open(result: FitResult) -> list[str]:
    """Names of lengths that are not determined, nor part of one that is."""
    best = result.fits[0]
    hidden = list_summed(best) | set(find_lower_bounds(best))
    return [name for name in list_undetermined(best) if name not in hidden]


def largest(fit: ModelFit) -> float:
    """Return the longest of `sizes`, Å, not of all parameters; 0 where there is none."""
    return max((size.value for size in sizes(fit).values() if size.unit == "Ang"), default=0.0)


def _expand_part(part: str, fit: ModelFit) -> list[str]:
    if not part.endswith("*"):
        return [part]
    stem = part.removesuffix("*")
    count = next((int(fit.parameters[n].value) for n in ("n", "n_shells") if n in fit.parameters), 1)
    numbered = [f"{stem}{i}" for i in range(1, count + 1)]
    return numbered if set(numbered) <= set(fit.parameters) else []


def comparable(size: Size, other_size: Size) -> bool:
    """Whether another fit's quantity is the same thing: a faint shell around it would be another body."""
    return abs(other_size.value - size.value) <= VERDICT.comparable * abs(size.value)


def spread(size: Size, other_sizes: Iterable[Size]) -> float | None:
    """Error of a quantity over all equally good fits: the root of its total variance."""
    equal_sizes = [other_size for other_size in other_sizes if comparable(size, other_size)]
    if size.error is None or not equal_sizes:
        return size.error
    apart = sum(other_size.weight * (other_size.value - size.value) ** 2 for other_size in equal_sizes)
    return math.sqrt(size.error**2 + apart / (1 + sum(other_size.weight for other_size in equal_sizes)))


def make_size(name: str, fit: ModelFit) -> Size | None:
    """A parameter as a quantity of its own; None where the fit does not have or determine it."""
    p = fit.parameters.get(name)
    if p is None or not is_determined(name, p):
        return None
    value, error = value_of(fit, name)
    if bare(name) == "rg_squared" and value > 0:  # as people and other models know it
        root = math.sqrt(value)
        return Size(name, root, None if error is None else error / (2 * root), "Ang", (name,))
    unit = unit_of(fit.model, bare(name), p.unit)
    return Size(name, value, error, unit, (name,), mean=has_distribution([name], fit))


def find_agreement(fits: Sequence[ModelFit]) -> Size | None:
    """A quantity that is comparable in most of some fits; None where there is none."""
    # Its error is no less than any of theirs, and holds how far apart they are.
    groups: dict[str, list[tuple[str, Size]]] = {}
    for fit in fits:
        for name, size in sizes(fit).items():
            groups.setdefault(name, []).append((fit.model, size))
    of_most = (
        [size for _, size in size_group] for size_group in groups.values() if _are_most(size_group, len(fits))
    )
    return next(filter(None, map(_common, of_most)), None)


def _are_most(size_group: Sequence[tuple[str, Size]], fits: int) -> bool:
    """Whether half of the fits and more have a quantity, and two models at least."""
    return len({model for model, _ in size_group}) >= 2 and 2 * len(size_group) >= fits


def _common(equal_sizes: Sequence[Size]) -> Size | None:
    values, errors = [size.value for size in equal_sizes], [size.error or 0.0 for size in equal_sizes]
    mean, error = float(np.mean(values)), float(np.hypot(np.std(values, ddof=1), max(errors)))
    apart = max(values) - min(values) > VERDICT.comparable * abs(mean)
    if apart or not error < VERDICT.comparable * abs(mean):
        return None
    return Size(
        equal_sizes[0].name, mean, error, equal_sizes[0].unit, (), mean=any(size.mean for size in equal_sizes)
    )


def find_lower_bounds(fit: ModelFit) -> dict[str, float]:
    """Lengths of which only that they are longer than the data show is known: the longest of these, Å."""
    return {name: p.at_least for name, p in fit.parameters.items() if p.at_least is not None}
