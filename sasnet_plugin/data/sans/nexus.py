"""HDF5 files of images: ILL's NeXus, ANSTO's Quokka, NXcanSAS in two dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...types import DataError
from .. import hdf5
from ..failure import too_large
from ..images.raw import truncated
from ..limits import LIMITS
from .raw import RawSans
from .settings import SansSettings

#: Å⁻¹ in the units that files write q in.
_PER = {"1/a": 1.0, "1/angstrom": 1.0, "1/nm": 0.1, "nm-1": 0.1, "a-1": 1.0}


def recognise(path: Path) -> bool:
    """Whether an HDF5 file holds such an image."""
    try:
        with hdf5.opened(path, str(path)) as opened:
            return (
                any(True for _ in _ill(opened)) or bool(_quokka(opened)) or any(True for _ in _canSAS(opened))
            )
    except hdf5.DAMAGE:
        return False


def read(path: Path, file: str) -> Iterator[RawSans]:
    """Images of an HDF5 file, one after the other.

    Raises
    ------
    DataError
        It is damaged, or lacks what its format promises.
    """
    try:
        with hdf5.opened(path, file) as opened:
            found = False
            for entry, group in _canSAS(opened):
                found = True
                yield _reduced(group, entry, file)
            for entry, instrument, data in _ill(opened):
                found = True
                yield _from_ill(instrument, data, entry, file)
            if (entry := _quokka(opened)) is not None:
                found = True
                yield from _from_quokka(entry, file)
            if not found:
                raise DataError(
                    f"{file}: holds no image in q, nor one of ILL or Quokka; give its dataset, distance,"
                    " wavelength and pixel_size with --geometry."
                )
    except hdf5.DAMAGE as error:
        raise truncated(file) from error


def _is(item: Any, *names: str) -> bool:
    said = [item.attrs.get(key, b"") for key in ("NX_class", "canSAS_class")]
    return any((x.decode() if isinstance(x, bytes) else str(x)) in names for x in said)


def _canSAS(opened: Any) -> Iterator[tuple[str, Any]]:
    """Groups of NXcanSAS whose I has two dimensions, and their entries' names."""
    for name, entry in opened.items():
        if not hasattr(entry, "items"):
            continue
        for group in entry.values():
            if hasattr(group, "items") and _is(group, "SASdata", "NXdata") and "I" in group:
                here = {"Qx", "Qy"} <= set(group) or ("Q" in group and group["Q"].ndim == 3)
                if group["I"].ndim == 2 and here:
                    yield (name if len(opened) > 1 else ""), group


def _reduced(group: Any, entry: str, file: str) -> RawSans:
    values = _values(group["I"], file)
    qx, qy = _q_of(group, file)
    if qx.ndim == 1 and qy.ndim == 1 and (qy.size, qx.size) == values.shape:
        qx, qy = np.meshgrid(qx, qy)
    if qx.shape != values.shape or qy.shape != values.shape:
        raise DataError(f"{file}: Qx, Qy and I have different shapes; write the file again.")
    error = _values(group["Idev"], file) if "Idev" in group else None
    bad = ~np.isfinite(values)
    if error is not None:
        bad |= ~(error > 0)
    mask = hdf5.text(group.attrs.get("mask", "mask"))
    if mask in group and group[mask].shape == values.shape:
        bad |= _values(group[mask], file) != 0
    return RawSans(values, qx, qy, error, bad=bad, entry=entry)


def _q_of(group: Any, file: str) -> tuple[Any, Any]:
    """qx and qy, from data sets of their own or from one of two or three components."""
    if "Qx" in group:
        return _in_angstrom(group["Qx"], file), _in_angstrom(group["Qy"], file)
    stacked = _in_angstrom(group["Q"], file)
    flat = [k for k in range(len(stacked)) if np.ptp(stacked[k]) > 0]
    qx, qy = stacked[flat[1] if len(flat) > 1 else 0], stacked[flat[0]]
    return (qy, qx) if np.ptp(qx[0]) < np.ptp(qx[:, 0]) else (qx, qy)


