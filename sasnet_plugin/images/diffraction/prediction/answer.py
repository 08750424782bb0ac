"""Answers about diffraction images: the quantities that the tagged kind has, sizes where q is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ....domains import Finding
from ....predict.findings import Answer, QuantitiesFinding, Value
from ....predict.tags import TagsFinding
from ....types import Image
from ..reading.polar import bin_images, rings
from .elongation import correct_prolate
from .not_particles import (
    ELSEWHERE,
    NARROW,
    RINGS_ENOUGH,
    SPECKLE,
    STRAY,
    brighter_elsewhere,
    is_speckled,
    narrow_rings,
    stray_light,
)
from .novelty import NOT_EMPTY, is_novel, profiles

_NM = 0.1  # nanometres in an ångström


def complete_answer(measurement: Any, answer: Answer) -> Answer:
    """The answer without the quantities that what was tagged has none of; with a radius where q is known."""
    tags, quantities = answer.finding(TagsFinding), answer.finding(QuantitiesFinding)
    if tags is None or quantities is None:
        return answer
    tag_names = set(tags.present)
    if answer.known and (reason := _no_particle(measurement, empty="Empty" in tag_names)):
        silent = tuple(finding.silence() for finding in answer.findings)
        return replace(answer, in_scope=0.0, known=False, findings=silent, notes=(*answer.notes, reason))
    notes = list(answer.notes)
    corrected = tags
    if answer.known and "Elliptical" in tag_names:
        corrected, reason = correct_prolate(measurement, tags)
        tag_names, notes = set(corrected.present), [*notes, *filter(None, [reason])]
    relevant = _select_relevant(quantities.values, tag_names)
    size, q_edge = relevant.get("size"), measurement.geometry.q_edge
    if size is not None and q_edge:
        relevant["radius"] = _radius(size, q_edge)
    elif size is not None:
        notes.append(
            "Wavelength, distance and pixel size are not all known: the size is given as radius times q"
            " at the edge of the q range."
        )
    if answer.known and not tag_names:
        notes.append("No tag is likely enough to be reported.")
    renewed: dict[int, Finding] = {id(quantities): replace(quantities, values=relevant), id(tags): corrected}
    findings = tuple(renewed.get(id(finding), finding) for finding in answer.findings)
    return replace(answer, findings=findings, notes=tuple(notes))


def _select_relevant(values: Mapping[str, Value | None], tag_names: set[str]) -> dict[str, Value | None]:
    """The quantities that such a particle has: an empty image none, an axis ratio only what is not round."""
    if "Empty" in tag_names:
        return {}
    irrelevant = set() if {"Elliptical", "Prolate"} & tag_names else {"axis_ratio"}
    if "Prolate" not in tag_names:
        irrelevant.add("tilt")
    return {name: value for name, value in values.items() if name not in irrelevant}


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
    return SPECKLE if is_speckled(rings(bin_images([image]))) else ""


def _narrow(image: Image) -> str:
    return NARROW if narrow_rings(profiles([image]))[0] >= RINGS_ENOUGH else ""
