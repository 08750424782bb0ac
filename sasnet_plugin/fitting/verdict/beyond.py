"""Lengths that are longer than the data show, and so are no measurement of them."""

from __future__ import annotations

import math

from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT


def beyond(result: FitResult, fit: ModelFit) -> dict[str, float]:
    """Fitted lengths that are uncertain and longer than π over the smallest q.

    A body of that size bends the curve at the first points alone: that it is longer is seen, how long is not.

    Returns
    -------
    dict
        By the parameter's name: the longest that these data show, Å.
    """
    longest = math.pi / float(result.curve.q[0])
    return {
        name: longest
        for name, p in fit.parameters.items()
        if p.unit == "Ang" and not p.fixed and p.value > longest and _uncertain(p.error, p.value)
    }


def _uncertain(error: float | None, value: float) -> bool:
    return error is not None and error >= ASSESSMENT.unsure * abs(value)
