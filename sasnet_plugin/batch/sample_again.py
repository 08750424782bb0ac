"""A sample of the journal with its curves again: a row for each curve, and the joint fit of all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import SasnetError, Suggestion
from .journal import Record
from .rows import Row
from .samples import stamp_of

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.model_fit import ModelFit, Parameter
    from ..fitting.result.sample_result import SampleResult
    from ..types import Curve


def curves_of(record: Record, options: dict[str, Any]) -> list[Curve]:
    """Read all curves of a sample. Raises SasnetError if a file has changed since the fit, cannot be read, or
    holds something else.
    """
    from ..data import load

    path, sample_kept = record["file"], record["rows"][0].get("sample")
    if sample_kept is None:
        raise SasnetError(
            f"{path}: was fitted by an older version; give the command again with another --out."
        )
    files = list(dict.fromkeys(sample_kept["files"]))
    if (record["size"], record["mtime"]) != stamp_of(path, files):
        raise SasnetError(f"{path}: its files have changed since they were fitted; give the command again.")
    read = partial(
        load, q_unit=options.get("q_unit"), entry=options.get("entry"), wavelength=options.get("wavelength")
    )
    curves = list(itertools.chain.from_iterable(map(read, files)))
    if [curve.file for curve in curves] != sample_kept["files"]:
        raise SasnetError(
            f"{path}: its files contain other data sets than before; give the command again with"
            f" another --out."
        )
    return curves


def rows_of(row: Row) -> Iterator[Row]:
    """A sample's row as that of each of its curves: shared parameters, and the curve's own."""
    sample_kept = row["sample"]
    begins = sample_kept.get("q_min", [row["q_min"]] * len(sample_kept["points"]))
    for number, (points, begin) in enumerate(zip(sample_kept["points"], begins, strict=True), start=1):
        yield row | {"q_min": begin, "fits": [_extract_curve_fit(fit, number, points) for fit in row["fits"]]}


def _extract_curve_fit(fit: dict[str, Any], number: int, points: int) -> dict[str, Any]:
    """A joint fit as that of one of its curves; χ² and BIC as `JointFit.make_curve_fit` has them."""
    parameters = {}
    for name, p in fit["parameters"].items():
        own_name, _, place = name.rpartition(" ")
        if not own_name or place == str(number):
            parameters[own_name or name] = p
    free, chisq = sum(not p["fixed"] for p in parameters.values()), fit["chisq"][number - 1]
    return fit | {
        "parameters": parameters, "reduced_chisq": chisq / max(points - free, 1),
        "bic": chisq + free * float(np.log(points)),
    }  # fmt: skip


def _split_parameters(fit: ModelFit, row_kept: Row) -> tuple[dict[str, Parameter], dict[str, Parameter]]:
    """Parameters that all curves have in common, and those of this curve alone."""
    common = row_kept["parameters"]
    shared = {name: p for name, p in fit.parameters.items() if name in common}
    return shared, {name: p for name, p in fit.parameters.items() if name not in common}


def _scales(row_kept: Row) -> dict[str, Any]:
    """How the scales of the curves go together, as a `JointFit` has it."""
    scale = row_kept.get("scale")
    return scale | {"factors": tuple(scale["factors"])} if scale else {}


def joint(row: Row, results: Sequence[FitResult]) -> SampleResult:
    """The sample's best joint fit again, from the results of its curves."""
    from ..data.sample.sample import Sample
    from ..fitting.result.sample_result import JointFit, SampleResult
    from ..fitting.result.verdict import Verdict

    fit_kept, first = row["fits"][0], results[0].fits[0]
    shared, _ = _split_parameters(first, fit_kept)
    own_parameters = tuple(_split_parameters(result.fits[0], fit_kept)[1] for result in results)
    fit = JointFit(
        first.model, first.structure_factor, shared, own_parameters, tuple(r.fits[0].chisq for r in results),
        fit_kept["reduced_chisq"], fit_kept["bic"], first.probability,
        tuple(r.fits[0].theory for r in results),
        first.distributions, (), per_decade=first.per_decade, weight=first.weight,
        fitter=fit_kept.get("fitter") or "", **_scales(fit_kept),
    )  # fmt: skip
    sample = Sample(tuple(result.curve for result in results), row["sample"]["kind"])
    return SampleResult(
        sample, tuple(result.dintensity for result in results), (fit,), Suggestion("", "", (), (), 1.0),
        notes=tuple(row["notes"]), verdict=replace(Verdict(), headline=row["headline"]),
    )  # fmt: skip
