"""Mean and relative standard deviation of the size distributions that a fit calculates.

The parameters of sasmodels mean another thing in each kind: of a log-normal distribution they are the median
and the standard deviation of the logarithm; of a Gaussian one, the mean and the standard deviation before
the distribution is cut off. The number mean and the relative standard deviation mean the same in all kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .model_fit import Parameter

#: Points of the sum over a distribution.
_POINTS = 801
#: Step in the width by which slopes are calculated.
_STEP = 1e-4


def sigmas(kind: str) -> float:
    """Half width of a distribution's range in a fit, in standard deviations."""
    return 3.0 if kind == "gaussian" else 5.0


@cache
def moments(kind: str, width: float) -> tuple[float, float]:
    """Return number mean over sasmodels' size, and standard deviation over mean, of a gaussian, lognormal or
    schulz distribution truncated at `sigmas`, as sasmodels sums it. `width` is sasmodels' parameter.
    """
    if width <= 0:
        return 1.0, 0.0
    reach = sigmas(kind) * width
    size = np.linspace(max(1 - reach, 1e-8), 1 + reach, _POINTS)
    if kind == "lognormal":
        log_density = -0.5 * (np.log(size) / width) ** 2 - np.log(size)
    elif kind == "schulz":
        log_density = (width**-2 - 1) * np.log(size) - size / width**2
    else:
        log_density = -0.5 * ((size - 1) / width) ** 2
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    mean = float(weight @ size)
    return mean, float(np.sqrt(weight @ (size - mean) ** 2)) / mean


def slopes_of_moments(kind: str, width: float) -> tuple[float, float]:
    """Derivatives of both `moments` by the width."""
    low, high = max(width - _STEP, _STEP / 10), width + _STEP
    below, above = moments(kind, low), moments(kind, high)
    return (above[0] - below[0]) / (high - low), (above[1] - below[1]) / (high - low)


def mean_over_parameter(
    parameters: Mapping[str, Parameter], distributions: Mapping[str, str], name: str
) -> float:
    """Number mean of a size over sasmodels' parameter, which is no mean in each kind of distribution."""
    width = parameters.get(f"{name}_pd")
    return 1.0 if width is None else moments(distributions.get(name, "gaussian"), width.value)[0]


def deviation_over_width(
    parameters: Mapping[str, Parameter], distributions: Mapping[str, str], name: str
) -> float:
    """Relative standard deviation of a size over sasmodels' width, the parameter `name`_pd."""
    width = parameters[f"{name}_pd"].value
    return moments(distributions.get(name, "gaussian"), width)[1] / width if width > 0 else 1.0
