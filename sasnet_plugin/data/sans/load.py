"""From a file to small-angle-scattering images over q, or one sentence why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...domains import ReadOptions
from ...types import DataError, Image
from ..images import formats
from ..images.masks import dead_lines, integer_limit, share, stored_as_bad, unmeasured
from ..images.raw import not_an_image
from ..signature import HDF5, beginning
from . import is_text, nexus, text_files
from .beam import beam_of, pixel_of_q
from .centre import better_centre
from .geometry import SmallAngle, as_seen, on_detector
from .masks import behind_beamstop, faulty
from .panels import joined
from .raw import RawSans, are_counts, as_counts, estimated_error
from .resolution import Setting
from .settings import SansSettings, in_angstrom, settings_of

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

_SMALLEST = 8
#: Fewer counts than this show nothing.
LEAST_COUNTS = 30


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """The images of a file one by one, or the one that is named; panels of one detector as one image.

    Raises
    ------
    DataError
        The file cannot be read, its geometry is not known, or there is no such entry.
    """
    path = Path(path)
    if options.q_unit is not None:
        raise DataError(f"{path}: the q of images is in Å⁻¹ or in the file's own unit; leave --q-unit out.")
    said = settings_of(path, options.geometry)
    number = 0
    for number, raws in enumerate(_measurements(_raw(path, str(path), said)), start=1):
        if options.entry is not None and options.entry not in (raws[0].entry, str(number)):
            continue
        try:
            found = _image_of(raws, said, str(path))
        except DataError as error:
            if options.failed is None:
                raise
            options.failed(error)
            continue
        yield found
        if options.entry is not None:
            return
    if options.entry is not None:
        raise DataError(f"{path}: there is no entry {options.entry}; the file holds {number}.")


def _measurements(raws: Iterable[RawSans]) -> Iterator[list[RawSans]]:
    """Images, those of panels of one entry together."""
    for (_, panels), found in groupby(raws, key=lambda raw: (raw.entry, bool(raw.panel))):
        if panels:
            yield list(found)
        else:
            yield from ([raw] for raw in found)


def _image_of(raws: list[RawSans], said: SansSettings, file: str) -> Image:
    if len(raws) == 1:
        (raw,) = raws
        return image(raw if said.empty_file is None else subtracted(raw, said), said, file)
    if said.empty_file is not None:
        raise DataError(f"{file}: it has several panels; subtract the empty cell before, not by empty_file.")
    images, names, dark = [], [], []
    for raw in raws:
        try:
            images.append(image(raw, said, file))
            names.append(raw.panel)
        except DataError:  # a panel that was switched off
            dark.append(raw.panel)
    if not images:
        raise DataError(f"{file}: none of its panels ({', '.join(dark)}) holds enough counts; count longer.")
    notes = [f"Panels {', '.join(names)} were read as one measurement."]
    if dark:
        notes.append(f"Hardly anything was counted by {', '.join(dark)}, left out.")
    return joined(images, tuple(notes))


def _raw(path: Path, file: str, said: SansSettings) -> Iterator[RawSans]:
    start = beginning(path, file)
    if start.startswith(HDF5) and said.dataset is None and nexus.recognise(path):
        yield from nexus.read(path, file)
    elif is_text(start):
        yield text_files.read(path, file)
    else:
        with closing(formats.frames(path, file, said.dataset)) as frames:
            for frame in frames:
                values = frame.values
                if values.ndim != 2 or min(values.shape) < _SMALLEST:
                    raise not_an_image(file, values.shape)
                header = frame.geometry
                settings = SansSettings(
                    wavelength=header.wavelength,
                    distance=header.distance,
                    pixel_size=header.pixel_size,
                    direct_beam=header.direct_beam,
                )
                yield RawSans(
                    values, bad=frame.bad, settings=settings, entry=frame.entry, notes=frame.notes,
                    top_first=True,
                )  # fmt: skip


def subtracted(raw: RawSans, said: SansSettings) -> RawSans:
    """An image without what the empty cell scatters, with the uncertainties of the difference.

    Raises
    ------
    DataError
        The empty cell's file cannot be read, or has other pixels.
    """
    assert said.empty_file is not None
    empty = next(_raw(Path(said.empty_file), said.empty_file, SansSettings(dataset=said.dataset)), None)
    if empty is None or empty.values.shape != raw.values.shape:
        raise DataError(
            f"{said.empty_file}: is no image with the pixels of the sample's; give its empty cell."
        )
    scale = 1.0 if said.empty_scale is None else said.empty_scale
    values, errors, bad = [], [], np.zeros(raw.values.shape, dtype=bool)
    for one in (raw, empty):
        # Marks are no counts: they are known before anything is subtracted.
        marked, _ = unmeasured(one.values, one.bad, subtracted=True)
        bad |= marked
        values.append(np.where(marked, 0.0, one.values.astype(np.float64)))
        errors.append(np.sqrt(np.maximum(values[-1], 1.0)) if one.error is None else one.error)
    return replace(
        raw, values=values[0] - scale * values[1], error=np.hypot(errors[0], scale * errors[1]), bad=bad,
        notes=(*raw.notes, f"The empty cell was subtracted, times {scale:g}."),
    )  # fmt: skip


def image(raw: RawSans, said: SansSettings, file: str) -> Image:
    """An image over q of what stands in a file.

    What is no measurement is left out first, then hot pixels: neither may say where the beam is.

    Parameters
    ----------
    said : SansSettings
        Goes before the header's.

    Raises
    ------
    DataError
        Its geometry is not known, or too little was counted.
    """
    name = " ".join(filter(None, [file, f"({raw.entry or raw.panel})" if raw.entry or raw.panel else ""]))
    notes = list(raw.notes)
    mask = _measured(raw, said, name, notes)
    values = np.where(mask, raw.values.astype(np.float64), 0.0)
    # Whole numbers are counts where nothing says otherwise.
    counts = raw.error is None and are_counts(values[mask])
    dark = np.zeros_like(mask)
    scale = 1.0 if counts else as_counts(values, raw.error, mask)
    if scale and values.shape[0] > 1:
        # Lines without a count; of reduced values also pixels hot before the reduction.
        dead = dead_lines(values * scale, mask) if not counts else dark
        mask &= ~dead
        dark, hot, more = faulty(values * scale, mask)
        mask &= ~hot
        notes += more
        if np.any(dead):
            notes.append(f"Rows or columns without any count were left out: {share(dead)}.")
    # A beamstop's shadow helps to find the beam; hot pixels mislead.
    geometry, apart = _placed(raw, said, np.where(mask, values, 0.0), mask, name, notes)
    mask &= ~dark
    error = raw.error
    if not counts and error is None:
        try:
            error = estimated_error(values, mask, geometry.q)
        except DataError as reason:
            raise DataError(f"{name}: {reason}") from reason
        notes.append("No uncertainties were given; they were estimated from how neighbouring pixels differ.")
    stop = said.over(raw.settings).beamstop
    if stop is not None:
        column, row, radius = stop
        rows, columns = np.ogrid[: values.shape[0], : values.shape[1]]
        mask &= (columns - column) ** 2 + (rows - row) ** 2 > radius**2
    filled = np.where(mask, values, 0.0)
    bad, more = behind_beamstop(filled, mask, apart, error)
    mask &= ~bad
    known = int(filled.sum(where=mask)) if counts else LEAST_COUNTS
    if known < LEAST_COUNTS or not np.any(filled[mask] > 0):
        raise DataError(f"{name}: holds {known} counts; count for longer, or check the mask.")
    if error is not None:
        error = np.where(mask, error, 1.0)
        geometry = replace(geometry, error=error, weight=np.ones_like(values))
    elif raw.area != 1.0:
        geometry = replace(geometry, weight=geometry.weight * raw.area)
    return Image(
        np.where(mask, values, 0.0), mask, geometry, file=file, entry=raw.entry, notes=(*notes, *more)
    )


def _measured(raw: RawSans, said: SansSettings, name: str, notes: list[str]) -> NDArray[np.bool_]:
    """Which pixels hold a measurement by the file and the user."""
    if min(raw.values.shape) < _SMALLEST:  # a list of pixels, of which the file says all
        bad = stored_as_bad(raw.values, subtracted=True) | (False if raw.bad is None else raw.bad)
    else:
        bad, more = unmeasured(raw.values, raw.bad, subtracted=raw.error is not None or raw.qx is not None)
        notes += more
    mask = ~bad
    limit = integer_limit(raw.values)
    if limit is not None and raw.error is None:
        full = raw.values == limit
        # Where most of an image is at the limit it is a picture, no faulty detector.
        if 0 < np.mean(full[mask]) < 0.5:
            mask &= ~full
            notes.append(f"At the detector's limit of {limit:g} counts and left out: {share(full)}.")
    if said.mask_file is not None:
        mask &= ~_mask_of(said.mask_file, raw.values.shape, name)
    if mask.sum() < _SMALLEST**2:
        raise DataError(f"{name}: only {int(mask.sum())} pixels hold values; check the file and its mask.")
    return np.asarray(mask)


def _placed(
    raw: RawSans,
    said: SansSettings,
    values: NDArray[np.float64],
    mask: NDArray[np.bool_],
    name: str,
    notes: list[str],
) -> tuple[SmallAngle, NDArray[np.float64]]:
    """Where the pixels lie, and how far from the beam, in pixels."""
    if raw.qx is not None and raw.qy is not None:
        return _in_q(raw, said, values, mask, name, notes)
    settings = said.over(raw.settings)
    missing = [key for key in ("wavelength", "distance", "pixel_size") if getattr(settings, key) is None]
    if missing:
        raise DataError(
            f"{name}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not known; give"
            f" {'it' if len(missing) == 1 else 'them'} in a TOML file of the same name or with --geometry"
            f" {missing[0]}=VALUE."
        )
    settings = in_angstrom(settings, said, name, notes)
    assert settings.wavelength
    assert settings.distance
    assert settings.pixel_size
    centre = beam_of(settings, said, values, mask, name, notes)
    shape = values.shape[0], values.shape[1]
    known = settings.setting()
    bare = known or Setting(settings.wavelength, 0.0, 1e9, settings.distance, 0.0, 0.0, settings.pixel_size)
    placed = as_seen(
        on_detector(shape, centre, bare),
        top_first=raw.top_first,
        up=settings.up,
        mirror=bool(settings.mirror),
    )
    if known is None:
        notes.append("The collimation is not known, nor how sharp q is; nothing was assumed of it.")
        placed = replace(placed, setting=None)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return placed, np.hypot(columns - centre[0], rows - centre[1])


def _in_q(
    raw: RawSans,
    said: SansSettings,
    values: NDArray[np.float64],
    mask: NDArray[np.bool_],
    name: str,
    notes: list[str],
) -> tuple[SmallAngle, NDArray[np.float64]]:
    """The geometry of a file that has q."""
    if said.up is not None or said.mirror is not None:
        raise DataError(f"{name}: its q says where up is; leave up and mirror out.")
    assert raw.qx is not None
    assert raw.qy is not None
    settings = said.over(raw.settings)
    known = settings.setting()
    qx, qy = (np.where(np.isfinite(q), q, 0.0) for q in (raw.qx, raw.qy))
    weight = np.ones_like(qx)
    if settings.wavelength is not None:
        # sin θ = qλ/4π; what a reduction has already divided by is not known, and is 1 nearly everywhere.
        sine = np.minimum(np.hypot(qx, qy) * settings.wavelength / (4 * np.pi), 0.7)
        weight = (1 - 2 * sine**2) ** 3
    step = np.median(np.abs(np.diff(qx if qx.shape[0] == 1 else qx, axis=1))) or 1.0
    spread = (raw.along, raw.across)
    if spread[0] is None and known is None:
        notes.append("The file does not say how sharp q is; nothing was assumed of it.")
    if min(values.shape) >= _SMALLEST and not raw.panel:
        beam = pixel_of_q(qx, qy)
        found = None if beam is None else better_centre(values, mask, beam)
        if beam is not None and found is not None:
            notes.append(
                f"The image is alike under half a turn about column {found[0]:.1f}, row {found[1]:.1f}, where"
                f" its q is 0 at {beam[0]:.1f}, {beam[1]:.1f}: the centre of the reduction may be wrong."
            )
    return SmallAngle(qx, qy, weight, *spread, setting=known), np.hypot(qx, qy) / float(step)


def _mask_of(path: str, shape: tuple[int, ...], file: str) -> NDArray[np.bool_]:
    with closing(formats.frames(Path(path), path)) as found:
        first = next(found, None)
    if first is None or first.values.shape != shape:
        raise DataError(f"{path}: is no mask of the shape of {file}; give a mask of the same detector.")
    return np.asarray(first.values != 0)
