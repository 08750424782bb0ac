"""What a page of a small-angle-scattering image shows besides: sectors, harmonics and the fit over them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ...files import MARK, check_output, put_whole
from ...predict import Answer
from ...predict.findings import Value
from ...report.canvas import Paint, frame_axes, upright
from ...report.exports.hdf5 import column, entry, group
from ...report.page import document
from ...types import Image
from ..report import COMPARISON_SIZE, Section, comparison, identity_of
from .fitting import OrientedFit
from .prediction import most_counted
from .reading import SmallAngle
from .rings import N_RINGS, N_SECTORS, RINGS, anisotropy, harmonics, images_of, polar

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# --- A small-angle-scattering image and what was fitted to it as NXcanSAS in two dimensions.

_Q_UNIT = "1/angstrom"


def export_fit(image: Image, answer: Answer, folder: Path, force: bool) -> bool:
    """Write an image's fit into a folder; false if there is none. Raises SasnetError if that fails."""
    fit = next((finding for finding in answer.findings if isinstance(finding, OrientedFit)), None)
    if fit is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / image_name(image, folder)
    check_output(path, force=force, mark=MARK)
    write_image(image, fit, path)
    return True


def image_name(image: Image, folder: Path) -> str:
    """Name of the file in a folder, with a number where the name is that of other data."""
    return document.free_name(
        folder, document.stem(image.file, image.entry, "image"), ".nxcansas.h5", MARK, identity_of(image)
    )


def _add_terms(process: Any, fit: OrientedFit) -> None:
    given = {name: Value(value, 0.0, value, value, "") for name, value in fit.fixed.items()}
    for number, (name, value) in enumerate({**fit.values, **given}.items(), 1):
        term = process.create_dataset(f"term{number:03d}", data=f"{name} = {value.value!r} {value.unit}")
        term.attrs.update({"name": name, "value": value.value, "uncertainty": value.error})
        term.attrs["units"] = value.unit


def write_image(image: Image, fit: OrientedFit, path: str | Path) -> None:
    """Write measured image (counts per solid angle) and fitted one as entries, masked pixels NaN, the fit's
    values in the second's SASprocess. Raises SasnetError if that fails.
    """
    import h5py

    geometry: Any = image.geometry
    weight = np.where(image.mask & (geometry.weight > 0), geometry.weight, np.nan)
    error = np.sqrt(np.maximum(image.counts, 1.0)) if geometry.error is None else geometry.error
    title = image.entry or Path(image.file).stem or "image"
    with h5py.File("nxcansas.h5", "w", driver="core", backing_store=False) as file:
        file.attrs["NX_class"], file.attrs["default"], file.attrs["creator"] = "NXroot", "sasentry01", MARK
        file.attrs["data"] = identity_of(image)  # by which the file knows whose it is
        _data(entry(file, "sasentry01", title, title), geometry, image.counts / weight, error / weight)
        fitted = entry(file, "sasentry02", f"{title}, fit of {fit.body}", title)
        _data(fitted, geometry, np.where(np.isfinite(weight), fit.intensity(geometry), np.nan), None)
        process = group(fitted, "sasprocess01", "NXprocess", "SASprocess")
        process["name"], process["description"] = "sasnet fit", fit.sentences()[0]
        _add_terms(process, fit)
        file.flush()
        content = file.id.get_file_image()
    put_whole(path, content, "NXcanSAS file")


def _data(
    parent: Any, geometry: Any, intensity: NDArray[np.float64], error: NDArray[np.float64] | None
) -> None:
    data = group(parent, "sasdata01", "NXdata", "SASdata")
    data.attrs["signal"], data.attrs["axes"], data.attrs["I_axes"] = "I", ["Qx", "Qy"], "Qx,Qy"
    data.attrs["Q_indices"] = np.array([0, 1])
    column(data, "Qx", geometry.qx, _Q_UNIT)
    column(data, "Qy", geometry.qy, _Q_UNIT)
    column_written = column(data, "I", intensity, "")  # counts per solid angle, which is no unit of I
    if error is not None:
        column_written.attrs["uncertainties"] = "Idev"
        column(data, "Idev", error, "")


# --- What a page of a small-angle-scattering image shows besides: sectors, harmonics and the fit
# --- over them.

#: Half width of a sector that is averaged, degrees; fewer counts than this are no point.
_HALF, _LEAST = 20.0, 5


