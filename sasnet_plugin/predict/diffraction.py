"""Answers about diffraction images: the quantities that the tagged kind has, sizes where q is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..data.diffraction.polar import of_images, rings
from ..types import Image
from .findings import Answer, QuantitiesFinding, Value
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
from .tags import TagsFinding

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
    kept = {
        name: value
        for name, value in quantities.values.items()
        if not {"Empty"} & there
        and (name != "axis_ratio" or {"Elliptical", "Prolate"} & there)
        and (name != "tilt" or "Prolate" in there)
    }
    notes = list(answer.notes)
    size, q_edge = kept.get("size"), measurement.geometry.q_edge
    if size is not None and q_edge:
        value, error, low, high = (x / q_edge * _NM for x in (size.value, size.error, size.low, size.high))
        kept["radius"] = Value(value, error, low, high, "nm")
    elif size is not None:
        notes.append(
            "Wavelength, distance and pixel size are not all known: the size is given as radius times q at"
            " the window's edge."
        )
    if answer.known and not there:
        notes.append("No tag is likely enough to be called present.")
    findings = tuple(
        replace(quantities, values=kept) if one is quantities else one for one in answer.findings
    )
    return replace(answer, findings=findings, notes=tuple(notes))


def _no_particle(image: Image, *, empty: bool) -> str:
    """Why an image that the network knows is of no particle, nor without one; empty where it may be."""
    if empty and is_novel(image, empty=True):
        return NOT_EMPTY
    if empty and brighter_elsewhere(image):
        return ELSEWHERE
    if narrow_rings(profiles([image]))[0] >= RINGS_ENOUGH:
        return NARROW
    if not empty and stray_light(profiles([image]), float(image.counts.sum())):
        return STRAY
    return SPECKLE if not empty and speckled(rings(of_images([image]))) else ""
