"""Reported values and their errors: covariance, size distributions, and which parameters tell most.

The parameters of sasmodels mean another thing in each kind: of a log-normal distribution they are the median
and the standard deviation of the logarithm; of a Gaussian one, the mean and the standard deviation before
the distribution is cut off. The number mean and the relative standard deviation mean the same in all kinds.

Of a size with a distribution the number mean is reported, and of its width the standard deviation over the
mean, whichever kind of distribution it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import filterfalse
from typing import Any, TypeVar

import numpy as np

from ...arrays import ArrayCache, Floats
from ...digits import interval, quantity
from ...simulate.size_distributions import find_nsigma, log_density
from ...units import is_of_intensity
from ..settings import PROBLEM
from .components import bare
from .model_fit import ModelFit, Parameter

# --- Covariance of a least-squares fit.

#: A parameter's name; of several curves also the place of the curve that has it of its own.
_Key = TypeVar("_Key")
#: Of the largest singular value: no direction of parameters is taken for better known than rounding allows.
_ROUNDING = 1e-9
#: Covariances of the last fits, which are asked for again and again.
_KEPT: ArrayCache[Floats] = ArrayCache(2**18)


def covariance(slopes: Mapping[Any, Floats]) -> Floats:
    """Return (JᵀJ)⁻¹ (Press et al., Numerical Recipes, 3rd ed. 2007, 15.4), NaN without effect."""
    # Columns (n,), per unit of each parameter, are scaled first: an sld of 4 and a background of 1e-4 must
    # not share rounding.
    jacobian = np.stack(list(slopes.values()), axis=1)
    key = jacobian.shape, jacobian.tobytes()
    return _KEPT.get(key, lambda: _compute_covariance(jacobian), lambda _: jacobian.nbytes)


def _compute_covariance(jacobian: Floats) -> Floats:
    length = np.linalg.norm(jacobian, axis=0)
    is_finite = np.isfinite(length) & (length > 0)
    matrix = np.full((length.size, length.size), np.nan)
    if is_finite.any():
        _, singular, rows = np.linalg.svd(jacobian[:, is_finite] / length[is_finite], full_matrices=False)
        rows = rows / np.maximum(singular, _ROUNDING * singular[0])[:, None]
        matrix[np.ix_(is_finite, is_finite)] = rows.T @ rows / np.outer(length[is_finite], length[is_finite])
    return matrix


def errors_of(slopes: Mapping[_Key, Floats]) -> dict[_Key, float]:
    """Standard deviations, NaN where nothing moves; none of nothing."""
    if not slopes:
        return {}
    return dict(zip(slopes, map(float, np.sqrt(np.diag(covariance(slopes)))), strict=True))


def correlations(slopes: Mapping[Any, Floats]) -> Floats:
    """Correlation coefficients of the parameters, (k, k); NaN for one without effect."""
    matrix = covariance(slopes)
    error = np.sqrt(np.diag(matrix))
    return np.asarray(np.clip(matrix / np.outer(error, error), -1.0, 1.0))


# --- Mean and relative standard deviation of size distributions.

#: Points of the sum over a distribution.
_POINTS = 801
#: Step in the width by which slopes are calculated.
_STEP = 1e-4


@cache
def moments(kind: str, width: float) -> tuple[float, float]:
    """Return number mean over sasmodels' size, and standard deviation over mean, of a distribution cut where
    its range ends in a fit, and at 0. `width` is sasmodels' parameter.
    """
    if width <= 0:
        return 1.0, 0.0
    reach = find_nsigma(kind, width) * width
    # Even in ln R where the range is wide, so that the many small sizes have their share of points.
    size = np.geomspace(max(1 - reach, 1e-4), 1 + reach, _POINTS)
    density = log_density(kind, size, width)
    weight = np.exp(density - density.max()) * np.gradient(size)
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


# --- Reported values.

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
    if not errors.any():
        return None
    if not np.all(np.isfinite(errors)):
        return float(np.hypot.reduce(errors))
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


# --- Parameters that tell most, and those that the data do not determine.

#: Relative error up to which a value is known well enough to be told first.
_KNOWN = 0.5
#: Parameters that are told, at most, and a width of a size distribution besides.
_TOLD = 3
#: Class of such a width.
_WIDTH = 4
#: Classes that a name decides, the first that it matches; of all others, lengths tell most.
_BY_NAME = (("_pd$", _WIDTH), ("sld", 5), ("^volfraction", 3), ("^radius_effective$", 2))


def telling(fit: ModelFit) -> list[tuple[str, Parameter]]:
    """The fitted parameters by which people know a sample: lengths first, then what else makes its shape."""
    # Scale and background tell nothing of it, nor does what the data do not determine, if there is more, nor
    # contrasts beside a fitted scale, which are known but for a factor: their values are a convention.
    classes = _classes(fit)
    by_class = sorted(_select_known(fit, classes), key=classes.__getitem__)
    widths = [name for name in by_class if classes[name] == _WIDTH]
    other_names = [name for name in by_class if name not in widths]
    chosen = {*other_names[:_TOLD], *widths[:1]}
    return [(name, fit.parameters[name]) for name in sorted(chosen, key=list(classes).index)]


def _select_known(fit: ModelFit, names: Collection[str]) -> list[str]:
    """What is known well; if the data determine nothing well, what would tell most is named all the same."""
    return [name for name in names if _well_known(fit.parameters[name])] or list(names)


def _classes(fit: ModelFit) -> dict[str, int]:
    """Class of each fitted parameter that is a property of the sample's shape, or a known contrast."""
    scaled = any(name.endswith("scale") for name in fit.free)  # then a contrast is none that is known
    names = filterfalse(_is_contrast, fit.free) if scaled else fit.free
    classes = {name: _class(name, fit.parameters[name]) for name in names}
    return {name: kind for name, kind in classes.items() if kind is not None}


