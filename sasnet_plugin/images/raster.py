"""Pictures of measurements as PNG: scales and colours, polar, correlations along the rings, masks; curves."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..types import Curve, GrazingIncidence, Image, SasnetError
from .diffraction.reading import SECTORS, Window, count_in_cells, cross_correlation
from .sans.reading import SmallAngle
from .settings import RASTER

# --- Pictures of measurements as PNG: scales and colours, polar, correlations along the rings,
# --- masks; curves.

Bools = NDArray[np.bool_]

VIEWS = ("linear", "polar", "correlation")
SCALES = ("log", "gamma", "linear")
COLOURS = ("viridis", "magma", "cividis", "gray", "gray_r", "turbo")
#: Rings and angles of the polar view: of an image of 900 pixels the pixels of its middle ring.
_RADII, _ANGLES = 300, 720
#: Exponent of the scale in between: square roots, in which counting noise is even.
_GAMMA = 0.5


@dataclass(frozen=True)
class Look:
    """How an image is shown."""

    #: view, scale, colours: of `VIEWS`, `SCALES`, `COLOURS`.
    view: str = "linear"
    scale: str = "log"
    colours: str = "viridis"
    mask: bool = True  #: Masked pixels are marked, rather than left as they are.
    fine: bool = False  #: As many pixels as `RASTER.fine` allows: somebody looks closer.

    def __post_init__(self) -> None:
        for choice, choices in ((self.view, VIEWS), (self.scale, SCALES), (self.colours, COLOURS)):
            if choice not in choices:
                raise SasnetError(f"There is no {choice[:40]!r}; choose one of {', '.join(choices)}.")

    @property
    def most(self) -> int:
        """Pixels of a side of the detector's picture, at most."""
        return RASTER.fine if self.fine else RASTER.view


def _scale_about_zero(values: Floats, mask: Bools) -> Floats:
    most = np.quantile(np.abs(values[mask]), 0.9) if mask.any() else 0.0
    return np.clip(values / (2 * (float(most) or 1.0)) + 0.5, 0, 1)


def picture(measurement: Any, look: Look) -> bytes:
    """The PNG of a measurement."""
    if isinstance(measurement, Curve):
        return _plot(measurement, look.scale == "linear")
    values, mask = upright(measurement)
    if look.view == "polar":
        values, mask = polar(values, mask, _centre(measurement))
    elif look.view == "correlation":
        values, mask = correlation(values, mask, _centre(measurement))
        return _png(_scale_about_zero(values, mask), mask, "RdBu_r", look.mask, RASTER.view)
    values_shown = scale_values(values, mask, look.scale)
    if look.view == "linear":
        values_shown, mask = _fewer(values_shown, mask, look.most)
    return _png(values_shown, mask, look.colours, look.mask, RASTER.view)


def colour_bar(colours: str) -> bytes:
    """The PNG of all colours, from the lowest to the highest, a row of 256 pixels."""
    share, mask = np.linspace(0, 1, 256)[None], np.ones((1, 256), dtype=np.bool_)
    return _png(share, mask, Look(colours=colours).colours, False, RASTER.view)


def thumbnail(measurement: Any) -> tuple[bytes, NDArray[np.float32]]:
    """A small PNG in grey, which the page may colour, and what is compared, (descriptor²,)."""
    if isinstance(measurement, Curve):
        values_shown, mask = (
            _draw_curve(measurement),
            np.ones((RASTER.thumbnail, RASTER.thumbnail), dtype=np.bool_),
        )
    else:
        values, mask = _fewer(*upright(measurement), RASTER.thumbnail)
        values_shown = scale_values(values, mask, "log")
    rows, columns = (np.linspace(0, n - 1e-6, RASTER.descriptor + 1).astype(int) for n in values_shown.shape)
    cells = np.add.reduceat(np.add.reduceat(values_shown, rows[:-1], axis=0), columns[:-1], axis=1)
    area = np.add.reduceat(
        np.add.reduceat(np.ones_like(values_shown), rows[:-1], axis=0), columns[:-1], axis=1
    )
    return _png(values_shown, mask, "gray", False, RASTER.thumbnail), (cells / area).ravel().astype(
        np.float32
    )


def draw_comparison(measured: Image, simulated: Floats, residual: Floats) -> dict[str, bytes]:
    """Return PNGs of measured and simulated counts on one scale and of standardised residuals, by name."""
    values, mask = upright(measured)
    again, residual_up = (
        values_here[::-1] if _is_upside_down(measured) else values_here
        for values_here in (simulated, residual)
    )
    ends = limits(values, mask, "log")
    pictures = {"measured": values, "simulated": np.where(mask, again, 0.0)}
    found_pictures = {
        name: _png(scale_values(values_here, mask, "log", ends), mask, Look.colours, True, RASTER.view)
        for name, values_here in pictures.items()
    }
    share = np.clip(np.nan_to_num(residual_up) / (2 * RASTER.far) + 0.5, 0, 1)
    return found_pictures | {"residual": _png(share, mask, "RdBu_r", True, RASTER.view)}


