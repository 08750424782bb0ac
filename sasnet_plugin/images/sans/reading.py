"""Small-angle-scattering images from files: where their pixels lie in q, which count, and where the beam
is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import units
from ...arrays import Floats
from ...data.advice import DO_NOT_GIVE_UNIT, geometry
from ...data.columns.read import unit_of
from ...data.columns.table import LAST_LINE_CUT, is_cut_short
from ...data.limits import HDF5, content
from ...data.scope import ISIS_IMAGE
from ...data.toml_files import overlay_settings
from ...domains import ReadOptions
from ...types import DataError, Image
from .. import reading
from ..nexus import RawFrame, not_an_image
from ..reading import (
    check_mask,
    dead_lines,
    find_marked_bad,
    find_unmeasured,
    hot_pixels,
    integer_limit,
    shadows,
    share,
)
from ..recognition import HEAD, SINQ, beginning, is_text_image
from . import nexus
from .nexus import (
    RawSans,
    SansSettings,
    Setting,
    are_counts,
    as_counts,
    compute_pixel_resolution,
    convert_wavelength,
    estimate_error,
    resolve_spreads,
    settings_of,
)

if TYPE_CHECKING:
    BoolArray = NDArray[np.bool_]


# --- Where the pixels of a small-angle-scattering image lie in q, how sharp, and how much each
# --- sees.


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
    """Return the geometry of a flat detector, row 0 lowest, beam at (column, row), 0 the first pixel."""
    # q = 2k sin θ with tan 2θ = r/L2; a pixel of area D² covers dΩ = D² cos³2θ / L2².
    width, height = setting.pixel
    x = (np.arange(shape[1]) - centre[0]) * (width / setting.distance)
    y = (np.arange(shape[0]) - centre[1]) * (height / setting.distance)
    cosine = 1 / np.sqrt(1 + (x**2)[None, :] + (y**2)[:, None])
    # 2 sin θ over tan 2θ, with 2 sin²θ = 1 - cos 2θ = cos 2θ tan² 2θ / (1 + 1/cos 2θ).
    scale = setting.k * cosine * np.sqrt(2 / (1 + cosine))
    return SmallAngle(scale * x[None, :], scale * y[:, None], cosine**3, setting=setting)


# --- Where the beam meets the detector, found from an image that a turn by half leaves as it is.

#: Pixels over which counts are averaged first, and least share of all pixels that the two halves must share.
_SMOOTH, _SHARED = 1.5, 0.1


#: A stated centre is held against the found one from this correlation on, where that of the stated one is as
#: much less, and where the two are as far apart: pixels, and share of the detector's shorter side.
_TRUSTED, _CLEARLY, _APART = 0.5, 0.1, (3.0, 0.02)


def find_centre(values: Floats, mask: BoolArray) -> tuple[float, float, float]:
    """Find the centre of symmetry, as scattering at q and −q is alike, to a quarter of a pixel, and the
    correlation (−1..1) with the rotated image; below 0.2 do not trust it. Values are finite where the mask is
    True.
    """
    worth, correlation = _symmetry(values, mask)
    row, column = np.unravel_index(int(np.argmax(worth)), worth.shape)
    return _top(worth, row, column, 1) / 2, _top(worth, row, column, 0) / 2, float(correlation[row, column])


def better_centre(values: Floats, mask: BoolArray, stated: tuple[float, float]) -> tuple[float, float] | None:
    """Return (column, row) about which an image is clearly more symmetric than the stated centre, or None."""
    worth, correlation = _symmetry(values, mask)
    row, column = np.unravel_index(int(np.argmax(worth)), worth.shape)
    centre = _top(worth, row, column, 1) / 2, _top(worth, row, column, 0) / 2
    far = float(np.hypot(centre[0] - stated[0], centre[1] - stated[1]))
    if far < max(_APART[0], _APART[1] * min(values.shape)) or correlation[row, column] < _TRUSTED:
        return None
    position = tuple(
        int(np.clip(round(2 * x), 0, n - 1)) for x, n in zip(stated[::-1], worth.shape, strict=True)
    )
    # The found centre must be better than the stated one where that can be judged at all.
    is_known = correlation[position] > -1.0
    if (
        is_known
        and correlation[row, column] - correlation[position] > _CLEARLY
        and worth[row, column] > worth[position]
    ):
        return centre
    return None


def _symmetry(values: Floats, mask: BoolArray) -> tuple[Floats, Floats]:
    """Return the worth of each centre in half pixels and its correlation, (2 rows − 1, 2 columns − 1)."""
    # The correlation of f with f rotated by half a turn about c, over common pixels, is for all c at once Σ
    # f(x) f(2c − x), a convolution of f with itself.
    from scipy.fft import irfft2, next_fast_len, rfft2
    from scipy.ndimage import gaussian_filter

    weights = mask.astype(float)
    weight = gaussian_filter(weights, _SMOOTH)
    smooth = gaussian_filter(np.where(mask, values, 0.0), _SMOOTH) / np.maximum(weight, 1e-9)
    floor = max(float(np.median(smooth[mask])), 1e-12) if np.any(mask) else 1.0
    # A cubic root between counts and their logarithm: neither the beam alone, nor noise alone, decides.
    picture = np.where(mask, np.cbrt(np.maximum(smooth, 0.0) / floor), 0.0)
    picture -= picture[mask].mean() * mask
    shape = [next_fast_len(2 * n - 1, real=True) for n in values.shape]

    def together(a: Floats, b: Floats) -> Floats:
        product = irfft2(rfft2(a, shape) * rfft2(b, shape), shape)
        return np.asarray(product[: 2 * a.shape[0] - 1, : 2 * a.shape[1] - 1])

    number = np.maximum(together(weights, weights), 1e-9)
    mean = together(picture, weights) / number
    variance = together(picture**2, weights) / number - mean**2
    covariance = together(picture, picture) / number - mean**2
    enough = number > _SHARED * mask.sum()
    correlation = np.where(enough & (variance > 1e-9), covariance / np.maximum(variance, 1e-9), -1.0)
    # A correlation over more pixels is worth more: its error falls with the root of their number.
    return correlation * np.sqrt(np.where(enough, number, 0.0) / max(mask.sum(), 1)), correlation


def _top(values: Floats, row: np.intp, column: np.intp, axis: int) -> float:
    """Place of the largest value along an axis, by the parabola through it and its neighbours."""
    index = int(column if axis else row)
    line = values[row] if axis else values[:, column]
    if not 0 < index < line.size - 1:
        return float(index)
    low, middle, high = (float(x) for x in line[index - 1 : index + 2])
    bend = low - 2 * middle + high
    return index + (0.5 * (low - high) / bend if bend < 0 else 0.0)


# --- Which pixels of a small-angle-scattering image count: beamstop and its shadow, dead and hot
# --- pixels.

#: A beamstop's edge: inside, less than this share of what is just outside; within so many pixels; and no
#: larger than this share of the detector.
_DARK, _EDGE, _LARGEST = 0.35, 3, 0.3
#: Inside, less than this share of the darkest ring far from the beam.
_DARKEST = 0.7
#: Standard deviations by which the outside must be above the inside.
_CLEAR = 4.0


def beamstop(values: Floats, mask: BoolArray, apart: Floats, error: Floats | None) -> float:
    """Return the radius of the beamstop's shadow, pixels, 0 without one; `apart` is each pixel's distance
    from the beam, `error` None for counts.
    """
    # A beamstop ends within a pixel or two; a peak of the sample rises over the wider resolution.
    ring = np.round(apart).astype(int)
    last = int(_LARGEST * max(values.shape))
    inside = mask & (ring <= last)
    number = np.bincount(ring[inside], minlength=last + 1)
    total = np.bincount(ring[inside], values[inside], last + 1)
    noise = np.maximum(values, 1.0) if error is None else error**2
    variance = np.bincount(ring[inside], noise[inside], last + 1)
    far = np.flatnonzero((number >= 6) & (np.arange(last + 1) > last // 2))
    outside = float(np.min(total[far] / number[far])) if far.size else np.inf
    radius = 0.0
    for edge in range(1, last - _EDGE - 2):
        if _is_edge(edge, number, total, variance, outside):
            radius = float(edge + _EDGE)
    return radius


def _is_edge(
    edge: int, number: NDArray[Any], total: NDArray[Any], variance: NDArray[Any], outside: float
) -> bool:
    """Whether it is dark up to a ring and bright beyond; each ring has `number`, `total` and `variance`,
    `outside` is the least mean far away.
    """
    dark, bright = slice(0, edge + 1), slice(edge + _EDGE, edge + _EDGE + 3)
    inner, outer = number[dark].sum(), number[bright].sum()
    if inner < 3 or outer < 6:
        return False
    low, high = total[dark].sum() / inner, total[bright].sum() / outer
    clear = _CLEAR * np.sqrt(variance[dark].sum() / inner**2 + variance[bright].sum() / outer**2)
    # Behind it is less than anywhere: below the sample's peak there is at least its background.
    return bool(high > 0 and low < _DARK * high and high - low > clear and low < _DARKEST * outside)


def faulty(values: Floats, mask: BoolArray) -> tuple[BoolArray, BoolArray, list[str]]:
    """Find pixels in a shadow, dead or hot, with remarks."""
    if min(values.shape) <= 3:
        return np.zeros_like(mask), np.zeros_like(mask), []
    dark = shadows(values, mask)
    hot = hot_pixels(values, mask & ~dark)
    findings = (("In a shadow or dead and excluded", dark), ("Hot and excluded", hot))
    return dark, hot, [f"{text}: {share(part)}." for text, part in findings if np.any(part)]


def find_behind_beamstop(
    values: Floats, mask: BoolArray, apart: Floats, error: Floats | None
) -> tuple[BoolArray, list[str]]:
    """Pixels behind the beamstop, and a sentence that says so; see `beamstop`."""
    radius = beamstop(values, mask, apart, error)
    if not radius:
        return np.zeros_like(mask), []
    covered = mask & (apart <= radius)
    return covered, [f"A beamstop of radius {radius:.0f} pixels was found and excluded: {share(covered)}."]


# --- An image over q of what stands in a file: bad pixels left out, the beam found, uncertainties
# --- known.

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
            f"{name}: its geometry lacks {which}; give it in a TOML file of the same name or"
            f" {geometry(f'{missing[0]}=VALUE')}."
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
    with closing(reading.frames(Path(path), path)) as raw_frames:
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
            f" column and row {geometry('direct_beam=[COLUMN,ROW]')}."
        )
    notes.append(f"The beam's centre was found from the image: column {column:.1f}, row {row:.1f}.")
    return column, row


def _check_near(centre: tuple[float, float], sides: tuple[int, ...], name: str) -> None:
    if not all(-0.5 * n <= c <= 1.5 * n for c, n in zip(centre, sides, strict=True)):
        raise DataError(f"{name}: direct_beam {centre} lies far off the detector; give column and row.")


# --- Text files of images in q: NIST's ASCII, sasdata's columns Qx Qy I dI, and SINQ's ``.sans``.

_NAMES = {
    "qx": r"^qx", "qy": r"^qy", "error": r"^(err|di|i_?(err|sig|std)|sigma_?i|sigma$|std|unc)", "qz": r"^qz",
    "along": r"^(sigmaq_?par|dq_?par|sqpar)", "across": r"^(sigmaq_?perp|dq_?perp)",
    "sigma_x": r"^(sigmaqx|dqx)", "sigma_y": r"^(sigmaqy|dqy)", "shadow": r"^(fsubs|shadow)",
    "mask": r"^mask", "value": r"^i(nt(ens(ity)?)?)?\b|^i\(",
}  # fmt: skip


#: What columns without names are, and the note that says so.
_USUAL = ("qx", "qy", "value", "error")
_OF_Q = {"qx", "qy", "qz", "along", "across", "sigma_x", "sigma_y"}
_CUT_SHORT = (
    "The file ends within a row of the image, and may lack further rows. The {points} points of that row were"
    " ignored."
)
_NAMELESS = "The file does not name its columns. The first three were read as Qx and Qy in {unit} and I."
#: The order of NIST's columns, and the note where a file of them names none.
_NIST = ("qx", "qy", "value", "error", "qz", "along", "across", "shadow", "mask")
_AS_NIST = (
    "The file does not name its columns. They were read in NIST's order: Qx and Qy in {unit}, I, its"
    " uncertainty, Qz, the resolution along and across q, shadow and mask."
)


def read_text_file(path: Path, file: str) -> RawSans:
    """Read a text file. Raises DataError if unreadable, cut short or no image."""
    text = content(path, file, expectation="a 2D image in q").decode("utf-8", "replace")
    if text.startswith(SINQ):
        return _sans(text, file)
    if titles := ISIS_IMAGE.match(text):
        return _read_isis(text, (titles[2], titles[3]), file)
    # What went through Windows twice ends its lines in two carriage returns.
    lines = text.replace("\r\r\n", "\n").splitlines()
    first = _first(lines, file)
    ends_within = is_cut_short(text, lines)
    table, lacks_value = _table(lines[first:-1] if ends_within else lines[first:], file)
    names = _columns(lines[:first], len(table))
    stated = unit_of(None, tuple(lines[:first]), ()).name
    unit = "nm⁻¹" if stated == "nm⁻¹" else "Å⁻¹"  # cm⁻¹ is that of I
    usual = _NIST if _is_in_order_of_nist(table) else _USUAL
    notes = [] if names else [(_AS_NIST if usual is _NIST else _NAMELESS).format(unit=unit)]
    notes += [] if unit == "Å⁻¹" else [f"Qx and Qy were converted from {unit} to Å⁻¹."]
    columns = {name: table[k] for k, name in enumerate(names or usual[: len(table)]) if name}
    columns |= {name: columns[name] * units.FACTORS["q"][unit] for name in _OF_Q & columns.keys()}
    shape = _shape(columns["qx"], columns["qy"])
    points = shape[0] * shape[1]
    if left := len(table[0]) - points:
        notes.append(_CUT_SHORT.format(points=left))
    elif ends_within or lacks_value:
        notes.append(LAST_LINE_CUT)
    arrays = {name: column[:points].reshape(shape) for name, column in columns.items()}
    settings = _derive_pixel_size(_header(lines[:first]), arrays)
    along, across = _spreads(arrays, notes)
    error = arrays["error"] if _says(arrays, "error") else None
    return RawSans(
        arrays["value"], arrays["qx"], arrays["qy"], error, along, across, _bad_points(arrays, error),
        settings, notes=tuple(notes),
    )  # fmt: skip


def _is_in_order_of_nist(table: Floats) -> bool:
    """Whether columns without names can be NIST's: spreads of q in the sixth and seventh, then marks."""
    if not 8 <= len(table) <= len(_NIST):
        return False
    largest = np.nanmax(np.abs(table[:2]))
    spreads, marks = table[5:7], table[7:]
    return bool(
        np.all(np.abs(table[4]) < largest)
        and np.all((spreads > 0) & (spreads < largest))
        and np.all((marks >= 0) & (marks <= 1))
    )


