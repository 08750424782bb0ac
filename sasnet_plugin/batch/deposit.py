"""A sample of the journal with its curves again: a row for each curve, and the joint fit of all.

The journal keeps parameters, not curves, so that it stays small. What is read and evaluated must give back
the reduced χ² that the journal has; what does not is refused, as its curve would not be the one that was
fitted.

Done from the journal when the fits are done. What lies in the folder already and says the same is kept and
read, so that an export that was stopped goes on; what says something else of the same data is made anew; what
belongs to other data, or to somebody else, is never replaced.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Floats
from ..files import MARK, check_output, new_hdf5, put_aside, remove_leftovers
from ..types import SasnetError, Suggestion
from .journal import Journal, Record, Row, name_of
from .plan import MARK as MARK_OF_SAMPLE
from .plan import stamp, stamp_of

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.model_fit import ModelFit, Parameter
    from ..fitting.result.sample_result import SampleResult
    from ..types import Curve


# --- A sample of the journal with its curves again: a row for each curve, and the joint fit of all.


def curves_of(record: Record, options: dict[str, Any]) -> list[Curve]:
    """Read all curves of a sample. Raises SasnetError if a file has changed or cannot be read."""
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
    fitted_curves, dintensities = zip(*((r.curve, r.dintensity) for r in results), strict=True)
    return SampleResult(
        Sample(fitted_curves, row["sample"]["kind"]), dintensities, (fit,), Suggestion("", "", (), (), 1.0),
        notes=tuple(row["notes"]), verdict=replace(Verdict(), headline=row["headline"]),
    )  # fmt: skip


# --- A fit of the journal with its curves again: the data are read anew, each model is evaluated
# --- once.

#: Relative difference of reduced χ² up to which a curve counts as that of the fit. Parameters have all their
#: digits in the journal, so that only another version of a model or other data make more.
_SAME = 1e-3


def digest(record: Record, row: Row) -> str:
    """Sixteen digits of what an answer says and of the state of the file that it is about."""
    content = {name: row.get(name) for name in ("entry", "headline", "doubt", "verified", "notes", "fits")}
    text = json.dumps([record["size"], record["mtime"], content], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def curves(record: Record, options: dict[str, Any]) -> Iterator[tuple[Row, Curve]]:
    """Yield each fitted data set of a file with its fitted points, read with the journal's `options`. Raises
    SasnetError if the file has changed or cannot be read.
    """
    if any(row["fits"] for row in record["rows"]):
        window = options.get("window")
        rows, curves_read = record["rows"], []
        if record["file"].endswith(MARK_OF_SAMPLE):
            curves_read = curves_of(record, options)
            rows = list(rows_of(rows[0]))
        for row, curve in zip(rows, curves_read or _read(record, options), strict=True):
            if row["fits"]:
                yield row, _as_fitted(row, curve, window)


def _read(record: Record, options: dict[str, Any]) -> list[Curve]:
    """Read all data sets of a file that is as it was when it was fitted."""
    from ..data import load

    path = record["file"]
    if (record["size"], record["mtime"]) != stamp(path):
        raise SasnetError(f"{path}: has changed or is gone since it was fitted; give the command again.")
    shared = {name: options.get(name) for name in ("q_unit", "entry", "wavelength")}
    curves_read = list(load(path, **(shared | options.get("readings", {}).get(path, {}))))
    if len(curves_read) != len(record["rows"]):
        raise SasnetError(
            f"{path}: holds {len(curves_read)} data sets, but {len(record['rows'])} answers are kept; give"
            " the"
            " command again with another --out."
        )
    return curves_read


def _as_fitted(row: Row, curve: Curve, window: Sequence[float | None] | None) -> Curve:
    """The points of a curve that were fitted, with the resolution that was assumed."""
    from ..data.clean import cut_to_q_range
    from ..data.raw import points

    if window is not None:
        low, high = window
        curve = cut_to_q_range(curve, -math.inf if low is None else low, math.inf if high is None else high)
    curve = points(curve, curve.q >= row["q_min"])
    return replace(curve, dq=np.array(row["assumed_dq"])) if "assumed_dq" in row else curve


def result_of(row: Row, curve: Curve, theories: Sequence[Floats] | None = None) -> FitResult:
    """Rebuild a data set's fits with their curves; `theories` are I(q) of each fit, (n,), if known."""
    # Fits whose curve cannot be computed are excluded with a note; SasnetError if the best fit is among them.
    from ..fitting.api import uncertainties
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.verdict import Verdict

    dintensity = uncertainties(curve)[0]
    fits, notes = [], list(row["notes"])
    for index, fit_kept in enumerate(row["fits"]):
        fit = _fit_of(fit_kept)
        theory = None if theories is None else theories[index]
        try:
            fits.append(_add_theory(fit, curve, dintensity, theory))
        except SasnetError as error:
            if not fits:
                raise
            notes.append(str(error))
    doubts = (row["doubt"],) if row.get("doubt") else ()
    verdict = Verdict(headline=row.get("headline", ""), doubts=doubts)
    return FitResult(curve, dintensity, tuple(fits), bool(row.get("verified")), tuple(notes), verdict=verdict)


