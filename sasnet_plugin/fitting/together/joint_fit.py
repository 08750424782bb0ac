"""Where a joint fit has ended, as people see it: which parameters are known, and why others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...data.sample.sample import CONTRASTS, SETTINGS
from ...simulate.priors import model_info
from ...types import product_name
from ..assessment.goodness_of_fit import standardise_runs
from ..evidence.prior import penalise_outside
from ..problem.bounds import range_of
from ..result.model_fit import Parameter
from .one_model import JointMinimum
from .result import JointFit

#: Why densities are not determined.
UNKNOWN_SOLVENTS = "the solvents are not given, so that only ratios of contrasts are known"
ONE_SOLVENT = "not all other densities are given, so that only ratios of contrasts are known"


def joint_fit(minimum: JointMinimum) -> JointFit:
    task = minimum.task
    shared, curve_parameters = _parameters(minimum)
    widths = [n.removesuffix("_pd") for n in shared if n.endswith("_pd")]
    kinds = {n: str(minimum.values[0].get(f"{n}_pd_type", "gaussian")) for n in widths}
    fit = JointFit(
        task.model, task.structure_factor, shared, curve_parameters, minimum.chisq, minimum.reduced_chisq,
        minimum.minus_two_log,
        task.probability, minimum.theories, kinds, tuple(evidence.shared for evidence in minimum.evidences),
        _runs(minimum), task.per_decade, seconds=minimum.seconds, derivatives=minimum.derivatives,
        calibrations=_calibrations(minimum), factors=minimum.plan.factors, common=minimum.common,
        background_deviation=minimum.plan.background,
    )  # fmt: skip
    # Values that no sample has, such as a length below an atom's, speak against a fit as they do alone.
    return replace(
        fit,
        minus_two_log=fit.minus_two_log
        + max(map(penalise_outside, map(fit.make_curve_fit, range(len(curve_parameters))))),
    )


def _parameters(minimum: JointMinimum) -> tuple[dict[str, Parameter], tuple[dict[str, Parameter], ...]]:
    """What all curves share, and what each has of its own."""
    table = _table(product_name(minimum.task.model, minimum.task.structure_factor))
    units = {p.name: p.units for p in table} | {"background": "1/cm"}
    reasons = _find_undetermined(minimum, [p.name for p in table if p.type == "sld"])
    names = [n for n in minimum.values[0] if n.removesuffix("_pd") in units]
    single = _single(minimum, names)
    shared = {n: _parameter(minimum, units, n, None) for n in names if n not in single}
    # Widths of nothing are left out.
    shared = {n: p for n, p in shared.items() if not n.endswith("_pd") or p.value > 0}
    own_curve_parameters = [
        {n: _parameter(minimum, units, n, i) for n in names if n in single}
        for i in range(len(minimum.values))
    ]
    return _mark_undetermined(shared, reasons), tuple(
        _mark_undetermined(curve_parameters, reasons) for curve_parameters in own_curve_parameters
    )


def _table(name: str) -> list[Any]:
    call_parameters = model_info(name).parameters.call_parameters
    return [p for p in call_parameters if p.type not in ("magnetic", "orientation")]


def _single(minimum: JointMinimum, names: Sequence[str]) -> set[str]:
    fitted = {name for name, place in minimum.errors if place is not None}
    return {
        "scale", "background", *fitted,
        *(name for name in names if len({values[name] for values in minimum.values}) > 1),
    }  # fmt: skip


def _runs(minimum: JointMinimum) -> tuple[float, ...]:
    curves = zip(minimum.task.sample.curves, minimum.theories, strict=True)
    return tuple(standardise_runs(curve.intensity - theory) for curve, theory in curves)


def _calibrations(minimum: JointMinimum) -> tuple[float, ...]:
    if minimum.task.sample.kind != SETTINGS or minimum.plan.factors is None:
        return ()
    scales = [
        values["scale"] / factor for values, factor in zip(minimum.values, minimum.plan.factors, strict=True)
    ]
    middle = sorted(scales)[len(scales) // 2]
    return tuple(float(scale / middle) for scale in scales)


def _parameter(minimum: JointMinimum, units: Mapping[str, str], name: str, place: int | None) -> Parameter:
    value = float(minimum.values[place or 0][name])
    error = minimum.errors.get((name, place))
    low, high = value, value
    if error is not None:
        table = model_info(product_name(minimum.task.model, minimum.task.structure_factor))
        low, high = minimum.task.ranges.get(name) or range_of(table, name, value)
    return Parameter(value, error, units.get(name, ""), error is None, float(low), float(high))


def _mark_undetermined(parameters: dict[str, Parameter], reasons: Mapping[str, str]) -> dict[str, Parameter]:
    return {
        name: replace(p, error=None, undetermined=reasons[name]) if name in reasons else p
        for name, p in parameters.items()
    }


def _find_undetermined(minimum: JointMinimum, densities: Sequence[str]) -> dict[str, str]:
    """Densities, and the scale, that other values could replace without any change of the curves."""
    # A common factor of all contrasts is one of the scale. In several solvents one density that is known
    # settles all others; in one solvent those that are fitted are relative to those that are not.
    plan = minimum.plan
    known_names = {*plan.ties, *(name for known_values in plan.known for name in known_values)}
    unknown = [name for name in densities if name not in known_names]
    if minimum.task.sample.kind == CONTRASTS:
        reason = UNKNOWN_SOLVENTS if len(unknown) == len(densities) else ""
    else:
        curves = range(len(minimum.values))
        fixed_names = [n for n in unknown for i in curves if not {(n, None), (n, i)} & minimum.errors.keys()]
        reason = ONE_SOLVENT if fixed_names or len(unknown) == len(densities) else ""
    if not reason or not unknown or "scale" in known_names:
        return {}
    return dict.fromkeys([*unknown, "scale"], reason)
