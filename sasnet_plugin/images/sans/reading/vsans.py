"""Panels of NIST's VSANS: where the tubes of its front and middle carriage, and its back detector, lie.

A file has a group for each panel: counts by column and row from the lower left, and the place of its tubes
as the instrument's reduction has it. Vertical tubes are a width apart about the panel's edge beside the gap
between two panels; along a tube a pixel lies where the tube's calibration says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ....data import hdf5
from ....types import DataError
from .raw import RawSans
from .settings import SansSettings

if TYPE_CHECKING:
    from ....arrays import Floats

#: Front and middle carriage: left, right, top, bottom; the back detector.
PANELS = ("FL", "FR", "FT", "FB", "ML", "MR", "MT", "MB", "B")
#: Solid angle of a pixel of 8 mm at 10 m: panels are compared by it.
_UNIT = 6.4e-7


def panel(name: str, group: Any, counts: Floats, wavelength: float, file: str) -> RawSans:
    """Read a panel of `PANELS` over q; NXdetector has lengths in cm, pixels and tube calibration in mm;
    counts (columns, rows), wavelength in Å. Raises DataError without its place.
    """

    def number(key: str, otherwise: float | None = None) -> float:
        item = hdf5.member(group, key)
        if item is None or not getattr(item, "size", 0):
            if otherwise is None:
                raise DataError(f"{file}: panel {name} has no {key}; copy the file again.")
            return otherwise
        return float(np.ravel(item[()])[0])

    columns, rows = counts.shape
    distance = number("distance") + number("setback", 0.0)
    x, y = np.arange(columns, dtype=np.float64), np.arange(rows, dtype=np.float64)
    beam = number("beam_center_x"), number("beam_center_y")
    if name == "B":
        width, height = number("cal_x"), number("cal_y")
        across, along = (x + 0.5 - beam[0]) * width, (y + 0.5 - beam[1]) * height
    else:
        start, step = _tubes(group, name, file)
        gap = number("panel_gap", 0.0) / 10 / 2
        if name[1] in "LR":
            width, height = number("x_pixel_size") / 10, step
            edge = number("lateral_offset", 0.0)
            across = _place_tubes(x, width, edge, gap, right=name[1] == "R") - beam[0]
            along = start + step * y - beam[1]
        else:
            width, height = step, number("y_pixel_size") / 10
            edge = number("vertical_offset", 0.0)
            across = start + step * x - beam[0]
            along = _place_tubes(y, height, edge, gap, right=name[1] == "T") - beam[1]
    qx, qy, apart = _q(across, along, distance, wavelength)
    area = width * height / distance**2 / _UNIT
    return RawSans(
        counts.T,
        qx,
        qy,
        settings=SansSettings(wavelength=wavelength),
        bad=apart <= 0,
        panel=name,
        area=float(area),
    )


def _tubes(group: Any, name: str, file: str) -> tuple[float, float]:
    """Beginning and step of pixels along the tubes, cm; those of a panel are alike."""
    item = hdf5.member(group, "spatial_calibration")
    if item is None or item.ndim != 2 or item.shape[0] < 2:
        raise DataError(f"{file}: panel {name} has no calibration of its tubes; copy the file again.")
    numbers_read = np.asarray(item[()], dtype=np.float64)
    return float(np.median(numbers_read[0])) / 10, float(np.median(numbers_read[1])) / 10


def _place_tubes(index: Floats, width: float, edge: float, gap: float, *, right: bool) -> Floats:
    """Middles of tubes that begin at the gap, to the right of it or to the left, cm."""
    if right:
        return np.asarray(edge + gap + width * (index + 0.5))
    return np.asarray(edge - gap - width * (index.size - index - 0.5))


def _q(across: Floats, along: Floats, distance: float, wavelength: float) -> tuple[Floats, Floats, Floats]:
    """qx, qy in Å⁻¹ and the distance from the beam, (rows, columns), of a plane perpendicular to the beam."""
    x, y = np.meshgrid(across / distance, along / distance)
    cosine = 1 / np.sqrt(1 + x**2 + y**2)
    # 2 sin θ over tan 2θ, see `geometry.make_detector_geometry`.
    scale = 2 * np.pi / wavelength * cosine * np.sqrt(2 / (1 + cosine))
    return scale * x, scale * y, np.hypot(x, y)
