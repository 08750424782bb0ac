"""Fits in HDF5: a measurement with its best fit as NXcanSAS, and all curves of a batch with all their fits.

Layout after the definition NXcanSAS 1.1 (https://manual.nexusformat.org): one SASentry for the measurement
and one for the fit, as readers take a data set's title and process from its entry.

A group a data set, by the name of its own NXcanSAS file, with the columns ``q``, ``I``, ``dI``; ``fit_I``,
one row a fit, the leading one first; and two tables, ``fits`` and ``parameters``, in which ``fit`` is the
row of ``fit_I``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.scatter import is_stated
from ...files import MARK, put_whole
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import STOPPED, ModelFit, Parameter
from ...types import Curve, SasnetError
from ...units import UNIT_OF_I
from ..summaries import distribution_of

# --- Measurement and best fit as NXcanSAS, the HDF5 form of small-angle-scattering data.

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
        _add_sector(measured, curve)
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
        measured = entry(file, "sasentry01", title, title)
        _data(measured, curve, curve.intensity, curve.dintensity)
        _add_sector(measured, curve)
        file.flush()
        content = file.id.get_file_image()
    put_whole(path, content, "NXcanSAS file")


def _add_sector(measured: Any, curve: Curve) -> None:
    """Azimuth and half-width of a sector, and the spin state, as this package reads the first two."""
    if curve.sector is not None:
        process = group(measured, "sasprocess01", "NXprocess", "SASprocess")
        process["sector_azimuth"], process["half_width"] = curve.sector.azimuth, curve.sector.half_width
        if curve.spin:
            process["spin_state"] = curve.spin


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
    # A unit that nobody has given is not written: read again, it would count as given.
    unit = _I_UNIT if curve.intensity_unit == "cm⁻¹" else curve.intensity_unit
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
    """A data set with its unit, if there is one."""
    dataset = data.create_dataset(name, data=np.asarray(values, dtype=np.float64))
    if unit:
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
        f"{fit.short_name}: {STOPPED if fit.given_up else f'weight {fit.weight:.4g}'},"
        f" χ² {fit.chisq:.6g}, reduced χ² {fit.reduced_chisq:.4g},"
        f" BIC {fit.bic:.6g}"
        for fit in result.fits
    ]
    for number, note in enumerate((*notes, *best.warnings, *result.notes), 1):
        process[f"note{number:03d}"] = str(note)


def _fitter(fit: ModelFit) -> str:
    return f", fitter {fit.fitter}" if fit.fitter else ""


def _sentence(name: str, parameter: Parameter) -> str:
    text = f"{name} = {float(parameter.value)!r}"
    if parameter.error is not None:
        text += f" ± {parameter.error:.3g}"
    why = f" (one of many: {parameter.undetermined})" if parameter.undetermined else ""
    return f"{text} {_unit(parameter)}".rstrip() + (" (fixed)" if parameter.is_given else "") + why


def _unit(parameter: Parameter) -> str:
    """The unit as sasmodels writes it; empty for a number without one, and where nobody gave that of I."""
    return "" if parameter.unit in ("None", UNIT_OF_I) else parameter.unit


# --- All curves of a batch with all their fits in one HDF5 file: points, curves of the fits,
# --- parameters.

FORMAT, VERSION = "sasnet fitted curves", 1
_NAN = float("nan")
Intervals = Mapping[str, tuple[float, float]]


def begin(file: Any, mark: str) -> None:
    """Describe a new file, with the `mark` by which its command knows it (`files.check_output`)."""
    file.attrs["format"], file.attrs["version"], file.attrs["creator"] = FORMAT, VERSION, mark


def add(file: Any, name: str, result: FitResult, intervals: Sequence[Intervals]) -> None:
    """Add a data set with its fits, and 95 % credible intervals of parameters that were drawn."""
    curve, group = result.curve, file.create_group(name)
    group.attrs["file"], group.attrs["entry"] = _bytes(curve.file), _bytes(curve.entry)
    group.attrs["verified"] = result.verified
    group.attrs["headline"], group.attrs["caution"] = result.verdict.headline, result.verdict.caution
    group.attrs["doubt"] = result.verdict.caution  # its former name, until the next release
    group.attrs["dI_estimated"] = not is_stated(curve)
    columns = {"q": curve.q, "I": curve.intensity, "dI": result.dintensity}
    columns |= {"dq": curve.dq} if curve.dq is not None else {}
    unit = {"": UNIT_OF_I, "cm⁻¹": _I_UNIT}.get(curve.intensity_unit, curve.intensity_unit)
    for column, values in columns.items():
        group[column] = np.asarray(values, dtype=np.float64)
        group[column].attrs["units"] = _Q_UNIT if "q" in column else unit
    group["fit_I"] = np.stack([fit.theory for fit in result.fits])
    group["fit_I"].attrs["units"] = unit
    _tables(group, result, intervals)


def _tables(group: Any, result: FitResult, intervals: Sequence[Intervals]) -> None:
    import h5py

    text = h5py.string_dtype()
    fits = [
        (
            fit.short_model,
            fit.structure_factor or "",
            fit.chisq,
            fit.reduced_chisq,
            fit.bic,
            np.nan if fit.given_up else fit.weight,
        )
        for fit in result.fits
    ]
    kinds = [
        ("model", text), ("structure_factor", text), ("chisq", "f8"), ("reduced_chisq", "f8"), ("bic", "f8"),
        ("weight", "f8"),
    ]  # fmt: skip
    group["fits"] = np.array(fits, dtype=np.dtype(kinds))
    rows = [
        (number, name, p.value, _or_nan(p.error), *fit_intervals.get(name, (_NAN, _NAN)),
         "" if p.unit == "None" else p.unit, p.fixed,
         distribution_of(fit, name))
        for number, (fit, fit_intervals) in enumerate(zip(result.fits, intervals, strict=True))
        for name, p in fit.parameters.items()
    ]  # fmt: skip
    columns = [
        ("fit", "i8"), ("name", text), ("value", "f8"), ("error", "f8"), ("low95", "f8"), ("high95", "f8"),
        ("unit", text), ("fixed", bool), ("distribution", text),
    ]  # fmt: skip
    group["parameters"] = np.array(rows, dtype=np.dtype(columns))


def _bytes(text: str) -> bytes:
    """File names need not be UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _or_nan(value: float | None) -> float:
    return _NAN if value is None else value