def _values(item: Any, file: str) -> Any:
    """What a data set holds, if that lies in this file and is of a size that images have."""
    if hdf5.outside(item) or item.file.filename != file:
        raise hdf5.not_followed(file, item.name)
    if item.size > 3 * LIMITS.pixels or hdf5.hollow(item):
        raise too_large(
            file, f"{item.size:,} values in {item.name}, by its header", "images of one measurement"
        )
    return np.asarray(item[()], dtype=np.float64)


def _in_angstrom(item: Any, file: str) -> Any:
    unit = item.attrs.get("units", "1/A")
    unit = (unit.decode() if isinstance(unit, bytes) else str(unit)).strip().lower().replace("å", "a")
    return _values(item, file) * _PER.get(unit, 1.0)


def _ill(opened: Any) -> Iterator[tuple[str, Any, Any]]:
    """Entry's name, group of the instrument and each detector's data, of a file of ILL."""
    entry = opened.get("entry0")
    if entry is None or not hasattr(entry, "values"):
        return
    for instrument in entry.values():
        if not hasattr(instrument, "get") or "selector" not in instrument:
            continue
        for name, group in instrument.items():
            number = name.removeprefix("Detector").strip()
            data = group.get(f"data{number}") if hasattr(group, "get") and number.isdigit() else None
            if data is not None and data.ndim == 3 and sum(n > 1 for n in data.shape) == 2:
                yield name, instrument, data


def _from_ill(instrument: Any, data: Any, entry: str, file: str) -> RawSans:
    number = data.name[-1]

    def value(path: str, otherwise: float | None = None) -> float | None:
        item = instrument.get(path)
        return otherwise if item is None else float(np.ravel(item[()])[0])

    counts = np.squeeze(_values(data, file)).T
    group = data.parent.name.rpartition("/")[2]
    spread = value("selector/wavelength_res", value("selector/wavelenght_res", 10.0))
    size = [value(f"{group}/det{number}_pixel_size_{axis}") for axis in "xy"]
    distance = value(f"{group}/det{number}_calc", value(f"{group}/det{number}_actual"))
    collimation = value("collimation/actual_position")
    width = value("collimation/horizontal_slit_width_actual", 40.0)
    height = value("collimation/vertical_slit_width_actual", 55.0)
    settings = SansSettings(
        wavelength=value("selector/wavelength"),
        spread=None if not spread else spread / 100,
        distance=None if not distance else 1e3 * distance,
        collimation=None if not collimation else 1e3 * collimation,
        # A rectangle's variance is that of a circle of 1/√3 of its side, its two sides' on average.
        source_radius=None if not width or not height else float(np.sqrt((width**2 + height**2) / 6)),
        sample_radius=5.0,
        pixel_size=None if not all(size) else (size[0] or 0.0, size[1] or 0.0),
    )
    notes = ("The sample's aperture is not in the file; a radius of 5 mm was taken.",)
    return RawSans(counts, settings=settings, entry=entry, notes=notes)


def _quokka(opened: Any) -> Any:
    """The entry of a file of Quokka, which holds ``data/hmm_xy``."""
    for entry in (opened, *(item for item in opened.values() if hasattr(item, "get"))):
        if entry.get("data/hmm_xy") is not None:
            return entry
    return None


def _from_quokka(entry: Any, file: str) -> Iterator[RawSans]:
    stack = _values(entry["data/hmm_xy"], file)
    stack = stack.reshape(-1, *stack.shape[-2:])

    def value(*paths: str) -> float | None:
        item = next((entry[path] for path in paths if path in entry), None)
        return None if item is None else float(np.ravel(item[()])[0])

    detector, parameters = "instrument/detector", "instrument/parameters"
    distance = value(f"{parameters}/L2", f"{parameters}/L2mm", f"{detector}/detector_y")
    settings = SansSettings(
        wavelength=value("instrument/velocity_selector/LambdaA", "instrument/velocity_selector/wavelength"),
        spread=0.1,
        distance=distance,
        collimation=value(f"{parameters}/L1", f"{parameters}/L1mm"),
        pixel_size=(value(f"{detector}/x_pixel_size") or 5.08, value(f"{detector}/y_pixel_size") or 5.08),
    )
    if distance is None or settings.wavelength is None:
        raise DataError(f"{file}: holds no distance or no wavelength; give both with --geometry.")
    for number, frame in enumerate(stack, start=1):
        yield RawSans(frame, settings=settings, entry=f"frame {number}" if len(stack) > 1 else "")
