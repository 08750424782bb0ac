"""Whether a pattern under grazing incidence can be assessed: its window, its counts, its geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...domains import Seen
from ...types import DataError, Image
from ..reading import to_window
from ..reading.horizon import misfit

#: Less than this share of the window, or fewer counts in it, is too little to answer: training has
#: 10⁴ counts.
LEAST_SEEN, FEW_COUNTS = 0.1, 1000
_UNITS = {"wavelength": "Å", "alpha_i": "degrees"}


def check_image(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """Return the image on the classifier's window (of the manifest) with remarks. Raises DataError if too
    little was measured or there are no counts.
    """
    return _checked(image, on_window(image, inputs["window"]), image.notes, inputs)


def check_share(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """As `check_image`; where a part of the window was not measured, a note says how large the rest is."""
    # Nothing is known of patterns with next to no counts, or whose horizon is not where the incidence puts
    # it.
    seen = on_window(image, inputs["window"])
    found = _checked(image, seen, seen.notes, inputs)
    total = float(seen.counts[seen.mask].sum())
    if total < FEW_COUNTS:
        said = (
            f"The angular range of the network holds {total:.0f} counts, too few to answer; measure longer."
        )
    else:
        said = misfit(image)
    return replace(found, notes=(*found.notes, said), known=False) if said else found


def _checked(image: Image, seen: Image, notes: tuple[str, ...], inputs: Mapping[str, Any]) -> Seen:
    beyond = [
        f"{name} = {getattr(image.geometry, name):g} {_UNITS[name]} is outside what the network was trained"
        f" with, {low:g} to {high:g} {_UNITS[name]}."
        for name, (low, high) in inputs["stated"].items()
        if not low <= getattr(image.geometry, name) <= high
    ]
    return Seen(seen, (*notes, *beyond), known=not beyond)


def on_window(image: Image, window: Mapping[str, Any]) -> Image:
    """Crop the image to a window: ``rows``, ``columns`` and outer edges ``phi``, ``alpha_f``, degrees. Raises
    DataError if too little was measured or there are no counts.
    """
    (left, right), (low, high) = window["phi"], window["alpha_f"]
    shape = int(window["rows"]), int(window["columns"])
    seen = to_window(image, phi=(left, right), alpha_f=(low, high), shape=shape)
    name = image.file or "the image"
    if np.mean(seen.mask) < LEAST_SEEN:
        raise DataError(
            f"{name}: only {100 * np.mean(seen.mask):.0f} % of the angular range of the network (phi"
            f" {left:g} to {right:g}, alpha_f {low:g} to {high:g} degrees) was measured; check the geometry"
            " and the mask."
        )
    if not np.any(seen.counts[seen.mask] > 0):
        raise DataError(f"{name}: holds no counts in the angular range of the network; check the geometry.")
    return seen
