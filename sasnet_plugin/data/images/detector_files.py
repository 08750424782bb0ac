"""Detectors' own files: TIFF, EDF and others by fabio, CBF, and what their headers say about the geometry.

fabio's own reader of CBF loops for ever on some damaged headers (a missing start of the data, an open quote),
so the few lines that a detector writes are read here: the header's text and the length that it promises.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.data.failure import content
from sasnet_plugin.data.images import whole
from sasnet_plugin.data.images.raw import RawFrame, not_an_image, truncated
from sasnet_plugin.data.images.settings import ImageSettings
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.data.signature import has_known_suffix
from sasnet_plugin.types import DataError

_NUMBER = r"([-+]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)"
_LINE, _HEADER = 200, 20_000
"""Characters of a line, and of a whole header, that are looked at."""
_LENGTHS_MM = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3, "μm": 1e-3}

KEV_ANGSTROM = 12.398419843320026
"""hc in keV Å (CODATA 2018): the wavelength is this over the energy."""


def dectris(text: str) -> ImageSettings:
    """ImageSettings of the ``# Name value unit`` lines of a Dectris TIFF or CBF header.

    The names are those of DECTRIS' "PILATUS CBF header specification" 1.4; of what a beamline did not fill
    in (``Beam_xy (0.00, 0.00)``, ``Wavelength 0``) nothing is taken.

    Parameters
    ----------
    text : str
        The header's lines.
    """
    text = "\n".join(line[:_LINE] for line in text[:_HEADER].splitlines())
    width = _find(text, rf"Pixel_size[\s:=]+{_NUMBER}\s*(\w+)\s*x\s*{_NUMBER}\s*(\w+)")
    beam = _find(text, rf"Beam_xy[\s:=]*\(?\s*{_NUMBER}\s*,\s*{_NUMBER}")
    distance = _find(text, rf"Detector_distance[\s:=]+{_NUMBER}\s*(\w+)")
    cutoff = _find(text, rf"Count_cutoff[\s:=]+{_NUMBER}")
    incidence = _find(text, rf"(?:Incident_angle|Incidence_angle|Alpha_i)[\s:=]+{_NUMBER}")
    return ImageSettings(
        wavelength=_wavelength(text),
        alpha_i=_positive(float(incidence[0])) if incidence else None,
        distance=_length(*distance) if distance else None,
        pixel_size=_pair(_length(width[0], width[1]), _length(width[2], width[3])) if width else None,
        direct_beam=_beam(float(beam[0]), float(beam[1])) if beam else None,
        saturation=_positive(float(cutoff[0])) if cutoff else None,
    )


def _wavelength(text: str) -> float | None:
    found = _find(text, rf"Wavelength[\s:=]+{_NUMBER}\s*(\w*)")
    if found and float(found[0]) > 0:
        return float(found[0]) * (10.0 if found[1] == "nm" else 1.0)
    energy = _find(text, rf"(?:Photon_energy|X-ray_energy|Energy)[\s:=]+{_NUMBER}\s*(k?eV)")
    if energy and float(energy[0]) > 0:
        return KEV_ANGSTROM / (float(energy[0]) * (1e-3 if energy[1] == "eV" else 1.0))
    return None


def edf(header: Mapping[str, Any]) -> ImageSettings:
    """ImageSettings of an EDF header in the ESRF's SAXS convention.

    ``WaveLength``, ``SampleDistance``, ``PSize_1/2`` are in m, ``Center_1/2`` in pixels whose edge is at 0
    (P. Boesecke, J. Appl. Cryst. 40 (2007) s423).
    """
    values = {str(key).lower(): _float(value) for key, value in header.items()}
    wavelength, distance = _positive(values.get("wavelength")), _positive(values.get("sampledistance"))
    width, height = _positive(values.get("psize_1")), _positive(values.get("psize_2"))
    column, row = values.get("center_1"), values.get("center_2")
    return ImageSettings(
        wavelength=None if wavelength is None else wavelength * 1e10,
        alpha_i=_positive(values.get("alpha_i") or values.get("incidenceangle")),
        distance=None if distance is None else distance * 1000.0,
        pixel_size=_pair(width and width * 1000.0, height and height * 1000.0),
        direct_beam=None if column is None or row is None else _beam(column - 0.5, row - 0.5),
    )


def _find(text: str, pattern: str) -> tuple[str, ...] | None:
    match = re.search(pattern, text)
    return match.groups() if match else None


def _length(number: str, unit: str) -> float | None:
    value, factor = _float(number), _LENGTHS_MM.get(unit)
    return value * factor if value is not None and value > 0 and factor else None


def _float(value: Any) -> float | None:
    match = re.match(rf"\s*{_NUMBER}", str(value))
    return float(match[1]) if match else None


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _pair(first: float | None, second: float | None) -> tuple[float, float] | None:
    return None if not first or not second else (first, second)


def _beam(column: float, row: float) -> tuple[float, float] | None:
    """None for the (0, 0) that stands where nobody wrote a beam."""
    return None if abs(column) <= 0.5 and abs(row) <= 0.5 else (column, row)


_DAMAGE = ("incomplete", "checksum")


def read(path: Path, file: str) -> Iterator[RawFrame]:
    """Frames of a TIFF, CBF or EDF file.

    Raises
    ------
    DataError
        fabio is not installed, or the file is damaged, cut short or no image.
    """
    try:
        import fabio
    except ImportError as error:
        raise DataError(
            f"{file}: detector images are read by fabio; install it with: pip install fabio."
        ) from error
    with whole.unpacked(path, file) as plain:
        whole.check(plain, file)
        image = _first(fabio, plain, file)
        try:
            if image.nframes > LIMITS.frames:
                raise truncated(file)
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
    image, entire, problem = None, False, ""
    # fabio answers damage with an AssertionError here, an AttributeError there, or a line in its log, and
    # leaves the file open.
    with _told() as said:
        try:
            image = fabio.open(str(path))
            entire = image.data is not None  # an EDF is read only now
        except Exception as error:
            entire, problem = False, f"{type(error).__name__}: {error}"
    if entire and not _damaged(said):
        return image
    if image is not None:
        image.close()
    if "identify" in problem or not has_known_suffix(path):
        raise DataError(f"{file}: this is no image format that is known; give TIFF, CBF, EDF or HDF5.")
    raise truncated(file)


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
        return edf(keys)
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
    """The frame of a CBF file (imgCIF, byte-offset compression; H. J. Bernstein, A. P. Hammersley, 2005).

    Raises
    ------
    DataError
        fabio is not installed, the compression is another, or the file is damaged or cut short.
    """
    try:
        from fabio.compression import decByteOffset
    except ImportError as error:
        raise DataError(
            f"{file}: CBF images are unpacked by fabio; install it with: pip install fabio."
        ) from error
    data = content(path, file, wanted="an image", most=LIMITS.array_bytes)
    begin = data.find(_SECTION)
    start = data.find(_START, begin)
    if begin < 0 or start < 0:
        raise truncated(file)
    said = _section(data[begin : min(start, begin + _HEADER)].decode("latin-1"))
    if "byte_offset" not in said.get("conversions", "").lower():
        raise DataError(f"{file}: its compression is not CBF_BYTE_OFFSET; save it as the detector writes it.")
    packed = data[start + len(_START) :]
    try:
        size, rows, columns = (
            int(said[key])
            for key in ("x-binary-size", "x-binary-size-second-dimension", "x-binary-size-fastest-dimension")
        )
        packed = packed[:size]
        entire = len(packed) == size and 0 < rows * columns <= LIMITS.pixels and _intact(packed, said)
        values: Any = decByteOffset(packed, size=rows * columns, dtype="int64") if entire else None
    except Exception as error:  # fabio's C code raises what it likes
        raise truncated(file) from error
    if values is None or len(values) != rows * columns:
        raise truncated(file)
    kind = _TYPES.get(said.get("x-binary-element-type", ""), "int32")
    text = data[: min(begin, _HEADER)].decode("latin-1")
    return RawFrame(np.asarray(values).reshape(rows, columns).astype(kind), geometry=dectris(text))


def _section(text: str) -> dict[str, str]:
    """Names (lower case) and values of the lines above the binary data."""
    pairs = re.findall(
        r"^[ \t]*([\w-]{1,99})[ \t]{0,99}[:=][ \t]{0,99}\"?([^\";\r\n]*)", text, flags=re.MULTILINE
    )
    return {name.lower(): value.strip() for name, value in pairs}


def _intact(packed: bytes, said: dict[str, str]) -> bool:
    digest = said.get("content-md5")
    if not digest:
        return True
    return b64encode(hashlib.md5(packed, usedforsecurity=False).digest()).decode() == digest
