"""Where the pixels of a small-angle-scattering image lie in q, how sharp, and how much each sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...types import DataError
from .resolution import Setting, of_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class SmallAngle:
    """Pixels of a detector behind a sample that the beam goes through.

    Parameters
    ----------
    qx, qy : (rows, columns) float arrays
        To the right and upwards as seen from the sample, Å⁻¹.
    weight : (rows, columns) float array
        Solid angle times efficiency, 1 in the beam: what a pixel sees of the same I(q).
    along, across : (rows, columns) float arrays or None
        Spread of q along q and across it, one standard deviation, Å⁻¹; None where the file does not say.
    error : (rows, columns) float array or None
        One standard deviation of the values of an image that is reduced; None where they are counts.
    setting : Setting or None
        Of the instrument, where it is known.
    """

    qx: FloatArray
    qy: FloatArray
    weight: FloatArray
    along: FloatArray | None = None
    across: FloatArray | None = None
    error: FloatArray | None = None
    setting: Setting | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.qx.shape
        return rows, columns

    @cached_property
    def q(self) -> FloatArray:
        """(rows, columns) magnitude of q, Å⁻¹."""
        return np.sqrt(self.qx**2 + self.qy**2)

    def spread(self) -> tuple[FloatArray, FloatArray] | None:
        """Spread of q along q and across it, as given or the setting's; None where neither is known."""
        if self.along is not None and self.across is not None:
            return self.along, self.across
        return None if self.setting is None else of_pixels(self.setting, self.qx, self.qy)

    def check(self, name: str) -> None:
        """See that the arrays are of one shape and their values finite.

        Raises
        ------
        DataError
            They are not.
        """
        for what in ("qx", "qy", "weight", "along", "across", "error"):
            values = getattr(self, what)
            if values is None:
                continue
            if values.shape != self.qx.shape:
                raise DataError(f"{name}: {what} has another shape than qx; give one value for each pixel.")
            if what != "error" and not np.all(np.isfinite(values)):
                raise DataError(f"{name}: {what} holds values that are no numbers; leave such pixels out.")


def on_detector(
    shape: tuple[int, int],
    centre: tuple[float, float],
    setting: Setting,
    efficiency: FloatArray | None = None,
) -> SmallAngle:
    """Geometry of a flat detector perpendicular to the beam.

    Parameters
    ----------
    shape : (rows, columns)
        Row 0 is the lowest.
    centre : (float, float)
        Column and row of the beam, 0 in the middle of the first pixel.
    setting : Setting
    efficiency : (rows, columns) float array, optional

    Notes
    -----
    q = 2k sin θ with tan 2θ = r/L2; a pixel of area D² sees dΩ = D² cos³2θ / L2².
    """
    width, height = setting.pixel
    x = (np.arange(shape[1]) - centre[0]) * (width / setting.distance)
    y = (np.arange(shape[0]) - centre[1]) * (height / setting.distance)
    cosine = 1 / np.sqrt(1 + (x**2)[None, :] + (y**2)[:, None])
    # 2 sin θ over tan 2θ, with 2 sin²θ = 1 - cos 2θ = cos 2θ tan² 2θ / (1 + 1/cos 2θ).
    scale = setting.k * cosine * np.sqrt(2 / (1 + cosine))
    weight = cosine**3 if efficiency is None else cosine**3 * efficiency
    return SmallAngle(scale * x[None, :], scale * y[:, None], weight, setting=setting)
