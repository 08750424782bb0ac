"""A small-angle-scattering image and what was fitted to it as NXcanSAS in two dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files import MARK, check_output, put_whole
from ...report.exports.hdf5 import column, entry, group
from ...report.page import document
from ...types import Image
from .fitting import OrientedFit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...predict import Answer

_Q_UNIT, _I_UNIT = "1/angstrom", "1/cm"


def export_fit(image: Image, answer: Answer, folder: Path, force: bool) -> bool:
    """Write the fit of an image into a folder; false if there is none. Raises SasnetError for a foreign file
    or a failed write.
    """
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
        folder, document.stem(image.file, image.entry, "image"), ".nxcansas.h5", MARK, _own(image)
    )


def _own(image: Image) -> str:
    return document.identity(image.file, image.entry, image.counts)


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
        file.attrs["data"] = _own(image)  # by which the file knows whose it is
        _data(entry(file, "sasentry01", title, title), geometry, image.counts / weight, error / weight)
        fitted = entry(file, "sasentry02", f"{title}, fit of {fit.body}", title)
        _data(fitted, geometry, np.where(np.isfinite(weight), fit.intensity(geometry), np.nan), None)
        process = group(fitted, "sasprocess01", "NXprocess", "SASprocess")
        process["name"], process["description"] = "sasnet fit", fit.sentences()[0]
        for number, (name, value) in enumerate(fit.values.items(), 1):
            term = process.create_dataset(f"term{number:03d}", data=f"{name} = {value.value!r} {value.unit}")
            for key, label in (("name", name), ("value", value.value), ("uncertainty", value.error)):
                term.attrs[key] = label
            term.attrs["units"] = value.unit
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
    column_written = column(data, "I", intensity, _I_UNIT)
    if error is not None:
        column_written.attrs["uncertainties"] = "Idev"
        column(data, "Idev", error, _I_UNIT)