def _read_isis(text: str, units_stated: tuple[str, str], file: str) -> RawSans:
    """Read Mantid's RKH (LOQ's) text of two dimensions: titles, both axes, all I, then all uncertainties."""
    # The fifth line counts the lines of titles after it. The axes are edges of bins, or their middles.
    lines = text.splitlines()
    factors = []
    for stated in units_stated:
        if (unit := units.canonical(stated, "q")) is None:
            raise DataError(f"{file}: {stated!r}, the unit of an axis, is no unit of q; export it in 1/Å.")
        factors.append(units.FACTORS["q"][unit])
    cut = DataError(f"{file}: the file ends before all of its values; copy the file again.")
    try:
        rest = lines[5 + int(lines[4].split()[0]) :]
        axes = []
        for _ in range(2):
            axis, used = _take_numbers(rest[1:], int(rest[0]))
            axes.append(axis)
            rest = rest[1 + used :]
        columns, rows = (int(word) for word in rest[0].split()[:2])
        has_errors = rest[1].strip().startswith("3")
        values, used = _take_numbers(rest[2:], columns * rows)
        error = _take_numbers(rest[2 + used :], columns * rows)[0] if has_errors else None
    except (IndexError, ValueError) as reason:
        raise cut from reason
    middles, notes = [], []
    for axis, other, size, factor in zip(axes, axes[::-1], (columns, rows), factors, strict=True):
        if axis.size not in (size, size + 1):
            raise DataError(f"{file}: an axis has {axis.size} values for {size} pixels; export it again.")
        if axis.size == size and other.size == size + 1 and np.allclose(axis, other[:-1]):
            # Beside edges of the other axis that begin alike, those of this one lack the last.
            axis = np.append(axis, other[-1])
            notes.append("The values of one axis are lower edges of its bins, and were moved by half a bin.")
        middles.append((axis if axis.size == size else (axis[1:] + axis[:-1]) / 2) * factor)
    qx, qy = np.meshgrid(*middles)
    shape = rows, columns
    values, error = values.reshape(shape), None if error is None else error.reshape(shape)
    bad = ~np.isfinite(values) | (False if error is None else ~(error > 0))
    return RawSans(values, qx, qy, error, bad=bad, notes=tuple(notes))


