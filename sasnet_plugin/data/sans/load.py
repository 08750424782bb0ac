"""From a file to small-angle-scattering images over q, or one sentence why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...domains import ReadOptions
from ...types import DataError, Image
from ..failure import content
from ..images import formats
from ..images.raw import not_an_image
from ..signature import HDF5
from . import is_text, nexus, text_files
from .centre import find_centre
from .geometry import SmallAngle, on_detector
from .masks import unusable
from .raw import RawSans, are_counts, estimated_error
from .resolution import Setting
from .settings import SansSettings, settings_of

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

_SMALLEST = 8
#: Below this correlation of an image with its turned self no centre was found.
_SYMMETRIC = 0.2
#: Fewer counts than this show nothing.
LEAST_COUNTS = 30


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """The images of a file one by one, or the one that is named.

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
    for number, raw in enumerate(_raw(path, str(path), said), start=1):
        if options.entry is not None and options.entry not in (raw.entry, str(number)):
            continue
        try:
            found = image(raw if said.empty_file is None else subtracted(raw, said), said, str(path))
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


def _raw(path: Path, file: str, said: SansSettings) -> Iterator[RawSans]:
    start = content(path, file, wanted="a small-angle-scattering image", size=6000)
    if start.startswith(HDF5) and said.dataset is None:
        yield from nexus.read(path, file)
    elif is_text(start):
        yield text_files.read(path, file)
    else:
        with closing(formats.frames(path, file, said.dataset)) as frames:
            for frame in frames:
                values = np.asarray(frame.values, dtype=np.float64)
                if values.ndim != 2 or min(values.shape) < _SMALLEST:
                    raise not_an_image(file, values.shape)
                header = frame.geometry
                settings = SansSettings(
                    wavelength=header.wavelength,
                    distance=header.distance,
                    pixel_size=header.pixel_size,
                    direct_beam=header.direct_beam,
                )
                yield RawSans(values, bad=frame.bad, settings=settings, entry=frame.entry, notes=frame.notes)


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
    errors = [
        np.sqrt(np.maximum(one.values, 1.0)) if one.error is None else one.error for one in (raw, empty)
    ]
    return replace(
        raw, values=raw.values - scale * empty.values, error=np.hypot(errors[0], scale * errors[1]),
        notes=(*raw.notes, f"The empty cell was subtracted, times {scale:g}."),
    )  # fmt: skip


def image(raw: RawSans, said: SansSettings, file: str) -> Image:
    """An image over q of what stands in a file.

    Parameters
    ----------
    raw : RawSans
    said : SansSettings
        Goes before the header's.
    file : str

    Raises
    ------
    DataError
        Its geometry is not known, or too little was counted.
    """
    name = f"{file} ({raw.entry})" if raw.entry else file
    settings, notes = said.over(raw.settings), list(raw.notes)
    values = np.asarray(raw.values, dtype=np.float64)
    mask = np.isfinite(values)
    if raw.bad is not None:
        mask &= ~raw.bad
    if settings.mask_file is not None:
        mask &= ~_mask_of(settings.mask_file, values.shape, file)
    if mask.sum() < _SMALLEST**2:
        raise DataError(f"{name}: only {int(mask.sum())} pixels hold values; check the file and its mask.")
    # Whole numbers are counts where nothing says otherwise.
    counts = raw.error is None and are_counts(values[mask])
    geometry, apart = _placed(raw, settings, values, mask, name, notes)
    error = raw.error
    if not counts and error is None:
        try:
            error = estimated_error(values, mask, geometry.q)
        except DataError as reason:
            raise DataError(f"{name}: {reason}") from reason
        notes.append("No uncertainties were given; they were estimated from how neighbouring pixels differ.")
    if settings.beamstop is not None:
        column, row, radius = settings.beamstop
        rows, columns = np.ogrid[: values.shape[0], : values.shape[1]]
        mask &= (columns - column) ** 2 + (rows - row) ** 2 > radius**2
    filled = np.where(mask, values, 0.0)
    bad, more = unusable(filled, mask, apart, error, counts=counts and values.shape[0] > 1)
    mask &= ~bad
    known = int(filled.sum(where=mask)) if counts else LEAST_COUNTS
    if known < LEAST_COUNTS or not np.any(filled[mask] > 0):
        raise DataError(f"{name}: holds {known} counts; count for longer, or check the mask.")
    if error is not None:
        error = np.where(mask, error, 1.0)
        geometry = replace(geometry, error=error, weight=np.ones_like(values))
    return Image(
        np.where(mask, values, 0.0), mask, geometry, file=file, entry=raw.entry, notes=(*notes, *more)
    )


