"""TIFF, CBF and EDF through fabio, frame by frame."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.data.images import header
from sasnet_plugin.data.images.raw import RawFrame, not_an_image, truncated
from sasnet_plugin.data.images.settings import ImageSettings
from sasnet_plugin.types import DataError

SUFFIXES = (".cbf", ".edf", ".tif", ".tiff")
_DAMAGE = ("incomplete", "checksum")


def read(path: Path, file: str) -> Iterator[RawFrame]:
    """Frames of a TIFF, CBF or EDF file.

    Parameters
    ----------
    path : Path
    file : str
        Its name in messages.

    Yields
    ------
    RawFrame

    Raises
    ------
    DataError
        fabio is not installed, or the file is damaged, cut short or no image.
    """
    try:
        import fabio
    except ImportError as error:
        raise DataError(
            f"{file}: detector images are read by fabio; install it with: pip install 'sasnet_plugin[gisas]'."
        ) from error
    image = _first(fabio, path, file)
    try:
        for number in range(image.nframes):
            frame = image if number == 0 else _next(image, number, file)
            values = np.asarray(frame.data)
            if values.ndim != 2:
                raise not_an_image(file, values.shape)
            entry = f"frame {number + 1}" if image.nframes > 1 else ""
            yield RawFrame(values=values, entry=entry, geometry=_geometry(image, frame))
    finally:
        image.close()


def _first(fabio: Any, path: Path, file: str) -> Any:
    image, problem = None, ""
    # fabio answers damage with an AssertionError here, an AttributeError there, or a line in its log, and
    # leaves the file open.
    with _told() as said:
        try:
            image = fabio.open(str(path))
            whole = image.data is not None  # an EDF is read only now
        except Exception as error:
            whole, problem = False, f"{type(error).__name__}: {error}"
    if whole and not _damaged(said):
        return image
    if image is not None:
        image.close()
    if "identify" in problem or not has_known_suffix(path):
        raise DataError(f"{file}: this is no image format that is known; give TIFF, CBF, EDF or HDF5.")
    raise truncated(file)


def has_known_suffix(path: Path) -> bool:
    """Whether the name ends like that of a TIFF, CBF or EDF file, packed or not."""
    return any(suffix.lower() in SUFFIXES for suffix in path.suffixes[-2:])


def _next(image: Any, number: int, file: str) -> Any:
    with _told() as said:
        try:
            frame = image.getframe(number)
        except Exception as error:
            raise truncated(file) from error
        if frame.data is None or _damaged(said):
            raise truncated(file)
    return frame


def _damaged(said: list[str]) -> bool:
    return any(word in line.lower() for line in said for word in _DAMAGE)


@contextmanager
def _told() -> Iterator[list[str]]:
    """What fabio logs meanwhile; it and the warnings of its libraries are kept off the user's screen."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, handler = logging.getLogger("fabio"), Keep()
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield lines
    finally:
        logger.propagate = before
        logger.removeHandler(handler)


def _geometry(image: Any, frame: Any) -> ImageSettings:
    keys = getattr(frame, "header", None) or image.header
    if type(image).__name__ == "EdfImage":
        return header.edf(keys)
    text = keys.get("_array_data.header_contents") or keys.get("imageDescription")
    # fabio splits the lines of some TIFF headers into keys and values.
    return header.dectris(str(text) if text else "\n".join(f"{key} {value}" for key, value in keys.items()))