def sections(measurement: Any, answer: Answer) -> list[Section]:
    """Draw intensity along two directions and around the beam of the image with the most counts."""
    image = most_counted(images_of(measurement))
    if image is None:
        return []
    polar_image = polar(image)
    axis = anisotropy([polar_image]).axis
    # By what it holds: its class would bring all that fits, also where nothing was fitted.
    fit = next(
        (cast("OrientedFit", finding) for finding in answer.findings if hasattr(finding, "cells")), None
    )
    directions = _directions(axis, None if fit is None else fit.values["director"].value)
    fitted = None
    if fit is not None:
        fitted = np.zeros(N_RINGS * N_SECTORS)
        fitted[fit.cells.where] = fit.expected
    middle = (np.arange(N_SECTORS) + 0.5) * 360 / N_SECTORS
    relative, error = harmonics(polar_image)

    def mean(values: NDArray[np.float64], direction: float | None) -> NDArray[np.float64]:
        near = np.ones(N_SECTORS, bool)
        if direction is not None:
            near = np.abs(np.mod(middle - direction + 90, 180) - 90) <= _HALF
        total, exposure = values[:, near].sum(axis=1), polar_image.exposure[:, near].sum(axis=1)
        has_counts = (polar_image.counts[:, near].sum(axis=1) >= _LEAST) & (exposure > 0)
        return np.divide(total * polar_image.scale, exposure, out=np.full(N_RINGS, np.nan), where=has_counts)

    def draw(figure: Figure, paint: Paint) -> None:
        left_axes, right = figure.subplots(1, 2)
        for place in (left_axes, right):
            frame_axes(place, paint)
            place.set(xscale="log", xlabel="q / Å⁻¹")
            place.xaxis.set_minor_formatter("")
        colours = ("data", "fit1", "fit2")
        lines = zip(("all around", *directions), (None, *directions.values()), colours, strict=True)
        for name, direction, colour in lines:
            left_axes.plot(
                RINGS, mean(polar_image.counts, direction), ".", color=paint(colour), label=name, markersize=4
            )
            if fitted is not None and direction is not None:
                fitted_mean = mean(fitted.reshape(N_RINGS, N_SECTORS), direction)
                left_axes.plot(RINGS, fitted_mean, color=paint(colour), linewidth=1.1)
        left_axes.set(yscale="log", ylabel="intensity, arbitrary")
        left_axes.legend(frameon=False, fontsize="small", labelcolor=paint("ink"))
        is_known = error[:, 0] < 0.3
        for order, colour in ((2, "fit1"), (4, "fit3"), (6, "fit4")):
            size = np.hypot(relative[:, order - 2], relative[:, order - 1])
            sharp = error[is_known, order - 2]
            right.errorbar(
                RINGS[is_known], size[is_known], sharp, color=paint(colour), fmt=".", label=f"m = {order}"
            )
        right.set(ylabel="harmonic over the mean", ylim=(0, None))
        right.legend(frameon=False, fontsize="small", labelcolor=paint("ink"))
        for place in (left_axes, right):
            for text in (place.xaxis.label, place.yaxis.label):
                text.set_color(paint("ink"))

    shown_sections = [] if fit is None else [_again(image, fit)]
    sentence = f"Sectors of ±{_HALF:g}° about two directions, anticlockwise from qx" + (
        "; lines: the fit." if fit is not None else "."
    )
    return [*shown_sections, Section("Profile and harmonics", draw, (8.4, 3.4), sentence)]


def _directions(axis: float, director: float | None) -> dict[str, float]:
    """Two directions by their names, in one order with a fit and without: `axis`, degrees, is one of them."""
    if director is None:
        return {f"{angle % 180:.0f}°": angle for angle in (axis, axis + 90)}
    along = {f"{director % 180:.0f}°, along the axes": director}
    across = {f"{(director + 90) % 180:.0f}°, across the axes": director + 90}
    is_first = abs((director - axis + 90) % 180 - 90) < 45
    return along | across if is_first else across | along


#: Rows and columns of the pictures of a fit, at most: each pixel is simulated again.
_MOST = 128


def again(image: Image, fit: OrientedFit) -> tuple[Image, NDArray[np.float64], NDArray[np.float64] | None]:
    """Return an image (coarser if large), what its fit simulates, and residuals (None for counts:
    `patterns.compute_signed_deviance`); qx to the right, qy up, first row below.
    """
    small = _coarse(upright(image))
    geometry: SmallAngle = small.geometry
    # In the beam itself nothing is compared, and q has no direction.
    least = 1e-3 * float(np.median(geometry.q))
    aside = replace(geometry, qx=np.where(geometry.q < least, least, geometry.qx))
    simulated = fit.intensity(aside)
    if geometry.error is None:
        # In the scale of the fit's own cells: of all counts the same number.
        return small, simulated * geometry.weight, None
    return small, simulated, (small.counts - simulated) / geometry.error


def _again(image: Image, fit: OrientedFit) -> Section:
    """Measured, simulated again and residual, side by side in q."""
    small, simulated, residual = again(image, fit)
    text = (
        f"Axes: q, {small.geometry.picture}. The measured and the simulated image share one colour scale."
        " Residuals are in standard deviations of the counts."
    )
    draw_figures = comparison(small, simulated, residual)
    return Section("Measured, simulated and residual", draw_figures, COMPARISON_SIZE, text)


def _coarse(image: Image) -> Image:
    """Blocks of pixels, counts added up and reduced values averaged: no side has more than `_MOST`."""
    step = -(-max(image.counts.shape) // _MOST)
    if step == 1:
        return image
    rows, columns = (n // step for n in image.counts.shape)
    geometry: SmallAngle = image.geometry

    def blocks(values: NDArray[Any]) -> NDArray[np.float64]:
        cut = values[: rows * step, : columns * step].reshape(rows, step, columns, step)
        return np.asarray(cut.sum(axis=(1, 3)), dtype=np.float64)

    number = blocks(image.mask)
    counts = blocks(np.where(image.mask, image.counts, 0.0))
    error = None
    if geometry.error is not None:
        counts = counts / np.maximum(number, 1)
        error = np.sqrt(blocks(np.where(image.mask, geometry.error, 0.0) ** 2)) / np.maximum(number, 1)
        error = np.where(number > 0, error, 1.0)
    placed = SmallAngle(
        blocks(geometry.qx) / step**2,
        blocks(geometry.qy) / step**2,
        blocks(np.where(image.mask, geometry.weight, 0.0)),
        error=error,
        setting=geometry.setting,
        picture=geometry.picture,
    )
    return replace(image, counts=counts, mask=number > 0, geometry=placed)
