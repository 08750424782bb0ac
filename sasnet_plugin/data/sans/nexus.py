"""HDF5 files of small-angle-scattering images: instruments' own layouts, NXsas, and NXcanSAS in 2D."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ... import units
from ...types import DataError
from .. import hdf5
from ..failure import too_large
from ..images import nexus
from ..images.raw import truncated
from ..limits import LIMITS
from .raw import RawSans
from .settings import SansSettings
from .vsans import PANELS, panel

#: Layouts in the order in which a file is asked: whether it has one, and its images.
Layout = tuple[Callable[[Any], bool], Callable[[Any, Path, str], Iterator[RawSans]]]


def recognise(path: Path) -> bool:
    """Whether an HDF5 file holds such an image."""
    try:
        with hdf5.opened(path, str(path)) as opened:
            return any(has(opened) for has, _ in LAYOUTS)
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
            for has, images in LAYOUTS:
                if has(opened):
                    yield from images(opened, path, file)
                    return
            raise DataError(
                f"{file}: holds no image in q, nor one of a known instrument; give its dataset, distance,"
                " wavelength and pixel_size with --geometry."
            )
    except hdf5.DAMAGE as error:
        raise truncated(file) from error


def _is(item: Any, *names: str) -> bool:
    said = [item.attrs.get(key, b"") for key in ("NX_class", "canSAS_class")]
    return any((x.decode() if isinstance(x, bytes) else str(x)) in names for x in said)


def _canSAS(opened: Any) -> Iterator[tuple[str, str, Any]]:
    """Groups of NXcanSAS whose I has two dimensions, their entries' names and their own."""
    for name, entry in hdf5.members(opened):
        if not hasattr(entry, "items"):
            continue
        for own, group in hdf5.members(entry):
            if hasattr(group, "items") and _is(group, "SASdata", "NXdata") and "I" in group:
                here = {"Qx", "Qy"} <= set(group) or ("Q" in group and group["Q"].ndim == 3)
                if group["I"].ndim == 2 and here:
                    yield (name if len(opened) > 1 else ""), own, group


