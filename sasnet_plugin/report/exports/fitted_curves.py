"""All curves of a batch with all their fits in one HDF5 file: points, curves of the fits, parameters.

A group a data set, by the name of its own NXcanSAS file, with the columns ``q``, ``I``, ``dI``; ``fit_I``,
one row a fit, by falling weight; and two tables, ``fits`` and ``parameters``, in which ``fit`` is the row of
``fit_I``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..sample_rows import distribution_of

if TYPE_CHECKING:
    from ...fitting.result.fit_result import FitResult

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
    group.attrs["dI_estimated"] = curve.dintensity is None
    columns = {"q": curve.q, "I": curve.intensity, "dI": result.dintensity}
    columns |= {"dq": curve.dq} if curve.dq is not None else {}
    for column, values in columns.items():
        group[column] = np.asarray(values, dtype=np.float64)
        # What the unit of I is, files seldom say; fits take it for 1/cm.
        silent = "of the file, taken for 1/cm"
        unit = {"": silent, "cm⁻¹": "1/cm"}.get(curve.intensity_unit, curve.intensity_unit)
        group[column].attrs["units"] = "1/angstrom" if "q" in column else unit
    group["fit_I"] = np.stack([fit.theory for fit in result.fits])
    group["fit_I"].attrs["units"] = group["I"].attrs["units"]
    _tables(group, result, intervals)


def _tables(group: Any, result: FitResult, intervals: Sequence[Intervals]) -> None:
    import h5py

    text = h5py.string_dtype()
    fits = [
        (fit.short_model, fit.structure_factor or "", fit.chisq, fit.reduced_chisq, fit.bic, fit.weight)
        for fit in result.fits
    ]
    kinds = ("model", text), ("structure_factor", text), *(
        (name, "f8") for name in ("chisq", "reduced_chisq", "bic", "weight")
    )  # fmt: skip
    group["fits"] = np.array(fits, dtype=np.dtype(list(kinds)))
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
