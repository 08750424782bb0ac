"""Where the beam meets the detector: stated by the user or the header, held against the image, or found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....types import DataError
from .centre import better_centre, find_centre
from .settings import SansSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Below this correlation of an image with its turned self no centre was found.
_SYMMETRIC = 0.2


def pixel_of_q(qx: NDArray[np.float64], qy: NDArray[np.float64]) -> tuple[float, float] | None:
    """Column and row at which q is 0, where qx rises along the columns and qy along the rows."""
    across, along = np.median(qx, axis=0), np.median(qy, axis=1)
    if np.all(np.diff(across) > 0) and np.all(np.diff(along) > 0):
        zero = (np.interp(0.0, line, np.arange(line.size)) for line in (across, along))
        column, row = (float(x) for x in zero)
        return column, row
    return None


def beam_of(
    settings: SansSettings,
    said: SansSettings,
    values: NDArray[np.float64],
    mask: NDArray[np.bool_],
    name: str,
    notes: list[str],
) -> tuple[float, float]:
    """The beam's column and row: the user's, the header's if the image agrees, or found."""
    centre = settings.direct_beam
    if centre is not None:
        _check_near(centre, values.shape[::-1], name)
        found = better_centre(values, mask, centre)
        if found is None:
            return centre
        where = f"column {found[0]:.1f}, row {found[1]:.1f}"
        stated = f"column {centre[0]:.1f}, row {centre[1]:.1f}"
        if said.direct_beam is None:
            notes.append(
                f"The beam position in the header, {stated}, is not the centre of symmetry of the"
                f" image; {where} was used. Give direct_beam if that is wrong."
            )
            return found
        notes.append(
            f"The image is symmetric under a rotation by 180° about {where}, not about the stated {stated}."
        )
        return centre
    column, row, like = find_centre(values, mask)
    if like < _SYMMETRIC:
        raise DataError(
            f"{name}: no centre was found, because the image is not symmetric under a rotation by 180°;"
            f" give the beam's"
            " column and row with --geometry direct_beam=[COLUMN,ROW]."
        )
    notes.append(f"The beam's centre was found from the image: column {column:.1f}, row {row:.1f}.")
    return column, row


def _check_near(centre: tuple[float, float], sides: tuple[int, ...], name: str) -> None:
    if not all(-0.5 * n <= c <= 1.5 * n for c, n in zip(centre, sides, strict=True)):
        raise DataError(f"{name}: direct_beam {centre} lies far off the detector; give column and row.")