def _take_numbers(lines: Sequence[str], count: int) -> tuple[Floats, int]:
    """The next so many numbers, and how many lines they take. Raises ValueError if there are others."""
    taken: list[float] = []
    used = 0
    while len(taken) < count and used < len(lines):
        # Columns of twelve characters may touch; what is no number is written in several ways.
        for word in re.sub(r"(?<=\d)(?=[-+])", " ", lines[used]).split():
            taken.append(np.nan if re.search(r"nan|ind|inf|\*", word, re.IGNORECASE) else float(word))
        used += 1
    if not 0 < len(taken) == count:
        raise ValueError(f"{len(taken)} numbers instead of {count}")
    return np.array(taken, dtype=np.float64), used


def _says(arrays: Mapping[str, Floats], name: str, least: float = 0.0) -> bool:
    """Whether there is such a column; some write 0 everywhere, and then it says nothing."""
    return name in arrays and bool(np.any(arrays[name] > least))


def _spreads(arrays: dict[str, Floats], notes: list[str]) -> tuple[Floats | None, Floats | None]:
    along, across = arrays.get("along"), arrays.get("across")
    if along is None and _says(arrays, "sigma_x") and _says(arrays, "sigma_y"):
        along, across = resolve_spreads(
            arrays["qx"], arrays["qy"], arrays["sigma_x"], arrays["sigma_y"], notes
        )
    if along is not None and across is not None and not np.any(along > 0):
        return None, None
    return along, across


