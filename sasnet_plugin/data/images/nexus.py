"""NeXus and other HDF5 files: a stack of frames, read one at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin import units
from sasnet_plugin.data import hdf5
from sasnet_plugin.data.failure import too_large
from sasnet_plugin.data.images.detector_files import KEV_ANGSTROM
from sasnet_plugin.data.images.raw import RawFrame, truncated
from sasnet_plugin.data.images.settings import ImageSettings
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.types import DataError

_SMALLEST = 8
"""Rows and columns below which an array is no image."""
_WAVELENGTH = ("incident_wavelength", "wavelength")
_INCIDENCE = ("incident_angle", "incidence_angle", "grazing_angle", "alpha_i")


def read(path: Path, file: str, dataset: str | None = None) -> Iterator[RawFrame]:
    """Frames of an HDF5 file, each read from disk when it is asked for.

    The images are those of ``dataset``, or of the default NXdata's ``signal``, or else of the data set with
    the most values that has at least two dimensions. Of a stack the first dimensions count the frames. Where
    there is none, they are those in files of the same folder that it links to, one after the other, as in
    Dectris' ``_master.h5``.

    Parameters
    ----------
    path : Path
    file : str
        Its name in messages.
    dataset : str or None
        Path of the images within the file.

    Raises
    ------
    DataError
        The file is damaged, or holds no image where one was looked for.
    """
    try:
        with hdf5.opened(path, file) as opened:
            found = _named(opened, dataset, file) if dataset else _default(opened) or _largest(opened)
            with ExitStack() as others:
                stacks = [found] if found is not None else _linked(opened, path, file, dataset, others)
                for one in stacks:
                    _check_size(one, file, _number(stacks))
                yield from _frames(opened, stacks)
    except hdf5.DAMAGE as error:
        raise truncated(file) from error


def _linked(opened: Any, path: Path, file: str, dataset: str | None, others: ExitStack) -> list[Any]:
    """Stacks of images in files beside; those are closed with `others`."""
    stacks = []
    for name, (target, within) in hdf5.beside(opened, path, file).items():
        if dataset in (None, name, name[1:]):
            stacks.append(hdf5.member(others.enter_context(hdf5.opened(target, str(target))), within))
            if not _is_image(stacks[-1]):
                raise DataError(
                    f"{file}: {name} in {target.name} is no stack of images; copy that file again."
                )
    if not stacks and dataset and dataset not in opened:
        raise DataError(f"{file}: there is no dataset {dataset!r} in the file; check its path.")
    if not stacks:
        elsewhere = dataset or hdf5.survey(opened).elsewhere
        if elsewhere:
            raise hdf5.not_followed(file, elsewhere)
        raise DataError(f"{file}: the HDF5 file holds no 2D image; give its path within the file as dataset.")
    return stacks


def _check_size(found: Any, file: str, number: int) -> None:
    """See that there are as many pixels and frames as detectors give, and that they are there."""
    rows, columns = found.shape[-2:]
    if rows * columns > LIMITS.pixels or number > LIMITS.frames:
        raise too_large(
            file, f"{number} frames of {rows} x {columns} pixels", "the images of one measurement"
        )
    if hdf5.hollow(found):
        raise DataError(f"{file}: its images take up no room in the file; it is cut short, copy it again.")


def _frames(opened: Any, stacks: Sequence[Any]) -> Iterator[RawFrame]:
    geometry, total, index = _geometry(opened), _number(stacks), 0
    for found in stacks:
        bad = _pixel_mask(opened, found.shape[-2:])
        for at in np.ndindex(found.shape[:-2]):
            index += 1
            entry = f"frame {index}" if total > 1 else ""
            yield RawFrame(values=np.asarray(found[at]), entry=entry, geometry=geometry, bad=bad)


def _number(stacks: Sequence[Any]) -> int:
    return sum(math.prod(one.shape[:-2]) for one in stacks)


def _is_image(item: Any) -> bool:
    import h5py

    return (
        isinstance(item, h5py.Dataset)
        and item.ndim >= 2
        and min(item.shape[-2:]) >= _SMALLEST
        and math.prod(item.shape) > 0
        and item.dtype.kind in "iuf"
        and not hdf5.outside(item)
    )


def _named(opened: Any, dataset: str, file: str) -> Any:
    item = hdf5.member(opened, dataset)
    if item is not None and not _is_image(item):
        raise DataError(
            f"{file}: dataset {dataset!r} is no 2D image; give the path of the detector's counts."
        )
    return item


def _default(opened: Any) -> Any:
    """The signal of the default NXdata (NeXus manual, "Find the default plottable data")."""
    group = opened
    for _ in range(4):
        name = group.attrs.get("default")
        following = None if name is None else hdf5.member(group, hdf5.text(name))
        if following is None:
            break
        group = following
    candidates = [group]
    opened.visititems(lambda _, item: candidates.append(item) if _is_nxdata(item) else None)
    for candidate in candidates:
        signal = candidate.attrs.get("signal")
        item = None if signal is None else hdf5.member(candidate, hdf5.text(signal))
        if _is_image(item):
            return item
    return None


def _is_nxdata(item: Any) -> bool:
    return hdf5.text(item.attrs.get("NX_class", "")) == "NXdata"


def _largest(opened: Any) -> Any:
    found: list[Any] = []

    def visit(name: str, item: Any) -> None:
        if _is_image(item) and "mask" not in name.lower() and "flatfield" not in name.lower():
            found.append(item)

    opened.visititems(visit)
    return max(found, key=lambda item: math.prod(item.shape), default=None)


def _pixel_mask(opened: Any, shape: tuple[int, ...]) -> Any:
    """NXdetector's ``pixel_mask``: any bit set leaves the pixel out."""
    for item in _datasets(opened):
        if item.name.rpartition("/")[2] == "pixel_mask" and item.shape[-2:] == shape and item.ndim == 2:
            return np.asarray(item[()]) != 0
    return None


