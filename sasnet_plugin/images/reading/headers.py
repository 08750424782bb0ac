"""What headers of detectors' own files say about the geometry: Dectris, EDF, SMV, MarCCD, SAXSLAB."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

from .settings import ImageSettings

_NUMBER = r"([-+]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)"
_LINE, HEADER = 200, 20_000
"""Characters of a line, and of a whole header, that are looked at."""
_LENGTHS_MM = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3, "μm": 1e-3}

KEV_ANGSTROM = 12.398419843320026
"""hc in keV Å (CODATA 2018): the wavelength is this over the energy."""


def dectris(text: str) -> ImageSettings:
    """Read settings from a Dectris TIFF or CBF header (DECTRIS, "PILATUS CBF header specification" 1.4),
    without defaults that a beamline left, such as ``Beam_xy (0.00, 0.00)``.
    """
    text = "\n".join(line[:_LINE] for line in text[:HEADER].splitlines())
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
    match = _find(text, rf"Wavelength[\s:=]+{_NUMBER}\s*(\w*)")
    if match and float(match[0]) > 0:
        return float(match[0]) * (10.0 if match[1] == "nm" else 1.0)
    energy = _find(text, rf"(?:Photon_energy|X-ray_energy|Energy)[\s:=]+{_NUMBER}\s*(k?eV)")
    if energy and float(energy[0]) > 0:
        return KEV_ANGSTROM / (float(energy[0]) * (1e-3 if energy[1] == "eV" else 1.0))
    return None


def edf(header: Mapping[str, Any]) -> ImageSettings:
    """ImageSettings of an EDF header in the ESRF's SAXS convention."""
    # ``WaveLength``, ``SampleDistance``, ``PSize_1/2`` are in m, ``Center_1/2`` in pixels whose edge is at 0
    # (P. Boesecke, J. Appl. Cryst. 40 (2007) s423).
    values = {str(key).lower(): _float(value) for key, value in header.items()}
    wavelength, distance = _positive(values.get("wavelength")), _positive(values.get("sampledistance"))
    width, height = _positive(values.get("psize_1")), _positive(values.get("psize_2"))
    column, row = values.get("center_1"), values.get("center_2")
    return ImageSettings(
        wavelength=_times(wavelength, 1e10),
        alpha_i=_positive(values.get("alpha_i") or values.get("incidenceangle")),
        distance=_times(distance, 1000.0),
        pixel_size=_pair(_times(width, 1000.0), _times(height, 1000.0)),
        direct_beam=None if column is None or row is None else _beam(column - 0.5, row - 0.5),
    )


def smv(header: Mapping[str, Any]) -> ImageSettings:
    """ImageSettings of an SMV header (ADSC): Å, mm; the beam's place is a length from the first pixel."""
    values = {str(key).upper(): _positive(_float(value)) for key, value in header.items()}
    size = values.get("PIXEL_SIZE")
    column, row = (values.get(f"BEAM_CENTER_{axis}") for axis in "XY")
    return ImageSettings(
        wavelength=values.get("WAVELENGTH"),
        distance=values.get("DISTANCE"),
        pixel_size=_pair(size, size),
        direct_beam=_beam(column / size, row / size) if column and row and size else None,
    )


#: Of MarCCD's header, by its documentation: where it begins in the TIFF, and where in it whole numbers stand:
#: order of bytes, columns, rows; µm to the detector and the beam in thousandths of a pixel; nm; fm.
_MAR, _MAR_BYTES = 1024, 1024
_MAR_ORDER, _MAR_SHAPE, _MAR_PLACE, _MAR_PIXEL, _MAR_WAVELENGTH = 28, 80, 640, 772, 908


def marccd(start: bytes, shape: tuple[int, int]) -> ImageSettings | None:
    """Read settings from MarCCD's header in a TIFF's first 2048 bytes; None for other files."""
    block = start[_MAR : _MAR + _MAR_BYTES]
    if len(block) < _MAR_BYTES:
        return None
    order = next((o for o in "<>" if struct.unpack_from(f"{o}I", block, _MAR_ORDER)[0] in (1234, 4321)), None)
    if order is None or struct.unpack_from(f"{order}II", block, _MAR_SHAPE) != shape[::-1]:
        return None
    distance, column, row = struct.unpack_from(f"{order}3i", block, _MAR_PLACE)
    width, height = struct.unpack_from(f"{order}2i", block, _MAR_PIXEL)
    (wavelength,) = struct.unpack_from(f"{order}i", block, _MAR_WAVELENGTH)
    return ImageSettings(
        wavelength=_positive(wavelength / 1e5),
        distance=_positive(distance / 1e3),
        pixel_size=_pair(width / 1e6, height / 1e6),
        direct_beam=_beam(column / 1e3, row / 1e3),
    )


def saxslab(start: bytes) -> ImageSettings | None:
    """Read settings, Å, mm and pixels, from the XML in TIFF files of SAXSLAB and Xenocs; None for others."""
    # The beam's row precedes its column; `start` has `HEADER` bytes.
    text = start.decode("latin-1")
    if "<SAXSLABparameters>" not in text:
        return None

    def find_pair(name: str) -> tuple[float, float]:
        match = _find(text, rf'name="{name}">\s*{_NUMBER}\s*{_NUMBER}?\s*<') or ("0", "0")
        return float(match[0]), float(match[1] or 0)

    row, column = find_pair("beamcenter_actual")
    return ImageSettings(
        wavelength=_positive(find_pair("wavelength")[0]),
        distance=_positive(find_pair("detector_dist")[0]),
        pixel_size=_pair(*find_pair("pixelsize")),
        direct_beam=_beam(column, row),
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


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _pair(first: float | None, second: float | None) -> tuple[float, float] | None:
    return None if not first or not second else (first, second)


def _beam(column: float, row: float) -> tuple[float, float] | None:
    """Read the beam's place; None for (0, 0), which nobody has written."""
    return None if abs(column) <= 0.5 and abs(row) <= 0.5 else (column, row)
