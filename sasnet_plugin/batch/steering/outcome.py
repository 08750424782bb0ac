"""An answer as numbers by name, such as events carry them, the same names for every curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...domains.heads import Classes
from ..live.line import NUMBERS, SHARE, Said

if TYPE_CHECKING:
    from ...predict import Predictor


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
