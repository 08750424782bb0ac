"""Sizes beyond those that a network was trained with: what it says of such a sample means nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .findings import QuantitiesFinding

#: Quantities that make a sample another one; resolutions or backgrounds beyond training only cost precision.
_SIZES = ("lattice", "radius", "spacing")


def beyond_training(findings: Iterable[Any]) -> list[str]:
    """Sentences on sizes that lie beyond training by more than their errors.

    A network knows no larger sizes, but what it extrapolates is beyond the range as well: of lattices of 450
    and 510 Å it says 431 and 435, trained with up to 420.
    """
    said = []
    for finding in findings:
        for parameter in finding.head.parameters if isinstance(finding, QuantitiesFinding) else ():
            value = finding.known.get(parameter.name)
            if parameter.name not in _SIZES or value is None:
                continue
            low, high = parameter.prior
            if value.value - value.error > high or value.value + value.error < low:
                said.append(
                    f"{parameter.name} would be {value.value:.3g} {parameter.unit}, beyond the {low:g} to"
                    f" {high:g} {parameter.unit} that this model was trained with."
                )
    return said
