"""A file that names no unit of q: what is assumed, and whether another unit is likelier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..digits import significant
from ..types import DataError
from ..units import QUnit

if TYPE_CHECKING:
    from ..arrays import Floats

Q_MAX = 1.2
"""Å⁻¹; few instruments for small angles reach beyond, and these begin at small q as well."""

Q_MIN_JOINED = 0.02
"""Å⁻¹; data that begin below are joined from small and wide angles, and may end anywhere."""

Q_MAX_ANGLE = 12.0
"""Å⁻¹; beyond what a wavelength of 1 Å reaches, 4π/λ."""

LARGEST = 180.0
"""No angle is larger, in degrees, nor any q in Å⁻¹ or nm⁻¹: 4π/λ is 126 nm⁻¹ at a wavelength of 0.1 nm."""

SMALLEST = 5.0
"""Å; a radius of gyration below that of a few atoms is none that small angles are measured for."""

PLATEAU = 0.15
"""Largest fall of the intensity over the first tenth of the points where a curve begins at a plateau."""


def see_a_possible_q(q: Floats, file: str) -> None:
    """Raise DataError if a first column without a unit is neither q nor an angle in any usual unit: it goes
    beyond `LARGEST`, as energies, distances, sizes and times do.
    """
    finite = q[np.isfinite(q)]
    if finite.size and finite.max() > LARGEST:
        raise DataError(
            f"{file}: its first column ends at {significant(float(finite.max()), 3)}, which is neither q in"
            " Å⁻¹ or nm⁻¹ nor an angle in degrees; give the intensity against q, in one of these units."
        )


def assume_unit(q: Floats, intensity: Floats) -> QUnit:
    """Assume Å⁻¹, with a caution if the data look as if in nm⁻¹; columns as in the file, ascending in q."""
    q_max, q_min = float(q[-1]), float(q[0])
    if q_max > Q_MAX_ANGLE:
        return QUnit(stated=False, doubt=_angle_or_nm(q_max))
    size = radius_of_gyration(q, intensity)
    wide = q_max > Q_MAX and q_min > Q_MIN_JOINED
    small = size is not None and size < SMALLEST
    if not (wide or small):
        return QUnit(stated=False)
    return QUnit(stated=False, doubt=_nm_is_likelier(q_max, size))


def _nm_is_likelier(q_max: float, size: float | None) -> str:
    sizes = ("", "") if size is None else (
        f", Rg about {significant(size, 2)} Å", f", Rg about {significant(10 * size, 2)} Å"
    )  # fmt: skip
    return (
        f"The file names no unit of q. In Å⁻¹, as assumed here, q ends at {q_max:.3g} Å⁻¹{sizes[0]}. In"
        f" nm⁻¹ it would end at {q_max / 10:.3g} Å⁻¹{sizes[1]}, which is likelier. If so, give --q-unit nm;"
        " all sizes are then ten times as large."
    )


def _angle_or_nm(q_max: float) -> str:
    return (
        f"The file names no unit of q, and its first column ends at {q_max:.3g}. That looks like an angle"
        " in degrees (give its wavelength, --wavelength 1.5418 for Cu Kα) or like nm⁻¹ (give --q-unit nm),"
        " not like the Å⁻¹ assumed here."
    )


def radius_of_gyration(q: Floats, intensity: Floats) -> float | None:
    """Estimate Rg, in the inverse of q's unit, where a curve that begins at a plateau has fallen to
    exp(-1/3); None if it does not.
    """
    # Guinier's law, I(q) = I(0) exp(-(q Rg)²/3), gives that at q Rg = 1. Accurate enough to tell units apart.
    count = max(3, q.size // 10)
    first, next_ = np.median(intensity[:count]), np.median(intensity[count : 2 * count])
    if q.size < 10 or not first > 0 or not 0 <= 1 - next_ / first < PLATEAU * 3:
        return None
    level = max(first, next_)
    width = max(1, q.size // 40)
    smooth = np.convolve(intensity, np.full(width, 1 / width), mode="same")
    below = np.flatnonzero(smooth[count:] < level * np.exp(-1 / 3))
    return float(1 / q[count + below[0]]) if below.size and below[0] else None
