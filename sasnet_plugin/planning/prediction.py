"""Whether what a plan predicted has come true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Floats
from ..data.sample.kind import CALIBRATION
from ..fitting.result.fit_result import FitResult
from ..fitting.result.sample_result import SampleResult
from . import sentences
from .measurements import SAME_SOLVENT
from .sentences import percent

#: Reduced χ² of the nearest prediction above which none of the models predicted the new curve.
_FAR = 4.0
#: Points of the new curve within the plan's q from which on the two are compared.
_FEWEST = 5


def prediction_held(plan: Mapping[str, Any] | None, result: FitResult | SampleResult) -> str:
    """Say whether an earlier plan (`Plan.as_dict`) held for the newest curve; empty without one."""
    if plan is None:
        return ""
    if not isinstance(result, SampleResult) or result.best is None:
        return sentences.NOT_COMPARED(reason=sentences.FIT_TOGETHER)
    predicted, newest = plan["predictions"], _find_newest(plan, result)
    if _is_elsewhere(predicted.get("solvent"), result, newest):
        return sentences.NOT_COMPARED(reason=sentences.OTHER_SOLVENT)
    curve, dintensity = result.sample.curves[newest], result.dintensities[newest]
    q, error = np.array(predicted["q"]), np.array(predicted["error"])
    if np.sum((curve.q >= q[0]) & (curve.q <= q[-1])) < _FEWEST:
        return sentences.NOT_COMPARED(reason=sentences.OTHER_RANGE)
    misfits = {
        model: _chisq(q, np.array(values), error, curve.q, curve.intensity, np.asarray(dintensity))
        for model, values in predicted["intensity"].items()
    }
    # The predicted curves have their models' errors besides, so that only a far miss says something.
    nearest = min(misfits, key=lambda model: misfits[model])
    if misfits[nearest] > _FAR:
        return sentences.DID_NOT_HOLD(chisq=f"{misfits[nearest]:.3g}")
    model, weight, chance = result.best.name, result.best.weight, float(predicted["chance"])
    misfit = misfits.get(model, np.inf)
    if misfit > _FAR:
        return sentences.LED_OTHERWISE(model=model, now=percent(weight), nearest=nearest)
    text = sentences.HELD if weight >= chance else sentences.DECIDED_LESS
    return text(model=model, chisq=f"{misfit:.2g}", chance=percent(chance), now=percent(weight))


def _find_newest(plan: Mapping[str, Any], result: SampleResult) -> int:
    files, before = result.sample.files, set(plan.get("files", ()))
    new = [i for i, file in enumerate(files) if file not in before]
    return new[-1] if new else len(files) - 1


def _is_elsewhere(planned: float | None, result: SampleResult, newest: int) -> bool:
    solvents = result.sample.solvents
    measured = solvents[newest] if solvents else None
    return planned is not None and measured is not None and abs(planned - measured) > SAME_SOLVENT


def _chisq(
    q: Floats, values: Floats, error: Floats, at: Floats, intensity: Floats, dintensity: Floats
) -> float:
    """Reduced χ² of a prediction on the points that it has, background and calibration solved for."""
    inside = (at >= q[0]) & (at <= q[-1])
    predicted = np.interp(at[inside], q, values)
    total = np.hypot(dintensity[inside], np.hypot(np.interp(at[inside], q, error), CALIBRATION * predicted))
    columns = np.stack([predicted / total, 1 / total], axis=1)
    solution = np.linalg.lstsq(columns, intensity[inside] / total, rcond=None)[0]
    residual = intensity[inside] / total - columns @ solution
    return float(residual @ residual / max(inside.sum() - 2, 1))
