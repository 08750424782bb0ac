"""An answer as numbers by name, such as events carry them, the same names for every curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...domains.heads import Classes
from ..live.line import NUMBERS, SHARE, Said

if TYPE_CHECKING:
    from ...predict import Predictor


def groups_of(predictor: Predictor) -> tuple[str, ...]:
    """Names of the groups of models that a network of curves tells apart."""
    heads = (head for head in predictor.manifest.heads if isinstance(head, Classes) and not head.given)
    return tuple(group.name for group in next(heads).groups)


def outcome_of(about: Said | None, groups: Sequence[str]) -> dict[str, float | str]:
    """What is known of a curve; NaN and empty words where nothing is.

    ``p GROUP`` are probabilities of the network's groups; numbers without a model come with ``…_error``, one
    standard deviation.
    """
    about = Said(False, math.nan) if about is None else about
    found: dict[str, float | str] = {
        "group": about.group,
        "model": about.model,
        "model_probability": float(about.model_probability),
        "in_scope": float(about.in_scope),
        "second_component": float(about.second),
        "interacting": float(about.interacting),
    }
    for number in NUMBERS:
        value, error = about.numbers.get(number.name, (math.nan, math.nan))
        found[number.name], found[f"{number.name}_error"] = float(value), float(error)
    return found | {f"{SHARE}{name}": float(about.shares.get(name, math.nan)) for name in groups}