def scale_values(values: Floats, mask: Bools, scale: str, ends: tuple[float, float] | None = None) -> Floats:
    """Values between 0 and 1, 1 at the brightest hundredth of what is not masked, or between other ends."""
    low, top = ends or limits(values, mask, scale)
    if not top > low:
        return np.zeros_like(values)
    share = np.clip((values - low) / (top - low), 0, 1)
    if scale == "log":
        share = 1 + np.log10(np.maximum(share, 10**-RASTER.decades)) / RASTER.decades
    elif scale == "gamma":
        share = share**_GAMMA
    return np.where(mask, share, 0.0)


def limits(values: Floats, mask: Bools, scale: str) -> tuple[float, float]:
    """Values that are drawn as 0 and as 1; logarithmic scales begin `RASTER.decades` below the second."""
    good = values[mask]
    top = float(np.quantile(good, 0.99)) if good.size else 1.0
    top = top if top > 0 else float(good.max(initial=0.0))
    low = min(float(np.quantile(good, 0.01)), 0.0) if good.size and scale == "linear" else 0.0
    return low, top


def polar(values: Floats, mask: Bools, centre: tuple[float, float]) -> tuple[Floats, Bools]:
    """Values over angle (columns, from 0 to 360°) and radius (rows, the centre at the bottom)."""
    radius = _edge(values.shape, centre) * (np.arange(_RADII) + 0.5)[::-1, None] / _RADII
    angle = 2 * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    column = np.rint(centre[0] + radius * np.cos(angle)).astype(int)
    row = np.rint(centre[1] + radius * np.sin(angle)).astype(int)
    inside = (0 <= row) & (row < values.shape[0]) & (0 <= column) & (column < values.shape[1])
    row, column = np.where(inside, row, 0), np.where(inside, column, 0)
    is_measured = inside & mask[row, column]
    return np.where(is_measured, values[row, column], 0.0), is_measured


def correlation(values: Floats, mask: Bools, centre: tuple[float, float]) -> tuple[Floats, Bools]:
    """Two-point correlation along each ring over Δ (columns, above 0 to 360°), the centre at the bottom."""
    window = Window((values.shape[0], values.shape[1]), centre, _edge(values.shape, centre))
    cells = count_in_cells(window, values[None], mask[None])
    found_correlation = cross_correlation(cells)[0, ::-1].astype(np.float64)
    is_covered = (cells.area[0] > 0).sum(axis=1)[::-1] > SECTORS // 4
    found_correlation = np.repeat(np.repeat(found_correlation, 8, axis=0), 8, axis=1)
    return found_correlation, np.broadcast_to(np.repeat(is_covered, 8)[:, None], found_correlation.shape)


def upright(image: Any) -> tuple[Floats, Bools]:
    """Values and mask as they are drawn, the first row above."""
    values, mask = image.counts, image.mask
    if _is_upside_down(image):
        values, mask = values[::-1], mask[::-1]
    return np.where(mask, values, 0.0), mask


def _is_upside_down(image: Any) -> bool:
    return isinstance(image.geometry, GrazingIncidence)


def _centre(image: Any) -> tuple[float, float]:
    stored_centre = getattr(image.geometry, "centre", None)
    rows, columns = image.counts.shape
    return (
        (float(stored_centre[0]), float(stored_centre[1]))
        if stored_centre is not None
        else ((columns - 1) / 2, (rows - 1) / 2)
    )


def _edge(shape: tuple[int, ...], centre: tuple[float, float]) -> float:
    """Radius up to which a half of a ring at least is on the detector, pixels."""
    across = min(max(centre[0], shape[1] - 1 - centre[0]), max(centre[1], shape[0] - 1 - centre[1]))
    return max(across, min(shape) / 2, 1.0)