def _fit_of(fit_kept: dict[str, Any]) -> ModelFit:
    """A fit of the journal, still without its curve; ranges of parameters are not kept."""
    from ..fitting.result.model_fit import ModelFit, Parameter

    parameters = {
        name: Parameter(value, p["error"], p["unit"], p["fixed"], value, value, p.get("reason", ""))
        for name, p in fit_kept["parameters"].items()
        for value in [p.get("one_of_many", p["value"])]
    }
    return ModelFit(
        fit_kept["model"], fit_kept["structure_factor"], parameters, fit_kept["distributions"], math.nan,
        fit_kept["reduced_chisq"], fit_kept["bic"], fit_kept["probability"], fit_kept["seconds"], np.empty(0),
        fit_kept["weight"],
        tuple(fit_kept["warnings"]), per_decade=fit_kept.get("per_decade"),
        pd_points=fit_kept.get("pd_points", 35),
        fitter=fit_kept.get("fitter") or "",
    )  # fmt: skip


def _add_theory(fit: ModelFit, curve: Curve, dintensity: Floats, has_theory: Floats | None) -> ModelFit:
    """A fit with its curve and χ², seen to be those of the journal."""
    theory = _evaluate_fit(fit, curve, dintensity) if has_theory is None else has_theory
    if theory.shape != curve.q.shape:
        raise _another(fit, curve, "other points")
    chisq = float(np.sum(((curve.intensity - theory) / dintensity) ** 2))
    reduced = chisq / max(len(curve) - len(fit.free), 1)
    if not abs(reduced - fit.reduced_chisq) <= _SAME * max(abs(fit.reduced_chisq), 1.0):
        raise _another(fit, curve, f"a reduced χ² of {reduced:.4g}, not {fit.reduced_chisq:.4g}")
    return replace(fit, theory=theory, chisq=chisq)


def _evaluate_fit(fit: ModelFit, curve: Curve, dintensity: Floats) -> Floats:
    from ..fitting.problem.experiment import experiment, silent, starting_values
    from ..fitting.problem.resolution import apply_sampling
    from ..fitting.problem.sums import all_exact

    values = starting_values(fit)
    with silent():
        fitness = experiment(curve, dintensity, fit.name, values, quick=all_exact(fit.name, values))
        if fit.per_decade is not None:
            apply_sampling(fitness, curve, fit.per_decade)
        return np.asarray(fitness.theory(), dtype=np.float64)


def _another(fit: ModelFit, curve: Curve, problem: str) -> SasnetError:
    return SasnetError(
        f"{curve.file}: {fit.short_name} evaluated again gives {problem}, so its curve is not exported; fit"
        " the"
        " file again with this version, under another --out."
    )


def intervals(row: Row, fit: ModelFit) -> dict[str, tuple[float, float]]:
    """95 % credible intervals of a fit's parameters, of those that DREAM drew."""
    row_kept = next(fit_row for fit_row in row["fits"] if name_of(fit_row) == fit.short_name)
    return {
        name: (p["interval95"][0], p["interval95"][1])
        for name, p in row_kept["parameters"].items()
        if "interval95" in p
    }


# --- What a batch leaves for others: each curve with its fits as NXcanSAS, all in one HDF5, forms
# --- of archives.

#: All curves of the batch; ending of each one's own file.
TOGETHER, ENDING = "fitted_curves.h5", ".nxcansas.h5"


@dataclass
class Exported:
    """What was written."""

    #: written, kept: data sets whose files are new, or were there already and say the same.
    written: int = 0
    kept: int = 0
    #: Why data sets could not be exported, a sentence each.
    complaints: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  #: What is left to be done by hand, a sentence each.


@dataclass(frozen=True)
class DataSet:
    """A data set with the file that is its own."""

    row: Row
    curve: Curve
    path: Path
    digest: str  #: See `rebuilt.digest`; stands in each of its files.

    @property
    def stem(self) -> str:
        return self.path.name.removesuffix(ENDING)