def _is_contrast(name: str) -> bool:
    return "sld" in bare(name)


def list_undetermined(fit: ModelFit) -> list[str]:
    """Names of the fitted lengths of a shape that the data do not determine."""
    return [
        name
        for name, p in fit.parameters.items()
        if p.unit == "Ang" and _class(name, p) == 0 and not is_determined(name, p)
    ]


def _well_known(p: Parameter) -> bool:
    return p.error is None or p.error <= _KNOWN * abs(p.value)


def is_determined(name: str, p: Parameter) -> bool:
    """Whether the error of a value is less than itself; also true if it is fixed or its error unknown."""
    # The zero of a background or of a width is as good a value as another; that of a scattering length
    # density says nothing, so that an error counts against all that matter has.
    if p.fixed or p.error is None or name.endswith("_pd") or is_of_intensity(p.unit):
        return True
    low, high = PROBLEM.matter["neutron"]
    return p.error < max(abs(p.value), high - low if p.unit == "1e-6/Ang^2" else 0.0)


def describe_value(name: str, p: Parameter) -> str:
    """``radius 41.3 ± 0.6 Å``, or ``radius not determined (41 ± 300 Å)``."""
    value_text = quantity(p.value, p.unit, p.error)
    return f"{name} {value_text}" if is_determined(name, p) else f"{name} not determined ({value_text})"


def parameter_as_dict(name: str, p: Parameter) -> dict[str, Any]:
    """Return a parameter as JSON has it, with `determined` where its error exceeds it."""
    values = {"value": p.value, "error": p.error, "unit": p.unit, "fixed": p.fixed}
    return values if is_determined(name, p) else {**values, "determined": False}


def parameters_in_words(fit: ModelFit) -> str:
    """The fitted parameters in one line, with errors and units."""
    return ", ".join(
        f"{describe_value(name, p)}{_as_mean(fit, name)}{_interval(fit, name)}"
        for name, p in fit.parameters.items()
        if not p.fixed
    )


def _as_mean(fit: ModelFit, name: str) -> str:
    """The number mean, or relative standard deviation, where sasmodels' parameter is another quantity."""
    size, p = name.removesuffix("_pd"), fit.parameters[name]
    if fit.distributions.get(size) != "lognormal" or f"{size}_pd" not in fit.parameters:
        return ""
    value, error = value_of(fit, name)
    own_value, reported = (
        ("median", "mean") if size == name else ("of the logarithm", "relative standard deviation")
    )
    return f" ({own_value}; {reported} {quantity(value, p.unit, error)})"


def _interval(fit: ModelFit, name: str) -> str:
    if fit.posterior is None or name not in fit.posterior.names:
        return ""
    return f" (95 %: {interval(*fit.posterior.interval95[name])})"


def _class(name: str, p: Parameter) -> int | None:
    """0 for what tells most; None for what is no property of the sample's shape."""
    name = bare(name)
    if _is_no_shape(name, p):
        return None
    of_name = (kind for pattern, kind in _BY_NAME if re.search(pattern, name))
    return next(of_name, 0 if p.unit == "Ang" else 1)


def _is_no_shape(name: str, p: Parameter) -> bool:
    is_factor = name.rstrip("_0123456789").endswith(("scale", "coefficent"))
    return is_factor or name in ("background", "perturb") or is_of_intensity(p.unit)