def _table(lines: list[str], file: str) -> tuple[Floats, bool]:
    """(columns, points) of lines of numbers, without a last one that lacks some; and whether one does."""
    rows = [numbers for line in filter(str.strip, lines) if (numbers := _numbers(line)) is not None]
    width = len(rows[0])
    if {*map(len, rows[:-1])} - {width} or width < 3:
        raise DataError(f"{file}: its lines have different numbers of values; copy the file again.")
    is_cut = len(rows[-1]) != width
    return np.array(rows[:-1] if is_cut else rows, dtype=np.float64).T, is_cut


def _derive_pixel_size(settings: SansSettings, arrays: Mapping[str, Floats]) -> SansSettings:
    """The header has no pixels; q goes in their steps, k times pixel over distance near the beam."""
    if len(arrays["qx"]) < 2 or not settings.wavelength or not settings.distance:
        return settings
    scale = settings.distance * settings.wavelength / (2 * np.pi)
    steps = [np.median(np.diff(arrays[key], axis=axis)) for key, axis in (("qx", 1), ("qy", 0))]
    if not min(steps) > 0:
        return settings
    return replace(settings, pixel_size=(float(steps[0] * scale), float(steps[1] * scale)))


def _bad_points(arrays: Mapping[str, Floats], error: Floats | None) -> NDArray[np.bool_] | None:
    """Points in the beamstop's shadow, masked, or without an error; None where the file marks none."""
    marks = [arrays["shadow"] < 0.5] if _says(arrays, "shadow", 0.5) else []
    marks += [arrays["mask"] != 0] if "mask" in arrays else []
    marks += [] if error is None else [~(error > 0)]
    return np.logical_or.reduce(marks) if marks else None


