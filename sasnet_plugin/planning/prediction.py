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
from .next_measurement import percent

#: Reduced χ² of the nearest prediction above which none of the models predicted the new curve.
_FAR = 4.0


def prediction_held(plan: Mapping[str, Any] | None, result: FitResult | SampleResult) -> str:
    """Say whether an earlier plan (`Plan.as_dict`) held for the newest curve; empty without one."""
    if plan is None or not isinstance(result, SampleResult) or result.best is None:
        return ""
    predicted = plan["predictions"]
    curve, dintensity = result.sample.curves[-1], result.dintensities[-1]
    q, error = np.array(predicted["q"]), np.array(predicted["error"])
    chisq = min(
        _chisq(q, np.array(values), error, curve.q, curve.intensity, np.asarray(dintensity))
        for values in predicted["intensity"].values()
    )
    # The predicted curves have their models' errors besides, so that only a far miss says something.
    if chisq > _FAR:
        return sentences.DID_NOT_HOLD(chisq=f"{chisq:.3g}")
    return sentences.HELD(
        chance=percent(float(predicted["chance"])), model=result.best.name, now=percent(result.best.weight)
    )


def _chisq(
    q: Floats, values: Floats, error: Floats, at: Floats, intensity: Floats, dintensity: Floats
) -> float:
    """Reduced χ² of a prediction on the points that it has, background and calibration solved for."""
    inside = (at >= q[0]) & (at <= q[-1])
    if inside.sum() < 5:
        return 0.0
    predicted = np.interp(at[inside], q, values)
    total = np.hypot(dintensity[inside], np.hypot(np.interp(at[inside], q, error), CALIBRATION * predicted))
    columns = np.stack([predicted / total, 1 / total], axis=1)
    solution = np.linalg.lstsq(columns, intensity[inside] / total, rcond=None)[0]
    residual = intensity[inside] / total - columns @ solution
    return float(residual @ residual / max(inside.sum() - 2, 1))
