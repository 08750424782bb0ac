"""What files of small-angle-scattering images say: settings, resolution, HDF5 of instruments, NXsas,
NXcanSAS in 2D.

A file has a group for each panel: counts by column and row from the lower left, and the place of its tubes
as the instrument's reduction has it. Vertical tubes are a width apart about the panel's edge beside the gap
between two panels; along a tube a pixel lies where the tube's calibration says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import units
from ...arrays import Floats
from ...data import hdf5
from ...data.advice import GEOMETRY, SETTINGS_GIVEN
from ...data.limits import LIMITS, too_large
from ...data.toml_files import (
    overlay_settings,
    parse_assignments,
    parse_settings,
    read_sidecar_settings,
)
from ...types import DataError
from .. import nexus
from ..nexus import make_truncation_error

# --- How sharp a pinhole instrument sees: spread of q from slits, pixels, wavelengths and gravity.

#: Planck's constant over the neutron's mass, m²/s (CODATA 2018): λ = h/(m v).
H_OVER_M = 3.95603401e-7
GRAVITY = 9.80665  # m/s²


@dataclass(frozen=True)
class Setting:
    """How a pinhole instrument is set."""

    wavelength: float  #: Mean, Å.
    spread: float  #: Full width at half maximum of the triangular wavelength distribution over the mean.
    collimation: float  #: Source aperture to sample, L1, mm.
    distance: float  #: Sample to detector, L2, mm.
    #: source_radius, sample_radius: of the apertures, R1 and R2, mm; of a rectangle half its side times 2/√3,
    #: whose variance is the same.
    source_radius: float
    sample_radius: float
    pixel: tuple[float, float]  #: Width and height of a pixel, mm.
    gravity: bool = True  #: Neutrons fall; X-rays do not.

    @property
    def k(self) -> float:
        """Wave number, Å⁻¹."""
        return 2 * math.pi / self.wavelength


def drop(setting: Setting) -> float:
    """Return how far neutrons of the mean wavelength fall from source aperture to detector, mm: A = g m² L2
    (L1 + L2) λ² / 2h² (Mildner, Barker & Kline, J. Appl. Cryst. 44 (2011) 1127).
    """
    if not setting.gravity:
        return 0.0
    speed = H_OVER_M / (setting.wavelength * 1e-10)
    l1, l2 = setting.collimation * 1e-3, setting.distance * 1e-3
    return 1e3 * GRAVITY * l2 * (l1 + l2) / (2 * speed**2)


def geometric(setting: Setting) -> float:
    """Return σ of q along one axis by slits and pixels, Å⁻¹."""
    # σ² = k² [R1²/4L1² + R2²/4L'² + D²/12L2²], 1/L' = 1/L1 + 1/L2 (Mildner & Carpenter, J. Appl. Cryst. 17
    # (1984) 249); D² is the mean square of a pixel's width and height.
    l1, l2 = setting.collimation, setting.distance
    pixel = (setting.pixel[0] ** 2 + setting.pixel[1] ** 2) / 2
    variance = (
        (setting.source_radius / (2 * l1)) ** 2
        + (setting.sample_radius / 2 * (1 / l1 + 1 / l2)) ** 2
        + pixel / (12 * l2**2)
    )
    return setting.k * math.sqrt(variance)


def compute_pixel_resolution(setting: Setting, qx: Floats, qy: Floats) -> tuple[Floats, Floats]:
    """Return σ along q and across it, Å⁻¹; qx and qy (upwards) from where the mean wavelength arrives."""
    # A neutron slower by δ changes q by -δ (q - g ŷ), g = 2kA/L2. A triangle of full width at half maximum w
    # has variance w²/6. The fall goes as λ², so its place changes by 2Aδ; NIST's reduction uses twice that,
    # at most 3 % of σ at 6 Å and 15 m.
    q = np.sqrt(qx**2 + qy**2)
    upwards = np.divide(qy, q, out=np.zeros_like(q), where=q > 0)
    sideways = np.divide(qx, q, out=np.ones_like(q), where=q > 0)
    fall = 2 * setting.k * drop(setting) / setting.distance
    spread = setting.spread / math.sqrt(6)
    base = geometric(setting) ** 2
    along = np.sqrt(base + ((q - fall * upwards) * spread) ** 2)
    return along, np.sqrt(base + (fall * sideways * spread) ** 2)


def compute_ring_resolution(setting: Setting, q: Floats) -> tuple[Floats, Floats]:
    """Return `compute_pixel_resolution` as root mean square over a circle of radius q, Å⁻¹."""
    fall = 2 * setting.k * drop(setting) / setting.distance
    spread, base = setting.spread / math.sqrt(6), geometric(setting) ** 2
    along = np.sqrt(base + (q**2 + fall**2 / 2) * spread**2)
    return along, np.full_like(q, math.sqrt(base + fall**2 / 2 * spread**2))


# --- What a TOML file or the user says about a small-angle-scattering image, over what its header
# --- says.

Pair = tuple[float, float]
#: Name -> (least, largest, unit); neutrons and X-rays, tabletop to 40 m.
SETTING_LIMITS = {
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
    """Combine texts ``name=value`` with TOML files next to an image. Raises DataError as `parse_table`, or
    for invalid TOML or text.
    """
    return overlay_settings(settings_of_texts(texts), read_sidecar_settings(path, parse_table))


def settings_of_texts(texts: Sequence[str], option: str = "") -> SansSettings:
    """Parse texts ``name=value``. Raises DataError as `parse_table`, or for a text without a value."""
    return parse_table(parse_assignments(texts, "distance=4000"), option or str(SETTINGS_GIVEN))


def parse_table(table: Mapping[str, Any], file: str) -> SansSettings:
    """Make settings from names and values; DataError names ``file`` for an unknown name (with the nearest) or
    a value wrong or beyond `LIMITS`.
    """
    return parse_settings(SansSettings, table, file, _LENGTHS, SETTING_LIMITS)


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
            f"{file}: wavelength = {wavelength:g} Å is too short for neutrons at such an instrument, and"
            f" looks like nm; give wavelength = {10 * wavelength:g}."
        )
    notes.append(
        f"The header's wavelength of {wavelength:g} was read in nm; in Å it would be too short for neutrons."
    )
    return replace(settings, wavelength=10 * wavelength)


def _are_neutrons(settings: SansSettings) -> bool:
    """Whether the wavelength spreads as behind a velocity selector, or pixels are as wide as of neutrons."""
    pixel = settings.pixel_size
    return (settings.spread or 0.0) >= _SELECTOR or (pixel is not None and min(pixel) >= _WIDE)


# --- What a file says of a small-angle-scattering image, before anything is masked or found from
# --- the data.


@dataclass(frozen=True)
class RawSans:
    """One image as it stands in a file."""

    values: Floats  #: (rows, columns), counts or intensities.
    #: qx, qy: (rows, columns), Å⁻¹; None where the file has pixels and their geometry is in `settings`.
    qx: Floats | None = None
    qy: Floats | None = None
    error: Floats | None = None  #: (rows, columns), one standard deviation of values that are no counts.
    #: along, across: (rows, columns), spread of q, one standard deviation, Å⁻¹.
    along: Floats | None = None
    across: Floats | None = None
    bad: NDArray[np.bool_] | None = None  #: (rows, columns), what the file itself leaves out.
    settings: SansSettings = SansSettings()  #: What its header says.
    entry: str = ""
    notes: tuple[str, ...] = ()
    top_first: bool = False  #: The first row is the highest of the picture; of no meaning where there is q.
    #: Name of the detector's panel; those of one entry are one measurement. Empty where there is one.
    panel: str = ""
    area: float = 1.0  #: Solid angle of a pixel in the beam over that of the other panels.


def are_counts(values: Floats) -> bool:
    """Whether all finite values are whole numbers and none is negative."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() >= 0 and np.all(finite == np.round(finite)))