def _numbers(line: str) -> list[float] | None:
    parts = re.split(r"[,\s;]+", line.strip())
    try:
        return [float(part) for part in parts] if len(parts) >= 2 else None
    except ValueError:
        return None


def _first(lines: list[str], file: str) -> int:
    """The first of three lines that hold as many numbers; headers have lines of numbers, too."""
    for k in range(min(len(lines) - 2, 4 * HEAD)):
        widths = {len(_numbers(line) or ()) for line in lines[k : k + 3]}
        if len(widths) == 1 and widths.pop() >= 3:
            return k
    raise DataError(f"{file}: no line of numbers follows its header; give columns Qx, Qy, I and dI.")


def _names_in(line: str) -> list[str]:
    """Our names of the columns that a line lists from qx on, empty for those that are of no use."""
    listed = re.sub(r"^.*?(?=qx\b)", "", line.strip().lstrip("#"), count=1, flags=re.IGNORECASE)
    listed = re.sub(r"\s+(?=\()|\s+\[[^]]*\]", "", listed)  # "Qx (1/Å)" is one name
    parts = re.split(r"\s+-\s+|[,;\t]\s*(?![^(]*\))|\s{2,}|\s+(?![^(]*\))", listed)
    names_read = filter(None, (part.strip().lower() for part in parts))
    return [next((n for n, p in _NAMES.items() if re.match(p, part)), "") for part in names_read]


