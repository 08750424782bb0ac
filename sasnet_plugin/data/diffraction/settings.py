"""What a TOML file or the user says about diffraction images: centre, mask, data set, geometry."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ...types import DataError

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
    """Settings of the images of a file; None where nothing is said.

    Parameters
    ----------
    wavelength, distance, pixel_size : float or None
        Å, mm, mm. Tags and sorting need none of them; sizes in nm do.
    direct_beam : (float, float) or None
        Column and row of the beam, counted from 0.
    radius : float or None
        Of the window about it, pixels.
    mask_file : str or None
        An image of the same shape, not zero where a pixel is to be left out.
    dataset : str or None
        Path of the images within an HDF5 file.
    """

    wavelength: float | None = None
    distance: float | None = None
    pixel_size: float | None = None
    direct_beam: tuple[float, float] | None = None
    radius: float | None = None
    mask_file: str | None = None
    dataset: str | None = None

    def over(self, other: Setup) -> Setup:
        """These settings, and those of another where these say nothing."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        return replace(other, **said)


def setup_of(path: Path, given: Sequence[str]) -> Setup:
    """Settings by the user over those of the TOML file beside a file, of the same name or ``geometry.toml``.

    Parameters
    ----------
    given : sequence of str
        ``name=value``, the value as in TOML.

    Raises
    ------
    DataError
        A name is unknown, or a value is not of its kind.
    """
    found = Setup()
    for one in (path.with_name("geometry.toml"), path.with_suffix(".toml")):
        if one.is_file():
            try:
                found = _of(tomllib.loads(one.read_text(encoding="utf-8")), str(one)).over(found)
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                reason = str(error).splitlines()[0]
                raise DataError(f"{one}: this is no valid TOML ({reason}); correct the line.") from error
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name and value):
            raise DataError(f"{text}: is not name=value, such as direct_beam=[512,500].")
        try:
            table = tomllib.loads(f"value = {value}")
        except tomllib.TOMLDecodeError:
            table = {"value": value}
        found = _of({name: table["value"]}, "--geometry").over(found)
    return found


def _of(table: Mapping[str, Any], file: str) -> Setup:
    return Setup(**{key: _value(key, value, file) for key, value in table.items()})


def _value(key: str, value: Any, file: str) -> Any:
    if key in ("mask_file", "dataset"):
        if not isinstance(value, str):
            raise DataError(f"{file}: {key} is {value!r}; give a path in quotes.")
        return str(Path(file).parent / value) if key == "mask_file" and not file.startswith("--") else value
    if key not in NUMBERS:
        names = ", ".join(f.name for f in fields(Setup))
        raise DataError(f"{file}: there is no setting {key!r} of diffraction images; use one of {names}.")
    return _number(key, value, file)


def _number(key: str, value: Any, file: str) -> float | tuple[float, ...]:
    count, low, high, unit = NUMBERS[key]
    values = value if isinstance(value, list) else [value]
    if len(values) != count or not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
        wanted = "two numbers in brackets" if count == 2 else "a number"
        raise DataError(f"{file}: {key} is {value!r}; give {wanted}.")
    if not all(low <= v <= high for v in values):
        raise DataError(f"{file}: {key} = {value!r} is outside {low:g} to {high:g} {unit}; correct it.")
    return tuple(map(float, values)) if count == 2 else float(values[0])
