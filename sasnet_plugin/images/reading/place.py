"""From a flat detector's pixels to exit angles: where the beams meet it, and which axes an image has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ...types import DataError, GrazingIncidence
from .orientation import TURNS, arrange, arrange_point, side_of
from .rebin import scatter
from .settings import ImageSettings, check_units

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ...arrays import Floats

    BoolArray = NDArray[np.bool_]

T = TypeVar("T")


def exit_angles(
    y: ArrayLike, z: ArrayLike, *, distance: float, alpha_i: float, perpendicular_to: str = "beam"
) -> tuple[Floats, Floats]:
    """Return exit angles phi and alpha_f, degrees, at points (y, z) of a flat detector from the direct beam,
    mm, z along the surface normal; the direct beam is at phi 0, alpha_f = -alpha_i. `distance` L to the
    detector plane in mm, alpha_i in degrees; the detector is perpendicular to the ``beam`` or the ``sample``.
    """
    # k_f ∝ (cos α_f cos φ, cos α_f sin φ, sin α_f) with x along the surface in the plane of incidence and z
    # along its normal (G. Renaud, R. Lazzari, F. Leroy, Surf. Sci. Rep. 64 (2009) 255, eq. 1; BornAgain: G.
    # Pospelov et al., J. Appl. Cryst. 53 (2020) 262). Perpendicular to the beam, k = (L cos α_i + z sin α_i,
    # y, z cos α_i − L sin α_i); perpendicular to the sample, k = (L, y, z − L tan α_i). Then φ =
    # arctan(k_y/k_x), α_f = arctan(k_z/√(k_x² + k_y²)).
    y, z = np.broadcast_arrays(np.asarray(y, dtype=np.float64), np.asarray(z, dtype=np.float64))
    incidence = np.radians(alpha_i)
    if perpendicular_to == "sample":
        forward = np.full(y.shape, float(distance))
        upward = z - distance * np.tan(incidence)
    else:
        forward = distance * np.cos(incidence) + z * np.sin(incidence)
        upward = z * np.cos(incidence) - distance * np.sin(incidence)
    phi = np.degrees(np.arctan2(y, forward))
    alpha_f = np.degrees(np.arctan2(upward, np.hypot(forward, y)))
    return phi, alpha_f


def incidence_from_beams(height: float, *, distance: float, perpendicular_to: str = "beam") -> float:
    r"""Return the angle of incidence, degrees, from the height of the specular over the direct beam, mm: L
    tan 2α_i on a detector perpendicular to the ``beam``, 2L tan α_i to the ``sample``.
    """
    if perpendicular_to == "sample":
        return float(np.degrees(np.arctan2(height, 2.0 * distance)))
    return float(np.degrees(np.arctan2(height, distance))) / 2.0


def specular_height(alpha_i: float, *, distance: float, perpendicular_to: str = "beam") -> float:
    """Height of the specular over the direct beam, mm: the inverse of `incidence_from_beams`."""
    angle = np.radians(alpha_i)
    if perpendicular_to == "sample":
        return float(2.0 * distance * np.tan(angle))
    return float(distance * np.tan(2.0 * angle))


_STRAIGHT = 0.5, 0.01
"""Pixels, or degrees, by which exit angles may depart from rows and columns before pixels are resampled."""
_FULL = 0.95
"""Coverage from which on a resampled pixel counts; boxes stand for slightly turned pixels."""
_TILT_NOTED = 1.0
_NAMES = {
    "wavelength": "wavelength (Å)",
    "alpha_i": "alpha_i (degrees)",
    "distance": "distance (mm)",
    "pixel_size": "pixel_size (mm)",
    "direct_beam": "direct_beam [column, row]",
}


@dataclass(frozen=True)
class Placement:
    """How pictures of one shape and geometry become images over exit angles."""

    geometry: GrazingIncidence  #: Of the pixels of the image.
    turns: int  #: Quarter turns counter-clockwise that bring the surface normal up.
    #: flip_rows, flip_columns: what is reversed after turning.
    flip_rows: bool
    flip_columns: bool
    #: Lowest and highest phi and alpha_f of every turned pixel, where they are resampled.
    boxes: tuple[Floats, Floats, Floats, Floats] | None = None
    notes: tuple[str, ...] = ()

    def apply(self, counts: Floats, good: BoolArray) -> tuple[Floats, BoolArray]:
        """Counts and mask of a picture of the file, (rows, columns) as its geometry has them."""
        counts, good = self._arrange(counts), self._arrange(good)
        if self.boxes is None:
            return counts, good
        edges = [_even_edges(self.geometry.phi), _even_edges(self.geometry.alpha_f)]
        gathered, coverage = scatter(np.where(good, counts, 0.0), good, self.boxes, edges[0], edges[1])
        return gathered, coverage >= _FULL

    def _arrange(self, values: NDArray[Any]) -> NDArray[Any]:
        return arrange(values, self.turns, flip_rows=self.flip_rows, flip_columns=self.flip_columns)


def place(shape: tuple[int, int], settings: ImageSettings, file: str) -> Placement:
    """Return exit angles of the pixels. Raises DataError if a setting is missing, contradictory, in a wrong
    unit, or puts the picture below the horizon.
    """
    check_units(settings, file)
    placement = _place_by_angles(shape, settings, file) or _place_by_detector(shape, settings, file)
    if placement.geometry.alpha_f[-1] <= 0:
        raise DataError(
            f"{file}: the whole image lies below the sample's horizon (alpha_f up to"
            f" {placement.geometry.alpha_f[-1]:.3g} degrees); correct direct_beam, alpha_f or up."
        )
    return placement


def _place_by_angles(shape: tuple[int, int], settings: ImageSettings, file: str) -> Placement | None:
    if settings.phi is None or settings.alpha_f is None:
        return None
    if settings.wavelength is None or settings.alpha_i is None:
        raise _missing(_unknown(settings, "wavelength", "alpha_i"), file)
    turns = TURNS[settings.up or "top"]
    rows, columns = _turn_pair(shape, turns)
    phi, alpha_f = np.linspace(*settings.phi, columns), np.linspace(*settings.alpha_f, rows)
    return Placement(
        GrazingIncidence(np.sort(phi), np.sort(alpha_f), settings.wavelength, settings.alpha_i),
        turns=turns,
        flip_rows=bool(alpha_f[0] > alpha_f[-1]),
        flip_columns=bool(phi[0] > phi[-1]),
    )


def _place_by_detector(shape: tuple[int, int], settings: ImageSettings, file: str) -> Placement:
    if missing := _not_given(settings):
        raise _missing(missing, file)
    direct, specular = settings.direct_beam, settings.specular_beam
    wavelength, distance, pixel_size = settings.wavelength, settings.distance, settings.pixel_size
    assert wavelength is not None
    assert distance is not None
    assert pixel_size is not None
    up, notes = _find_up(settings, file)
    turns, mirror = TURNS[up], bool(settings.mirror)
    (width, height), (rows, columns) = _turn_pair(pixel_size, turns), _turn_pair(shape, turns)
    to = settings.perpendicular_to or "beam"

    def turn_point(point: tuple[float, float]) -> tuple[float, float]:
        return arrange_point(point, shape, turns, flip_rows=True, flip_columns=mirror)

    alpha_i = settings.alpha_i
    if direct is not None and specular is not None:
        apart = (turn_point(specular)[1] - turn_point(direct)[1]) * height
        measured_angle = incidence_from_beams(apart, distance=distance, perpendicular_to=to)
        alpha_i = _incidence(measured_angle, alpha_i, file, notes)
    assert alpha_i is not None
    below = specular_height(alpha_i, distance=distance, perpendicular_to=to) / height
    column, row = turn_point(direct or specular or (0.0, 0.0))
    row -= 0.0 if direct else below
    y, z = (np.arange(columns) - column) * width, (np.arange(rows) - row) * height
    phi, alpha_f = exit_angles(
        y[None, :], z[:, None], alpha_i=alpha_i, distance=distance, perpendicular_to=to
    )
    phi_axis, alpha_axis, boxes = _grid(phi, alpha_f, column)
    if boxes is not None:
        notes.append("The detector's pixels were resampled to exit angles; counts were divided by area.")
    return Placement(
        GrazingIncidence(phi_axis, alpha_axis, wavelength, alpha_i),
        turns,
        True,
        mirror,
        boxes=boxes,
        notes=tuple(notes),
    )


def _not_given(settings: ImageSettings) -> list[str]:
    missing = _unknown(settings, "wavelength", "distance", "pixel_size")
    unknown = _unknown(settings, "direct_beam", "specular_beam", "alpha_i")
    # Two of the three tell the third.
    if "direct_beam" in unknown and unknown[1:]:
        missing.append("direct_beam")
    if "alpha_i" in unknown and unknown[1:]:
        missing.insert(1, "alpha_i")
    return missing


def _unknown(settings: ImageSettings, *names: str) -> list[str]:
    return [name for name in names if getattr(settings, name) is None]


def _turn_pair(pair: tuple[T, T], turns: int) -> tuple[T, T]:
    """What belongs to a picture's two sides, after so many quarter turns."""
    return pair if turns % 2 == 0 else (pair[1], pair[0])


