"""What NeXus, CXI and other HDF5 files say of their images: mask, wavelength, distance, pixels, beam."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from ... import units
from ...data import hdf5
from ...data.limits import LIMITS
from .headers import KEV_ANGSTROM
from .settings import ImageSettings

_WAVELENGTH = ("incident_wavelength", "wavelength")
_ENERGY = ("incident_energy", "photon_energy")
_INCIDENCE = ("incident_angle", "incidence_angle", "grazing_angle", "alpha_i")
_DISTANCE = ("distance", "detector_distance")
_PIXEL, _BEAM = ("x_pixel_size", "y_pixel_size"), ("beam_center_x", "beam_center_y")
#: Where CXI has its frames (CXI file format 1.6, F. Maia, Nat. Methods 9 (2012) 854).
CXI = re.compile(r"entry_\d+/(?:instrument_\d+/detector_\d+|data_\d+|image_\d+)/data")
_MASKS = ("pixel_mask", "mask_shared", "mask", "bad_pixel_mask")
#: Joule in a keV: CXI has energies in joule.
_KEV = 1.602176634e-16


def pixel_mask(opened: Any, image: Any) -> Any:
    """The mask of an image's shape: any bit set leaves the pixel out. The one beside the image goes first."""
    shape = image.shape[-2:]
    masks = [
        item
        for item in _datasets(opened)
        if item.name.rpartition("/")[2] in _MASKS and item.shape == shape and item.dtype.kind in "biu"
    ]
    if not masks:
        return None
    return np.asarray(min(masks, key=lambda item: _apart(item, image))[()]) != 0


def _apart(item: Any, image: Any) -> tuple[bool, bool]:
    """How far what a file says is from the image it is said of: beside it, at a detector, elsewhere."""
    place = item.name.rpartition("/")[0]
    return place != image.parent.name, "detector" not in place.lower()


def geometry_of(opened: Any, image: Any) -> ImageSettings:
    """What NXbeam, NXmonochromator, NXdetector and NXsample say, or CXI's source and detector."""
    values = _collect_nearest(opened, image)
    numbers = {name: value.number for name, value in values.items()}
    cxi = CXI.search(image.name) is not None
    energy = _first(numbers, _ENERGY)
    width, height = (numbers.get(name) for name in _PIXEL)
    if cxi:
        height = height or width
        energy = _cxi_energy(opened, image) if energy is None else energy
    beam = [
        _convert_to_pixels(values.get(name), size) for name, size in zip(_BEAM, (width, height), strict=True)
    ]
    return ImageSettings(
        wavelength=_wavelength_of(_first(numbers, _WAVELENGTH), energy),
        alpha_i=_first(numbers, _INCIDENCE),
        distance=_first(numbers, _DISTANCE),
        pixel_size=_both(width, height),
        direct_beam=_both(*beam),
        saturation=numbers.get("saturation_value"),
    )


class _Said(NamedTuple):
    """How far from the image something is said (`_apart`), its value in our unit, and the file's unit."""

    apart: tuple[bool, bool]
    number: float
    unit: str


def _wavelength_of(stated: float | None, energy: float | None) -> float | None:
    """Å; from the energy, keV, where it is not stated."""
    return KEV_ANGSTROM / energy if stated is None and energy else stated


def _collect_nearest(opened: Any, image: Any) -> dict[str, _Said]:
    values: dict[str, _Said] = {}
    for item in _datasets(opened):
        name, apart = item.name.rpartition("/")[2], _apart(item, image)
        if _is_of_others(name, apart) or (name in values and values[name].apart <= apart):
            continue
        if (number := _number(name, item)) is not None:
            values[name] = _Said(apart, number, hdf5.text(item.attrs.get("units", "")))
    return values


def _is_of_others(name: str, apart: tuple[bool, bool]) -> bool:
    """Whether a place or a size is far from the image: slits and samples have distances, too."""
    return name in (*_DISTANCE, *_PIXEL, *_BEAM) and apart == (True, True)


def _both(first: float | None, second: float | None) -> tuple[float, float] | None:
    return (first, second) if first and second else None


def _cxi_energy(opened: Any, image: Any) -> float | None:
    """keV of CXI's joule."""
    item = hdf5.member(opened, f"{image.name.split('/')[1]}/instrument_1/source_1/energy")
    value = float(np.ravel(item[()])[0]) if getattr(item, "size", 0) else 0.0
    return value / _KEV if value > 0 else None


def _convert_to_pixels(value: _Said | None, size: float | None) -> float | None:
    """A beam's place in pixels; NeXus has it in pixels or as a length."""
    if value is None:
        return None
    factor = _factor(value.unit, "length", "mm") if value.unit else None
    if factor is None:
        return value.number
    return value.number * factor / size if size else None


def _factor(unit: str, quantity: str, target_unit: str) -> float | None:
    """Return the factor from one unit to another; None if unknown."""
    canonical = units.canonical(unit, quantity)
    return (
        None
        if canonical is None
        else units.FACTORS[quantity][canonical] / units.FACTORS[quantity][target_unit]
    )


#: Names, what they are, the unit where the file has none, and ours. NeXus leaves that of lengths to the file;
#: Dectris and most others write metres.
_UNITS = (
    (_WAVELENGTH, "length", "Å", "Å"),
    ((*_DISTANCE, *_PIXEL), "length", "m", "mm"),
    (_INCIDENCE, "angle", "degrees", "degrees"),
)


def _factor_of(name: str, unit: str) -> float | None:
    """Return the factor from a unit to ours by the name; None if the name is unused or the unit unknown."""
    if name in (*_BEAM, "saturation_value"):
        return 1.0
    if name in _ENERGY:
        return {"": 1e-3, "ev": 1e-3, "kev": 1.0}.get(unit.lower())
    for names, quantity, usual, target_unit in _UNITS:
        if name in names:
            return _factor(unit or usual, quantity, target_unit)
    return None


def _number(name: str, item: Any) -> float | None:
    if item.dtype.kind not in "iuf" or not 1 <= item.size <= LIMITS.frames:
        return None
    factor = _factor_of(name, hdf5.text(item.attrs.get("units", "")))
    if factor is None:
        return None
    value = float(np.ravel(item[(0,) * item.ndim])[0])
    return value * factor if 0 < value < np.inf else None


def _first(values: dict[str, float], names: tuple[str, ...]) -> float | None:
    return next((values[name] for name in names if name in values), None)


def _datasets(opened: Any) -> list[Any]:
    import h5py

    items = (item for _, item in hdf5.own_items(opened))
    return [item for item in items if isinstance(item, h5py.Dataset) and not hdf5.is_outside(item)]
