"""A fit of the journal with its curves again: the data are read anew, each model is evaluated once.

The journal keeps parameters, not curves, so that it stays small. What is read and evaluated must give back
the reduced χ² that the journal has; what does not is refused, as its curve would not be the one that was
fitted.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Floats
from ..types import SasnetError
from . import sample_again
from .journal import Record
from .plan import stamp
from .rows import Row, name_of
from .samples import MARK

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.model_fit import ModelFit
    from ..types import Curve

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
        if record["file"].endswith(MARK):
            curves_read = sample_again.curves_of(record, options)
            rows = list(sample_again.rows_of(rows[0]))
        for row, curve in zip(rows, curves_read or _read(record, options), strict=True):
            if row["fits"]:
                yield row, _as_fitted(row, curve, window)


def _read(record: Record, options: dict[str, Any]) -> list[Curve]:
    """Read all data sets of a file that is as it was when it was fitted."""
    from ..data import load

    path = record["file"]
    if (record["size"], record["mtime"]) != stamp(path):
        raise SasnetError(f"{path}: has changed or is gone since it was fitted; give the command again.")
    curves_read = list(load(path, **{name: options.get(name) for name in ("q_unit", "entry", "wavelength")}))
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
