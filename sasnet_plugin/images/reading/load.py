"""`iter_images`, `load_images`: an image file -> images over exit angles, or one sentence why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data.settings_tables import overlay_settings
from ...domains import ReadOptions
from ...types import DataError, Image
from . import masks
from .formats import frames
from .orientation import picture_sides
from .place import Placement, place
from .raw import RawFrame, not_an_image
from .settings import ImageSettings, from_options, read_toml

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    BoolArray = NDArray[np.bool_]

_SMALLEST = 8


def iter_images(
    path: str | os.PathLike[str],
    settings: ImageSettings | None = None,
    *,
    failed: Callable[[DataError], None] | None = None,
) -> Iterator[Image]:
    """Read the images of a file one by one; no more than one is held.

    Parameters
    ----------
    path : str or path
        TIFF, CBF, EDF; NeXus or other HDF5; BornAgain's ``.int``, a table of numbers, ``.npy``, ``.npz``.
    settings : ImageSettings or None
        Settings that go before those of the TOML file of the same name, which go before the header's.
    failed : callable or None
        Told of a frame that cannot be used, and the next is read; None raises at the first.

    Raises
    ------
    DataError
        One sentence: the file cannot be read, its geometry is not known or not plausible, or a frame is
        empty, saturated or turned.
    """
    path = Path(path)
    file = str(path)
    settings_read = overlay_settings(settings or ImageSettings(), read_toml(path))
    reader = _Reader(settings_read, file)
    with closing(frames(path, file, settings_read.dataset)) as raw_frames:
        for frame in raw_frames:
            try:
                image = reader.read(frame)
            except DataError as error:
                if failed is None:
                    raise
                failed(error)
                continue
            yield image


def load_images(
    path: str | os.PathLike[str], settings: ImageSettings | None = None, *, entry: int | None = None
) -> tuple[Image, ...]:
    """Read all images of a file, or frame number ``entry`` counted from 1; see `iter_images`.

    Raises
    ------
    DataError
        As `iter_images`, or there is no such frame.
    """
    if entry is None:
        images = tuple(iter_images(path, settings))
        if not images:
            raise DataError(f"{path}: the file holds no image; check how it was written.")
        return images
    path = Path(path)
    settings_read = overlay_settings(settings or ImageSettings(), read_toml(path))
    number = 0
    with closing(frames(path, str(path), settings_read.dataset)) as raw_frames:
        for number, frame in enumerate(raw_frames, start=1):
            if number == entry:
                return (_Reader(settings_read, str(path)).read(frame),)
    raise DataError(f"{path}: there is no frame {entry}; the file holds {number}.")


class _Reader:
    """Turns frames into images; what only depends on their geometry is worked out once."""

    def __init__(self, said: ImageSettings, file: str) -> None:
        self._said = said
        self._file = file
        self._placed: tuple[tuple[int, ...], ImageSettings, Placement] | None = None
        self._outside: BoolArray | None = None

    def read(self, frame: RawFrame) -> Image:
        name = f"{self._file} ({frame.entry})" if frame.entry else self._file
        values = frame.values
        if values.ndim != 2 or min(values.shape) < _SMALLEST:
            raise not_an_image(name, values.shape)
        settings = overlay_settings(self._said, frame.geometry)
        placement = self._placement(values.shape, settings)
        counts = np.asarray(values, dtype=np.float64)
        good, notes = self._good(frame, counts, settings, name)
        counts = np.where(good, counts, 0.0)
        turned, mask = placement.apply(counts, good)
        notes += _upright(turned, mask, placement, settings, name)
        # Below the horizon the sample's own shadow begins as sharply as a beamstop's.
        dark = masks.shadows(turned, mask & (placement.geometry.alpha_f > 0)[:, None])
        if np.any(dark):
            mask = mask & ~dark
            notes.append(f"Excluded, because in the shadow of a beamstop or dead: {masks.share(dark)}.")
        return Image(
            counts=turned,
            mask=mask,
            geometry=placement.geometry,
            file=self._file,
            entry=frame.entry,
            notes=(*frame.notes, *placement.notes, *notes),
        )

    def _placement(self, shape: tuple[int, ...], settings: ImageSettings) -> Placement:
        if self._placed is None or self._placed[:2] != (shape, settings):
            self._placed = (shape, settings, place((shape[0], shape[1]), settings, self._file))
            self._outside = None
        return self._placed[2]

    def _good(
        self, frame: RawFrame, counts: NDArray[np.float64], settings: ImageSettings, name: str
    ) -> tuple[BoolArray, list[str]]:
        """Which pixels count, and what was left out."""
        shape = (counts.shape[0], counts.shape[1])
        if self._outside is None:
            self._outside = masks.find_excluded(shape, settings) | self._mask_file(settings, shape)
        limit = masks.integer_limit(frame.values)
        bad, notes = masks.find_unmeasured(frame.values, frame.bad, horizon=True)
        good = ~(bad | self._outside)
        _check_counts(counts, good, name)
        saturated = masks.check_saturation(counts, good, settings.saturation or limit, name)
        good &= ~saturated
        hot = masks.hot_pixels(counts, good)
        good &= ~hot
        for reason, part in (
            ("Left out by the settings", self._outside),
            ("Saturated and excluded", saturated),
            ("Hot and excluded", hot),
        ):
            if np.any(part):
                notes.append(f"{reason}: {masks.share(part)}.")
        if np.any(counts[good] != np.round(counts[good])):
            notes.append(
                "The values are not whole numbers; their scatter may differ from counting statistics."
            )
        return good, notes

    def _mask_file(self, settings: ImageSettings, shape: tuple[int, int]) -> BoolArray:
        if settings.mask_file is None:
            return np.zeros(shape, dtype=bool)
        with closing(frames(Path(settings.mask_file), settings.mask_file)) as raw_frames:
            first = next(raw_frames, None)
        values = np.zeros(0) if first is None else first.values
        if values.ndim != 2:
            raise not_an_image(settings.mask_file, values.shape)
        if values.shape != shape:
            raise DataError(
                f"{settings.mask_file}: the mask has {values.shape[0]} rows and {values.shape[1]} columns,"
                f" the image {self._file} {shape[0]} and {shape[1]}; give a mask of the same detector."
            )
        return np.asarray(values != 0)


def _upright(
    counts: NDArray[np.float64], mask: BoolArray, placement: Placement, settings: ImageSettings, name: str
) -> list[str]:
    """What is to be said about how the picture stands; who says what is up is believed."""
    verdict = picture_sides(counts, mask, placement.geometry.phi, placement.geometry.alpha_f)
    if verdict.turned and settings.up is None:
        raise DataError(
            f"{name}: the image seems to be {verdict.turned}; set 'up' to the side that the surface normal"
            " points to (left, right or bottom; top if the image is upright)."
        )
    if verdict.turned:
        return [f"The image seems to be {verdict.turned}; it was read with up = {settings.up!r}, as given."]
    return [verdict.note] if verdict.note else []


def _check_counts(counts: NDArray[np.float64], good: BoolArray, name: str) -> None:
    if not np.any(good):
        raise DataError(f"{name}: every pixel is masked; check the mask and the file.")
    if not np.any(counts[good] > 0):
        raise DataError(
            f"{name}: every pixel is zero; check that the shutter was open and the right frame read."
        )


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """Yield a file's images, or frame number ``entry`` from 1. Raises DataError as `iter_images`, for a unit
    of q, or a wrong entry.
    """
    if options.q_unit is not None:
        raise DataError(f"{path}: an image has no q; do not give --q-unit.")
    settings = from_options(options.geometry) if options.geometry else None
    entry = options.entry
    if entry is None:
        yield from iter_images(path, settings, failed=options.failed)
        return
    if not entry.isdigit() or int(entry) < 1:
        raise DataError(f"{path}: {entry} is not a frame of the image file; give its number, counted from 1.")
    yield from load_images(path, settings, entry=int(entry))
