"""From a file to small-angle-scattering images over q, or one sentence why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....data.signature import HDF5
from ....domains import ReadOptions
from ....types import DataError, Image
from ...reading import formats
from ...reading.masks import find_unmeasured
from ...reading.raw import RawFrame, not_an_image
from ...recognition import beginning, is_text_image
from . import nexus, text_files
from .over_q import SMALLEST, image
from .raw import RawSans
from .settings import SansSettings, settings_of

if TYPE_CHECKING:
    import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .geometry import SmallAngle

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """Yield a file's images, or the one named; panels of one detector as one. Raises DataError if it cannot
    be read, lacks its geometry, or has no such entry.
    """
    path = Path(path)
    if options.q_unit is not None:
        raise DataError(
            f"{path}: the q of images is in Å⁻¹ or in the unit of the file; do not give --q-unit."
        )
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
        yield text_files.read(path, file)
    else:
        with closing(formats.frames(path, file, settings.dataset)) as frames:
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
    """Subtract the empty cell, with uncertainties. Raises DataError if its file is unreadable or has other
    pixels.
    """
    assert settings.empty_file is not None
    empty = next(
        _raw(Path(settings.empty_file), settings.empty_file, SansSettings(dataset=settings.dataset)), None
    )
    if empty is None or empty.values.shape != raw.values.shape:
        raise DataError(
            f"{settings.empty_file}: is not an image with the pixels of the sample; give the empty cell of"
            f" this sample."
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
