"""Parameters in words: which of them tell most of a sample, and which the data do not determine."""

from __future__ import annotations

from ...digits import interval, quantity
from ..settings import PROBLEM
from .components import bare
from .model_fit import ModelFit, Parameter

#: Relative error up to which a value is known well enough to be told first.
_KNOWN = 0.5
#: Parameters that are told, at most, and a width of a size distribution besides.
_TOLD = 3
#: Class of such a width.
_WIDTH = 4


def telling(fit: ModelFit) -> list[tuple[str, Parameter]]:
    """The fitted parameters by which people know a sample: lengths first, then what else makes its shape.

    Scale and background tell nothing of it, nor does what the data do not determine, if there is more, nor
    contrasts beside a fitted scale, which are known but for a factor: their values are a convention.
    """
    classes = _classes(fit)
    found = [(name, p) for name, p in fit.parameters.items() if name in classes]
    # If the data determine nothing, what would tell most is named all the same.
    known = [one for one in found if _well_known(one[1])] or [one for one in found if not determined(*one)]
    by_class = sorted((name for name, _ in known), key=classes.__getitem__)
    chosen = [name for name in by_class if classes[name] != _WIDTH][:_TOLD]
    chosen += [name for name in by_class if classes[name] == _WIDTH][:1]
    return [(name, p) for name, p in found if name in chosen]


def _classes(fit: ModelFit) -> dict[str, int]:
    """Class of each fitted parameter that is a property of the sample's shape, or a known contrast."""
    fitted = [(name, p) for name, p in fit.parameters.items() if not p.fixed]
    if any(name.endswith("scale") for name, _ in fitted):  # then a contrast is none that is known
        fitted = [one for one in fitted if "sld" not in bare(one[0])]
    return {name: kind for name, p in fitted if (kind := _class(name, p)) is not None}


def undetermined(fit: ModelFit) -> list[str]:
    """Names of the fitted lengths of a shape that the data do not determine."""
    return [
        name
        for name, p in fit.parameters.items()
        if p.unit == "Ang" and _class(name, p) == 0 and not determined(name, p)
    ]


def _well_known(p: Parameter) -> bool:
    return p.error is None or p.error <= _KNOWN * abs(p.value)


def determined(name: str, p: Parameter) -> bool:
    """Whether the data determine a fitted value: its error is less than itself.

    The zero of a background or of a width is as good a value as another; that of a scattering length density
    says nothing, so that an error counts against all that matter has.
    """
    if p.fixed or p.error is None or name.endswith("_pd") or p.unit == "1/cm":
        return True
    low, high = PROBLEM.neutron_matter
    return p.error < max(abs(p.value), high - low if p.unit == "1e-6/Ang^2" else 0.0)


def in_words(name: str, p: Parameter) -> str:
    """``radius 41.3 ± 0.6 Å``, or ``radius not determined (41 ± 300 Å)``."""
    said = quantity(p.value, p.unit, p.error)
    return f"{name} {said}" if determined(name, p) else f"{name} not determined ({said})"


def parameters_in_words(found: ModelFit) -> str:
    """The fitted parameters in one line, with errors and units."""
    return ", ".join(
        f"{in_words(name, p)}{_interval(found, name)}" for name, p in found.parameters.items() if not p.fixed
    )


def _interval(found: ModelFit, name: str) -> str:
    if found.posterior is None or name not in found.posterior.names:
        return ""
    return f" (95 %: {interval(*found.posterior.interval95[name])})"


def _class(name: str, p: Parameter) -> int | None:
    """0 for what tells most; None for what is no property of the sample's shape."""
    name = bare(name)
    if _is_no_shape(name, p):
        return None
    if name.endswith("_pd"):
        return _WIDTH
    if "sld" in name:
        return 5
    if name.startswith("volfraction"):
        return 3
    if name == "radius_effective":
        return 2
    return 0 if p.unit == "Ang" else 1


def _is_no_shape(name: str, p: Parameter) -> bool:
    """Whether a parameter is an intensity or a factor of one."""
    is_factor = name.rstrip("_0123456789").endswith(("scale", "coefficent"))
    return is_factor or name in ("background", "perturb") or p.unit == "1/cm"
