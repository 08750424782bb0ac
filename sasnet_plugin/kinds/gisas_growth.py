"""Patterns of growing films: what they are answered and simulated by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..domains import Simulator
from ..domains.gisas_growth import HEADS
from .patterns import PATTERNS


def trunk(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """From what the network reads to what its heads read, in Keras."""
    from ..train.trunks import one_side

    return one_side(inputs, sizes)


def simulator() -> Simulator:
    """Of patterns of growing films."""
    from ..simulate.growth.simulator import SIMULATOR

    return SIMULATOR


GISAS_GROWTH = replace(
    PATTERNS,
    name="gisas_growth",
    title="GISAS patterns of growing films",
    purpose="Finds size, height and distance of the clusters of a growing film from one GISAXS pattern.",
    limits="ordered lattices, buried particles, other materials, patterns that lie on their side",
    heads=HEADS,
    network=replace(PATTERNS.network, trunk=trunk, one_side=True),
    simulator=simulator,
)
