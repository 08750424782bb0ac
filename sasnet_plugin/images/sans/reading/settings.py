"""What a TOML file or the user says about a small-angle-scattering image, over what its header says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ....data.settings_tables import (
    SIDED,
    check_names,
    numbers_of,
    overlay_settings,
    parse_assignments,
    path_of,
    read_sidecar_settings,
    side_or_mirror,
)
from ....types import DataError
from .resolution import Setting

Pair = tuple[float, float]
#: Name -> (least, largest, unit); neutrons and X-rays, tabletop to 40 m.
LIMITS = {
    "wavelength": (0.3, 30.0, "Å"),
    "spread": (1e-5, 0.6, "of the wavelength"),
    "distance": (20.0, 60_000.0, "mm"),
    "collimation": (20.0, 60_000.0, "mm"),
    "source_radius": (0.01, 100.0, "mm"),
    "sample_radius": (0.01, 50.0, "mm"),
    "pixel_size": (0.002, 20.0, "mm"),
    "empty_scale": (1e-6, 1e6, "of its counts"),
}


@dataclass(frozen=True)
class SansSettings:
    """Settings of one image; None where nothing is said."""

    wavelength: float | None = None  #: Å.
    spread: float | None = None  #: Full width at half maximum over the mean.
    #: distance, collimation: sample to detector and source aperture to sample, mm.
    distance: float | None = None
    collimation: float | None = None
    #: source_radius, sample_radius: of the apertures, mm.
    source_radius: float | None = None
    sample_radius: float | None = None
    pixel_size: Pair | None = None  #: Width and height, mm.
    direct_beam: Pair | None = None  #: Column and row of the beam in the file, counted from 0.
    #: Side of the picture that is up: ``top`` where nothing is said, ``bottom``, ``left`` or ``right``.
    up: str | None = None
    mirror: bool | None = None  #: The picture is a mirror image.
    beamstop: tuple[float, float, float] | None = None  #: Circle to leave out: column, row, radius in pixels.
    mask_file: str | None = None  #: An image of the same shape, not zero where a pixel is to be left out.
    empty_file: str | None = None  #: The empty cell in the same setting, which is subtracted.
    #: What its counts are multiplied by: the sample's transmission over the cell's, and the ratio of the
    #: times or monitors; default 1.
    empty_scale: float | None = None
    dataset: str | None = None  #: Path of the image within an HDF5 file.

    def setting(self) -> Setting | None:
        """The instrument's, where enough is known for its resolution."""
        names = (
            "wavelength",
            "spread",
            "collimation",
            "distance",
            "source_radius",
            "sample_radius",
            "pixel_size",
        )
        values: list[Any] = [getattr(self, name) for name in names]
        return None if None in values else Setting(*values)


_LENGTHS = {"pixel_size": 2, "direct_beam": 2, "beamstop": 3}


def settings_of(path: Path, texts: Sequence[str] = ()) -> SansSettings:
    """Combine texts ``name=value`` with TOML files next to an image. Raises DataError as `parse_table`,
    or for
    invalid TOML or text.
    """
    return overlay_settings(settings_of_texts(texts), read_sidecar_settings(path, parse_table))


def settings_of_texts(texts: Sequence[str], option: str = "--geometry") -> SansSettings:
    """Parse texts ``name=value`` of an option. Raises DataError as `parse_table`, or for a text without a
    value.
    """
    return parse_table(parse_assignments(texts, "distance=4000"), option)


def parse_table(table: Mapping[str, Any], file: str) -> SansSettings:
    """Make settings from names and values; DataError names ``file`` for an unknown name (with the nearest) or
    a value wrong or beyond `LIMITS`.
    """
    check_names(table, (f.name for f in fields(SansSettings)), file)
    return SansSettings(**{key: _value(key, value, file) for key, value in table.items()})


def _value(key: str, value: Any, file: str) -> Any:
    if key in SIDED:
        return side_or_mirror(key, value, file)
    if key in ("mask_file", "empty_file", "dataset"):
        return path_of(key, value, file)
    if key == "pixel_size" and not isinstance(value, list):
        value = [value, value]
    numbers = numbers_of(key, value, _LENGTHS.get(key, 1), file)
    for number in numbers:
        _check(key, number, file)
    return numbers if key in _LENGTHS else numbers[0]


#: Velocity selectors pass at least this spread of wavelengths, neutron detectors have pixels of this width at
#: least, mm, and no such instrument has shorter neutrons, Å.
_SELECTOR, _WIDE, _SHORTEST = 0.02, 1.5, 2.0


def convert_wavelength(
    settings: SansSettings, given_settings: SansSettings, file: str, notes: list[str]
) -> SansSettings:
    """Convert the wavelength to Å, noting a converted header: neutrons of 0.51 are of 0.51 nm, X-rays may
    have 0.51 Å. Raises DataError if the user's is in nm.
    """
    wavelength = settings.wavelength
    assert wavelength is not None
    if not _are_neutrons(settings) or wavelength >= _SHORTEST:
        return settings
    if given_settings.wavelength is not None:
        raise DataError(
            f"{file}: wavelength = {wavelength:g} Å is none of neutrons at such an instrument and looks like"
            f" nm; give wavelength = {10 * wavelength:g}."
        )
    notes.append(f"The header's wavelength of {wavelength:g} was taken for nm, as neutrons have it.")
    return replace(settings, wavelength=10 * wavelength)


def _check(key: str, value: float, file: str) -> None:
    if key not in LIMITS:
        return
    low, high, unit = LIMITS[key]
    if low <= value <= high:
        return
    for mistaken, factor in {"mm": (("m", 1e3), ("cm", 10.0)), "Å": (("nm", 10.0),)}.get(
        unit, (("%", 0.01),)
    ):
        if low <= value * factor <= high:
            raise DataError(
                f"{file}: {key} = {value:g} looks like {mistaken}, but {unit} is meant;"
                f" give {value * factor:g}."
            )
    raise DataError(f"{file}: {key} = {value:g} {unit} is outside {low:g} to {high:g} {unit}; correct it.")


def _are_neutrons(settings: SansSettings) -> bool:
    """Whether the wavelength spreads as behind a velocity selector, or pixels are as wide as of neutrons."""
    pixel = settings.pixel_size
    return (settings.spread or 0.0) >= _SELECTOR or (pixel is not None and min(pixel) >= _WIDE)
