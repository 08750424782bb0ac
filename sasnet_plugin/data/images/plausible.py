"""Wrong units are told by values that no instrument has; nothing is corrected silently."""

from __future__ import annotations

from sasnet_plugin.data.images.settings import ImageSettings
from sasnet_plugin.types import DataError

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
    """Refuse values that must be in another unit.

    Raises
    ------
    DataError
        One sentence that names the value, the unit that it seems to be in and what to write instead.
    """
    for name, (low, high, unit) in _LIMITS.items():
        given = getattr(settings, name)
        if given is None:
            continue
        for value in given if isinstance(given, tuple) else (given,):
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
