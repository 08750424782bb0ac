"""An answer as numbers by name, such as events carry them, the same names for every curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...domains.heads import Classes
from ...predict.tags import COMPONENTS
from ..live.line import NUMBERS, SHARE, Said

if TYPE_CHECKING:
    from ...predict import Predictor


@dataclass(frozen=True)
class Names:
    """What a network of curves tells apart.

    Parameters
    ----------
    groups : tuple of str
        Of models.
    second : float
        Probability of a second component from which on the network says that there is one.
    """

    groups: tuple[str, ...]
    second: float = 0.5


def names_of(predictor: Predictor) -> Names:
    """Of a network."""
    manifest = predictor.manifest
    heads = (head for head in manifest.heads if isinstance(head, Classes) and not head.given)
    thresholds = manifest.calibration.get(COMPONENTS, {}).get("threshold", [0.5])
    return Names(tuple(group.name for group in next(heads).groups), float(thresholds[0]))


def outcome_of(about: Said | None, names: Names) -> dict[str, float | str]:
    """What is known of a curve; NaN and empty words where nothing is.

    ``p GROUP`` are probabilities of the network's groups; numbers without a model come with ``…_error``, one
    standard deviation. ``two_populations`` is the probability of a second component, stretched so that the
    network's own threshold lies at a half: it is rarely sure of one, and yet seldom wrong beyond it.
    """
    about = Said(False, math.nan) if about is None else about
    found: dict[str, float | str] = {
        "group": about.group,
        "model": about.model,
        "model_probability": float(about.model_probability),
        "in_scope": float(about.in_scope),
        "second_component": float(about.second),
        "two_populations": _stretched(float(about.second), names.second),
        "interacting": float(about.interacting),
    }
    for number in NUMBERS:
        value, error = about.numbers.get(number.name, (math.nan, math.nan))
        found[number.name], found[f"{number.name}_error"] = float(value), float(error)
    return found | {f"{SHARE}{name}": float(about.shares.get(name, math.nan)) for name in names.groups}


def _stretched(p: float, threshold: float) -> float:
    return 0.5 * p / threshold if p < threshold else 0.5 + 0.5 * (p - threshold) / (1 - threshold)