def _columns(head: list[str], width: int) -> list[str]:
    """Our names of the columns by the header; none where it does not name them."""
    for line in reversed(head):
        if not re.search(r"qx\b.*qy", line, re.IGNORECASE):
            continue
        names_read = _names_in(line)
        if len(names_read) == width and {"qx", "qy", "value"} <= set(names_read):
            return names_read
    return []


def _shape(qx: Floats, qy: Floats) -> tuple[int, int]:
    """Whole rows, and columns: q runs along one axis and then starts again; one row where it does not."""
    for axis in (qx, qy):
        turns = np.flatnonzero(np.diff(axis) < -0.5 * np.ptp(axis))
        width = int(turns[0]) + 1 if turns.size else qx.size
        is_whole = qx.size % width == 0 or (turns.size > 1 and qx.size - turns[-1] <= width)
        if turns.size and is_whole and np.all(np.diff(turns) == width):
            return qx.size // width, width
    return 1, int(qx.size)


def _interpret_numbers(names: str, numbers: Sequence[float]) -> dict[str, float]:
    if "LAMBDA" in names and len(numbers) >= 4:
        return {"wavelength": numbers[1], "distance": 1e3 * numbers[3]}
    if "BCENT" in names and len(numbers) >= 6:
        return {
            "source_radius": numbers[2] / 2, "sample_radius": numbers[3] / 2,
            "collimation": 1e3 * numbers[4], "spread": numbers[5],
        }  # fmt: skip
    return {}


