"""Where the pixels of a picture lie, for the page: axes, beam, what the colours mean, q under the mouse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...types import Curve, GrazingIncidence, Image
from ..diffraction.reading.frame import Window
from ..sans.reading.geometry import SmallAngle
from ..settings import RASTER
from .raster import Look, limits, upright

#: What is along the sides of views that are no pictures of the detector.
_AXES = {
    "polar": "Across: angle, 0 to 360°; up: radius, from the beam to the edge.",
    "correlation": "Across: angle between two points of a ring, 0 to 360°; up: the ring's radius.",
}


def describe_axes(measurement: Any, look: Look) -> dict[str, object] | None:
    """What the page needs beside the PNG; None of a curve, whose plot has axes."""
    # Of the detector: ``rows``, ``columns``, as drawn, ``step`` (pixels of the detector to one of the
    # picture), and one of ``phi``, ``alpha_f`` (ends, degrees), ``corners`` (q_x, q_y at the corners, Å⁻¹),
    # ``per_pixel`` (pixel size over distance), where it is known.
    if isinstance(measurement, Curve):
        return None
    description: dict[str, object] = {"axes": _AXES.get(look.view, "")}
    if look.view != "correlation":
        low, top = limits(*upright(measurement), look.scale)
        lowest = top / 10**RASTER.decades if look.scale == "log" else low
        description |= {"low": f"{lowest:.3g}", "top": f"{top:.3g}", "scale": _SCALES[look.scale]}
    return description | (_detector(measurement, look.most) if look.view == "linear" else {})


_SCALES = {"log": "logarithmic", "gamma": "square root", "linear": "linear"}


def _detector(image: Image, most: int) -> dict[str, object]:
    geometry, (rows, columns) = image.geometry, image.counts.shape
    step = max(1, -(-max(rows, columns) // most))
    # As drawn: the last blocks of pixels may reach over the edge.
    description: dict[str, object] = {"rows": -(-rows // step) * step, "columns": -(-columns // step) * step}
    description |= {"step": step}
    if isinstance(geometry, GrazingIncidence):
        phi, alpha_f = ([float(axis[0]), float(axis[-1])] for axis in (geometry.phi, geometry.alpha_f))
        angles = {
            "phi": phi,
            "alpha_f": alpha_f,
            "wavelength": geometry.wavelength,
            "alpha_i": geometry.alpha_i,
        }
        axes = f"Across: φ, {phi[0]:.3g} to {phi[1]:.3g}°; up: α_f, {alpha_f[0]:.3g} to {alpha_f[1]:.3g}°."
        return description | angles | {"axes": axes}
    if isinstance(geometry, SmallAngle):
        corners = [axis[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() for axis in (geometry.qx, geometry.qy)]
        row, column = np.unravel_index(int(np.argmin(geometry.q)), geometry.q.shape)
        (left_end, right), (top, bottom) = corners[0][:2], corners[1][::2]
        axes = f"Across: qx, {left_end:.3g} to {right:.3g} Å⁻¹; down: qy, {top:.3g} to {bottom:.3g} Å⁻¹."
        return description | {"corners": corners, "centre": [int(column), int(row)], "axes": axes}
    axes = f"Across: column, 0 to {columns - 1}; down: row, 0 to {rows - 1}."
    return description | _flat(geometry) | {"axes": axes}


def _flat(geometry: Any) -> dict[str, object]:
    if not isinstance(geometry, Window):
        return {}
    description: dict[str, object] = {"centre": [float(place) for place in geometry.centre]}
    if geometry.wavelength and geometry.distance and geometry.pixel_size:
        description |= {
            "per_pixel": geometry.pixel_size / geometry.distance,
            "wavelength": geometry.wavelength,
        }
    return description
