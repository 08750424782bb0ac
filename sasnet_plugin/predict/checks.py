"""Whether a curve or an image can be assessed: its points, its window, its geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..data.raw import points
from ..domains import Seen
from ..types import Curve, DataError, Image
from .shapes import level, simple_shape
from .uncertainties import judged

#: Of a curve that a simple shape explains, after its name.
NO_MODEL = "; such data hardly distinguish models, whatever the probabilities say."
UNINFORMATIVE = "A power law plus a constant explains this curve within its uncertainties" + NO_MODEL
FEW_POINTS = 25


def check_curve(curve: Curve, inputs: Mapping[str, Any]) -> Seen:
    """The curve, and notes: points outside the trained range, few points, estimated uncertainties.

    Files are tidied on reading; arrays come as they are, and the grid needs ascending, finite points.

    Parameters
    ----------
    inputs : mapping
        Of the manifest: ``q_range``, Å⁻¹.

    Raises
    ------
    DataError
        Its points are not in order, not finite, or have negative uncertainties.
    """
    ascending = curve.q.size > 0 and curve.q[0] > 0 and bool(np.all(np.diff(curve.q) >= 0))
    if not ascending or not np.isfinite(curve.q[-1]) or not np.all(np.isfinite(curve.intensity)):
        raise DataError(
            f"{curve.file or 'the curve'}: q must be positive and ascending, and q and intensity finite;"
            " sort the points and drop the others."
        )
    if curve.dintensity is not None and not np.all(curve.dintensity >= 0):
        raise DataError(
            f"{curve.file or 'the curve'}: dintensity must be a number, not negative, at each point;"
            " drop the others, or leave dintensity out to have it estimated."
        )
    low, high = inputs["q_range"]
    return Seen(curve, tuple(_notes(curve, (low, high))))


def _notes(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    notes = list(curve.notes)
    total = len(curve)
    inside = int(np.count_nonzero((curve.q >= q_range[0]) & (curve.q <= q_range[1])))
    if inside < total:
        notes.append(
            f"{total - inside} of {total} points lie outside the trained q range"
            f" ({q_range[0]:g} to {q_range[1]:g} Å⁻¹) and were not used."
        )
    if inside < FEW_POINTS:
        notes.append(f"Only {inside} points were used; the probabilities rest on little data.")
    if curve.dintensity is None and not any("estimated" in note for note in curve.notes):
        notes.append("No uncertainties were given; they were estimated from the scatter of the points.")
    return [*notes, *_doubts(curve, q_range)]


def is_flag(note: str) -> bool:
    """Whether a note says that the curve fixes no model."""
    return note.endswith(NO_MODEL)


def _doubts(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    """What is to be said of the uncertainties, and of a curve from which no model can be told."""
    inside = (curve.q >= q_range[0]) & (curve.q <= q_range[1])
    if curve.dintensity is not None:
        inside &= curve.dintensity > 0
    used = np.flatnonzero(inside)
    if used.size < 4:
        return []
    seen = points(curve, used)
    found = judged(seen.intensity, seen.dintensity)
    if found.hopeless:
        return [found.note + NO_MODEL]
    name = simple_shape(seen.q, seen.intensity, found.sigma)
    shape = f"{name} explains this curve within {found.against}" if name else level(seen.intensity)
    return [*([f"{found.note}."] if found.note else []), *([shape + NO_MODEL] if shape else [])]


#: Less than this share of the window, or fewer counts in it, is too little to answer: training has
#: 10⁴ counts.
LEAST_SEEN, FEW_COUNTS = 0.1, 1000
_UNITS = {"wavelength": "Å", "alpha_i": "degrees"}


def check_image(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """The image on the window that the network sees, and what is to be said of it.

    Parameters
    ----------
    inputs : mapping
        Of the manifest: ``window`` and ``stated``.

    Raises
    ------
    DataError
        Too little of it was measured, or it holds no counts.
    """
    return _checked(image, on_window(image, inputs["window"]), image.notes, inputs)


def check_share(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """As `check_image`; where a part of the window was not measured, a note says how large the rest is.

    Nothing is known of patterns with next to no counts, or whose horizon is not where the incidence puts it.
    """
    from ..data.images.horizon import misfit

    seen = on_window(image, inputs["window"])
    found = _checked(image, seen, seen.notes, inputs)
    total = float(seen.counts[seen.mask].sum())
    if total < FEW_COUNTS:
        said = (
            f"The window that the network sees holds {total:.0f} counts, too few to answer; measure longer."
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
    """The image on a window: ``rows``, ``columns`` and the outer edges ``phi``, ``alpha_f``, degrees.

    Raises
    ------
    DataError
        Too little of it was measured, or it holds no counts.
    """
    from ..data.images import to_window

    (left, right), (low, high) = window["phi"], window["alpha_f"]
    shape = int(window["rows"]), int(window["columns"])
    seen = to_window(image, phi=(left, right), alpha_f=(low, high), shape=shape)
    name = image.file or "the image"
    if np.mean(seen.mask) < LEAST_SEEN:
        raise DataError(
            f"{name}: only {100 * np.mean(seen.mask):.0f} % of the window that the network sees (phi"
            f" {left:g} to {right:g}, alpha_f {low:g} to"
            f" {high:g} degrees) was measured; check the geometry and the mask."
        )
    if not np.any(seen.counts[seen.mask] > 0):
        raise DataError(f"{name}: holds no counts in the window that the network sees; check the geometry.")
    return seen