def _incidence(measured_angle: float, given_angle: float | None, file: str, notes: list[str]) -> float:
    """Find the angle of incidence, degrees: the given one, else from both beams, with a note."""
    if given_angle is None:
        check_units(ImageSettings(alpha_i=measured_angle), file)
        notes.append(f"alpha_i = {measured_angle:.4g} degrees follows from the two beams on the detector.")
        return measured_angle
    if abs(measured_angle - given_angle) > max(0.02, 0.1 * given_angle):
        notes.append(
            f"The two beams on the detector give alpha_i = {measured_angle:.3g} degrees; {given_angle:g} was"
            " used."
        )
    return given_angle


def _find_up(settings: ImageSettings, file: str) -> tuple[str, list[str]]:
    """The side that the surface normal points to, and what is to be said about it."""
    direct, specular = settings.direct_beam, settings.specular_beam
    if direct is None or specular is None:
        return settings.up or "top", []
    side = side_of(direct, specular)
    if settings.up not in (None, side):
        raise DataError(
            f"{file}: the specular beam is on the {side} side of the direct beam, but up is {settings.up!r};"
            " correct one of them."
        )
    across, down = abs(specular[0] - direct[0]), abs(specular[1] - direct[1])
    tilt = math.degrees(math.atan2(min(across, down), max(across, down)))
    if tilt < _TILT_NOTED:
        return side, []
    return side, [f"The sample is tilted by {tilt:.1f} degrees about the beam; this is not corrected."]