def as_counts(values: Floats, error: Floats | None, mask: NDArray[np.bool_]) -> float:
    """Counts that one unit of reduced values stands for, by their errors; 0 where nothing says so."""
    # A value v with the error e has as many counts as have its relative error, v²/e².
    if error is None:
        return 0.0
    is_known = mask & (values > 0) & (error > 0)
    return float(np.median(values[is_known] / error[is_known] ** 2)) if np.any(is_known) else 0.0


def estimate_error(values: Floats, good: NDArray[np.bool_], q: Floats) -> Floats:
    """Estimate the standard deviation (rows, columns) ring by ring; DataError without neighbours."""
    pairs = good[:, 1:] & good[:, :-1]
    if not np.any(pairs):
        raise DataError("no two neighbouring pixels hold values; give a whole image.")
    apart = np.abs(np.diff(values, axis=1))[pairs] / np.sqrt(2)
    q_right = q[:, 1:][pairs]
    edges = np.quantile(q_right, np.linspace(0, 1, 13))
    ring = np.clip(np.searchsorted(edges, q_right, side="right") - 1, 0, 11)
    # 1.4826 of the median of |x| is the standard deviation of a Gaussian.
    level = np.array(
        [1.4826 * np.median(apart[ring == k]) if np.any(ring == k) else np.nan for k in range(12)]
    )
    is_known = np.isfinite(level) & (level > 0)
    if not np.any(is_known):
        raise DataError("neighbouring pixels hold the same values; give measured data.")
    middle = (edges[1:] + edges[:-1]) / 2
    return np.asarray(np.interp(q, middle[is_known], level[is_known]))


