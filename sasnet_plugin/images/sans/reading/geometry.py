"""Where the pixels of a small-angle-scattering image lie in q, how sharp, and how much each sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ....types import DataError
from .resolution import Setting, compute_pixel_resolution

if TYPE_CHECKING:
    from ....arrays import Floats


@dataclass(frozen=True)
class SmallAngle:
    """Pixels of a detector behind a sample that the beam goes through."""

    #: qx, qy: (rows, columns), to the right and upwards as seen from the sample, Å⁻¹.
    qx: Floats
    qy: Floats
    #: (rows, columns), solid angle times efficiency, 1 in the beam: what a pixel sees of the same I(q).
    weight: Floats
    #: along, across: (rows, columns), spread of q along q and across it, one standard deviation, Å⁻¹; None
    #: where the file does not say.
    along: Floats | None = None
    across: Floats | None = None
    #: (rows, columns), one standard deviation of the values of an image that is reduced; None where they are
    #: counts.
    error: Floats | None = None
    setting: Setting | None = None  #: Of the instrument, where it is known.
    #: How the picture lies in which directions are counted anticlockwise from the right, for people.
    picture: str = "qx to the right and qy up"

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.qx.shape
        return rows, columns

    @cached_property
    def q(self) -> Floats:
        """(rows, columns) magnitude of q, Å⁻¹."""
        return np.sqrt(self.qx**2 + self.qy**2)

    def spread(self) -> tuple[Floats, Floats] | None:
        """Spread of q along q and across it, as given or the setting's; None where neither is known."""
        if self.along is not None and self.across is not None:
            return self.along, self.across
        return None if self.setting is None else compute_pixel_resolution(self.setting, self.qx, self.qy)

    def check(self, name: str) -> None:
        """Raise DataError unless arrays are of one shape and finite."""
        for column in ("qx", "qy", "weight", "along", "across", "error"):
            values = getattr(self, column)
            if values is None:
                continue
            if values.shape != self.qx.shape:
                raise DataError(f"{name}: {column} has another shape than qx; give one value for each pixel.")
            if column != "error" and not np.all(np.isfinite(values)):
                raise DataError(f"{name}: {column} contains values that are not numbers; mask such pixels.")


#: Where qx and qy point in a picture: (to the right, up), each as (columns, rows of the picture upwards).
_TURNED = {
    "top": ((1, 0), (0, 1)),
    "bottom": ((-1, 0), (0, -1)),
    "left": ((0, 1), (-1, 0)),
    "right": ((0, -1), (1, 0)),
}


def as_seen(placed: SmallAngle, *, top_first: bool, up: str | None, mirror: bool) -> SmallAngle:
    """Turn the geometry (of `make_detector_geometry`) as the picture stands, keeping the order of pixels."""
    # `top_first`: the file's first row is the highest, as screens show TIFF, CBF, EDF, numpy and HDF5; ILL,
    # ANSTO and SINQ write the lowest first. `up` names the side that is up (None: ``top``), `mirror`
    # exchanges left and right.
    right, upwards = placed.qx, -placed.qy if top_first else placed.qy
    qx, qy = (a * right + b * upwards for a, b in _TURNED[up or "top"])
    text = f"the file's first row {'on top' if top_first else 'at the bottom'}"
    if up not in (None, "top"):
        text += f", turned so that its {up} side is up"
    if mirror:
        qx, text = -qx, text + ", seen in a mirror"
    return replace(placed, qx=qx, qy=qy, picture=text)


def make_detector_geometry(
    shape: tuple[int, int],
    centre: tuple[float, float],
    setting: Setting,
) -> SmallAngle:
    """Return the geometry of a flat detector, row 0 lowest, beam at (column, row), 0 in the first pixel's
    centre.
    """
    # q = 2k sin θ with tan 2θ = r/L2; a pixel of area D² covers dΩ = D² cos³2θ / L2².
    width, height = setting.pixel
    x = (np.arange(shape[1]) - centre[0]) * (width / setting.distance)
    y = (np.arange(shape[0]) - centre[1]) * (height / setting.distance)
    cosine = 1 / np.sqrt(1 + (x**2)[None, :] + (y**2)[:, None])
    # 2 sin θ over tan 2θ, with 2 sin²θ = 1 - cos 2θ = cos 2θ tan² 2θ / (1 + 1/cos 2θ).
    scale = setting.k * cosine * np.sqrt(2 / (1 + cosine))
    return SmallAngle(scale * x[None, :], scale * y[:, None], cosine**3, setting=setting)
