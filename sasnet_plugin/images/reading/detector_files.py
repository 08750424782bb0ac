"""Detectors' own files: TIFF, EDF, SMV, MarCCD and others by fabio, CBF, and what headers say of geometry.

fabio's own reader of CBF loops for ever on some damaged headers (a missing start of the data, an open quote),
so the few lines that a detector writes are read here: the header's text and the length that it promises.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...data.limits import LIMITS
from ...data.signature import content
from ...types import DataError, describe_install
from ..recognition import has_known_suffix
from . import whole
from .headers import HEADER, dectris, edf, marccd, saxslab, smv
from .raw import RawFrame, make_truncation_error, not_an_image
from .settings import ImageSettings

_DAMAGE = ("incomplete", "checksum")


def read(path: Path, file: str) -> Iterator[RawFrame]:
    """Read frames of a TIFF, CBF or EDF file. Raises DataError without fabio, or for a damaged file."""
    try:
        import fabio
    except ImportError as error:
        raise DataError(
            f"{file}: detector images need fabio, which is not installed; run {describe_install('images')}"
        ) from error
    with whole.unpack(path, file) as plain:
        whole.check(plain, file)
        with plain.open("rb") as stream:
            start = stream.read(HEADER)
        image = _first(fabio, plain, file)
        try:
            yield from _frames_of(image, start, file)
        finally:
            image.close()


def _frames_of(image: Any, start: bytes, file: str) -> Iterator[RawFrame]:
    """Frames of an image that fabio has opened, whose file begins so."""
    if image.nframes > LIMITS.frames:
        raise make_truncation_error(file)
    for number in range(image.nframes):
        frame = image if number == 0 else _next(image, number, file)
        values = np.asarray(frame.data)
        if values.ndim != 2:
            raise not_an_image(file, values.shape)
        entry = f"frame {number + 1}" if image.nframes > 1 else ""
        header = marccd(start, (values.shape[0], values.shape[1])) or saxslab(start)
        yield RawFrame(values=values, entry=entry, geometry=header or _geometry(image, frame))


def _first(fabio: Any, path: Path, file: str) -> Any:
    image, entire, problem = None, False, ""
    # fabio answers damage with an AssertionError here, an AttributeError there, or a line in its log, and
    # leaves the file open.
    with _capture_log() as log_lines:
        try:
            image = fabio.open(str(path))
            entire = image.data is not None  # an EDF is read only now
        except Exception as error:
            entire, problem = False, f"{type(error).__name__}: {error}"
    if entire and not _is_damaged(log_lines):
        return image
    if image is not None:
        image.close()
    if "identify" in problem or not has_known_suffix(path):
        raise DataError(f"{file}: this image format is unknown; give TIFF, CBF, EDF or HDF5.")
    raise make_truncation_error(file)


def _next(image: Any, number: int, file: str) -> Any:
    with _capture_log() as log_lines:
        try:
            frame = image.getframe(number)
        except Exception as error:
            raise make_truncation_error(file) from error
        if frame.data is None or _is_damaged(log_lines):
            raise make_truncation_error(file)
    return frame


def _is_damaged(log_lines: list[str]) -> bool:
    return any(word in line.lower() for line in log_lines for word in _DAMAGE)


@contextmanager
def _capture_log() -> Iterator[list[str]]:
    """What fabio logs meanwhile; it and the warnings of its libraries are kept off the user's screen."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, handler = logging.getLogger("fabio"), Keep()
    propagate = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield lines
    finally:
        logger.propagate = propagate
        logger.removeHandler(handler)


def _geometry(image: Any, frame: Any) -> ImageSettings:
    keys = getattr(frame, "header", None) or image.header
    if type(image).__name__ == "EdfImage":
        return edf(keys)
    if "HEADER_BYTES" in keys:
        return smv(keys)
    text = keys.get("_array_data.header_contents") or keys.get("imageDescription")
    # fabio splits the lines of some TIFF headers into keys and values.
    return dectris(str(text) if text else "\n".join(f"{key} {value}" for key, value in keys.items()))


_SECTION, _START = b"--CIF-BINARY-FORMAT-SECTION--", b"\x0c\x1a\x04\xd5"
_TYPES = {
    "signed 8-bit integer": "int8",
    "unsigned 8-bit integer": "uint8",
    "signed 16-bit integer": "int16",
    "unsigned 16-bit integer": "uint16",
    "signed 32-bit integer": "int32",
    "unsigned 32-bit integer": "uint32",
}


def read_cbf(path: Path, file: str) -> RawFrame:
    """Read a CBF file (imgCIF, byte-offset compression; H. J. Bernstein, A. P. Hammersley, 2005). Raises
    DataError without fabio, for another compression, or a damaged file.
    """
    try:
        from fabio.compression import decByteOffset
    except ImportError as error:
        raise DataError(
            f"{file}: CBF images need fabio, which is not installed; run {describe_install('images')}"
        ) from error
    data = content(path, file, expectation="an image", most=LIMITS.array_bytes)
    begin = data.find(_SECTION)
    start = data.find(_START, begin)
    if begin < 0 or start < 0:
        raise make_truncation_error(file)
    section = _section(data[begin : min(start, begin + HEADER)].decode("latin-1"))
    if "byte_offset" not in section.get("conversions", "").lower():
        raise DataError(f"{file}: its compression is not CBF_BYTE_OFFSET; save it as the detector writes it.")
    try:
        size, rows, columns = (
            int(section[key])
            for key in ("x-binary-size", "x-binary-size-second-dimension", "x-binary-size-fastest-dimension")
        )
        packed = data[start + len(_START) :][:size]
        if len(packed) != size or not 0 < rows * columns <= LIMITS.pixels or not _intact(packed, section):
            raise make_truncation_error(file)
        values: Any = decByteOffset(packed, size=rows * columns, dtype="int64")
    except DataError:
        raise
    except Exception as error:  # fabio's C code raises what it likes
        raise make_truncation_error(file) from error
    if len(values) != rows * columns:
        raise make_truncation_error(file)
    kind = _TYPES.get(section.get("x-binary-element-type", ""), "int32")
    text = data[: min(begin, HEADER)].decode("latin-1")
    return RawFrame(np.asarray(values).reshape(rows, columns).astype(kind), geometry=dectris(text))


def _section(text: str) -> dict[str, str]:
    """Names (lower case) and values of the lines above the binary data."""
    pairs = re.findall(
        r"^[ \t]*([\w-]{1,99})[ \t]{0,99}[:=][ \t]{0,99}\"?([^\";\r\n]*)", text, flags=re.MULTILINE
    )
    return {name.lower(): value.strip() for name, value in pairs}


def _intact(packed: bytes, section: dict[str, str]) -> bool:
    digest = section.get("content-md5")
    if not digest:
        return True
    return b64encode(hashlib.md5(packed, usedforsecurity=False).digest()).decode() == digest
