"""HDF5 files of small-angle-scattering images: instruments' own layouts, NXsas, and NXcanSAS in 2D."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ....data import hdf5
from ....types import DataError
from ...reading import nexus
from ...reading.raw import make_truncation_error
from .raw import RawSans
from .reduced import canSAS, from_canSAS, from_mantid, mantid, values_of
from .settings import SansSettings
from .vsans import PANELS, panel

#: Layouts in the order in which a file is asked: whether it has one, and its images.
Layout = tuple[Callable[[Any], bool], Callable[[Any, Path, str], Iterator[RawSans]]]


def recognise(path: Path) -> bool:
    """Whether an HDF5 file holds such an image."""
    try:
        with hdf5.open_file(path, str(path)) as opened:
            return any(has(opened) for has, _ in LAYOUTS)
    except hdf5.DAMAGE:
        return False


def read(path: Path, file: str) -> Iterator[RawSans]:
    """Yield the images of an HDF5 file. Raises DataError if it is damaged or lacks what its format
    promises.
    """
    try:
        with hdf5.open_file(path, file) as opened:
            for has, images in LAYOUTS:
                if has(opened):
                    yield from images(opened, path, file)
                    return
            raise DataError(
                f"{file}: holds no image in q, nor one of a known instrument; give its dataset, distance,"
                " wavelength and pixel_size with --geometry."
            )
    except hdf5.DAMAGE as error:
        raise make_truncation_error(file) from error


def _ill(opened: Any) -> Iterator[tuple[str, Any, Any]]:
    """Entry's name, group of the instrument and each detector's data, of a file of ILL."""
    entry = opened.get("entry0")
    if entry is None or not hasattr(entry, "values"):
        return
    for instrument in entry.values():
        if hasattr(instrument, "get") and "selector" in instrument:
            for name, group in instrument.items():
                if (data := _ill_data(name, group)) is not None:
                    yield name, instrument, data


def _ill_data(name: str, group: Any) -> Any:
    """The image of one of ILL's detectors, in three dimensions; None where a group has none."""
    number = name.removeprefix("Detector").strip()
    data = group.get(f"data{number}") if hasattr(group, "get") and number.isdigit() else None
    return data if data is not None and data.ndim == 3 and sum(n > 1 for n in data.shape) == 2 else None


def _from_ill(instrument: Any, data: Any, entry: str, file: str) -> RawSans:
    number = data.name[-1]

    def value(path: str, otherwise: float | None = None) -> float | None:
        item = instrument.get(path)
        return otherwise if item is None else float(np.ravel(item[()])[0])

    counts = np.squeeze(values_of(data, file)).T
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
        distance=_convert_to_mm(distance),
        collimation=_convert_to_mm(collimation),
        source_radius=_radius_of(width, height),
        sample_radius=5.0,
        pixel_size=None if not all(size) else (size[0] or 0.0, size[1] or 0.0),
    )
    notes = ("The sample's aperture is not in the file; a radius of 5 mm was taken.",)
    return RawSans(counts, settings=settings, entry=entry, notes=notes)


def _convert_to_mm(metres: float | None) -> float | None:
    return 1e3 * metres if metres else None


def _radius_of(width: float | None, height: float | None) -> float | None:
    """A rectangle's variance is that of a circle of 1/√3 of its side, its two sides' on average."""
    return float(np.sqrt((width**2 + height**2) / 6)) if width and height else None


