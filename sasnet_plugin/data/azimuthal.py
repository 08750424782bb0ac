"""Images integrated over the azimuth, in HDF5: NXazint1d and NXazint2d (MAX IV, pyFAI), pyFAI's NXmonopd.

A group NXdata holds the intensity against a radial axis, q or 2θ, for one image or a series of them; each
image is a curve. Where there are bins of azimuth, and no average beside them, they are averaged here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import units
from ..types import DataError
from . import hdf5
from .failure import too_large
from .limits import LIMITS
from .raw import RawCurve

if TYPE_CHECKING:
    from ..arrays import Floats

_RADIAL = frozenset({"radial_axis", "radial", "q", "2th", "2theta", "two_theta", "tth", "polar_angle"})
_AZIMUTHAL = frozenset({"azimuthal_axis", "azimuthal", "chi", "eta"})
_ERRORS = ("{}_errors", "errors", "{}_error", "sigma")
_KEV_ANGSTROM = 12.398419843320026
_DEPTH = 5
_ANGLES = {"2th_deg": "degrees", "2th_rad": "radians"}  # as pyFAI names them


def scan(file: Any, name: str) -> list[RawCurve]:
    """Read curves of an HDF5 file's integrated images in file order; empty if there are none. Raises
    DataError if the axis is an angle without wavelength, or there are too many values. Parameters as for
    `structured.scan_hdf5`.
    """
    raw_curves = []
    for series in all_series(file, name):
        if series.intensity.size > LIMITS.values or hdf5.hollow(series.intensity):
            raise too_large(name, f"{series.intensity.size:,} values", "a series of integrated images")
        raw_curves += series.read(0, series.frames)
    return raw_curves


def _groups(file: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Each entry with its NXdata groups that have a radial axis, each once though links may name it twice."""
    import h5py

    for _, entry in hdf5.members(file):
        if not isinstance(entry, h5py.Group):
            continue
        entries: dict[int, Any] = {}
        for _, group in hdf5.walk_members(entry, _DEPTH):
            if isinstance(group, h5py.Group) and _RADIAL.intersection(_axes(group)[-1:]):
                entries.setdefault(h5py.h5o.get_info(group.id).addr, group)
        yield entry, list(entries.values())


def _axes(group: Any) -> list[str]:
    """Names of the axes of a group NXdata, the last one the fastest; empty for any other group."""
    if hdf5.text(group.attrs.get("NX_class", "")) != "NXdata":
        return []
    return [hdf5.text(name) for name in np.atleast_1d(group.attrs.get("axes", []))]


def _is_cake(group: Any) -> bool:
    return any(name in _AZIMUTHAL for name in _axes(group))


@dataclass(frozen=True)
class Series:
    """Integrated images of one group, read by parts, so that a long series need not fit into memory."""

    group: Any
    entry: Any
    signal: str  #: Name of the intensity in the group.
    intensity: Any  #: (frames, …, [azimuth,] radial), or without frames.
    axis: RawCurve  #: A curve without intensities.

    @property
    def _inner(self) -> int:
        """Axes that one image has."""
        return 2 if _is_cake(self.group) else 1

    @property
    def _each(self) -> int:
        return math.prod(self.intensity.shape[1 : -self._inner])

    @property
    def frames(self) -> int:
        """Images there are; where uncertainties are written after the intensity, those that have both."""
        if self.intensity.ndim <= self._inner:
            return 1
        errors = _errors_in(self.group, self.signal, self.intensity.shape)
        steps = self.intensity.shape[0] if errors is None else min(self.intensity.shape[0], errors.shape[0])
        return int(steps * self._each)

    def _part(self, start: int, stop: int) -> tuple[int, Any]:
        """The first of the steps of the slowest axis that hold these images, and all of them as an index."""
        if self.intensity.ndim <= self._inner:
            return 0, ()
        low, high = start // self._each, -(-stop // self._each)
        return low, slice(low, high)

    def read(self, start: int, stop: int) -> list[RawCurve]:
        """Curves of the images from one number, counted from 0, up to another."""
        low, part = self._part(start, stop)
        values = np.asarray(self.intensity[part], dtype=np.float64)
        errors = _errors(self.group, self.signal, self.intensity.shape, part)
        notes = self.axis.notes + _note_missing_normalisation(self.group, self.entry)
        if _is_cake(self.group):
            pixels = _pixels(self.group, self.intensity.shape, values.shape, part)
            values, errors = _average_azimuths(values, errors, pixels)
            notes += ("The bins of azimuth were averaged.",)
        values = values.reshape(-1, self.axis.q.size)
        sigmas = [None] * len(values) if errors is None else list(errors.reshape(-1, self.axis.q.size))
        title, first = _title(self.entry), low * self._each
        numbered = self.frames > 1
        return [
            replace(
                self.axis,
                intensity=row,
                dintensity=sigma,
                title=f"{title} frame {number}".strip() if numbered else title,
                notes=notes,
            )
            for number, row, sigma in zip(range(first + 1, stop + 1), values, sigmas, strict=False)
            if number > start
        ]