# --- Panels of NIST's VSANS: where the tubes of its front and middle carriage, and its back
# --- detector, lie.

#: Front and middle carriage: left, right, top, bottom; the back detector.
PANELS = ("FL", "FR", "FT", "FB", "ML", "MR", "MT", "MB", "B")
#: Solid angle of a pixel of 8 mm at 10 m: panels are compared by it.
_UNIT = 6.4e-7


def panel(name: str, group: Any, counts: Floats, wavelength: float, file: str) -> RawSans:
    """Read a panel of `PANELS` over q; NXdetector has lengths in cm, pixels and tube calibration in mm;
    counts (columns, rows), wavelength in Å. Raises DataError without its place.
    """

    def number(key: str, otherwise: float | None = None) -> float:
        item = hdf5.member(group, key)
        if item is None or not getattr(item, "size", 0):
            if otherwise is None:
                raise DataError(f"{file}: panel {name} has no {key}; copy the file again.")
            return otherwise
        return float(np.ravel(item[()])[0])

    columns, rows = counts.shape
    distance = number("distance") + number("setback", 0.0)
    x, y = np.arange(columns, dtype=np.float64), np.arange(rows, dtype=np.float64)
    beam = number("beam_center_x"), number("beam_center_y")
    if name == "B":
        width, height = number("cal_x"), number("cal_y")
        across, along = (x + 0.5 - beam[0]) * width, (y + 0.5 - beam[1]) * height
    else:
        start, step = _tubes(group, name, file)
        gap = number("panel_gap", 0.0) / 10 / 2
        if name[1] in "LR":
            width, height = number("x_pixel_size") / 10, step
            edge = number("lateral_offset", 0.0)
            across = _place_tubes(x, width, edge, gap, right=name[1] == "R") - beam[0]
            along = start + step * y - beam[1]
        else:
            width, height = step, number("y_pixel_size") / 10
            edge = number("vertical_offset", 0.0)
            across = start + step * x - beam[0]
            along = _place_tubes(y, height, edge, gap, right=name[1] == "T") - beam[1]
    qx, qy, apart = _q(across, along, distance, wavelength)
    area = width * height / distance**2 / _UNIT
    return RawSans(
        counts.T,
        qx,
        qy,
        settings=SansSettings(wavelength=wavelength),
        bad=apart <= 0,
        panel=name,
        area=float(area),
    )


def _tubes(group: Any, name: str, file: str) -> tuple[float, float]:
    """Beginning and step of pixels along the tubes, cm; those of a panel are alike."""
    item = hdf5.member(group, "spatial_calibration")
    if item is None or item.ndim != 2 or item.shape[0] < 2:
        raise DataError(f"{file}: panel {name} has no calibration of its tubes; copy the file again.")
    numbers_read = np.asarray(item[()], dtype=np.float64)
    return float(np.median(numbers_read[0])) / 10, float(np.median(numbers_read[1])) / 10


