"""Turning the picture upright, and telling from the data when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...arrays import Floats

    BoolArray = NDArray[np.bool_]

# Quarter turns, counter-clockwise, that bring the named side of the picture to its top.
TURNS = {"top": 0, "right": 1, "bottom": 2, "left": 3}
_DARK, _ALIKE, _LEAST_PART = 0.1, 0.5, 0.05
_SYMMETRIC, _LOPSIDED = 0.95, 0.5
_UPSIDE_DOWN, _DOUBTFUL = 0.2, 0.8
_ENOUGH = 2000.0


@dataclass(frozen=True)
class Verdict:
    """Whether a picture stands upright."""

    turned: str = ""  #: In what way it is turned, as the end of a sentence; empty where it is not.
    note: str = ""  #: A sentence on what could not be told; empty where all could.


def arrange(values: NDArray[Any], turns: int, *, flip_rows: bool, flip_columns: bool) -> NDArray[Any]:
    """Rotate a picture by `turns` quarter turns counter-clockwise, then reverse its rows and columns."""
    turned = np.rot90(values, turns)
    return turned[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def arrange_point(
    point: tuple[float, float], shape: tuple[int, int], turns: int, *, flip_rows: bool, flip_columns: bool
) -> tuple[float, float]:
    """Return where `arrange` takes a (column, row) of the file's picture of `shape`."""
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


def picture_sides(counts: Floats, mask: BoolArray, phi: Floats, alpha_f: Floats) -> Verdict:
    """Find a picture's orientation from horizon, symmetry in phi, and fall of intensity."""
    # The substrate absorbs below the horizon, patterns are symmetric in phi but not in alpha_f, and intensity
    # falls along alpha_f. Otherwise the picture is on its side or upside down.
    # On 150 simulated patterns of ordered spheres (10⁴ to 10⁸ counts, up to 90 % background) the root of the
    # phi profile correlates with its mirror image by 0.83 or more, that of alpha_f about the direct beam by
    # 0.1 or less; with up to 30 % background the lower half of the rows is at least 1.4 times as bright.
    clipped = np.where(mask, np.minimum(counts, _glare(counts, mask)), 0.0)
    if _too_few(clipped, counts[mask]):
        return Verdict(note="Too few counts to check whether the image is upright.")
    above, right = _ratio(clipped, mask, alpha_f, axis=1), _ratio(clipped, mask, phi, axis=0)
    if _is_upright_horizon(above, right):
        return Verdict(turned="turned by 90 degrees, its horizon is upright")
    across = _symmetry(_profile(clipped, mask, axis=0), phi, 0.0)
    profile = _profile(clipped, mask, axis=1)
    if _is_lopsided(across) and _best_symmetry(profile, alpha_f) > _SYMMETRIC:
        return Verdict(turned="turned by 90 degrees, alike up and down but not left and right")
    falls = _fall(profile, alpha_f)
    if falls < _DOUBTFUL:
        return _upside_down(falls)
    if across is None and not _shows_horizon(above):
        return Verdict(note="The image shows no horizon, so a rotation by 90 degrees cannot be detected.")
    return Verdict()


def _upside_down(falls: float) -> Verdict:
    if falls < _UPSIDE_DOWN:
        return Verdict(turned="upside down, brighter far from the horizon than close to it")
    return Verdict(note="The image is brighter at large alpha_f than at small; is it upside down?")


def _glare(counts: Floats, mask: BoolArray) -> float:
    """A level that a direct or specular beam does not raise: the 99th percentile of what is not empty."""
    lit = counts[mask & (counts > 0)]
    return float(np.percentile(lit, 99.0)) if lit.size else 0.0


def _ratio(clipped: Floats, mask: BoolArray, angle: Floats, *, axis: int) -> float | None:
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


def _profile(clipped: Floats, mask: BoolArray, *, axis: int) -> Floats:
    """Mean over the pixels of each column (axis 0) or row (axis 1) that count; NaN where none does."""
    number = mask.sum(axis=axis)
    total = clipped.sum(axis=axis)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _fall(profile: Floats, alpha_f: Floats) -> float:
    """Mean of the lower half of the rows above the horizon over that of the upper half."""
    rows = profile[(alpha_f > 0) & np.isfinite(profile)]
    upper = float(rows[rows.size // 2 :].mean()) if rows.size > 1 else 0.0
    return float(rows[: rows.size // 2].mean()) / upper if upper > 0 else float("inf")


def _best_symmetry(profile: Floats, angle: Floats) -> float:
    """Largest `_symmetry` about any centre within the middle half, in steps of half a row."""
    quarter = angle.size // 4
    centres = np.linspace(angle[quarter], angle[-1 - quarter], 2 * (angle.size - 2 * quarter) - 1)
    return max((_symmetry(profile, angle, float(centre)) or -1.0 for centre in centres), default=-1.0)


def _symmetry(profile: Floats, angle: Floats, centre: float) -> float | None:
    """Correlation of a profile's square root with its mirror image about the centre."""
    # None where fewer than half of the angles have a mirror image, or nothing varies.
    inside = np.isfinite(profile)
    if np.count_nonzero(inside) < 8:
        return None
    mirrored = np.interp(2 * centre - angle, angle[inside], profile[inside], left=np.nan, right=np.nan)
    both_inside = inside & np.isfinite(mirrored)
    if np.count_nonzero(both_inside) < angle.size / 2:
        return None
    own_side, mirror_side = np.sqrt(profile[both_inside]), np.sqrt(mirrored[both_inside])
    own_side, mirror_side = own_side - own_side.mean(), mirror_side - mirror_side.mean()
    size = float(np.sqrt(own_side @ own_side) * np.sqrt(mirror_side @ mirror_side))
    return float(own_side @ mirror_side) / size if size > 0 else None


def _too_few(clipped: Floats, measured: Floats) -> bool:
    """Whether counts, which are whole, are too few to tell anything."""
    return bool(clipped.sum() < _ENOUGH and np.all(measured == np.round(measured)))


def _is_upright_horizon(above: float | None, right: float | None) -> bool:
    """Whether the halves above and below are alike, and one of left and right is dark."""
    level = above is not None and _ALIKE < above < 1 / _ALIKE
    return level and right is not None and not _DARK < right < 1 / _DARK


def _is_lopsided(across: float | None) -> bool:
    return across is not None and across < _LOPSIDED


def _shows_horizon(above: float | None) -> bool:
    return above is not None and above >= 1 / _DARK
