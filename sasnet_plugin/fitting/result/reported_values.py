"""Values that are reported, with their errors: the one place that makes an error of those of parameters.

Of a size with a distribution the number mean is reported, and of its width the standard deviation over the
mean, whichever kind of distribution it is (`size_distributions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...arrays import Floats
from .covariance import correlations
from .model_fit import ModelFit
from .size_distributions import deviation_over_width, mean_over_parameter, slopes_of_moments

#: Of the largest part's variance: a sum is not known better than this, as correlations are estimates.
_LEAST = 1e-4


def value_of(fit: ModelFit, name: str) -> tuple[float, float | None]:
    """A parameter as it is reported, and its standard deviation; None where that is not known."""
    p = fit.parameters[name]
    size = name.removesuffix("_pd")
    if size != name and p.value > 0:
        slope = slopes_of_moments(_kind(fit, size), p.value)[1]
        moments = deviation_over_width(fit.parameters, fit.distributions, size)
        return moments * p.value, error_of(fit, {name: max(slope, moments)})
    return sum_of(fit, [name])


def sum_of(fit: ModelFit, names: Sequence[str]) -> tuple[float, float | None]:
    """The sum of the means of some sizes, and its standard deviation."""
    value, slopes = 0.0, dict[str, float]()
    for name in names:
        mean = mean_over_parameter(fit.parameters, fit.distributions, name)
        value += mean * fit.parameters[name].value
        slopes[name] = slopes.get(name, 0.0) + mean
        slopes |= _differentiate_by_width(fit, name)
    return value, error_of(fit, slopes)


def _differentiate_by_width(fit: ModelFit, name: str) -> dict[str, float]:
    width = fit.parameters.get(f"{name}_pd")
    if width is None or width.value <= 0:
        return {}
    slope = slopes_of_moments(_kind(fit, name), width.value)[0]
    return {f"{name}_pd": fit.parameters[name].value * slope}


def _kind(fit: ModelFit, name: str) -> str:
    return fit.distributions.get(name, "gaussian")


def error_of(fit: ModelFit, slopes: Mapping[str, float]) -> float | None:
    """Standard deviation of a quantity with these derivatives by parameters; None where none is known."""
    # What other kinds of size distribution add (`ModelFit.apart`) is an error of the mean, and correlates
    # with no other parameter.
    errors = np.array([fit.parameters[name].error or 0.0 for name in slopes])
    if not errors.any() or not np.all(np.isfinite(errors)):
        return float(np.hypot.reduce(errors)) if errors.any() else None
    by = np.array(list(slopes.values()))
    apart = np.minimum([fit.apart.get(name, 0.0) for name in slopes], errors)
    error = by * np.sqrt(errors**2 - apart**2)
    variance = error @ _correlation(fit, list(slopes)) @ error
    least = _LEAST * float(np.max(error**2))
    return float(np.sqrt(max(variance, least) + _square(by, apart, slopes)))


def _square(by: Floats, apart: Floats, slopes: Mapping[str, float]) -> float:
    """Variance by other distributions; a width's is in that of its mean already."""
    sizes = np.array([len(slopes) == 1 or not name.endswith("_pd") for name in slopes])
    return float(np.sum((by * apart)[sizes] ** 2))


def _correlation(fit: ModelFit, names: Sequence[str]) -> Floats:
    """Between errors, (k, k); none where the derivatives are not known."""
    order = list(fit.derivatives)
    if len(names) == 1 or not set(names) <= set(order):
        return np.eye(len(names))
    indices = [order.index(name) for name in names]
    matrix = correlations(fit.derivatives)[np.ix_(indices, indices)]
    return matrix if np.all(np.isfinite(matrix)) else np.eye(len(names))
