"""Whether a pattern under grazing incidence can be assessed: its window, its counts, its geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...data.advice import geometry
from ...digits import significant
from ...domains import Seen
from ...types import DataError, Image
from ..reading import to_window

#: Less than this share of the window, or fewer counts in it, is too little to answer: training has
#: 10⁴ counts.
LEAST_SEEN, FEW_COUNTS = 0.1, 1000
_UNITS = {"wavelength": "Å", "alpha_i": "degrees"}


def check_image(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """Return the image on the classifier's window (of the manifest) with remarks. Raises DataError if too
    little was measured or there are no counts.
    """
    return _check_stated(image, map_to_window(image, inputs["window"]), image.notes, inputs)


def check_share(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """Check as `check_image`, and note how much of the window was measured."""
    # Nothing is known of patterns with next to no counts, or whose horizon is not where the incidence puts
    # it.
    visible = map_to_window(image, inputs["window"])
    checked = _check_stated(image, visible, visible.notes, inputs)
    total = float(visible.counts[visible.mask].sum())
    if total < FEW_COUNTS:
        text = (
            f"The angular range of the network holds {total:.0f} counts, too few to answer; measure longer."
        )
    else:
        text = misfit(image)
    return replace(checked, notes=(*checked.notes, text), known=False) if text else checked


def _check_stated(image: Image, visible: Image, notes: tuple[str, ...], inputs: Mapping[str, Any]) -> Seen:
    beyond = [
        f"{name} = {getattr(image.geometry, name):g} {_UNITS[name]} is outside the training range of"
        f" the network, {low:g} to {high:g} {_UNITS[name]}."
        for name, (low, high) in inputs["stated"].items()
        if not low <= getattr(image.geometry, name) <= high
    ]
    return Seen(visible, (*notes, *beyond), known=not beyond)


def map_to_window(image: Image, window: Mapping[str, Any]) -> Image:
    """Crop the image to a window: ``rows``, ``columns`` and outer edges ``phi``, ``alpha_f``, degrees. Raises
    DataError if too little was measured or there are no counts.
    """
    (left_edge, right), (low, high) = window["phi"], window["alpha_f"]
    shape = int(window["rows"]), int(window["columns"])
    visible = to_window(image, phi=(left_edge, right), alpha_f=(low, high), shape=shape)
    name = image.file or "the image"
    if np.mean(visible.mask) < LEAST_SEEN:
        raise DataError(
            f"{name}: only {100 * np.mean(visible.mask):.0f} % of the angular range of the network (phi"
            f" {left_edge:g} to {right:g}, alpha_f {low:g} to {high:g} degrees) was measured; check the"
            " geometry"
            " and the mask."
        )
    if not np.any(visible.counts[visible.mask] > 0):
        raise DataError(f"{name}: holds no counts in the angular range of the network; check the geometry.")
    return visible


#: Resolution may bring light so far below α_f = 0, degrees; scattering is first seen so far above it, as it
#: rises with the wave that gets into the sample: median of patterns by other code.
BELOW, RISES = -0.015, 0.01
#: Rows that are looked at, degrees on each side, and those that are surely dark.
_REACH, _DARK = 0.3, -0.06
#: Dark rows that are needed, standard deviations by which a row is lit, and least share of the brightest.
_ROWS, _LIT, _SHARE = 5, 6.0, 0.01
#: Rows that are lit together where the pattern begins.
_TOGETHER = 3


def begins_at(image: Image) -> float | None:
    """Return α_f of the first lit row, degrees; None if too little below the horizon was measured."""
    # Row angles ascend.
    alpha = np.asarray(image.geometry.alpha_f, dtype=float)
    near = np.abs(alpha) < _REACH
    pixels = image.mask[near].sum(axis=1).astype(float)
    total = np.where(image.mask, image.counts, 0.0)[near].sum(axis=1)
    alpha = alpha[near]
    is_bright = pixels > 0.3 * max(float(pixels.max(initial=0.0)), 1.0)
    dark = is_bright & (alpha < _DARK)
    if dark.sum() < _ROWS:
        return None
    rate = np.where(is_bright, total / np.maximum(pixels, 1.0), 0.0)
    # Its lower part, should the true horizon lie among what is called dark.
    ground = float(np.quantile(rate[dark], 0.3))
    noise = np.sqrt(np.maximum(ground, 1.0 / pixels.max()) / np.maximum(pixels, 1.0))
    lit = is_bright & (rate - ground > np.maximum(_LIT * noise, _SHARE * (rate.max() - ground)))
    together = np.convolve(lit | ~is_bright, np.ones(_TOGETHER), "valid") == _TOGETHER
    first = np.flatnonzero(together & lit[: together.size])
    return float(alpha[first[0]]) if first.size else None


def misfit(image: Image) -> str:
    """What is to be said of an incidence that the horizon contradicts; empty where it does not."""
    # A pattern that begins above the horizon says nothing: a beamstop may hide it.
    at = begins_at(image)
    if at is None or at > BELOW:
        return ""
    stated = float(image.geometry.alpha_i)
    return (
        f"The pattern begins at alpha_f = {at:.3f} degrees, below the sample's horizon: alpha_i ="
        f" {significant(stated, 3)} degrees or the direct beam is wrong (alpha_i of about"
        f" {significant(stated + at - RISES, 2)} degrees would fit). Correct it in the TOML file or"
        f" {geometry('alpha_i=DEGREES')}."
    )
