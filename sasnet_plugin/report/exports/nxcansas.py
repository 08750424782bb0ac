"""Measurement and best fit as NXcanSAS, the HDF5 form of small-angle-scattering data.

Layout after the definition NXcanSAS 1.1 (https://manual.nexusformat.org): one SASentry for the measurement
and one for the fit, as readers take a data set's title and process from its entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files import MARK, put_whole
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit, Parameter
from ...types import Curve, SasnetError
from ..sample_rows import distribution_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Q_UNIT, _I_UNIT = "1/angstrom", "1/cm"


def write_nxcansas(
    result: FitResult, path: str | Path, *, with_all: bool = False, known_by: Mapping[str, str] | None = None
) -> None:
    """Write the measured curve, the best fit's (or `with_all` one's) and what fits say."""
    # Each parameter is a ``term`` of the SASprocess: a text (``radius = 50.1 ± 0.3 Ang``) with name, value,
    # units, uncertainty and fixed as attributes. ``note`` texts hold each candidate's χ² and weight, warnings
    # and notes. Values are those of `bumps_session.write_session`.
    import h5py

    best = result.best
    if best is None:
        raise SasnetError(f"{path}: no model was fitted, so there is no fit to write; fit one first.")
    curve = result.curve
    title = curve.entry or Path(curve.file).stem or "curve"
    # In memory first: put in place as a whole, or not at all.
    with h5py.File("nxcansas.h5", "w", driver="core", backing_store=False) as file:
        file.attrs["NX_class"] = "NXroot"
        file.attrs["default"] = "sasentry01"
        file.attrs["creator"] = MARK
        file.attrs.update(known_by or {})
        measured = entry(file, "sasentry01", title, title)
        _data(measured, curve, curve.intensity, result.dintensity)
        for number, fit in enumerate(result.fits if with_all else (best,), 2):
            fitted = entry(file, fit_entry(number), f"{title}, fit of {fit.short_name}", title)
            _data(fitted, curve, fit.theory, None)
            _process(fitted, result, fit)
        file.flush()
        content = file.id.get_file_image()
    put_whole(path, content, "NXcanSAS file")


def fit_entry(number: int) -> str:
    """Name of the SASentry of a fit; that of the best one has number 2."""
    return f"sasentry{number:02d}"


def theories(path: Path, count: int) -> list[NDArray[np.float64]]:
    """I(q) (n,) of each of `count` fits of a file that `write_nxcansas` wrote with ``every``."""
    import h5py

    with h5py.File(path) as file:
        return [np.asarray(file[f"{fit_entry(k)}/sasdata01/I"][()]) for k in range(2, 2 + count)]


def write_curve(curve: Curve, path: str | Path) -> None:
    """Write a measured curve alone, with its errors and its resolution."""
    import h5py

    title = curve.entry or Path(curve.file).stem or "curve"
    with h5py.File("nxcansas.h5", "w", driver="core", backing_store=False) as file:
        file.attrs["NX_class"] = "NXroot"
        file.attrs["default"] = "sasentry01"
        _data(entry(file, "sasentry01", title, title), curve, curve.intensity, curve.dintensity)
        file.flush()
        content = file.id.get_file_image()
    put_whole(path, content, "NXcanSAS file")


def group(parent: Any, name: str, nexus: str, cansas: str) -> Any:
    """A group of a class of NeXus and of canSAS."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = nexus
    group.attrs["canSAS_class"] = cansas
    return group


def entry(file: Any, name: str, title: str, run: str) -> Any:
    """An SASentry."""
    entry_group = group(file, name, "NXentry", "SASentry")
    entry_group.attrs["version"] = "1.1"
    entry_group.attrs["default"] = "sasdata01"
    entry_group["definition"] = "NXcanSAS"
    entry_group["title"] = title
    entry_group["run"] = run
    return entry_group