def _grid(
    phi: Floats, alpha_f: Floats, column: float
) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats, Floats] | None]:
    """Axes of rows and columns: the exact angles along the horizon and above the direct beam."""
    # Where a pixel's own angles depart from them too far, even axes over all of the picture, and the pixels'
    # boxes.
    rows, columns = phi.shape
    across = phi[int(np.argmin(np.abs(alpha_f[:, columns // 2]))), :]
    along = alpha_f[:, int(np.clip(round(column), 0, columns - 1))]
    steps = float(np.median(np.diff(across))), float(np.median(np.diff(along)))
    off = np.abs(phi - across).max(), np.abs(alpha_f - along[:, None]).max()
    if all(o <= max(_STRAIGHT[0] * step, _STRAIGHT[1]) for o, step in zip(off, steps, strict=True)):
        return across, along, None
    wide: Floats = np.gradient(phi, axis=1) / 2
    high: Floats = np.gradient(alpha_f, axis=0) / 2
    boxes = phi - wide, phi + wide, alpha_f - high, alpha_f + high
    axes: list[Floats] = []
    for start, end, step in ((boxes[0], boxes[1], steps[0]), (boxes[2], boxes[3], steps[1])):
        first, number = float(start.min()), int(np.ceil((end.max() - start.min()) / step))
        axes.append(np.asarray(first + step * (np.arange(number) + 0.5), dtype=np.float64))
    return axes[0], axes[1], (boxes[0], boxes[1], boxes[2], boxes[3])


def _even_edges(centres: Floats) -> Floats:
    step = (centres[-1] - centres[0]) / (centres.size - 1)
    return centres[0] + step * (np.arange(centres.size + 1) - 0.5)


def _missing(names: list[str], file: str) -> DataError:
    toml = file.rpartition(".")[0] + ".toml"
    listed = ", ".join(_NAMES[name] for name in names)
    or_angles = ""
    if not {"distance", "pixel_size", "direct_beam"}.isdisjoint(names):
        or_angles = " (or phi and alpha_f, [first, last] in degrees, for the detector's part)"
    return DataError(f"{file}: its geometry lacks {listed}; give it in {toml} next to the image{or_angles}.")