def _from_all_of_ill(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    for entry, instrument, data in _ill(opened):
        yield _from_ill(instrument, data, entry, file)


def _quokka(opened: Any) -> Any:
    """The entry of a file of Quokka, which holds ``data/hmm_xy``."""
    for entry in (opened, *(item for item in opened.values() if hasattr(item, "get"))):
        if entry.get("data/hmm_xy") is not None:
            return entry
    return None


def _from_quokka(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    entry = _quokka(opened)
    stack = values_of(entry["data/hmm_xy"], file)
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


#: SINQ's SANS-I and SANS-II: group of the instrument, place of the detector, pixels in mm.
_SINQ = (("SANS", "x_position", 7.5), ("SANS-II", "z_position", 4.34))


def _sinq(opened: Any) -> tuple[Any, str, float] | None:
    """Group of SINQ's instrument, name of its detector's distance, and pixel."""
    for _, entry in hdf5.members(opened):
        for name, distance, pixel in _SINQ:
            group = hdf5.member(entry, name)
            if group is not None and hdf5.member(group, "Dornier-VS/lambda") is not None:
                return group, distance, pixel
    return None


def _from_sinq(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    entry = _sinq(opened)
    assert entry is not None
    group, distance, pixel = entry
    counts = hdf5.member(group, "detector/counts")
    if counts is None:
        raise DataError(f"{file}: holds no counts of the detector; copy the file again.")
    column, row = (_number(group, f"detector/beam_center_{axis}") for axis in "xy")
    length, spread = _number(group, "collimator/length"), _number(group, "monochromator/wavelength_spread")
    settings = SansSettings(
        wavelength=_convert_selector(_number(group, "Dornier-VS/lambda")),
        spread=spread or 0.1,
        distance=_number(group, f"detector/{distance}"),
        collimation=_convert_to_mm(length),
        pixel_size=(pixel, pixel),
        direct_beam=(column, row) if column and row else None,
    )
    yield RawSans(np.squeeze(values_of(counts, file)), settings=settings)


def _number(group: Any, path: str) -> float | None:
    item = hdf5.member(group, path)
    if item is None or not getattr(item, "size", 0) or item.dtype.kind not in "iuf":
        return None
    value = float(np.ravel(item[()])[0])
    return value if np.isfinite(value) and value > 0 else None


def _convert_selector(wavelength: float | None) -> float | None:
    """Å; SINQ's velocity selector says nm."""
    return wavelength * 10.0 if wavelength is not None and wavelength < 3 else wavelength


def _nxsas(opened: Any) -> Any:
    """The entry of a file that says it is one of NeXus' NXsas."""
    for _, entry in hdf5.members(opened):
        definition = hdf5.member(entry, "definition")
        if (
            definition is not None
            and getattr(definition, "size", 0) == 1
            and hdf5.text(definition[()]) == "NXsas"
        ):
            return entry
    return None


def _from_nxsas(opened: Any, path: Path, file: str) -> Iterator[RawSans]:
    spread = _spread_in(_nxsas(opened))
    with nexus.stacks(path, file) as stacks:
        geometry = stacks.geometry
        settings = SansSettings(
            wavelength=geometry.wavelength,
            spread=None if not spread else spread / (100 if spread > 1 else 1),
            distance=geometry.distance,
            pixel_size=geometry.pixel_size,
            direct_beam=geometry.direct_beam,
        )
        for number, frame in enumerate(nexus.frames_of(stacks), start=1):
            title = f"frame {number}" if stacks.number > 1 else ""
            yield RawSans(frame, bad=stacks.bad, settings=settings, entry=title, top_first=True)


def _spread_in(entry: Any) -> float | None:
    """The last wavelength spread of an entry, as a share or in per cent."""
    spread = None
    for name, item in hdf5.walk_members(entry, 3):
        if name == "wavelength_spread" and getattr(item, "size", 0) == 1:
            spread = float(np.ravel(item[()])[0])
    return spread


def _vsans(opened: Any) -> Any:
    """The group of NIST's VSANS whose detector has panels."""
    for _, entry in hdf5.members(opened):
        group = hdf5.member(entry, "instrument")
        if group is not None and any(f"detector_{name}" in group for name in PANELS):
            return group
    return None


def _from_vsans(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    group = _vsans(opened)
    wavelength = _number(group, "beam/monochromator/wavelength")
    if wavelength is None:
        raise DataError(f"{file}: contains no wavelength; copy the file again.")
    for name in PANELS:
        detector = hdf5.member(group, f"detector_{name}")
        data = None if detector is None else hdf5.member(detector, "data")
        if data is not None:
            yield panel(name, detector, values_of(data, file), wavelength, file)


LAYOUTS: tuple[Layout, ...] = (
    (lambda opened: any(True for _ in canSAS(opened)), from_canSAS),
    (lambda opened: any(True for _ in _ill(opened)), _from_all_of_ill),
    (lambda opened: _quokka(opened) is not None, _from_quokka),
    (lambda opened: _sinq(opened) is not None, _from_sinq),
    (lambda opened: _vsans(opened) is not None, _from_vsans),
    (lambda opened: any(True for _ in mantid(opened)), from_mantid),
    (lambda opened: _nxsas(opened) is not None, _from_nxsas),
)