def export(journal: Journal, folder: Path, *, force: bool = False) -> Exported:
    """Write all fits of a batch to a folder, made if missing; `force` replaces files that sasnet has not
    written. Raises SasnetError if the folder holds the measurements, cannot be written, or holds files of
    another origin.
    """
    from ..report.exports import archives, hdf5

    folder, exported = Path(folder), Exported()
    if folder.resolve() in {Path(path).parent.resolve() for path in journal.places}:
        raise SasnetError(f"{folder}: holds the measurements; give another folder for --export.")
    # Another batch has files of all of its own.
    mark = f"{MARK} from {journal.path.name}".encode("ascii", "replace").decode()
    names = archives.AllFiles(folder, mark)
    for path in (folder / TOGETHER, names.project):
        check_output(path, force=force, mark=mark)
    with put_aside(folder / TOGETHER, "file of fitted curves", make_folder=True) as aside:
        remove_leftovers(folder)
        with new_hdf5(aside) as file:
            hdf5.begin(file, mark)
            for record in journal.records():
                results: list[FitResult] = []
                for data in _data_sets(journal, record, folder, exported):
                    with _complaining(exported):
                        result, new = _one(data, force)
                        intervals_drawn = [intervals(data.row, fit) for fit in result.fits]
                        names.add(result, folder / data.stem, data.digest, force=force)
                        hdf5.add(file, data.stem, result, intervals_drawn)
                        exported.written, exported.kept = exported.written + new, exported.kept + (not new)
                        results.append(result)
                with _complaining(exported):
                    _together(record, results, folder, force)
    exported.remarks.extend(names.close())
    return exported


def _data_sets(journal: Journal, record: Record, folder: Path, exported: Exported) -> Iterator[DataSet]:
    with _complaining(exported):
        for row, curve in curves(record, journal.options.get(record["options"], {})):
            yield _name_data_set(record, row, curve, folder)


def _together(record: Record, results: Sequence[FitResult], folder: Path, force: bool) -> None:
    """Write a sample's joint fit for SasView and Bumps, where all its curves have theirs again."""
    from ..report.exports.write_all import SAMPLE_MARKS, free_stem, write_sample
    from ..report.page import document

    row = record["rows"][0]
    if not record["file"].endswith(MARK_OF_SAMPLE) or len(results) != len(
        row.get("sample", {}).get("files", ())
    ):
        return
    name = free_stem(folder, document.stem(record["file"], "", "sample"), results[0].curve)
    for ending, mark in SAMPLE_MARKS.items():
        check_output(folder / f"{name}.{ending}", force=force, mark=mark)
    write_sample(joint(row, results), folder, name)


@contextmanager
def _complaining(exported: Exported) -> Iterator[None]:
    """Keep the sentence of a data set that cannot be exported, and go on with the next."""
    try:
        yield
    except SasnetError as error:
        exported.complaints.append(str(error))


def _name_data_set(record: Record, row: Row, curve: Curve, folder: Path) -> DataSet:
    """A data set under a name that nothing of other data has."""
    from ..report.page import document

    identity = document.identity(curve.file, curve.entry, curve.q, curve.intensity)
    start = document.stem(curve.file, curve.entry, "curve")
    path = folder / document.free_name(folder, start, ENDING, MARK, identity)
    return DataSet(row, curve, path, digest(record, row))


def _one(data: DataSet, force: bool) -> tuple[FitResult, bool]:
    """A data set's fits, its file in place, and whether that is new."""
    from ..report.exports.hdf5 import theories, write_nxcansas
    from ..report.page import document

    check_output(data.path, force=force)
    curve = data.curve
    if _says(data.path, data.digest):
        # One that is damaged is made again.
        with suppress(OSError, KeyError, SasnetError):
            return result_of(data.row, curve, theories(data.path, len(data.row["fits"]))), False
    result = result_of(data.row, curve)
    identity = document.identity(curve.file, curve.entry, curve.q, curve.intensity)
    # A file that lacks a fit is tried again each time.
    answer = data.digest if len(result.fits) == len(data.row["fits"]) else ""
    write_nxcansas(
        result, data.path, with_all=True, known_by={"sasnet_data": identity, "sasnet_answer": answer}
    )
    return result, True


def _says(path: Path, digest: str) -> bool:
    try:
        return digest.encode("ascii") in path.read_bytes()
    except OSError:
        return False