def _data(
    parent: Any, curve: Curve, intensity: NDArray[np.float64], dintensity: NDArray[np.float64] | None
) -> None:
    """One SASdata; the theory has the measurement's resolution, which it includes."""
    data = group(parent, "sasdata01", "NXdata", "SASdata")
    data.attrs["signal"] = "I"
    data.attrs["axes"] = ["Q"]
    data.attrs["I_axes"] = "Q"
    data.attrs["Q_indices"] = np.array([0])
    q = column(data, "Q", curve.q, _Q_UNIT)
    unit = {"": _I_UNIT, "cm⁻¹": _I_UNIT}.get(curve.intensity_unit, curve.intensity_unit)
    i = column(data, "I", intensity, unit)
    if dintensity is not None:
        i.attrs["uncertainties"] = "Idev"
        column(data, "Idev", dintensity, unit)
    if curve.has_slit:
        # The definition's order, by which sasdata tells width from length (its own writer has it reversed).
        q.attrs["resolutions"] = ["dQw", "dQl"]
        zeros = np.zeros(len(curve))
        column(data, "dQw", zeros if curve.dxw is None else curve.dxw, _Q_UNIT)
        column(data, "dQl", zeros if curve.dxl is None else curve.dxl, _Q_UNIT)
    elif curve.dq is not None:
        q.attrs["resolutions"] = "dQ"
        column(data, "dQ", curve.dq, _Q_UNIT)


def column(data: Any, name: str, values: NDArray[np.float64], unit: str) -> Any:
    """A data set with its unit."""
    dataset = data.create_dataset(name, data=np.asarray(values, dtype=np.float64))
    dataset.attrs["units"] = unit
    return dataset


def _describe(term: Any, name: str, parameter: Parameter, fit: ModelFit) -> None:
    term.attrs["name"] = name
    term.attrs["value"] = parameter.value
    term.attrs["units"] = _unit(parameter)
    term.attrs["fixed"] = parameter.fixed
    if parameter.error is not None:
        term.attrs["uncertainty"] = parameter.error
    if kind := distribution_of(fit, name):
        term.attrs["distribution"] = kind


def _process(parent: Any, result: FitResult, best: ModelFit) -> None:
    process = group(parent, "sasprocess01", "NXprocess", "SASprocess")
    process["name"] = "sasnet fit"
    verdict = "verified" if result.verified else "not verified"
    # Only the best fit is simulated again.
    checked = f"; {verdict} by simulating it again" if best is result.best else ""
    process["description"] = (
        f"{best.short_name} fitted by sasnet with bumps and sasmodels: χ² = {best.chisq:.10g}, reduced χ² ="
        f" {best.reduced_chisq:.6g}, BIC = {best.bic:.10g}{_fitter(best)}{checked}."
    )
    for number, (name, parameter) in enumerate(best.parameters.items(), 1):
        # Readers sort names as text.
        term = process.create_dataset(f"term{number:03d}", data=_sentence(name, parameter))
        _describe(term, name, parameter, best)
    notes = [
        f"{fit.short_name}: weight {fit.weight:.4g}, χ² {fit.chisq:.6g}, reduced χ² {fit.reduced_chisq:.4g},"
        f" BIC {fit.bic:.6g}"
        for fit in result.fits
    ]
    for number, note in enumerate((*notes, *best.warnings, *result.notes), 1):
        process[f"note{number:03d}"] = note


def _fitter(fit: ModelFit) -> str:
    return f", fitter {fit.fitter}" if fit.fitter else ""


def _sentence(name: str, parameter: Parameter) -> str:
    text = f"{name} = {float(parameter.value)!r}"
    if parameter.error is not None:
        text += f" ± {parameter.error:.3g}"
    why = f" (one of many: {parameter.undetermined})" if parameter.undetermined else ""
    return f"{text} {_unit(parameter)}".rstrip() + (" (fixed)" if parameter.fixed else "") + why


def _unit(parameter: Parameter) -> str:
    """The unit as sasmodels writes it; empty for a number without one."""
    return "" if parameter.unit == "None" else parameter.unit