def _fewer(values: Floats, mask: Bools, most: int) -> tuple[Floats, Bools]:
    """Means of blocks of pixels that are not masked, so that no side has more."""
    step = max(1, -(-max(values.shape) // most))
    if step == 1:
        return values, mask
    rows, columns = (-(-n // step) * step for n in values.shape)
    wide = (0, rows - values.shape[0]), (0, columns - values.shape[1])
    blocks = rows // step, step, columns // step, step
    number = np.pad(mask, wide).reshape(blocks).sum(axis=(1, 3))
    total = np.pad(np.where(mask, values, 0), wide).reshape(blocks).sum(axis=(1, 3))
    return total / np.maximum(number, 1), number > 0


def _png(values: Floats, mask: Bools, colours: str, marked: bool, most: int) -> bytes:
    import matplotlib
    from matplotlib.image import imsave

    step = (
        max(1, most // max(values.shape) // 2) if marked else 1
    )  # small images are enlarged, each pixel a square
    table = (matplotlib.colormaps[colours](np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)
    pixels = table[np.rint(values * 255).astype(np.uint8)]
    if marked:
        pixels[~mask] = (120, 70, 70)
    out = io.BytesIO()
    imsave(out, np.repeat(np.repeat(pixels, step, axis=0), step, axis=1), format="png")
    return out.getvalue()


def _points(curve: Curve) -> tuple[Floats, Floats]:
    good = np.isfinite(curve.intensity) & (curve.intensity > 0) & (curve.q > 0)
    return np.log10(curve.q[good]), np.log10(curve.intensity[good])


def _draw_curve(curve: Curve) -> Floats:
    """A curve on logarithmic axes as dots, 0 or 1."""
    side = RASTER.thumbnail
    shown_picture = np.zeros((side, side))
    x, y = _points(curve)
    if x.size > 1:
        fine = np.linspace(x[0], x[-1], 6 * side)
        y = np.interp(fine, x, y)
        column, row = ((v - v.min()) / max(float(np.ptp(v)), 1e-9) for v in (fine, y))
        dots = side - 4 - np.rint(row * (side - 8)).astype(int), 4 + np.rint(column * (side - 8)).astype(int)
        shown_picture[dots] = 1.0
        shown_picture[dots[0] - 1, dots[1]] = 1.0
    return shown_picture


def _plot(curve: Curve, linear: bool) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.errorbar(curve.q, curve.intensity, yerr=curve.dintensity, fmt=".", markersize=3, elinewidth=0.6)
    if not linear:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xlabel("q / Å⁻¹")
    axes.set_ylabel(curve.intensity_label, parse_math=False)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


# --- Where the pixels of a picture lie, for the page: axes, beam, what the colours mean, q under
# --- the mouse.

#: What is along the sides of views that are no pictures of the detector.
_AXES = {
    "polar": "Across: angle, 0 to 360°; up: radius, from the beam to the edge.",
    "correlation": "Across: angle between two points of a ring, 0 to 360°; up: the ring's radius.",
}


def describe_axes(measurement: Any, look: Look) -> dict[str, object] | None:
    """What the page needs beside the PNG; None of a curve, whose plot has axes."""
    # Of the detector: ``rows``, ``columns``, as drawn, ``step`` (pixels of the detector to one of the
    # picture), and one of ``phi``, ``alpha_f`` (ends, degrees), ``corners`` (q_x, q_y at the corners, Å⁻¹),
    # ``per_pixel`` (pixel size over distance), where it is known.
    if isinstance(measurement, Curve):
        return None
    description: dict[str, object] = {"axes": _AXES.get(look.view, "")}
    if look.view != "correlation":
        low, top = limits(*upright(measurement), look.scale)
        lowest = top / 10**RASTER.decades if look.scale == "log" else low
        description |= {"low": f"{lowest:.3g}", "top": f"{top:.3g}", "scale": _SCALES[look.scale]}
    return description | (_detector(measurement, look.most) if look.view == "linear" else {})


_SCALES = {"log": "logarithmic", "gamma": "square root", "linear": "linear"}


def _detector(image: Image, most: int) -> dict[str, object]:
    geometry, (rows, columns) = image.geometry, image.counts.shape
    step = max(1, -(-max(rows, columns) // most))
    # As drawn: the last blocks of pixels may reach over the edge.
    description: dict[str, object] = {"rows": -(-rows // step) * step, "columns": -(-columns // step) * step}
    description |= {"step": step}
    if isinstance(geometry, GrazingIncidence):
        phi, alpha_f = ([float(axis[0]), float(axis[-1])] for axis in (geometry.phi, geometry.alpha_f))
        angles = {
            "phi": phi,
            "alpha_f": alpha_f,
            "wavelength": geometry.wavelength,
            "alpha_i": geometry.alpha_i,
        }
        axes = f"Across: φ, {phi[0]:.3g} to {phi[1]:.3g}°; up: α_f, {alpha_f[0]:.3g} to {alpha_f[1]:.3g}°."
        return description | angles | {"axes": axes}
    if isinstance(geometry, SmallAngle):
        corners = [axis[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() for axis in (geometry.qx, geometry.qy)]
        row, column = np.unravel_index(int(np.argmin(geometry.q)), geometry.q.shape)
        (left_end, right), (top, bottom) = corners[0][:2], corners[1][::2]
        axes = f"Across: qx, {left_end:.3g} to {right:.3g} Å⁻¹; down: qy, {top:.3g} to {bottom:.3g} Å⁻¹."
        return description | {"corners": corners, "centre": [int(column), int(row)], "axes": axes}
    axes = f"Across: column, 0 to {columns - 1}; down: row, 0 to {rows - 1}."
    return description | _flat(geometry) | {"axes": axes}


def _flat(geometry: Any) -> dict[str, object]:
    if not isinstance(geometry, Window):
        return {}
    description: dict[str, object] = {"centre": [float(place) for place in geometry.centre]}
    if geometry.wavelength and geometry.distance and geometry.pixel_size:
        description |= {
            "per_pixel": geometry.pixel_size / geometry.distance,
            "wavelength": geometry.wavelength,
        }
    return description