def _header(head: list[str]) -> SansSettings:
    header_values: dict[str, float] = {}
    for names, values in zip(head, head[1:], strict=False):
        header_values |= _interpret_numbers(
            names, _numbers(" ".join(re.findall(r"(?<!\S)[-+.\d]\S*", values))) or ()
        )
    return SansSettings(**{name: value for name, value in header_values.items() if value > 0})  # type: ignore[arg-type]


def _sans(text: str, file: str) -> RawSans:
    """SINQ's format: a header of names and values, then I and dI of each pixel."""
    # q comes from the header in Å⁻¹; sasdata's reader of this format gives it ten times too high.
    head, separator, body = text.partition("DATA:")
    header_values = dict(re.findall(r"^([A-Z_]+):\s*([-+.\deE]+)", head, re.MULTILINE))
    try:
        columns, rows = int(header_values["SIZE_X"]), int(header_values["SIZE_Y"])
        wavelength, distance, pixel = (
            float(header_values[key]) for key in ("WAVELENGTH", "DISTANCE", "PIXELSIZE")
        )
        # Pixels are counted from 1 there.
        centre = float(header_values["CENTER_X"]) - 1, float(header_values["CENTER_Y"]) - 1
        values = np.array(body.split(), dtype=np.float64)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{file}: {error} in its header is missing or cannot be read; copy the file again."
        ) from error
    if not separator or values.size != 2 * rows * columns:
        raise DataError(
            f"{file}: holds {values.size // 2} pixels instead of {rows * columns}; copy the file again."
        )
    table = values.reshape(rows, columns, 2)
    settings = SansSettings(
        wavelength=wavelength, distance=1e3 * distance, pixel_size=(pixel, pixel), direct_beam=centre
    )
    deviation = table[..., 1]
    return RawSans(table[..., 0], error=deviation, bad=deviation <= 0, settings=settings)


# --- From a file to small-angle-scattering images over q, or one sentence why not.


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """Yield a file's images, or the one named; panels of one detector as one. Raises DataError if it cannot
    be read, lacks its geometry, or has no such entry.
    """
    path = Path(path)
    if options.q_unit is not None:
        raise DataError(f"{path}: the q of images is in Å⁻¹ or in the unit of the file; {DO_NOT_GIVE_UNIT}.")
    settings = settings_of(path, options.geometry)
    number = 0
    for number, raws in enumerate(_measurements(_raw(path, str(path), settings)), start=1):
        if options.entry is not None and options.entry not in (raws[0].entry, str(number)):
            continue
        try:
            found_image = _image_of(raws, settings, str(path))
        except DataError as error:
            if options.failed is None:
                raise
            options.failed(error)
            continue
        yield found_image
        if options.entry is not None:
            return
    if options.entry is not None:
        raise DataError(f"{path}: there is no entry {options.entry}; the file holds {number}.")


def _measurements(raws: Iterable[RawSans]) -> Iterator[list[RawSans]]:
    """Images, those of panels of one entry together."""
    for (_, panels), group in groupby(raws, key=lambda raw: (raw.entry, bool(raw.panel))):
        if panels:
            yield list(group)
        else:
            yield from ([raw] for raw in group)


def _image_of(raws: list[RawSans], settings: SansSettings, file: str) -> Image:
    if len(raws) == 1:
        (raw,) = raws
        return image(raw if settings.empty_file is None else subtract_empty(raw, settings), settings, file)
    if settings.empty_file is not None:
        raise DataError(
            f"{file}: it has several panels; subtract the empty cell yourself instead of giving empty_file."
        )
    return _read_panels(raws, settings, file)


