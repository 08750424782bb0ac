"""Contrasts that scientists expect, where a curve decides nothing but scale times contrast squared.

A dilute curve stays the same where all scattering length densities are shifted together, or all contrasts
are multiplied by f and the scale by 1/f² (O. Glatter and O. Kratky, Small Angle X-ray Scattering (1982),
chapter 2). A fit starts from whatever contrast its starting curve had; what is said of it has the solvent of
the model's own defaults, and contrasts within what matter has.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...digits import quantity, significant
from ...simulate.priors import default_values
from ...wording import option
from ..result.components import is_scale
from ..result.contrasts import find_fixed_solvent, invariant, slds_of
from ..result.fit_warning import About, FitWarning
from ..result.model_fit import ModelFit, Parameter, Posterior
from ..settings import PROBLEM
from ..task import Task


def conventional(fit: ModelFit, given_names: Iterable[str] = ()) -> ModelFit:
    """Express the same curve with the model's default solvent and possible contrasts, if it can be."""
    # One-material models get the default too, so that scale compares with sasmodels' page. If scale or the
    # density of a part is in `given`, all stay; the solvent does if it is.
    fit = _replace_scale_by_intensity(fit, given_names)
    if fit.model.endswith(".py") or "scale" not in fit.free:
        return fit
    given, solvent = set(given_names), find_fixed_solvent(fit)
    if not solvent or ({"scale", *slds_of(fit)} - {solvent}) & given:
        return fit
    kept = {solvent: fit.parameters[solvent].value} if solvent in given else {}
    return _set_default_solvent(fit, solvent, {**default_values(fit.model), **kept})


def _set_default_solvent(fit: ModelFit, solvent: str, default: Mapping[str, float]) -> ModelFit:
    """The fit with the default of its solvent, and contrasts within matter, if its curve stays the same."""
    slds = slds_of(fit)
    old, new = slds[solvent].value, default[solvent]
    contrast = {name: p.value - old for name, p in slds.items() if name != solvent}
    factor = _factor(fit, default, new, contrast)
    if not factor or (factor, new) == (1.0, old) or not invariant(fit.model, solvent, tuple(contrast)):
        return fit
    return _move_densities(fit, tuple(slds), old, new, factor)


def _move_densities(fit: ModelFit, slds: Sequence[str], old: float, new: float, factor: float) -> ModelFit:
    """The fit with its solvent from one density to another, and all contrasts multiplied."""

    def move_parameter(name: str, p: Parameter) -> Parameter:
        if name == "scale":
            return _scale_parameter(p, 0.0, 0.0, factor**-2)
        return _scale_parameter(p, old, new, factor) if name in slds else p

    power = {"scale": 2} | dict.fromkeys(slds, -1)
    derivatives = {name: d * factor ** power.get(name, 0) for name, d in fit.derivatives.items()}
    parameters = {name: move_parameter(name, p) for name, p in fit.parameters.items()}
    posterior = fit.posterior and _shift_posterior(fit.posterior, slds, old, new, factor)
    return replace(fit, parameters=parameters, derivatives=derivatives, posterior=posterior)


def _factor(fit: ModelFit, default: Mapping[str, float], solvent: float, contrast: dict[str, float]) -> float:
    """Return the factor of contrasts: an unfitted one gets its default, all stay within matter."""
    fixed = [name for name, d in contrast.items() if d and name not in fit.free]
    factor = (default[fixed[0]] - solvent) / contrast[fixed[0]] if fixed else 1.0
    return factor if len(fixed) == len(contrast) == 1 else _limit_factor(factor, solvent, contrast.values())


def _limit_factor(factor: float, solvent: float, contrast: Collection[float]) -> float:
    """The factor, or the largest up to 1 with which all contrasts are within what matter has."""
    low, high = PROBLEM.matter["neutron"]
    if all(low <= solvent + factor * d <= high for d in contrast):
        return factor
    ends = (max((high - solvent) / d, (low - solvent) / d) for d in filter(None, contrast))
    return min([1.0, *(end for end in ends if end > 0)])


def _stands_for_scale(fit: ModelFit, given_names: Iterable[str]) -> bool:
    """Whether i_zero was left as it was beside a fitted scale, none of them a user's."""
    intensity = fit.parameters.get("i_zero")
    if intensity is None or "scale" not in fit.free or fit.posterior is not None:
        return False
    if {"scale", "i_zero"} & set(given_names):
        return False
    return intensity.fixed and intensity.value > 0


def _replace_scale_by_intensity(fit: ModelFit, given_names: Iterable[str]) -> ModelFit:
    """Set the scale of a polymer coil to 1 and give i_zero the value scale times i_zero, I(0)."""
    if not _stands_for_scale(fit, given_names):
        return fit
    scale, intensity = fit.parameters["scale"], fit.parameters["i_zero"]
    factor = intensity.value
    swapped = {
        "scale": Parameter(1.0, None, scale.unit, True, 1.0, 1.0),
        "i_zero": replace(_scale_parameter(scale, 0.0, 0.0, factor), unit=intensity.unit),
    }

    def own(name: str) -> str:
        return "i_zero" if name == "scale" else name

    return replace(
        fit,
        parameters={name: swapped.get(name, p) for name, p in fit.parameters.items()},
        derivatives={own(n): d / factor if n == "scale" else d for n, d in fit.derivatives.items()},
        correlations={(own(a), own(b)): r for (a, b), r in fit.correlations.items()},
    )


