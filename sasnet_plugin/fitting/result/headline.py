"""Parameters in words: which of them tell most of a sample, and which the data do not determine."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import filterfalse

from ...digits import interval, quantity
from ..settings import PROBLEM
from .components import bare
from .model_fit import ModelFit, Parameter
from .reported_values import value_of

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
    """What is known well; if the data determine nothing, what would tell most is named all the same."""
    known_names = [name for name in names if _well_known(fit.parameters[name])]
    return known_names or [name for name in names if not is_determined(name, fit.parameters[name])]


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
    if p.fixed or p.error is None or name.endswith("_pd") or p.unit == "1/cm":
        return True
    low, high = PROBLEM.neutron_matter
    return p.error < max(abs(p.value), high - low if p.unit == "1e-6/Ang^2" else 0.0)


def describe_value(name: str, p: Parameter) -> str:
    """``radius 41.3 ± 0.6 Å``, or ``radius not determined (41 ± 300 Å)``."""
    value_text = quantity(p.value, p.unit, p.error)
    return f"{name} {value_text}" if is_determined(name, p) else f"{name} not determined ({value_text})"


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
    return is_factor or name in ("background", "perturb") or p.unit == "1/cm"