def _place_tubes(index: Floats, width: float, edge: float, gap: float, *, right: bool) -> Floats:
    """Middles of tubes that begin at the gap, to the right of it or to the left, cm."""
    if right:
        return np.asarray(edge + gap + width * (index + 0.5))
    return np.asarray(edge - gap - width * (index.size - index - 0.5))


def _q(across: Floats, along: Floats, distance: float, wavelength: float) -> tuple[Floats, Floats, Floats]:
    """qx, qy in Å⁻¹ and the distance from the beam, (rows, columns), of a plane perpendicular to the beam."""
    x, y = np.meshgrid(across / distance, along / distance)
    cosine = 1 / np.sqrt(1 + x**2 + y**2)
    # 2 sin θ over tan 2θ, see `geometry.make_detector_geometry`.
    scale = 2 * np.pi / wavelength * cosine * np.sqrt(2 / (1 + cosine))
    return scale * x, scale * y, np.hypot(x, y)


# --- Images in HDF5 that are reduced to q: NXcanSAS in two dimensions, and Mantid's workspaces.


def _is(item: Any, *names: str) -> bool:
    class_names = [item.attrs.get(key, b"") for key in ("NX_class", "canSAS_class")]
    return any((x.decode() if isinstance(x, bytes) else str(x)) in names for x in class_names)


def canSAS(opened: Any) -> Iterator[tuple[str, str, Any]]:
    """Groups of NXcanSAS whose I has two dimensions, their entries' names and their own."""
    for name, entry in hdf5.members(opened):
        for own_name, group in hdf5.members(entry) if hasattr(entry, "items") else ():
            if hasattr(group, "items") and _is_two_dimensional(group):
                yield (name if len(opened) > 1 else ""), own_name, group


def _is_two_dimensional(group: Any) -> bool:
    if not _is(group, "SASdata", "NXdata") or "I" not in group or group["I"].ndim != 2:
        return False
    return {"Qx", "Qy"} <= set(group) or ("Q" in group and group["Q"].ndim == 3)


