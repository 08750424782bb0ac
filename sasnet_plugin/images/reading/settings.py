"""What a file, its TOML neighbour or the user says about an image; values in a wrong unit are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ...data.settings_tables import (
    SIDED,
    check_names,
    is_number,
    numbers_of,
    parse_assignments,
    path_of,
    read_sidecar_settings,
    side_or_mirror,
)
from ...types import DataError

Pair = tuple[float, float]
_FLAT = ("beam", "sample")


@dataclass(frozen=True)
class ImageSettings:
    """Settings of one image; None (or empty) where nothing is said.

    Columns and rows are those of the file, counted from 0, whole numbers at the pixels' centres.

    Parameters
    ----------
    wavelength : float or None
        Å.
    alpha_i : float or None
        Angle of incidence, degrees.
    phi : (float, float) or None
        In-plane exit angle of the first and the last column (their centres), degrees.
    alpha_f : (float, float) or None
        Exit angle of the first and the last row (their centres), degrees.
    distance : float or None
        Sample to detector, mm.
    pixel_size : (float, float) or None
        Width and height of a pixel, mm.
    direct_beam : (float, float) or None
        Column and row of the direct beam.
    specular_beam : (float, float) or None
        Column and row of the specularly reflected beam.
    perpendicular_to : str or None
        What a flat detector is perpendicular to: the direct ``beam`` (None means this), or the ``sample``'s
        surface line along the beam.
    up : str or None
        The side of the picture (first row on top) that the surface normal points to: ``top``, ``bottom``,
        ``left`` or ``right``.
    mirror : bool or None
        The picture is a mirror image: phi falls where it would rise from left to right.
    mask : tuple of (float, float, float, float)
        Rectangles to leave out: first column, first row, last column, last row.
    mask_file : str or None
        An image of the same shape, not zero where a pixel is to be left out.
    beamstop : (float, float, float) or None
        Circle to leave out: column, row, radius in pixels.
    saturation : float or None
        Counts from which on a pixel is saturated.
    dataset : str or None
        Path of the images within an HDF5 file.
    """

    wavelength: float | None = None
    alpha_i: float | None = None
    phi: Pair | None = None
    alpha_f: Pair | None = None
    distance: float | None = None
    pixel_size: Pair | None = None
    direct_beam: Pair | None = None
    specular_beam: Pair | None = None
    perpendicular_to: str | None = None
    up: str | None = None
    mirror: bool | None = None
    mask: tuple[tuple[float, ...], ...] = ()
    mask_file: str | None = None
    beamstop: tuple[float, float, float] | None = None
    saturation: float | None = None
    dataset: str | None = None


_SIZES = {"phi": 2, "alpha_f": 2, "direct_beam": 2, "specular_beam": 2, "pixel_size": 2, "beamstop": 3}


def read_toml(path: Path) -> ImageSettings:
    """Read the TOML files next to an image. Raises DataError for invalid TOML, an unknown key (with the
    nearest) or a wrong value.
    """
    return read_sidecar_settings(path, from_table)


def from_table(table: dict[str, Any], file: str) -> ImageSettings:
    """Make settings from names and values; DataError names ``file`` and what is wrong."""
    check_names(table, (f.name for f in fields(ImageSettings)), file)
    return ImageSettings(**{key: _value(key, value, file) for key, value in table.items()})


def from_options(texts: Sequence[str]) -> ImageSettings:
    """Make settings from texts ``name=value``; errors as `from_table`, or for a text without a value."""
    return from_table(parse_assignments(texts, "alpha_i=0.2"), "--geometry")


def _value(key: str, value: Any, file: str) -> Any:
    if key in SIDED:
        return side_or_mirror(key, value, file)
    if key in ("mask_file", "dataset"):
        return path_of(key, value, file)
    if key == "mask":
        return _rectangles(value, file)
    if key == "perpendicular_to":
        if value not in _FLAT:
            raise DataError(f"{file}: {key} is {value!r}; use one of {', '.join(_FLAT)}.")
        return value
    if key == "pixel_size" and is_number(value):
        value = [value, value]
    numbers = numbers_of(key, value, _SIZES.get(key, 1), file)
    return numbers if key in _SIZES else numbers[0]


def _rectangles(value: Any, file: str) -> tuple[tuple[float, ...], ...]:
    rows = value if isinstance(value, list | tuple) else []
    rows = [rows] if rows and not isinstance(rows[0], list | tuple) else rows
    expectation = "rectangles [first column, first row, last column, last row]"
    if not rows:
        raise DataError(f"{file}: mask is {value!r}; give {expectation}.")
    return tuple(numbers_of("mask", row, 4, file, expectation) for row in rows)


# name -> (lowest, highest, unit); GISAS of X-rays and neutrons, laboratory to synchrotron.
_LIMITS = {
    "wavelength": (0.3, 30.0, "Å"),
    "alpha_i": (0.02, 10.0, "degrees"),
    "distance": (20.0, 60_000.0, "mm"),
    "pixel_size": (0.002, 20.0, "mm"),
}
# name -> units that people mix up with it: name, factor to the right one.
_MISTAKEN = {
    "wavelength": (("nm", 10.0), ("pm", 0.01), ("m", 1e10)),
    "alpha_i": (("radians", 57.29577951308232), ("mrad", 0.05729577951308232)),
    "distance": (("m", 1000.0), ("cm", 10.0), ("μm", 0.001)),
    "pixel_size": (("m", 1000.0), ("μm", 0.001)),
}
_SMALLEST_SPAN = 0.1
_LARGEST_ANGLE = 90.0
_RADIANS = 57.29577951308232


def check_units(settings: ImageSettings, file: str) -> None:
    """Raise DataError for values that must be in another unit, with the unit and what to write instead."""
    for name, (low, high, unit) in _LIMITS.items():
        for value in _numbers_in(getattr(settings, name)):
            if not low <= value <= high:
                raise DataError(f"{file}: {_sentence(name, value, low, high, unit)}")
    for name in ("phi", "alpha_f"):
        span = getattr(settings, name)
        if span is not None:
            _check_span(name, span, file)


def _sentence(name: str, value: float, low: float, high: float, unit: str) -> str:
    for mistaken, factor in _MISTAKEN[name]:
        if low <= value * factor <= high:
            return (
                f"{name} = {value:g} looks like {mistaken}, but {unit} is meant;"
                f" give {name} = {value * factor:.4g}."
            )
    return f"{name} = {value:g} {unit} is outside {low:g} to {high:g} {unit}; correct it."


def _check_span(name: str, span: tuple[float, float], file: str) -> None:
    first, last = span
    if first == last:
        raise DataError(f"{file}: {name} is the same at both ends; give its first and last value in degrees.")
    if abs(last - first) < _SMALLEST_SPAN:
        raise DataError(
            f"{file}: {name} = [{first:g}, {last:g}] looks like radians, but degrees are meant;"
            f" give {name} = [{first * _RADIANS:.4g}, {last * _RADIANS:.4g}]."
        )
    if max(abs(first), abs(last)) > _LARGEST_ANGLE:
        raise DataError(
            f"{file}: {name} = [{first:g}, {last:g}] goes beyond {_LARGEST_ANGLE:g} degrees; correct it."
        )


def _numbers_in(value: Any) -> tuple[float, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)