def _from_canSAS(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    """Panels of one entry have names; what sees the same q is another measurement, not another panel."""
    entries: dict[str, list[tuple[str, RawSans]]] = {}
    for entry, own, group in _canSAS(opened):
        entries.setdefault(entry, []).append((own, _reduced(group, entry, file)))
    for entry, found in entries.items():
        panels = len(found) > 1 and not any(_alike(found[0][1], raw) for _, raw in found[1:])
        for own, raw in found:
            if len(found) == 1:
                yield raw
            elif panels:
                yield replace(raw, panel=own)
            else:
                yield replace(raw, entry="/".join(filter(None, (entry, own))))


def _alike(one: RawSans, other: RawSans) -> bool:
    """Whether two images have the same q in their pixels."""
    if one.values.shape != other.values.shape:
        return False
    assert one.qx is not None
    assert other.qx is not None
    assert one.qy is not None
    assert other.qy is not None
    return bool(np.allclose(one.qx, other.qx) and np.allclose(one.qy, other.qy))


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
    unit = units.canonical(hdf5.text(item.attrs.get("units", "1/A")) or "1/A", "q")
    return _values(item, file) * (1.0 if unit is None else units.FACTORS["q"][unit])


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
    found = _sinq(opened)
    assert found is not None
    group, distance, pixel = found
    counts = hdf5.member(group, "detector/counts")
    if counts is None:
        raise DataError(f"{file}: holds no counts of the detector; copy the file again.")
    column, row = (_number(group, f"detector/beam_center_{axis}") for axis in "xy")
    length, spread = _number(group, "collimator/length"), _number(group, "monochromator/wavelength_spread")
    wavelength = _number(group, "Dornier-VS/lambda")
    settings = SansSettings(
        # SINQ's velocity selector says nm.
        wavelength=None if wavelength is None else wavelength * (10.0 if wavelength < 3 else 1.0),
        spread=spread or 0.1,
        distance=_number(group, f"detector/{distance}"),
        collimation=None if length is None else 1e3 * length,
        pixel_size=(pixel, pixel),
        direct_beam=(column, row) if column and row else None,
    )
    yield RawSans(np.squeeze(_values(counts, file)), settings=settings)


def _number(group: Any, path: str) -> float | None:
    """A number of a file; None where there is none, or none above 0."""
    item = hdf5.member(group, path)
    if item is None or not getattr(item, "size", 0) or item.dtype.kind not in "iuf":
        return None
    value = float(np.ravel(item[()])[0])
    return value if np.isfinite(value) and value > 0 else None


def _nxsas(opened: Any) -> Any:
    """The entry of a file that says it is one of NeXus' NXsas."""
    for _, entry in hdf5.members(opened):
        said = hdf5.member(entry, "definition")
        if said is not None and getattr(said, "size", 0) == 1 and hdf5.text(said[()]) == "NXsas":
            return entry
    return None


def _from_nxsas(opened: Any, path: Path, file: str) -> Iterator[RawSans]:
    entry, spread = _nxsas(opened), None
    for name, item in hdf5.below(entry, 3):
        if name == "wavelength_spread" and getattr(item, "size", 0) == 1:
            spread = float(np.ravel(item[()])[0])
    with nexus.stacks(path, file) as found:
        said = found.geometry
        settings = SansSettings(
            wavelength=said.wavelength,
            spread=None if not spread else spread / (100 if spread > 1 else 1),
            distance=said.distance,
            pixel_size=said.pixel_size,
            direct_beam=said.direct_beam,
        )
        for number, frame in enumerate(nexus.frames_of(found), start=1):
            title = f"frame {number}" if found.number > 1 else ""
            yield RawSans(frame, bad=found.bad, settings=settings, entry=title, top_first=True)


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
        raise DataError(f"{file}: says no wavelength; copy the file again.")
    for name in PANELS:
        detector = hdf5.member(group, f"detector_{name}")
        data = None if detector is None else hdf5.member(detector, "data")
        if data is not None:
            yield panel(name, detector, _values(data, file), wavelength, file)


def _mantid(opened: Any) -> Iterator[Any]:
    """Workspaces that Mantid has reduced to two dimensions of q."""
    for name, group in hdf5.members(opened):
        workspace = hdf5.member(group, "workspace") if name.startswith("mantid_workspace") else None
        axes = None if workspace is None else [hdf5.member(workspace, f"axis{k}") for k in (1, 2)]
        if axes and all(
            axis is not None and hdf5.text(axis.attrs.get("units", "")) == "MomentumTransfer" for axis in axes
        ):
            yield workspace


def _from_mantid(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    for workspace in _mantid(opened):
        values = _values(workspace["values"], file)
        middles = []
        for axis, size in ((1, values.shape[1]), (2, values.shape[0])):
            q = np.ravel(_values(workspace[f"axis{axis}"], file))
            middles.append((q[1:] + q[:-1]) / 2 if q.size == size + 1 else q)
        if [q.size for q in middles[::-1]] != list(values.shape):
            raise DataError(f"{file}: its axes have other lengths than its values; reduce it again.")
        error = _values(workspace["errors"], file)
        qx, qy = np.meshgrid(*middles)
        yield RawSans(values, qx, qy, error, bad=~np.isfinite(values) | ~(error > 0))


LAYOUTS: tuple[Layout, ...] = (
    (lambda opened: any(True for _ in _canSAS(opened)), _from_canSAS),
    (lambda opened: any(True for _ in _ill(opened)), _from_all_of_ill),
    (lambda opened: _quokka(opened) is not None, _from_quokka),
    (lambda opened: _sinq(opened) is not None, _from_sinq),
    (lambda opened: _vsans(opened) is not None, _from_vsans),
    (lambda opened: any(True for _ in _mantid(opened)), _from_mantid),
    (lambda opened: _nxsas(opened) is not None, _from_nxsas),
)