def from_canSAS(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    """Panels of one entry have names; what sees the same q is another measurement, not another panel."""
    entries: dict[str, list[tuple[str, RawSans]]] = {}
    for entry, name, group in canSAS(opened):
        entries.setdefault(entry, []).append((name, _read_reduced(group, entry, file)))
    for entry, found_group in entries.items():
        yield from _label_entry(entry, found_group)


def _label_entry(entry: str, named_raws: list[tuple[str, RawSans]]) -> Iterator[RawSans]:
    panels = not any(_alike(named_raws[0][1], raw) for _, raw in named_raws[1:])
    for name, raw in named_raws:
        if len(named_raws) == 1:
            yield raw
        elif panels:
            yield replace(raw, panel=name)
        else:
            yield replace(raw, entry="/".join(filter(None, (entry, name))))


def _alike(first: RawSans, second: RawSans) -> bool:
    return first.values.shape == second.values.shape and all(
        np.allclose(getattr(first, axis), getattr(second, axis)) for axis in ("qx", "qy")
    )


def _read_reduced(group: Any, entry: str, file: str) -> RawSans:
    values = values_of(group["I"], file)
    qx, qy = _q_of(group, file)
    if (qy.shape, qx.shape) == (values.shape[:1], values.shape[1:]):
        qx, qy = np.meshgrid(qx, qy)
    if qx.shape != values.shape or qy.shape != values.shape:
        raise DataError(f"{file}: Qx, Qy and I have different shapes; write the file again.")
    bad, error, mask = ~np.isfinite(values), None, hdf5.text(group.attrs.get("mask", "mask"))
    uncertainties = hdf5.text(group["I"].attrs.get("uncertainties", "Idev"))
    if uncertainties in group:
        error = _one_for_each_pixel(group[uncertainties], values.shape, file)
        bad |= ~(error > 0)
    notes: list[str] = []
    if mask in group:
        bad |= _one_for_each_pixel(group[mask], values.shape, file) != 0
    elif "mask" in group.attrs:
        notes.append(f"The file names a mask, {mask}, but does not contain it; no pixel was masked.")
    along, across = _read_resolution(group, qx, qy, file, notes)
    return RawSans(values, qx, qy, error, along, across, bad=bad, entry=entry, notes=tuple(notes))


def _one_for_each_pixel(item: Any, shape: tuple[int, ...], file: str) -> NDArray[Any]:
    """Read one value for each pixel, in the shape of I or in one row. Raises DataError for another shape."""
    values = values_of(item, file)
    if values.size == 1:
        return np.full(shape, values.item())
    squeezed = values.squeeze()
    if squeezed.shape not in (shape, (math.prod(shape),)):
        raise DataError(
            f"{file}: {item.name} has the shape {values.shape}, and I has {shape}; write one value for each"
            " pixel."
        )
    return np.asarray(squeezed.reshape(shape))


def _read_resolution(
    group: Any, qx: Floats, qy: Floats, file: str, notes: list[str]
) -> tuple[Floats | None, Floats | None]:
    """Spread of q along q and across it, where the file gives a resolution of Qx and Qy, or of Q."""
    names = [("Qx", "dQx"), ("Qy", "dQy")] if "Qx" in group else [("Q", "Qdev")]
    named = [hdf5.text(group[q].attrs.get("resolutions", name)) for q, name in names]
    if not all(name in group for name in named):
        return None, None
    spreads = [
        _convert_to_inverse_angstrom(group[name], file, like=group[q])
        for (q, _), name in zip(names, named, strict=True)
    ]
    if len(spreads) == 1:  # of stacked Q: one for each component, or one for all directions
        components = spreads[0].ndim == 3 and spreads[0].shape[1:] == qx.shape
        spreads = [spreads[0][row] for row in _rows_of_q(group, file)] if components else 2 * spreads
    elif [spread.shape for spread in spreads] == [qx.shape[1:], qx.shape[:1]]:
        spreads = list(np.meshgrid(*spreads))
    if any(spread.size not in (1, qx.size) for spread in spreads):
        notes.append(f"{' and '.join(named)} have another shape than I; this resolution was not used.")
        return None, None
    x, y = (np.broadcast_to(s.reshape(qx.shape) if s.size > 1 else s.ravel(), qx.shape) for s in spreads)
    return resolve_spreads(qx, qy, np.asarray(x), np.asarray(y), notes)


def resolve_spreads(
    qx: Floats, qy: Floats, sigma_x: Floats, sigma_y: Floats, notes: list[str]
) -> tuple[Floats | None, Floats | None]:
    """Return the spread along q and across it of what is named after the axes; None where none is above 0."""
    # NIST's older software writes spreads along the axes: slits and pixels blur by g in any direction,
    # wavelengths by √c q along q, so σx² = g² + c qx². SasView means those along q and across it by the same
    # names, and so its files have them: functions of |q|. The file's are those of which less is left over.
    known = np.isfinite(sigma_x) & np.isfinite(sigma_y) & (sigma_x > 0) & (sigma_y > 0)
    if not np.any(known):
        return None, None
    square = qx[known] ** 2 + qy[known] ** 2
    variances = sigma_x[known] ** 2, sigma_y[known] ** 2

    def misfit(*squares: Floats) -> float:
        left = 0.0
        for variance, of_q in zip(variances, squares, strict=True):
            design = np.stack([np.ones_like(of_q), of_q / square.max()], axis=1)
            solution, *_ = np.linalg.lstsq(design, variance, rcond=None)
            left += float(np.sum((variance - design @ solution) ** 2))
        return left

    axes = qx[known] ** 2, qy[known] ** 2
    if misfit(square, square) <= misfit(*axes) + 1e-9 * float(np.sum(np.square(variances))):
        notes.append("dQx and dQy depend on |q| alone, and were read as the resolution along and across q.")
        return np.where(known, sigma_x, np.median(sigma_x[known])), np.where(
            known, sigma_y, np.median(sigma_y[known])
        )
    slope, base = np.polyfit(np.concatenate(axes), np.concatenate(variances), 1)
    base = max(float(base), 1e-3 * float(np.median(variances)))
    notes.append("The resolution along Qx and Qy was converted to that along and across q.")
    along = np.sqrt(base + max(float(slope), 0.0) * (qx**2 + qy**2))
    return along, np.full_like(along, np.sqrt(base))


def values_of(item: Any, file: str) -> Any:
    """What a data set holds, if that lies in this file and is of a size that images have."""
    if hdf5.is_outside(item) or item.file.filename != file:
        raise hdf5.not_followed(file, item.name)
    if item.size > 3 * LIMITS.pixels or hdf5.hollow(item):
        raise too_large(
            file, f"{item.size:,} values in {item.name}, by its header", "images of one measurement"
        )
    return np.asarray(item[()], dtype=np.float64)


def _convert_to_inverse_angstrom(item: Any, file: str, like: Any = None) -> Any:
    """Values in Å⁻¹ by the unit of a data set, or of the one that it belongs to."""
    attributes = [one.attrs for one in (item, like) if one is not None]
    texts = [hdf5.text(found.get("units", found.get("unit", ""))) for found in attributes]
    unit = units.canonical(next(filter(None, texts), "1/A"), "q")
    return values_of(item, file) * (1.0 if unit is None else units.FACTORS["q"][unit])


def mantid(opened: Any) -> Iterator[Any]:
    """Workspaces that Mantid has reduced to two dimensions of q."""
    for name, group in hdf5.members(opened):
        workspace = hdf5.member(group, "workspace") if name.startswith("mantid_workspace") else None
        if workspace is not None and all(_is_of_q(workspace, k) for k in (1, 2)):
            yield workspace


def _is_of_q(workspace: Any, number: int) -> bool:
    axis = hdf5.member(workspace, f"axis{number}")
    return axis is not None and hdf5.text(axis.attrs.get("units", "")) == "MomentumTransfer"


def from_mantid(opened: Any, _: Path, file: str) -> Iterator[RawSans]:
    for workspace in mantid(opened):
        values = values_of(workspace["values"], file)
        middles = []
        for axis, size in ((1, values.shape[1]), (2, values.shape[0])):
            q = np.ravel(values_of(workspace[f"axis{axis}"], file))
            middles.append((q[1:] + q[:-1]) / 2 if q.size == size + 1 else q)
        if [q.size for q in middles[::-1]] != list(values.shape):
            raise DataError(f"{file}: its axes have other lengths than its values; reduce it again.")
        error = values_of(workspace["errors"], file)
        qx, qy = np.meshgrid(*middles)
        yield RawSans(values, qx, qy, error, bad=~np.isfinite(values) | ~(error > 0))


def _q_of(group: Any, file: str) -> tuple[Any, Any]:
    if "Qx" in group:
        return _convert_to_inverse_angstrom(group["Qx"], file), _convert_to_inverse_angstrom(
            group["Qy"], file
        )
    stacked = _convert_to_inverse_angstrom(group["Q"], file)
    x, y = _rows_of_q(group, file)
    return stacked[x], stacked[y]


def _rows_of_q(group: Any, file: str) -> tuple[int, int]:
    """Which components of a stacked Q are Qx and Qy."""
    stacked = values_of(group["Q"], file)
    changing = [k for k in range(len(stacked)) if np.ptp(stacked[k]) > 0]
    x, y = changing[1] if len(changing) > 1 else 0, changing[0]
    return (y, x) if np.ptp(stacked[x][0]) < np.ptp(stacked[x][:, 0]) else (x, y)


# --- HDF5 files of small-angle-scattering images: instruments' own layouts, NXsas, and NXcanSAS in
# --- 2D.

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
    """Yield the images of an HDF5 file. Raises DataError if it is damaged or lacks what its format has."""
    try:
        with hdf5.open_file(path, file) as opened:
            for has, images in LAYOUTS:
                if has(opened):
                    yield from images(opened, path, file)
                    return
            raise DataError(
                f"{file}: holds no image in q, nor one of a known instrument; give its dataset, distance,"
                f" wavelength and pixel_size {GEOMETRY}."
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
        raise DataError(f"{file}: holds no distance or no wavelength; give both {GEOMETRY}.")
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
    spread = None
    for name, item in hdf5.walk_members(entry, 3):
        if name == "wavelength_spread" and getattr(item, "size", 0) == 1:
            spread = float(np.ravel(item[()])[0])
    return spread


def _vsans(opened: Any) -> Any:
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
