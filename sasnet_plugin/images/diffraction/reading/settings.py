"""What a TOML file or the user says about diffraction images: centre, mask, data set, geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ....data.settings_tables import (
    check_names,
    numbers_of,
    overlay_settings,
    parse_assignments,
    path_of,
    read_sidecar_settings,
)
from ....types import DataError

#: Name -> (numbers, least, largest, unit); extreme ultraviolet to hard X-rays.
NUMBERS = {
    "wavelength": (1, 0.1, 2000.0, "Å"),
    "distance": (1, 1.0, 60_000.0, "mm"),
    "pixel_size": (1, 0.001, 20.0, "mm"),
    "direct_beam": (2, -1e5, 1e5, "pixels"),
    "radius": (1, 8.0, 1e4, "pixels"),
}


@dataclass(frozen=True)
class Setup:
    """Settings of the images of a file; None where nothing is said."""

    #: wavelength, distance, pixel_size: Å, mm, mm. Tags and sorting need none of them; sizes in nm do.
    wavelength: float | None = None
    distance: float | None = None
    pixel_size: float | None = None
    direct_beam: tuple[float, float] | None = None  #: Column and row of the beam, counted from 0.
    radius: float | None = None  #: Of the window about it, pixels.
    mask_file: str | None = None  #: An image of the same shape, not zero where a pixel is to be left out.
    dataset: str | None = None  #: Path of the images within an HDF5 file.


def setup_of(path: Path, texts: Sequence[str]) -> Setup:
    """Combine the user's settings ``name=value`` with TOML files next to a file. Raises DataError for
    unknown names or wrong values.
    """
    return overlay_settings(
        _parse_setup(parse_assignments(texts, "direct_beam=[512,500]"), "--geometry"),
        read_sidecar_settings(path, _parse_setup),
    )


def _parse_setup(table: Mapping[str, Any], file: str) -> Setup:
    check_names(table, (f.name for f in fields(Setup)), file)
    return Setup(**{key: _value(key, value, file) for key, value in table.items()})


def _value(key: str, value: Any, file: str) -> Any:
    if key not in NUMBERS:
        return path_of(key, value, file)
    count, low, high, unit = NUMBERS[key]
    values = numbers_of(key, value, count, file)
    if not all(low <= v <= high for v in values):
        raise DataError(f"{file}: {key} = {value!r} is outside {low:g} to {high:g} {unit}; correct it.")
    return values if count > 1 else values[0]
