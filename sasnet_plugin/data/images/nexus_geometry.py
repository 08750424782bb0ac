"""What NeXus, CXI and other HDF5 files say of their images: mask, wavelength, distance, pixels, beam."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ... import units
from .. import hdf5
from ..limits import LIMITS
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
    named = [
        item
        for item in _datasets(opened)
        if item.name.rpartition("/")[2] in _MASKS and item.shape == shape and item.dtype.kind in "biu"
    ]
    if not named:
        return None
    return np.asarray(min(named, key=lambda item: _apart(item, image))[()]) != 0


def _apart(item: Any, image: Any) -> tuple[bool, bool]:
    """How far what a file says is from the image it is said of: beside it, at a detector, elsewhere."""
    place = item.name.rpartition("/")[0]
    return place != image.parent.name, "detector" not in place.lower()


def geometry_of(opened: Any, image: Any) -> ImageSettings:
    """What NXbeam, NXmonochromator, NXdetector and NXsample say, or CXI's source and detector."""
    values: dict[str, tuple[tuple[bool, bool], float, str]] = {}
    for item in _datasets(opened):
        name = item.name.rpartition("/")[2]
        if item.dtype.kind not in "iuf" or not 1 <= item.size <= LIMITS.frames:
            continue
        apart = _apart(item, image)
        # Slits and samples have distances, too.
        if name in (*_DISTANCE, *_PIXEL, *_BEAM) and apart == (True, True):
            continue
        if name in values and values[name][0] <= apart:
            continue
        number = _scaled(name, float(np.ravel(item[(0,) * item.ndim])[0]), item)
        if number is not None and np.isfinite(number):
            values[name] = apart, number, hdf5.text(item.attrs.get("units", ""))
    said = {name: number for name, (_, number, _) in values.items()}
    wavelength, energy = _first(said, _WAVELENGTH), _first(said, _ENERGY)
    if energy is None and CXI.search(image.name):
        energy = _cxi_energy(opened, image)
    if wavelength is None and energy:
        wavelength = KEV_ANGSTROM / energy
    width, height = (said.get(name) for name in _PIXEL)
    height = height or (width if CXI.search(image.name) else None)
    beam = [_in_pixels(values.get(name), size) for name, size in zip(_BEAM, (width, height), strict=True)]
    return ImageSettings(
        wavelength=wavelength,
        alpha_i=_first(said, _INCIDENCE),
        distance=_first(said, _DISTANCE),
        pixel_size=(width, height) if width and height else None,
        direct_beam=(beam[0], beam[1]) if beam[0] and beam[1] else None,
        saturation=said.get("saturation_value"),
    )


def _cxi_energy(opened: Any, image: Any) -> float | None:
    """keV of CXI's joule."""
    item = hdf5.member(opened, f"{image.name.split('/')[1]}/instrument_1/source_1/energy")
    value = float(np.ravel(item[()])[0]) if getattr(item, "size", 0) else 0.0
    return value / _KEV if value > 0 else None


def _in_pixels(said: tuple[Any, float, str] | None, size: float | None) -> float | None:
    """A beam's place in pixels; NeXus has it in pixels or as a length."""
    if said is None:
        return None
    unit = units.canonical(said[2], "length") if said[2] else None
    if unit is None:
        return said[1]
    return said[1] * units.FACTORS["length"][unit] / units.FACTORS["length"]["mm"] / size if size else None


def _scaled(name: str, value: float, item: Any) -> float | None:
    """The value in our units, None where the name is of no use or its unit unknown."""
    unit = hdf5.text(item.attrs.get("units", ""))
    if name in _WAVELENGTH:
        factor = units.FACTORS["length"].get(units.canonical(unit or "Å", "length") or "")
    elif name in (*_DISTANCE, *_PIXEL):
        # NeXus leaves the unit to the file; Dectris and most others write metres.
        factor = units.FACTORS["length"].get(units.canonical(unit or "m", "length") or "")
        factor = None if factor is None else factor / units.FACTORS["length"]["mm"]
    elif name in _INCIDENCE:
        factor = units.FACTORS["angle"].get(units.canonical(unit or "degrees", "angle") or "")
    elif name in _ENERGY:
        factor = {"": 1e-3, "ev": 1e-3, "kev": 1.0}.get(unit.lower())
    elif name in (*_BEAM, "saturation_value"):
        factor = 1.0
    else:
        return None
    return None if factor is None or value <= 0 else value * factor


def _first(values: dict[str, float], names: tuple[str, ...]) -> float | None:
    return next((values[name] for name in names if name in values), None)


def _datasets(opened: Any) -> list[Any]:
    import h5py

    found: list[Any] = []

    def visit(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not hdf5.outside(item):
            found.append(item)

    opened.visititems(visit)
    return found
