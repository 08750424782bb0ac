"""Answers about diffraction images: the quantities that the tagged kind has, sizes where q is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ....domains import Finding
from ....predict.findings import Answer, QuantitiesFinding, Value
from ....predict.tags import TagsFinding
from ....types import Image
from ..reading.polar import of_images, rings
from .elongation import called_prolate
from .not_particles import (
    ELSEWHERE,
    NARROW,
    RINGS_ENOUGH,
    SPECKLE,
    STRAY,
    brighter_elsewhere,
    narrow_rings,
    speckled,
    stray_light,
)
from .novelty import NOT_EMPTY, is_novel, profiles

_NM = 0.1  # nanometres in an ångström


def completed(measurement: Any, answer: Answer) -> Answer:
    """The answer without the quantities that what was tagged has none of; with a radius where q is known."""
    tags, quantities = answer.finding(TagsFinding), answer.finding(QuantitiesFinding)
    if tags is None or quantities is None:
        return answer
    there = set(tags.present)
    if answer.known and (reason := _no_particle(measurement, empty="Empty" in there)):
        silent = tuple(one.silenced() for one in answer.findings)
        return replace(answer, in_scope=0.0, known=False, findings=silent, notes=(*answer.notes, reason))
    notes = list(answer.notes)
    found = tags
    if answer.known and "Elliptical" in there:
        found, reason = called_prolate(measurement, tags)
        there, notes = set(found.present), [*notes, *filter(None, [reason])]
    kept = _of_what_is_there(quantities.values, there)
    size, q_edge = kept.get("size"), measurement.geometry.q_edge
    if size is not None and q_edge:
        kept["radius"] = _radius(size, q_edge)
    elif size is not None:
        notes.append(
            "Wavelength, distance and pixel size are not all known: the size is given as radius times q"
            " at the edge of the q range."
        )
    if answer.known and not there:
        notes.append("No tag is likely enough to be called present.")
    renewed: dict[int, Finding] = {id(quantities): replace(quantities, values=kept), id(tags): found}
    findings = tuple(renewed.get(id(one), one) for one in answer.findings)
    return replace(answer, findings=findings, notes=tuple(notes))


def _of_what_is_there(values: Mapping[str, Value | None], there: set[str]) -> dict[str, Value | None]:
    """The quantities that such a particle has: an empty image none, an axis ratio only what is not round."""
    if "Empty" in there:
        return {}
    without = set() if {"Elliptical", "Prolate"} & there else {"axis_ratio"}
    if "Prolate" not in there:
        without.add("tilt")
    return {name: value for name, value in values.items() if name not in without}


def _radius(size: Value, q_edge: float) -> Value:
    """Radius in nm of a size in units of 1/q at the window's edge, `q_edge` in Å⁻¹."""
    value, error, low, high = (x / q_edge * _NM for x in (size.value, size.error, size.low, size.high))
    return Value(value, error, low, high, "nm")


def _no_particle(image: Image, *, empty: bool) -> str:
    """Why an image that the network knows is of no particle, nor without one; empty where it may be."""
    if empty:
        if is_novel(image, empty=True):
            return NOT_EMPTY
        return ELSEWHERE if brighter_elsewhere(image) else _narrow(image)
    if reason := _narrow(image):
        return reason
    if stray_light(profiles([image]), float(image.counts.sum())):
        return STRAY
    return SPECKLE if speckled(rings(of_images([image]))) else ""


def _narrow(image: Image) -> str:
    return NARROW if narrow_rings(profiles([image]))[0] >= RINGS_ENOUGH else ""