def _placed(
    raw: RawSans,
    settings: SansSettings,
    values: NDArray[np.float64],
    mask: NDArray[np.bool_],
    name: str,
    notes: list[str],
) -> tuple[SmallAngle, NDArray[np.float64]]:
    """Where the pixels lie, and how far from the beam, in pixels."""
    known = settings.setting()
    if raw.qx is not None and raw.qy is not None:
        return _by_q(raw, raw.qx, raw.qy, settings, notes)
    missing = [key for key in ("wavelength", "distance", "pixel_size") if getattr(settings, key) is None]
    if missing:
        raise DataError(
            f"{name}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not known; give"
            f" {'it' if len(missing) == 1 else 'them'} in a TOML file of the same name or with --geometry"
            f" {missing[0]}=VALUE."
        )
    assert settings.wavelength
    assert settings.distance
    assert settings.pixel_size
    centre = _centre(settings, values, mask, name, notes)
    shape = values.shape[0], values.shape[1]
    bare = known or Setting(settings.wavelength, 0.0, 1e9, settings.distance, 0.0, 0.0, settings.pixel_size)
    placed = on_detector(shape, centre, bare)
    if known is None:
        notes.append("The collimation is not known, nor how sharp q is; nothing was assumed of it.")
        placed = replace(placed, setting=None)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return placed, np.hypot(columns - centre[0], rows - centre[1])


def _by_q(
    raw: RawSans, qx: NDArray[np.float64], qy: NDArray[np.float64], settings: SansSettings, notes: list[str]
) -> tuple[SmallAngle, NDArray[np.float64]]:
    """The same of a file that says q of each pixel."""
    known = settings.setting()
    qx, qy = (np.where(np.isfinite(q), q, 0.0) for q in (qx, qy))
    weight = np.ones_like(qx)
    if settings.wavelength is not None:
        # sin θ = qλ/4π; what a reduction has already divided by is not known, and is 1 nearly everywhere.
        sine = np.minimum(np.hypot(qx, qy) * settings.wavelength / (4 * np.pi), 0.7)
        weight = (1 - 2 * sine**2) ** 3
    step = np.median(np.abs(np.diff(qx, axis=1))) or 1.0
    if raw.along is None and known is None:
        notes.append("The file does not say how sharp q is; nothing was assumed of it.")
    return SmallAngle(qx, qy, weight, raw.along, raw.across, setting=known), np.hypot(qx, qy) / float(step)


def _centre(
    settings: SansSettings, values: NDArray[np.float64], mask: NDArray[np.bool_], name: str, notes: list[str]
) -> tuple[float, float]:
    """Column and row of the beam, as given or by the image's symmetry."""
    centre = settings.direct_beam
    if centre is None:
        column, row, like = find_centre(np.where(mask, values, 0.0), mask)
        if like < _SYMMETRIC:
            raise DataError(
                f"{name}: no centre is found, as no turn by half leaves the image alike; give the beam's"
                " column and row with --geometry direct_beam=[COLUMN,ROW]."
            )
        notes.append(f"The beam's centre was found from the image: column {column:.1f}, row {row:.1f}.")
        return column, row
    if not all(-0.5 * n <= c <= 1.5 * n for c, n in zip(centre, values.shape[::-1], strict=True)):
        raise DataError(f"{name}: direct_beam {centre} lies far off the detector; give column and row.")
    return centre


def _mask_of(path: str, shape: tuple[int, ...], file: str) -> NDArray[np.bool_]:
    with closing(formats.frames(Path(path), path)) as found:
        first = next(found, None)
    if first is None or first.values.shape != shape:
        raise DataError(f"{path}: is no mask of the shape of {file}; give a mask of the same detector.")
    return np.asarray(first.values != 0)