def _geometry(opened: Any) -> ImageSettings:
    """What NXbeam, NXmonochromator, NXdetector and NXsample say."""
    values: dict[str, float] = {}
    for item in _datasets(opened):
        name = item.name.rpartition("/")[2]
        if item.dtype.kind not in "iuf" or item.size < 1 or name in values:
            continue
        number = _scaled(name, float(np.ravel(item[(0,) * item.ndim])[0]), item)
        if number is not None and np.isfinite(number):
            values[name] = number
    wavelength = _first(values, _WAVELENGTH)
    energy = _first(values, ("incident_energy", "photon_energy"))
    if wavelength is None and energy:
        wavelength = KEV_ANGSTROM / energy
    width, height = values.get("x_pixel_size"), values.get("y_pixel_size")
    column, row = values.get("beam_center_x"), values.get("beam_center_y")
    distance = _first(values, ("distance", "detector_distance"))
    return ImageSettings(
        wavelength=wavelength,
        alpha_i=_first(values, _INCIDENCE),
        distance=distance,
        pixel_size=(width, height) if width and height else None,
        direct_beam=(column, row) if column and row else None,
        saturation=values.get("saturation_value"),
    )


def _scaled(name: str, value: float, item: Any) -> float | None:
    """The value in our units, None where the name is of no use or its unit unknown."""
    unit = hdf5.text(item.attrs.get("units", ""))
    if name in _WAVELENGTH:
        factor = units.FACTORS["length"].get(units.canonical(unit or "Å", "length") or "")
    elif name in ("distance", "detector_distance", "x_pixel_size", "y_pixel_size"):
        # NeXus leaves the unit to the file; Dectris and most others write metres.
        factor = units.FACTORS["length"].get(units.canonical(unit or "m", "length") or "")
        factor = None if factor is None else factor / units.FACTORS["length"]["mm"]
    elif name in _INCIDENCE:
        factor = units.FACTORS["angle"].get(units.canonical(unit or "degrees", "angle") or "")
    elif name in ("incident_energy", "photon_energy"):
        factor = {"": 1e-3, "ev": 1e-3, "kev": 1.0}.get(unit.lower())
    elif name in ("beam_center_x", "beam_center_y", "saturation_value"):
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
