"""Where a fitted value lies within its range."""

from __future__ import annotations

from math import exp, isfinite, log

from ..settings import ASSESSMENT
from .model_fit import Parameter


def end_of_range(p: Parameter) -> str:
    """Name the end of its range at which a fitted value is; empty if at none."""
    if p.fixed or not p.low < p.high:
        return ""
    first, last = _ends(p)
    return "lower" if p.value <= first else "upper" if p.value >= last else ""


def _ends(p: Parameter) -> tuple[float, float]:
    """Where the ends of a range begin; on a logarithmic scale where it is long and positive."""
    low, high = p.low, p.high
    if low > 0 and isfinite(high) and high > 10 * low:
        step = exp(ASSESSMENT.at_end * log(high / low))
        return low * step, high / step
    width = high - low
    tiny = ASSESSMENT.at_end * width if isfinite(width) else 1e-9 * max(abs(p.value), 1.0)
    return low + tiny, high - tiny