def series_of(group: Any, entry: Any, name: str) -> Series | None:
    """The series of a group NXdata with a radial axis; None where its arrays do not fit together."""
    import h5py

    signal = hdf5.text(group.attrs.get("signal", "I"))
    intensity, radial = hdf5.member(group, signal), hdf5.member(group, _axes(group)[-1])
    if not isinstance(intensity, h5py.Dataset) or not isinstance(radial, h5py.Dataset):
        return None
    if radial.ndim != 1 or not intensity.shape or intensity.shape[-1] != radial.size:
        return None
    return Series(group, entry, signal, intensity, _axis(radial, entry, name))


def all_series(file: Any, name: str) -> list[Series]:
    """What `scan` reads, unread: of each entry the averages over the azimuth, or else its cakes."""
    series_list = []
    for entry, groups in _groups(file):
        plain = [group for group in groups if not _is_cake(group)]
        series_list += [
            series for group in plain or groups if (series := series_of(group, entry, name)) is not None
        ]
    return series_list


def _axis(radial: Any, entry: Any, name: str) -> RawCurve:
    """A curve without intensities: its q, from 2θ where that is the axis."""
    values = np.asarray(radial[()], dtype=np.float64)
    unit = hdf5.text(radial.attrs.get("units", radial.attrs.get("unit", "")))[: LIMITS.title]
    angle = units.canonical(_ANGLES.get(unit, unit), "angle")
    if angle is None:
        unit = unit.removeprefix("q_")  # pyFAI's q_nm^-1
        return RawCurve(values, np.zeros_like(values), q_unit=units.canonical(unit, "q") if unit else None)
    wavelength = _wavelength(entry)
    if wavelength is None:
        raise DataError(
            f"{name}: its axis is the angle 2θ, and it states no wavelength; integrate the images against q."
        )
    theta = np.radians(values * units.factor(angle, "angle")) / 2
    note = f"2θ was converted to q with the file's wavelength, {wavelength:.5g} Å."
    q = 4 * math.pi / wavelength * np.sin(theta)
    return RawCurve(q, np.zeros_like(values), q_unit="Å⁻¹", notes=(note,))


def _wavelength(entry: Any) -> float | None:
    """Å, from the entry's wavelength or energy; None where it states neither."""
    stated = list(_read_stated_wavelengths(entry))
    for name, value, unit in stated:
        if name == "wavelength":
            return value * units.factor(units.canonical(unit or "Å", "length") or "Å", "length")
    for _, value, unit in stated:
        return _KEV_ANGSTROM / (value / 1000 if unit.lower() == "ev" else value)
    return None


def _read_stated_wavelengths(entry: Any) -> Iterator[tuple[str, float, str]]:
    """Name, value and unit of each wavelength and energy in an entry that is a number above zero."""
    for name, item in hdf5.walk_members(entry, _DEPTH):
        if name not in ("wavelength", "energy") or getattr(item, "size", 0) != 1:
            continue
        value = float(np.ravel(item[()])[0]) if item.dtype.kind in "iuf" else 0.0
        if value > 0:
            yield name, value, hdf5.text(item.attrs.get("units", ""))


def _errors_in(group: Any, signal: str, shape: tuple[int, ...]) -> Any:
    """The data set of uncertainties, which may be ahead of the intensity or behind it; None without one."""
    for pattern in _ERRORS:
        item = hdf5.member(group, pattern.format(signal))
        shape_here = getattr(item, "shape", None)
        if shape_here == shape or (
            shape_here and len(shape_here) == len(shape) > 1 and shape_here[1:] == shape[1:]
        ):
            return item
    return None


def _errors(group: Any, signal: str, shape: tuple[int, ...], part: Any) -> Floats | None:
    item = _errors_in(group, signal, shape)
    return None if item is None else np.asarray(item[part], dtype=np.float64)


def _pixels(group: Any, shape: tuple[int, ...], target_shape: tuple[int, ...], part: Any) -> Floats:
    """Pixels of each bin, of the shape of what was read; ones where the file does not tell."""
    norm = hdf5.member(group, "norm")
    norm_values: Any = 1.0
    if norm is not None:
        norm_values = np.asarray(norm[part] if norm.shape == shape else norm[()], dtype=np.float64)
    try:
        return np.broadcast_to(norm_values, target_shape)
    except ValueError:
        return np.ones(target_shape)


def _average_azimuths(values: Floats, errors: Floats | None, pixels: Floats) -> tuple[Any, Any]:
    """Averages over the last axis but one, weighted with the pixels; NaN where there are none."""
    weight = np.where(np.isfinite(values), pixels, 0.0)
    total = weight.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(weight * np.where(weight > 0, values, 0.0), axis=-2) / total
        if errors is None:
            return mean, None
        return mean, np.sqrt(np.nansum((weight * errors) ** 2, axis=-2)) / total


def _note_missing_normalisation(group: Any, entry: Any) -> tuple[str, ...]:
    applied = hdf5.member(entry, "normalization_applied")
    if applied is None or bool(np.ravel(applied[()])[0]) or hdf5.member(group, "norm") is not None:
        return ()
    return ("The file says that its intensity is not divided by the number of pixels: it grows with q.",)


def _title(entry: Any) -> str:
    for path in ("title", "sample/name"):
        item = hdf5.member(entry, path)
        if item is not None and getattr(item, "size", 0) == 1 and (text := hdf5.text(item[()])):
            return text
    return ""
