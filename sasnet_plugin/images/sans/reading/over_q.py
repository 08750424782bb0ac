"""An image over q of what stands in a file: bad pixels left out, the beam found, uncertainties known."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....data.settings_tables import overlay_settings
from ....types import DataError, Image
from ...reading import formats
from ...reading.masks import check_mask, dead_lines, find_marked_bad, find_unmeasured, integer_limit, share
from .centre import better_centre
from .geometry import SmallAngle, as_seen, make_detector_geometry
from .masks import faulty, find_behind_beamstop
from .raw import RawSans, are_counts, as_counts, estimate_error
from .resolution import Setting
from .settings import SansSettings, convert_wavelength

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats

    BoolArray = NDArray[np.bool_]
from typing import TYPE_CHECKING

import numpy as np

from .centre import find_centre

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pixels along a side of the smallest image.
SMALLEST = 8
#: Fewer counts than this show nothing.
LEAST_COUNTS = 30


@dataclass
class Pixels:
    """An image on its way."""

    raw: RawSans
    said: SansSettings  #: By the user; goes before the header's.
    name: str  #: Of file and entry, for sentences.
    values: Floats  #: (rows, columns), zero where nothing is measured by the file and the user.
    mask: BoolArray  #: (rows, columns), pixels that count.
    notes: list[str]  #: What was done, one plain sentence each.

    @property
    def zero_filled(self) -> Floats:
        """Its values, zero where they do not count."""
        return np.where(self.mask, self.values, 0.0)

    @property
    def settings(self) -> SansSettings:
        """What the user says, and the header where he says nothing."""
        return overlay_settings(self.said, self.raw.settings)


def image(raw: RawSans, given_settings: SansSettings, file: str) -> Image:
    """Make an image over q from file and settings (`given_settings` overrides the header). Raises
    DataError without geometry or counts.
    """
    # Bad pixels, then hot ones go first, so that they do not decide where the beam is.
    label = raw.entry or raw.panel
    name = f"{file} ({label})" if label else file
    notes = list(raw.notes)
    mask = _find_measured(raw, given_settings, name, notes)
    pixels = Pixels(
        raw, given_settings, name, np.where(mask, raw.values.astype(np.float64), 0.0), mask, notes
    )
    # Whole numbers are counts where nothing says otherwise.
    counts = raw.error is None and are_counts(pixels.values[mask])
    dark = _exclude_faulty(pixels, counts)
    # A beamstop's shadow helps to find the beam; hot pixels mislead.
    geometry, apart = (
        _place_pixels(pixels) if raw.qx is None or raw.qy is None else _place_in_q(pixels, raw.qx, raw.qy)
    )
    pixels.mask &= ~dark
    error = _estimate_errors(pixels, geometry) if not counts and raw.error is None else raw.error
    _exclude_beamstop(pixels, apart, error)
    _check_counted(pixels.zero_filled, counts, name)
    geometry = _weight_geometry(geometry, error, pixels)
    return Image(
        pixels.zero_filled, pixels.mask, geometry, file=file, entry=raw.entry, notes=tuple(pixels.notes)
    )


def _weight_geometry(geometry: SmallAngle, error: Floats | None, pixels: Pixels) -> SmallAngle:
    """Weight pixels by their uncertainties, else by their area."""
    if error is None:
        area = pixels.raw.area
        return geometry if area == 1.0 else replace(geometry, weight=geometry.weight * area)
    error = np.where(pixels.mask, error, 1.0)
    return replace(geometry, error=error, weight=np.ones_like(pixels.values))


def _check_counted(filled: Floats, counts: bool, name: str) -> None:
    total = int(filled.sum()) if counts else LEAST_COUNTS
    if total < LEAST_COUNTS or not np.any(filled > 0):
        raise DataError(f"{name}: holds {total} counts; count for longer, or check the mask.")


def _bad(raw: RawSans, notes: list[str]) -> BoolArray:
    if min(raw.values.shape) < SMALLEST:  # a list of pixels, of which the file says all
        return find_marked_bad(raw.values, subtracted=True) | (False if raw.bad is None else raw.bad)
    bad, bad_notes = find_unmeasured(
        raw.values, raw.bad, subtracted=raw.error is not None or raw.qx is not None
    )
    notes += bad_notes
    return bad


def _find_measured(raw: RawSans, given_settings: SansSettings, name: str, notes: list[str]) -> BoolArray:
    """Which pixels hold a measurement by the file and the user."""
    mask = ~_bad(raw, notes)
    limit = integer_limit(raw.values)
    if limit is not None and raw.error is None:
        full = raw.values == limit
        # Where most of an image is at the limit it is a picture, no faulty detector.
        if 0 < np.mean(full[mask]) < 0.5:
            mask &= ~full
            notes.append(f"Excluded, because at the detector's limit of {limit:g} counts: {share(full)}.")
    if given_settings.mask_file is not None:
        mask &= ~_mask_of(given_settings.mask_file, raw.values.shape, name)
    return check_mask(np.asarray(mask), SMALLEST**2, name)


def _exclude_faulty(pixels: Pixels, counts: bool) -> BoolArray:
    """Leave dead lines and hot pixels out; say which are in a shadow, which helps to find the beam."""
    dead = np.zeros_like(pixels.mask)
    scale = 1.0 if counts else as_counts(pixels.values, pixels.raw.error, pixels.mask)
    if not scale or pixels.values.shape[0] == 1:
        return dead
    # Lines without a count; of reduced values also pixels hot before the reduction.
    scaled = pixels.values * scale
    if not counts:
        dead = dead_lines(scaled, pixels.mask)
    pixels.mask &= ~dead
    dark, hot, faulty_notes = faulty(scaled, pixels.mask)
    pixels.mask &= ~hot
    pixels.notes += faulty_notes
    if np.any(dead):
        pixels.notes.append(f"Rows or columns without any count were excluded: {share(dead)}.")
    return dark


def _estimate_errors(pixels: Pixels, geometry: SmallAngle) -> Floats:
    try:
        error = estimate_error(pixels.values, pixels.mask, geometry.q)
    except DataError as reason:
        raise DataError(f"{pixels.name}: {reason}") from reason
    pixels.notes.append(
        "No uncertainties were given; they were estimated from differences between neighbouring pixels."
    )
    return error


def _exclude_beamstop(pixels: Pixels, apart: Floats, error: Floats | None) -> None:
    """Leave out what is behind the beamstop that the user names, and behind one that is seen."""
    stop = pixels.settings.beamstop
    if stop is not None:
        column, row, radius = stop
        rows, columns = np.ogrid[: pixels.mask.shape[0], : pixels.mask.shape[1]]
        pixels.mask &= (columns - column) ** 2 + (rows - row) ** 2 > radius**2
    covered, beamstop_notes = find_behind_beamstop(pixels.zero_filled, pixels.mask, apart, error)
    pixels.mask &= ~covered
    pixels.notes += beamstop_notes


#: What q of a pixel needs, and its unit.
_NEEDED = {"wavelength": "Å", "distance": "mm", "pixel_size": "mm"}


def _check_known(settings: SansSettings, name: str) -> None:
    missing = [key for key in _NEEDED if getattr(settings, key) is None]
    if missing:
        which = ", ".join(f"{key} ({_NEEDED[key]})" for key in missing)
        raise DataError(
            f"{name}: its geometry lacks {which}; give it in a TOML file of the same name or with --geometry"
            f" {missing[0]}=VALUE."
        )


def _place_pixels(pixels: Pixels) -> tuple[SmallAngle, Floats]:
    raw = pixels.raw
    settings = pixels.settings
    _check_known(settings, pixels.name)
    settings = convert_wavelength(settings, pixels.said, pixels.name, pixels.notes)
    assert settings.wavelength
    assert settings.distance
    assert settings.pixel_size
    centre = beam_of(settings, pixels.said, pixels.zero_filled, pixels.mask, pixels.name, pixels.notes)
    shape = pixels.values.shape[0], pixels.values.shape[1]
    setting = settings.setting()
    bare = setting or Setting(settings.wavelength, 0.0, 1e9, settings.distance, 0.0, 0.0, settings.pixel_size)
    placed = as_seen(
        make_detector_geometry(shape, centre, bare),
        top_first=raw.top_first,
        up=settings.up,
        mirror=bool(settings.mirror),
    )
    if setting is None:
        pixels.notes.append("The collimation and the resolution are not known; no resolution was assumed.")
        placed = replace(placed, setting=None)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return placed, np.hypot(columns - centre[0], rows - centre[1])


def _weight(q: Floats, wavelength: float | None) -> Floats:
    """cos³ 2θ, by which a reduction may have divided already; nearly 1 everywhere."""
    if wavelength is None:
        return np.ones_like(q)
    sine = np.minimum(q * wavelength / (4 * np.pi), 0.7)  # sin θ = qλ/4π
    return np.asarray((1 - 2 * sine**2) ** 3)


def _place_in_q(pixels: Pixels, qx: Floats, qy: Floats) -> tuple[SmallAngle, Floats]:
    raw, given_settings, settings = pixels.raw, pixels.said, pixels.settings
    if given_settings.up is not None or given_settings.mirror is not None:
        raise DataError(
            f"{pixels.name}: its q values give the orientation; omit the settings 'up' and 'mirror'."
        )
    setting = settings.setting()
    qx, qy = (np.where(np.isfinite(q), q, 0.0) for q in (qx, qy))
    weight = _weight(np.hypot(qx, qy), settings.wavelength)
    step = np.median(np.abs(np.diff(qx, axis=1))) or 1.0
    if raw.along is None and setting is None:
        pixels.notes.append("The file gives no resolution; none was assumed.")
    _doubt_centre(pixels, pixel_of_q(qx, qy))
    return SmallAngle(qx, qy, weight, raw.along, raw.across, setting=setting), np.hypot(qx, qy) / float(step)


def _doubt_centre(pixels: Pixels, beam: tuple[float, float] | None) -> None:
    """Say where the image is alike under half a turn about another place than where its q is 0."""
    whole = min(pixels.values.shape) >= SMALLEST and not pixels.raw.panel
    centre = better_centre(pixels.zero_filled, pixels.mask, beam) if beam is not None and whole else None
    if beam is not None and centre is not None:
        pixels.notes.append(
            f"The image is symmetric about column {centre[0]:.1f}, row {centre[1]:.1f}, but its q is 0 at"
            f" {beam[0]:.1f}, {beam[1]:.1f}: the centre of the reduction may be wrong."
        )


def _mask_of(path: str, shape: tuple[int, ...], file: str) -> BoolArray:
    with closing(formats.frames(Path(path), path)) as raw_frames:
        first = next(raw_frames, None)
    if first is None or first.values.shape != shape:
        raise DataError(f"{path}: is not a mask of the shape of {file}; give a mask of the same detector.")
    return np.asarray(first.values != 0)


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
    given_settings: SansSettings,
    values: NDArray[np.float64],
    mask: NDArray[np.bool_],
    name: str,
    notes: list[str],
) -> tuple[float, float]:
    """The beam's column and row: the user's, the header's if the image agrees, or found."""
    centre = settings.direct_beam
    if centre is not None:
        _check_near(centre, values.shape[::-1], name)
        beam = better_centre(values, mask, centre)
        if beam is None:
            return centre
        place_text = f"column {beam[0]:.1f}, row {beam[1]:.1f}"
        stated = f"column {centre[0]:.1f}, row {centre[1]:.1f}"
        if given_settings.direct_beam is None:
            notes.append(
                f"The beam position in the header, {stated}, is not the centre of symmetry of the"
                f" image; {place_text} was used. Give direct_beam if that is wrong."
            )
            return beam
        notes.append(
            f"The image is symmetric under a rotation by 180° about {place_text}, not about the stated"
            f" {stated}."
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
