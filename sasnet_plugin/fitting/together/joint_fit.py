"""Where a joint fit has ended, as people see it: which parameters are known, and why others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...data.sample.sample import CONTRASTS, SETTINGS
from ...simulate.priors import model_info
from ...types import product_name
from ..assessment.goodness_of_fit import standardised_runs
from ..evidence.prior import outside
from ..problem.bounds import range_of
from ..result.model_fit import Parameter
from .one_model import JointMinimum
from .result import JointFit

#: Why densities are not determined.
UNKNOWN_SOLVENTS = "the solvents are not given, so that only ratios of contrasts are known"
ONE_SOLVENT = "not all other densities are given, so that only ratios of contrasts are known"


def joint_fit(found: JointMinimum) -> JointFit:
    task = found.task
    shared, own = _parameters(found)
    widths = [n.removesuffix("_pd") for n in shared if n.endswith("_pd")]
    kinds = {n: str(found.values[0].get(f"{n}_pd_type", "gaussian")) for n in widths}
    fit = JointFit(
        task.model, task.structure_factor, shared, own, found.chisq, found.reduced_chisq, found.minus_two_log,
        task.probability, found.theories, kinds, tuple(one.shared for one in found.evidences),
        _runs(found), task.per_decade, seconds=found.seconds, derivatives=found.derivatives,
        calibrations=_calibrations(found), factors=found.plan.factors, common=found.common,
        background_deviation=found.plan.background,
    )  # fmt: skip
    # Values that no sample has, such as a length below an atom's, speak against a fit as they do alone.
    return replace(
        fit, minus_two_log=fit.minus_two_log + max(map(outside, map(fit.of_curve, range(len(own)))))
    )


def _parameters(found: JointMinimum) -> tuple[dict[str, Parameter], tuple[dict[str, Parameter], ...]]:
    """What all curves share, and what each has of its own."""
    table = _table(product_name(found.task.model, found.task.structure_factor))
    units = {p.name: p.units for p in table} | {"background": "1/cm"}
    reasons = _undetermined(found, [p.name for p in table if p.type == "sld"])
    names = [n for n in found.values[0] if n.removesuffix("_pd") in units]
    single = _single(found, names)
    shared = {n: _parameter(found, units, n, None) for n in names if n not in single}
    # Widths of nothing are left out.
    shared = {n: p for n, p in shared.items() if not n.endswith("_pd") or p.value > 0}
    own = [
        {n: _parameter(found, units, n, i) for n in names if n in single} for i in range(len(found.values))
    ]
    return _marked(shared, reasons), tuple(_marked(one, reasons) for one in own)


def _table(name: str) -> list[Any]:
    every = model_info(name).parameters.call_parameters
    return [p for p in every if p.type not in ("magnetic", "orientation")]


def _single(found: JointMinimum, names: Sequence[str]) -> set[str]:
    fitted = {name for name, place in found.errors if place is not None}
    return {
        "scale", "background", *fitted,
        *(name for name in names if len({values[name] for values in found.values}) > 1),
    }  # fmt: skip


def _runs(found: JointMinimum) -> tuple[float, ...]:
    curves = zip(found.task.sample.curves, found.theories, strict=True)
    return tuple(standardised_runs(curve.intensity - theory) for curve, theory in curves)


def _calibrations(found: JointMinimum) -> tuple[float, ...]:
    if found.task.sample.kind != SETTINGS or found.plan.factors is None:
        return ()
    scales = [
        values["scale"] / factor for values, factor in zip(found.values, found.plan.factors, strict=True)
    ]
    middle = sorted(scales)[len(scales) // 2]
    return tuple(float(scale / middle) for scale in scales)


def _parameter(found: JointMinimum, units: Mapping[str, str], name: str, place: int | None) -> Parameter:
    value = float(found.values[place or 0][name])
    error = found.errors.get((name, place))
    low, high = value, value
    if error is not None:
        table = model_info(product_name(found.task.model, found.task.structure_factor))
        low, high = found.task.ranges.get(name) or range_of(table, name, value)
    return Parameter(value, error, units.get(name, ""), error is None, float(low), float(high))


def _marked(parameters: dict[str, Parameter], reasons: Mapping[str, str]) -> dict[str, Parameter]:
    return {
        name: replace(p, error=None, undetermined=reasons[name]) if name in reasons else p
        for name, p in parameters.items()
    }


def _undetermined(found: JointMinimum, densities: Sequence[str]) -> dict[str, str]:
    """Densities, and the scale, that other values could replace without any change of the curves."""
    # A common factor of all contrasts is one of the scale. In several solvents one density that is known
    # settles all others; in one solvent those that are fitted are relative to those that are not.
    plan = found.plan
    known = {*plan.ties, *(name for one in plan.known for name in one)}
    unknown = [name for name in densities if name not in known]
    if found.task.sample.kind == CONTRASTS:
        reason = UNKNOWN_SOLVENTS if len(unknown) == len(densities) else ""
    else:
        curves = range(len(found.values))
        held = [n for n in unknown for i in curves if not {(n, None), (n, i)} & found.errors.keys()]
        reason = ONE_SOLVENT if held or len(unknown) == len(densities) else ""
    if not reason or not unknown or "scale" in known:
        return {}
    return dict.fromkeys([*unknown, "scale"], reason)
