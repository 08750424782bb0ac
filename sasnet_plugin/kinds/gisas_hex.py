"""Patterns of ordered nanoparticles: what they are answered, fitted and simulated by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..data import signature
from ..domains import Seen, Simulator
from ..domains.gisas_hex import HEADS
from ..types import Image
from .patterns import PATTERNS

if TYPE_CHECKING:
    from ..predict.findings import Answer


def refine(
    image: Image, answer: Answer, seconds: float, told: Callable[[str], None] | None = None, /
) -> Answer:
    """Fitted from the network's answer on, and simulated again."""
    from ..fitting.orientation.answer import refined

    return refined(image, answer, seconds, told)


def why_not_fitted(image: Image, answer: Answer) -> str:
    """Why it is not fitted; empty where it is."""
    from ..fitting.orientation.answer import why_not_fitted as _why_not_fitted

    return _why_not_fitted(image, answer)


def check(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """What the network sees of it."""
    from ..predict.checks import check_share

    return check_share(image, inputs)


def simulator() -> Simulator:
    """Of patterns of ordered nanoparticles."""
    from ..simulate.gisas.simulator import SIMULATOR

    return SIMULATOR


GISAS_HEX = replace(
    PATTERNS,
    name="gisas_hex",
    title="GISAS patterns of ordered nanoparticles",
    purpose="Finds the rotations p(ξ) of the lattice of hexagonally ordered spheres from one GISAS pattern.",
    limits="other lattices, other particles than spheres, films that grow, patterns that lie on their side",
    heads=HEADS,
    recognise=signature.grazing,
    keys=("file", "distribution", "geometry", "uniform_p_value", "deviance", "in_scope", "notes"),
    refine=refine,
    why_not_fitted=why_not_fitted,
    check=check,
    simulator=simulator,
)
