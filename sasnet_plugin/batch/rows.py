"""An answer as the journal keeps it: plain dictionaries, one row a data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.failure import sentence_of
from ..types import product_name

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.sample_result import JointFit, SampleResult
    from ..types import Curve

Row = dict[str, Any]


def make_fit_row(result: FitResult, rg_network: float | None, seconds: float) -> Row:
    """Return the row of a data set, with or without a fit; `rg_network` in Å, `seconds` of wall clock."""
    # A row that lacks candidates for a technical reason carries an error too, so that the next run repeats
    # it.
    curve = result.curve
    result_values = result.as_dict()
    rg = result_values["model_free"]["guinier"].get("rg", rg_network)
    row: Row = {
        "entry": curve.entry,
        "points": len(curve),
        "q_unit": curve.q_unit.cell_text,
        "q_min": float(curve.q[0]),
        "q_max": float(curve.q[-1]),
        "rg": rg,
        "rg_network": rg_network,
        "model_free": result_values["model_free"],
        "verified": result.verified,
        "headline": result.verdict.headline,
        "doubt": result.verdict.doubt,
        "notes": list(result.notes),
        "seconds": seconds,
        "error": "",
        "fits": [
            fit
            | {
                "probability": fit_found.probability,
                "distributions": dict(fit_found.distributions),
                # By which the fit's curve is calculated again, to the same points.
                "per_decade": fit_found.per_decade,
                "pd_points": fit_found.pd_points,
            }
            for fit, fit_found in zip(result_values["fits"], result.fits, strict=True)
        ],
    }
    if result.unanswered:
        names = ", ".join(result.unanswered)
        row["error"] = f"{curve.file}: incomplete without {names}; the notes say why; give the command again."
    if result.best is None and result.constant is None:
        row["error"] = f"{curve.file}: no model could be fitted; the notes say why."
    return row


def record_assumed_resolution(read: Curve, fitted: Curve) -> Row:
    """What the row says more where a resolution was assumed that the file does not have: σ of q (n,), 1/Å."""
    if fitted.dq is None or (read.dq is not None and np.array_equal(fitted.dq, read.dq[-len(fitted) :])):
        return {}
    return {"assumed_dq": fitted.dq.tolist()}


def make_sample_row(name: str, result: SampleResult, seconds: float) -> Row:
    """Return the row of a sample of several curves; the curve's number follows the name of what each curve
    has of its own. `seconds` of wall clock.
    """
    if not result.fits and len(result.singles) == 1:
        return make_fit_row(result.singles[0], None, seconds)
    curves, result_values = result.sample.curves, result.as_dict()
    row: Row = {
        "entry": names_of(result_values["files"]),
        "sample": {
            "kind": result.sample.kind,
            "files": [curve.file for curve in curves],
            "points": list(map(len, curves)),
            "q_min": [float(curve.q[0]) for curve in curves],
        },
        **_extent(curves),
        "verified": result.explained,
        "headline": result.verdict.headline,
        "doubt": result.verdict.doubt,
        "notes": list(result.notes),
        "seconds": seconds,
        "error": "",
        "fits": _joint_fits(result, result_values),
    }
    if result.best is None:
        row["error"] = f"{name}: no model could be fitted to its curves together; the notes say why."
    return row


def _extent(curves: Sequence[Curve]) -> Row:
    units = {curve.q_unit.cell_text for curve in curves}
    return {
        "points": sum(map(len, curves)),
        "q_unit": " and ".join(sorted(units)),
        "q_min": min(float(curve.q[0]) for curve in curves),
        "q_max": max(float(curve.q[-1]) for curve in curves),
    }


def _joint_fits(result: SampleResult, result_values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        _joint(fit, list(result_values["files"]))
        | {
            "probability": fit_found.probability, "seconds": fit_found.seconds,
            "distributions": dict(fit_found.distributions), "chisq": list(fit_found.chisq),
            "per_decade": fit_found.per_decade, "scale": _scales(fit_found),
        }
        for fit, fit_found in zip(result_values["fits"], result.fits, strict=True)
    ]  # fmt: skip


def _scales(fit: JointFit) -> Row | None:
    """How the scales of a sample's curves go together; None where they do not."""
    if fit.factors is None:
        return None
    return {
        "factors": list(fit.factors), "common": fit.common, "background_deviation": fit.background_deviation,
    }  # fmt: skip


def _joint(fit: dict[str, Any], files: list[str]) -> dict[str, Any]:
    own_values = {
        f"{name} {number}": p
        for number, file in enumerate(files, start=1)
        for name, p in fit["own"][file].items()
    }
    names_kept = ("model", "structure_factor", "fitter", "weight", "reduced_chisq", "bic")
    return {key: fit[key] for key in names_kept} | {
        "parameters": fit["parameters"] | own_values,
        "warnings": [],
    }


def names_of(files: Iterable[str]) -> str:
    return " + ".join(PurePath(file).name for file in files)


def make_failure_row(path: str, error: Exception, *, curve: Curve | None = None, seconds: float = 0.0) -> Row:
    return {
        "entry": "" if curve is None else curve.entry,
        "notes": [],
        "seconds": seconds,
        "error": sentence_of(path, error),
        "fits": [],
    }


def name_of(fit: dict[str, Any]) -> str:
    """Name of a fitted model, ``sphere@hardsphere``; of a plugin file its own without the folder's."""
    factor, model = fit["structure_factor"], str(fit["model"])
    model = PurePath(model).stem if model.endswith(".py") else model
    return product_name(model, factor)


def best_of(row: Row) -> dict[str, Any] | None:
    return row["fits"][0] if row["fits"] else None
