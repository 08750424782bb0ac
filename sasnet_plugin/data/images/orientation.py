"""Turning the picture upright, and telling from the data when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.types import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]

# Quarter turns, counter-clockwise, that bring the named side of the picture to its top.
TURNS = {"top": 0, "right": 1, "bottom": 2, "left": 3}
_DARK, _ALIKE = 0.1, 0.5
_LEAST_PART = 0.05
_EDGE, _FALLS_MORE, _FLOOR = 5.0, 3.0, 0.01
_SYMMETRIC, _LOPSIDED = 0.8, 0.5
_ENOUGH = 2000.0


def arrange(values: NDArray[Any], turns: int, *, flip_rows: bool, flip_columns: bool) -> NDArray[Any]:
    """A picture turned by quarter turns counter-clockwise, then with its rows and columns reversed.

    Parameters
    ----------
    values : (rows, columns) array
    turns : int
        One of `TURNS`.
    flip_rows, flip_columns : bool
    """
    turned = np.rot90(values, turns)
    return turned[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def arrange_point(
    point: tuple[float, float], shape: tuple[int, int], turns: int, *, flip_rows: bool, flip_columns: bool
) -> tuple[float, float]:
    """Where `arrange` takes a point.

    Parameters
    ----------
    point : (column, row)
        In the file's picture.
    shape : (rows, columns)
        Of the file's picture.

    Returns
    -------
    column, row : float
    """
    column, row = point
    rows, columns = shape
    for _ in range(turns):
        column, row = row, columns - 1 - column
        rows, columns = columns, rows
    return (columns - 1 - column if flip_columns else column), (rows - 1 - row if flip_rows else row)


def side_of(direct: tuple[float, float], specular: tuple[float, float]) -> str:
    """The side that the surface normal points to: from the direct to the specular beam."""
    across, down = specular[0] - direct[0], specular[1] - direct[1]
    if abs(across) > abs(down):
        return "right" if across > 0 else "left"
    return "bottom" if down > 0 else "top"


def check_upright(
    counts: FloatArray, mask: BoolArray, phi: FloatArray, alpha_f: FloatArray, file: str
) -> str | None:
    """Look for the horizon, and for the mirror symmetry of phi.

    Below its horizon the sample's substrate absorbs. Where that half of the picture is as bright as the other
    and a half left or right of the direct beam is dark instead, the picture lies on its side. Going up, the
    steepest edge of all is the horizon's, from dark to bright; where it is from bright to dark, the picture is
    upside down. Without rows below the horizon the symmetry decides about the side: the pattern of a sample
    with no preferred side is the same at phi and -phi, while along alpha_f it has no centre.

    Parameters
    ----------
    counts, mask : (rows, columns) arrays
    phi : (columns,) float array
        Degrees.
    alpha_f : (rows,) float array
        Degrees.

    Returns
    -------
    str or None
        A note where it cannot be told, None where the picture stands upright.

    Raises
    ------
    DataError
        The picture is turned by 90 or 180 degrees.
    """
    clipped = np.where(mask, np.minimum(counts, _glare(counts, mask)), 0.0)
    whole = bool(np.all(counts[mask] == np.round(counts[mask])))
    if whole and clipped.sum() < _ENOUGH:
        return "Too few counts to tell whether the image stands upright."
    advice = "give up = 'left' or 'right', the side of the picture that the surface normal points to."
    above = _ratio(clipped, mask, alpha_f, axis=1)
    if above is not None:
        right = _ratio(clipped, mask, phi, axis=0)
        if right is not None and _ALIKE < above < 1 / _ALIKE and not _DARK < right < 1 / _DARK:
            raise DataError(
                f"{file}: the image seems to be turned by 90 degrees, its horizon is upright; {advice}"
            )
    profile = _profile(clipped, mask, axis=1)
    rising, falling = _steepest(profile)
    if falling > max(_EDGE, _FALLS_MORE * rising):
        raise DataError(
            f"{file}: the image seems to be upside down, dark above a bright edge and not below one;"
            " give up = 'bottom', or exchange the ends of alpha_f."
        )
    if above is not None:
        return None
    across = _symmetry(_profile(clipped, mask, axis=0), phi, 0.0)
    if across is None:
        return "Whether the image is turned by 90 degrees cannot be told: it shows no horizon."
    centres = alpha_f[profile.size // 4 : profile.size - profile.size // 4]
    along = max((_symmetry(profile, alpha_f, float(centre)) or 0.0 for centre in centres[::4]), default=0.0)
    if across < _LOPSIDED and along > _SYMMETRIC:
        raise DataError(
            f"{file}: the image seems to be turned by 90 degrees, alike up and down but not left and right;"
            f" {advice}"
        )
    return None


def _glare(counts: FloatArray, mask: BoolArray) -> float:
    """A level that a direct or specular beam does not raise: the 99th percentile of what is not empty."""
    lit = counts[mask & (counts > 0)]
    return float(np.percentile(lit, 99.0)) if lit.size else 0.0


def _ratio(clipped: FloatArray, mask: BoolArray, angle: FloatArray, *, axis: int) -> float | None:
    """Mean where an angle is positive over the mean where it is negative; None with too little of either."""
    if min(np.count_nonzero(angle > 0), np.count_nonzero(angle < 0)) < max(3, _LEAST_PART * angle.size):
        return None
    means = []
    for side in (angle > 0, angle < 0):
        part = mask & (side[:, None] if axis == 1 else side[None, :])
        if not np.any(part):
            return None
        means.append(float(clipped[part].mean()))
    return means[0] / means[1] if means[1] > 0 else float("inf")


def _profile(clipped: FloatArray, mask: BoolArray, *, axis: int) -> FloatArray:
    """Mean over the pixels of each column (axis 0) or row (axis 1) that count; NaN where none does."""
    number = mask.sum(axis=axis)
    total = clipped.sum(axis=axis)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _steepest(profile: FloatArray) -> tuple[float, float]:
    """Largest ratio of a stretch of rows to the one below it, and to the one above it."""
    rows = profile[np.isfinite(profile)]
    width = max(3, rows.size // 20)
    if rows.size < 4 * width or rows.sum() <= 0:
        return 1.0, 1.0
    means = np.convolve(rows, np.full(width, 1.0 / width), mode="valid") + _FLOOR * rows.mean()
    ratio = means[width:] / means[:-width]
    return float(ratio.max()), float(1.0 / ratio.min())


def _symmetry(profile: FloatArray, angle: FloatArray, centre: float) -> float | None:
    """1 where a profile is its own mirror image about the centre, 0 where it lies on one side alone."""
    inside = np.isfinite(profile)
    if np.count_nonzero(inside) < 8:
        return None
    mirrored = np.interp(2 * centre - angle, angle[inside], profile[inside], left=np.nan, right=np.nan)
    both = inside & np.isfinite(mirrored)
    if np.count_nonzero(both) < angle.size / 2:
        return None
    total = float(np.sum(profile[both] + mirrored[both]))
    return None if total <= 0 else 1.0 - float(np.sum(np.abs(profile[both] - mirrored[both]))) / total