def _read_panels(raws: list[RawSans], settings: SansSettings, file: str) -> Image:
    images, names, dark = [], [], []
    for raw in raws:
        try:
            images.append(image(raw, settings, file))
            names.append(raw.panel)
        except DataError:  # a panel that was switched off
            dark.append(raw.panel)
    if not images:
        raise DataError(f"{file}: none of its panels ({', '.join(dark)}) holds enough counts; count longer.")
    notes = [f"Panels {', '.join(names)} were read as one measurement."]
    if dark:
        notes.append(f"Excluded, with hardly any counts: {', '.join(dark)}.")
    return join_panels(images, tuple(notes))


def _raw(path: Path, file: str, settings: SansSettings) -> Iterator[RawSans]:
    start = beginning(path, file)
    if start.startswith(HDF5) and settings.dataset is None and nexus.recognise(path):
        yield from nexus.read(path, file)
    elif is_text_image(start):
        yield read_text_file(path, file)
    else:
        with closing(reading.frames(path, file, settings.dataset)) as frames:
            yield from (_convert_frame(frame, file) for frame in frames)


def _convert_frame(frame: RawFrame, file: str) -> RawSans:
    values, header = frame.values, frame.geometry
    if values.ndim != 2 or min(values.shape) < SMALLEST:
        raise not_an_image(file, values.shape)
    settings = SansSettings(
        wavelength=header.wavelength,
        distance=header.distance,
        pixel_size=header.pixel_size,
        direct_beam=header.direct_beam,
    )
    return RawSans(
        values, bad=frame.bad, settings=settings, entry=frame.entry, notes=frame.notes, top_first=True
    )


def subtract_empty(raw: RawSans, settings: SansSettings) -> RawSans:
    """Subtract the empty cell, with errors. Raises DataError if its file is unreadable or of other pixels."""
    assert settings.empty_file is not None
    empty = next(
        _raw(Path(settings.empty_file), settings.empty_file, SansSettings(dataset=settings.dataset)), None
    )
    if empty is None or empty.values.shape != raw.values.shape:
        raise DataError(
            f"{settings.empty_file}: its pixels are not those of the sample's image; give an image of the"
            f" empty cell from the same detector and setting."
        )
    scale = 1.0 if settings.empty_scale is None else settings.empty_scale
    values, errors, bad = [], [], np.zeros(raw.values.shape, dtype=bool)
    for raw_image in (raw, empty):
        # Marks are no counts: they are known before anything is subtracted.
        marked, _ = find_unmeasured(raw_image.values, raw_image.bad, subtracted=True)
        bad |= marked
        values.append(np.where(marked, 0.0, raw_image.values.astype(np.float64)))
        errors.append(np.sqrt(np.maximum(values[-1], 1.0)) if raw_image.error is None else raw_image.error)
    return replace(
        raw, values=values[0] - scale * values[1], error=np.hypot(errors[0], scale * errors[1]), bad=bad,
        notes=(*raw.notes, f"The empty cell, multiplied by {scale:g}, was subtracted."),
    )  # fmt: skip


def join_panels(images: Sequence[Image], notes: tuple[str, ...]) -> Image:
    """Panels of one detector as one image, its pixels in a row."""

    def one(get: Callable[[Image], NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([get(image).ravel() for image in images])[None]

    first: SmallAngle = images[0].geometry
    columns = {
        name: one(lambda image, name=name: getattr(image.geometry, name))  # type: ignore[misc]
        for name in ("qx", "qy", "weight", "along", "across", "error")
        if all(getattr(image.geometry, name) is not None for image in images)
    }
    notes_read = dict.fromkeys(note for image in images for note in image.notes)
    return replace(
        images[0],
        counts=one(lambda image: image.counts),
        mask=one(lambda image: image.mask),
        geometry=SmallAngle(**columns, setting=first.setting, picture=first.picture),
        notes=(*notes, *notes_read),
    )