def _shift_posterior(
    posterior: Posterior, slds: Iterable[str], old: float, new: float, factor: float
) -> Posterior:
    line = dict.fromkeys(slds, (new - factor * old, factor)) | {"scale": (0.0, factor**-2)}
    lines = {name: line.get(name, (0.0, 1.0)) for name in posterior.names}

    def ends(intervals: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        shifted = {}
        for name, pair in intervals.items():
            shift, slope = line.get(name, (0.0, 1.0))
            low, high = sorted(shift + slope * x for x in pair)
            shifted[name] = low, high
        return shifted

    shifts, slope = np.array(list(lines.values())).T
    return replace(
        posterior,
        samples=shifts + slope * posterior.samples,
        interval68=ends(posterior.interval68),
        interval95=ends(posterior.interval95),
    )


def _scale_parameter(p: Parameter, old: float, new: float, factor: float) -> Parameter:
    value, *ends = (float(new + factor * (x - old)) for x in (p.value, p.low, p.high))
    error = None if p.error is None else abs(factor) * p.error
    return replace(p, value=value, error=error, low=min(ends), high=max(ends))


def fix_default_solvent(tasks: Sequence[Task], given_names: Iterable[str]) -> tuple[list[Task], list[str]]:
    """Fix the solvent where the user gave the other contrast, or the other one where the solvent is to be
    fitted, and note each value.
    """
    slds = {name for name in given_names if "sld" in name}
    if not slds:
        return list(tasks), []
    fixed_tasks, notes = [], []
    for task in tasks:
        default = {} if task.model.endswith(".py") else default_values(task.model)
        solvents = fnmatch.filter(default, "sld*solvent")
        others = {name for name in default if name.startswith("sld")}.difference(solvents)
        name = ""
        if len(solvents) == 1 and not any("solvent" in name for name in slds):
            name = solvents[0] if slds & default.keys() else ""
        elif task.fitted and set(solvents) <= set(task.fitted) and not others & {*task.fixed, *task.ranges}:
            # Only differences of densities scatter. Of several parts none has a usual density.
            name = min(others) if len(others) == 1 else ""
            if not name:
                task = replace(task, fitted=tuple(n for n in task.fitted if n not in solvents))
        if name and name not in {*task.fixed, *task.ranges, *task.fitted}:
            task = replace(task, fixed={name: default[name], **task.fixed})
            with_solvent = f"{option('solvent')} or " if name in solvents else ""
            notes.append(
                f"{name} was taken as {default[name]:g}·10⁻⁶ Å⁻², the default of {task.model};"
                f" give its value with {with_solvent}{option('fixed')}."
            )
        fixed_tasks.append(task)
    return fixed_tasks, list(dict.fromkeys(notes))


def _is_above_one(p: Parameter) -> bool:
    return not (p.fixed or p.value - 2 * (p.error or 0.0) <= 1)


def scale_in_words(fit: ModelFit) -> Iterator[str]:
    """Say that a scale above 1 is no volume fraction; of a sum, that of each component."""
    for name, p in fit.parameters.items():
        prefix = name.removesuffix("scale")
        if not is_scale(name) or not _is_above_one(p):
            continue
        densities = [fit.parameters[sld] for sld in slds_of(fit) if sld.startswith(prefix)]
        if not densities:
            continue
        is_none, own = "is not a volume fraction", fit.parameters.get(f"{prefix}volfraction")
        if own is not None:
            is_none = "is above 1, and the model has a volume fraction as well"
            is_none += f" (volfraction, fixed at {significant(own.value, 4)})" if own.fixed else ""
        advice = f"Give {option('sample')} and {option('solvent')} if the intensity is in cm⁻¹."
        if all(density.is_given for density in densities):
            advice = "Check the densities that you gave, and whether the intensity is in cm⁻¹."
        yield (
            f"{name}, {quantity(p.value, '', p.error)}, {is_none}: the data determine only the product of"
            f" scale and the squared contrast. {advice}"
        )


#: 1e-6/Å²: a value that conventions have put at an end of what matter has is at that end, however rounded.
_ROUNDING = 1e-9


def check_matter(fit: ModelFit, probe: str | None) -> Iterator[FitWarning]:
    """Scattering length densities that no matter has, by what is known of the probe."""
    neutron, xray = PROBLEM.matter["neutron"], PROBLEM.matter["xray"]
    ranges_by_probe = {"neutron": (" for neutrons", neutron), "xray": (" for X-rays", xray)}
    kind, (low, high) = ranges_by_probe.get(str(probe), ("", xray))
    for name, p in slds_of(fit).items():
        value = quantity(p.value, p.unit, None if p.fixed else p.error)
        if not low - _ROUNDING <= p.value <= high + _ROUNDING:
            yield FitWarning(
                f"{name}, {value}, is beyond that of any material{kind} ({low:g} to {high:g}); the"
                " contrast is meaningless.",
                About.VALUE,
                parameter=name,
            )
        elif probe is None and p.value > neutron[1] + _ROUNDING:
            yield FitWarning(
                f"{name}, {value}, is beyond that of any material for neutrons ({neutron[0]:g} to"
                f" {neutron[1]:g}); it is possible only for X-rays.",
                About.VALUE,
                parameter=name,
            )
