"""Which parameters the curves of a sample share, which each has of its own, and how their scales go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...data.sample.expression import Expression
from ...data.sample.sample import (
    ALWAYS_OWN,
    CONCENTRATIONS,
    CONTRASTS,
    MAGNETIC,
    PROBES,
    SERIES,
    SETTINGS,
    Sample,
)
from ...simulate.priors import model_info
from ...types import Curve, SasnetError, product_name
from ..result.components import bare
from .free_parameters import SALT

#: A background may be so many times the intensity at a curve's end, the last tenth of its points.
_BACKGROUND, _END = 2.0, 10


@dataclass(frozen=True)
class Plan:
    """Of one model for one sample."""

    #: Parameters that each curve has of its own, scale and background besides.
    own: frozenset[str] = frozenset()
    known: tuple[dict[str, float], ...] = ()  #: Of each curve, values that are not fitted.
    #: Of each curve's scale, to a common one; None: the scales have nothing to do with each other.
    factors: tuple[float, ...] | None = None
    ties: Mapping[str, Expression] = field(default_factory=dict)
    given: tuple[Mapping[str, float], ...] = ()  #: Numbers of each curve that ties name.
    background: float = np.inf  #: Standard deviation of each curve's background about none, 1/cm.
    #: All densities of a curve are its own and free: a factor of its contrasts is one of its scale.
    relative: bool = False

    def split(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """Split names to search for into those that curves share and those that each has of its own."""
        free = [n for n in names if n not in self.ties and not self._is_known(n)]
        own = [n for n in free if n in self.own or any(n in values for values in self.known)]
        return [n for n in free if n not in own], own

    @property
    def names_held(self) -> set[str]:
        """What is tied, or known of some curve."""
        return {*self.ties, *(name for values in self.known for name in values)}

    @property
    def linear_constants(self) -> frozenset[str]:
        # Scale and background where a user gives them and no calibration joins the scales.
        return frozenset(ALWAYS_OWN) & self.names_held if self.factors is None else frozenset()

    def _is_known(self, name: str) -> bool:
        """Whether no curve has to be fitted for it."""
        return bool(self.known) and all(name in values for values in self.known)

    def apply_ties(self, parameters: dict[str, Any], i: int) -> None:
        """Set what ties determine of the parameters of curve i."""
        given = self.given[i] if self.given else {}
        for name, tie in self.ties.items():
            parameters[name] = tie.value({**parameters, **given})


def plan_of(sample: Sample, model: str, factor: str | None, fixed: Mapping[str, float]) -> Plan:
    """Plan what a kind of sample shares, unless its description says otherwise; `fixed` values hold for all
    curves. Raises SasnetError if a tie needs an unknown name.
    """
    table = model_info(product_name(model, factor)).parameters.call_parameters
    names = [p.name for p in table if p.type not in ("magnetic", "orientation")]
    own_names = _own(sample, names, factor)
    known_values = _collect_known(sample, names, fixed)
    ties = {name: tie for name, tie in sample.ties.items() if name in names}
    _check_ties(sample, model, set(names), ties)
    factors = _factors(sample, factor)
    densities = {p.name for p in table if p.type == "sld"}
    given_names = {name for values in known_values for name in values}
    free = densities <= own_names and not (densities | {"scale"}) & given_names
    if (free and sample.kind != SETTINGS) or "scale" in fixed:
        factors = None  # where contrasts are one, so is the scale of what has no density
    is_known = sample.kind == SETTINGS and "background" not in fixed
    background = _lowest(sample.curves) if is_known else np.inf
    own_names = {*own_names, *ALWAYS_OWN} - set(ties)
    return Plan(frozenset(own_names), known_values, factors, ties, sample.values, background, free)


def _own(sample: Sample, names: Sequence[str], factor: str | None) -> set[str]:
    custom = {name for name in names if _is_own(sample.kind, name, factor)}
    return (custom - sample.share) | (sample.own & {*names, *(f"{name}_pd" for name in names)})


def _collect_known(
    sample: Sample, names: Sequence[str], fixed: Mapping[str, float]
) -> tuple[dict[str, float], ...]:
    around = [name for name in names if "solvent" in name and name not in fixed]
    return tuple(
        dict(fixed) | ({} if value is None else dict.fromkeys(around, float(value)))
        for value in sample.solvents or (None,) * len(sample.curves)
    )


def _lowest(curves: Sequence[Curve]) -> float:
    """A flat background is in all settings: a bright one has no larger one than the dimmest, 1/cm."""
    ends = [np.abs(c.intensity[-max(len(c) // _END, 1) :]) for c in curves]
    return _BACKGROUND * min(float(np.median(end)) for end in ends) or np.inf


def _check_ties(sample: Sample, model: str, names: set[str], ties: Mapping[str, Expression]) -> None:
    for name, tie in ties.items():
        for needed in tie.names - names:
            if not all(needed in values for values in sample.values):
                raise SasnetError(
                    f"{name} = {tie.text}: {needed} is not a parameter of {model}, and some curves have no"
                    f" value of it; give it in [values.{needed}] of the sample file."
                )


def _is_own(kind: str, name: str, factor: str | None) -> bool:
    plain = bare(name)
    if kind == CONTRASTS:
        return "solvent" in name
    if kind in (PROBES, MAGNETIC):
        return "sld" in name
    if kind == CONCENTRATIONS:
        return factor is not None and plain in ("volfraction", SALT)
    return kind == SERIES


def _factors(sample: Sample, factor: str | None) -> tuple[float, ...] | None:
    """How scales go together; of particles with neighbours the volume fraction is what changes."""
    count = len(sample.curves)
    if any(value is not None for value in sample.scale):
        return tuple(1.0 if v is None else v for v in sample.scale)
    if sample.kind in (SETTINGS, CONTRASTS):
        return (1.0,) * count
    if sample.kind == CONCENTRATIONS and factor is not None:
        return (1.0,) * count
    if (
        sample.kind == CONCENTRATIONS
        and sample.concentrations
        and all(c is not None for c in sample.concentrations)
    ):
        return tuple(float(c or 1.0) for c in sample.concentrations)
    return None
